"""What differs between two captures: by path, and in long texts word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from payload_capture.capture import Capture, referred

LONG = 40
"""Characters from which a text that changed is told word by word."""
MAX_WORDS = 2000
"""Words that are compared so, between the first and the last that differ: the time grows with
their square."""

Kind = Literal["changed", "added", "removed"]
Piece = dict[str, str]

_COMPARED = ("endpoint", "payload", "template", "resolved", "choices", "labels", "host")
_NAMED = {"extensions": "name", "loras": "title"}
"""Lists of the host's whose items have names: one more must not change all that follow."""
_WORDS = re.compile(r"\w+|\s+|[^\w\s]+")


@dataclass(frozen=True)
class Difference:
    """A place where two captures differ, by the keys that lead to it; what is not there is None.

    `words` are the pieces of a long text: ``same``, ``removed`` or ``added``; else it is empty.
    """

    keys: tuple[str | int, ...]
    kind: Kind
    a: Any = None
    b: Any = None
    words: tuple[Piece, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A JSON object: `path`, `kind`, `a` and `b` as far as they are there, and `words`."""
        told: dict[str, Any] = {"path": path(self.keys), "kind": self.kind}
        if self.kind != "added":
            told["a"] = self.a
        if self.kind != "removed":
            told["b"] = self.b
        return told | ({"words": list(self.words)} if self.words else {})


def compare(a: Capture, b: Capture) -> list[dict[str, Any]]:
    """The differences as JSON objects."""
    return [one.to_dict() for one in differences(a, b)]


def differences(a: Capture, b: Capture) -> Iterator[Difference]:
    """Where two captures differ.

    Who made them and when is not compared; of the pictures the pixels are, by their hash.
    """
    one, other = _compared(a.to_dict()), _compared(b.to_dict())
    yield from _between(one, other, ())


def path(keys: tuple[str | int, ...]) -> str:
    """Keys as one writes them: ``payload.args[1].x``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".")


def _compared(document: dict[str, Any]) -> dict[str, Any]:
    found = {name: document[name] for name in _COMPARED}
    found["host"] = {name: _named(name, value) for name, value in document["host"].items()}
    names = ("sha256", "width", "height", "role", "seed")
    pixels = [{name: result[name] for name in names} for result in document["results"]]
    return found | {"results": pixels}


def _named(field: str, value: Any) -> Any:
    if field not in _NAMED:
        return value
    return {item[_NAMED[field]]: item for item in value}


def _between(a: Any, b: Any, keys: tuple[str | int, ...]) -> Iterator[Difference]:
    if isinstance(a, dict) and isinstance(b, dict) and not (referred(a) or referred(b)):
        for name in {**a, **b}:
            yield from _at((*keys, name), name in a, a.get(name), name in b, b.get(name))
    elif isinstance(a, list) and isinstance(b, list):
        for index in range(max(len(a), len(b))):
            here, there = index < len(a), index < len(b)
            values = a[index] if here else None, b[index] if there else None
            yield from _at((*keys, index), here, values[0], there, values[1])
    elif not _same(a, b):
        yield Difference(keys, "changed", a, b, _words(a, b))


def _at(
    keys: tuple[str | int, ...], here: bool, a: Any, there: bool, b: Any
) -> Iterator[Difference]:
    if here and there:
        yield from _between(a, b, keys)
    elif here:
        yield Difference(keys, "removed", a=a)
    else:
        yield Difference(keys, "added", b=b)


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) is isinstance(b, bool)


def _words(a: Any, b: Any) -> tuple[Piece, ...]:
    if not (isinstance(a, str) and isinstance(b, str)) or max(len(a), len(b)) < LONG:
        return ()
    one, other = _WORDS.findall(a), _WORDS.findall(b)
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    ours, theirs = one[start : len(one) - end], other[start : len(other) - end]
    if max(len(ours), len(theirs)) > MAX_WORDS:
        return ()
    same = [[{"kind": "same", "text": "".join(w)}] for w in (one[:start], one[len(one) - end :])]
    pieces = (*same[0], *_pieces(ours, theirs), *same[1])
    return tuple(piece for piece in pieces if piece["text"])


def _alike(a: list[str], b: list[str]) -> int:
    """How many words are the same from the beginning on."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(a), len(b)))


def _pieces(a: list[str], b: list[str]) -> Iterator[Piece]:
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for tag, start, end, there, until in matcher.get_opcodes():
        if tag == "equal":
            yield {"kind": "same", "text": "".join(a[start:end])}
            continue
        if start < end:
            yield {"kind": "removed", "text": "".join(a[start:end])}
        if there < until:
            yield {"kind": "added", "text": "".join(b[there:until])}
