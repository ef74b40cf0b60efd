"""The composition root: builds the parts, wires them to the webui, shuts them down.

The webui runs script files again on "Reload UI", with its callbacks cleared and a new app, but
does not load packages anew; so one `Service` lives as long as the process and `start` wires it
again each time.
"""

from __future__ import annotations

import atexit
import dataclasses
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payload_capture import __version__, host, routes, runs, settings
from payload_capture.auth import Gate
from payload_capture.capture import FORMAT, IMG2IMG, TXT2IMG, Capture, FormatError, Job
from payload_capture.jobs import Finished, Recorder, Run
from payload_capture.portable import minimal
from payload_capture.store import NotFoundError, Page, Store, StoreError, summary
from payload_capture.writer import Drafts, Writer, Written, generation_key

if TYPE_CHECKING:
    from fastapi import FastAPI

LATEST = "latest"
KEPT_IN_MEMORY = 32
"""Captures that wait in memory while the store cannot be written."""


class Service:
    """What routes and pages do: read and delete captures, tell how capturing fares."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.writer = Writer(self._write)
        self.drafts = Drafts(host.facts, self._keep)
        self.recorder = Recorder(host, self.writer.put, _enabled)
        self.failures = 0
        self.last_failure: str | None = None
        self.revision = 0
        self._backlog: OrderedDict[str, Written] = OrderedDict()
        self._previews: OrderedDict[str, Written] = OrderedDict()
        self._generations: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def page(self, limit: int = 50, cursor: str | None = None, **filters: str | None) -> Page:
        """Summaries, newest first; those that could not be stored yet come first."""
        self.writer.flush()
        self._retry()
        waiting = [] if cursor else [summary(w.capture, w.failure) for w in self._waiting()]
        waiting = [row for row in waiting if _matches(row, **filters)]
        try:
            stored = self.store.page(limit, cursor, **filters)
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
        if form == "minimal":
            short = minimal(capture.endpoint, capture.payload, host.defaults)
            capture = dataclasses.replace(capture, payload=short)
        body = capture.request(lambda sha256: self.asset(sha256)[1])
        return {"method": "POST", "endpoint": capture.endpoint, "payload": body}

    def result(self, identity: str, number: int) -> tuple[str, bytes]:
        """(media type, bytes) of a capture's picture."""
        results = self.get(identity).results
        if number >= len(results) or (sha256 := results[number].asset) is None:
            raise NotFoundError(f"{identity}/results/{number}")
        return self.asset(sha256)

    def asset(self, sha256: str) -> tuple[str, bytes]:
        for written in (*self._waiting(), *self._previewed()):
            if sha256 in written.files:
                return written.capture.assets[sha256].media_type, written.files[sha256]
        return self.store.asset(sha256)

    def delete(self, identity: str) -> None:
        """Raises NotFoundError, StoreError."""
        with self._lock:
            waiting = self._backlog.pop(identity, None)
        if waiting is None:
            self.store.delete(identity)
        self.revision += 1

    def run(self, endpoint: str, payload: Any) -> dict[str, Any]:
        """Make what no standard endpoint can express. Raises RunError."""
        return runs.run(host, endpoint, payload)

    def preview(self, tab: str, request: Any, args: Sequence[Any]) -> str:
        """The id of a capture of what pressing Generate would send; no list shows it.

        Raises what the webui raises where the button would fail.
        """
        drafts = host.preview(tab, request, args)
        job = Job(started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
        job = dataclasses.replace(job, source="ui", user=getattr(request, "username", None))
        runs = [Run(0, draft) for draft in drafts]
        written = Drafts(host.facts).finish(Finished(0, job, runs, host.checkpoint(None)))
        with self._lock:
            self._previews[written.capture.id] = written
            while len(self._previews) > KEPT_IN_MEMORY:
                self._previews.popitem(last=False)
        return written.capture.id

    def of_generation(self, generation_info: str) -> str | None:
        """The id of the capture of the job whose result on the page is `generation_info`."""
        self.writer.flush()
        return self._generations.get(generation_key(generation_info))

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
            "runs": list(runs.ENDPOINTS) if host.api() else [],
            "frozen": host.frozen(),
            "unlisted": host.unlisted(),
            **{name: counts.get(name) for name in ("captures", "assets", "bytes")},
            "waiting": len(self._backlog),
            "failures": self.failures,
            "last_failure": self.last_failure,
        }

    def close(self) -> None:
        """Store what waits. Called on Reload UI and at the process's end; usable afterwards."""
        self.writer.stop()
        self._retry()
        self.store.close()

    # ---- the writer's thread

    def _write(self, item: Run | Finished) -> None:
        if isinstance(item, Run):
            return self.drafts.add(item)
        written = self.drafts.finish(item)
        if written.failure:
            self._failed(written.failure)
        with self._lock:
            self._backlog[written.capture.id] = written
            if written.generation:
                self._generations[written.generation] = written.capture.id
            while len(self._generations) > 1000:
                self._generations.popitem(last=False)
        self._retry()
        self.revision += 1

    def _keep(self, files: dict[str, bytes]) -> bool:
        try:
            self.store.keep(files)
        except StoreError as error:
            self._failed(str(error))
            return False
        return True

    def _retry(self) -> None:
        """Store what waits, oldest first, as far as the store takes it."""
        with self._lock:
            while self._backlog:
                identity, written = next(iter(self._backlog.items()))
                try:
                    self.store.add(written.capture, written.files, written.failure)
                except StoreError as error:
                    self._failed(str(error))
                    break
                del self._backlog[identity]
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


def _matches(row: Mapping[str, Any], q: str | None = None, **equal: str | None) -> bool:
    """Whether the store's filters would let a summary through."""
    others = all(row[name] == value for name, value in equal.items() if value)
    return others and (not q or q.casefold() in row["prompt"].casefold())


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
    else:
        _service.close()
    service = _service
    host.watch(service.recorder)
    host.add_options(("payload_capture", "Payload capture"), settings.OWN)
    host.on_app_started(lambda _, app: _serve(app, service))
    return _pages(service)


def _pages(service: Service) -> type:
    from payload_capture import tab  # gradio is loaded by now, except with --nowebui

    tab.wire(service)
    return host.accordion_script(lambda name: tab.Accordion(service, name))


def _serve(app: FastAPI, service: Service) -> None:
    sessions = getattr(app, "tokens", {})  # gradio's own dict, empty until somebody logs in
    gate = Gate(host.api_credentials(), host.gradio_credentials(), sessions)
    host.find_api(app)
    routes.mount(app, service, gate)
    for endpoint in (TXT2IMG, IMG2IMG):
        host.accepted_fields(endpoint)  # read now, not during the first generation


def _enabled() -> bool:
    return bool(host.option("payload_capture_enabled", True))
