"""The text that describes a picture. Labels and their order: A1111 v1.10.1, create_infotext."""

import json
import os

from modules import errors, sd_samplers_common, shared
from modules.shared import opts
from webui_standin.flavour import is_forge


def quote(text):
    """A value with commas, colons or line ends as a JSON string."""
    plain = not any(sign in str(text) for sign in ",\n:")
    return text if plain else json.dumps(text, ensure_ascii=False)


def join(params):
    """`Key: value, Key: value` of what isn't None; a value that equals its key stands alone."""
    return ", ".join(
        key if key == value else f"{key}: {quote(value)}"
        for key, value in params.items()
        if value is not None
    )


def create_infotext(
    p,
    all_prompts,
    all_seeds,
    all_subseeds,
    comments=None,
    iteration=0,
    position_in_batch=0,
    use_main_prompt=False,
    index=None,
    all_negative_prompts=None,
):
    """The infotext of one picture of a job, or of its grid with `use_main_prompt`."""
    if index is None:
        index = position_in_batch + iteration * p.batch_size
    if use_main_prompt:
        index = 0
    negatives = p.all_negative_prompts if all_negative_prompts is None else all_negative_prompts
    prompt_text = p.main_prompt if use_main_prompt else all_prompts[index]
    negative_prompt = p.main_negative_prompt if use_main_prompt else negatives[index]
    seeds = (p.all_seeds, p.all_subseeds) if use_main_prompt else (all_seeds, all_subseeds)
    params = {**_first_half(p, seeds[0][index]), **_second_half(p, seeds[1][index])}
    params.update(p.extra_generation_params)
    params["Version"] = shared_version() if opts.add_version_to_infotext else None
    params["User"] = p.user if opts.add_user_name_to_info else None
    params.update(_forge_params() if is_forge() else {})
    known = {"p": p, "index": index, "prompt_text": prompt_text, "negative_prompt": negative_prompt}
    params = {key: _resolve(key, value, known) for key, value in params.items()}
    negative_line = f"\nNegative prompt: {negative_prompt}" if negative_prompt else ""
    return f"{prompt_text}{negative_line}\n{join(params)}".strip()


def shared_version():
    """The version that infotexts name."""
    import launch

    return launch.git_tag()


def _resolve(key, value, known):
    try:
        if isinstance(value, list):
            return value[known["index"]]
        return value(**known) if callable(value) else value
    except Exception:
        errors.report(f'Error creating infotext for key "{key}"', exc_info=True)
        return None


def _first_half(p, seed):
    return {
        "Steps": p.steps,
        "Sampler": p.sampler_name,
        "Schedule type": p.scheduler,
        "CFG scale": p.cfg_scale,
        **({"Distilled CFG Scale": p.distilled_cfg_scale} if is_forge() and _is_flux() else {}),
        "Image CFG scale": getattr(p, "image_cfg_scale", None),
        "Seed": seed,
        "Face restoration": opts.face_restoration_model if p.restore_faces else None,
        "Size": f"{p.width}x{p.height}",
        "Model hash": p.sd_model_hash if opts.add_model_hash_to_info else None,
        "Model": p.sd_model_name if opts.add_model_name_to_info else None,
        "VAE hash": p.sd_vae_hash if opts.add_vae_hash_to_info and not is_forge() else None,
        "VAE": p.sd_vae_name if opts.add_vae_name_to_info and not is_forge() else None,
    }


def _forge_params():
    """What Forge adds at the end. Labels: Forge dfdcbab6, modules/processing.py."""
    dtype, modules = opts.forge_unet_storage_dtype, opts.forge_additional_modules or []
    names = [os.path.splitext(os.path.basename(path))[0] for path in modules]
    low_bits = {"Diffusion in Low Bits": dtype} if dtype != "Automatic" else {}
    return {**low_bits, **{f"Module {place}": name for place, name in enumerate(names, 1)}}


def _is_flux():
    return "flux" in shared.sd_model.sd_checkpoint_info.name.lower()


def _second_half(p, subseed):
    varied, merging = p.subseed_strength != 0, p.get_token_merging_ratio()
    merging_hr = p.get_token_merging_ratio(for_hr=True) if getattr(p, "enable_hr", False) else 0
    ensd = opts.eta_noise_seed_delta
    clip_skip = getattr(p, "clip_skip", opts.CLIP_stop_at_last_layers)
    resized = p.seed_resize_from_w > 0 and p.seed_resize_from_h > 0
    weight = getattr(p, "inpainting_mask_weight", opts.inpainting_mask_weight)
    return {
        "Variation seed": subseed if varied else None,
        "Variation seed strength": p.subseed_strength if varied else None,
        "Seed resize from": f"{p.seed_resize_from_w}x{p.seed_resize_from_h}" if resized else None,
        "Denoising strength": p.extra_generation_params.get("Denoising strength"),
        "Conditional mask weight": weight if p.is_using_inpainting_conditioning else None,
        "Clip skip": clip_skip if clip_skip > 1 else None,
        "ENSD": ensd
        if ensd and sd_samplers_common.is_sampler_using_eta_noise_seed_delta(p)
        else None,
        "Token merging ratio": merging or None,
        "Token merging ratio hr": merging_hr or None,
        "Init image hash": getattr(p, "init_img_hash", None),
        "RNG": opts.randn_source if opts.randn_source != "GPU" else None,
        "Tiling": "True" if p.tiling else None,
    }
