"""Which of the webui's options decide pixels, and the extension's own options.

An option that decides pixels is in no payload by itself: the same payload gives another picture
on a server that is set otherwise. Each is pinned in ``override_settings``.

Source of the table: the options that generation code of A1111 v1.10.1 reads
(``modules/processing.py``, ``sd_samplers_*.py``, ``sd_hijack*.py``, ``rng.py``, ``sd_vae.py``,
``sd_models.py``, ``extra_networks.py``, ``upscaler*.py``, ``face_restoration*.py``), and those
that Forge dfdcbab6 and reForge 3b56b268 add. An option that a host does not have is left out.

Not here, though they decide pixels: ``cross_attention_optimization``, ``fp8_storage``,
``cache_fp16_weight`` and ``sd3_enable_t5``. They take effect when a model is loaded, by a callback
that an override does not run (A1111 v1.10.1, ``modules/processing.py``: ``run_callbacks=False``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

REPEATABLE = "payload_capture_repeatable"
OWN: dict[str, tuple[Any, str, str]] = {
    "payload_capture_enabled": (
        True,
        "Capture generations",
        "each generation becomes an API payload, shown in the Payloads tab",
    ),
    REPEATABLE: (
        False,
        "Make img2img repeatable bit for bit",
        "the webui encodes an init image with noise that depends on what was generated before, so "
        "the same img2img differs a little each time; with this on, the noise comes from the "
        "job's own seed",
    ),
}
"""The extension's options: name → (default, label, explanation)."""

When = Literal["always", "img2img", "hires", "faces", "extras"]

PIXEL_OPTIONS: dict[When, tuple[str, ...]] = {
    "always": (
        # weights
        "sd_model_checkpoint",
        "sd_vae",
        "sd_vae_overrides_per_model_preferences",
        "sd_vae_decode_method",
        "auto_vae_precision",
        "auto_vae_precision_bfloat16",
        "sd_unet",
        "upcast_attn",
        "forge_additional_modules",
        "forge_unet_storage_dtype",
        "forge_preset",
        # text to conditioning
        "CLIP_stop_at_last_layers",
        "sdxl_clip_l_skip",
        "sdxl_crop_top",
        "sdxl_crop_left",
        "sdxl_refiner_low_aesthetic_score",
        "sdxl_refiner_high_aesthetic_score",
        "emphasis",
        "comma_padding_backtrack",
        "enable_prompt_comments",
        "use_old_emphasis_implementation",
        "use_old_scheduling",
        "pad_cond_uncond",
        "pad_cond_uncond_v0",
        "batch_cond_uncond",
        "extra_networks_default_multiplier",
        "lora_functional",
        "sd_hypernetwork",
        "sd_lora",
        # noise
        "randn_source",
        "eta_noise_seed_delta",
        "enable_batch_seeds",
        "no_dpmpp_sde_batch_determinism",
        # sampling
        "eta_ddim",
        "eta_ancestral",
        "ddim_discretize",
        "s_churn",
        "s_tmin",
        "s_tmax",
        "s_noise",
        "s_min_uncond",
        "s_min_uncond_all",
        "skip_early_cond",
        "sigma_min",
        "sigma_max",
        "rho",
        "k_sched_type",
        "always_discard_next_to_last_sigma",
        "sgm_noise_multiplier",
        "sd_noise_schedule",
        "use_downcasted_alpha_bar",
        "use_old_karras_scheduler_sigmas",
        "uni_pc_variant",
        "uni_pc_skip_type",
        "uni_pc_order",
        "uni_pc_lower_order_final",
        "beta_dist_alpha",
        "beta_dist_beta",
        "enable_quantization",
        "refiner_switch_by_sample_steps",
        # attention
        "token_merging_ratio",
        "hypertile_enable_unet",
        "hypertile_max_depth_unet",
        "hypertile_max_tile_unet",
        "hypertile_swap_size_unet",
        "hypertile_enable_vae",
        "hypertile_max_depth_vae",
        "hypertile_max_tile_vae",
        "hypertile_swap_size_vae",
        "tiling",
    ),
    "img2img": (
        "img2img_background_color",
        "img2img_color_correction",
        "img2img_fix_steps",
        "initial_noise_multiplier",
        "inpainting_mask_weight",
        "overlay_inpaint",
        "sd_vae_encode_method",
        "token_merging_ratio_img2img",
        "upscaler_for_img2img",
        "img2img_extra_noise",
    ),
    "hires": (
        "img2img_extra_noise",
        "hires_fix_refiner_pass",
        "hires_fix_use_firstpass_conds",
        "hypertile_enable_unet_secondpass",
        "sd_vae_encode_method",
        "token_merging_ratio_hr",
        "use_old_hires_fix_width_height",
        "ESRGAN_tile",
        "ESRGAN_tile_overlap",
        "DAT_tile",
        "DAT_tile_overlap",
        "SWIN_tile",
        "SWIN_tile_overlap",
        "SCUNET_tile",
        "SCUNET_tile_overlap",
    ),
    "extras": (
        "postprocessing_operation_order",
        "postprocessing_disable_in_extras",
        "ESRGAN_tile",
        "ESRGAN_tile_overlap",
        "DAT_tile",
        "DAT_tile_overlap",
        "SWIN_tile",
        "SWIN_tile_overlap",
        "SCUNET_tile",
        "SCUNET_tile_overlap",
    ),
    "faces": ("face_restoration", "face_restoration_model", "code_former_weight"),
}


FIXED = ("cross_attention_optimization", "fp8_storage", "cache_fp16_weight", "sd3_enable_t5")
"""Decide pixels, but a request cannot set them: they take effect when a model is loaded."""


def fixed(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that decide pixels and that no request can set, as the host has them."""
    return {name: options[name] for name in FIXED if options.get(name) is not None}


def decisive(options: Mapping[str, Any], when: Iterable[When]) -> dict[str, Any]:
    """The options that decide the pixels of a job to which all of `when` applies.

    `options` are the host's, by name; None stands for "not set" and is left out, since the API
    answers 500 to some options that are null.
    """
    names = (name for group in when for name in PIXEL_OPTIONS[group])
    return {name: options[name] for name in names if options.get(name) is not None}
