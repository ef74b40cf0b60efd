"""Hires. fix: the second pass. Order and rules of sizes: A1111 v1.10.1, modules/processing.py."""

import math

import numpy as np
from PIL import Image

from modules import extra_networks, images, recipe, sampling, sd_models, shared, upscaler
from modules.infotext import create_infotext
from modules.shared import opts, state
from webui_standin import drawing
from webui_standin.flavour import has_forge_traits, is_forge, is_reforge


def setup_prompts(p):
    """Give each picture its prompts of the second pass; empty ones are those of the first."""
    p.hr_prompt = p.hr_prompt or p.prompt
    p.hr_negative_prompt = p.hr_negative_prompt or p.negative_prompt
    count, styles = p.batch_size * p.n_iter, shared.prompt_styles
    texts = p.hr_prompt if isinstance(p.hr_prompt, list) else [p.hr_prompt] * count
    negatives = (
        p.hr_negative_prompt
        if isinstance(p.hr_negative_prompt, list)
        else [p.hr_negative_prompt] * count
    )
    p.all_hr_prompts = [styles.apply_styles_to_prompt(text, p.styles) for text in texts]
    p.all_hr_negative_prompts = [
        styles.apply_negative_styles_to_prompt(text, p.styles) for text in negatives
    ]


def parse_prompts(p):
    """The batch's prompts of the second pass without `<lora:…>`."""
    batch = slice(p.iteration * p.batch_size, (p.iteration + 1) * p.batch_size)
    p.hr_negative_prompts = p.all_hr_negative_prompts[batch]
    p.hr_prompts, p.hr_extra_network_data = extra_networks.parse_prompts(p.all_hr_prompts[batch])


def calculate_target_resolution(p):
    """Size of the second pass, by factor or by side; what sticks out is cut."""
    if opts.use_old_hires_fix_width_height and p.applied_old_hires_behavior_to != (
        p.width,
        p.height,
    ):
        _old_sizes(p)
    if p.hr_resize_x == 0 and p.hr_resize_y == 0:
        p.extra_generation_params["Hires upscale"] = p.hr_scale
        p.hr_upscale_to_x, p.hr_upscale_to_y = int(p.width * p.hr_scale), int(p.height * p.hr_scale)
        return
    p.extra_generation_params["Hires resize"] = f"{p.hr_resize_x}x{p.hr_resize_y}"
    by_width = p.hr_resize_y == 0 or (
        p.hr_resize_x and p.width * p.hr_resize_y < p.hr_resize_x * p.height
    )
    if by_width:
        p.hr_upscale_to_x, p.hr_upscale_to_y = p.hr_resize_x, p.hr_resize_x * p.height // p.width
    else:
        p.hr_upscale_to_x, p.hr_upscale_to_y = p.hr_resize_y * p.width // p.height, p.hr_resize_y
    if p.hr_resize_x and p.hr_resize_y:
        p.truncate_x = (p.hr_upscale_to_x - p.hr_resize_x) // 8
        p.truncate_y = (p.hr_upscale_to_y - p.hr_resize_y) // 8


def _old_sizes(p):
    p.hr_resize_x = p.hr_upscale_to_x = p.width
    p.hr_resize_y = p.hr_upscale_to_y = p.height
    scale = math.sqrt(512 * 512 / (p.width * p.height))
    p.width = math.ceil(scale * p.width / 64) * 64
    p.height = math.ceil(scale * p.height / 64) * 64
    p.applied_old_hires_behavior_to = (p.width, p.height)


def init(p):
    """Check names, note everything in the infotext, and work out the size."""
    notes = p.extra_generation_params
    notes["Denoising strength"] = p.denoising_strength
    if p.hr_checkpoint_name and p.hr_checkpoint_name != "Use same checkpoint":
        p.hr_checkpoint_info = sd_models.get_closet_checkpoint_match(p.hr_checkpoint_name)
        if p.hr_checkpoint_info is None:
            raise Exception(f"Could not find checkpoint with name {p.hr_checkpoint_name}")
        notes["Hires checkpoint"] = p.hr_checkpoint_info.short_title
    if is_forge():
        _note_modules(p, notes)
    if p.hr_sampler_name is not None and p.hr_sampler_name != p.sampler_name:
        notes["Hires sampler"] = p.hr_sampler_name
    notes["Hires prompt"] = _differing("all_hr_prompts", "prompt_text")
    notes["Hires negative prompt"] = _differing("all_hr_negative_prompts", "negative_prompt")
    if has_forge_traits():
        notes["Hires CFG Scale"] = p.hr_cfg
    notes["Hires schedule type"] = None
    p.hr_scheduler = p.hr_scheduler or p.scheduler
    _choose_upscaler(p)
    calculate_target_resolution(p)
    if not state.processing_has_refined_job_count:
        state.job_count = (p.n_iter if state.job_count == -1 else state.job_count) * 2
        state.processing_has_refined_job_count = True
    notes["Hires steps"] = p.hr_second_pass_steps or None
    notes["Hires upscaler"] = p.hr_upscaler


