"""Which requests may be those of another site's page."""

from __future__ import annotations

import pytest

from payload_replay.guard import foreign, loopback, rebound

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:7861", "LOCALHOST", "localhost.", "tests.localhost:80"),
        *("127.0.0.1", "127.0.0.1:7861", "[::1]:7861", "192.168.1.5:7861"),
        *("recorder", "Recorder:7861", "recorder."),
    ],
)
def test_names_of_ours(host: str) -> None:
    assert rebound({"Host": host}, "recorder") == ""


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:7861", "127.0.0.1.evil.example", "localhost.evil.example"),
        *("", ":7861", "x@evil.example", "[::1", "evil.example#127.0.0.1", "127.1"),
    ],
)
def test_names_of_others(host: str) -> None:
    assert "are not answered" in rebound({"Host": host}, "127.0.0.1")


def test_no_browser_leaves_out_the_host() -> None:
    assert rebound({}, "127.0.0.1") == ""


@pytest.mark.parametrize(
    ("headers", "is_foreign"),
    [
        ({}, False),
        ({"Origin": "http://127.0.0.1:7861"}, False),
        ({"Origin": "http://127.0.0.1:7861", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://127.0.0.1:8000"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": ""}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": ""}, True),
    ],
)
def test_pages_of_others(headers: dict[str, str], is_foreign: bool) -> None:
    assert bool(foreign({"Host": "127.0.0.1:7861"} | headers)) is is_foreign


def test_loopback() -> None:
    assert all(map(loopback, ("127.0.0.1", "127.0.0.2", "::1")))
    assert not any(map(loopback, ("0.0.0.0", "::", "192.168.1.5")))
