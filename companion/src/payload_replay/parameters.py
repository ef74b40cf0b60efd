"""From the text under a picture to a payload: the standard fields, and what was left behind.

The labels, and the settings that they stand for, are those of A1111 v1.10.1
(``modules/infotext_utils.py``, ``modules/processing.py`` and the ``infotext=`` of
``modules/shared_options.py``); ``Hires CFG Scale``, ``Distilled CFG Scale`` and ``Hires Distilled
CFG Scale`` are Forge's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .capture import IMG2IMG, TXT2IMG, Caveat, FormatError, Host, Model
from .infotext import NEGATIVE, PROMPT, parse

MAX_CHARACTERS = 2**20
"""Of one text; more is not read."""


@dataclass
class Remade:
    """What a text tells: where to send what, the host that made it, and what is missing."""

    endpoint: str
    payload: dict[str, Any] = field(default_factory=dict)
    host: Host = field(default_factory=Host)
    warnings: list[Caveat] = field(default_factory=list)


def _whole(text: str) -> int:
    return int(float(text)) if re.fullmatch(r"-?\d+\.0+", text) else int(text)


def _yes(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError("expected True or False")
    return text == "True"


Reader = Callable[[str], Any]

FIELDS: Mapping[str, tuple[str, Reader]] = {
    "Steps": ("steps", _whole),
    "Sampler": ("sampler_name", str),
    "Schedule type": ("scheduler", str),
    "CFG scale": ("cfg_scale", float),
    "Distilled CFG Scale": ("distilled_cfg_scale", float),
    "Image CFG scale": ("image_cfg_scale", float),
    "Seed": ("seed", _whole),
    "Variation seed": ("subseed", _whole),
    "Variation seed strength": ("subseed_strength", float),
    "Denoising strength": ("denoising_strength", float),
    "Mask blur": ("mask_blur", _whole),
    "Hires upscale": ("hr_scale", float),
    "Hires steps": ("hr_second_pass_steps", _whole),
    "Hires upscaler": ("hr_upscaler", str),
    "Hires sampler": ("hr_sampler_name", str),
    "Hires schedule type": ("hr_scheduler", str),
    "Hires checkpoint": ("hr_checkpoint_name", str),
    "Hires prompt": ("hr_prompt", str),
    "Hires negative prompt": ("hr_negative_prompt", str),
    "Hires CFG Scale": ("hr_cfg", float),
    "Hires Distilled CFG Scale": ("hr_distilled_cfg", float),
    "Refiner": ("refiner_checkpoint", str),
    "Refiner switch at": ("refiner_switch_at", float),
    "Eta": ("eta", float),
    "Sigma churn": ("s_churn", float),
    "Sigma tmin": ("s_tmin", float),
    "Sigma tmax": ("s_tmax", float),
    "Sigma noise": ("s_noise", float),
    "NGMS": ("s_min_uncond", float),
    "Tiling": ("tiling", _yes),
}
"""A label → the payload's field and how its value is read."""

SETTINGS: Mapping[str, tuple[str, Reader]] = {
    "VAE": ("sd_vae", str),
    "Clip skip": ("CLIP_stop_at_last_layers", _whole),
    "ENSD": ("eta_noise_seed_delta", _whole),
    "RNG": ("randn_source", str),
    "Emphasis": ("emphasis", str),
    "VAE Encoder": ("sd_vae_encode_method", str),
    "VAE Decoder": ("sd_vae_decode_method", str),
    "Conditional mask weight": ("inpainting_mask_weight", float),
    "Noise multiplier": ("initial_noise_multiplier", float),
    "Extra noise": ("img2img_extra_noise", float),
    "NGMS all steps": ("s_min_uncond_all", _yes),
    "Token merging ratio": ("token_merging_ratio", float),
    "Token merging ratio hr": ("token_merging_ratio_hr", float),
    "Pad conds": ("pad_cond_uncond", _yes),
    "Pad conds v0": ("pad_cond_uncond_v0", _yes),
    "Old prompt editing timelines": ("use_old_scheduling", _yes),
    "Downcast alphas_cumprod": ("use_downcasted_alpha_bar", _yes),
    "Refiner switch by sampling steps": ("refiner_switch_by_sample_steps", _yes),
    "Eta DDIM": ("eta_ddim", float),
    "Schedule min sigma": ("sigma_min", float),
    "Schedule max sigma": ("sigma_max", float),
    "Schedule rho": ("rho", float),
    "Discard penultimate sigma": ("always_discard_next_to_last_sigma", _yes),
    "SGM noise multiplier": ("sgm_noise_multiplier", _yes),
    "UniPC variant": ("uni_pc_variant", str),
    "UniPC skip type": ("uni_pc_skip_type", str),
    "UniPC order": ("uni_pc_order", _whole),
    "UniPC lower order final": ("uni_pc_lower_order_final", _yes),
    "Noise Schedule": ("sd_noise_schedule", str),
    "Skip Early CFG": ("skip_early_cond", float),
    "Beta scheduler alpha": ("beta_dist_alpha", float),
    "Beta scheduler beta": ("beta_dist_beta", float),
}
"""A label → the option, sent in ``override_settings``."""

