"""Files from elsewhere become captures of the store: one, or as many as an export wrote.

A file of many is read one by one, so that memory holds one document at a time, whatever the whole
has: a zip of captures, or JSON lines. What one file may be, `shared.importers` says; it is hostile
until proven otherwise. Pictures leave the payload and become assets, as in a capture of our own;
what an asset is, its bytes tell and not its document.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import IO, Any, NamedTuple

from payload_capture import pictures
from payload_capture.capture import (
    Asset,
    AssetError,
    Capture,
    FormatError,
    Result,
    canonical,
    reference,
    references,
)
from payload_capture.shapes import LATEST, MAX_DOCUMENT
from payload_capture.writer import new_id

MAX_BYTES = 1 << 30
"""Of what is sent. It lies in a temporary file while it is read."""
MAX_UNPACKED = 4 << 30
"""Bytes of all documents of a zip. What `exports` writes is no larger than the zip itself."""
MAX_CAPTURES = 100_000
"""In one file."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
_DOCUMENT = "capture.json"

Ask = Callable[[bytes], Any]


class Ready(NamedTuple):
    """A capture as the store takes it, with the bytes of its assets."""

    capture: Capture
    files: dict[str, bytes]


class TooLargeError(ValueError):
    """More than is read; the message says how much that is."""


def failure(number: int, error: FormatError | TooLargeError) -> dict[str, Any]:
    """What an answer says of a document that could not be read."""
    field = error.path or None if isinstance(error, FormatError) else None
    return {"number": number, "message": str(error), "field": field}


def documents(file: IO[bytes]) -> Iterator[bytes]:
    """The documents in a file, which can be sought in. Raises FormatError, TooLargeError."""
    start = file.read(4)
    file.seek(0)
    if start == b"PK\x03\x04" and (names := _captures_in(file)):
        yield from _entries(file, names)
    elif start[:1] == b"{" and _is_lines(file):
        yield from _lines(file)
    else:
        yield _whole(file)


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    data = file.read(MAX_DOCUMENT + 1)
    return _bounded(data)


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_DOCUMENT:
        raise TooLargeError(f"a document of more than {MAX_DOCUMENT >> 20} MiB")
    return data


