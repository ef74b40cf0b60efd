"""A webui's processing object as the payload of a standard API request.

Pure: takes what `host` read and returns data; raises nothing, since every value goes through
`values.Encoder`. The processing object must be the job's outer one, before any script ran on it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from payload_capture.capture import (
    BATCH,
    EXTRAS,
    EXTRAS_BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Caveat,
)
from payload_capture.settings import When
from payload_capture.values import Encoder

# Accepted by the API's models, but theirs to fill or of no meaning in a second run.
_NOT_SENT = frozenset(
    (
        *("alwayson_scripts", "script_args", "script_name", "sampler_index"),
        *("override_settings", "override_settings_restore_afterwards"),
        *("send_images", "save_images", "do_not_save_samples", "do_not_save_grid"),
        *(
            "force_task_id",
            "infotext",
            "include_init_images",
            "extra_generation_params",
            "comments",
        ),
        *("init_images", "mask", "latent_mask", "firstpass_image", "sd_model"),
    )
)
_HIRES = ("hr_", "firstphase_")


@dataclass(frozen=True)
class ScriptCall:
    """One script of the webui with the arguments it was given."""

    title: str
    alwayson: bool
    args: list[Any]


@dataclass
class Draft:
    """A capture's request while its job runs; pictures are `values.Picture` objects."""

    endpoint: str
    payload: dict[str, Any] = field(default_factory=dict)
    template: dict[str, Any] = field(default_factory=dict)
    caveats: list[Caveat] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The text of a field, the first request's where there are several; "" for none."""
        payload = self.payload["requests"][0]["payload"] if self.endpoint == BATCH else self.payload
        value = payload.get(name)
        return value if isinstance(value, str) else ""

    def resolve(self, name: str, value: int) -> None:
        """Put the value that the job drew (a seed) in place of what the user typed."""
        typed = self.payload.get(name)
        if typed != value:
            self.template[name] = typed
            self.payload[name] = value


def endpoint(p: Any) -> str:
    """The standard endpoint that makes the same kind of picture."""
    return IMG2IMG if hasattr(p, "init_images") else TXT2IMG


def applies(p: Any, scripted: bool) -> list[When]:
    """Which kinds of job this is, as options go; a script may run jobs of any kind."""
    found: list[When] = ["always"]
    if endpoint(p) == TXT2IMG:
        found.append("txt2img")
    if scripted or endpoint(p) == IMG2IMG:
        found.append("img2img")
    if scripted or getattr(p, "enable_hr", False):
        found.append("hires")
    if scripted or getattr(p, "restore_faces", None) is not False:
        found.append("faces")
    return found


def draft(
    p: Any,
    accepted: Iterable[str],
    options: Mapping[str, Any],
    scripts: Iterable[ScriptCall],
) -> Draft:
    """Describe the job that is about to start.

    Args:
        p: the webui's outer processing object.
        accepted: the fields that the host's API accepts for this endpoint.
        options: the options that decide pixels, as the host has them now.
        scripts: the always-on scripts with arguments, and the selected one if any.
    """
    encoder = Encoder()
    made = Draft(endpoint(p), caveats=encoder.caveats)
    calls = list(scripts)
    selected = next((call for call in calls if not call.alwayson), None)
    made.payload = _fields(p, accepted, encoder, hires=bool(selected or _get(p, "enable_hr")))
    if made.endpoint == IMG2IMG:
        made.payload |= _pictures(p, encoder)
    overrides = {**options, **(_get(p, "override_settings") or {})}
    made.payload["override_settings"] = encoder.encode(overrides, "override_settings")
    made.payload["override_settings_restore_afterwards"] = True
    made.payload["alwayson_scripts"] = {
        call.title: {"args": encoder.encode(call.args, f"alwayson_scripts.{call.title}.args")}
        for call in calls
        if call.alwayson
    }
    if selected is not None:
        made.payload["script_name"] = selected.title
        made.payload["script_args"] = encoder.encode(selected.args, "script_args")
    if (first := _get(p, "firstpass_image")) is not None:
        made.endpoint = UPSCALE
        made.payload["firstpass_image"] = encoder.encode(first, "firstpass_image")
    return made


def _fields(p: Any, accepted: Iterable[str], encoder: Encoder, hires: bool) -> dict[str, Any]:
    names = [name for name in accepted if name not in _NOT_SENT]
    if not hires:
        names = [name for name in names if not name.startswith(_HIRES)]
    made = {}
    for name in names:
        value = _get(p, name)
        if name == "s_tmax" and value == float("inf"):
            value = 0.0  # what the API takes for "no limit" (A1111 v1.10.1, modules/processing.py)
        if name in ("seed", "subseed"):
            value = whole(value)
        if value is not None:
            made[name] = encoder.encode(value, name)
    return made


