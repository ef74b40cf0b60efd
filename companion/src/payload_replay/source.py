"""What a SOURCE on the command line may be, and the capture that it stands for."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from . import bundle
from .capture import Capture, FormatError, read_json
from .client import WebUI
from .errors import BadSource

LATEST = "latest"
STDIN = "-"
MAX_BYTES = 512 * 2**20
"""Size of a file in bytes beyond which it is not read."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FILE = re.compile(r"[/\\]|\.(json|zip|png|txt)$", re.IGNORECASE)


def load(
    source: str,
    webui: WebUI | None = None,
    endpoint: str | None = None,
    stdin: IO[bytes] | None = None,
) -> Capture:
    """The capture that `source` names.

    Args:
        source: a capture file, a bundle, a bare payload's file, ``-`` for standard input, the id
            of a capture on the server, or ``latest``. A file that exists comes before an id.
        webui: the server to ask for an id.
        endpoint: where a bare payload belongs: a path, or ``txt2img`` or ``img2img``.

    Raises:
        BadSource: there is no such file or id.
        FormatError: it is no capture; the path in it begins with the source's name.
        ReplayError: the server could not be asked.
    """
    if source == STDIN:
        return _read(source, (stdin or sys.stdin.buffer).read(MAX_BYTES + 1), endpoint)
    path = Path(source)
    if source != LATEST and _exists(path):
        return _read(source, _bytes(path), endpoint)
    if _FILE.search(source) or not _ID.fullmatch(source):
        raise BadSource(f"{source}: there is no such file")
    if webui is None:
        raise BadSource(f"{source}: there is no such file, and no server to ask for this id")
    return webui.captures.get(source)


def from_bytes(data: bytes, endpoint: str | None = None) -> Capture:
    """The capture in a file's bytes: a bundle, a document, a request or a bare payload.

    Raises:
        FormatError: it is none of them.
    """
    if bundle.is_bundle(data):
        return bundle.read(data)
    document = read_json(_text(data))
    if "format" in document:
        return Capture.from_dict(document)
    if _is_request(document):
        return Capture.from_payload(document["payload"], endpoint or document["endpoint"])
    return Capture.from_payload(document, full(endpoint))


def full(endpoint: str | None) -> str | None:
    """The path of an endpoint that may be given by its last word."""
    if endpoint is None or endpoint.startswith("/"):
        return endpoint
    return f"/sdapi/v1/{endpoint}"


def _read(source: str, data: bytes, endpoint: str | None) -> Capture:
    name = "standard input" if source == STDIN else source
    if len(data) > MAX_BYTES:
        raise BadSource(f"{name}: larger than {MAX_BYTES >> 20} MiB, which is not read")
    try:
        return from_bytes(data, full(endpoint))
    except FormatError as error:
        where = f"{name}: {error.path}" if error.path else name
        raise type(error)(where, error.reason) from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadSource(f"{path}: cannot be read: {error.strerror or error}") from error


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False


def _text(data: bytes) -> bytes:
    """Without the byte order mark that editors on Windows put first."""
    return data.removeprefix(b"\xef\xbb\xbf")


def _is_request(document: Mapping[str, Any]) -> bool:
    """What ``…/captures/{id}/request`` answers, saved to a file."""
    return (
        document.keys() == {"method", "endpoint", "payload"}
        and isinstance(document["payload"], dict)
        and isinstance(document["endpoint"], str)
    )
