"""A payload as a tree that the page's script draws piece by piece: JSON without endless text.

A value becomes a node: ``{"object": [[key, node], ...], "length": n}``, ``{"list": [...],
"length": n}`` (of both the first `PORTION` entries, or none where the drawing has become long
already), ``{"text": ..., "length": n}`` (`text` cut), ``{"value": "7.0"}`` for what JSON writes
without quotes, as Python writes it (a script would show 7.0 as 7 and lose the digits of large
seeds), or ``{"picture": source, ...}``. A source is what the script sends back to see a picture:
the asset's sha256, or the place of a string that holds one as base64, as API clients put them into
arguments. An argument of a script has its ``label`` too, and where its number is a place in a list
of choices, the ``choice``.

Where something is, two things say: `root`, one of `ROOTS`, and its path, the keys and numbers from
there on, without the format's escape.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from payload_capture.capture import Capture, inline, referred
from payload_capture.pictures import encoded_type

ROOTS = ("payload", "template", "resolved")
"""The parts of a capture that are drawn as trees."""
PORTION = 100
"""Entries of a list or an object that are sent at once."""
BUDGET = 400
"""Nodes of one drawing from which on the script has to ask for what is in a list."""
CUT = 600
"""Characters of a text that are shown until somebody asks for all."""
CUT_DATA = 60
"""The same for text that nobody reads: base64 and the like."""
MAX_HITS = 1000
"""Places of a search that are told; all are counted."""
LEAST = 64
"""Bytes that a value of a request counts as at least: many small ones take their time as well."""
AROUND = 60
"""Characters that are told on each side of what was found in a text's unseen part."""

_WORDLESS = re.compile(r"[A-Za-z0-9+/=_-]{120}")

Node = dict[str, Any]
Path = list[Any]


def tree(capture: Capture, root: str = "payload") -> Node:
    """What stands at the root, its long lists and its depths left for later."""
    return Drawing(capture, root).node(getattr(capture, root), [])


def portion(
    capture: Capture, root: str, path: Sequence[Any], start: int, stop: int
) -> list[tuple[Any, Node]]:
    """The entries from `start` to `stop` of a list or an object, at most `PORTION`.

    Raises LookupError where there is none.
    """
    value = value_at(capture, root, path)
    if not isinstance(value, (dict, list)):
        raise LookupError("there is no list at this place")
    stop = min(stop, start + PORTION)
    return Drawing(capture, root).entries(value, list(path), start, stop)


