"""Samplers and schedulers of a payload as a server wants them said; the rules are `samplers`'."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .capture import Capture
from .inventory import Inventory, near
from .named import SAME, overrides
from .problem import Problem
from .samplers import AUTOMATIC, OPTION, Offered, Sampling, suited, unscheduled

MAIN = ("sampler_name", "scheduler")
HIRES = ("hr_sampler_name", "hr_scheduler")
INDEX = "sampler_index"
"""The field that is read where `sampler_name` is missing or empty. Source: A1111 v1.6.0, v1.8.0,
v1.9.4 and v1.10.1, Forge dfdcbab6 and reForge 3b56b268, ``modules/api/api.py``."""


@dataclass(frozen=True)
class Pair:
    """The two fields of a payload that say how to sample, as they are and as they should be.

    `here` is None where the server has nothing alike. `payload` is the capture's own, `prefix` the
    path to it.
    """

    prefix: str
    payload: dict[str, Any]
    fields: tuple[str, str]
    made: Sampling
    here: Sampling | None

    @property
    def same(self) -> bool:
        """Whether nothing has to be rewritten."""
        return self.here is not None and _plain(self.here) == _plain(self.made)


def pairs(inventory: Inventory, capture: Capture) -> Iterator[Pair]:
    """Both passes of each request; none where the server lists no samplers."""
    for prefix, _, payload in capture.requests():
        older = _older(payload, capture.host.version)
        first: Sampling | None = None
        for fields, made in _made(payload):
            offered = inventory.offered()
            if offered is None:
                return
            here = suited(made, older, offered)
            if here is None:
                inventory.forget_samplers()
                here = suited(made, older, inventory.offered() or offered)
            if fields == HIRES and here and older:
                here = _apart(here, first)
            yield Pair(prefix, payload, fields, made, here)
            first = here


def _older(payload: dict[str, Any], version: str) -> bool | None:
    """Whether a payload is said as up to v1.8: by what it says itself, else by its origin."""
    if any(_text(payload.get(name)) for name in (MAIN[1], HIRES[1])):
        return False
    if OPTION in overrides(payload):
        return True
    return unscheduled(version)


def _apart(second: Sampling, first: Sampling | None) -> Sampling:
    """The second pass takes the first one's scheduler where it names none; before v1.9 it had its
    own."""
    inherits = second.scheduler is None and first is not None and first.scheduler is not None
    return dataclasses.replace(second, scheduler=AUTOMATIC) if inherits else second


def resampled(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Samplings that the server lacks, would refuse, or would take for another."""
    for pair in pairs(inventory, capture):
        offered = inventory.offered()
        if not pair.same and offered is not None:
            yield from _told(pair, offered)


def _made(payload: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Sampling]]:
    option = overrides(payload).get(OPTION)
    fields = (main_field(payload), MAIN[1])
    main = _read(payload, fields, option)
    if main is not None:
        yield fields, main
    hires = _read(payload, HIRES, option)
    own = _text(payload.get(HIRES[1]))
    if payload.get("enable_hr") is False or not (hires or own):
        return
    if base := hires or main:
        scheduler = own or (main.scheduler if main else None)
        yield HIRES, Sampling(base.sampler, scheduler, base.option)


def main_field(payload: Mapping[str, Any]) -> str:
    """The field that names the sampler of the first pass: the webui looks into both."""
    return MAIN[0] if payload.get(MAIN[0]) or not _text(payload.get(INDEX)) else INDEX


def _read(payload: dict[str, Any], fields: tuple[str, str], option: Any) -> Sampling | None:
    sampler = _text(payload.get(fields[0]))
    return Sampling(sampler, _text(payload.get(fields[1])), _text(option)) if sampler else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value and value not in SAME else None


def _plain(one: Sampling) -> Sampling:
    """Without what says nothing."""
    return Sampling(one.sampler, one.scheduler, one.opted)


def _told(pair: Pair, offered: Offered) -> Iterator[Problem]:
    path, made, here = pair.prefix + pair.fields[0], pair.made, pair.here
    if here is None:
        yield _lacking(path, made, offered)
        return
    if offered.schedulers is None:
        yield from _ignored(pair, here)
    elif made.sampler not in offered.samplers:
        if not offered.splits or pair.fields == HIRES:
            reason = f"the server has no sampler {made.sampler!r}, but {said(here)}"
            yield Problem(path, reason, "blocks", here.sampler)
    elif made.opted:
        reason = f"the server's samplers know no {OPTION}, and say {said(here)} for it"
        yield Problem(f"{pair.prefix}override_settings.{OPTION}", reason, "blocks", here.scheduler)
    else:
        reason = f"{made.sampler!r} was without a schedule of its own, which here is {said(here)}"
        yield Problem(path, reason, "pixels", here.scheduler)


def said(one: Sampling) -> str:
    """A sampling in words."""
    text = repr(one.sampler)
    text += f" with the scheduler {one.scheduler!r}" if one.scheduler else ""
    return text + (f" with {OPTION} {one.opted!r}" if one.opted else "")


def _lacking(path: str, made: Sampling, offered: Offered) -> Problem:
    full = f"{made.sampler} {made.scheduler}" if made.scheduler else made.sampler
    close = near(full, offered.samplers)
    if made.sampler not in offered.samplers:
        return Problem(path, f"the server has no sampler {made.sampler!r}", "blocks", close)
    reason = f"the server has no schedule for {said(made)}, and would silently use another"
    return Problem(path, reason, "blocks", close or made.sampler)


def _ignored(pair: Pair, here: Sampling) -> Iterator[Problem]:
    """Up to v1.8 the field `scheduler` is unknown; where that changes nothing, nothing is said."""
    if here.sampler == pair.made.sampler and not here.opted:
        return
    reason = f"the server knows no schedulers and would silently ignore it; it has {said(here)}"
    yield Problem(pair.prefix + pair.fields[1], reason, "blocks", here.sampler)
