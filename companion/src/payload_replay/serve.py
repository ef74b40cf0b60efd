"""A recorded webui: answers ``/sdapi/v1`` from captures, for the tests of any API client::

    from payload_replay.serve import Recorded

    with Recorded("captures/") as url:
        requests.post(url + "/sdapi/v1/txt2img", json={"prompt": "a cat", "seed": 7})

What counts as the same request is the rule of `payload_replay.matching`. The modes are vcrpy's:

* ``none``: only what was recorded; a real server is never contacted.
* ``once``: records while the folder had no capture at the start, and never again afterwards.
* ``new`` (vcrpy's ``new_episodes``): answers what was recorded, and records the rest.
* ``all``: records every generation anew, and answers none from the folder.

Bounds: a body of `MAX_BODY` bytes, `BUSY` of those above `SMALL` at a time, a connection that is
silent for `SILENCE` seconds is closed. While recording, requests of other sites' pages in a browser
are refused, for they would reach the real server with its credentials.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import socketserver
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from . import __version__, codec, hostlists, infotext, playback
from .capture import BATCH, EXTRAS, FORMAT, UPSCALE, AssetError, FormatError, Host, generates
from .client import WebUI
from .errors import BadSource, ReplayError
from .hostlists import API
from .images import NotAPicture, opened
from .matching import MAX_PIXELS, Form, TooDeep, form
from .recorder import Forwarded, Recorder
from .recordings import Near, Recording, Recordings, endpoints

MAX_BODY = 128 * 2**20
SMALL = 2**20
BUSY = 8
SILENCE = 60.0
DRAINED = 2**30
"""Bytes of a body that is too large which are read, and dropped, after the answer to it."""
STATUS = "/payload-capture/v1/status"
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

_JSON = "application/json"
_RUNS = (UPSCALE, EXTRAS, BATCH)


@dataclass(frozen=True)
class Event:
    """One request that was answered: by which recording's file, or why by none.

    `lost` is true where the answer should have been recorded, and could not be written.
    """

    method: str
    path: str
    status: int
    file: Path | None = None
    note: str = ""
    lost: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``--json`` prints."""
        return dataclasses.asdict(self) | {"file": str(self.file) if self.file else None}


@dataclass(frozen=True)
class Reply:
    """An answer: `body` as it goes out."""

    status: int
    body: bytes
    type: str = _JSON
    file: Path | None = None
    note: str = ""
    lost: bool = False


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
        self._server = _listening(host, port, self._answered, guarded=recorder is not None)
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
        """The generations that nothing answered, with the nearest recordings in `note`."""
        return [one for one in self.events if one.status == 404 and generates(one.path)]

    @property
    def unplayed(self) -> list[Path]:
        """The files that have answered nothing so far."""
        return self.recordings.unplayed()

    def _answered(self, method: str, path: str, body: bytes) -> Reply:
        reply = self._site.respond(method, path, body)
        event = Event(method, path, reply.status, reply.file, reply.note, reply.lost)
        with self._lock:
            self.events.append(event)
            self.lost += event.lost
        if self._told is not None:
            self._told(event)
        return reply


