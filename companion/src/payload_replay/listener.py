"""The socket of a recorded webui: a request's bytes in, a whole answer out, whatever is sent to it.

Bounds: a body of `MAX_BODY` bytes, also in chunks; `BUSY` of those above `SMALL` at a time; a
connection that is silent for `SILENCE` seconds is closed. Requests by a name that is not ours are
refused where only this machine is listened to, and wherever there is something to guard.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from . import __version__, chunked, guard
from .errors import BadSource

MAX_BODY = 128 * 2**20
SMALL = 2**20
BUSY = 8
SILENCE = 60.0
DRAINED = 2**30
"""Bytes of a body that is too large which are read, and dropped, after the answer to it."""
JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    """An answer: `body` as it goes out; `missed` where it was to be recorded, and was not."""

    status: int
    body: bytes
    type: str = JSON
    file: Path | None = None
    note: str = ""
    lost: bool = False
    missed: bool = False


Respond = Callable[[str, str, bytes], Reply]


class Refused(Exception):
    """A request that cannot be one; its `status`, and what is wrong with it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status

    def reply(self) -> Reply:
        """The answer, in the webui's shape."""
        return failed(self.status, "HTTPException", str(self))


def failed(status: int, error: str, detail: str, errors: str = "") -> Reply:
    """An error as an answer."""
    body = words(error, detail, errors)
    return Reply(status, encoded(body), note=detail or f"{error}: {errors}")


def words(error: str, detail: str, errors: str = "") -> dict[str, Any]:
    """An error as the webui puts it: A1111 v1.10.1, ``modules/api/api.py``."""
    return {"error": error, "detail": detail, "body": "", "errors": errors}


def encoded(value: Any) -> bytes:
    """A value as the body of an answer."""
    return json.dumps(value).encode("ascii")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection would keep the server
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # there it would share a port that is taken

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # without a look into the name service
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of our business; anything else is printed."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def listening(host: str, port: int, respond: Respond, *, guarded: bool) -> Server:
    """A server that has the port, and answers once somebody calls its `serve_forever`.

    Args:
        respond: from method, target and body to an answer; called in several threads.
        guarded: refuse the requests of other sites' pages, not only those by names of theirs.

    Raises:
        BadSource: nobody can listen there.
    """
    kind = type("Server", (Server,), {"address_family": socket.AF_INET6 if ":" in host else 2})
    try:
        return cast(Server, kind((host, port), _handler(respond, host, guarded)))
    except OverflowError as error:
        raise BadSource(f"port {port}: choose one from 0 to 65535") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadSource(f"port {port} of {host} is taken: choose another, or 0") from error
        raise BadSource(f"cannot listen on {host} port {port}: {error.strerror}") from error


def _handler(respond: Respond, bound: str, guarded: bool) -> type[BaseHTTPRequestHandler]:
    busy = threading.BoundedSemaphore(BUSY)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = SILENCE
        server_version = f"payload-replay/{__version__}"

        def answer(self) -> None:
            try:
                self._admit()
                self._exchange(self._length())
            except Refused as refused:
                self.close_connection = True
                self._give(refused.reply())
                self._drain()
            except EOFError:  # the client went away half-way
                self.close_connection = True

        def _admit(self) -> None:
            reason = ""
            if guarded or guard.loopback(str(cast("Any", self.server.server_address)[0])):
                reason = guard.rebound(self.headers, bound)
            if guarded:
                reason = reason or guard.foreign(self.headers)
            if reason:
                raise Refused(403, reason)

        def _exchange(self, length: int | None) -> None:
            large = length is None or length > SMALL
            with busy if large else contextlib.nullcontext():
                body = self._chunks() if length is None else chunked.exactly(self.rfile, length)
                self._give(respond(self.command, self.path, body))

        def _length(self) -> int | None:
            """The bytes of the body; None where it comes in chunks."""
            coding, told = self.headers.get("Transfer-Encoding"), self.headers.get("Content-Length")
            if coding is not None:
                if coding.strip().lower() != "chunked":
                    raise Refused(501, f"Transfer-Encoding {coding[:20]!r}: only chunked is read")
                if told is not None:
                    raise Refused(400, "send Content-Length or chunks, not both")
                return None
            told = told or "0"
            if not told.isdecimal() or not told.isascii() or len(told) > 18:
                raise Refused(400, f"Content-Length {told[:20]!r} is no number")
            if int(told) > MAX_BODY:
                raise Refused(413, f"a body of {MAX_BODY} bytes is the most")
            return int(told)

        def _chunks(self) -> bytes:
            try:
                return chunked.read(self.rfile, MAX_BODY)
            except chunked.TooLarge as error:
                raise Refused(413, str(error)) from error
            except chunked.Malformed as error:
                raise Refused(400, str(error)) from error

        def _drain(self) -> None:
            """Take what a client goes on sending, or it would never read why it was refused."""
            left = DRAINED
            while left > 0 and (piece := self.rfile.read1(min(left, SMALL))):
                left -= len(piece)

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
