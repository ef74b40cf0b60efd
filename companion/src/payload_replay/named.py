"""What a capture names and a server may lack: each (path, kind, name).

The kinds are those that `payload_replay.inventory` lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .capture import UPSCALE, Capture

Named = tuple[str, str, str]

PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")
SAME = ("Use same sampler", "Use same scheduler", "Use same checkpoint")

_OVERRIDES = (("sd_model_checkpoint", "checkpoints"), ("sd_vae", "vaes"))
_FIELDS = (
    ("scheduler", "schedulers"),
    ("hr_scheduler", "schedulers"),
    ("refiner_checkpoint", "refiners"),
    ("hr_checkpoint_name", "refiners"),
    ("hr_upscaler", "upscalers"),
    ("upscaler_1", "upscalers"),
    ("upscaler_2", "upscalers"),
)
_NETWORK = re.compile(r"<(lora|lyco|hypernet):([^:>]+)")


def named(capture: Capture) -> Iterator[Named]:
    """Everything but samplers, whose names depend on the schedule: see `resampled`."""
    for prefix, endpoint, payload in capture.requests():
        yield from _texts(overrides(payload), f"{prefix}override_settings.", _OVERRIDES)
        yield from _texts(payload, prefix, _FIELDS)
        yield from _several(payload, prefix)
        if (tab := tab_of(endpoint)) in ("txt2img", "img2img"):
            for path, title in _scripts(payload):
                yield prefix + path, f"{tab} scripts", title.lower()
    for model in capture.host.embeddings:
        yield _field_with(capture, model.name), "embeddings", model.name


def overrides(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload's own `override_settings`; an empty mapping of nobody's where it has none."""
    found = payload.get("override_settings")
    return found if isinstance(found, dict) else {}


def tab_of(endpoint: str) -> str:
    """The tab whose scripts an endpoint runs."""
    return "txt2img" if endpoint == UPSCALE else endpoint.rpartition("/")[2]


def _several(payload: dict[str, Any], prefix: str) -> Iterator[Named]:
    """Styles, and the networks that prompts name."""
    styles = payload.get("styles")
    for index, style in enumerate(styles if isinstance(styles, list) else ()):
        yield f"{prefix}styles[{index}]", "styles", str(style)
    for field in PROMPTS:
        for network, name in _NETWORK.findall(_text(payload, field)):
            yield prefix + field, "hypernetworks" if network == "hypernet" else "LoRAs", name


def _field_with(capture: Capture, name: str) -> str:
    """The prompt that an embedding is named in; by default the first."""
    for prefix, _, payload in capture.requests():
        for field in PROMPTS:
            if name.lower() in _text(payload, field).lower():
                return prefix + field
    return PROMPTS[0]


def _text(payload: dict[str, Any], field: str) -> str:
    value = payload.get(field)
    return value if isinstance(value, str) else ""


def _texts(values: Any, prefix: str, kinds: Iterable[tuple[str, str]]) -> Iterator[Named]:
    for field, kind in kinds if isinstance(values, dict) else ():
        value = values.get(field)
        if isinstance(value, str) and value and value not in SAME:
            yield prefix + field, kind, value


def _scripts(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(payload.get("script_name"), str) and payload["script_name"]:
        yield "script_name", payload["script_name"]
    always_on = payload.get("alwayson_scripts")
    for title in always_on if isinstance(always_on, dict) else ():
        yield f"alwayson_scripts.{title}", title
