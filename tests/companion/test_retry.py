"""When a request is sent again, and that a generation is not."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from payload_replay import ConnectionFailed, ConnectionLost, ServerError, Timeout, WebUI
from payload_replay.answers import Reply
from payload_replay.retry import LONGEST, Retry, asked_for
from payload_replay.testing import Answer, FakeSession
from webui_standin.process import free_port

pytestmark = pytest.mark.once

OPTIONS = "/sdapi/v1/options"
TXT2IMG = "/sdapi/v1/txt2img"
LOST = requests.ConnectionError(ProtocolError("Connection aborted."))
REFUSED = requests.ConnectionError(
    MaxRetryError(None, "/", NewConnectionError(None, "Connection refused"))  # type: ignore[arg-type]
)
LATE = requests.ReadTimeout("late")


def failing(*answers: Any) -> Callable[[object], Any]:
    """A route that gives each of these once, and then what is good."""
    left = list(answers)
    return lambda _: left.pop(0) if left else {"images": []}


def client(path: str, *answers: Any, retries: int = 2) -> tuple[WebUI, FakeSession]:
    session = FakeSession({path: failing(*answers)})
    return WebUI("http://fake", session=session, retries=retries, backoff=0.001), session


@pytest.mark.parametrize("fault", [LOST, REFUSED, Answer(502), Answer(503), Answer(504)])
def test_what_only_reads_is_sent_again(fault: Any) -> None:
    webui, session = client(OPTIONS, fault, fault)
    webui.options()
    assert len(session.requests) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [(LOST, ConnectionLost), (REFUSED, ConnectionFailed), (Answer(503), ServerError)],
)
def test_as_often_as_asked_for(fault: Any, error: type[Exception]) -> None:
    webui, session = client(OPTIONS, fault, fault, fault)
    with pytest.raises(error):
        webui.options()
    assert len(session.requests) == 3


def test_by_itself_nothing_is_sent_again() -> None:
    webui, session = client(OPTIONS, REFUSED, retries=0)
    with pytest.raises(ConnectionFailed):
        webui.options()
    assert len(session.requests) == 1


@pytest.mark.parametrize("fault", [Answer(500), Answer(422), Answer(404), LATE])
def test_what_another_try_cannot_mend(fault: Any) -> None:
    webui, session = client(OPTIONS, fault)
    with pytest.raises(Exception, match=r"."):
        webui.options()
    assert len(session.requests) == 1


@pytest.mark.parametrize("way", [OPTIONS, "POST /sdapi/v1/options"])
def test_a_broken_connection_does_no_harm_whatever_the_client_says(way: str) -> None:
    """A webui closes its connection after an error of its own, which shows at the next request."""
    webui, session = client(way, LOST, retries=0)
    webui.options() if way == OPTIONS else webui.set_options({"sd_vae": "None"})
    assert len(session.requests) == 2


def test_twice_broken_is_told() -> None:
    webui, session = client(OPTIONS, LOST, LOST, retries=0)
    with pytest.raises(ConnectionLost):
        webui.options()
    assert len(session.requests) == 2


@pytest.mark.parametrize("fault", [LOST, LATE, Answer(502), Answer(503), Answer(504)])
def test_a_generation_that_may_have_begun_is_not_sent_again(fault: Any) -> None:
    webui, session = client(TXT2IMG, fault)
    with pytest.raises((ConnectionLost, Timeout, ServerError)):
        webui.txt2img({})
    assert len(session.requests) == 1


def test_a_generation_that_never_left_is_sent_again() -> None:
    webui, session = client(TXT2IMG, REFUSED, requests.ConnectTimeout("late"))
    assert webui.txt2img({"seed": 1}).raw == {"images": []}
    assert session.sent(TXT2IMG) == [{"seed": 1}] * 3


def test_nobody_listens_and_then_somebody_does() -> None:
    """On a real socket: a server that starts while the client tries."""
    unused = free_port()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def serve() -> None:
        time.sleep(0.3)
        listener.bind(("127.0.0.1", unused))
        listener.listen()
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n" + b'{"images": []}')

    thread = threading.Thread(target=serve)
    thread.start()
    webui = WebUI(f"http://127.0.0.1:{unused}", retries=8, backoff=0.1)
    assert webui.txt2img({}).images == []
    thread.join()
    listener.close()


def test_a_connection_that_breaks_is_told_from_one_that_never_was() -> None:
    unused = free_port()
    listener = socket.create_server(("127.0.0.1", unused))
    heard: list[bytes] = []

    def serve() -> None:
        peer, _ = listener.accept()
        heard.append(peer.recv(65536))
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    webui = WebUI(f"http://127.0.0.1:{unused}", retries=3, backoff=0.001)
    with pytest.raises(ConnectionLost, match="may still be generating") as raised:
        webui.txt2img({})
    thread.join()
    listener.close()
    assert raised.value.sent
    assert len(heard) == 1


def test_the_pauses_double_up_to_a_minute() -> None:
    pauses = list(Retry(9, 0.5).pauses())
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, LONGEST, LONGEST]
    assert list(Retry().pauses()) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("0", 0.0), ("9999", LONGEST), ("soon", None), ("-1", None), ("1e9", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert asked_for(Reply(503, {"Retry-After": text}, b"", False)) == seconds


def test_retry_after_a_date() -> None:
    date = email.utils.formatdate(time.time() + 20, usegmt=True)
    assert 10 < (asked_for(Reply(503, {"Retry-After": date}, b"", False)) or 0) <= 20
    past = email.utils.formatdate(0, usegmt=True)
    assert asked_for(Reply(503, {"Retry-After": past}, b"", False)) == 0
    assert asked_for(Reply(503, {}, b"", False)) is None


def test_retry_after_is_followed() -> None:
    webui, _ = client(OPTIONS, Answer(503), Answer(503, headers={"Retry-After": "0"}), LOST)
    slept: list[float] = []
    webui.retry = Retry(3, 1, slept.append)
    webui.options()
    assert slept == [1, 0, 4]
