"""ControlNet's units: the fields that were renamed, and the numbers that became names.

The names of today are understood by every version since v1.1.09, and by Forge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .arguments import calls
from .capture import Capture
from .changes import Change, put

TITLE = "controlnet"
RENAMED = {"lowvram": "low_vram", "input_image": "image", "guidance": "guidance_end"}
"""Fields of a ControlNet unit. Source: sd-webui-controlnet v1.1.455,
``internal_controlnet/args.py`` (`legacy_field_alias`), which announces their end; Forge dfdcbab6
ignores the old names."""
_GUESS = ("guessmode", "guess_mode")
"""True is "ControlNet is more important" since v1.1.09 (its pull request 1038); v1.1.136 took it
away."""
RESIZE_MODES = ("Just Resize", "Crop and Resize", "Resize and Fill")
CONTROL_MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")
"""By the number that stood for them. Source: sd-webui-controlnet v1.1.455, ``scripts/enums.py``,
whose units take the names alone; Forge's ``external_code.py`` maps the same numbers."""
RESIZE_ALIASES = {
    "Scale to Fit (Inner Fit)": "Crop and Resize",
    "Inner Fit (Scale to Fit)": "Crop and Resize",
    "Envelope (Outer Fit)": "Resize and Fill",
    "Outer Fit (Shrink to Fit)": "Resize and Fill",
}
"""Names before v1.1.10. Source: the same two files, `resize_mode_aliases`."""
_NUMBERED = {"resize_mode": RESIZE_MODES, "control_mode": CONTROL_MODES}


def units(capture: Capture) -> Iterator[Change]:
    """Rewrite the units of a capture."""
    for call in calls(capture):
        if call.title.lower() == TITLE:
            for index, unit in enumerate(call.args):
                if isinstance(unit, dict):
                    yield from _unit(unit, f"{call.path}[{index}].")


def _unit(unit: dict[str, Any], prefix: str) -> Iterator[Change]:
    for old, new in RENAMED.items():
        if old in unit and new not in unit:
            unit[new] = unit.pop(old)
            yield Change(prefix + old, unit[new], None, f"ControlNet calls it {new!r}")
    for old in _GUESS:
        if old in unit and "control_mode" not in unit:
            before = unit.pop(old)
            unit["control_mode"] = CONTROL_MODES[2] if before else CONTROL_MODES[0]
            yield Change(prefix + old, before, None, f"it is {unit['control_mode']!r} now")
    for field, names in _NUMBERED.items():
        value = unit.get(field)
        name = RESIZE_ALIASES.get(value) if isinstance(value, str) else _numbered(value, names)
        if name is not None:
            yield from put(unit, prefix, field, name, "ControlNet takes the name")


def _numbered(value: Any, names: tuple[str, ...]) -> str | None:
    """What a number stands for; a resize mode of 3 ("Just Resize (Latent upscale)") has no name."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return names[value] if 0 <= value < len(names) else None
