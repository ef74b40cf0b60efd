"""The fields that the standard endpoints know, and which of them hold text.

Names: A1111 v1.10.1 with those of v1.6 to v1.9 (``/openapi.json`` of each), and Forge's and
reForge's own. A webui ignores a field that it does not know without a word, so that a misspelt one
would change nothing.
"""

from __future__ import annotations

from .capture import BATCH, EXTRAS, EXTRAS_BATCH, EXTRAS_SINGLE, IMG2IMG, TXT2IMG, UPSCALE


def _names(text: str) -> list[str]:
    return text.split()


_BOTH_TEXT = _names("""
    prompt negative_prompt sampler_name sampler_index scheduler refiner_checkpoint script_name
    force_task_id infotext
""")
_BOTH = _names("""
    styles seed subseed subseed_strength seed_resize_from_h seed_resize_from_w batch_size n_iter
    steps cfg_scale distilled_cfg_scale width height restore_faces tiling do_not_save_samples
    do_not_save_grid eta denoising_strength s_min_uncond s_churn s_tmax s_tmin s_noise
    override_settings override_settings_restore_afterwards refiner_switch_at disable_extra_networks
    comments script_args send_images save_images alwayson_scripts
""")
_HIRES_TEXT = _names("""
    hr_upscaler hr_checkpoint_name hr_sampler_name hr_scheduler hr_prompt hr_negative_prompt
""")
_HIRES = _names("""
    enable_hr firstphase_width firstphase_height hr_scale hr_second_pass_steps hr_resize_x
    hr_resize_y hr_cfg hr_distilled_cfg hr_additional_modules firstpass_image
""")
_IMG2IMG = _names("""
    init_images resize_mode image_cfg_scale mask mask_blur_x mask_blur_y mask_blur mask_round
    inpainting_fill inpaint_full_res inpaint_full_res_padding inpainting_mask_invert
    initial_noise_multiplier latent_mask include_init_images firstpass_image
""")
_EXTRAS = _names("""
    resize_mode show_extras_results gfpgan_visibility codeformer_visibility codeformer_weight
    upscaling_resize upscaling_resize_w upscaling_resize_h upscaling_crop
    extras_upscaler_2_visibility upscale_first
""")
_EXTRAS_TEXT = ["upscaler_1", "upscaler_2"]

TEXT = frozenset([*_BOTH_TEXT, *_HIRES_TEXT, *_EXTRAS_TEXT])
"""The fields that hold text, so that a 7 typed there stays a text."""

_OF: dict[str, frozenset[str]] = {
    TXT2IMG: frozenset([*_BOTH_TEXT, *_BOTH, *_HIRES_TEXT, *_HIRES]),
    UPSCALE: frozenset([*_BOTH_TEXT, *_BOTH, *_HIRES_TEXT, *_HIRES]),
    IMG2IMG: frozenset([*_BOTH_TEXT, *_BOTH, *_IMG2IMG]),
    EXTRAS_SINGLE: frozenset([*_EXTRAS_TEXT, *_EXTRAS, "image"]),
    EXTRAS_BATCH: frozenset([*_EXTRAS_TEXT, *_EXTRAS, "imageList"]),
    EXTRAS: frozenset(["images", "scripts", "override_settings"]),
    BATCH: frozenset(["requests"]),
}


def known(endpoint: str) -> frozenset[str]:
    """The top-level fields of an endpoint's body; of one that is not standard, none."""
    return _OF.get(endpoint, frozenset())
