"""The webui's own API, asked from inside its process: no socket, the same answers.

A `requests` adapter that hands each request to the webui's app and takes what it answers: its
routes, middlewares, errors and queue are those that a client meets. So what the companion does with
a webui over the network, it does here too. Imported late: it needs `requests`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from payload_capture.runs import INSIDE, RunError
from payload_capture.shared.client import WebUI
from payload_capture.shared.errors import ReplayError

URL = "http://127.0.0.1"

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


def webui(app: App, credentials: dict[str, str]) -> WebUI:
    """A client of this very webui.

    Args:
        credentials: user → password of ``--api-auth``; its routes ask for them here too, and take
            none beyond ASCII (fastapi 0.94 to 0.104, ``HTTPBasic``).
    """
    usable = (pair for pair in credentials.items() if "".join(pair).isascii())
    session = requests.Session()
    session.trust_env = False
    session.mount(URL, Inside(app))
    return WebUI(URL, auth=next(usable, None), session=session, track=True)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """What the client says of this webui, as an error of a route."""
    try:
        yield
    except ReplayError as error:
        raise RunError(409, "api_refuses", f"the webui's own API: {error}") from error


def png_info(client: WebUI, data: bytes) -> Mapping[str, Any] | None:
    """The webui's own reading of a picture; None where it cannot read it."""
    try:
        return client.png_info(data)
    except ReplayError:
        return None


class Inside(BaseAdapter):
    """Answers by calling the app, in an event loop of its own, in the thread that asks.

    Not in the server's loop: a replay takes minutes, and the loop's threads are for its clients.
    """

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        status, headers, body = asyncio.run(_answer(self._app, _scope(request), _body(request)))
        response = requests.Response()
        response.status_code = status
        response.headers = CaseInsensitiveDict(headers)
        response._content = body
        response.request = request
        response.url = request.url or URL
        return response

    def close(self) -> None:
        """Nothing is open."""


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)


def _scope(request: requests.PreparedRequest) -> Message:
    parts = urlsplit(request.url or URL)
    headers = {"host": "127.0.0.1", **{name.lower(): v for name, v in request.headers.items()}}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(_bytes(name), _bytes(value)) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
        INSIDE: True,
    }


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


async def _answer(app: App, scope: Message, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of what the app says."""
    messages: list[Message] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]
    gone = asyncio.Event()  # never set: this client stays until it has its answer

    async def receive() -> Message:
        if not given:
            await gone.wait()
        return given.pop()

    async def send(message: Message) -> None:
        messages.append(message)

    try:
        await app(scope, receive, send)
    except Exception:  # the server's last middleware raises on, once it has answered 500
        if not messages:
            raise
    start = messages[0]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return start["status"], headers, b"".join(m.get("body", b"") for m in messages[1:])
