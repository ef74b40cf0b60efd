"""A recorded webui: answers ``/sdapi/v1`` from captures, for the tests of any API client::

    from payload_replay.serve import Recorded

    with Recorded("captures/") as url:
        requests.post(url + "/sdapi/v1/txt2img", json={"prompt": "a cat", "seed": 7})

What counts as the same request is the rule of `payload_replay.matching`. The modes are vcrpy's:

* ``none``: only what was recorded; a real server is never contacted.
* ``once``: records if the folder held nothing to answer with at the start.
* ``new`` (vcrpy's ``new_episodes``): answers what was recorded, and records the rest.
* ``all``: records every generation anew, and answers none from the folder.

While recording, requests of other sites' pages in a browser are refused, for they would reach the
real server with its credentials.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from .client import WebUI
from .errors import BadSource
from .listener import Reply, listening
from .recorder import Recorder
from .recordings import Recordings
from .site import Site

THREAD = "payload-replay serve"
"""The name of the thread that listens."""

Mode = Literal["none", "once", "new", "all"]
MODES: Mapping[str, Mode] = {
    "none": "none",
    "once": "once",
    "new": "new",
    "new_episodes": "new",
    "all": "all",
}


@dataclass(frozen=True)
class Event:
    """One request that was answered: by which recording's file, or why by none.

    `missed` is true where a generation or a question had no recording; `lost` where the answer
    should have been recorded, and could not be written.
    """

    method: str
    path: str
    status: int
    file: Path | None = None
    note: str = ""
    lost: bool = False
    missed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``--json`` prints."""
        return dataclasses.asdict(self) | {"file": str(self.file) if self.file else None}


class Recorded:
    """A server of recordings on a socket: as a context manager it gives its URL.

    Args:
        folder: captures as JSON files and bundles, with their pictures inside.
        mode: see this module; without it ``once`` where there is a server to record from, else
            ``none``.
        record_from: the real server, as a URL or a client of it.
        host: where to listen; other machines reach it only if this says so.
        port: 0 for any free one.
        strict: whether a file that cannot be answered from is an error.
        told: called with each request that was answered, from several threads.

    Attributes:
        broken: the files of the folder that cannot be answered from.
        events: the last 10,000 requests.
        lost: how many answers of the real server could not be written.

    Raises:
        BadSource: no such folder or mode, nothing to answer with, a port that is taken.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        mode: str | None = None,
        record_from: WebUI | str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        strict: bool = False,
        told: Callable[[Event], None] | None = None,
    ) -> None:
        self.mode = _mode(mode, record_from is not None)
        self.recordings = Recordings(folder, make=self.mode != "none")
        self.broken = self.recordings.broken
        self.events: deque[Event] = deque(maxlen=10_000)
        self.lost = 0
        _check(self.recordings, self.mode, strict)
        client = WebUI(record_from) if isinstance(record_from, str) else record_from
        self._owned = client if isinstance(record_from, str) else None
        self._lock = threading.Lock()
        once = self.mode == "once" and not self.recordings.was_empty
        live = client is not None and self.mode != "none" and not once
        recorder = Recorder(client, self.recordings) if client and live else None
        self._site = Site(self.recordings, recorder, always=self.mode == "all")
        self._told = told
        self._server = listening(host, port, self._answered, guarded=recorder is not None)
        self._thread: threading.Thread | None = None
        place = f"[{host}]" if ":" in host else host
        self.url = f"http://{place}:{self._server.server_port}"

    def __enter__(self) -> str:
        work = self._server.serve_forever
        self._thread = threading.Thread(target=work, args=(0.05,), name=THREAD, daemon=True)
        self._thread.start()
        return self.url

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        if self._thread is not None:
            self._thread.join()
        self._close()

    def run(self) -> None:
        """Serve in this thread until it is interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._close()

    def _close(self) -> None:
        self._server.server_close()
        if self._owned is not None:
            self._owned.close()

    @property
    def recording(self) -> bool:
        """Whether requests may reach the real server."""
        return self._site.recorder is not None

    @property
    def misses(self) -> list[Event]:
        """The generations and questions that nothing answered; `note` says what comes nearest."""
        return [one for one in self.events if one.missed]

    @property
    def unplayed(self) -> list[Path]:
        """The files that have answered nothing so far."""
        return self.recordings.unplayed()

    def _answered(self, method: str, path: str, body: bytes) -> Reply:
        reply = self._site.respond(method, path, body)
        event = Event(method, path, reply.status, reply.file, reply.note, reply.lost, reply.missed)
        with self._lock:
            self.events.append(event)
            self.lost += event.lost
        if self._told is not None:
            self._told(event)
        return reply


def _mode(name: str | None, has_server: bool) -> Mode:
    if name is None:
        return "once" if has_server else "none"
    if name not in MODES:
        raise BadSource(f"mode {name!r}: choose one of {', '.join(MODES)}")
    if MODES[name] != "none" and not has_server:
        raise BadSource(f"mode {name!r} records, so it needs a real server to record from")
    return MODES[name]


def _check(recordings: Recordings, mode: Mode, strict: bool) -> None:
    broken = recordings.broken
    said = (
        f"{len(broken)} unusable, the first {broken[0].path}: {broken[0].reason}" if broken else ""
    )
    if strict and broken:
        raise BadSource(f"{recordings.folder}: {said}")
    if mode == "none" and not recordings.all() and not recordings.captions:
        raise BadSource(
            f"{recordings.folder}: no capture to answer with{said and f' ({said})'}; export some "
            "as json or bundle, or record them from a real server"
        )
