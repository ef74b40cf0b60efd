"""What differs between two captures: by path, and in long texts word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from payload_capture.capture import Capture, referred

LONG = 40
"""Characters from which a text that changed is told word by word."""
MAX_WORDS = 2000
"""Words of a text that is compared so: the time grows with their square."""

_COMPARED = ("endpoint", "payload", "template", "resolved", "choices", "labels", "host")
_WORDS = re.compile(r"\w+|\s+|[^\w\s]+")


def compare(a: Capture, b: Capture) -> list[dict[str, Any]]:
    """The differences: `path`, `kind` (changed, added, removed), `a` and `b` as far as they are
    there, and for long texts `words`: pieces that are ``same``, ``removed`` or ``added``.

    Who made them and when is not compared; of the pictures the pixels are, by their hash.
    """
    one, other = a.to_dict(), b.to_dict()
    found = list(_between({n: one[n] for n in _COMPARED}, {n: other[n] for n in _COMPARED}, ""))
    return [*found, *_between(_pixels(one), _pixels(other), "results")]


def _pixels(document: dict[str, Any]) -> list[dict[str, Any]]:
    names = ("sha256", "width", "height", "role", "seed")
    return [{name: result[name] for name in names} for result in document["results"]]


def _between(a: Any, b: Any, path: str) -> Iterator[dict[str, Any]]:
    if isinstance(a, dict) and isinstance(b, dict) and not (referred(a) or referred(b)):
        for name in {**a, **b}:
            below = f"{path}.{name}" if path else name
            yield from _at(below, name in a, a.get(name), name in b, b.get(name))
    elif isinstance(a, list) and isinstance(b, list):
        for index in range(max(len(a), len(b))):
            here, there = index < len(a), index < len(b)
            values = a[index] if here else None, b[index] if there else None
            yield from _at(f"{path}[{index}]", here, values[0], there, values[1])
    elif not _same(a, b):
        yield {"path": path, "kind": "changed", "a": a, "b": b, **_words(a, b)}


def _at(path: str, here: bool, a: Any, there: bool, b: Any) -> Iterator[dict[str, Any]]:
    if here and there:
        yield from _between(a, b, path)
    elif here:
        yield {"path": path, "kind": "removed", "a": a}
    else:
        yield {"path": path, "kind": "added", "b": b}


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) is isinstance(b, bool)


def _words(a: Any, b: Any) -> dict[str, Any]:
    if not (isinstance(a, str) and isinstance(b, str)) or max(len(a), len(b)) < LONG:
        return {}
    one, other = _WORDS.findall(a), _WORDS.findall(b)
    if max(len(one), len(other)) > MAX_WORDS:
        return {}
    return {"words": list(_pieces(one, other))}


def _pieces(a: list[str], b: list[str]) -> Iterator[dict[str, str]]:
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for tag, start, end, there, until in matcher.get_opcodes():
        if tag == "equal":
            yield {"kind": "same", "text": "".join(a[start:end])}
            continue
        if start < end:
            yield {"kind": "removed", "text": "".join(a[start:end])}
        if there < until:
            yield {"kind": "added", "text": "".join(b[there:until])}
