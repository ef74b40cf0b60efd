"""Options with a job that each can change: what to set, and where it was seen to change pixels."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

PROMPT = "a (cat:1.4) in a [garden] # in rain"
LONG = ", ".join(["a cat in a garden with many flowers and very old trees"] * 7)


@dataclass(frozen=True)
class Flip:
    """An option at its default and at `value`, in a job, with other options `given` in both.

    Args:
        seen: letters of the hosts on which this changes pixels; see `HOSTS`.
    """

    name: str
    value: Any
    job: str = "plain"
    given: Mapping[str, Any] = field(default_factory=dict)
    seen: str = ""


HOSTS = {
    "stand-in": "S",
    "stand-in for Forge": "f",
    "v1.10.1": "A",
    "v1.9.4": "9",
    "v1.8.0": "8",
    "v1.6.0": "6",
    "Forge": "F",
    "reForge": "R",
}


@cache
def picture(mode: str) -> str:
    """A 64×64 picture as base64: a transparent edge in ``RGBA``, a rectangle in ``L``."""
    rows, columns = np.mgrid[0:64, 0:64]
    channels = [columns * 3, rows * 3, 200 - rows * 2, np.where(columns < 20, 60, 255)]
    image = Image.fromarray(np.dstack(channels).clip(0, 255).astype(np.uint8), "RGBA")
    if mode == "L":
        image = Image.new("L", (64, 64))
        ImageDraw.Draw(image).rectangle((20, 10, 50, 45), fill=255)
    data = io.BytesIO()
    image.save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def txt2img(**fields: Any) -> dict[str, Any]:
    basics = {"prompt": PROMPT, "negative_prompt": "rain", "seed": 5, "steps": 2}
    return {**basics, "width": 64, "height": 64, "sampler_name": "Euler a", **fields}


def img2img(**fields: Any) -> dict[str, Any]:
    return txt2img(init_images=[picture("RGBA")], **{"denoising_strength": 0.6, **fields})


def hires(scale: float = 1.5, **fields: Any) -> dict[str, Any]:
    """On Forge and reForge the fields' own defaults are no jobs that a page would send."""
    second = {"hr_second_pass_steps": 2, "hr_cfg": 7, "hr_additional_modules": ["Use same choices"]}
    upscaled = {"enable_hr": True, "hr_scale": scale, "hr_upscaler": "Lanczos", **second}
    return txt2img(denoising_strength=0.7, **upscaled, **fields)


def sampled(name: str, steps: int = 4, **fields: Any) -> dict[str, Any]:
    return txt2img(sampler_name=name, steps=steps, **fields)


JOBS: dict[str, dict[str, Any]] = {
    "plain": txt2img(),
    "long prompt": txt2img(prompt=LONG),
    "switching prompt": sampled("Heun", prompt="a [cat:dog:1.0] in a garden"),
    "LoRA": txt2img(prompt="a cat <lora:{lora}:0.7>"),
    "batch": sampled("DPM++ SDE", 3, batch_size=2),
    "Euler": sampled("Euler"),
    "Karras": sampled("DPM++ 2M", scheduler="Karras"),
    "Karras by sampler": sampled("DPM++ 2M Karras"),
    "Beta": sampled("Euler", scheduler="Beta"),
    "DDIM": sampled("DDIM"),
    "UniPC": sampled("UniPC", 6),
    "UniPC in few steps": sampled("UniPC", 4),
    "large": txt2img(width=256, height=256, steps=1),
    "refined": sampled(
        "DPM++ 2M", 8, scheduler="Karras", refiner_checkpoint="{checkpoint}", refiner_switch_at=0.4
    ),
    "img2img": img2img(steps=4),
    "enlarged": img2img(width=96, height=96),
    "inpainted": img2img(mask=picture("L"), inpainting_fill=1),
    "inpainted by a model": img2img(mask=picture("L"), inpainting_fill=1),
    "hires": hires(),
    "hires to large": hires(4.0),
    "hires of old": hires(firstphase_width=64, firstphase_height=64) | {"width": 128},
    "hires refined": hires(refiner_checkpoint="{checkpoint}", refiner_switch_at=0.1),
    "hires with a LoRA": hires(hr_prompt="a dog <lora:{lora}:1>"),
    "batch with its grid": txt2img(steps=1, batch_size=3, save_images=True),
    "prompt matrix": txt2img(
        prompt="a cat|in rain",
        steps=1,
        script_name="prompt matrix",
        script_args=[False, False, "positive", "comma", 0],
    ),
}
"""Each job's payload. One with ``init_images`` goes to img2img."""