def _note_modules(p, notes):
    """Forge answers 500 here when the API leaves the modules out: None has no elements."""
    for index, name in enumerate(
        ["Built-in"] if p.hr_additional_modules == [] else list(p.hr_additional_modules)
    ):
        notes[f"Hires Module {index + 1}"] = name


def _settle_hires_cfg(p):
    """0 is the CFG scale of the first pass. Source: reForge 3b56b268, calculate_hr_conds."""
    p.hr_cfg = p.hr_cfg or p.cfg_scale
    p.extra_generation_params["Hires CFG Scale"] = p.hr_cfg


def _differing(own, first):
    def value(p, index, **known):
        text = getattr(p, own)[index]
        return text if text != known[first] else None

    return value


def _choose_upscaler(p):
    modes = shared.latent_upscale_modes
    p.latent_scale_mode = modes.get(
        shared.latent_upscale_default_mode if p.hr_upscaler is None else p.hr_upscaler
    )
    if p.latent_scale_mode is None and not any(
        data.name == p.hr_upscaler for data in shared.sd_upscalers
    ):
        raise Exception(f"could not find upscaler named {p.hr_upscaler}")


def second_pass(p, pictures):
    """Enlarge the pictures and draw over them as far as the denoising strength says."""
    with sd_models.SkipWritingToConfig():
        sd_models.reload_model_weights(info=p.hr_checkpoint_info)
    if state.interrupted:
        return pictures
    p.is_hr_pass = True
    if opts.save_images_before_highres_fix and p.save_samples():
        _save_first_pass(p, pictures)
    enlarged = [_cut(p, _enlarge(p, picture)) for picture in pictures]
    state.nextjob()
    if not p.disable_extra_networks:
        extra_networks.activate(p, p.hr_extra_network_data)
    if p.scripts is not None:
        p.scripts.before_hr(p)
    if is_reforge():
        _settle_hires_cfg(p)
    steps = p.hr_second_pass_steps or p.steps
    steps = sampling.start_pass(p, steps, second_pass=True)
    results = [_redraw(p, index, picture, steps) for index, picture in enumerate(enlarged)]
    sampling.finish_pass(results)
    p.is_hr_pass = False
    return results


def _save_first_pass(p, pictures):
    every = p.all_prompts, p.all_seeds, p.all_subseeds
    for index, picture in enumerate(pictures):
        place = {"iteration": p.iteration, "position_in_batch": index}
        text = create_infotext(p, *every, comments=[], **place)
        own = {"info": text, "p": p, "suffix": "-before-highres-fix"}
        names = p.seeds[index], p.prompts[index], opts.samples_format
        images.save_image(
            Image.fromarray(np.asarray(picture)), p.outpath_samples, "", *names, **own
        )


def _enlarge(p, picture):
    width, height = p.hr_upscale_to_x, p.hr_upscale_to_y
    if p.latent_scale_mode is not None:
        return upscaler.latent_resize(np.asarray(picture), width, height, p.latent_scale_mode)
    return np.asarray(
        images.resize_image(0, Image.fromarray(np.asarray(picture)), width, height, p.hr_upscaler)
    )


def _cut(p, picture):
    top, left = p.truncate_y // 2 * 8, p.truncate_x // 2 * 8
    bottom, right = (p.truncate_y + 1) // 2 * 8, (p.truncate_x + 1) // 2 * 8
    return picture[top : picture.shape[0] - bottom, left : picture.shape[1] - right]


def _redraw(p, index, below, steps):
    strength = p.denoising_strength  # without one the webui fails here as well, with a TypeError
    weight = round(strength * 256)
    extra = {
        "denoising_strength": strength,
        "upscaler": p.hr_upscaler,
        "extra_noise": opts.img2img_extra_noise,
        "encoder": opts.sd_vae_encode_method,
        "firstpass_conds": opts.hires_fix_use_firstpass_conds,
    }
    inputs = recipe.inputs(p, index, steps=steps, second_pass=True, **extra)
    return drawing.blend(below, drawing.draw(inputs, below.shape[1], below.shape[0]), weight)
