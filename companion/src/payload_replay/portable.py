"""The minimal form of a payload: only what differs from what its server fills in by itself.

The exact form pins everything, for any server. The minimal one is for people to read and keep:
the same pixels on the server that it was made for, as long as that one keeps its settings.

Standard library alone, and no import of this package: the webui extension loads this very file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Payload = Mapping[str, Any]

_SWITCH = re.compile(r"\b(enabled?|active|activate)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Defaults:
    """What a server fills in at one endpoint.

    Args:
        fields: the values of the fields that a payload does not name.
        scripts: the arguments of each always-on script, by its title in lower case.
        labels: the labels of those arguments.
        options: the settings as they are now.
        is_off: (title, args) → whether the script does nothing with them, None where unknown.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    scripts: Mapping[str, list[Any]] = field(default_factory=dict)
    labels: Mapping[str, list[str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    is_off: Callable[[str, list[Any]], bool | None] = lambda title, args: None

    def off(self, title: str, args: list[Any]) -> bool:
        """Whether a script does nothing: by what is known of it, else by its switches.

        The first argument is one that is off, and so are all that are called like one: reForge's
        LatentModifier has a switch for each of its parts (3b56b268).
        """
        known = self.is_off(title, args)
        if known is not None:
            return known
        labels = self.labels.get(title) or [""]
        switches = [bool(_SWITCH.search(one)) or one.strip().lower() == title for one in labels]
        on = any(value for value, switch in zip(args, switches, strict=False) if switch)
        return switches[0] and bool(args) and args[0] is False and not on


def minimal(endpoint: str, payload: Payload, defaults: Callable[[str], Defaults]) -> dict[str, Any]:
    """The payload without what the server at `endpoint` fills in with the same value.

    Args:
        payload: the exact form; its pictures may be references.
        defaults: returns the defaults of an endpoint, asked for each request of a batch.
    """
    if isinstance(inner := payload.get("requests"), list):
        return {"requests": [_request(one, defaults) for one in inner]}
    known = defaults(endpoint)
    made = {name: v for name, v in payload.items() if not _filled(known.fields, name, v)}
    for name, reduce in _REDUCED.items():
        if isinstance(value := made.pop(name, None), Mapping) and (rest := reduce(value, known)):
            made[name] = rest
    if "override_settings" not in made:
        made.pop("override_settings_restore_afterwards", None)
    return made


def _request(one: Any, defaults: Callable[[str], Defaults]) -> Any:
    payload = one.get("payload") if isinstance(one, Mapping) else None
    if not isinstance(payload, Mapping):
        return one
    endpoint = str(one.get("endpoint"))
    return {"endpoint": endpoint, "payload": minimal(endpoint, payload, defaults)}


def _settings(given: Payload, known: Defaults) -> dict[str, Any]:
    return {name: v for name, v in given.items() if not _as_set(known.options, name, v)}


def _as_set(options: Mapping[str, Any], name: str, value: Any) -> bool:
    there = options.get(name)
    if name == "sd_model_checkpoint" and isinstance(there, str):
        # The title gets its hash only once the file was loaded.
        return there.partition(" [")[0] == str(value).partition(" [")[0]
    return there is not None and _same(there, value)


def _scripts(given: Payload, known: Defaults) -> dict[str, Any]:
    made = {}
    for title, call in given.items():
        args = call.get("args") if isinstance(call, Mapping) else None
        if not isinstance(args, list):
            made[title] = call
        elif (rest := _arguments(title, args, known)) is not None:
            made[title] = {"args": rest}
    return made


def _arguments(title: str, args: list[Any], known: Defaults) -> list[Any] | None:
    """The arguments up to the last that differs; None where the script need not be named.

    One that is off is left out only where it is off by default as well.
    """
    there = known.scripts.get(title)
    if there is None:
        return args
    if known.off(title, args) and known.off(title, there):
        return None
    length = len(args)
    while 0 < length <= len(there) and _same(args[length - 1], there[length - 1]):
        length -= 1
    return args[:length] or None


def _operations(given: Payload, known: Defaults) -> dict[str, Any]:
    """Extras: an operation whose switch, its first argument, is off need not be named.

    GFPGAN's and CodeFormer's is their visibility before v1.9; Upscale has none there, and its first
    argument may be 0.
    """
    return {name: args for name, args in given.items() if not _switched_off(args)}


def _switched_off(args: Any) -> bool:
    if not isinstance(args, Mapping):
        return False
    name, value = next(iter(args.items()), ("", False))
    return value is False or (name.endswith("_visibility") and value == 0)


_REDUCED: dict[str, Callable[[Payload, Defaults], dict[str, Any]]] = {
    "override_settings": _settings,
    "alwayson_scripts": _scripts,
    "scripts": _operations,
}


def _filled(fields: Mapping[str, Any], name: str, value: Any) -> bool:
    return name in fields and _same(fields[name], value)


def _same(one: Any, other: Any) -> bool:
    # 1 == True in Python, not for a script.
    return one == other and isinstance(one, bool) is isinstance(other, bool)
