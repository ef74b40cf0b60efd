"""What a SOURCE on the command line may be, and the capture that it stands for."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from . import attachments, bundle
from .capture import Capture, FormatError, read_json
from .client import WebUI
from .errors import BadSource
from .paths import Step

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

    Pictures that a bare payload names are put in (`attachments`), those of the web only with
    `named` and `attachments.inlined`.

    Raises:
        BadSource: there is no such file, id or picture.
        FormatError: it is no capture; the path in it begins with the source's name.
        ReplayError: the server could not be asked.
    """
    return named(source, webui, endpoint, stdin).inlined()


@dataclass(frozen=True)
class Named:
    """What a source holds, as it stands. `folder` is where its payload may name pictures; None
    where it may not, since it is a captured document.
    """

    capture: Capture
    folder: Path | None = None

    def inlined(self, *, urls: bool = False, but: Sequence[Sequence[Step]] = ()) -> Capture:
        """The capture with the pictures that it may name put in: see `attachments.inlined`."""
        if self.folder is None:
            return self.capture
        return attachments.inlined(self.capture, self.folder, urls=urls, but=but)


def named(
    source: str,
    webui: WebUI | None = None,
    endpoint: str | None = None,
    stdin: IO[bytes] | None = None,
) -> Named:
    """See `load`."""
    if source == STDIN:
        data = (stdin or sys.stdin.buffer).read(MAX_BYTES + 1)
        return _read(source, data, endpoint, Path())
    path = Path(source)
    if source != LATEST and _exists(path):
        return _read(source, _bytes(path), endpoint, path.parent)
    if _FILE.search(source) or not _ID.fullmatch(source):
        raise BadSource(f"{source}: there is no such file")
    if webui is None:
        raise BadSource(f"{source}: there is no such file, and no server to ask for this id")
    return Named(webui.captures.get(source))


def from_bytes(data: bytes, endpoint: str | None = None) -> Capture:
    """The capture in a file's bytes: a bundle, a document, a request or a bare payload.

    Raises:
        FormatError: it is none of them.
    """
    return _from_bytes(data, endpoint)[0]


def _from_bytes(data: bytes, endpoint: str | None) -> tuple[Capture, bool]:
    """The capture, and whether it was a bare payload."""
    if bundle.is_bundle(data):
        return bundle.read(data), False
    document = read_json(_text(data))
    if "format" in document:
        return Capture.from_dict(document), False
    if _is_request(document):
        return Capture.from_payload(document["payload"], endpoint or document["endpoint"]), True
    return Capture.from_payload(document, full(endpoint)), True


def full(endpoint: str | None) -> str | None:
    """The path of an endpoint that may be given by its last word."""
    if endpoint is None or endpoint.startswith("/"):
        return endpoint
    return f"/sdapi/v1/{endpoint}"


def _read(source: str, data: bytes, endpoint: str | None, folder: Path) -> Named:
    name = "standard input" if source == STDIN else source
    if len(data) > MAX_BYTES:
        raise BadSource(f"{name}: larger than {MAX_BYTES >> 20} MiB, which is not read")
    try:
        capture, bare = _from_bytes(data, full(endpoint))
    except FormatError as error:
        where = f"{name}: {error.path}" if error.path else name
        raise type(error)(where, error.reason) from error
    return Named(capture, folder if bare else None)


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
