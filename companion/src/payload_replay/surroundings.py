"""What differs around a payload: the server's version, its extensions, weights and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .arguments import calls
from .capture import Capture, Extension, Severity
from .inventory import Inventory, near
from .named import overrides
from .problem import Problem
from .resampled import main_field
from .samplers import AUTOMATIC, OPTION

Options = Mapping[str, Any]

RESTRICTED = ("api_enable_requests", "api_forbid_local_requests", "api_useragent")
"""Options that no request can set: `restrict_api` in ``modules/shared_options.py`` of A1111
v1.6.0, v1.8.0, v1.9.4, v1.10.1, Forge dfdcbab6 and reForge 3b56b268, which are the same three. They
decide which addresses a server fetches pictures from, and no pixels."""
LOSSY = ("jpg", "jpeg", "webp", "avif")

_WORD = re.compile(r"[a-z0-9]+")
_TELLING = 4  # letters of a word of a title that must be in its extension's name


def surroundings(inventory: Inventory, capture: Capture, options: Options) -> Iterator[Problem]:
    """All of them; `options` are the server's settings."""
    yield from _version(inventory, capture)
    yield from _extensions(inventory, capture)
    yield from _weights(inventory, capture)
    yield from _overrides(inventory, capture, options)
    yield from _scheduled(capture, options)
    yield from _answered(options)
    yield from fixed(capture, options)


def fixed(capture: Capture, options: Options) -> Iterator[Problem]:
    """Settings that decide pixels, that no request can set, and that the server has otherwise."""
    for name, value in capture.host.settings.items():
        if name in options and options[name] != value:
            reason = f"was {value!r}, the server has {options[name]!r}, and no request can set it"
            yield Problem(f"host.settings.{name}", reason, "pixels")


def extensions(there: Mapping[str, Any], capture: Capture) -> Iterator[Problem]:
    """Extensions of the capture that the server has not, has switched off, or has otherwise.

    One whose name is in the title of a script that the payload calls may change pixels. `there`
    maps names to what ``/sdapi/v1/extensions`` says.
    """
    words = [_words(call.title) for call in calls(capture)]
    for one in capture.host.extensions:
        if reason := _other(one, there.get(one.name)):
            used = any(_in_name(title, one.name) for title in words)
            close = None if one.name in there else near(one.name, there)
            severity: Severity = "pixels" if used else "cosmetic"
            yield Problem(f"host.extensions.{one.name}", reason, severity, close)


