"""Places in a payload, as they are written: ``alwayson_scripts.controlnet.args[0].weight``.

A name stands as it is, spaces and slashes included; one that holds a dot, a bracket, a quotation
mark or ``=`` is a JSON string in brackets: ``alwayson_scripts["A.B (v1.2)"].args[0]``. Entries of
lists are counted from 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from .capture import FormatError

Step = str | int
LONGEST = 1000
"""Characters of a path beyond which it is none."""

_NAME = r'[^.\[\]"=]+'
_QUOTED = r'\["(?:[^"\\]|\\.)*"\]'
_FIRST = re.compile(f"{_NAME}|{_QUOTED}")
_NEXT = re.compile(rf"\.{_NAME}|\[\d{{1,9}}\]|{_QUOTED}")
_HOW = 'write name.inner[0] or name["a.b"].inner'


def parse(path: str) -> list[Step]:
    """The steps of a path: names as text, places in lists as numbers. Raises FormatError."""
    steps, end = _read(path)
    if not steps or end != len(path):
        raise FormatError(path[:80], f"no path from its character {end + 1} on; {_HOW}")
    return steps


def assigned(text: str, option: str) -> tuple[list[Step], str]:
    """The path and the value of ``path=value``, apart at the first ``=`` outside quotation marks.

    Raises:
        FormatError: it does not begin with a path and ``=``; `option` is named in the error.
    """
    steps, end = _read(text)
    if not steps or text[end : end + 1] != "=":
        raise FormatError(f"{option} {text[:80]}", f"expected PATH=VALUE; {_HOW}")
    return steps, text[end + 1 :]


def written(steps: Sequence[Step]) -> str:
    """The path of these steps, in the one spelling that `parse` reads back."""
    return "".join(_written(step) for step in steps).removeprefix(".")


def _read(text: str) -> tuple[list[Step], int]:
    """The steps at the start of a text, and where they end."""
    if len(text.partition("=")[0]) > LONGEST:
        return [], 0
    found = list(_found(text))
    return [step for step, _ in found], found[-1][1] if found else 0


def _found(text: str) -> Iterator[tuple[Step, int]]:
    match = _FIRST.match(text)
    while match is not None:
        try:
            yield _step(match[0]), match.end()
        except ValueError:  # an escape that JSON does not know
            return
        match = _NEXT.match(text, match.end())


def _step(text: str) -> Step:
    if text.startswith('["'):
        return str(json.loads(text[1:-1], strict=False))
    return int(text[1:-1]) if text.startswith("[") else text.removeprefix(".")


def _written(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(_NAME, step) else f"[{json.dumps(step)}]"