class Site:
    """What the recorded webui answers, whatever carries it. Every method is safe in any thread."""

    def __init__(self, recordings: Recordings, recorder: Recorder | None, *, always: bool) -> None:
        self.recorder = recorder
        self._recordings = recordings
        self._always = always
        self._options: dict[str, Any] = {}
        self._told: tuple[int, dict[str, Any]] = (-1, {})
        self._lock = threading.Lock()
        self._recording = threading.Lock()

    def respond(self, method: str, target: str, body: bytes = b"") -> Reply:
        """The answer to a request; errors of any kind are answers too, in the webui's shape."""
        try:
            return self._respond(method, target, body)
        except _Refused as refused:
            return _error(refused.status, "HTTPException", str(refused))
        except ReplayError as error:
            return _error(502, type(error).__name__, str(error))
        except Exception as error:
            return _error(500, type(error).__name__, "", f"{error}")

    def _respond(self, method: str, target: str, body: bytes) -> Reply:
        if not target.startswith("/"):  # "@host" would become another server's address
            raise _Refused(400, "a path begins with /")
        path = urlsplit(target).path
        if generates(path):
            _only("POST", method)
            return self._generation(path, _object(body))
        if path == f"{API}options" and method == "POST":
            return self._set_options(path, _object(body))
        if self.recorder is not None:
            payload = _object(body) if body else None
            return _forwarded(self.recorder.pass_on(method, target, payload))
        return self._known(method, path, body)

    def _known(self, method: str, path: str, body: bytes) -> Reply:
        """What is no generation, without a real server."""
        if path in hostlists.COMMANDS:
            _only("POST", method)
            return _good(hostlists.COMMANDS[path])
        if path == f"{API}png-info":
            _only("POST", method)
            return _good(_png_info(_object(body)))
        lists = self._lists()
        if path not in lists:
            return Reply(404, _text({"detail": "Not Found"}), note="no such route is recorded")
        _only("GET", method)
        return _good(lists[path])

    def _generation(self, path: str, payload: dict[str, Any]) -> Reply:
        asked = _form(path, payload)
        if not self._always and (found := self._find(asked)):
            return self._played(found, payload)
        if self.recorder is not None:
            return self._recorded(self.recorder, asked, payload)
        return self._missed(asked)

    def _recorded(self, recorder: Recorder, asked: Form, payload: dict[str, Any]) -> Reply:
        # One at a time, as the webui itself works: of two equal requests only one is recorded.
        with self._recording:
            if not self._always and (found := self._find(asked)):
                return self._played(found, payload)
            made = recorder.generate(asked.endpoint, payload, dict(self._options))
        return _forwarded(made)

    def _find(self, asked: Form) -> Recording | None:
        return self._recordings.find(asked, self._options)

    def _played(self, found: Recording, payload: dict[str, Any]) -> Reply:
        try:
            answer = playback.answer(found.capture(), payload)
        except (BadSource, AssetError, FormatError) as error:
            return _error(500, type(error).__name__, f"{found.path} has changed: {error}")
        return Reply(200, _text(answer), file=found.path, note=f"recorded as {found.bare.id}")

    def _missed(self, asked: Form) -> Reply:
        near = self._recordings.nearest(asked, self._options)
        known = endpoints(self._recordings.all())
        detail = missed(asked, near, known)
        body = _words("NoRecording", detail) | {"nearest": [_near(one) for one in near]}
        return Reply(404, _text(body), note=detail)

    def _set_options(self, path: str, options: dict[str, Any]) -> Reply:
        if self.recorder is not None:
            passed = self.recorder.pass_on("POST", path, options)
            if passed.reply.status != 200:
                return _forwarded(passed)
        with self._lock:
            self._options = {**self._options, **options}
        return _good(None)

    def _lists(self) -> dict[str, Any]:
        with self._lock:
            made = self._made_lists() | self._recordings.lists
            options = made[f"{API}options"]
            if isinstance(options, dict):
                made[f"{API}options"] = {**options, **self._options}
        return made | {f"{API}progress": dict(hostlists.IDLE), STATUS: self._status()}

    def _made_lists(self) -> dict[str, Any]:
        captures = [one.bare for one in self._recordings.all()]
        if self._told[0] != len(captures):
            self._told = len(captures), hostlists.told(captures)
        return dict(self._told[1])

    def _status(self) -> dict[str, Any]:
        captures = [one.bare for one in self._recordings.all()]
        host = captures[-1].host if captures else Host()
        return {
            "extension": __version__,
            "format": FORMAT,
            "host": dataclasses.asdict(host),
            "enabled": False,
            "runs": list(_RUNS),
            "captures": len(captures),
        }


def missed(asked: Form, near: list[Near], known: list[str]) -> str:
    """What a miss says: the nearest recordings, and path by path in what they differ."""
    if not near:
        have = f"there are recordings of {', '.join(known)}" if known else "there are none"
        return f"no recording of {asked.endpoint} matches this request: {have}"
    lines = [f"no recording of {asked.endpoint} matches this request; the nearest are:"]
    for one in near:
        lines.append(f"{one.recording.path.name} ({one.recording.bare.id})")
        lines += [f"  {each}" for each in one.differences[:SHOWN]]
        if len(one.differences) > SHOWN:
            lines.append(f"  and {len(one.differences) - SHOWN} more")
    return "\n".join(lines)


SHOWN = 8
"""Differences of a recording that a miss shows."""


def _near(near: Near) -> dict[str, Any]:
    return {
        "id": near.recording.bare.id,
        "file": near.recording.path.name,
        "differences": [one.to_dict() for one in near.differences[:SHOWN]],
        "count": len(near.differences),
    }


