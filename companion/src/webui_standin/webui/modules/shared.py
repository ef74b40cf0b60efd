"""What everything shares. Names from A1111 v1.10.1, modules/shared.py and
modules/shared_init.py."""

import os
import sys

from modules import devices, errors, options, paths_internal, shared_cmd_options, util
from modules.options import OptionHTML, OptionInfo, options_section
from modules.paths_internal import (
    data_path,
    default_sd_model_file,
    extensions_builtin_dir,
    extensions_dir,
    models_path,
    script_path,
    sd_configs_path,
    sd_default_config,
    sd_model_file,
)
from modules.shared_cmd_options import cmd_opts, parser
from modules.shared_state import State
from modules.styles import StyleDatabase
from modules.util import html, html_path, listfiles, natural_sort_key, walk_files

batch_cond_uncond = parallel_processing_allowed = True
config_filename = cmd_opts.ui_settings_file
hide_dirs = {"visible": not cmd_opts.hide_ui_dir_config}
hypernetworks = {}
loaded_hypernetworks = []
demo = interrogator = settings_components = mem_mon = None
device = weight_load_location = None
xformers_available = False
face_restorers = []
sd_upscalers = []
tab_names = []
progress_print_out = sys.stdout
hf_endpoint = ""
latent_upscale_default_mode = "Latent"
# Mode names and interpolations from A1111 v1.10.1, modules/shared_init.py.
latent_upscale_modes = {
    "Latent": {"mode": "bilinear", "antialias": False},
    "Latent (antialiased)": {"mode": "bilinear", "antialias": True},
    "Latent (bicubic)": {"mode": "bicubic", "antialias": False},
    "Latent (bicubic antialiased)": {"mode": "bicubic", "antialias": True},
    "Latent (nearest)": {"mode": "nearest", "antialias": False},
    "Latent (nearest-exact)": {"mode": "nearest-exact", "antialias": False},
}


class TotalTQDM:
    """The console's second progress bar, which the stand-in doesn't draw."""

    def reset(self):
        """Do nothing."""

    def update(self):
        """Do nothing."""

    def updateTotal(self, new_total):
        """Do nothing."""

    def clear(self):
        """Do nothing."""


total_tqdm = TotalTQDM()
state = State()
styles_filename = cmd_opts.styles_file or [os.path.join(data_path, "styles.csv")]
prompt_styles = StyleDatabase(styles_filename)


class Shared(sys.modules[__name__].__class__):
    """This module with `sd_model`, which is loaded when first asked for."""

    @property
    def sd_model(self):
        """The current model."""
        from modules import sd_models

        return sd_models.model_data.get_sd_model()

    @sd_model.setter
    def sd_model(self, value):
        from modules import sd_models

        sd_models.model_data.set_sd_model(value)


sys.modules[__name__].__class__ = Shared

from modules import shared_options
from modules.shared_items import (
    list_checkpoint_tiles,
    refresh_checkpoints,
    reload_hypernetworks,
)

options_templates = shared_options.options_templates
restricted_opts = shared_options.restricted_opts
opts = options.Options(options_templates, restricted_opts)
opts.load(config_filename)


def list_samplers():
    """All samplers."""
    from modules import sd_samplers

    return sd_samplers.all_samplers


def reload_gradio_theme(theme_name=None):
    """There is one theme."""