_SIZES = {
    "Size": ("width", "height"),
    "Hires resize": ("hr_resize_x", "hr_resize_y"),
    "Seed resize from": ("seed_resize_from_w", "seed_resize_from_h"),
}
_SPOKEN = {PROMPT, NEGATIVE, "Model", "Model hash", "Face restoration", *FIELDS, *SETTINGS, *_SIZES}
# They tell of the host or of the picture's place in its batch, and decide nothing.
_TOLD = re.compile(
    r"Version|VAE hash|Hashes|(Lora|TI) hashes|Batch (size|pos)|Module \d+|.* (template|hash)|"
    r"Styles array"
)
_HIRES = ("Hires upscale", "Hires resize", "Hires upscaler")
_MODULES = "Hires Module 1"
_HIRES_MODULES = {"Use same choices": ("Use same choices",), "Built-in": ()}
"""Forge writes it down for each second pass, and its API fails without (dfdcbab6,
``modules/processing.py``). Of other modules it writes no name that it takes."""


def is_infotext(text: str) -> bool:
    """Whether the last line reads like the webui's."""
    last = text[:MAX_CHARACTERS].strip().rpartition("\n")[2]
    return re.search(r"\bSteps: \d+", last) is not None and "Seed: " in last


def read(text: str, told: Mapping[str, str] | None = None) -> Remade:
    """The payload of a text.

    Args:
        told: fields by their label that hold, whatever the text says.

    Raises:
        FormatError: it names no steps, a value is not of its field's kind, or it is too long.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormatError("", f"an infotext of more than {MAX_CHARACTERS} characters")
    return _of_fields(parse(text) | dict(told or {}))


def settings_of(pairs: list[str]) -> dict[str, Any]:
    """``override_settings`` of texts such as ``Clip skip: 2``. Raises FormatError."""
    found = {name: value.strip() for name, _, value in (pair.partition(":") for pair in pairs)}
    return _read(found, SETTINGS) | _model(found)


def _of_fields(found: Mapping[str, str]) -> Remade:
    if "Steps" not in found:
        raise FormatError("", "no infotext: it names no steps")
    hires = any(label in found for label in _HIRES)
    img2img = not hires and _begins_with_a_picture(found)
    made = Remade(IMG2IMG if img2img else TXT2IMG, host=_host(found))
    made.payload = {"prompt": found.get(PROMPT, ""), "negative_prompt": found.get(NEGATIVE, "")}
    made.payload |= _read(found, FIELDS) | _sizes(found)
    if hires:
        made.payload["enable_hr"] = True
        if (modules := _HIRES_MODULES.get(found.get(_MODULES, ""))) is not None:
            made.payload["hr_additional_modules"] = [*modules]
    settings = _read(found, SETTINGS) | _model(found)
    if restored := found.get("Face restoration"):
        made.payload["restore_faces"] = True
        settings["face_restoration_model"] = restored
    if settings:
        made.payload["override_settings"] = settings
    made.warnings = list(_missing(found, img2img))
    return made


def _begins_with_a_picture(found: Mapping[str, str]) -> bool:
    """A1111 v1.6.0 says a strength of 0 of what its API makes from nothing (``processing.py``)."""
    strength = found.get("Denoising strength", "0")
    return strength not in ("0", "0.0") or "Mask blur" in found


def _read(found: Mapping[str, str], table: Mapping[str, tuple[str, Reader]]) -> dict[str, Any]:
    made = {}
    for label, (name, reader) in table.items():
        if label in found:
            try:
                made[name] = reader(found[label])
            except (ValueError, OverflowError) as error:
                raise FormatError(label, f"{found[label]!r}: {error}") from error
            if isinstance(made[name], float) and not math.isfinite(made[name]):
                raise FormatError(label, f"{found[label]!r} is no number of JSON")
    return made


def _sizes(found: Mapping[str, str]) -> dict[str, int]:
    made: dict[str, int] = {}
    for label, names in _SIZES.items():
        if label in found:
            if not (match := re.fullmatch(r"(\d{1,6})x(\d{1,6})", found[label])):
                raise FormatError(label, f"{found[label]!r}: expected WIDTHxHEIGHT")
            made |= dict(zip(names, map(int, match.groups()), strict=True))
    return made


def _model(found: Mapping[str, str]) -> dict[str, str]:
    """The hash names the file wherever it is called otherwise; the webui finds one by either."""
    named = found.get("Model hash") or found.get("Model")
    return {"sd_model_checkpoint": named} if named else {}


def _host(found: Mapping[str, str]) -> Host:
    name, short = found.get("Model", ""), found.get("Model hash")
    title = f"{name} [{short}]" if name and short else name or short or ""
    return Host(
        version=found.get("Version", ""),
        checkpoint=Model(title, name, short) if title else None,
    )


def _missing(found: Mapping[str, str], img2img: bool) -> Any:
    if img2img:
        reason = "made from a picture by img2img, and the infotext does not hold that picture"
        yield Caveat("init_images", reason, "blocks")
    spoken = _SPOKEN | ({_MODULES} if found.get(_MODULES) in _HIRES_MODULES else set())
    strange = [label for label in found if label not in spoken and not _TOLD.fullmatch(label)]
    for label in strange[:50]:
        reason = f"the infotext's {label!r}: {found[label][:200]!r} is no standard field; left out"
        yield Caveat("infotext", reason, "pixels")
