"""ControlNet's units as a server's ControlNet takes them: there are three under one title.

They are Mikubill's extension, and those built into Forge and reForge. Fields that were renamed and
numbers that became names are said as every version since Mikubill's v1.1.09 understands them; what
the three still say differently is said as the server's own does (`Dialect`).

Sources: sd-webui-controlnet v1.1.455, ``internal_controlnet/args.py`` and ``scripts/enums.py``;
Forge dfdcbab6 and reForge 3b56b268, ``lib_controlnet/external_code.py`` and ``enums.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .arguments import calls
from .capture import Capture, referred
from .changes import Change, put
from .inventory import Inventory
from .problem import Problem

TITLE = "controlnet"
RENAMED = {"lowvram": "low_vram", "input_image": "image", "guidance": "guidance_end"}
"""Fields of a unit. Mikubill's `legacy_field_alias` announces their end; Forge and reForge ignore
the old names."""
_GUESS = ("guessmode", "guess_mode")
"""True is "ControlNet is more important" since v1.1.09 (its pull request 1038); v1.1.136 took it
away."""
RESIZE_MODES = ("Just Resize", "Crop and Resize", "Resize and Fill", "Just Resize")
"""By the number that stood for them; 3, the webui's own "Just resize (latent upscale)", is read as
0 by all that take numbers."""
CONTROL_MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")
PREFERENCES = ("Balanced", "Prefer Prompt", "Prefer ControlNet")
"""The words of reForge's page for `CONTROL_MODES`; the others refuse them. See `unheard`."""
_BALANCED = (None, 0, CONTROL_MODES[0])
HIRES_OPTIONS = ("Both", "Low res only", "High res only")
RESIZE_ALIASES = {
    "Scale to Fit (Inner Fit)": "Crop and Resize",
    "Inner Fit (Scale to Fit)": "Crop and Resize",
    "Envelope (Outer Fit)": "Resize and Fill",
    "Outer Fit (Shrink to Fit)": "Resize and Fill",
}
"""Names before v1.1.10 (`resize_mode_aliases`)."""
_NUMBERED = {"resize_mode": RESIZE_MODES, "hr_option": HIRES_OPTIONS}


@dataclass(frozen=True)
class Dialect:
    """What one ControlNet calls what the others call otherwise; None where that is not known.

    `mask` is the field of the mask, `nothing` the name of no preprocessor; `moded` tells whether
    the API hears a control mode.
    """

    mask: str | None = None
    nothing: str | None = None
    moded: bool = True

    @property
    def pairs(self) -> bool:
        """Whether `image` may hold a picture and its mask."""
        return self.mask == MIKUBILL.mask


MIKUBILL = Dialect("mask", "none")
"""It takes `mask_image` too, but only in its last versions, and refuses both."""
FORGE = Dialect("mask_image", "None")
"""It ignores `mask` without a word."""
REFORGE = Dialect("mask_image", "None", moded=False)


def dialect(host: Mapping[str, str]) -> Dialect:
    """That of a server: by its name, or by its version (``f2.0.1v1.10.1-…`` is Forge's,
    ``f1.0.0v2-…`` reForge's) where it tells no other."""
    webui, version = host.get("webui"), host.get("version", "")
    if webui == "reForge" or (not webui and version.startswith("f1.")):
        return REFORGE
    if webui == "Forge" or (not webui and version.startswith("f")):
        return FORGE
    return MIKUBILL if webui or version else Dialect()


def units(capture: Capture, host: Callable[[], Mapping[str, str]]) -> Iterator[Change]:
    """Rewrite the units of a capture for a server; `host` asks what it is."""
    found = _found(capture)
    there = dialect(host()) if found else Dialect()
    for prefix, unit in found:
        yield from _aged(unit, prefix)
        yield from _numbered(unit, prefix)
        yield from _moded(unit, prefix)
        yield from _pictured(unit, prefix, there)
        yield from _unprocessed(unit, prefix, there.nothing)


