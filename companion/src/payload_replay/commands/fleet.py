"""The options of a run on several servers, and what Ctrl-C does to it."""

from __future__ import annotations

import functools
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated
from urllib.parse import urlsplit

import typer

from payload_replay import console
from payload_replay.batch import Outcome
from payload_replay.client import WebUI
from payload_replay.exits import ExitStatus
from payload_replay.fleet import Fleet
from payload_replay.journal import Journal
from payload_replay.tasks import Job

from .options import SERVER, connect

SERVERS = [SERVER]

Servers = Annotated[
    list[str],
    typer.Option(
        "--server",
        envvar="PAYLOAD_REPLAY_SERVER",
        help="A webui's address, its own USER:PASSWORD@ before it; several share the work.",
    ),
]
Slots = Annotated[
    int, typer.Option("--jobs", "-j", min=1, max=64, help="Jobs per server at a time.")
]
JournalFile = Annotated[
    Path | None,
    typer.Option(
        "--journal", help="Note in this file what is finished, and leave out what is already."
    ),
]


def clients(
    servers: Sequence[str], auth: str | None, timeout: float
) -> list[functools.partial[WebUI]]:
    """What makes a client of each server, once however often and however it is written.

    Raises typer.Exit where an address is malformed.
    """
    made: dict[tuple[str, ...], functools.partial[WebUI]] = {}
    for server in servers:
        one = functools.partial(connect, server, auth, timeout)
        made.setdefault(_place(one().url), one)
    return list(made.values())


def _place(url: str) -> tuple[str, ...]:
    """The same for all spellings of an address."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return parts.scheme, parts.hostname or "", str(port), parts.path


@contextmanager
def stoppable(fleet: Fleet) -> Iterator[Run]:
    """Ctrl-C stops after what runs, again interrupts the servers, a third time leaves at once."""
    run = Run(fleet)
    before = signal.signal(signal.SIGINT, run.interrupted)
    try:
        yield run
    finally:
        signal.signal(signal.SIGINT, before)


class Run:
    """One run of a fleet under the eyes of somebody who may press Ctrl-C."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._presses = 0
        self._total = 0
        self._started = time.perf_counter()

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """The outcomes as they come, under a progress bar."""
        self._total = len(jobs)
        return console.followed(self._fleet.run(jobs), self._total)

    def interrupted(self, number: int, frame: FrameType | None) -> None:
        """What SIGINT does."""
        self._presses += 1
        if self._presses == 1:
            self._fleet.stop()
            running = self._fleet.running
            console.note(f"finishing the {running} that run; Ctrl-C again interrupts the servers")
        elif self._presses == 2:
            console.note("interrupting the servers; Ctrl-C again leaves at once")
            self._fleet.interrupt()
        else:
            raise KeyboardInterrupt

    def report(self, done: Sequence[Outcome]) -> None:
        """The table for a terminal, and the summary of several."""
        if console.output().is_terminal:
            console.verdicts(done)
        if self._total > 1:
            console.summary(done, self._total, time.perf_counter() - self._started)
        if len(done) < self._total:
            console.note("the others were not begun; with --journal, the same run goes on there")

    def status(self, done: Sequence[Outcome]) -> ExitStatus:
        """The gravest of the outcomes; after Ctrl-C always its own."""
        if self._presses:
            return ExitStatus.INTERRUPTED
        return max((outcome.status for outcome in done), default=ExitStatus.IDENTICAL)


@contextmanager
def journal(path: Path | None) -> Iterator[Journal | None]:
    """The journal in this file, if there is to be one."""
    if path is None:
        yield None
        return
    with Journal(path) as found:
        if len(found):
            console.note(f"{len(found)} were finished before, as {path} says")
        yield found
