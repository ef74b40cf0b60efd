"""Sweeps: some places of a payload, each with several values, and every combination of them.

``steps=10,20,30`` lists values; ``cfg_scale=5:9:2`` is a range ``start:stop:step``, here 5, 7, 9:
the stop is among the values where the steps hit it, and a step left out is 1. A range of whole
numbers gives whole numbers; others are counted in decimals: ``0:1:0.1`` has 0.3, and no
0.30000000000000004.
Values that hold commas are quoted as in CSV, or given as a JSON list: ``prompt=["a, b","c"]``.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from . import paths, vary
from .capture import FormatError
from .paths import Step
from .vary import Change

MAX_VALUES = 1_000
"""Values of one axis."""
MAX_CELLS = 10_000
"""Combinations of all axes."""

_NUMBER = r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}))?")


@dataclass(frozen=True)
class Axis:
    """One place in the payload, the values that it takes, and what stands over each of them."""

    steps: Sequence[Step]
    values: list[Any]
    labels: list[str]


@dataclass(frozen=True)
class Cell:
    """One combination: the place of its value on each axis, and the changes that it makes."""

    at: tuple[int, ...]
    changes: list[Change]
    label: str


def parse(text: str) -> Axis:
    """The axis that ``path=values`` says. Raises FormatError."""
    steps, values = paths.assigned(text, "--sweep")
    path = paths.written(steps)
    read = _values(steps, values, path)
    if not read:
        raise FormatError(path, "a sweep of no values; write path=first,second")
    return Axis(steps, read, [f"{path}={value_text(value)}" for value in read])


def cells(axes: Sequence[Axis]) -> list[Cell]:
    """Every combination, the last axis changing fastest; one without changes for no axes.

    Raises:
        FormatError: too many, or two axes that change the same place.
    """
    if (count := math.prod(len(axis.values) for axis in axes)) > MAX_CELLS:
        raise FormatError("--sweep", f"{count} combinations; {MAX_CELLS} are the most")
    names = [paths.written(axis.steps) for axis in axes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise FormatError(twice, "is swept twice; give its values in one list")
    return [_cell(axes, at) for at in itertools.product(*(range(len(a.values)) for a in axes))]


def value_text(value: Any) -> str:
    """A value as a label shows it, a long one by its length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:60]}… ({len(text)} characters)"


def _cell(axes: Sequence[Axis], at: tuple[int, ...]) -> Cell:
    chosen = list(zip(axes, at, strict=True))
    changes: list[Change] = [(axis.steps, axis.values[index]) for axis, index in chosen]
    return Cell(at, changes, " ".join(axis.labels[index] for axis, index in chosen))


def _values(steps: Sequence[Step], text: str, path: str) -> list[Any]:
    if text.lstrip().startswith("["):
        listed = vary.read_value([], text)
        if isinstance(listed, list):
            return _few(iter(listed), path)
    return _few(_listed(steps, text, path), path)


def _few(values: Iterator[Any], path: str) -> list[Any]:
    some = list(itertools.islice(values, MAX_VALUES + 1))
    if len(some) > MAX_VALUES:
        raise FormatError(path, f"more than {MAX_VALUES} values, which are the most")
    return some


def _listed(steps: Sequence[Step], text: str, path: str) -> Iterator[Any]:
    for item in _split(text, path):
        found = None if vary.is_text(steps) else _RANGE.fullmatch(item)
        if found is None:
            yield vary.read_value(steps, item)
        else:
            yield from _range(found, path)


def _split(text: str, path: str) -> list[str]:
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise FormatError(path, f"{text[:80]!r}: {error}; quote values as in CSV") from error
    return rows[0] if rows else []


def _range(found: re.Match[str], path: str) -> Iterator[int | float]:
    first, last, step = found.groups()
    start, stop = Decimal(first), Decimal(last)
    by = Decimal(step) if step else Decimal(1 if start <= stop else -1)
    if by == 0 or (by > 0) is not (stop >= start):
        raise FormatError(path, f"{found[0]} never arrives; a range is start:stop:step")
    whole = all(number == number.to_integral_value() for number in (start, by))
    current = start
    while current <= stop if by > 0 else current >= stop:
        yield int(current) if whole else float(current)
        current += by
