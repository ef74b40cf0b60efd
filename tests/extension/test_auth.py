"""Who is let in, for each state of credentials."""

from __future__ import annotations

import base64

import pytest
from starlette.requests import Request

from payload_capture.auth import LOCAL, Caller, Gate, Refused, Site, is_loopback, stricter

API = {"ann": "a:b:ü", "bob": ""}
GRADIO = {"eve": "geheim"}
SESSIONS = {"token": "eve"}


def request(method: str = "GET", address: str = "", **headers: str) -> Request:
    given = {"host": "localhost:7860", **{k.replace("_", "-"): v for k, v in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    scope = {"type": "http", "method": method, "headers": raw, "path": "/", "query_string": b""}
    return Request({**scope, "client": (address, 1) if address else None})


def basic(user: str, password: str, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode(encoding)).decode()


@pytest.mark.parametrize(
    ("gate", "headers", "user"),
    [
        (Gate({}, {}, {}), {}, None),
        (Gate(API, {}, {}), {"authorization": basic("ann", "a:b:ü")}, "ann"),
        (Gate(API, {}, {}), {"authorization": basic("ann", "a:b:ü", "latin-1")}, "ann"),
        (Gate(API, {}, {}), {"authorization": basic("bob", "")}, "bob"),
        (Gate({}, GRADIO, SESSIONS), {"authorization": basic("eve", "geheim")}, "eve"),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "access-token=token"}, "eve"),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "access-token-unsecure=token"}, "eve"),
        (Gate({}, GRADIO, SESSIONS), {"cookie": "access-token-x1=token"}, "eve"),
        (Gate(API, GRADIO, SESSIONS), {"cookie": "access-token=token"}, "eve"),
        (Gate(API, GRADIO, SESSIONS), {"authorization": basic("ann", "a:b:ü")}, "ann"),
        (Gate({"ann": "a\udcff", "bob": "b"}, {}, {}), {"authorization": basic("bob", "b")}, "bob"),
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
        (Gate({"ann": "a\udcff"}, {}, {}), {"authorization": basic("ann", "a")}),
        (Gate(API, {}, {}), {"authorization": "Basic %%%"}),
        (Gate(API, {}, {}), {"authorization": "Basic ü"}),
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


FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:7861"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
    {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
    {"origin": "http://[bad"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_another_sites_page_may_do_nothing(headers: dict[str, str], method: str) -> None:
    gates = Gate({}, {}, {}), Gate(API, GRADIO, SESSIONS)
    for gate in gates:
        with pytest.raises(Refused) as refused:
            gate.admit(request(method, cookie="access-token=token", **headers))
        assert (refused.value.status, refused.value.code) == (403, "cross_site")


@pytest.mark.parametrize("headers", FOREIGN)
def test_nor_through_the_pages_own_channel(headers: dict[str, str]) -> None:
    given = {"host": "localhost:7860", **{k.replace("_", "-"): v for k, v in headers.items()}}
    with pytest.raises(Refused):
        Gate({}, GRADIO, {}).admit_page(Caller("POST", given), reads=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:7860"},
        {"origin": "http://localhost:7860", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "https://sd.example.com", "sec_fetch_site": "same-origin"},
        {"origin": "https://sd.example.com", "x_forwarded_host": "sd.example.com"},
    ],
)
def test_the_webuis_own_page_and_programs_may(headers: dict[str, str]) -> None:
    Gate({}, {}, {}).admit(request("DELETE", **headers))


def test_a_link_on_another_site_may_be_followed_but_not_change_anything() -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    Gate({}, {}, {}).admit(request("GET", sec_fetch_dest="document", **link))
    with pytest.raises(Refused):
        Gate({}, {}, {}).admit(request("POST", sec_fetch_dest="document", **link))


@pytest.mark.parametrize(
    ("site", "origin", "welcome"),
    [
        (Site(origins=("http://friend.example",)), "http://friend.example", True),
        (Site(origins=("http://friend.example",)), "http://friend.example.evil", False),
        (Site(origins=("*",)), "http://anybody.example", True),
        (Site(origin_pattern="https://.*[.]friend"), "https://a.friend", True),
        (Site(origin_pattern="https://.*[.]friend"), "https://a.friend.evil", False),
        (Site(), "http://friend.example", False),
    ],
)
def test_those_that_the_command_line_allows_may(site: Site, origin: str, welcome: bool) -> None:
    gate = Gate({}, {}, {}, site)
    asked = request("DELETE", origin=origin, sec_fetch_site="cross-site")
    if welcome:
        gate.admit(asked)
    else:
        with pytest.raises(Refused):
            gate.admit(asked)


# ---- where nothing is asked


@pytest.mark.parametrize(
    ("host", "site", "answered"),
    [
        ("localhost:7860", LOCAL, True),
        ("127.0.0.1:7860", LOCAL, True),
        ("[::1]:7860", LOCAL, True),
        ("192.168.1.5:7860", LOCAL, True),
        ("my-pc:7860", LOCAL, True),
        ("MY-PC.local", LOCAL, True),
        ("evil.example:7860", LOCAL, False),
        ("localhost.evil.example", LOCAL, False),
        ("127.0.0.1.evil.example", LOCAL, False),
        ("[::1", LOCAL, False),
        ("localhost?evil", LOCAL, False),
        ("localhost@evil.example", LOCAL, False),
        ("evil.example#localhost", LOCAL, False),
        ("localhost/evil", LOCAL, False),
        ("localhost:7860:1", LOCAL, False),
        ("[fe80::1%eth0]:7860", LOCAL, True),
        ("sd.example.com", Site(names=("sd.example.com",)), True),
        ("a.sd.example.com", Site(names=("sd.example.com",)), False),
        ("abc.gradio.live", Site(names=(".gradio.live",)), True),
        ("evilgradio.live", Site(names=(".gradio.live",)), False),
    ],
)
def test_a_name_that_leads_here_by_somebody_elses_doing(
    host: str, site: Site, answered: bool
) -> None:
    """DNS rebinding: the page and its requests are of one origin, which the attacker named."""
    headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    asked = request("GET", **headers)
    if answered:
        Gate({}, {}, {}, site).admit(asked)
    else:
        with pytest.raises(Refused) as refused:
            Gate({}, {}, {}, site).admit(asked)
        assert refused.value.code == "unknown_host"
        with pytest.raises(Refused):
            Gate(API, {}, {}, site).admit_page(Caller("POST", headers), reads=True)
    Gate({}, GRADIO, {}, site).admit_page(Caller("POST", headers), reads=True)


NEAR, FAR = "127.0.0.1", "192.168.1.9"
BEYOND, TUNNEL = Site(beyond=True), Site(tunnelled=True)


@pytest.mark.parametrize(
    ("site", "address", "policy", "reading", "changing"),
    [
        (LOCAL, FAR, "refused", True, True),
        (BEYOND, NEAR, "refused", True, True),
        (BEYOND, "::ffff:127.0.0.1", "refused", True, True),
        (BEYOND, FAR, "open", True, True),
        (BEYOND, FAR, "read-only", True, False),
        (BEYOND, FAR, "refused", False, False),
        (BEYOND, "", "read-only", True, False),
        (TUNNEL, NEAR, "read-only", True, False),
        (TUNNEL, NEAR, "refused", False, False),
    ],
)
def test_strangers(site: Site, address: str, policy: str, reading: bool, changing: bool) -> None:
    gate = Gate({}, {}, {}, site, lambda: policy)
    page = Gate(API, {}, {}, site, lambda: policy)
    guarded = Gate(API, GRADIO, {}, site, lambda: policy)
    for method, allowed in (("GET", reading), ("DELETE", changing)):
        caller = Caller("POST", {"host": "localhost"}, address)
        asks = (
            lambda m=method: gate.admit(request(m, address=address)),
            lambda m=method: gate.admit(request("POST", address=address), reads=m == "GET"),
            lambda m=method, c=caller: page.admit_page(c, reads=m == "GET"),
        )
        for ask in asks:
            if allowed:
                ask()
            else:
                with pytest.raises(Refused) as refused:
                    ask()
                assert (refused.value.status, refused.value.code) == (403, "strangers_refused")
        guarded.admit_page(caller, reads=method == "GET")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (Gate({}, {}, {}), ""),
        (Gate({}, {}, {}, BEYOND, lambda: "read-only"), "strangers may read what was captured"),
        (Gate({}, {}, {}, TUNNEL), "strangers may read and change"),
        (Gate({}, {}, {}, BEYOND, lambda: "refused"), "see nothing"),
        (Gate(API, {}, {}, BEYOND), "on its page"),
        (Gate(API, {}, {}, BEYOND, page=False), ""),
        (Gate({}, {}, {}, BEYOND, page=False), "--api-auth"),
        (Gate({}, GRADIO, {}, BEYOND), ""),
    ],
)
def test_the_owner_is_told(gate: Gate, said: str) -> None:
    assert said in gate.warning()
    assert bool(gate.warning()) is bool(said)


def test_the_stricter_of_two_policies() -> None:
    assert stricter("open", "read-only") == stricter("read-only", "open") == "read-only"
    assert stricter("open", "open") == "open"
    assert stricter("open", "nonsense") == "refused"


@pytest.mark.parametrize(
    ("name", "own"),
    [("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("pc", False)],
)
def test_loopback(name: str, own: bool) -> None:
    assert is_loopback(name) is own