def _pictures(p: Any, encoder: Encoder) -> dict[str, Any]:
    # Until the job initialises, the mask is in image_mask or, on older hosts, in mask.
    masks = (_get(p, "image_mask"), _get(p, "mask"))
    mask = next((m for m in masks if m is not None), None)
    made = {"init_images": encoder.encode(list(_get(p, "init_images") or []), "init_images")}
    if mask is not None:
        made["mask"] = encoder.encode(mask, "mask")
    return made


def whole(value: Any) -> int:
    """A seed as the API takes it; -1 ("random") for what is none, as the webui reads it."""
    first = value[0] if isinstance(value, list) and value else value
    try:
        return int(first)
    except (TypeError, ValueError):
        return -1


# ---- jobs of several runs


def compose(drafts: list[Draft]) -> Draft:
    """One request for all runs of a job, their payloads being JSON."""
    if not drafts:
        return Draft(TXT2IMG)
    caveats = [caveat for draft in drafts for caveat in draft.caveats]
    if drafts[0].endpoint == EXTRAS:
        pictures = [picture for draft in drafts for picture in draft.payload.get("images", ())]
        payload = {**drafts[0].payload, "images": pictures}
        return dataclasses.replace(_standard(payload), caveats=caveats)
    if len(drafts) == 1:
        return drafts[0]
    requests = [{"endpoint": draft.endpoint, "payload": draft.payload} for draft in drafts]
    named = [
        dataclasses.replace(caveat, path=f"requests[{index}].payload.{caveat.path}")
        for index, draft in enumerate(drafts)
        for caveat in draft.caveats
    ]
    template = {"requests": [draft.template for draft in drafts]}
    typed = template if any(draft.template for draft in drafts) else {}
    return Draft(BATCH, {"requests": requests}, typed, named)


def extras(picture: Any, scripts: Mapping[str, Mapping[str, Any]], options: Any) -> Draft:
    """One picture of Extras with its operations' arguments by name.

    `options` are those that decide pixels and are set otherwise than by default.
    """
    encoder = Encoder()
    made = Draft(EXTRAS, caveats=encoder.caveats)
    made.payload = {
        "images": encoder.encode([picture], "images"),
        "scripts": encoder.encode(scripts, "scripts"),
        "override_settings": encoder.encode(options, "override_settings"),
    }
    return made


_FACES = ("GFPGAN", "CodeFormer")


def _standard(payload: dict[str, Any]) -> Draft:
    """The request to the standard Extras endpoints where they can say it, else to our own.

    They know Upscale, GFPGAN and CodeFormer, and no settings (A1111 v1.10.1,
    ``modules/postprocessing.py``, ``run_extras``).
    """
    scripts, pictures = payload.get("scripts", {}), payload.get("images", [])
    others = (args for name, args in scripts.items() if name not in ("Upscale", *_FACES))
    if not pictures or payload.get("override_settings") or any(map(switched_on, others)):
        return Draft(EXTRAS, payload)
    if (said := _upscaling(scripts.get("Upscale", {}))) is None:
        return Draft(EXTRAS, payload)
    for name in _FACES:
        args = scripts.get(name, {})
        field = f"{name.lower()}_visibility"
        said[field] = args.get(field, 0) if switched_on(args) else 0
    said["codeformer_weight"] = scripts.get("CodeFormer", {}).get("codeformer_weight", 0)
    if len(pictures) == 1:
        return Draft(EXTRAS_SINGLE, {**said, "image": pictures[0]})
    named = [{"data": picture, "name": f"{n}.png"} for n, picture in enumerate(pictures)]
    return Draft(EXTRAS_BATCH, {**said, "imageList": named})


_UPSCALING = {
    "upscale_mode": "resize_mode",
    "upscale_by": "upscaling_resize",
    "upscale_to_width": "upscaling_resize_w",
    "upscale_to_height": "upscaling_resize_h",
    "upscale_crop": "upscaling_crop",
    "upscaler_1_name": "upscaler_1",
    "upscaler_2_name": "upscaler_2",
    "upscaler_2_visibility": "extras_upscaler_2_visibility",
}
"""The arguments of the operation Upscale → the fields of the standard endpoints."""


def _upscaling(args: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields that say the same, None where none can."""
    if not args.get("upscale_enabled", True):
        return {"upscaling_resize": 1, "upscaler_1": "None", "upscaler_2": "None"}
    unsaid = set(args) - {*_UPSCALING, "upscale_enabled", "max_side_length"}
    if unsaid or args.get("max_side_length"):
        return None
    said = {field: args[name] for name, field in _UPSCALING.items() if args.get(name) is not None}
    return said if set(said) >= {"upscaler_1", "resize_mode"} else None


def switched_on(args: Mapping[str, Any]) -> bool:
    """Whether an operation of Extras does anything: its first argument is its switch."""
    return bool(next(iter(args.values()), False))


def _get(p: Any, name: str) -> Any:
    return getattr(p, name, None)
