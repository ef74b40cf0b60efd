"""New captures of a server, as they are made: none missed, none twice, oldest first.

What is new is decided by the ids: from the newest row back to one that was seen before, however
many there are between. When to look is the bell's business: `Polling` rings every second, and
anything else that blocks until there may be something new can take its place.

A server that restarts, or fails for a while, is asked again after 1, 2, 4 … `LONGEST` seconds.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import files
from .capture import FormatError
from .captures import Summary
from .errors import (
    BadSource,
    ConnectionFailed,
    NoExtension,
    NotFound,
    ServerError,
    Timeout,
    UnexpectedAnswer,
)
from .export import as_json

if TYPE_CHECKING:
    from .client import WebUI

LONGEST = 30.0
"""Seconds between two attempts to reach a server that is gone."""
REMEMBERED = 10_000
"""Ids that are kept to tell what was seen."""
FIRST = 100
"""Rows that are taken as seen when a watch begins with what comes from then on."""

MOST = 100_000
"""Rows that are looked through for one that was seen before."""

# What passes: a server that restarts has no routes of the extension until it is up.
_PASSING = (ConnectionFailed, Timeout, ServerError, UnexpectedAnswer, NoExtension)

T = TypeVar("T")
Bell = Callable[[], None]
"""Blocks until there may be something new."""
Sleep = Callable[[float], None]
Note = Callable[[str], None]


class Polling:
    """A bell that rings every `interval` seconds."""

    def __init__(self, interval: float = 1.0, sleep: Sleep = time.sleep) -> None:
        self.interval = interval
        self._sleep = sleep

    def __call__(self) -> None:
        self._sleep(self.interval)


class Watch:
    """Follows the captures of one server.

    Args:
        webui: the server.
        since: the id of a capture: all that were made after it come first. Without it, only
            what is made from now on.
        bell: when to look.
        note: told when the server is gone, and when it is back.
        sleep: what waits in between attempts, in seconds.

    Raises:
        NotFound: the server has no capture with the id `since`.
        ReplayError: the server cannot be asked at the start; later on that is waited for.
    """

    def __init__(
        self,
        webui: WebUI,
        since: str | None = None,
        *,
        bell: Bell | None = None,
        note: Note = lambda text: None,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._webui = webui
        self._bell = bell or Polling()
        self._note = note
        self._sleep = sleep
        self._seen: dict[str, None] = {}
        self._began = ""
        self._begin(since)

    def __iter__(self) -> Iterator[Summary]:
        """Each new capture's row, for ever."""
        while True:
            yield from self.unseen()
            self._bell()

    def unseen(self) -> list[Summary]:
        """The rows that came since the last look, oldest first; waits for a server that is gone."""
        rows = self.patiently(self._unseen)
        for row in rows:
            self._remember(row["id"])
        return rows

    def patiently(self, ask: Callable[[], T]) -> T:
        """What `ask` returns; again and again while the server is gone or fails.

        Raises:
            ReplayError: one that will not pass by itself: wrong credentials, an unknown id.
        """
        for attempt in itertools.count():
            try:
                answer = ask()
            except _PASSING as error:
                seconds = min(LONGEST, 2.0 ** min(attempt, 10))
                self._note(f"{error}; trying again in {seconds:g} s")
                self._sleep(seconds)
                continue
            if attempt:
                self._note(f"{self._webui.url} answers again")
            return answer
        raise AssertionError("unreachable")

    def _begin(self, since: str | None) -> None:
        if since is None:
            rows = list(self._rows(FIRST))
            self._began = max((row.get("started") or "" for row in rows), default="")
            for row in reversed(rows):
                self._remember(row["id"])
            return
        try:
            # By the capture itself: `latest` stands for an id here too.
            since = self._webui.captures.get(since).id
        except NotFound as error:
            raise NotFound(f"--since {since}: {error}") from error
        self._remember(since)

    def _unseen(self) -> list[Summary]:
        new: dict[str, Summary] = {}
        # A page at a time only if the newest one is unknown: what is asked mostly is one row.
        for row in self._rows(1):
            if row["id"] in self._seen:
                return []
        for row in self._rows(MOST):
            if row["id"] in self._seen:
                return list(new.values())[::-1]
            new.setdefault(row["id"], row)
        # Nothing that was seen is left: whatever is older than the watch is not new.
        rows = [row for row in new.values() if (row.get("started") or "") >= self._began]
        return rows[::-1]

    def _rows(self, limit: int) -> Iterator[Summary]:
        rows: Iterator[Any] = self._webui.captures.list(limit)
        for row in rows:
            if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                raise UnexpectedAnswer("the server's list has a row without an id")
            yield cast("Summary", row)

    def _remember(self, name: str) -> None:
        self._seen[name] = None
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]


def fetched(webui: WebUI, name: str) -> bytes:
    """A capture as a document that needs nothing else, its pictures inside.

    Raises:
        NotFound: it is gone again.
        FormatError: this release cannot read it, or a picture of it is missing.
        ReplayError: the server could not be asked.
    """
    capture = webui.captures.get(name)
    if capture.id != name:
        raise FormatError("id", f"the server gave {capture.id} for {name}")
    return as_json(capture, webui.captures.asset)


def saved(folder: Path, name: str, data: bytes) -> Path:
    """The capture's file in this folder, whole; one that is there already is left as it is."""
    path = folder / f"{name}.json"
    with contextlib.suppress(FileExistsError):
        files.create(path, data)
    return path


def arguments(command: str) -> list[str]:
    """A command line as its words, without any shell. Raises BadSource where it cannot be run."""
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError as error:
        raise BadSource(f"--exec {command}: {error}") from error
    if not words or shutil.which(words[0]) is None:
        raise BadSource(f"--exec {command}: there is no such program")
    return words


def executed(words: Sequence[str], file: Path, row: Summary, server: str) -> str | None:
    """Run a command for a capture; why it failed, or None.

    ``{}`` among its words becomes the path of the capture's file, which comes last where there is
    none; the environment says the same and more in ``PAYLOAD_CAPTURE_…``. Its output goes to
    standard error, and no shell reads any of it.
    """
    given = [word.replace("{}", str(file)) for word in words]
    if given == list(words):
        given.append(str(file))
    try:
        code = subprocess.run(
            given, env=os.environ | _told(file, row, server), stdin=subprocess.DEVNULL, stdout=2
        ).returncode
    except (OSError, ValueError) as error:
        return f"{given[0]}: {error}"
    if code < 0:
        return f"{given[0]} was ended by signal {-code}"
    return f"{given[0]} exited with {code}" if code else None


def _told(file: Path, row: Summary, server: str) -> dict[str, str]:
    names = ("id", "endpoint", "source", "state", "started", "seed", "model", "pictures")
    facts = {name: row.get(name) for name in names} | {"file": file, "server": server}
    texts = {name: "" if value is None else str(value) for name, value in facts.items()}
    return {
        f"PAYLOAD_CAPTURE_{name.upper()}": text.replace("\0", "") for name, text in texts.items()
    }
