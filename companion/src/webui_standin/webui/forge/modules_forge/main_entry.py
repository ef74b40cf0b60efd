"""The row above Forge's tabs: checkpoint, VAE and text encoders, clip skip.

Names, element ids and what a change does: Forge dfdcbab6, modules_forge/main_entry.py.
"""

import os

import gradio as gr
from modules import paths, sd_models, shared, shared_items, ui_common

_ENDINGS = (".ckpt", ".pt", ".bin", ".safetensors", ".gguf")
module_list = {}


def refresh_models():
    """Read the model folders again; return checkpoint titles and names of modules."""
    shared_items.refresh_checkpoints()
    module_list.clear()
    for folder in ("VAE", "text_encoder"):
        path = os.path.join(paths.models_path, folder)
        if os.path.isdir(path):
            found = shared.walk_files(path, _ENDINGS)
            module_list.update({os.path.basename(file): file for file in found})
    return shared_items.list_checkpoint_tiles(), list(module_list)


def _set(name, value, save):
    """Set without callbacks: they'd wait for the queue's lock, which a job holds that sets it."""
    shared.opts.set(name, value, run_callbacks=False)
    if save:
        shared.opts.save(shared.config_filename)


def checkpoint_change(ckpt_name, save=True, refresh=True):
    """Choose a checkpoint by any of its names; return whether another one is chosen now."""
    wanted = sd_models.get_closet_checkpoint_match(ckpt_name)
    current = sd_models.get_closet_checkpoint_match(shared.opts.data.get("sd_model_checkpoint"))
    if wanted is current:
        return False
    _set("sd_model_checkpoint", ckpt_name, save)
    return True


def modules_change(module_values, save=True, refresh=True):
    """Choose modules by name or path, unknown ones left out; return whether others are now."""
    if not module_list:
        refresh_models()
    names = [os.path.basename(value) for value in module_values or []]
    chosen = [module_list[name] for name in names if name in module_list]
    if sorted(chosen) == sorted(shared.opts.data.get("forge_additional_modules", [])):
        return False
    _set("forge_additional_modules", chosen, save)
    return True


def set_option(key, value):
    """Set one option the way Forge does: two of them by functions of their own."""
    if value == shared.opts.data.get(key):
        return
    if key == "sd_model_checkpoint":
        checkpoint_change(value, save=False)
    elif key == "forge_additional_modules":
        modules_change(value, save=False)
    else:
        shared.opts.set(key, value, is_api=True, run_callbacks=False)


def make_checkpoint_manager_ui():
    """Build the row."""
    titles, names = refresh_models()
    presets = ["sd", "xl", "flux", "all"]
    preset = gr.Radio(label="UI", choices=presets, value=_preset, elem_id="forge_ui_preset")
    checkpoint = gr.Dropdown(
        label="Checkpoint", value=_title, choices=titles, elem_classes=["model_selection"]
    )
    ui_common.create_refresh_button(
        checkpoint, refresh_models, lambda: {"choices": list(titles)}, "forge_refresh_checkpoint"
    )
    vae = gr.Dropdown(label="VAE / Text Encoder", value=_modules, choices=names, multiselect=True)
    clip_skip = gr.Slider(label="Clip skip", value=_clip_skip, minimum=1, maximum=12, step=1)
    quiet = {"queue": False, "show_progress": False, "outputs": []}
    preset.change(lambda value: _set("forge_preset", value, True), inputs=[preset], **quiet)
    checkpoint.change(_choose_checkpoint, inputs=[checkpoint], **quiet)
    vae.change(_choose_modules, inputs=[vae], **quiet)
    clip_skip.change(
        lambda value: _set("CLIP_stop_at_last_layers", value, True), inputs=[clip_skip], **quiet
    )


def _choose_checkpoint(name):
    checkpoint_change(name)


def _choose_modules(names):
    modules_change(names)


def _preset():
    return shared.opts.forge_preset


def _title():
    return shared.opts.sd_model_checkpoint


def _modules():
    return [os.path.basename(path) for path in shared.opts.forge_additional_modules]


def _clip_skip():
    return shared.opts.CLIP_stop_at_last_layers
