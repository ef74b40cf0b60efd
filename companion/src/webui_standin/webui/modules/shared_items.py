"""Lists that settings offer. Names from A1111 v1.10.1, modules/shared_items.py."""

_BUILTIN_CATEGORIES = [
    "prompt",
    "image",
    "inpaint",
    "sampler",
    "accordions",
    "checkboxes",
    "dimensions",
    "cfg",
    "denoising",
    "seed",
    "batch",
    "override_settings",
]
ui_reorder_categories_builtin_items = _BUILTIN_CATEGORIES


def sd_vae_items():
    """VAE names to choose from."""
    from modules import sd_vae

    return ["Automatic", "None", *sd_vae.vae_dict]


def vae_paths():
    """VAE files, as Forge's additional modules name them."""
    from modules import sd_vae

    return list(sd_vae.vae_dict.values())


def reload_hypernetworks():
    """Read the hypernetwork folder again: all .pt files but None.pt."""
    import os

    from modules import shared

    folder = shared.cmd_opts.hypernetwork_dir
    files = shared.walk_files(folder, (".pt",)) if os.path.isdir(folder) else []
    shared.hypernetworks.clear()
    shared.hypernetworks.update(
        {os.path.splitext(os.path.basename(path))[0]: path for path in files}
    )
    shared.hypernetworks.pop("None", None)


def hypernetwork_names():
    """None and the names of all hypernetworks."""
    from modules import shared

    return ["None", *shared.hypernetworks]


def lora_names():
    """None and the names of all LoRAs."""
    from modules import extra_networks

    return ["None", *extra_networks.list_loras()]


def refresh_vae_list():
    """Read the VAE folder again."""
    from modules import sd_vae

    sd_vae.refresh_vae_list()


def localizations():
    """Names of the translations that there are."""
    from modules import localization

    return ["None", *localization.localizations]


def refresh_localizations():
    """Look for translations again."""
    from modules import localization, shared_cmd_options

    localization.list_localizations(shared_cmd_options.cmd_opts.localizations_dir)


def list_checkpoint_tiles(use_short=False):
    """Checkpoint titles."""
    from modules import sd_models

    return sd_models.checkpoint_tiles(use_short)


def refresh_checkpoints():
    """Read the checkpoint folder again."""
    from modules import sd_models

    return sd_models.list_models()


def list_samplers():
    """All samplers."""
    from modules import sd_samplers

    return sd_samplers.all_samplers


def list_sampler_names():
    """Names of all samplers."""
    return [sampler.name for sampler in list_samplers()]


def upscaler_names():
    """Names of all upscalers."""
    from modules import shared

    return [upscaler.name for upscaler in shared.sd_upscalers]


def postprocessing_scripts():
    """All operations of the Extras tab."""
    from modules import scripts

    return scripts.scripts_postproc.known_scripts()


def postprocessing_names():
    """Names of all operations of the Extras tab."""
    return [script.name for script in postprocessing_scripts()]


def option_names():
    """Names of all settings."""
    from modules import shared

    return list(shared.opts.data_labels)


def tab_names():
    """Titles of the page's tabs."""
    from modules import shared

    return list(shared.tab_names)


def ui_reorder_categories():
    """Parts of the generation tabs in their order; the scripts' own sections come late."""
    from modules import scripts

    yield from _BUILTIN_CATEGORIES
    own = {}
    for script in scripts.scripts_txt2img.scripts + scripts.scripts_img2img.scripts:
        if isinstance(script.section, str) and script.section not in _BUILTIN_CATEGORIES:
            own[script.section] = True
    yield from own
    yield "scripts"
