"""What a run consists of: each source, with each row, with each combination of the sweeps."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from . import sweep, template, vary
from .capture import Capture, FormatError
from .source import Named
from .sweep import Axis, Cell
from .tasks import Job, Source
from .template import Row
from .vary import Change

MAX_JOBS = 100_000


@dataclass(frozen=True)
class Plan:
    """The jobs, each with its place on the axes, whose labels stand in `axes`.

    After the axes of the sweeps come the sources and the rows, where there are several of them.
    """

    jobs: list[Job]
    places: list[tuple[int, ...]]
    axes: list[list[str]]


def plan(
    names: Sequence[str],
    endpoint: str | None = None,
    *,
    changes: Sequence[Change] = (),
    axes: Sequence[Axis] = (),
    rows: Sequence[Row] = (),
    urls: bool = False,
) -> Plan:
    """The plan of a run.

    Args:
        names: the sources.
        endpoint: where bare payloads belong.
        changes: what is set in every one of them.
        axes: what is swept; of several the first runs over the columns of a sheet.
        rows: what fills the fields of templates.
        urls: whether pictures that a bare payload names are fetched from the web.

    Raises:
        FormatError: too many jobs.
    """
    cells = sweep.cells(axes)
    filled: Sequence[Row | None] = rows or [None]
    if (count := len(names) * len(filled) * len(cells)) > MAX_JOBS:
        raise FormatError("", f"{count} jobs in one run; {MAX_JOBS} are the most")
    made: list[Job] = []
    places: list[tuple[int, ...]] = []
    for place, name in enumerate(names):
        source = Source(name, endpoint, jobs=len(filled) * len(cells))
        for (line, row), cell in itertools.product(enumerate(filled), cells):
            make = functools.partial(_made, row=row, changes=[*changes, *cell.changes], urls=urls)
            made.append(Job(source, _name(name, row, cell), make, len(made)))
            places.append((*cell.at, *_where(place, names), *_where(line, filled)))
    labels = [axis.labels for axis in axes]
    labels += [list(names)] if len(names) > 1 else []
    labels += [[row.where for row in rows]] if len(rows) > 1 else []
    return Plan(made, places, labels)


def _made(named: Named, row: Row | None, changes: Sequence[Change], urls: bool) -> Capture:
    capture = named.capture
    given = [steps for steps, _ in changes]
    if row is not None:
        if not template.fields(capture.payload):
            raise FormatError("payload", "has no {fields} for --rows to fill")
        given += template.whole(capture.payload)
        capture = template.filled(capture, row)
    capture = vary.varied(capture, changes)
    return dataclasses.replace(named, capture=capture).inlined(urls=urls, but=given)


def _name(name: str, row: Row | None, cell: Cell) -> str:
    parts = [name, row.where if row else "", cell.label]
    return " ".join(part for part in parts if part)


def _where(place: int, several: Sequence[object]) -> tuple[int, ...]:
    return (place,) if len(several) > 1 else ()