def _captures_in(file: IO[bytes]) -> list[str]:
    """The names in a zip of captures; none for a bundle, which is one capture."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except _BROKEN as error:
        raise FormatError("", f"a damaged zip ({error}); export it again") from error
    if _DOCUMENT in names:
        return []
    if len(names) > MAX_CAPTURES:
        raise TooLargeError(f"a zip of more than {MAX_CAPTURES} captures")
    return names


def _entries(file: IO[bytes], names: list[str]) -> Iterator[bytes]:
    left = MAX_UNPACKED
    with zipfile.ZipFile(file) as archive:
        for name in names:
            try:
                with archive.open(name) as entry:
                    data = entry.read(MAX_DOCUMENT + 1)
            except _BROKEN as error:
                raise FormatError(name, f"damaged ({error}); export it again") from error
            left -= len(data)
            if left < 0:
                raise TooLargeError(f"a zip that unpacks to more than {MAX_UNPACKED >> 20} MiB")
            yield _bounded(data)


def _is_lines(file: IO[bytes]) -> bool:
    """Whether the first line is a whole object and another one follows."""
    first = file.readline(MAX_DOCUMENT + 1).rstrip()
    second = file.read(100).lstrip()
    return first.endswith(b"}") and second.startswith(b"{")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    number = 0
    while line := file.readline(MAX_DOCUMENT + 2):
        if line.strip():
            number += 1
            if number > MAX_CAPTURES:
                raise TooLargeError(f"more than {MAX_CAPTURES} lines")
            yield _bounded(line.rstrip(b"\r\n"))


def read(
    data: bytes, endpoint: str | None, ask: Ask | None, has: Callable[[str], bool]
) -> list[Ready]:
    """The captures of one document, ready for the store.

    Args:
        endpoint: the path where a bare payload belongs.
        ask: the webui's reading of a picture, where it has an API.
        has: whether the store has an asset already.

    Raises:
        FormatError: it is nothing that can be read, or a picture of it is nowhere.
    """
    from payload_capture.shared import importers

    return [_ready(capture, has) for capture in importers.read(data, endpoint, ask).captures]


def single(document: Any) -> Capture:
    """A capture or a bare payload, parsed already. Raises FormatError."""
    from payload_capture.shared import importers

    return importers.read(json.dumps(document).encode(), None).captures[0]


def same(one: Capture, other: Capture) -> bool:
    """Whether two captures send the same and expect the same; what else they say is not asked."""
    return _told(one) == _told(other)


def _told(capture: Capture) -> tuple[str, bytes, list[str]]:
    pixels = [result.sha256 for result in capture.results]
    return capture.endpoint, canonical(capture.payload), pixels


def _ready(capture: Capture, has: Callable[[str], bool]) -> Ready:
    bag = _Bag(has)
    needed = {sha256 for _, sha256 in references(capture.payload)}
    taken = {sha: bag.taken(capture, sha, sha in needed) for sha in capture.assets}
    kept = {sha: asset for sha, asset in taken.items() if asset is not None}
    payload, template = (bag.without(value) for value in (capture.payload, capture.template))
    results = [_result(result, kept) for result in capture.results]
    made = dataclasses.replace(
        capture,
        payload=payload,
        template=template,
        results=results,
        assets={**kept, **bag.assets},
    )
    made = made if made.job.started else _dated(made)
    if made.id == LATEST:
        raise FormatError("id", f"{LATEST} stands for the newest capture: give it another id")
    made.to_json(
        indent=None
    )  # raises FormatError for a number such as 1e999, which nothing could answer
    return Ready(made, bag.files)


def _result(result: Result, kept: Mapping[str, Asset]) -> Result:
    """Without what the document does not hold: its pixels can be compared by their hash still."""
    asset = result.asset if result.asset in kept else None
    thumbnail = result.thumbnail if result.thumbnail in kept else None
    return dataclasses.replace(result, asset=asset, thumbnail=thumbnail)


def _dated(capture: Capture) -> Capture:
    """A payload that nobody captured: it came just now, and another one may be like it."""
    started = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    bare = capture.id.startswith("payload-")
    identity = new_id(started) if bare else capture.id
    return dataclasses.replace(
        capture, id=identity, job=dataclasses.replace(capture.job, started=started)
    )


class _Bag:
    """Collects the pictures of one capture."""

    def __init__(self, has: Callable[[str], bool]) -> None:
        self._has = has
        self.assets: dict[str, Asset] = {}
        self.files: dict[str, bytes] = {}

    def taken(self, capture: Capture, sha256: str, needed: bool) -> Asset | None:
        """What the document says of an asset, made true by its bytes; None where they are lost.

        Raises AssetError where they are `needed`, or are no picture.
        """
        told = capture.assets[sha256]
        if told.data is None and (not needed or self._has(sha256)):
            return told if self._has(sha256) else None
        data = capture.asset(sha256)
        asset = pictures.pictured(data)
        if asset is None:
            raise AssetError(f"assets.{sha256}", "is no picture that can be read")
        self.files[sha256] = data
        return asset

    def without(self, value: Any) -> Any:
        """A payload with references in the place of the pictures in it.

        Only where undoing it gives the very same text: a picture that something else stands
        before, such as ``data:image/png;base64,``, stays as it is.
        """
        if isinstance(value, dict):
            return {key: self.without(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.without(item) for item in value]
        return self._referred(value) if isinstance(value, str) else value

    def _referred(self, text: str) -> Any:
        found = pictures.embedded(text)
        if found is None:
            return text
        sha256, self.assets[sha256], self.files[sha256] = found
        return reference(sha256)