class _Refused(Exception):
    """A request that cannot be one; its `status`, and what is wrong with it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def _only(allowed: str, method: str) -> None:
    if method != allowed:
        raise _Refused(405, "Method Not Allowed")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = codec.loads(body)
    except ValueError as error:
        raise _Refused(422, f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise _Refused(422, f"the body must be an object, not a {type(value).__name__}")
    return cast("dict[str, Any]", value)


def _form(path: str, payload: dict[str, Any]) -> Form:
    try:
        return form(path, payload)
    except TooDeep as error:
        raise _Refused(422, str(error)) from error


def _png_info(payload: dict[str, Any]) -> dict[str, Any]:
    """The texts of a picture, and the fields of its infotext: A1111 v1.10.1's answer."""
    try:
        image = opened(codec.b64decode(str(payload.get("image") or "")), MAX_PIXELS)
    except (NotAPicture, ValueError) as error:
        raise _Refused(500, "Invalid encoded image") from error
    text = image.info.get("parameters")
    text = text if isinstance(text, str) else ""
    items = {k: v for k, v in image.info.items() if isinstance(v, (str, int, float))}
    items.pop("parameters", None)
    return {"info": text, "items": items, "parameters": infotext.parse(text)}


def _good(value: Any) -> Reply:
    return Reply(200, _text(value))


def _forwarded(made: Forwarded) -> Reply:
    kind = made.reply.headers.get("Content-Type", _JSON)
    note = f"not recorded: {made.reason}" if made.reason else "from the real server"
    if made.kept:
        note = f"recorded as {made.kept.id}"
    return Reply(made.reply.status, made.reply.body, kind, note=note, lost=made.lost)


def _error(status: int, error: str, detail: str, errors: str = "") -> Reply:
    body = _words(error, detail, errors)
    return Reply(status, _text(body), note=detail or f"{error}: {errors}")


def _words(error: str, detail: str, errors: str = "") -> dict[str, Any]:
    """An error as the webui puts it: A1111 v1.10.1, ``modules/api/api.py``."""
    return {"error": error, "detail": detail, "body": "", "errors": errors}


def _text(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


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
    if mode == "none" and not recordings.all():
        raise BadSource(
            f"{recordings.folder}: no capture to answer with{said and f' ({said})'}; export some "
            "as json or bundle, or record them from a real server"
        )


# ---- the socket


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection would keep the server
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # there it would share a port that is taken

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # without a look into the name service
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of our business; anything else is printed."""
        import sys

        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def _listening(
    host: str, port: int, respond: Callable[[str, str, bytes], Reply], *, guarded: bool
) -> _Server:
    import socket

    kind = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in host else 2})
    try:
        return cast(_Server, kind((host, port), _handler(respond, guarded)))
    except OverflowError as error:
        raise BadSource(f"port {port}: choose one from 0 to 65535") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadSource(f"port {port} of {host} is taken: choose another, or 0") from error
        raise BadSource(f"cannot listen on {host} port {port}: {error.strerror}") from error


def _handler(
    respond: Callable[[str, str, bytes], Reply], guarded: bool
) -> type[BaseHTTPRequestHandler]:
    busy = threading.BoundedSemaphore(BUSY)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = SILENCE
        server_version = f"payload-replay/{__version__}"

        def answer(self) -> None:
            length = self._foreign() or self._length()
            if isinstance(length, Reply):
                self.close_connection = True
                self._give(length)
                self._drain()
            elif length > SMALL:
                with busy:
                    self._exchange(length)
            else:
                self._exchange(length)

        def _foreign(self) -> Reply | None:
            """A page of another site must not reach a real server through this one."""
            origin = self.headers.get("Origin")
            if not guarded or origin in (None, f"http://{self.headers.get('Host')}"):
                return None
            return _error(403, "HTTPException", f"requests of pages at {origin} are not answered")

        def _exchange(self, length: int) -> None:
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return
            self._give(respond(self.command, self.path, body))

        def _drain(self) -> None:
            """Take what a client goes on sending, or it would never read why it was refused."""
            left = DRAINED
            while left > 0 and (piece := self.rfile.read1(min(left, SMALL))):
                left -= len(piece)

        def _length(self) -> int | Reply:
            if self.headers.get("Transfer-Encoding"):
                return _error(411, "HTTPException", "send Content-Length, not chunks")
            text = self.headers.get("Content-Length") or "0"
            if not text.isdecimal() or len(text) > 18:
                return _error(400, "HTTPException", f"Content-Length {text[:20]!r} is no number")
            if int(text) > MAX_BODY:
                return _error(413, "HTTPException", f"a body of {MAX_BODY} bytes is the most")
            return int(text)

        def _give(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.type)
            self.send_header("Content-Length", str(len(reply.body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

        def log_message(self, *_: object) -> None:
            pass

    return Handler
