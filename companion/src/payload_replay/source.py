"""What a SOURCE on the command line may be, and the capture that it stands for."""

from __future__ import annotations

import contextlib
import functools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from . import attachments, contents, importers
from .capture import Capture, FormatError
from .client import WebUI
from .errors import BadSource, ReplayError
from .paths import Step

LATEST = "latest"
STDIN = "-"
MAX_BYTES = 512 * 2**20
"""Size of a file in bytes beyond which it is not read."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FILE = re.compile(r"[/\\#]|\.(json|zip|png|jpe?g|webp|har|sh|cmd|txt)$", re.IGNORECASE)


def load(
    source: str,
    webui: WebUI | None = None,
    endpoint: str | None = None,
    stdin: IO[bytes] | None = None,
) -> Capture:
    """The capture that `source` names.

    Args:
        source: a file of whatever `importers` reads, ``FILE#N`` for the Nth request in it, ``-``
            for standard input, the id of a capture on the server, or ``latest``. A file that
            exists comes before an id.
        webui: the server to ask for an id, or for its reading of a picture.
        endpoint: where a bare payload belongs: a path, or ``txt2img`` or ``img2img``.

    Raises:
        BadSource: there is no such file or id.
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
    found = _found(source, webui, endpoint, stdin)
    return _one(source, found) if len(found) != 1 else found[0]


def load_all(
    source: str,
    webui: WebUI | None = None,
    endpoint: str | None = None,
    stdin: IO[bytes] | None = None,
    *,
    files: bool = False,
) -> list[Capture]:
    """Every capture that `source` names: several in a HAR or a queue's export.

    Args:
        files: read the files that a command line names by ``@``, below its own folder.

    Raises:
        As `load`, but several are no error.
    """
    found = _found(source, webui, endpoint, stdin, files=files)
    return [one.inlined() for one in found]


def from_bytes(data: bytes, endpoint: str | None = None) -> Capture:
    """The capture in a file's bytes: whatever `importers` reads.

    Raises:
        FormatError: it is none of them, or holds several.
    """
    return importers.one(importers.read(data, full(endpoint)).captures)


def full(endpoint: str | None) -> str | None:
    """The path of an endpoint that may be given by its last word."""
    if endpoint is None or endpoint.startswith("/"):
        return endpoint
    return f"/sdapi/v1/{endpoint}"


def _found(
    source: str,
    webui: WebUI | None,
    endpoint: str | None,
    stdin: IO[bytes] | None,
    *,
    files: bool = False,
) -> list[Named]:
    if source == STDIN:
        data = contents.bounded(stdin or sys.stdin.buffer, MAX_BYTES, _name(source))
        return _read(source, data, endpoint, webui, Path())
    path, number = _numbered(source)
    if source != LATEST and _exists(path):
        data = contents.read(path, MAX_BYTES)
        found = _read(source, data, endpoint, webui, path.parent, files=files)
        return found if number is None else [_one(source, found, number)]
    if _FILE.search(source) or not _ID.fullmatch(source):
        raise BadSource(f"{source}: there is no such file")
    if webui is None:
        raise BadSource(f"{source}: there is no such file, and no server to ask for this id")
    return [Named(webui.captures.get(source))]


def _read(
    source: str,
    data: bytes,
    endpoint: str | None,
    webui: WebUI | None,
    folder: Path,
    *,
    files: bool = False,
) -> list[Named]:
    ask = None if webui is None else functools.partial(_asked, webui)
    with _at(source):
        found = importers.read(data, full(endpoint), ask, folder if files else None)
    return [Named(one, folder if found.is_payload else None) for one in found.captures]


def _one(source: str, found: list[Named], number: int | None = None) -> Named:
    with _at(source):
        capture = importers.one([one.capture for one in found], number)
    return next(one for one in found if one.capture is capture)


@contextlib.contextmanager
def _at(source: str) -> Iterator[None]:
    """Put the source's name before the path of what is wrong in it."""
    try:
        yield
    except FormatError as error:
        where = f"{_name(source)}: {error.path}" if error.path else _name(source)
        raise type(error)(where, error.reason) from error


def _name(source: str) -> str:
    return "standard input" if source == STDIN else source


def _numbered(source: str) -> tuple[Path, int | None]:
    """A file, and the number after ``#`` unless that belongs to its name."""
    base, mark, number = source.rpartition("#")
    if mark and re.fullmatch(r"\d{1,6}", number) and not _exists(Path(source)):
        return Path(base), int(number)
    return Path(source), None


def _asked(webui: WebUI, data: bytes) -> Mapping[str, Any] | None:
    """The server's own reading of a picture, or None where there is no server that can."""
    try:
        return webui.png_info(data)
    except ReplayError:
        return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False
