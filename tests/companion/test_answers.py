"""Every error of `requests` comes out as one of ours."""

from __future__ import annotations

import gzip
import io

import pytest
import requests

from fake_webui import API, FakeWebUI
from payload_replay import (
    ConnectionFailed,
    ConnectionLost,
    NoExtension,
    NotFound,
    ReplayError,
    Timeout,
    UnexpectedAnswer,
    WebUI,
    answers,
)
from payload_replay.answers import translated

pytestmark = pytest.mark.once

FOREIGN = [
    error
    for error in vars(requests.exceptions).values()
    if isinstance(error, type)
    and issubclass(error, requests.RequestException)
    and not issubclass(error, requests.exceptions.JSONDecodeError)
]
SPECIAL = {
    requests.exceptions.Timeout: Timeout,
    requests.exceptions.ConnectTimeout: Timeout,
    requests.exceptions.ReadTimeout: Timeout,
    requests.exceptions.ChunkedEncodingError: UnexpectedAnswer,
    requests.exceptions.ContentDecodingError: UnexpectedAnswer,
    **dict.fromkeys(
        (
            requests.exceptions.InvalidHeader,
            requests.exceptions.InvalidJSONError,
            requests.exceptions.InvalidProxyURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.ProxyError,
            requests.exceptions.SSLError,
            requests.exceptions.URLRequired,
        ),
        ConnectionFailed,
    ),
}


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda error: error.__name__)
def test_translated(foreign: type[requests.RequestException]) -> None:
    def send() -> None:
        raise foreign("what happened")

    with pytest.raises(ReplayError, match=r"http://host.*what happened") as raised:
        translated("http://host", send)
    # Of what is not known it is not known either whether the server has been reached.
    assert type(raised.value) is SPECIAL.get(foreign, ConnectionLost)


def test_what_is_not_theirs_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        translated("http://host", lambda: 1 // 0)


SENT = {
    requests.exceptions.ConnectTimeout: False,
    requests.exceptions.ReadTimeout: True,
    requests.exceptions.ProxyError: False,
    requests.exceptions.SSLError: True,
    requests.exceptions.ConnectionError: True,
    requests.exceptions.InvalidURL: False,
}


@pytest.mark.parametrize("foreign", SENT, ids=lambda error: error.__name__)
def test_whether_it_may_have_been_sent(foreign: type[requests.RequestException]) -> None:
    def send() -> None:
        raise foreign("what happened")

    with pytest.raises((ConnectionFailed, Timeout)) as raised:
        translated("http://host", send)
    error = raised.value
    assert isinstance(error, (ConnectionFailed, Timeout))
    assert error.sent is SENT[foreign]


def test_an_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LIMIT", 1000)
    with FakeWebUI() as fake:
        fake.answer("GET", f"{API}/options", body={"a": "b" * 2000})
        with pytest.raises(UnexpectedAnswer, match="more than 1000 bytes"):
            WebUI(fake.url).options()


def test_a_packed_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked for gzip, but a server may send it: 1 MiB of blanks in 1 KiB."""
    monkeypatch.setattr(answers, "LIMIT", 100_000)
    packed = gzip.compress(b'{"a": "' + b" " * 2**20 + b'"}')
    assert len(packed) < 2000
    with FakeWebUI() as fake:
        fake.answer("GET", f"{API}/options", 200, packed, headers={"Content-Encoding": "gzip"})
        with pytest.raises(UnexpectedAnswer, match="more than 100000 bytes"):
            WebUI(fake.url).options()


@pytest.mark.parametrize("length", ["9" * 30, "9" * 5000])
def test_a_length_that_cannot_be(length: str) -> None:
    response = requests.Response()
    response.headers["Content-Length"] = length
    response.raw = io.BytesIO()
    response.url = "http://host"
    with pytest.raises(UnexpectedAnswer, match="more than"):
        answers.read(response)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", NoExtension),
        (b"<h1>Not Found</h1>", NoExtension),
        (b"{}", NoExtension),
        (b'{"detail": ""}', NoExtension),
        (b'{"detail": "Not Found"}', NoExtension),
        (b'{"error": {"code": "not_found", "message": "no capture x"}}', NotFound),
        (b'{"error": {"code": "not_found", "message": ""}}', NotFound),
        (b'{"detail": "no such picture"}', NotFound),
    ],
)
def test_a_404_of_the_extension_or_for_want_of_it(body: bytes, error: type[ReplayError]) -> None:
    reply = answers.Reply(404, {}, body, False)
    assert type(answers.failure(reply, "/payload-capture/v1/captures/x")) is error


def test_an_error_that_is_its_own_reason() -> None:
    error = requests.ConnectionError("again")
    error.__context__ = ValueError("between")
    error.__context__.__context__ = error

    def send() -> None:
        raise error

    with pytest.raises(ConnectionLost, match="again"):
        translated("http://host", send)
