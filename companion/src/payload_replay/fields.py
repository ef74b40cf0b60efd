"""The fields that the standard endpoints know: which hold text, and what each is by default.

Names: A1111 v1.10.1 with those of v1.6 to v1.9 (``/openapi.json`` of each), and Forge's and
reForge's own. A webui ignores a field that it does not know without a word, so that a misspelt one
would change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .capture import BATCH, EXTRAS, EXTRAS_BATCH, EXTRAS_SINGLE, IMG2IMG, TXT2IMG, UPSCALE


def _names(text: str) -> list[str]:
    return text.split()


_BOTH: dict[str, Any] = {
    "prompt": "",
    "negative_prompt": "",
    "styles": None,
    "seed": -1,
    "subseed": -1,
    "subseed_strength": 0,
    "seed_resize_from_h": -1,
    "seed_resize_from_w": -1,
    "sampler_name": None,
    "scheduler": None,
    "batch_size": 1,
    "n_iter": 1,
    "steps": 50,
    "cfg_scale": 7.0,
    "width": 512,
    "height": 512,
    "restore_faces": None,
    "tiling": None,
    "do_not_save_samples": False,
    "do_not_save_grid": False,
    "eta": None,
    "denoising_strength": None,
    "s_min_uncond": None,
    "s_churn": None,
    "s_tmax": None,
    "s_tmin": None,
    "s_noise": None,
    "override_settings": None,
    "override_settings_restore_afterwards": True,
    "refiner_checkpoint": None,
    "refiner_switch_at": None,
    "disable_extra_networks": False,
    "firstpass_image": None,
    "comments": None,
    "force_task_id": None,
    "sampler_index": "Euler",
    "script_name": None,
    "script_args": [],
    "send_images": True,
    "save_images": False,
    "alwayson_scripts": {},
    "infotext": None,
}
_TXT2IMG = _BOTH | {
    "enable_hr": False,
    "firstphase_width": 0,
    "firstphase_height": 0,
    "hr_scale": 2.0,
    "hr_upscaler": None,
    "hr_second_pass_steps": 0,
    "hr_resize_x": 0,
    "hr_resize_y": 0,
    "hr_checkpoint_name": None,
    "hr_sampler_name": None,
    "hr_scheduler": None,
    "hr_prompt": "",
    "hr_negative_prompt": "",
}
_IMG2IMG = _BOTH | {
    "denoising_strength": 0.75,
    "init_images": None,
    "resize_mode": 0,
    "image_cfg_scale": None,
    "mask": None,
    "mask_blur_x": 4,
    "mask_blur_y": 4,
    "mask_blur": None,
    "mask_round": True,
    "inpainting_fill": 0,
    "inpaint_full_res": True,
    "inpaint_full_res_padding": 0,
    "inpainting_mask_invert": 0,
    "initial_noise_multiplier": None,
    "latent_mask": None,
    "include_init_images": False,
}
_EXTRAS: dict[str, Any] = {
    "resize_mode": 0,
    "show_extras_results": True,
    "gfpgan_visibility": 0,
    "codeformer_visibility": 0,
    "codeformer_weight": 0,
    "upscaling_resize": 2,
    "upscaling_resize_w": 512,
    "upscaling_resize_h": 512,
    "upscaling_crop": True,
    "upscaler_1": "None",
    "upscaler_2": "None",
    "extras_upscaler_2_visibility": 0,
    "upscale_first": False,
}
FIELDS: Mapping[str, Mapping[str, Any]] = {
    TXT2IMG: _TXT2IMG,
    UPSCALE: _TXT2IMG,
    IMG2IMG: _IMG2IMG,
    EXTRAS_SINGLE: _EXTRAS,
    EXTRAS_BATCH: _EXTRAS,
}
"""The API's fields and their defaults: A1111 v1.10.1, its ``/openapi.json``."""
FORKS: Mapping[str, Any] = {"distilled_cfg_scale": 3.5, "hr_cfg": 1, "hr_distilled_cfg": 3.5}
"""Further fields and their defaults: Forge dfdcbab6, and reForge 3b56b268, which has `hr_cfg`."""
FILLED: Mapping[str, Any] = {
    "styles": [],
    "override_settings": {},
    "sampler_name": "Euler",
    "scheduler": "Automatic",
    "mask_blur": 4,
    "initial_noise_multiplier": 1,
    "hr_upscaler": "Latent",
    "hr_sampler_name": "Use same sampler",
    "hr_scheduler": "Use same scheduler",
    "hr_checkpoint_name": "Use same checkpoint",
}
"""What a webui makes of a null there (A1111 v1.10.1, ``modules/processing.py``, and what it has as
the defaults of its settings)."""
IGNORED = frozenset(
    {
        "send_images",
        "save_images",
        "include_init_images",
        "force_task_id",
        "do_not_save_samples",
        "do_not_save_grid",
        "override_settings_restore_afterwards",
        "show_extras_results",
    }
)
"""What decides no pixels."""

TEXT = frozenset(
    _names("""
    prompt negative_prompt sampler_name sampler_index scheduler refiner_checkpoint script_name
    force_task_id infotext hr_upscaler hr_checkpoint_name hr_sampler_name hr_scheduler hr_prompt
    hr_negative_prompt upscaler_1 upscaler_2
    """)
)
"""The fields that hold text, so that a 7 typed there stays a text."""

_HIRES = (*FORKS, "hr_additional_modules")
_FURTHER: Mapping[str, tuple[str, ...]] = {
    TXT2IMG: _HIRES,
    UPSCALE: _HIRES,
    IMG2IMG: ("distilled_cfg_scale",),
    EXTRAS_SINGLE: ("image",),
    EXTRAS_BATCH: ("imageList",),
    EXTRAS: ("images", "scripts", "override_settings"),
    BATCH: ("requests",),
}
_OF = {
    endpoint: frozenset([*FIELDS.get(endpoint, ()), *further])
    for endpoint, further in _FURTHER.items()
}


def known(endpoint: str) -> frozenset[str]:
    """The top-level fields of an endpoint's body; of one that is not standard, none."""
    return _OF.get(endpoint, frozenset())
