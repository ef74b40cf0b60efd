"""Who is let in, for each state of credentials."""

from __future__ import annotations

import base64

import pytest
from starlette.requests import Request

from payload_capture.auth import Gate, Refused

API = {"ann": "a:b:ü", "bob": ""}
GRADIO = {"eve": "geheim"}
SESSIONS = {"token": "eve"}


def request(method: str = "GET", **headers: str) -> Request:
    given = {"host": "localhost:7860", **{k.replace("_", "-"): v for k, v in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    scope = {"type": "http", "method": method, "headers": raw, "path": "/", "query_string": b""}
    return Request(scope)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("gate", "headers", "user"),
    [
        (Gate({}, {}, {}), {}, None),
        (Gate(API, {}, {}), {"authorization": basic("ann", "a:b:ü")}, "ann"),
        (Gate(API, {}, {}), {"authorization": basic("bob", "")}, "bob"),
        (Gate({}, GRADIO, SESSIONS), {"authorization": basic("eve", "geheim")}, "eve"),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "access-token=token"}, "eve"),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "access-token-unsecure=token"}, "eve"),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "access-token-x1=token"}, "eve"),
        (Gate(API, GRADIO, SESSIONS), {"cookie": "access-token=token"}, "eve"),
        (Gate(API, GRADIO, SESSIONS), {"authorization": basic("ann", "a:b:ü")}, "ann"),
    ],
)
def test_lets_in(gate: Gate, headers: dict[str, str], user: str | None) -> None:
    assert gate.admit(request(**headers)) == user


@pytest.mark.parametrize(
    ("gate", "headers"),
    [
        (Gate(API, {}, {}), {}),
        (Gate(API, {}, {}), {"authorization": basic("ann", "a:b")}),
        (Gate(API, {}, {}), {"authorization": basic("nobody", "")}),
        (Gate(API, {}, {}), {"authorization": "Basic %%%"}),
        (Gate(API, {}, {}), {"authorization": "Bearer token"}),
        (Gate(API, {}, SESSIONS), {"cookie": "access-token=token"}),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "access-token=other"}),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "session=token"}),
        (Gate(API, GRADIO, {}), {"authorization": basic("ann", "geheim")}),
    ],
)
def test_refuses(gate: Gate, headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        gate.admit(request(**headers))
    assert (refused.value.status, refused.value.code) == (401, "unauthorized")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "http://localhost:7861"},
    ],
)
def test_another_sites_page_may_not_change_anything(headers: dict[str, str]) -> None:
    gate = Gate({}, {}, {})
    with pytest.raises(Refused) as refused:
        gate.admit(request("DELETE", **headers))
    assert refused.value.status == 403
    assert gate.admit(request("GET", **headers)) is None


def test_the_webuis_own_page_and_programs_may() -> None:
    gate = Gate({}, {}, {})
    gate.admit(request("DELETE"))
    gate.admit(request("DELETE", origin="http://localhost:7860", sec_fetch_site="same-origin"))