def unheard(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Control modes for a server whose API takes each for "Balanced".

    reForge's makes an enum of it, which is then compared with text (3b56b268,
    ``lib_controlnet/external_code.py``, ``scripts/controlnet.py``). A job of such an API came out
    so already.
    """
    made = {"webui": capture.host.webui, "version": capture.host.version}
    if capture.job.source == "api" and not dialect(made).moded:
        return
    found = [
        (prefix, unit)
        for prefix, unit in _found(capture)
        if unit.get("enabled") is not False and unit.get("control_mode") not in _BALANCED
    ]
    if found and not dialect(inventory.host).moded:
        for prefix, unit in found:
            reason = f"reForge's API takes {unit['control_mode']!r:.60} for Balanced"
            yield Problem(f"{prefix}control_mode", reason)


def _found(capture: Capture) -> list[tuple[str, dict[str, Any]]]:
    """Each unit, with its path."""
    return [
        (f"{call.path}[{index}].", unit)
        for call in calls(capture)
        if call.title.lower() == TITLE
        for index, unit in enumerate(call.args)
        if isinstance(unit, dict)
    ]


def _aged(unit: dict[str, Any], prefix: str) -> Iterator[Change]:
    for old, new in RENAMED.items():
        yield from _renamed(unit, prefix, old, new)
    for old in _GUESS:
        if old in unit and "control_mode" not in unit:
            before = unit.pop(old)
            unit["control_mode"] = CONTROL_MODES[2] if before else CONTROL_MODES[0]
            yield Change(prefix + old, before, None, f"it is {unit['control_mode']!r} now")


def _renamed(unit: dict[str, Any], prefix: str, old: str, new: str) -> Iterator[Change]:
    if unit.get(old) is not None and unit.get(new) is None:
        unit[new] = unit.pop(old)
        yield Change(prefix + old, unit[new], None, f"ControlNet calls it {new!r}")


def _numbered(unit: dict[str, Any], prefix: str) -> Iterator[Change]:
    for field, names in _NUMBERED.items():
        value = unit.get(field)
        name = RESIZE_ALIASES.get(value) if isinstance(value, str) else _of_number(value, names)
        if name is not None:
            yield from put(unit, prefix, field, name, "ControlNet takes the name")


def _moded(unit: dict[str, Any], prefix: str) -> Iterator[Change]:
    value = unit.get("control_mode")
    name = _of_number(value, CONTROL_MODES)
    if isinstance(value, str) and value in PREFERENCES:
        name = CONTROL_MODES[PREFERENCES.index(value)]
    if name is not None:
        yield from put(unit, prefix, "control_mode", name, "ControlNet takes that name")


def _of_number(value: Any, names: tuple[str, ...]) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return names[value] if 0 <= value < len(names) else None


def _pictured(unit: dict[str, Any], prefix: str, there: Dialect) -> Iterator[Change]:
    """The mask in the server's own field; where both fields hold one, nothing is safe."""
    if there.mask is None:
        return
    if not there.pairs and (pair := _pair(unit.get("image"))):
        why = "this ControlNet takes a picture and its mask as two fields"
        yield from put(unit, prefix, "image", pair[0], why)
        yield from put(unit, prefix, there.mask, pair[1], why) if pair[1] is not None else ()
    other = FORGE if there.pairs else MIKUBILL
    yield from _renamed(unit, prefix, str(other.mask), there.mask)


def _unprocessed(unit: dict[str, Any], prefix: str, nothing: str | None) -> Iterator[Change]:
    module = unit.get("module")
    if nothing and isinstance(module, str) and module.lower() == "none":
        yield from put(unit, prefix, "module", nothing, "no preprocessor is called that here")


def _pair(image: Any) -> tuple[Any, Any] | None:
    """A picture and its mask, or None, where `image` holds them in one of Mikubill's ways."""
    if isinstance(image, list) and len(image) == 1:
        image = image[0]
    if isinstance(image, list) and len(image) == 2 and all(map(_is_picture, image)):
        return image[0], image[1]
    if isinstance(image, dict) and _is_picture(image.get("image")):
        return image["image"], image.get("mask")
    return None


def _is_picture(value: Any) -> bool:
    return isinstance(value, str) or referred(value) is not None
