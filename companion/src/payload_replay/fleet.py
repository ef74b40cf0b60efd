"""Many replays on several servers: a pool of threads, one job per server at a time by default.

A job that a server refuses or fails is tried on the others; a server that does not answer any more
is left alone, asked again after a while, and given up in the end. A server that cannot be used at
all from the beginning is given up at once. Where none is left, what remains gets its error.

Each server has a thread more than jobs at a time: what came of one job is compared and saved while
the server makes the next. Files are loaded by the thread that sends them, so memory holds one job
per thread, however many there are.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import blame
from .batch import Outcome, save
from .capture import AssetError, Capture
from .client import WebUI
from .errors import Interrupted, NoAPI, ReplayError
from .journal import Journal, key
from .replay import Keep, replay
from .settings import Kept, Shared, kept
from .tasks import Job

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between the attempts to reach a server again that has answered before."""
GRACE = 30.0
"""Seconds without a word that `Fleet.interrupt` leaves the servers to stop."""
AHEAD = 4
"""Outcomes that may wait to be read before the threads wait in turn."""


@dataclass(eq=False)
class _Open:
    """A job that is not finished, and what came of it where it was tried."""

    job: Job
    tried: dict[_Server, Outcome] = field(default_factory=dict)
    holds: bool = False
    """Whether it is one of the jobs that its server may have at a time."""


class _Server:
    """One server; its `state` is ``new`` until it has answered, ``up``, ``resting`` or ``gone``."""

    def __init__(self, connect: Callable[[], WebUI], slots: int) -> None:
        self.connect = connect
        self.webui = connect()
        self.url = self.webui.url
        self.keep: Keep = kept if slots == 1 else Shared()
        self.state = "new"
        self.error: Exception | None = None
        self.busy = 0
        """Jobs that it may be making."""
        self.open: list[_Open] = []
        """Those, and jobs that it has made, but that are not reported yet."""


