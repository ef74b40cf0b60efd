"""A webui's processing object as the payload of a standard API request.

Pure: takes what `host` read and returns data; raises nothing, since every value goes through
`values.Encoder`. The processing object must be the job's outer one, before any script ran on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from payload_capture import adapters
from payload_capture.capture import IMG2IMG, TXT2IMG, Caveat
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
    """Which groups of options can decide this job's pixels; all of them where a script runs."""
    found: list[When] = ["always"]
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
    encoder = Encoder(uploads=not _get(p, "is_api"))
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
        call.title: {"args": _args(call, encoder, f"alwayson_scripts.{call.title}.args")}
        for call in calls
        if call.alwayson
    }
    if selected is not None:
        made.payload["script_name"] = selected.title
        made.payload["script_args"] = _args(selected, encoder, "script_args")
    for call in calls:
        adapters.apply_effect(call.title, call.args, encoder, made.payload)
    if _get(p, "firstpass_image") is not None:
        reason = "the first-pass picture of the ✨ button: the standard endpoint does not decode it"
        encoder.caveats.append(Caveat("firstpass_image", reason, "blocks"))
    return made


def _args(call: ScriptCall, encoder: Encoder, path: str) -> Any:
    return adapters.encode_args(call.title, call.args, encoder, path)


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


def _get(p: Any, name: str) -> Any:
    return getattr(p, name, None)
