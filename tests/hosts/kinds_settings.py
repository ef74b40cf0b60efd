"""Kinds that depend on what is set on the settings page and in no field of a generation."""

from __future__ import annotations

from typing import Any

from kinds import Scene, group
from webui_page import WebuiPage

kind = group("set globally")


def setting(name: str, title: str, options: Any, *, prompt: str = "a (cat:1.4) in [rain]") -> None:
    """A plain picture with these options."""

    @kind(title, name=name, options=options)
    def arrange(scene: Scene) -> None:
        scene.basics(prompt=prompt)


setting(
    "another_checkpoint",
    "another checkpoint",
    lambda models: {"sd_model_checkpoint": models.checkpoints[1]},
)
setting("another_vae", "another VAE", lambda models: models.vae)
setting("clip_skip", "clip skip", {"CLIP_stop_at_last_layers": 2})
setting(
    "ensd", "eta noise seed delta and eta", {"eta_noise_seed_delta": 31337, "eta_ancestral": 0.6}
)
setting("random_source", "the source of random numbers", {"randn_source": "NV"})
setting("emphasis", "the emphasis mode", {"emphasis": "No norm"})
setting("old_emphasis", "the old emphasis", {"use_old_emphasis_implementation": True})
setting(
    "no_comments",
    "comments in prompts switched off",
    {"enable_prompt_comments": False},
    prompt="a cat # in rain",
)
setting("token_merging", "token merging", {"token_merging_ratio": 0.5})
setting(
    "sigmas",
    "sigmas of the schedule",
    {"sigma_min": 0.1, "sigma_max": 10.0, "rho": 5.0, "k_sched_type": "exponential"},
)
setting("noise_multiplier_sgm", "the SGM noise multiplier", {"sgm_noise_multiplier": True})
setting("guidance", "skipped guidance", {"s_min_uncond": 3.0, "pad_cond_uncond": True})
setting("early_guidance", "guidance skipped early", {"skip_early_cond": 0.4})
setting("tiling", "tiling", {"tiling": True})
setting("hypertile", "hypertile", {"hypertile_enable_unet": True})
setting("zero_snr", "a zero terminal SNR schedule", {"sd_noise_schedule": "Zero Terminal SNR"})


def _hires(scene: Scene) -> WebuiPage:
    page = scene.basics()
    page.accordion("txt2img_hr")
    page.number("txt2img_hires_steps", 2)
    return page


@kind(
    "token merging and conditions of hires. fix",
    options={"token_merging_ratio_hr": 0.5, "hires_fix_use_firstpass_conds": True},
)
def hires_settings(scene: Scene) -> None:
    _hires(scene)


@kind(
    "pictures saved as JPEG",
    options={"samples_format": "jpg"},
    raw=False,
    reset=False,
    verdict="close",
    reason="lossy JPEG",
)
def samples_jpg(scene: Scene) -> None:
    scene.basics()


@kind(
    "pictures saved as WebP",
    options={"samples_format": "webp"},
    raw=False,
    reset=False,
    verdict="close",
    reason="lossy WEBP",
)
def samples_webp(scene: Scene) -> None:
    scene.basics()


@kind("no infotext in pictures", pictures=2, options={"enable_pnginfo": False})
def no_infotext(scene: Scene) -> None:
    scene.basics(seed=-1).number("txt2img_batch_count", 2)