class Fleet:
    """Servers that share the work.

    Args:
        connect: for each server, what makes a client of it. Each thread has its own, and besides
            each server has one that all threads ask for sources and their pictures.
        slots: jobs per server at a time. With several, a server's settings are put back only
            when none runs there any more.
        out: a folder for the pictures that came.
        journal: what was finished before is not made again; what is finished is added.
        migrate: rewrite first what a server wants said otherwise.
        pauses: seconds between attempts to reach a server that has gone silent.
    """

    def __init__(
        self,
        connect: Sequence[Callable[[], WebUI]],
        slots: int = 1,
        out: Path | None = None,
        journal: Journal | None = None,
        pauses: Sequence[float] = PAUSES,
        *,
        migrate: bool = False,
    ) -> None:
        self._servers = [_Server(one, slots) for one in connect]
        self._slots = slots
        self._out = out
        self._journal = journal
        self._pauses = pauses
        self._migrate = migrate
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._again: list[_Open] = []
        self._results: deque[Outcome] = deque()
        self._threads = 0
        self._stopping = self._left = False
        self._interrupted = threading.Event()

    @property
    def running(self) -> int:
        """How many jobs were begun and are not reported yet."""
        return sum(len(server.open) for server in self._servers)

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of each job, as they come: of one server with one slot, in their order."""
        self._jobs = deque(jobs)
        pool = [
            threading.Thread(target=self._serve, args=(server,), daemon=True)
            for server in self._servers
            for _ in range(self._slots + 1)
        ]
        self._threads = len(pool)
        for thread in pool:
            thread.start()
        try:
            yield from self._outcomes()
        finally:
            with self._changed:
                self._left = self._stopping = True
                self._changed.notify_all()
            for server in self._servers:
                server.webui.__exit__()

    def stop(self) -> None:
        """Begin no further job; `run` ends when those that run have ended."""
        with self._changed:
            self._stopping = True
            self._settle()
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Stop, and tell each server that runs a job of ours to interrupt it.

        A webui interrupts whatever it is making, which may be somebody else's job while ours waits
        there. `run` ends without those that say nothing for `GRACE` seconds.
        """
        with self._changed:
            self._stopping = True
            self._interrupted.set()
            self._settle()
            busy = [server for server in self._servers if server.busy]
            self._changed.notify_all()
        for server in busy:
            threading.Thread(target=_interrupt, args=(server,), daemon=True).start()

    # ---- the reader's side

    def _outcomes(self) -> Iterator[Outcome]:
        left = GRACE
        while True:
            with self._changed:
                # With a timeout, since on Windows Ctrl-C waits for a wait without one.
                came = self._changed.wait_for(lambda: self._results or not self._threads, 0.5)
                found = list(self._results)
                self._results.clear()
                over = not self._threads
                self._changed.notify_all()
            yield from found
            if over and not found:
                return
            left -= 0.5 if self._interrupted.is_set() and not came else 0
            if left <= 0:
                return

    # ---- the threads

    def _serve(self, server: _Server) -> None:
        try:
            with server.connect() as webui:
                while (one := self._take(server)) is not None:
                    if self._finish(server, one, self._attempt(server, webui, one)):
                        self._wake(server, webui)
        finally:
            with self._changed:
                self._threads -= 1
                self._changed.notify_all()

    def _take(self, server: _Server) -> _Open | None:
        """The next job for this server; None where there will be no more."""
        with self._changed:
            while True:
                if self._stopping or server.state == "gone":
                    return None
                free = server.busy < self._slots and server.state != "resting"
                if free and (one := self._next(server)):
                    server.busy += 1
                    server.open.append(one)
                    one.holds = True
                    return one
                if self._over():
                    return None
                self._changed.wait()

    def _free(self, server: _Server, one: _Open) -> None:
        """Let the server have the next job, unless it may have had that already."""
        with self._changed:
            server.busy -= one.holds
            one.holds = False
            self._changed.notify_all()

    def _next(self, server: _Server) -> _Open | None:
        for one in self._again:
            if server not in one.tried:
                self._again.remove(one)
                return one
        return _Open(self._jobs.popleft()) if self._jobs else None

    def _finish(self, server: _Server, one: _Open, outcome: Outcome) -> bool:
        """Report it, or let others try; whether this is what laid the server to rest."""
        with self._changed:
            if self._slots == 1:  # one after the other, in the order in which they were begun
                self._changed.wait_for(lambda: server.open[0] is one)
            self._free(server, one)
            server.open.remove(one)
            rested = server.state == "resting"
            self._judge(server, outcome)
            if blame.is_final(outcome):
                self._report(one.job, _told(one, outcome))
            else:
                one.tried[server] = outcome
                self._again.append(one)
            self._settle()
            self._changed.notify_all()
            fell = server.state == "resting" and not rested
            self._changed.wait_for(lambda: self._left or len(self._results) < AHEAD)
            return fell

    def _judge(self, server: _Server, outcome: Outcome) -> None:
        """What an outcome says of the server itself."""
        if not blame.is_hopeless(outcome.error):
            if server.state == "new" and outcome.server and outcome.record is None:
                server.state = "up"
            return
        answered = server.state != "new"
        if answered and isinstance(outcome.error, NoAPI):
            return  # this one route, then
        server.error = outcome.error
        again = answered and blame.is_silence(outcome.error) and self._pauses
        server.state = "resting" if again and server.state != "gone" else "gone"

    def _wake(self, server: _Server, webui: WebUI) -> None:
        """Ask a silent server again and again; in the end it is up or gone."""
        for pause in self._pauses:
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping or self._over(), pause):
                    break
            if _answers(webui):
                self._set(server, "up")
                return
        self._set(server, "gone")

    def _over(self) -> bool:
        """Whether nothing is left to do, nor will be."""
        return not self._again and not self.running and not self._jobs

    def _set(self, server: _Server, state: str) -> None:
        with self._changed:
            server.state = state
            self._settle()
            self._changed.notify_all()

    def _settle(self) -> None:
        """Finish what no server is left for."""
        there = [server for server in self._servers if server.state != "gone"]
        for one in list(self._again):
            if self._stopping or all(server in one.tried for server in there):
                self._again.remove(one)
                self._report(one.job, _gravest(one))
        if not there and not self._stopping:
            error = next(server.error for server in reversed(self._servers) if server.error)
            while self._jobs:
                job = self._jobs.popleft()
                self._report(job, Outcome(job.name, error=error))

    def _report(self, job: Job, outcome: Outcome) -> None:
        job.source.done()
        self._results.append(dataclasses.replace(outcome, index=job.index))

    # ---- one job

    def _attempt(self, server: _Server, webui: WebUI, one: _Open) -> Outcome:
        name, where = one.job.name, ""
        try:
            capture, home = self._loaded(one.job)
            where = server.url
            return self._replayed(server, webui, one, capture, home)
        except Exception as error:
            where = server.url if blame.is_of_server(error) else where
            if where and self._is_stopped(one):
                return Outcome(name, error=_stopped(server), server=where)
            return Outcome(name, error=blame.expected(error), server=where)

    def _loaded(self, job: Job) -> tuple[Capture, WebUI | None]:
        """What a job sends. A server that does not answer is asked for its source last."""
        with self._changed:
            awake = sorted(self._servers, key=lambda server: server.state in ("resting", "gone"))
        named, home = job.source.load([server.webui for server in awake])
        return job.make(named), home

    def _replayed(
        self, server: _Server, webui: WebUI, one: _Open, capture: Capture, home: WebUI | None
    ) -> Outcome:
        job, journal = one.job, self._journal
        hashed = key(capture, self._migrate) if journal is not None else ""
        if journal is not None and (record := journal.take(hashed)) is not None:
            return Outcome(job.name, record=record, server=str(record.get("server") or ""))
        if self._is_stopped(one):
            return Outcome(job.name, error=_stopped(server), server=server.url)
        fetch, keep = _fetching(webui, home), self._keeping(server, one)
        made = replay(webui, capture, fetch=fetch, migrate=self._migrate, keep=keep)
        if self._is_stopped(one):
            return Outcome(job.name, error=_stopped(server), server=server.url)
        outcome = Outcome(job.name, made, server=server.url)
        if made.verdict == "refused":
            return outcome
        if self._out is not None:
            files = save(made.pictures, self._out, capture.id)
            outcome = dataclasses.replace(outcome, files=files)
        if journal is not None:
            journal.add(hashed, outcome.to_record())
        return outcome

    def _is_stopped(self, one: _Open) -> bool:
        """Whether the servers were interrupted before this one was made."""
        return self._interrupted.is_set() and one.holds

    def _keeping(self, server: _Server, one: _Open) -> Keep:
        """The server's `keep`, after which it is free, its settings being as they were."""

        @contextmanager
        def keep(webui: WebUI) -> Iterator[Kept]:
            with server.keep(webui) as state:
                yield state
            # Not after an error, of which others must hear first, nor with half a picture.
            if not self._interrupted.is_set():
                self._free(server, one)

        return keep