class Drawing:
    """Draws values of a capture as nodes, in detail until they are `BUDGET`."""

    def __init__(self, capture: Capture, root: str) -> None:
        self._capture = capture
        self._root = root
        self._left = BUDGET

    def node(self, value: Any, path: Path) -> Node:
        self._left -= 1
        if (sha256 := referred(value)) is not None:
            asset = self._capture.assets[sha256]
            size = [asset.width, asset.height]
            return {"picture": sha256, "type": asset.media_type, "size": size, "bytes": asset.size}
        if isinstance(value, dict):
            return {"object": self._within(value, path), "length": len(value)}
        if isinstance(value, list):
            items = [node for _, node in self._within(value, path)]
            return {"list": items, "length": len(value)}
        if isinstance(value, str):
            return self._text(value, path)
        return {"value": json.dumps(value)}

    def _within(self, value: Any, path: Path) -> list[tuple[Any, Node]]:
        if path and self._left < min(len(value), PORTION):
            return []
        return self.entries(value, path, 0, PORTION)

    def entries(self, value: Any, path: Path, start: int, stop: int) -> list[tuple[Any, Node]]:
        """Each (key, node) of a part of an object or a list."""
        labels = labels_at(self._capture, self._root, path) if isinstance(value, list) else []
        made = []
        for number, (key, item) in enumerate(itertools.islice(items(value), start, stop), start):
            here = [*path, key]
            node = self.node(item, here)
            if number < len(labels) and labels[number]:
                node["label"] = labels[number]
            if "value" in node and (choice := self._choice(here)):
                node["choice"] = choice
            made.append((key, node))
        return made

    def _choice(self, path: Path) -> str | None:
        choices = self._capture.choices if self._root == "payload" else {}
        return choices.get(written(path)) if choices else None

    def _text(self, value: str, path: Path) -> Node:
        if media_type := encoded_type(value):
            source = {"capture": self._capture.id, "root": self._root, "path": path}
            return {"picture": source, "type": media_type, "bytes": len(value) * 3 // 4}
        wordless = len(value) > CUT and _WORDLESS.match(value)
        return {"text": value[: CUT_DATA if wordless else CUT], "length": len(value)}


def items(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each key, as the payload has it, and what it holds; of a list each number."""
    if isinstance(value, list):
        return iter(enumerate(value))
    return ((key.removeprefix("$"), item) for key, item in value.items())


def written(path: Sequence[Any]) -> str:
    """A path as the capture's own places are written: ``script_args[0]``."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(parts).removeprefix(".")


def labels_at(capture: Capture, root: str, path: Sequence[Any]) -> list[str]:
    """What the page shows beside each argument of the script whose arguments stand at `path`."""
    if not capture.labels or root != "payload" or not path:
        return []
    title: Any = None
    if len(path) > 2 and path[-3] == "alwayson_scripts" and path[-1] == "args":
        title = path[-2]
    elif path[-1] == "script_args":
        title = value_at(capture, root, path[:-1]).get("script_name")
    known = {name.lower(): labels for name, labels in capture.labels.items()}
    return known.get(str(title).lower(), [])


# ---- what stands at a place


def value_at(capture: Capture, root: str, path: Sequence[Any]) -> Any:
    """The value at a place. Raises LookupError."""
    if root not in ROOTS:
        raise LookupError(f"{root!r} is no part that is shown; these are: {', '.join(ROOTS)}")
    value: Any = getattr(capture, root)
    for key in path:
        if isinstance(value, dict) and isinstance(key, str):
            value = value["$" + key if key.startswith("$") else key]
        elif isinstance(value, list) and isinstance(key, int):
            value = value[key]
        else:
            raise LookupError(f"there is nothing at {written(path)}")
    return value


def text_at(capture: Capture, root: str, path: Sequence[Any], fetch: Callable[[str], bytes]) -> str:
    """What stands at a place as text to copy: a text as it is, all else as JSON.

    Args:
        fetch: returns a picture's bytes by its sha256: it is base64 in what is sent.

    Raises:
        LookupError: there is nothing; AssetError: a picture cannot be had.
    """
    value = inline(value_at(capture, root, path), fetch)
    return value if isinstance(value, str) else json_text(value)


def bytes_at(capture: Capture, root: str, path: Sequence[Any]) -> tuple[str, bytes]:
    """(media type, bytes) of the picture that the text at a place holds. Raises LookupError."""
    text = value_at(capture, root, path)
    media_type = encoded_type(text) if isinstance(text, str) else None
    if media_type is None:
        raise LookupError("there is no picture at this place")
    try:
        return media_type, base64.b64decode(text.partition(",")[2] or text)
    except binascii.Error as error:
        raise LookupError(f"the text at this place is no base64: {error}") from error


def json_text(value: Any) -> str:
    """JSON to paste."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair; JSON can say it escaped
        return json.dumps(value, indent=2, allow_nan=False)
    return text


# ---- search


def found(capture: Capture, words: str) -> dict[str, Any]:
    """Where the payload says `words`, in a key, a label or a value, whatever the case.

    Returns:
        ``count`` of the places, and of the first `MAX_HITS` in ``hits`` for each: ``path``, ``at``
        (the number of each step among its neighbours), and where it is beyond what is shown of a
        text, ``near``, the words around it.
    """
    search = _Search(capture, words)
    search.within(capture.payload, [], [])
    return {"count": search.count, "hits": search.hits}


class _Search:
    def __init__(self, capture: Capture, words: str) -> None:
        self._capture = capture
        self._find = re.compile(re.escape(words), re.IGNORECASE).search
        self.count = 0
        self.hits: list[dict[str, Any]] = []

    def within(self, value: Any, path: Path, at: list[int]) -> None:
        is_list = isinstance(value, list)
        labels = labels_at(self._capture, "payload", path) if is_list else []
        for number, (key, item) in enumerate(items(value)):
            label = labels[number] if number < len(labels) else ""
            text = _searched(item)
            there = self._find(text)
            if there or (not is_list and self._find(key)) or (label and self._find(label)):
                near = _near(text, there) if there else ""
                self._hit([*path, key], [*at, number], near)
            if isinstance(item, (dict, list)) and referred(item) is None:
                self.within(item, [*path, key], [*at, number])

    def _hit(self, path: Path, at: list[int], near: str) -> None:
        self.count += 1
        if len(self.hits) < MAX_HITS:
            self.hits.append({"path": path, "at": at} | ({"near": near} if near else {}))


def _searched(value: Any) -> str:
    """The text of a leaf: pictures and what holds others have none of their own."""
    if isinstance(value, str):
        return "" if encoded_type(value) else value
    if isinstance(value, (dict, list)):
        return ""
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def _near(text: str, there: re.Match[str]) -> str:
    if there.end() <= CUT_DATA or (there.end() <= CUT and not _WORDLESS.match(text)):
        return ""
    return text[max(0, there.start() - AROUND) : there.end() + AROUND]


# ---- how much it is


def is_light(capture: Capture, limit: int) -> bool:
    """Whether the request has about `limit` bytes at most, each value counting as `LEAST`; of a
    large one no more than the beginning is looked at.
    """
    left = limit
    rest: list[Any] = [capture.payload]
    while rest and left > 0:
        value = rest.pop()
        if isinstance(value, str):
            left -= len(value)
        elif (sha256 := referred(value)) is not None:
            left -= capture.assets[sha256].size * 4 // 3
        elif isinstance(value, (dict, list)):
            left -= LEAST * len(value)
            if left > 0:
                rest.extend(value.values() if isinstance(value, dict) else value)
    return left > 0
