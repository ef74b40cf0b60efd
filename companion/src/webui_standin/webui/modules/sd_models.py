"""Checkpoints: files whose hash colours the drawing. Contract: A1111 v1.10.1,
modules/sd_models.py."""

import hashlib
import os
import re

from modules import hashes, samples, shared
from modules.paths_internal import models_path

model_dir = "Stable-diffusion"
model_path = os.path.abspath(os.path.join(models_path, model_dir))
checkpoints_list = {}
checkpoint_aliases = checkpoint_alisases = {}
_CHECKSUM = re.compile(r"\s*\[[^]]+]\s*$")


class CheckpointInfo:
    """One checkpoint file and all the names it goes by."""

    def __init__(self, filename):
        self.filename = filename
        inside = os.path.abspath(filename).removeprefix(_base(filename)).lstrip("/\\")
        self.name = inside or os.path.basename(filename)
        self.name_for_extra = os.path.splitext(os.path.basename(filename))[0]
        self.model_name = os.path.splitext(re.sub(r"[/\\]", "_", self.name))[0]
        self.is_safetensors = filename.lower().endswith(".safetensors")
        self.hash = model_hash(filename)
        self.metadata, self.modelspec_thumbnail = {}, None
        self.sha256 = hashes.sha256(filename, f"checkpoint/{self.name}")
        self.shorthash = self.sha256[:10]
        self.title = f"{self.name} [{self.shorthash}]"
        self.short_title = f"{self.name_for_extra} [{self.shorthash}]"
        names = [self.hash, self.model_name, self.title, self.name, self.name_for_extra]
        self.ids = [
            *names,
            f"{self.name} [{self.hash}]",
            self.shorthash,
            self.sha256,
            self.short_title,
        ]

    def register(self):
        """Make the checkpoint known by all its names."""
        checkpoints_list[self.title] = self
        for alias in self.ids:
            checkpoint_aliases[alias] = self

    def calculate_shorthash(self):
        """The first ten digits of the SHA-256."""
        return self.shorthash


def _base(filename):
    folder = shared.cmd_opts.ckpt_dir
    if folder and os.path.abspath(filename).startswith(os.path.abspath(folder)):
        return os.path.abspath(folder)
    return model_path


def model_hash(filename):
    """The webui's old hash: 64 KiB from one MiB on."""
    try:
        with open(filename, "rb") as file:
            file.seek(0x100000)
            return hashlib.sha256(file.read(0x10000)).hexdigest()[:8]
    except FileNotFoundError:
        return "NOFILE"


def setup_model():
    """Called once at start."""
    samples.make()
    os.makedirs(model_path, exist_ok=True)


def list_models():
    """Read the checkpoint folders again."""
    checkpoints_list.clear()
    checkpoint_aliases.clear()
    folders = [
        folder
        for folder in (model_path, shared.cmd_opts.ckpt_dir)
        if folder and os.path.isdir(folder)
    ]
    for folder in folders:
        for path in shared.walk_files(folder, (".ckpt", ".safetensors")):
            if not re.search(r"\.vae\.(ckpt|safetensors)$", path.lower()):
                CheckpointInfo(path).register()


def checkpoint_tiles(use_short=False):
    """Titles of all checkpoints."""
    return [info.short_title if use_short else info.title for info in checkpoints_list.values()]


def get_closet_checkpoint_match(search_string):
    """The checkpoint of this name, or whose title contains it; None if there is none."""
    if not search_string:
        return None
    if search_string in checkpoint_aliases:
        return checkpoint_aliases[search_string]
    for wanted in (search_string, _CHECKSUM.sub("", search_string)):
        found = [info for info in checkpoints_list.values() if wanted in info.title]
        if found:
            return min(found, key=lambda info: len(info.title))
    return None


def select_checkpoint():
    """The checkpoint that the settings name, or the first; raise FileNotFoundError without any."""
    info = checkpoint_aliases.get(shared.opts.sd_model_checkpoint)
    if info is not None:
        return info
    if not checkpoints_list:
        raise FileNotFoundError(f"No checkpoints found in {model_path}")
    return next(iter(checkpoints_list.values()))


class StandinModel:
    """What `shared.sd_model` is here: a name, a hash, and the attributes extensions look at."""

    is_sd1, is_sdxl, is_sd2, is_ssd, is_sd3, is_sdxl_inpaint = (
        True,
        False,
        False,
        False,
        False,
        False,
    )
    cond_stage_key = "txt"
    latent_channels = 4
    used_config = sd_config = None

    def __init__(self, info):
        self.sd_checkpoint_info = info
        self.sd_model_hash = info.shorthash
        self.sd_model_checkpoint = info.filename
        self.filename = info.filename
        self.is_inpaint = "inpaint" in info.name.lower()


class SdModelData:
    """Holds the current model."""

    def __init__(self):
        self.sd_model = None
        self.was_loaded_at_least_once = False

    def get_sd_model(self):
        """The current model, loaded if there is none yet."""
        if self.sd_model is None:
            load_model()
        return self.sd_model

    def set_sd_model(self, value, already_loaded=False):
        """Replace the current model."""
        self.sd_model = value


model_data = SdModelData()


class SkipWritingToConfig:
    """While it is entered, loading a model leaves the settings alone."""

    skip = False

    def __enter__(self):
        self.before, SkipWritingToConfig.skip = SkipWritingToConfig.skip, True

    def __exit__(self, *_):
        SkipWritingToConfig.skip = self.before


def load_model(checkpoint_info=None, already_loaded_state_dict=None):
    """Load a checkpoint, write it into the settings and tell the extensions."""
    from modules import script_callbacks, sd_vae

    info = checkpoint_info or select_checkpoint()
    model_data.set_sd_model(StandinModel(info))
    if not SkipWritingToConfig.skip:
        shared.opts.data["sd_model_checkpoint"] = info.title
        shared.opts.data["sd_checkpoint_hash"] = info.sha256
    sd_vae.reload_vae_weights(model_data.sd_model)
    model_data.was_loaded_at_least_once = True
    script_callbacks.model_loaded_callback(model_data.sd_model)
    return model_data.sd_model


def reload_model_weights(sd_model=None, info=None, forced_reload=False):
    """Load the checkpoint that `info` or the settings name, unless it is there already."""
    info = info or select_checkpoint()
    current = model_data.sd_model
    if (
        current is not None
        and current.sd_checkpoint_info.filename == info.filename
        and not forced_reload
    ):
        return current
    return load_model(info)


def unload_model_weights(sd_model=None, info=None):
    """Nothing lies in any memory."""
    return sd_model


def send_model_to_device(model):
    """Nothing to move."""


def apply_token_merging(sd_model, token_merging_ratio):
    """The renderer reads the ratio itself."""
