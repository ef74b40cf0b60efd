"""The composition root: builds the parts, wires them to the webui, shuts them down.

The webui runs script files again on "Reload UI", with its callbacks cleared and a new app, but
does not load packages anew; so one `Service` lives as long as the process and `start` wires it
again each time.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import os
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from payload_capture import (
    __version__,
    events,
    host,
    imports,
    middleware,
    privacy,
    routes,
    runs,
    settings,
    shutdown,
)
from payload_capture.auth import Caller, Gate, Refused, stricter
from payload_capture.capture import (
    FORMAT,
    IMG2IMG,
    TXT2IMG,
    AssetError,
    Capture,
    FormatError,
    Host,
    Job,
    Source,
)
from payload_capture.exports import Exported
from payload_capture.interface import registry
from payload_capture.jobs import Finished, Recorder, Run
from payload_capture.portable import minimal
from payload_capture.replays import NOT_REPLAYABLE, TASK, Replay, Replays
from payload_capture.shapes import LATEST
from payload_capture.store import (
    ConflictError,
    Filters,
    LostError,
    NotFoundError,
    Page,
    Retention,
    Store,
    StoreError,
    summary,
)
from payload_capture.taking import Uploads
from payload_capture.writer import Drafts, Writer, Written, generation_key

if TYPE_CHECKING:
    from fastapi import FastAPI

    from payload_capture.shared.client import WebUI
    from payload_capture.upkeep import Fault

TIDY = 50
"""Captures from one look at what is too old or too much to the next; the first one looks too."""
KEPT_IN_MEMORY = 32
"""Captures that wait in memory while the store cannot be written."""
RETRY = 5.0
"""Seconds after which the writer tries a store again that failed: each attempt may take as long as
its lock or its server is waited for, and jobs with their pictures queue up meanwhile."""
LAST_SECONDS = 5.0
"""Seconds in which what waits is stored before a signal ends the process."""


class Service:
    """What routes and pages do: read and delete captures, tell how capturing fares."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.store = _store(folder)
        self.writer = Writer(self._write, self._failed)
        self._names = host.private_names()
        self.drafts = Drafts(_facts, self._keep, _privacy, lambda: self._names)
        self.recorder = Recorder(host, self.writer.put, _enabled)
        self.events = events.Events()
        self.uploads = Uploads()
        self._broken_off: deque[str] = deque(maxlen=100)
        self.replays = Replays(
            self.webui, self.bytes_of, self._replayed, _takes_task, self._was_broken_off
        )
        self.app: FastAPI | None = None
        self.failures = 0
        self.last_failure: str | None = None
        self.revision = 0
        self._written = 0
        self._again = 0.0
        self.gate: Gate | None = None
        self._strangers = _strangers()
        self._backlog: OrderedDict[str, Written] = OrderedDict()
        self._previews: OrderedDict[str, Written] = OrderedDict()
        self._generations: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def page(
        self, limit: int = 50, cursor: str | None = None, filters: Filters | None = None
    ) -> Page:
        """Summaries, newest first; those that could not be stored yet come first."""
        self.writer.flush()
        self._retry()
        filters = filters or Filters()
        kept = [] if cursor else self._waiting()
        waiting = [summary(w.capture, w.failure) for w in kept if filters.admits(w.capture)]
        try:
            stored = self.store.page(limit, cursor, filters)
        except StoreError:
            if not waiting:
                raise
            stored = Page([], None)
        return Page([*waiting, *stored.captures], stored.next)

    def get(self, identity: str) -> Capture:
        """A capture by its id, or the newest for ``latest``. Raises NotFoundError, StoreError."""
        self.writer.flush()
        self._retry()
        if identity == LATEST:
            waiting = next(iter(self._waiting()), None)
            return waiting.capture if waiting else self.store.latest()
        kept = self._backlog.get(identity) or self._previews.get(identity)
        return kept.capture if kept else self.store.get(identity)

    def summary(self, identity: str) -> dict[str, Any]:
        """A capture as a list shows it. Raises NotFoundError, StoreError."""
        kept = self._backlog.get(identity) or self._previews.get(identity)
        if kept is None and identity == LATEST:
            return self.summary(self.get(LATEST).id)
        return summary(kept.capture, kept.failure) if kept else self.store.summary(identity)

    def latest_of(self, user: str | None) -> dict[str, Any] | None:
        """The newest capture of a user, of anybody for None. Raises StoreError."""
        self.writer.flush()
        self._retry()
        waiting = (written.capture for written in self._waiting())
        mine = (capture for capture in waiting if user in (None, capture.job.user))
        try:
            return (next(mine, None) or self.store.latest(user)).to_dict()
        except NotFoundError:
            return None

    def policy(self) -> str:
        """What strangers may do where the webui asks for no password.

        Who may change the setting may be a stranger, so a less strict one waits for a new start.
        """
        return stricter(self._strangers, _strangers())

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
        """
        capture = self.get(identity)
        for caveat in capture.warnings:
            if caveat.severity == "blocks":
                raise FormatError(caveat.path, f"cannot be sent again: {caveat.reason}")
        capture = _in_form(capture, form)
        body = capture.request(lambda sha256: self.asset(sha256)[1])
        return {"method": "POST", "endpoint": capture.endpoint, "payload": body}

    def result(self, identity: str, number: int) -> tuple[str, bytes, str]:
        """(media type, bytes, hash of the bytes) of a capture's picture."""
        results = self.get(identity).results
        if number >= len(results) or (sha256 := results[number].asset) is None:
            raise NotFoundError(f"{identity}/results/{number}")
        return (*self.asset(sha256), sha256)

    def asset(self, sha256: str) -> tuple[str, bytes]:
        for written in (*self._waiting(), *self._previewed()):
            if sha256 in written.files:
                return written.capture.assets[sha256].media_type, written.files[sha256]
        return self.store.asset(sha256)

    def bytes_of(self, sha256: str) -> bytes:
        """A picture's file, for whoever writes or sends it. Raises AssetError."""
        try:
            return self.asset(sha256)[1]
        except NotFoundError as error:
            raise AssetError(f"assets.{sha256}", "the store has no such picture") from error
        except StoreError as error:
            raise AssetError(f"assets.{sha256}", str(error)) from error

    def has(self, sha256: str) -> bool:
        """Whether a picture's file can be had."""
        try:
            self.bytes_of(sha256)
        except AssetError:
            return False
        return True

    # ---- changes, each of which is an event; `latest` is an id here too

    def edit(self, identity: str, **changes: Any) -> dict[str, Any]:
        """Change title, note, tags, starred or verdict: the new summary. Raises NotFoundError."""
        return self._changed(self.store.edit(self._stored(identity), **changes))

    def trash(self, identity: str) -> str:
        """Put a capture into the trash: its id. Raises NotFoundError."""
        identity = self._stored(identity)
        self.store.trash(identity)
        self._changed(self.store.summary(identity))
        return identity

    def restore(self, identity: str) -> dict[str, Any]:
        """Take a capture out of the trash: the new summary. Raises NotFoundError."""
        identity = self._stored(identity)
        self.store.restore(identity)
        return self._changed(self.store.summary(identity))

    def delete(self, identity: str) -> str:
        """Remove a capture for good: its id. Raises NotFoundError, StoreError."""
        return self._removed(identity, self.store.delete)

    def forget(self, identity: str) -> str:
        """Remove a capture, and leave nothing of it in any file: its id. Raises NotFoundError."""
        return self._removed(identity, self.store.forget)

    def empty_trash(self) -> int:
        """Remove what lies in the trash for good: how many captures. Raises StoreError."""
        gone = self.store.purge()
        self.revision += 1
        self._tell_deleted(gone)
        return len(gone)

    def _tell_deleted(self, identities: Iterable[str]) -> None:
        for identity in identities:
            self.events.publish("deleted", {"id": identity})

    def _removed(self, identity: str, remove: Callable[[str], None]) -> str:
        identity = self.get(LATEST).id if identity == LATEST else identity
        with self._lock:
            waiting = self._backlog.pop(identity, None)
        if waiting is None:
            remove(identity)
        self.revision += 1
        self.events.forget(identity)
        self.events.publish("deleted", {"id": identity})
        return identity

    def tags(self) -> dict[str, int]:
        """Every tag, with how many captures have it."""
        return self.store.tags()

    def choices(self) -> dict[str, list[str]]:
        """The values that filters of a list may ask for, by the filter's name."""
        return {**self.store.choices(), "tag": list(self.tags())}

    def _stored(self, identity: str) -> str:
        """The id of a capture that has to be in the store, and not in memory any more."""
        self.writer.flush()
        self._retry()
        if identity in self._backlog:
            raise StoreError(f"{identity} waits in memory to be stored: {self.last_failure}")
        return self.get(LATEST).id if identity == LATEST else identity

    def _changed(self, row: dict[str, Any]) -> dict[str, Any]:
        self.revision += 1
        self.events.publish("updated", row)
        return row

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
        """Every capture that the filters let through, the newest first, one at a time."""
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

    def _was_broken_off(self, task: str) -> bool:
        """Whether the recorder saw that somebody broke the job of this name off."""
        self.writer.flush()
        return task in self._broken_off

    def run(self, endpoint: str, payload: Any) -> dict[str, Any]:
        """Make what no standard endpoint can express. Raises RunError."""
        return runs.run(host, endpoint, payload)

    @property
    def blurs(self) -> bool:
        """Whether thumbnails show no more than shapes."""
        return _privacy().blurred

    def preview(self, tab: str, request: Any, args: Sequence[Any]) -> str:
        """The id of a capture of what pressing Generate would send; no list shows it.

        Raises what the webui raises where the button would fail.
        """
        drafts = host.preview(tab, request, args)
        job = Job(started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
        job = dataclasses.replace(job, source="ui", user=getattr(request, "username", None))
        runs = [Run(0, draft) for draft in drafts]
        written = Drafts(_facts).finish(Finished(0, job, runs, host.checkpoint(None)))
        with self._lock:
            self._previews[written.capture.id] = written
            while len(self._previews) > KEPT_IN_MEMORY:
                self._previews.popitem(last=False)
        return written.capture.id

    def of_generation(self, generation_info: str) -> str | None:
        """The id of the capture of the job whose result on the page is `generation_info`."""
        self.writer.flush()
        return self._generations.get(generation_key(generation_info))

    def verify(self) -> list[Fault]:
        """What is wrong with the store. Raises StoreError."""
        self.writer.flush()
        return self.store.verify()

    def repair(self) -> list[str]:
        """Make the store whole again; what was dropped for that. Raises StoreError."""
        self.writer.flush()
        dropped = self.store.repair()
        self.revision += 1
        return dropped

    def status(self) -> dict[str, Any]:
        counts: dict[str, int] = {}
        try:
            counts = self.store.counts()
        except StoreError as error:
            self._failed(str(error))
        return {
            "extension": __version__,
            "format": FORMAT,
            "host": dataclasses.asdict(host.facts(host.checkpoint(None), ())),
            "enabled": _enabled(),
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

    def close(self) -> None:
        """Store what waits. Called on Reload UI and at the process's end; usable afterwards."""
        self.writer.flush()
        self._retry()
        self.store.close()

    def save(self) -> None:
        """Store what waits, at once: the process is about to end, maybe in a signal's handler."""
        if not self.writer.finish(self._retry, LAST_SECONDS):
            os.write(2, b"[payload-capture] not everything could be stored before the end\n")

    def reopen(self) -> None:
        """Close, and go on with the store that the settings name now."""
        self.close()
        self.store = _store(self._folder)

    # ---- the writer's thread

    def _write(self, item: Run | Finished) -> None:
        if isinstance(item, Run):
            return self.drafts.add(item)
        written = self.drafts.finish(item)
        if item.job.state == "interrupted" and item.job.task:
            self._broken_off.append(item.job.task)
        if written.failure:
            self._failed(written.failure)
        with self._lock:
            self._backlog[written.capture.id] = written
            if written.generation:
                self._generations[written.generation] = written.capture.id
            while len(self._generations) > 1000:
                self._generations.popitem(last=False)
        if self._answers():
            self._retry()
            self._tidy()
        self._bound()
        self.revision += 1
        self.events.publish("captured", summary(written.capture, written.failure))
        if registry.wanted:
            registry.publish(written.capture.to_json(indent=None))

    def _tidy(self) -> None:
        """Let the store keep no more than the settings say; now and then, since it has to count."""
        self._written += 1
        if self._written % TIDY != 1:
            return
        try:
            gone = self.store.retain(_retention())
            if days := _number(settings.TRASH_DAYS):
                gone += self.store.purge(datetime.now(timezone.utc) - timedelta(days=days))
        except StoreError as error:
            return self._failed(str(error))
        self._tell_deleted(gone)

    def _keep(self, files: dict[str, bytes]) -> bool:
        if not self._answers():
            return False
        try:
            self.store.keep(files)
        except StoreError as error:
            self._broke(error)
            return False
        return True

    def _answers(self) -> bool:
        """Whether the writer is to try the store: not just after it failed."""
        return time.monotonic() >= self._again

    def _broke(self, error: StoreError) -> None:
        self._again = time.monotonic() + RETRY
        self._failed(str(error))

    def _retry(self) -> None:
        """Store what waits, oldest first, as far as the store takes it."""
        with self._lock:
            while self._backlog and self._stored_one(*next(iter(self._backlog.items()))):
                self._backlog.popitem(last=False)

    def _stored_one(self, identity: str, written: Written) -> bool:
        """Whether nothing is left to do for it; one that no store takes keeps back no others."""
        try:
            self.store.add(written.capture, written.files, written.failure)
        except ConflictError as error:
            self._failed(f"{identity} was dropped: {error}")
        except StoreError as error:
            self._broke(error)
            return False
        except Exception as error:
            self._failed(f"{identity} was dropped: {type(error).__name__}: {error}")
        return True

    def _bound(self) -> None:
        """Drop the oldest of those that wait in memory where they are too many."""
        with self._lock:
            while len(self._backlog) > KEPT_IN_MEMORY:
                lost, _ = self._backlog.popitem(last=False)
                self._failed(f"{lost} was dropped: {KEPT_IN_MEMORY} captures wait in memory")

    def _waiting(self) -> list[Written]:
        with self._lock:
            return list(reversed(self._backlog.values()))

    def _previewed(self) -> list[Written]:
        with self._lock:
            return list(self._previews.values())

    def _failed(self, reason: str) -> None:
        if reason != self.last_failure:
            print(f"[payload-capture] {reason}", file=sys.stderr)
        self.failures += 1
        self.last_failure = reason


def _in_form(capture: Capture, form: str) -> Capture:
    if form != "minimal":
        return capture
    short = minimal(capture.endpoint, capture.payload, host.defaults)
    return dataclasses.replace(capture, payload=short)


def _takes_task(endpoint: str) -> bool:
    return endpoint in (TXT2IMG, IMG2IMG) and TASK in host.accepted_fields(endpoint)


def _asking() -> contextlib.AbstractContextManager[None]:
    from payload_capture import inside

    return inside.translated()


_service: Service | None = None


def start() -> type:
    """Wire everything to the webui; called whenever it runs script files.

    Returns:
        the Script class that the entry file must hold for the webui to register it.
    """
    global _service
    if _service is None:
        _service = Service(host.data_folder())
        atexit.register(_service.close)
        shutdown.before_signals(_service.save)
    else:
        _service.reopen()
    service = _service
    host.watch(service.recorder)
    host.before_stop(service.save)
    host.leave_translations()
    registry.service = service
    host.add_options(("payload_capture", "Payload capture"), settings.OWN)
    host.on_script_unloaded(registry.forget)
    host.on_app_started(lambda page, app: _serve(page, app, service))
    return _pages(service)


def _pages(service: Service) -> type:
    from payload_capture import tab  # gradio is loaded by now, except with --nowebui

    tab.wire(service)
    return host.accordion_script(lambda name: tab.Accordion(service, name))


def _serve(page: Any, app: FastAPI, service: Service) -> None:
    sessions = getattr(app, "tokens", {})  # gradio's own dict, empty until somebody logs in
    users = host.api_credentials(), host.gradio_credentials()
    site = host.site()
    gate = Gate(*users, sessions, site, service.policy, page=page is not None)
    service.gate = gate
    if warning := gate.warning():
        print(f"[payload-capture] {warning}", file=sys.stderr)
    host.find_api(app)
    service.app = app
    routes.mount(app, service, gate)
    middleware.complete(app, site)
    for endpoint in (TXT2IMG, IMG2IMG):
        host.accepted_fields(endpoint)  # read now, not during the first generation


# ---- settings


def _option(name: str) -> Any:
    return host.option(name, settings.OWN[name].default)


def _enabled(source: Source | None = None) -> bool:
    """Whether jobs are captured, those of a source where one is named."""
    names = [settings.ENABLED, *([settings.SOURCES[source]] if source else [])]
    return all(_option(name) for name in names)


def _privacy() -> privacy.Privacy:
    pictures, anonymous, blurred = map(
        _option, (settings.PICTURES, settings.ANONYMOUS, settings.BLURRED)
    )
    return privacy.Privacy(pictures, bool(anonymous), bool(blurred))


def _strangers() -> str:
    return str(_option(settings.STRANGERS))


def _facts(model: str, prompts: Iterable[str]) -> Host:
    return dataclasses.replace(host.facts(model, prompts), facts=registry.facts())


def _store(folder: Path) -> Store:
    database, assets = (str(_option(n)).strip() for n in (settings.DATABASE, settings.ASSETS))
    return Store(folder, database or None, assets or None)


def _retention() -> Retention:
    gigabytes = _number(settings.KEEP_GIGABYTES)
    return Retention(
        days=_number(settings.KEEP_DAYS) or None,
        count=int(_number(settings.KEEP_COUNT)) or None,
        bytes=int(gigabytes * 2**30) or None,
    )


def _number(name: str) -> float:
    """An option's number, its default where it holds none; not below 0."""
    value = _option(name)
    return max(0.0, float(value if isinstance(value, (int, float)) else settings.OWN[name].default))