def _version(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """A1111 v1.10.1 and v1.9.4 give pictures that are a level apart here and there."""
    for name in ("webui", "version") if capture.host.version else ():
        was, here = getattr(capture.host, name), inventory.host.get(name)
        if was and here and was != here:
            yield Problem(f"host.{name}", f"was {was}, the server is {here}", "pixels")


def _extensions(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    if capture.host.extensions and inventory.extensions is not None:
        yield from extensions(inventory.extensions, capture)


def _other(one: Extension, there: Mapping[str, Any] | None) -> str:
    """What is other about it; one without a version came from no repository and is not listed."""
    if there is None:
        return "the server lists no such extension" if one.version else ""
    if there.get("enabled") is False:
        return "is switched off on the server"
    version = str(there.get("version") or "")
    if not one.version or not version or _alike(one.version, version):
        return ""
    return f"was version {one.version}, the server has {version}"


def _alike(one: str, other: str) -> bool:
    """Versions are commits, cut to 8 digits or not."""
    return one.startswith(other) or other.startswith(one)


def _words(title: str) -> list[str]:
    return [word for word in _WORD.findall(title.lower()) if len(word) >= _TELLING]


def _in_name(words: list[str], name: str) -> bool:
    letters = "".join(_WORD.findall(name.lower()))
    return bool(words) and all(word in letters for word in words)


def _weights(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """A checkpoint of the same name that is another file."""
    model = capture.host.checkpoint
    for prefix, _, payload in capture.requests() if model and model.sha256 else ():
        name = overrides(payload).get("sd_model_checkpoint")
        there = inventory.checkpoint(name) if model and name in (model.title, model.name) else None
        sha256 = str((there or {}).get("sha256") or "")
        if model and there and sha256 and sha256 != model.sha256:
            path = f"{prefix}override_settings.sd_model_checkpoint"
            reason = f"{name!r} had the sha256 {model.sha256}, the server's file has {sha256}"
            yield Problem(path, reason, "pixels", inventory.of_hash(model.sha256))


def _overrides(inventory: Inventory, capture: Capture, options: Options) -> Iterator[Problem]:
    """Overrides that the server would fail on, or ignore without a word.

    One that it does not know is a KeyError in `Options.set`, a 500: ``modules/options.py`` of A1111
    v1.6.0, v1.8.0, v1.9.4, v1.10.1, Forge dfdcbab6 and reForge 3b56b268.
    """
    for prefix, _, payload in capture.requests():
        for name, value in overrides(payload).items():
            path = f"{prefix}override_settings.{name}"
            if name not in options and name == OPTION and value != AUTOMATIC:
                continue  # `resampled` tells what stands for it
            if name not in options and name in inventory.unlisted:
                continue
            if name not in options:
                reason = f"the server has no setting {name!r} and would answer 500"
                yield Problem(path, reason, "blocks", near(name, options))
            elif options[name] != value:
                yield from _restricted(path, name, value, options[name], inventory)


def _restricted(
    path: str, name: str, value: Any, there: Any, inventory: Inventory
) -> Iterator[Problem]:
    """A frozen setting is an assertion in ``modules/options.py`` (A1111 v1.6.0 on): a 500."""
    if name in RESTRICTED:
        reason = f"no request can set it; the server would silently keep {there!r}"
        yield Problem(path, reason, "cosmetic")
    elif inventory.flags.get("freeze_settings"):
        reason = "the server runs with --freeze-settings and would answer 500"
        yield Problem(path, f"is {value!r:.60}, not {there!r:.60}: {reason}")
    elif name in _frozen(inventory):
        reason = "the server was started with that setting frozen and would answer 500"
        yield Problem(path, f"is {value!r:.60}, not {there!r:.60}: {reason}")
    elif isinstance(sections := inventory.flags.get("freeze_settings_in_sections"), str):
        if inventory.frozen is None:  # no route of the webui tells in which section a setting is
            reason = f"the server froze the sections {sections}, and answers 500 if it is in them"
            yield Problem(path, f"is {value!r:.60}, not {there!r:.60}: {reason}", "pixels")


def _frozen(inventory: Inventory) -> list[str]:
    """Those of ``--freeze-specific-settings``, and those in frozen sections if the server tells."""
    names = inventory.flags.get("freeze_specific_settings")
    specific = [name.strip() for name in names.split(",")] if isinstance(names, str) else []
    return specific + (inventory.frozen or [])


def _scheduled(capture: Capture, options: Options) -> Iterator[Problem]:
    """Up to v1.8 one setting of the server's sets the schedule of all samplers."""
    there = options.get(OPTION, AUTOMATIC)
    for prefix, _, payload in capture.requests() if there != AUTOMATIC else ():
        pinned = OPTION in overrides(payload)
        if not pinned and isinstance(payload.get(main_field(payload)), str):
            reason = f"is not pinned, and the server's is {there!r}, for whatever sampler"
            yield Problem(f"{prefix}override_settings.{OPTION}", reason, "pixels")


def _answered(options: Options) -> Iterator[Problem]:
    kind = options.get("samples_format")
    if isinstance(kind, str) and kind.lower() in LOSSY:
        reason = (
            f"the server's setting is {kind!r}: it answers lossy pictures, whatever a request "
            "overrides; set it to png there"
        )
        yield Problem("samples_format", reason, "pixels")