def _fetching(webui: WebUI, home: WebUI | None) -> Callable[[str], bytes]:
    """An asset from the server that the capture comes from, or from the one that makes it."""

    def fetch(sha256: str) -> bytes:
        found = home and _asset(home, sha256)
        if not isinstance(found, bytes):
            found = _asset(webui, sha256)
        if isinstance(found, bytes):
            return found
        raise AssetError(
            f"assets.{sha256}",
            f"the document does not have the bytes, nor does a server ({found}); export the "
            "capture again, as JSON or as a bundle",
        )

    return fetch


def _asset(webui: WebUI, sha256: str) -> bytes | ReplayError:
    try:
        return webui.captures.asset(sha256)
    except ReplayError as error:
        return error


def _told(one: _Open, outcome: Outcome) -> Outcome:
    said = {server.url: before.reason for server, before in one.tried.items()}
    return dataclasses.replace(outcome, elsewhere=said)


def _gravest(one: _Open) -> Outcome:
    """Of a job that was tried everywhere: the failure that may be none next time, or the last."""
    outcomes = list(one.tried.values())
    worst = max(outcomes, key=lambda outcome: outcome.status)
    said = {outcome.server: outcome.reason for outcome in outcomes if outcome is not worst}
    return dataclasses.replace(worst, elsewhere=said)


def _stopped(server: _Server) -> Interrupted:
    return Interrupted(f"stopped, and {server.url} was told to interrupt it; nothing is compared")


def _answers(webui: WebUI) -> bool:
    try:
        webui.options()
    except ReplayError:
        return False
    return True


def _interrupt(server: _Server) -> None:
    with server.connect() as webui:
        webui.timeout = (5, 10)
        try:
            webui.interrupt()
        except ReplayError:
            return  # it is silent: there is nothing to stop there
