"""VAE files. Contract: A1111 v1.10.1, modules/sd_vae.py."""

import os

from modules import hashes, paths_internal, shared
from webui_standin.flavour import is_reforge

vae_path = os.path.abspath(os.path.join(paths_internal.models_path, "VAE"))
vae_dict = {}
loaded_vae_file = None
drawn_vae_file = None
"""The VAE whose weights draw: the loaded one, except where reForge keeps an old one."""
_ENDINGS = (".ckpt", ".pt", ".safetensors")


def get_loaded_vae_name():
    """File name of the VAE in use, None for the checkpoint's own."""
    return os.path.basename(loaded_vae_file) if loaded_vae_file else None


def get_loaded_vae_hash():
    """First ten digits of its SHA-256."""
    return hashes.sha256(loaded_vae_file, "vae")[:10] if loaded_vae_file else None


def get_drawn_vae_hash():
    """First ten digits of the SHA-256 of the VAE that draws, None for the checkpoint's own."""
    return hashes.sha256(drawn_vae_file, "vae")[:10] if drawn_vae_file else None


def refresh_vae_list():
    """Read the VAE folders again."""
    vae_dict.clear()
    for folder in (vae_path, shared.cmd_opts.vae_dir):
        if folder and os.path.isdir(folder):
            vae_dict.update(
                {os.path.basename(path): path for path in shared.walk_files(folder, _ENDINGS)}
            )


def find_vae_near_checkpoint(checkpoint_file):
    """A VAE whose name starts with the checkpoint's."""
    stem = os.path.basename(checkpoint_file).rsplit(".", 1)[0]
    return next((path for name, path in vae_dict.items() if name.startswith(stem)), None)


def is_automatic():
    """Tell whether the VAE is chosen by the checkpoint."""
    return shared.opts.sd_vae in {"Automatic", "auto"}


def resolve_vae(checkpoint_file):
    """The VAE file that the settings choose for a checkpoint, None for its own."""
    if is_automatic() or not shared.opts.sd_vae_overrides_per_model_preferences:
        near = find_vae_near_checkpoint(checkpoint_file)
        if near is not None:
            return near
    return vae_dict.get(shared.opts.sd_vae)


def reload_vae_weights(sd_model=None, vae_file="unspecified"):
    """Load the VAE that the settings choose, for `sd_model` when that has just been loaded.

    reForge 3b56b268 doesn't restore the checkpoint's own VAE: until another checkpoint is loaded,
    the weights of the file stay, though neither the settings nor the infotext name it.
    """
    global loaded_vae_file, drawn_vae_file
    from modules import sd_models

    model = sd_model or sd_models.model_data.sd_model
    if model is not None:
        chosen = resolve_vae(model.sd_checkpoint_info.filename)
        loaded_vae_file = chosen if vae_file == "unspecified" else vae_file
        if loaded_vae_file or sd_model is not None or not is_reforge():
            drawn_vae_file = loaded_vae_file
    return model
