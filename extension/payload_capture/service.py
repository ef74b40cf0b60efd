"""What the extension does with captures, for routes, for pages and for programs in this process."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from payload_capture import (
    __version__,
    events,
    host,
    imports,
    options,
    privacy,
    runs,
)
from payload_capture.archive import Archive
from payload_capture.auth import Caller, Gate, Refused, stricter
from payload_capture.capture import FORMAT, IMG2IMG, TXT2IMG, Capture, FormatError, Host, Job
from payload_capture.exports import Exported
from payload_capture.interface import registry
from payload_capture.jobs import Finished, Recorder, Run
from payload_capture.portable import minimal
from payload_capture.replays import NOT_REPLAYABLE, TASK, Replay, Replays
from payload_capture.store import ConflictError, Filters, LostError, NotFoundError, StoreError
from payload_capture.taking import Uploads
from payload_capture.writer import Drafts, Writer, generation_key

if TYPE_CHECKING:
    from fastapi import FastAPI

    from payload_capture.shared.client import WebUI

TIDY = 50
"""Captures from one look at what is too old or too much to the next; the first one looks too."""
LAST_SECONDS = 5.0
"""Seconds in which what waits is stored before a signal ends the process."""


class Service(Archive):
    """What routes and pages do with captures, and how capturing fares."""

    def __init__(self, folder: Path) -> None:
        self.writer = Writer(self._write, self._failed)
        super().__init__(options.store(folder), self.writer.flush)
        self._folder = folder
        self._names = host.private_names()
        self.drafts = Drafts(_facts, self._keep, options.privacy, lambda: self._names)
        self.recorder = Recorder(host, self.writer.put, options.enabled)
        self.uploads = Uploads()
        self._broken_off: deque[tuple[str | tuple[Any, ...], str]] = deque(maxlen=100)
        self.replays = Replays(
            self.webui, self.bytes_of, self._replayed, _takes_task, self._was_broken_off
        )
        self.app: FastAPI | None = None
        self.gate: Gate | None = None
        self._written = 0
        self._strangers = options.strangers()
        self._generations: OrderedDict[str, str] = OrderedDict()

    def policy(self) -> str:
        """What strangers may do where the webui asks for no password.

        Who may change the setting may be a stranger, so a less strict one waits for a new start.
        """
        return stricter(self._strangers, options.strangers())

    def admit_page(self, caller: Caller, *, reads: bool) -> None:
        """Let a question of the page in. Raises Refused."""
        if self.gate is None:
            raise Refused(503, "starting", "the webui is starting: try again in a moment")
        self.gate.admit_page(caller, reads=reads)

    def request(self, identity: str, form: str = "exact") -> dict[str, Any]:
        """Exactly what to send to make the picture again.

        Args:
            form: ``exact``, which pins everything, or ``minimal``, without what this webui fills
                in by itself.

        Raises:
            FormatError: the capture holds no complete request, and why.
            NotFoundError, StoreError: as for `get`.
        """
        capture = self.get(identity)
        for caveat in capture.warnings:
            if caveat.severity == "blocks":
                raise FormatError(caveat.path, f"cannot be sent again: {caveat.reason}")
        capture = _in_form(capture, form)
        body = capture.request(lambda sha256: self.asset(sha256)[1])
        return {"method": "POST", "endpoint": capture.endpoint, "payload": body}

    # ---- in and out

    def take(self, file: IO[bytes], endpoint: str | None) -> dict[str, Any]:
        """Store the captures of a file: the ids of those that are ``imported`` and that were
        ``known``, and what ``failed``, by its number from 1.

        Raises FormatError, TooLargeError where nothing of it can be read; StoreError.
        """
        made: dict[str, list[Any]] = {"imported": [], "known": [], "failed": []}
        first: FormatError | imports.TooLargeError | None = None
        number = 0
        try:
            for number, data in enumerate(imports.documents(file), 1):
                if error := self._take(data, endpoint, made):
                    first = first or error
                    made["failed"].append(imports.failure(number, error))
        except (FormatError, imports.TooLargeError) as error:  # what comes after it is not read
            first = first or error
            made["failed"].append(imports.failure(number + 1, error))
        if first and not (made["imported"] or made["known"]):
            raise first
        return made

    def _take(
        self, data: bytes, endpoint: str | None, made: dict[str, list[Any]]
    ) -> FormatError | None:
        """Store the captures of one document; what is wrong with it, if anything is."""
        try:
            for ready in imports.read(data, endpoint, self._reading(), self.has):
                made["imported" if self._import(ready) else "known"].append(ready.capture.id)
        except FormatError as error:
            # Its traceback and cause hold the document, of which a file may have thousands.
            error.__cause__ = error.__context__ = None
            return error.with_traceback(None)
        return None

    def _import(self, ready: imports.Ready) -> bool:
        """Whether it was stored, or taken out of the trash: False where it is there already."""
        capture = ready.capture
        try:
            there = self.get(capture.id)
        except NotFoundError:
            with contextlib.suppress(ConflictError):  # another one came meanwhile
                self.store.add(capture, ready.files)
                self.revision += 1
                self.events.publish("captured", self.store.summary(capture.id))
                return True
            there = self.get(capture.id)
        if imports.same(there, capture):
            if not self.summary(capture.id)["trashed"]:
                return False
            self.restore(capture.id)
            return True
        raise FormatError("id", f"another capture is called {capture.id}: give this one another id")

    def _reading(self) -> imports.Ask | None:
        """The webui's own reading of a picture's infotext, where it has an API."""
        if not host.api():
            return None
        from payload_capture import inside

        return functools.partial(inside.png_info, self.webui())

    def exported(self, identity: str, form: str = "exact") -> Exported:
        """A capture as it may leave this machine, and what reads its pictures; `form` as for
        `request`.

        Raises NotFoundError, StoreError.
        """
        return privacy.renamed(_in_form(self.get(identity), form), self.bytes_of, self._names)

    def address(self, url: str) -> str:
        """This webui's address as a program may name it that leaves this machine."""
        return privacy.address(url, self._names)

    def exported_all(self, filters: Filters) -> Iterator[Exported]:
        """Every capture that the filters let through, the newest first, one at a time.

        Raises StoreError.
        """
        cursor: str | None = None
        while True:
            page = self.page(100, cursor, filters)
            for row in page.captures:
                if (made := self._as_far_as_there(row["id"])) is not None:
                    yield made
            if (cursor := page.next) is None:
                return

    def _as_far_as_there(self, identity: str) -> Exported | None:
        """None for what was deleted meanwhile, or damaged: it must not cost an export the rest."""
        try:
            return self.exported(identity)
        except NotFoundError:
            return None
        except LostError as error:
            self._failed(f"left out of an export: {error}")
            return None

    def stream(self, last: int | None) -> AsyncGenerator[str, None]:
        """What happens, as server-sent events, until the client goes or the UI reloads."""
        return events.stream(self.events, last, host.closing)

    @property
    def closing(self) -> bool:
        """Whether the server is about to end, which waits for its connections to end first."""
        return host.closing()

    # ---- this webui's own API

    def webui(self) -> WebUI:
        """A client of this webui's own API. Raises RunError where it has none."""
        from payload_capture import inside

        if self.app is None or self.api_off:
            raise runs.RunError(409, "api_off", runs.API_OFF)
        return inside.webui(self.app, host.api_credentials())

    @property
    def api_off(self) -> str:
        """Why nothing can be replayed here; "" where it can."""
        return runs.API_OFF if host.api() is None or self.app is None else ""

    def replay(self, identity: str) -> Replay:
        """Queue a replay. That it was refused is a verdict, which is kept as well.

        Raises RunError, NotFoundError, StoreError.
        """
        capture = self.get(identity)
        try:
            with _asking():
                return self.replays.start(capture)
        except runs.RunError as error:
            if error.code == NOT_REPLAYABLE:
                self._judge(capture.id, "refused", str(error))
            raise

    def replay_status(self, job: str) -> Replay:
        """Raises NotFoundError."""
        try:
            return self.replays.get(job)
        except KeyError:
            raise NotFoundError(job) from None

    def cancel(self, job: str) -> Replay:
        """Stop a replay. Raises NotFoundError, RunError."""
        try:
            return self.replays.cancel(job)
        except KeyError:
            raise NotFoundError(job) from None

    def check(self, capture: Capture) -> list[dict[str, Any]]:
        """What of a capture this webui lacks, the gravest first. Raises RunError."""
        with _asking():
            return [problem.to_dict() for problem in self.webui().check(capture)]

    def _replayed(self, replay: Replay) -> None:
        told = {"id": replay.capture, **dataclasses.asdict(replay)}
        try:
            if replay.verdict is not None:
                self._judge(replay.capture, replay.verdict, replay.reason)
        finally:
            self.events.publish("replayed", told)

    def _judge(self, identity: str, verdict: str, reason: str | None) -> None:
        """Keep a verdict with its capture, unless that was deleted meanwhile."""
        with contextlib.suppress(NotFoundError):
            self.edit(identity, verdict=verdict, reason=reason)

    def _was_broken_off(self, replay: Replay, capture: Capture) -> bool:
        """Whether the recorder saw that somebody broke a replay's job off: the one of its name, or
        since it was asked one without a name that looks like it."""
        self.writer.flush()
        look = _looks(capture)
        return any(
            name == replay.task or (name == look and started >= replay.asked)
            for name, started in self._broken_off
        )

    def run(self, endpoint: str, payload: Any) -> dict[str, Any]:
        """Make what no standard endpoint can express. Raises RunError."""
        return runs.run(host, endpoint, payload)

    @property
    def blurs(self) -> bool:
        """Whether thumbnails show no more than shapes."""
        return options.privacy().blurred

    def preview(self, tab: str, request: Any, args: Sequence[Any]) -> str:
        """The id of a capture of what pressing Generate would send; no list shows it.

        Raises what the webui raises where the button would fail.
        """
        drafts = host.preview(tab, request, args)
        job = Job(started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
        job = dataclasses.replace(job, source="ui", user=getattr(request, "username", None))
        runs = [Run(0, draft) for draft in drafts]
        written = Drafts(_facts).finish(Finished(0, job, runs, host.checkpoint(None)))
        self.keep_preview(written)
        return written.capture.id

    def of_generation(self, generation_info: str) -> str | None:
        """The id of the capture of the job whose result on the page is `generation_info`."""
        self.writer.flush()
        return self._generations.get(generation_key(generation_info))

    def status(self) -> dict[str, Any]:
        """What `GET /status` answers; counts are None where the store fails."""
        counts: dict[str, int] = {}
        try:
            counts = self.store.counts()
        except StoreError as error:
            self._failed(str(error))
        return {
            "extension": __version__,
            "format": FORMAT,
            "host": dataclasses.asdict(host.facts(host.checkpoint(None), ())),
            "enabled": options.enabled(),
            "warning": (self.gate and self.gate.warning()) or None,
            "runs": list(runs.ENDPOINTS) if host.api() else [],
            "frozen": host.frozen(),
            "unlisted": host.unlisted(),
            **{name: counts.get(name) for name in ("captures", "assets", "bytes")},
            "waiting": len(self._backlog),
            "failures": self.failures,
            "last_failure": self.last_failure,
            "listeners": self.events.listeners(),
        }

    def save(self) -> None:
        """Store what waits, at once: the process is about to end, maybe in a signal's handler."""
        if not self.writer.finish(self._retry, LAST_SECONDS):
            os.write(2, b"[payload-capture] not everything could be stored before the end\n")

    def reopen(self) -> None:
        """Close, and go on with the store that the settings name now."""
        self.close()
        self.store = options.store(self._folder)

    # ---- the writer's thread

    def _write(self, item: Run | Finished) -> None:
        if isinstance(item, Run):
            return self.drafts.add(item)
        written = self.drafts.finish(item)
        if item.job.state == "interrupted":
            name = item.job.task or _looks(written.capture)
            self._broken_off.append((name, written.capture.job.started))
        self.arrived(written)
        if written.generation:
            self._generations[written.generation] = written.capture.id
            while len(self._generations) > 1000:
                self._generations.popitem(last=False)
        if self._answers():
            self._tidy()
        if registry.wanted:
            registry.publish(written.capture.to_json(indent=None))

    def _tidy(self) -> None:
        """Let the store keep no more than the settings say; now and then, since it has to count."""
        self._written += 1
        if self._written % TIDY != 1:
            return
        try:
            self._tell_deleted(self.store.retain(options.retention()))
            if days := options.trash_days():
                before = datetime.now(timezone.utc) - timedelta(days=days)
                self._tell_deleted(self.store.purge(before))
        except StoreError as error:
            self._failed(str(error))


def _in_form(capture: Capture, form: str) -> Capture:
    if form != "minimal":
        return capture
    short = minimal(capture.endpoint, capture.payload, host.defaults)
    return dataclasses.replace(capture, payload=short)


def _looks(capture: Capture) -> tuple[Any, ...]:
    """By what a job is known that has no name, as those of the API in A1111 v1.6.0."""
    payload = capture.payload
    return capture.endpoint, payload.get("prompt"), payload.get("seed"), payload.get("steps")


def _takes_task(endpoint: str) -> bool:
    return endpoint in (TXT2IMG, IMG2IMG) and TASK in host.accepted_fields(endpoint)


def _asking() -> contextlib.AbstractContextManager[None]:
    from payload_capture import inside

    return inside.translated()


def _facts(model: str, prompts: Iterable[str]) -> Host:
    return dataclasses.replace(host.facts(model, prompts), facts=registry.facts())
