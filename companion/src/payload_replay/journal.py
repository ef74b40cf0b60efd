"""What a run has finished, kept on disk as it goes, so that another run can go on after a crash.

One JSON object a line, each on the disk (fsync) before the next job's is written. What is finished
is known by the hash of what was sent and expected, not by its file's name: a source that was edited
is made again, one that was moved is not. Of equal ones, as many count as were made. The last line
may be torn by a crash, and then that job is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import IO, Any

from .capture import Capture, FormatError, canonical
from .errors import BadSource

Record = dict[str, Any]
_FIRST = {"journal": "payload-replay", "version": 1}


class Journal:
    """The journal in a file, which is made where there is none. Thread-safe.

    One run at a time: a second one with the same file is refused (where the system has locks).

    Raises:
        BadSource: the file cannot be used, or is none of these.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing, self._taking = threading.Lock(), threading.Lock()
        self._finished: dict[str, list[Record]] = {}
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise BadSource(f"--journal {path}: {error.strerror or error}") from error
        try:
            _alone(self._file, path)
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        """How many were finished before this run and have not been taken."""
        return sum(len(records) for records in self._finished.values())

    def take(self, key: str) -> Record | None:
        """The record of one that was finished before, each given once; None where there is none.

        It waits for no disk: a server may be idle meanwhile.
        """
        with self._taking:
            records = self._finished.get(key)
            return records.pop(0) if records else None

    def add(self, key: str, record: Record) -> None:
        """Write that one is finished; it is on the disk when this returns. Raises OSError."""
        self._append({"key": key, **record})

    def _append(self, value: Record) -> None:
        line = json.dumps(value, ensure_ascii=True).encode() + b"\n"
        with self._writing:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())

    def _read(self) -> None:
        self._file.seek(0)
        end, number = 0, 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            self._take_in(number, line)
            end += len(line)
        else:
            line = b""
        if line and number == 1 and not _begins(line):
            raise self._wrong(1, "no journal of this program")
        self._file.truncate(end)
        if end == 0:
            self._append(_FIRST)
            _sync_folder(self.path.parent)

    def _take_in(self, number: int, line: bytes) -> None:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._wrong(number, f"no JSON: {error}") from error
        if number == 1:
            if record != _FIRST:
                raise self._wrong(1, "no journal of this program")
            return
        key = record.get("key") if isinstance(record, dict) else None
        if not isinstance(key, str) or not isinstance(record.get("verdict"), str):
            raise self._wrong(number, "no record of a finished job")
        self._finished.setdefault(key, []).append(record)

    def _wrong(self, number: int, reason: str) -> BadSource:
        return BadSource(
            f"--journal {self.path}: line {number}: {reason}; name another file, or mend this one"
        )


def key(capture: Capture, migrate: bool = False) -> str:
    """The hash of what is sent and expected, and of whether the server's wishes `migrate` it first.

    Raises:
        FormatError: it holds what JSON has not.
    """
    expected = [result.sha256 for result in capture.results]
    # Only where it is so, lest the journals of releases that did not tell become worthless.
    how = ["migrate"] if migrate else []
    try:
        told = canonical([capture.endpoint, capture.payload, expected, *how])
    except ValueError as error:
        raise FormatError("payload", f"not of JSON: {error}") from error
    return hashlib.sha256(told).hexdigest()


def _begins(line: bytes) -> bool:
    """Whether this is how a journal's first line begins: all that a crash left of it."""
    return json.dumps(_FIRST).encode().startswith(line)


def _alone(file: IO[bytes], path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BadSource(f"--journal {path}: another run is writing it") from error


def _sync_folder(folder: Path) -> None:
    """So that the file's name too is on the disk."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