GIVEN: dict[str, dict[str, Any]] = {
    "inpainted by a model": {"sd_model_checkpoint": "{inpainting}"},
}
"""What a job needs among the options."""

CHURN = {"s_churn": 20.0}
DYNAMIC = {"dynamic_clip_skip_enabled": True}
SCHEDULE = {**DYNAMIC, "dynamic_clip_skip_use_schedule": True}
TILES = {"hypertile_max_tile_unet": 128, "hypertile_swap_size_unet": 1}
VAE_TILES = {"hypertile_max_tile_vae": 128, "hypertile_swap_size_vae": 1}
IN_TILES = {"hypertile_enable_unet": True, **TILES}
VAE_IN_TILES = {"hypertile_enable_vae": True, **VAE_TILES}

FLIPS: tuple[Flip, ...] = (
    # weights
    Flip("sd_model_checkpoint", "{checkpoint}", seen="AFRSf896"),
    Flip("sd_vae", "{vae}", seen="ARS896"),
    Flip("sd_vae_overrides_per_model_preferences", False, given={"sd_vae": "{vae}"}),
    Flip("forge_additional_modules", ["{module}"], seen="Ff"),
    Flip("sd_vae_decode_method", "Approx cheap", seen="AFRSf896"),
    Flip("auto_vae_precision", False),
    Flip("auto_vae_precision_bfloat16", True),
    Flip("upcast_attn", True, seen="Sf"),
    Flip("sd_unet", "None", seen="Sf"),
    # text to conditioning
    Flip("CLIP_stop_at_last_layers", 3, seen="AFR6Sf89"),
    Flip("dynamic_clip_skip_enabled", True, seen="R"),
    Flip("dynamic_clip_skip_start", 9, given=DYNAMIC, seen="R"),
    Flip("dynamic_clip_skip_use_schedule", True, given=DYNAMIC),
    Flip("dynamic_clip_skip_schedule_values", "9,7", given=SCHEDULE, seen="R"),
    Flip("sdxl_clip_l_skip", True),
    Flip("sdxl_crop_top", 8, seen="Sf"),
    Flip("sdxl_crop_left", 8, seen="Sf"),
    Flip("sdxl_refiner_low_aesthetic_score", 5.0),
    Flip("sdxl_refiner_high_aesthetic_score", 2.0),
    Flip("sd3_enable_t5", True),
    Flip("emphasis", "No norm", seen="AFRSf89"),
    Flip("enable_emphasis", False, seen="6"),
    Flip("use_old_emphasis_implementation", True, seen="ARSf896"),
    Flip("comma_padding_backtrack", 0, "long prompt", seen="ARSf896"),
    Flip("enable_prompt_comments", False, seen="AFSf89"),
    Flip("use_old_scheduling", True, "switching prompt", seen="AFRSf896"),
    Flip("pad_cond_uncond", True, "long prompt", seen="ASf896"),
    Flip("pad_cond_uncond_v0", True, "long prompt", seen="ASf89"),
    Flip("batch_cond_uncond", False, seen="A896"),
    Flip("extra_networks_default_multiplier", 0.3, given={"sd_lora": "{lora}"}, seen="AR6Sf89"),
    Flip("lora_functional", True, "LoRA", seen="A896"),
    Flip("sd_lora", "{lora}", seen="ARSf896"),
    Flip("sd_hypernetwork", "tiny-hyper", seen="A896"),
    # noise
    Flip("randn_source", "NV", seen="AFRSf896"),
    Flip("forge_try_reproduce", "ComfyUI", given={"randn_source": "NV"}, seen="Ff"),
    Flip("eta_noise_seed_delta", 31337, seen="AFRSf896"),
    Flip("no_dpmpp_sde_batch_determinism", True, "batch", seen="AFRSf896"),
    # sampling
    Flip("eta_ddim", 0.7, "DDIM", seen="AFRSf896"),
    Flip("eta_ancestral", 0.5, seen="AFRSf896"),
    Flip("s_churn", 20.0, "Euler", seen="AFRSf896"),
    Flip("s_tmin", 5.0, "Euler", CHURN, seen="AFRSf896"),
    Flip("s_tmax", 3.0, "Euler", CHURN, seen="AFRSf896"),
    Flip("s_noise", 0.8, "Euler", CHURN, seen="AFRSf896"),
    Flip("s_min_uncond", 14.0, "Euler", seen="AFRSf"),
    Flip("s_min_uncond_all", True, "Euler", {"s_min_uncond": 14.0}, seen="AFRSf"),
    Flip("skip_early_cond", 0.5, seen="AFRSf"),
    Flip("sigma_min", 0.5, "Karras", seen="AFRSf9"),
    Flip("sigma_max", 8.0, "Karras", seen="AFRSf9"),
    Flip("rho", 3.0, "Karras", seen="AFRSf9"),
    Flip("k_sched_type", "exponential", "Karras by sampler", seen="68"),
    Flip("beta_dist_alpha", 0.9, "Beta", seen="AFRSf"),
    Flip("beta_dist_beta", 0.9, "Beta", seen="AFRSf"),
    Flip("use_old_karras_scheduler_sigmas", True, "Karras", seen="AFRSf9"),
    Flip("always_discard_next_to_last_sigma", True, seen="AFRSf896"),
    Flip("sd_noise_schedule", "Zero Terminal SNR", seen="AFRSf89"),
    Flip("use_downcasted_alpha_bar", True, seen="ASf89"),
    Flip("sgm_noise_multiplier", True, seen="AFRSf896"),
    Flip("enable_quantization", True, "Karras", seen="ASf9"),
    Flip("uni_pc_variant", "vary_coeff", "UniPC", seen="AFRSf896"),
    Flip("uni_pc_skip_type", "time_quadratic", "UniPC", seen="AFRSf896"),
    Flip("uni_pc_order", 2, "UniPC", seen="AFRSf896"),
    Flip("uni_pc_lower_order_final", False, "UniPC in few steps", seen="AFRSf896"),
    Flip("refiner_switch_by_sample_steps", True, "refined", seen="ASf9"),
    Flip("epsilon_scaling_enabled", True, seen="R"),
    Flip("epsilon_scaling_factor", 1.2, given={"epsilon_scaling_enabled": True}, seen="R"),
    # attention
    Flip("token_merging_ratio", 0.5, seen="AFRSf896"),
    Flip("token_merging_ratio_img2img", 0.5, "img2img", seen="AFRSf896"),
    Flip("token_merging_ratio_hr", 0.5, "hires", seen="AFRSf896"),
    Flip("hypertile_enable_unet", True, "large", TILES, seen="A9"),
    Flip("hypertile_max_depth_unet", 0, "large", IN_TILES),
    Flip("hypertile_max_tile_unet", 128, "large", IN_TILES, seen="A9"),
    Flip("hypertile_swap_size_unet", 1, "large", IN_TILES, seen="A9"),
    Flip("hypertile_enable_unet_secondpass", True, "hires to large", TILES, seen="A9"),
    Flip("hypertile_enable_vae", True, "large", VAE_TILES, seen="A9"),
    Flip("hypertile_max_depth_vae", 0, "large", VAE_IN_TILES),
    Flip("hypertile_max_tile_vae", 256, "large", VAE_IN_TILES, seen="A9"),
    Flip("hypertile_swap_size_vae", 1, "large", VAE_IN_TILES, seen="A9"),
    Flip("tiling", True, seen="ARSf896"),
    # img2img
    Flip("img2img_background_color", "#00ff00", "img2img", seen="AFRSf896"),
    Flip("img2img_color_correction", True, "img2img", seen="AFRSf896"),
    Flip("img2img_fix_steps", True, "img2img", seen="AFRSf896"),
    Flip("inpainting_mask_weight", 0.4, "inpainted by a model", seen="A896"),
    Flip("overlay_inpaint", False, "inpainted", seen="AFRSf89"),
    Flip("img2img_extra_noise", 0.4, "img2img", seen="AFRSf896"),
    Flip("return_mask", True, "inpainted", seen="AFRSf89"),
    Flip("return_mask_composite", True, "inpainted", seen="AFRSf89"),
    # hires. fix
    Flip("hires_fix_refiner_pass", "first pass", "hires refined", seen="AFSf896R"),
    Flip("hires_fix_use_firstpass_conds", True, "hires with a LoRA", seen="AFRSf896"),
    Flip("use_old_hires_fix_width_height", True, "hires of old", seen="AFSf896R"),
    # upscalers
    Flip("upscaler_for_img2img", "Nearest", "enlarged", seen="AFRSf896"),
    # what schedules and samplers have of their own
    Flip("sinusoidal_sf_factor", 2.0, "schedule Sinusoidal SF", seen="R"),
    Flip("invcosinusoidal_sf_factor", 2.0, "schedule Invcosinusoidal SF", seen="R"),
    Flip("react_cosinusoidal_dynsf_factor", 1.0, "schedule React Cosinusoidal DynSF", seen="R"),
    Flip("cosine_sf_factor", 2.0, "schedule Cosine", seen="R"),
    Flip("phi_power", 3.0, "schedule Phi", seen="R"),
    Flip("laplace_mu", 0.4, "schedule Laplace", seen="R"),
    Flip("laplace_beta", 1.0, "schedule Laplace", seen="R"),
    Flip("karras_dynamic_rho", 3.0, "schedule Karras Dynamic", seen="R"),
    Flip(
        "ays_custom_sigmas",
        "[14.6, 9, 5, 1, 0.5, 0.03]",
        "schedule Align Your Steps Custom",
        seen="R",
    ),
    Flip("reforge_karras_rho", 3.0, "own schedule Karras", seen="R"),
    Flip("reforge_exponential_shrink_factor", 0.3, "own schedule Exponential", seen="R"),
    Flip("reforge_polyexponential_rho", 2.0, "own schedule Polyexponential", seen="R"),
    Flip("reforge_sinusoidal_sf_factor", 2.0, "own schedule Sinusoidal SF", seen="R"),
    Flip("reforge_cosine_sf_factor", 2.0, "own schedule Cosine", seen="R"),
    Flip("reforge_cosexpblend_exp_decay", 0.5, "own schedule Cosine-exponential Blend", seen="R"),
    Flip(
        "reforge_react_cosinusoidal_dynsf_factor",
        1.0,
        "own schedule React Cosinusoidal DynSF",
        seen="R",
    ),
    Flip(
        "reforge_ays_custom_sigmas",
        "[14.6, 9, 5, 1, 0.5, 0.03]",
        "own schedule Align Your Steps Custom",
        seen="R",
    ),
    Flip("reforge_phi_power", 3.0, "own schedule Phi", seen="R"),
    Flip("reforge_laplace_mu", 0.4, "own schedule Laplace", seen="R"),
    Flip("euler_og_s_churn", 1.0, "sampler Euler Comfy", seen="R"),
    Flip("euler_og_s_noise", 0.5, "sampler Euler Comfy", {"euler_og_s_churn": 1.0}, seen="R"),
    Flip("euler_ancestral_og_eta", 0.5, "sampler Euler A Comfy", seen="R"),
    Flip("heun_og_s_churn", 1.0, "sampler Heun Comfy", seen="R"),
    Flip("dpm_2s_ancestral_og_eta", 0.5, "sampler DPM++ 2S Ancestral Comfy", seen="R"),
    Flip("dpmpp_sde_og_r", 0.9, "sampler DPM++ SDE Comfy", seen="R"),
    Flip("dpmpp_2m_sde_og_solver_type", "heun", "sampler DPM++ 2M SDE Comfy", seen="R"),
    Flip("dpmpp_3m_sde_og_s_noise", 0.5, "sampler DPM++ 3M SDE Comfy", seen="R"),
    Flip("dpmpp_sde_r", 0.9, "sampler DPM++ SDE", seen="R"),
    Flip("dpmpp_2m_sde_solver", "heun", "sampler DPM++ 2M SDE", seen="R"),
    Flip("heunpp2_s_churn", 1.0, "sampler HeunPP2", seen="R"),
    Flip("euler_ancestral_cfg_pp_eta", 0.5, "sampler Euler Ancestral CFG++", seen="R"),
    Flip("dpmpp_2s_ancestral_cfg_pp_eta", 0.5, "sampler DPM++ 2S Ancestral CFG++", seen="R"),
    Flip("dpmpp_2m_dy_s_dy_pow", 2.0, "sampler DPM++ 2M DY", seen="R"),
    Flip("karras_rho", 3.0, "schedule Karras"),
    Flip("exponential_shrink_factor", 0.3, "schedule Exponential"),
    Flip("polyexponential_rho", 2.0, "schedule Polyexponential"),
    Flip("cosexpblend_exp_decay", 0.5, "schedule Cosine-exponential Blend", seen="R"),
    Flip("reforge_normal_sgm", True, "own schedule Normal"),
    Flip("reforge_beta_dist_alpha", 0.9, "own schedule Beta"),
    Flip("reforge_beta_dist_beta", 0.9, "own schedule Beta"),
    Flip("euler_a2_extrapolation", 0.1, "sampler Euler A2"),
    Flip("kohaku_lonyu_yog_eta", 0.5, "sampler Kohaku_LoNyu_Yog"),
    Flip("euler_dy_s_churn", 1.0, "sampler Euler Dy"),
)

