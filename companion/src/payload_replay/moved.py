"""Script arguments that stand elsewhere in another version of the script, found by their labels.

A request has a script's arguments as a bare list, so an argument that an update put in between
moves all behind it. A capture knows the labels that its host showed beside them, and
``/sdapi/v1/script-info`` those of the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .arguments import Argument, Call, calls, place
from .capture import Capture
from .changes import Change
from .inventory import Inventory
from .problem import Problem


class _Both(NamedTuple):
    """A call with what its host and the server (`told`) show beside its arguments."""

    call: Call
    here: list[str]
    there: list[str]
    told: list[Argument]

    def place(self, index: int) -> int | None:
        """Where the server has an argument; None where its label does not tell."""
        label = self.here[index]
        if self.here.count(label) == self.there.count(label):
            which = self.here[:index].count(label)
            return [at for at, name in enumerate(self.there) if name == label][which]
        return index if self.there[: index + 1] == self.here[: index + 1] else None

    @property
    def places(self) -> list[int | None]:
        """Of each argument that is sent."""
        return [self.place(index) for index in range(len(self.call.args))]


def moved(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Scripts that have something else where the capture has its arguments."""
    for both in _known(inventory, capture):
        told = [_told(both, at, found) for at, found in enumerate(both.places) if found != at]
        if told:
            more = ", …" if len(told) > 3 else ""
            reason = "the server's version of the script has other arguments there: "
            yield Problem(both.call.path, reason + ", ".join(told[:3]) + more, "pixels")


def rearranged(inventory: Inventory, capture: Capture) -> Iterator[Change]:
    """Put arguments where the server has them, if it has each; it fills in those it has more.

    The payload is changed, and what the capture says of places and labels with it.
    """
    for both in list(_known(inventory, capture)):
        call = both.call
        places = [found for found in both.places if found is not None]
        complete = call.always_on or len(call.args) == len(both.told)  # of those it fills in more
        if len(places) < len(call.args) or (complete and places == list(range(len(places)))):
            continue
        before = list(call.args)
        call.args[:] = [told.get("value") for told in both.told]
        for index, value in zip(places, before, strict=True):
            call.args[index] = value
        capture.labels[call.title] = both.there
        _follow(capture, call, places)
        why = "the server's version of the script has its arguments in other places"
        yield Change(call.path, before, list(call.args), why)


def _known(inventory: Inventory, capture: Capture) -> Iterator[_Both]:
    """Each call whose labels both sides know."""
    for call in calls(capture):
        told = inventory.arguments(call.tab, call.title.lower())
        here = capture.labels.get(call.title)
        if told and here and len(call.args) <= len(here):
            yield _Both(call, here, [str(one.get("label") or "") for one in told], [*told])


def _told(both: _Both, index: int, found: int | None) -> str:
    name = repr(both.here[index] or "an argument without a label")
    if found is not None:
        return f"{name} is the argument {found} instead of {index}"
    instead = both.there[index : index + 1]
    return f"{name}, {index}, is " + (repr(instead[0]) if instead else "not there")


def _follow(capture: Capture, call: Call, places: Sequence[int]) -> None:
    """Let the names of chosen places follow their arguments."""
    spots = {path: place(capture, path) for path in capture.choices}
    mine = {path: spot for path, spot in spots.items() if spot and spot.call.path == call.path}
    names = {path: capture.choices.pop(path) for path in mine}
    for path, spot in mine.items():
        if spot.index < len(places):
            more = "" if spot.several is None else f"[{spot.several}]"
            capture.choices[f"{call.path}[{places[spot.index]}]{more}"] = names[path]
