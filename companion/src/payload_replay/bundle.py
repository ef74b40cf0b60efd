"""A bundle: a zip of ``capture.json`` and ``assets/<sha256>.<suffix>``, its pictures as files.

A bundle may come from anybody. Names outside those two forms are refused, so nothing is ever
written where a zip says; sizes are bounded while reading, whatever the zip's own header claims;
and every picture must have the bytes that its name states.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import zipfile
import zlib
from collections.abc import Callable

from .capture import AssetError, Capture, FormatError, checked

DOCUMENT = "capture.json"
MAX_BYTES = 512 * 2**20
"""Unpacked size of a whole bundle, in bytes, beyond which it is refused."""
MAX_FILES = 10_000

_ASSET = re.compile(r"assets/([0-9a-f]{64})\.[a-z]{3,4}")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


def is_bundle(data: bytes) -> bool:
    """Whether these bytes begin like a zip."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def write(capture: Capture, fetch: Callable[[str], bytes] | None = None) -> bytes:
    """The capture and every picture that it lists, as a zip.

    Args:
        fetch: returns an asset's bytes by its sha256, where the capture does not hold them.

    Raises:
        AssetError: a picture cannot be had.
    """
    bare = {sha: dataclasses.replace(asset, data=None) for sha, asset in capture.assets.items()}
    document = dataclasses.replace(capture, assets=bare).to_json()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        add(archive, DOCUMENT, document.encode(), zipfile.ZIP_DEFLATED)
        for sha256, asset in sorted(capture.assets.items()):
            add(archive, f"assets/{sha256}.{asset.suffix}", capture.asset(sha256, fetch))
    return buffer.getvalue()


def read(data: bytes, limit: int = MAX_BYTES) -> Capture:
    """The capture in a bundle, with the pictures' bytes in its `assets`.

    Args:
        limit: the unpacked size in bytes beyond which it is refused.

    Raises:
        FormatError: not a bundle, damaged, too large, or a file in it that has no place there.
        AssetError: a picture's bytes are not those that its name states.
    """
    files = _unpacked(data, limit)
    document = files.pop(DOCUMENT, None)
    if document is None:
        raise FormatError(DOCUMENT, "the bundle has none; export the capture again")
    capture = Capture.from_json(document)
    found = {_hash(name): content for name, content in files.items()}
    if strange := sorted(found.keys() - capture.assets.keys()):
        raise AssetError(f"assets/{strange[0]}", f"{DOCUMENT} does not list this file")
    assets = dict(capture.assets)
    for sha256, content in found.items():
        text = base64.b64encode(checked(sha256, content)).decode("ascii")
        assets[sha256] = dataclasses.replace(assets[sha256], data=text)
    return dataclasses.replace(capture, assets=assets)


def add(archive: zipfile.ZipFile, name: str, data: bytes, method: int = zipfile.ZIP_STORED) -> None:
    """A file of an archive, with a fixed date: the same files make the same bytes."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = method
    archive.writestr(entry, data)


def _unpacked(data: bytes, limit: int) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _files(archive, limit)
    except _BROKEN as error:
        raise FormatError("", f"a damaged bundle ({error}); export the capture again") from error


def _files(archive: zipfile.ZipFile, limit: int) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise FormatError("", f"a bundle of {len(entries)} files; {MAX_FILES} are the most")
    files: dict[str, bytes] = {}
    for entry in entries:
        if entry.filename in files or not _belongs(entry.filename):
            raise FormatError(entry.filename, "this file has no place in a bundle")
        files[entry.filename] = _limited(archive, entry, limit)
        limit -= len(files[entry.filename])
    return files


def _limited(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    with archive.open(entry) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise FormatError(entry.filename, "the bundle unpacks to more than is allowed")
    return data


def _belongs(name: str) -> bool:
    return name == DOCUMENT or _ASSET.fullmatch(name) is not None


def _hash(name: str) -> str:
    found = _ASSET.fullmatch(name)
    return found[1] if found else ""
