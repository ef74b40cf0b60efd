"""The webui's API asked from inside: the seam to an app, and in a running host by replays."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

import event_loop
from payload_capture import inside
from payload_capture.runs import INSIDE, RunError


class App:
    """An app that answers with what it was asked."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.scopes: list[Any] = []
        self.threads: set[int] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.threads.add(threading.get_ident())
        asked = await receive()
        await asyncio.sleep(0)
        body = json.dumps({"path": scope["path"], "body": asked["body"].decode()}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": body[3:]})


@event_loop.apart
def test_a_request_reaches_the_app_as_from_a_client() -> None:
    app = App()
    webui = inside.webui(app, {})
    answer = webui.call("POST", "/sdapi/v1/a%20b", {"x": "é"}, {"q": "1"})
    assert answer == {"path": "/sdapi/v1/a b", "body": '{"x":"\\u00e9"}'}
    (scope,) = app.scopes
    headers = dict(scope["headers"])
    assert (scope["method"], scope["query_string"]) == ("POST", b"q=1")
    assert (headers[b"host"], headers[b"content-type"]) == (b"127.0.0.1", b"application/json")
    assert scope[INSIDE] is True
    assert app.threads == {threading.get_ident()}


@event_loop.apart
def test_it_gives_the_webuis_own_password() -> None:
    app = App()
    inside.webui(app, {"eve": "pä", "ann": "pa:ss"}).call("GET", "/sdapi/v1/options")
    assert dict(app.scopes[0]["headers"])[b"authorization"] == b"Basic YW5uOnBhOnNz"


@event_loop.apart
def test_errors_are_those_of_a_client() -> None:
    with pytest.raises(RunError, match="asks for a user and password"), inside.translated():
        inside.webui(App(401), {}).call("GET", "/sdapi/v1/options")


@event_loop.apart
def test_a_picture_that_the_webui_cannot_read_is_read_without_it() -> None:
    assert inside.png_info(inside.webui(App(500), {}), b"x") is None


@event_loop.apart
def test_an_app_that_raises_after_its_answer_has_answered() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})
        raise RuntimeError("told already")

    with pytest.raises(RunError, match="failed with 500"), inside.translated():
        inside.webui(failing, {}).call("GET", "/sdapi/v1/options")


@event_loop.apart
def test_an_app_that_does_not_answer_raises() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        inside.webui(silent, {}).call("GET", "/sdapi/v1/options")
