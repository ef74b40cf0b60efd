"""A folder of captures to answer from: JSON documents and bundles, in order of their names.

Whatever in it cannot be answered from is named with the reason, and the rest still serves. A new
recording is written whole or not at all. The pictures of up to `HELD` bytes stay in memory; those
of further captures are read from their files again for each answer.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import captions, contents, files, hostlists, source
from .captions import Captions
from .capture import Capture, FormatError, read_json
from .errors import BadSource
from .hostlists import RECORDED
from .matching import Difference, Expected, Form, TooDeep, differences, expected, matches

HELD = 2**30
"""Bytes of pictures, as base64, that stay in memory."""
MAX_FILES = 10_000
"""Captures of a folder beyond which it is refused."""
LISTS = "server.json"
"""The file of a folder that holds what the recorded server lists: samplers, models, options."""
MAX_LISTS = 64 * 2**20
"""Its size in bytes beyond which it is not read."""
SUFFIXES = (".json", ".zip")
_OURS = (LISTS, captions.FILE)
NEAREST = 3


@dataclass(frozen=True)
class Broken:
    """A file that cannot be answered from."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Recording:
    """A capture that can be answered from. `bare` is it without its pictures' bytes."""

    path: Path
    bare: Capture
    expected: Expected
    held: Capture | None = None

    def capture(self) -> Capture:
        """With its pictures' bytes. Raises BadSource, FormatError where its file has changed."""
        return self.held or usable(source.load(os.fspath(self.path)))


@dataclass(frozen=True)
class Near:
    """A recording that is like a request, and in what it differs."""

    recording: Recording
    differences: list[Difference]


class Recordings:
    """The recordings of a folder; every method may be called from any thread.

    Attributes:
        folder: where they lie; made where it is missing and `make` is true.
        broken: the files that cannot be answered from.
        was_empty: whether there was nothing in it to answer with when it was read.
        captions: what it said that pictures show.
        lists: what the recorded server listed, by path, such as ``/sdapi/v1/samplers``.
    """

    def __init__(self, folder: Path | str, *, make: bool = False) -> None:
        self.folder = Path(folder)
        self.broken: list[Broken] = []
        self.lists: dict[str, Any] = {}
        self._all: list[Recording] = []
        self._left = HELD
        self._played: dict[Path, int] = {}
        self._lock = threading.Lock()
        if make:
            self.folder.mkdir(parents=True, exist_ok=True)
        for path in self._files():
            self._read(path)
        self.captions = Captions(self.folder)
        if self.captions.broken:
            self.broken.append(Broken(self.captions.path, self.captions.broken))
        self.was_empty = not self._all and not self.captions
        self._read_lists()

    def all(self) -> list[Recording]:
        """Each recording, in order of their files' names, then as they were made."""
        with self._lock:
            return list(self._all)

    def find(self, asked: Form, options: Mapping[str, Any] | None = None) -> Recording | None:
        """The recording of a request. Several of one request take turns, the first one first."""
        found = [one for one in self.all() if matches(asked, one.expected, options)]
        if not found:
            return None
        with self._lock:
            chosen = min(found, key=lambda one: self._played.get(one.path, 0))
            self._played[chosen.path] = self._played.get(chosen.path, 0) + 1
        return chosen

    def nearest(self, asked: Form, options: Mapping[str, Any] | None = None) -> list[Near]:
        """The recordings of the same endpoint that differ least, `NEAREST` at most."""
        same = [one for one in self.all() if one.bare.endpoint == asked.endpoint]
        near = [Near(one, list(differences(asked, one.expected, options))) for one in same]
        return sorted(near, key=lambda one: len(one.differences))[:NEAREST]

    def unplayed(self) -> list[Path]:
        """The files that have answered nothing so far."""
        with self._lock:
            return [one.path for one in self._all if one.path not in self._played]

    def add(self, capture: Capture) -> Recording:
        """Keep a new capture, its pictures inside, as a file of its own.

        Raises:
            FormatError, TooDeep: nothing could be answered from it; it is not written.
            OSError: it cannot be written.
        """
        # Before anything is written: what raises here leaves no file of no use.
        answers = expected(usable(capture))
        path = files.add(self.folder, capture.id, capture.to_json().encode())
        with self._lock:
            recording = self._recording(path, capture, answers)
            self._all.append(recording)
            self._played[path] = 1
        return recording

    def keep_list(self, path: str, answer: Any) -> None:
        """Keep what the server lists at `path`, without secrets. Raises OSError."""
        answer = hostlists.public(path, answer)
        with self._lock:
            if self.lists.get(path) == answer and path in self.lists:
                return
            file = self.folder / LISTS
            if any(one.path == file for one in self.broken):
                raise FileExistsError(f"{file} is not overwritten, for it cannot be read")
            lists = self.lists | {path: answer}
            text = json.dumps({"lists": lists}, indent=2, sort_keys=True)
            files.write(file, text.encode())
            self.lists = lists  # last: what could not be written is tried again

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            raise BadSource(f"{self.folder}: there is no such folder of captures")
        found = sorted(
            path
            for path in self.folder.rglob("*")
            if path.suffix.lower() in SUFFIXES and path.name not in _OURS and path.is_file()
        )
        if len(found) > MAX_FILES:
            raise BadSource(f"{self.folder}: {len(found)} captures; {MAX_FILES} are the most")
        return found

    def _read(self, path: Path) -> None:
        try:
            capture = usable(source.load(os.fspath(path)))
            self._all.append(self._recording(path, capture, expected(capture)))
        except (BadSource, FormatError, TooDeep) as error:
            reason = str(error).removeprefix(f"{path}: ")
            self.broken.append(Broken(path, reason))

    def _recording(self, path: Path, capture: Capture, answers: Expected) -> Recording:
        size = sum(len(asset.data or "") for asset in capture.assets.values())
        keep = size <= self._left
        self._left -= size if keep else 0
        assets = {sha: dataclasses.replace(a, data=None) for sha, a in capture.assets.items()}
        bare = dataclasses.replace(capture, assets=assets)
        return Recording(path, bare, answers, capture if keep else None)

    def _read_lists(self) -> None:
        path = self.folder / LISTS
        if not path.exists():
            return
        try:
            self.lists = _lists(path)
        except (FormatError, BadSource) as error:
            self.broken.append(Broken(path, str(error)))


def usable(capture: Capture) -> Capture:
    """The capture, if a server can answer from it. Raises FormatError."""
    if capture.job.state != "ok":
        raise FormatError("job.state", f"a generation that was {capture.job.state} is no answer")
    if not capture.results:
        raise FormatError("results", "there is no picture to answer with: a bare payload?")
    for index, result in enumerate(capture.results):
        if result.asset is None or capture.assets[result.asset].data is None:
            raise FormatError(
                f"results[{index}]",
                "the picture's file is not in it; export the capture again, as json or bundle",
            )
    return capture


def _lists(path: Path) -> dict[str, Any]:
    lists = read_json(contents.read(path, MAX_LISTS)).get("lists")
    if not isinstance(lists, dict):
        raise FormatError("lists", "missing, or not an object")
    return {path: hostlists.public(path, lists[path]) for path in RECORDED if path in lists}


def endpoints(recordings: Iterable[Recording]) -> list[str]:
    """The endpoints that recordings answer for."""
    return sorted({one.bare.endpoint for one in recordings})