UNCHANGED: tuple[Flip, ...] = (
    # Read before overrides are set, into a field that every request has (A1111 v1.10.1,
    # StableDiffusionProcessingImg2Img.__post_init__).
    Flip("initial_noise_multiplier", 0.7, "img2img"),
    Flip("enable_batch_seeds", False, "batch"),
    Flip("ddim_discretize", "quad", "DDIM"),
    Flip("ancestral_eta", 0.5),
    Flip("enable_prompt_comments_def", True),
    Flip("dont_fix_second_order_samplers_schedule", True, "switching prompt"),
    Flip("auto_backcompat", False),
    Flip("lora_preferred_name", "Filename", "LoRA"),
    Flip("lora_in_memory_limit", 3, "LoRA"),
    Flip("live_previews_enable", False),
    Flip("show_progress_type", "Approx cheap"),
    Flip("show_progress_every_n_steps", 1),
    Flip("live_preview_content", "Negative prompt"),
    Flip("live_preview_fast_interrupt", True),
    Flip("hide_samplers", ["Euler a"]),
    Flip("save_images_before_highres_fix", True, "hires"),
    Flip("save_images_before_color_correction", True, "img2img"),
    Flip("save_mask", True, "inpainted"),
    Flip("save_init_img", True, "img2img"),
    Flip("textual_inversion_print_at_load", True),
    Flip("disable_mmap_load_safetensors", True),
    Flip("sd_checkpoints_keep_in_cpu", False),
    Flip("sd_checkpoint_cache", 1),
    Flip("sd_vae_checkpoint_cache", 1),
    Flip("img2img_batch_show_results_limit", 1, "img2img"),
    Flip("set_scale_by_when_changing_upscaler", True, "enlarged"),
    Flip("upscaling_max_images_in_cache", 0, "enlarged"),
    Flip("unload_sd_during_upscale", True, "enlarged"),
    Flip("do_not_show_images", True),
    Flip("enable_pnginfo", False),
    Flip("export_for_4chan", False, "batch with its grid"),
    Flip("grid_save", False, "prompt matrix"),
    Flip("forge_preset", "xl"),
    Flip("forge_inference_memory", 2048),
    Flip("control_net_no_detectmap", True),
    Flip("multiple_tqdm", False),
)
"""Options that generation code reads and that are in neither table: they leave the pixels."""


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with the host's own names of models in place of ``{checkpoint}`` and the like."""
    if isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, names) for inner in value]
    known = isinstance(value, str) and any(f"{{{name}}}" in value for name in names)
    return value.format_map(names) if known else value


def payload(job: str) -> dict[str, Any]:
    """A job's payload; schedules and samplers are named in the job."""
    if job in JOBS:
        return JOBS[job]
    kind, name = job.split(" ", 1)
    if kind == "sampler":
        return sampled(name, 6)
    sampler = "Euler Comfy" if kind == "own" else "Euler"
    return sampled(sampler, scheduler=name.removeprefix("schedule "))
