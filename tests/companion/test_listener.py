"""The socket of a recorded webui, whatever is sent to it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from fake_webui import API, FakeWebUI
from payload_replay import guard
from payload_replay import listener as module
from payload_replay.capture import TXT2IMG
from payload_replay.serve import Recorded

pytestmark = pytest.mark.once

CAT: dict[str, Any] = {"prompt": "a cat", "seed": 7, "steps": 2, "width": 16, "height": 16}


def post(url: str, payload: Any = None, **more: Any) -> requests.Response:
    return requests.post(url + TXT2IMG, json=payload, timeout=30, **more)


@pytest.fixture
def url(folder) -> Iterator[str]:
    with Recorded(folder()) as url:
        yield url


def raw(url: str, data: bytes, seconds: float = 20) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Content-Length: 999999999999", 413),
        ("Content-Length: -1", 400),
        ("Content-Length: 1e3", 400),
        (f"Content-Length: {'9' * 30}", 400),
        ("Content-Length: ٣", 400),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Transfer-Encoding: chunked\r\nContent-Length: 2", 400),
        ("Transfer-Encoding: chunked\r\n\r\nzz", 400),
    ],
)
def test_bodies_are_bounded(url: str, headers: str, status: int) -> None:
    answer = raw(
        url, f"POST {TXT2IMG} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n{{}}".encode()
    )
    assert answer.split()[1] == str(status).encode()
    assert post(url, CAT).ok


def test_a_client_with_too_much_reads_why(url: str) -> None:
    """Though it sends all of it first."""
    body = b"x" * (module.MAX_BODY + 1)
    answer = requests.post(url + TXT2IMG, data=body, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (413, "HTTPException")


def chunks(body: bytes, size: int) -> Iterator[bytes]:
    yield from (body[start : start + size] for start in range(0, len(body), size))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_in_chunks(url: str, size: int) -> None:
    body = json.dumps(CAT).encode()
    with requests.Session() as session:
        for _ in range(2):  # the connection is still in step
            answer = session.post(url + TXT2IMG, data=chunks(body, size), timeout=30)
            assert answer.json()["images"]


def test_chunks_have_the_same_bound(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY", 1000)
    for body, status in ((b"x" * 1000, 422), (b"x" * 1001, 413)):
        answer = requests.post(url + TXT2IMG, data=chunks(body, 100), timeout=30)
        assert answer.status_code == status


def test_half_of_the_chunks_are_no_request(url: str) -> None:
    head = f"POST {TXT2IMG} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert raw(url, f"{head}9\r\n{{".encode()) == b""
    assert post(url, CAT).ok


def test_only_paths_are_passed_on(fake: FakeWebUI, tmp_path: Path) -> None:
    with Recorded(tmp_path, record_from=fake.url) as url:
        for target in ("@127.0.0.1:9/x", "http://127.0.0.1:9/x", ":9/x"):
            answer = raw(url, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert answer.split()[1] == b"400"
    assert fake.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_pages_of_other_sites_are_refused_while_recording(
    fake: FakeWebUI, tmp_path: Path, headers: dict[str, str]
) -> None:
    with Recorded(tmp_path, record_from=fake.url) as url:
        assert post(url, CAT, headers=headers).status_code == 403
        assert requests.get(url + f"{API}/samplers", headers=headers, timeout=30).status_code == 403
        assert fake.asked == []
        assert post(url, CAT, headers={"Origin": url, "Sec-Fetch-Site": "same-origin"}).ok


def test_names_of_headers_are_in_any_case(fake: FakeWebUI, tmp_path: Path) -> None:
    with Recorded(tmp_path, record_from=fake.url) as url:
        for header in ("host: evil.example", "host: localhost\r\nsec-fetch-site: cross-site"):
            answer = raw(url, f"GET {API}/samplers HTTP/1.1\r\n{header}\r\n\r\n".encode())
            assert answer.split()[1] == b"403"
    assert fake.asked == []


def test_without_a_real_server_only_names_of_others_are_refused(folder) -> None:
    """By which their pages could read what prompts there are."""
    with Recorded(folder()) as url:
        assert post(url, CAT, headers={"Origin": "http://mine.example"}).ok
        assert post(url, CAT, headers={"Host": url.replace("http://127.0.0.1", "localhost")}).ok
        answer = post(url, CAT, headers={"Host": "evil.example"})
        assert answer.status_code == 403
        assert "listen on that name with --host" in answer.json()["detail"]


def test_a_name_of_this_machine_alone_is_its_only_one(folder) -> None:
    """What counts is where the server listens, not how that was said."""
    with Recorded(folder(), host="127.1") as url:
        port = url.rpartition(":")[2]
        answer = post(f"http://127.0.0.1:{port}", CAT, headers={"Host": "evil.example"})
        assert answer.status_code == 403


def test_a_server_for_other_machines_has_any_name(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "loopback", lambda bound: False)
    with Recorded(folder()) as url:
        assert post(url, CAT, headers={"Host": "recorded:7861"}).ok


def test_half_a_body_is_no_request(url: str) -> None:
    head = f"POST {TXT2IMG} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{{"
    assert raw(url, head.encode()) == b""
    assert post(url, CAT).ok


def test_a_silent_connection_ends(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.2)
    with Recorded(folder()) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
            assert connection.recv(10) == b""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "must be an object"),
        (b'{"a":' * 100_000, "no JSON"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "levels"),
        (b"\xff\xfe", "no JSON"),
        (b'{"cfg_scale": NaN}', "no NaN"),
        (b'{"cfg_scale": [-Infinity]}', "no -Infinity"),
        (b'{"cfg_scale": 1e999}', "no 1e999"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_bodies_that_are_none(url: str, body: bytes, words: str) -> None:
    answer = requests.post(url + TXT2IMG, data=body, timeout=30)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
