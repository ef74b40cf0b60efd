"""The arguments of scripts: where they lie in a payload, and what a server says of them.

A script's arguments are a bare list. ``/sdapi/v1/script-info`` tells how many it takes, their
labels, ranges and choices (A1111 v1.6.0 on).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .capture import Capture
from .inventory import Inventory, near
from .named import tab_of
from .problem import Problem

_PLACE = re.compile(
    r"(?:requests\[\d{1,9}\]\.payload\.)?"
    r"(?:script_args|alwayson_scripts\..+\.args)\[(\d{1,9})\](?:\[(\d{1,9})\])?"
)
Argument = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A script that a payload calls: `path` leads to its `args`; `title` as the payload has it."""

    path: str
    tab: str
    title: str
    args: list[Any]
    always_on: bool


@dataclass(frozen=True)
class Place:
    """One argument: of which call, at which index; `several` is its place in a list of choices."""

    call: Call
    index: int
    several: int | None = None

    @property
    def value(self) -> Any:
        """What stands there. Raises LookupError or TypeError where there is nothing."""
        value = self.call.args[self.index]
        return value if self.several is None else value[self.several]

    def put(self, value: Any) -> None:
        """Change the payload that the call was read from."""
        if self.several is None:
            self.call.args[self.index] = value
        else:
            self.call.args[self.index][self.several] = value


def calls(capture: Capture) -> Iterator[Call]:
    """Each script that is called with arguments."""
    for prefix, endpoint, payload in capture.requests():
        tab, name = tab_of(endpoint), payload.get("script_name")
        args = payload.get("script_args")
        if isinstance(name, str) and name and isinstance(args, list):
            yield Call(f"{prefix}script_args", tab, name, args, False)
        always_on = payload.get("alwayson_scripts")
        for title, told in always_on.items() if isinstance(always_on, dict) else ():
            args = told.get("args") if isinstance(told, dict) else None
            if isinstance(args, list):
                yield Call(f"{prefix}alwayson_scripts.{title}.args", tab, title, args, True)


def place(capture: Capture, path: str) -> Place | None:
    """The argument that a path such as ``script_args[0]`` names; None where it names none."""
    found = _PLACE.fullmatch(path)
    if found is None:
        return None
    where = path[: found.start(1) - 1]
    several = int(found[2]) if found[2] else None
    call = next((one for one in calls(capture) if one.path == where), None)
    return Place(call, int(found[1]), several) if call else None


def shifted(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Numbers among arguments that stand for something else on the server."""
    for path, name in capture.choices.items():
        spot = place(capture, path)
        choices = spot and inventory.choices(spot.call.tab, spot.call.title.lower(), spot.index)
        if spot and choices and (there := _named_there(spot, choices)) != name:
            reason = f"stands for {name!r} where it was captured, for {there!r} here"
            yield Problem(path, reason, "blocks", near(name, choices))


def _named_there(spot: Place, choices: list[str]) -> str:
    try:
        value = spot.value
        return choices[value] if value >= 0 else "nothing"
    except (LookupError, TypeError):
        return "nothing"


def short(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Lists of a selected script that are shorter than the server's script takes.

    Such a list takes the place of as long a one, and what is behind moves up: the script gets the
    next one's arguments, or, as the last one, too few, which is a 500 (``init_script_args`` of
    A1111 v1.6.0 to v1.10.1, Forge and reForge).
    """
    for call in calls(capture):
        known = None if call.always_on else inventory.arguments(call.tab, call.title.lower())
        if reason := _too_few(call, known or []):
            yield Problem(call.path, f"{reason}; it would fail, or take another script's for them")


def unfit(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Lists of another length than the server's script takes, and values that its inputs cannot
    have had, by which a list in another order shows."""
    for call in calls(capture):
        known = inventory.arguments(call.tab, call.title.lower())
        if known is not None:
            yield from _too_many(call, known)
            if call.always_on and (reason := _too_few(call, known)):
                yield Problem(call.path, f"{reason}; it fills them in", "cosmetic")
            yield from _misplaced(call, known, capture)


def _too_many(call: Call, known: list[dict[str, Any]]) -> Iterator[Problem]:
    """They are left out without a word (A1111 v1.10.1, ``init_script_args``)."""
    sent, there = len(call.args), len(known)
    if sent > there:
        reason = f"holds {sent} arguments, the server's script takes {there}"
        yield Problem(call.path, f"{reason}; it ignores {_labels(call.args[there:])}", "pixels")


def _too_few(call: Call, known: list[dict[str, Any]]) -> str:
    """What is not sent, in words."""
    sent, there = len(call.args), len(known)
    if sent >= there:
        return ""
    left = ", ".join(_label(one) for one in known[sent : sent + 3])
    left += ", …" if there - sent > 3 else ""
    return f"holds {sent} arguments, the server's script takes {there}; not sent: {left}"


def _labels(values: list[Any]) -> str:
    text = ", ".join(repr(value)[:40] for value in values[:3])
    return text + (", …" if len(values) > 3 else "")


def _misplaced(call: Call, known: list[dict[str, Any]], capture: Capture) -> Iterator[Problem]:
    for index, (value, told) in enumerate(zip(call.args, known, strict=False)):
        path = f"{call.path}[{index}]"
        if path not in capture.choices and (why := _misfit(value, told)):
            choices = told.get("choices") or ()
            close = near(value, choices) if isinstance(value, str) else None
            yield Problem(
                path, f"{value!r:.60} is no {_label(told)} of the server: {why}", "pixels", close
            )


def _misfit(value: Any, told: Argument) -> str:
    """Why an input cannot hold a value, as far as script-info tells; "" where it may.

    A number can be the place of a choice, and a default need not be among those listed: only
    another text that is not is told.
    """
    low, high, default = told.get("minimum"), told.get("maximum"), told.get("value")
    choices = told.get("choices")
    if isinstance(default, bool) and isinstance(value, str):
        return "it takes true or false"
    if choices and isinstance(value, str) and value != default and value not in choices:
        return f"it has {_few(choices)}"
    if not _number(low) or not _number(high):
        return ""
    if isinstance(value, (str, bool)):
        return f"it takes a number from {low!r:.20} to {high!r:.20}"
    if _number(value) and not low <= value <= high:
        return f"it goes from {low!r:.20} to {high!r:.20}"
    return ""


def _few(choices: list[Any]) -> str:
    return ", ".join(map(repr, choices[:4])) + (", …" if len(choices) > 4 else "")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _label(told: Argument) -> str:
    return repr(str(told.get("label") or "argument without a label"))
