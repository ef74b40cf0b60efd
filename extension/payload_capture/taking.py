"""What the page takes along of a capture, and what is dropped on it: questions about both.

A file that is dropped comes in portions, each in a question of its own: a question travels as text
through gradio, which holds all of it in memory several times over.
"""

from __future__ import annotations

import base64
import binascii
import io
import tempfile
import threading
import time
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from payload_capture import exports
from payload_capture.capture import FormatError
from payload_capture.imports import TooLargeError

if TYPE_CHECKING:
    from payload_capture.service import Service

FORMS = ("exact", "minimal")
SHOWN = 20_000
"""Characters of an export that are shown; copying and downloading take all of it."""
MAX_UPLOAD = 256 << 20
"""Bytes of a file that the page sends; larger ones go to the route ``POST /captures``."""
MAX_OPEN = 8
"""Files that come at the same time."""
PATIENCE = 600.0
"""Seconds from one portion of a file to the next."""
MAX_FAILED = 20
"""Documents of one file whose faults are told."""

Question = Mapping[str, Any]


def export(service: Service, question: Question) -> dict[str, Any]:
    """A capture in one of `exports.FORMATS`: its beginning, or all of it where ``whole`` is asked.

    Of a zip ``text`` is that of the program in it, ``files`` lists what it holds, and ``data`` is
    the zip as base64.

    Raises:
        FormatError, BadParameterError, StoreError: it cannot be made, and why.
    """
    form = _one_of("format", question["format"], exports.FORMATS)
    capture, fetch = service.exported(question["capture"], _one_of("form", question["form"], FORMS))
    server = service.address(str(question["server"]))
    made = exports.one(capture, form, fetch, server, bool(question["beside"]))
    packed = made.media_type == "application/zip"
    files = _listed(made.data) if packed else []
    text = _program(made.data) if packed else made.data.decode()
    whole = bool(question["whole"])
    told = {
        "name": made.name,
        "type": made.media_type,
        "size": len(made.data),
        "files": files,
        "text": text if whole else text[:SHOWN],
        "cut": not whole and len(text) > SHOWN,
    }
    if whole and packed:
        told["data"] = base64.b64encode(made.data).decode("ascii")
    return told


def _listed(data: bytes) -> list[tuple[str, int]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(entry.filename, entry.file_size) for entry in archive.infolist()]


def _program(data: bytes) -> str:
    """The text that the pictures of a zip lie beside, its first file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(archive.infolist()[0]).decode()


def _one_of(name: str, given: Any, known: tuple[str, ...]) -> str:
    if given not in known:
        raise FormatError(name, f"{given!r} is none of {', '.join(known)}")
    return str(given)


# ---- in


def upload(service: Service, question: Question) -> dict[str, Any]:
    """Take a portion of a file; with the last one, store what the whole file holds.

    Returns:
        ``received`` bytes so far, or of the whole file what `Service.take` tells, its first faults
        only, with their number in ``failures``.

    Raises:
        FormatError, TooLargeError, StoreError: the file is nothing to take, and why.
    """
    try:
        data = base64.b64decode(question["data"], validate=True)
    except binascii.Error as error:
        raise FormatError("data", f"no base64: {error}") from error
    name = str(question["upload"])
    received = service.uploads.add(name, int(question["number"]), data)
    if not question["last"]:
        return {"received": received}
    with service.uploads.whole(name) as file:
        told = service.take(file, None)
    failed = told["failed"]
    return {**told, "failed": failed[:MAX_FAILED], "failures": len(failed)}


class Uploads:
    """Files that come in portions, by a name that the page made up. Thread-safe."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Upload] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, name: str, number: int, data: bytes) -> int:
        """Add the portion with this number, counted from 0: the bytes of the file so far.

        Raises FormatError where another portion is due, TooLargeError.
        """
        with self._lock:
            self._forget()
            if number == 0:
                self._close(name)
                self._open[name] = _Upload()
            upload = self._open.get(name)
            if upload is None or upload.portions != number:
                self._close(name)
                raise FormatError("", "a part of the file was lost on its way: drop it again")
            if upload.size + len(data) > MAX_UPLOAD:
                self._close(name)
                raise TooLargeError(f"a file of more than {MAX_UPLOAD >> 20} MiB")
            return upload.add(data)

    def whole(self, name: str) -> IO[bytes]:
        """The file, from its beginning; it is the caller's to close."""
        with self._lock:
            file = self._open.pop(name).file
        file.seek(0)
        return file

    def _forget(self) -> None:
        """Give up those that do not come any more, and the oldest of too many."""
        late = time.monotonic() - PATIENCE
        for name in [name for name, upload in self._open.items() if upload.seen < late]:
            self._close(name)
        while len(self._open) > MAX_OPEN:
            self._close(next(iter(self._open)))

    def _close(self, name: str) -> None:
        if name in self._open:
            self._open.pop(name).file.close()


class _Upload:
    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by its taker
        self.portions = 0
        self.size = 0
        self.seen = time.monotonic()

    def add(self, data: bytes) -> int:
        self.file.write(data)
        self.portions += 1
        self.size += len(data)
        self.seen = time.monotonic()
        return self.size
