"""Captures as files: one in any form, or a whole selection, written while it is read.

Of a selection one capture at a time is in memory. JSON lines need no more; a zip also keeps the
name of each of its files until its end, some hundred bytes, since its index comes last.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from payload_capture.capture import Asset, AssetError, Capture, FormatError
from payload_capture.schemas import BadParameterError

Fetch = Callable[[str], bytes]
"""A picture's bytes by its hash; raises AssetError."""
Exported = tuple[Capture, Fetch]
"""A capture as it may leave this machine, and what reads its pictures."""

FORMATS = (
    *("json", "payload", "bundle", "curl", "curl-cmd", "powershell", "httpie", "requests"),
    *("python", "fetch", "node", "har", "postman", "pytest"),
)
"""The names of `shared.export.FORMATS`, which is not loaded to list them."""
MEDIA_TYPES = {
    ".json": "application/json",
    ".zip": "application/zip",
    ".har": "application/json",
    ".py": "text/x-python",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
}
"""By the end of a file's name; every other form is `TEXT`."""
TEXT = "text/plain"


class File(NamedTuple):
    """A file to download."""

    name: str
    media_type: str
    data: bytes


def one(capture: Capture, form: str, fetch: Fetch, server: str, beside: bool = False) -> File:
    """A capture in one form.

    Args:
        server: the address that a program sends to when its environment does not say.
        beside: a zip of the program and its pictures as files, instead of the pictures within.

    Raises:
        BadParameterError: the address is none, or the form has no pictures beside it.
        FormatError: the payload holds what JSON has not; AssetError: a picture cannot be had.
    """
    from payload_capture.shared import export

    made = export.FORMATS[form]
    if beside and not made.beside:
        raise BadParameterError("beside", f"{made.title} holds its pictures itself")
    if beside:
        files = made.files(capture, fetch, _address(server))
        return File(f"{capture.id}.{form}.zip", "application/zip", export.zipped(files))
    name = made.name(capture)
    address = _address(server) if made.program else server
    return File(name, media_type(name), made(capture, fetch, address))


def _address(server: str) -> str:
    from payload_capture.shared import posting

    try:
        return posting.address(server)
    except FormatError as error:
        raise BadParameterError("server", error.reason) from error


def media_type(name: str) -> str:
    return MEDIA_TYPES.get(name[name.rindex(".") :], TEXT) if "." in name else TEXT


def lines(captures: Iterable[Exported]) -> Iterator[bytes]:
    """JSON lines: each a document with its pictures, as far as they can be had."""
    for capture, fetch in captures:
        whole = held(capture, fetch)
        yield json.dumps(whole.to_dict(), allow_nan=False, separators=(",", ":")).encode() + b"\n"


def zipped(captures: Iterable[Exported]) -> Iterator[bytes]:
    """A zip of bundles, each named for its capture; a capture that has lost a picture is JSON."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for capture, fetch in captures:
            name, data = _bundled(capture, fetch)
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
            yield pipe.taken()
    yield pipe.taken()


def _bundled(capture: Capture, fetch: Fetch) -> tuple[str, bytes]:
    from payload_capture.shared import bundle

    try:
        return f"{capture.id}.zip", bundle.write(capture, fetch)
    except AssetError:
        return f"{capture.id}.json", held(capture, fetch).to_json().encode()


def held(capture: Capture, fetch: Fetch) -> Capture:
    """The capture with its assets' bytes in it; one that is lost stays named, without them.

    The rest of a long export must not be lost with it, and whoever reads the document is told.
    """
    assets = {sha: _filled(asset, sha, fetch) for sha, asset in capture.assets.items()}
    return dataclasses.replace(capture, assets=assets)


def _filled(asset: Asset, sha256: str, fetch: Fetch) -> Asset:
    try:
        data = base64.b64encode(fetch(sha256)).decode("ascii")
    except AssetError:
        return asset
    return dataclasses.replace(asset, data=data)


class _Pipe(io.RawIOBase):
    """What a zip is written into, and taken out of as it grows: it cannot be sought in."""

    def __init__(self) -> None:
        super().__init__()
        self._written = io.BytesIO()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._written.write(data)  # type: ignore[arg-type]

    def taken(self) -> bytes:
        data, self._written = self._written.getvalue(), io.BytesIO()
        return data
