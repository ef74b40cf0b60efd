"""The options that vary a capture, and what they say."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from payload_replay import attachments, files, sheet, sweep, template, vary
from payload_replay.batch import Outcome
from payload_replay.errors import BadSource
from payload_replay.images import NotAPicture, opened
from payload_replay.plan import Plan, plan
from payload_replay.vary import Change

Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Send it with this value: JSON or text; a picture as file:NAME or its address.",
    ),
]
Sweeps = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep",
        metavar="PATH=VALUES",
        help="Send it with each of these: a,b,c or start:stop:step; several are combined.",
    ),
]
Rows = Annotated[
    Path | None,
    typer.Option("--rows", help="CSV or JSONL: send it once a row, with its {fields} filled."),
]
Sheet = Annotated[
    Path | None, typer.Option("--sheet", help="A new picture that shows the sweep as a table.")
]
Fetch = Annotated[
    bool, typer.Option("--fetch", help="Fetch pictures that a bare payload names by address.")
]


def changes(texts: Sequence[str] | None) -> list[Change]:
    """What ``--set`` says, with its pictures read. Raises FormatError, BadSource."""
    parsed = (vary.parsed(text) for text in texts or ())
    return [(steps, attachments.given(value, steps)) for steps, value in parsed]


def planned(
    sources: Sequence[str],
    endpoint: str | None,
    sets: Sequence[str] | None,
    sweeps: Sequence[str] | None,
    rows: Path | None,
    fetch: bool,
) -> Plan:
    """The plan that these options say. Raises FormatError, BadSource."""
    axes = [sweep.parse(text) for text in sweeps or ()]
    return plan(
        sources,
        endpoint,
        changes=changes(sets),
        axes=[_with_pictures(axis) for axis in axes],
        rows=template.rows(rows) if rows is not None else (),
        urls=fetch,
    )


def _with_pictures(axis: sweep.Axis) -> sweep.Axis:
    """The pictures that an axis names, read; its labels go on naming them."""
    values = [attachments.given(value, axis.steps) for value in axis.values]
    return dataclasses.replace(axis, values=values)


_SHEETS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


class Contacts:
    """The contact sheet of a run, into the file `path`; without one, nothing.

    Raises:
        BadSource: there is such a file, or nothing to show: told before anything is sent.
    """

    def __init__(self, path: Path | None, plan: Plan) -> None:
        self._path, self._plan = path, plan
        self._cells: dict[sheet.At, sheet.Cell] = {}
        self._edge = sheet.edge(plan.axes)
        if path is None:
            return
        if path.exists():
            raise BadSource(f"--sheet {path}: exists, and is not overwritten: name another")
        if path.suffix.lower() not in _SHEETS or not path.parent.is_dir():
            raise BadSource(f"--sheet {path}: a .png or .jpg in a folder that exists")
        if not plan.axes:
            raise BadSource("--sheet shows a --sweep, several sources or --rows; there is one job")
        sheet.check(plan.axes)

    def shown(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """The outcomes, unchanged; a small copy of their pictures is kept."""
        for outcome in outcomes:
            if self._path is not None:
                self._cells[self._plan.places[outcome.index]] = self._cell(outcome)
            yield outcome

    def save(self) -> None:
        """Write the sheet, if there is to be one. Raises FormatError, OSError."""
        if self._path is None:
            return
        drawn = sheet.draw(self._plan.axes, self._cells)
        buffer = io.BytesIO()
        drawn.save(buffer, _SHEETS[self._path.suffix.lower()])
        files.create(self._path, buffer.getvalue())

    def _cell(self, outcome: Outcome) -> sheet.Cell:
        if outcome.record is not None:
            return self._of_files(outcome.record.get("files") or [])
        if outcome.replay is None or not outcome.replay.pictures:
            return sheet.Cell(note=f"{outcome.verdict}: {outcome.reason}")
        images = [picture.image for picture in outcome.replay.samples]
        return sheet.Cell(sheet.small(images, self._edge))

    def _of_files(self, names: Sequence[str]) -> sheet.Cell:
        """What an earlier run made, where it saved that."""
        try:
            found = [opened(Path(name).read_bytes()) for name in names]
        except (OSError, NotAPicture) as error:
            return sheet.Cell(note=f"made before, but {error}")
        if not found:
            return sheet.Cell(note="made before, and not saved: use --out")
        return sheet.Cell(sheet.small(found, self._edge))
