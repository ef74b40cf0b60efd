"""Templates: a payload with fields such as ``{animal}``, and the rows that fill them.

A field is a name in braces, of letters, digits, ``_``, ``-`` and spaces, a letter first.
``{{animal}}`` stands for the text ``{animal}``; every other brace is only a brace, so that
``{red|blue}`` stays what it is to Dynamic Prompts. A field that is a whole text takes its value
with its type: a number in JSONL, or in CSV what reads as JSON (in a field of the API that holds
text, always the text). Values are never searched for fields again.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import attachments, contents, paths, vary
from .capture import Capture, FormatError, escaped, referred
from .errors import BadSource
from .paths import Step

MAX_BYTES = 64 * 2**20
"""Size of a file of rows, in bytes, beyond which it is not read."""
MAX_ROWS = 100_000

_NAME = r"[^\W\d_][\w -]{0,79}"
_FIELD = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")


@dataclass(frozen=True)
class Row:
    """The values of the line `where`: `typed` where they are JSON's own, else text."""

    where: str
    values: Mapping[str, Any]
    typed: bool
    folder: Path | None = None


def rows(path: Path) -> list[Row]:
    """The rows of a CSV file (``.csv``, first line the names) or of JSONL (an object a line).

    Raises:
        BadSource: the file cannot be read, or is neither.
        FormatError: a line that is wrong, by its number.
    """
    read = {".csv": _from_csv, ".jsonl": _from_jsonl, ".ndjson": _from_jsonl}
    if path.suffix.lower() not in read:
        raise BadSource(f"{path}: rows come from a .csv or a .jsonl file")
    found: list[Row] = []
    for row in read[path.suffix.lower()](_text(path), path):
        found.append(row)
        if len(found) > MAX_ROWS:
            raise FormatError(str(path), f"more than {MAX_ROWS} rows, which are the most")
    if not found:
        raise FormatError(str(path), "holds no rows")
    return found


def filled(capture: Capture, row: Row) -> Capture:
    """The capture with each field of its payload's texts filled from `row`.

    Raises:
        FormatError: a field that the row does not have, or whose value is no part of a text.
        BadSource: a picture that the row names cannot be had.
    """
    changed: list[str] = []

    def change(text: str, steps: Sequence[Step]) -> Any:
        value = _filled(text, steps, row)
        if value != text:
            changed.append(paths.written(steps))
        return value

    payload = _walked(capture.payload, [], change)
    return vary.made_of(capture, payload, changed) if changed else capture


def fields(payload: Any) -> set[str]:
    """The names of the fields in all texts of a payload."""
    matches = (match for text, _ in _texts(payload) for match in _FIELD.finditer(text))
    return {match[2] for match in matches if match[2]}


def whole(payload: Any) -> list[Sequence[Step]]:
    """The places whose text is nothing but one field: a row gives all that stands there."""
    return [steps for text, steps in _texts(payload) if _alone(text) is not None]


def _alone(text: str) -> str | None:
    """The name of the field that a text consists of, if it is one."""
    match = _FIELD.fullmatch(text)
    return match[2] if match else None


def _texts(payload: Any) -> list[tuple[str, Sequence[Step]]]:
    """The texts of a payload that may hold fields, and where they stand."""
    found: list[tuple[str, Sequence[Step]]] = []
    _walked(payload, [], lambda text, steps: found.append((text, steps)))
    return found


def _walked(value: Any, steps: list[Step], change: Callable[[str, Sequence[Step]], Any]) -> Any:
    if isinstance(value, str):
        return change(value, steps) if "{" in value else value
    if referred(value) is not None:
        return value
    if isinstance(value, dict):
        return {
            key: _walked(item, [*steps, vary.shown(key)], change) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_walked(item, [*steps, index], change) for index, item in enumerate(value)]
    return value


def _filled(text: str, steps: Sequence[Step], row: Row) -> Any:
    if (name := _alone(text)) is not None:
        value = _value(row, name, steps)
        if not row.typed:
            value = vary.read_value(steps, value)
        return escaped(attachments.given(value, steps, row.folder))
    return _FIELD.sub(lambda m: f"{{{m[1]}}}" if m[1] else _spelt(row, m[2], steps), text)


def _value(row: Row, name: str, steps: Sequence[Step]) -> Any:
    try:
        return row.values[name]
    except KeyError:
        known = ", ".join(map(str, row.values)) or "nothing"
        raise FormatError(
            f"{row.where}: {paths.written(steps)}",
            f"no value for {{{name}}} (it has {known}); write {{{{{name}}}}} for the text itself",
        ) from None


def _spelt(row: Row, name: str, steps: Sequence[Step]) -> str:
    """A value inside a longer text."""
    value = _value(row, name, steps)
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (list, dict)):
        kind = "null" if value is None else f"a {type(value).__name__}"
        raise FormatError(f"{row.where}: {name}", f"{kind} cannot stand inside a text")
    return json.dumps(value)


def _from_csv(text: str, path: Path) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(lines, [])]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise FormatError(f"{path}: line 1", f"the column {twice!r} is there twice")
        end = lines.line_num
        for cells in lines:
            # A quoted value may hold line breaks: the row begins after the one before.
            where, end = f"{path}: line {end + 1}", lines.line_num
            if len(cells) > len(names):
                raise FormatError(where, f"{len(cells)} values for {len(names)} columns")
            if cells:
                yield Row(where, dict(zip(names, cells, strict=False)), False, path.parent)
    except csv.Error as error:
        raise FormatError(f"{path}: line {lines.line_num}", f"no CSV: {error}") from error


def _from_jsonl(text: str, path: Path) -> Iterator[Row]:
    # Not `splitlines`, which also ends a line at characters that JSON has inside of texts.
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{path}: line {number}"
        if not line.strip():
            continue
        try:
            values = vary.read_json(line)
        except (ValueError, RecursionError) as error:
            raise FormatError(where, f"no JSON: {error}") from error
        if not isinstance(values, dict):
            raise FormatError(where, "each line must be a JSON object of names and values")
        vary.check_depth(values, where)
        yield Row(where, values, True, path.parent)


def _text(path: Path) -> str:
    try:
        return contents.read(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSource(f"{path}: no UTF-8 text ({error.reason} at byte {error.start})") from error
