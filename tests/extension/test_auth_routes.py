"""Every route that the running webui has below the extension's prefix, in every credential state.

The routes are those of the app itself, read in the webui's process, so that one that is added
without credentials fails here.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import requests

from .conftest import PREFIX, Host, Start

TELLS_ROUTES = """
from modules import script_callbacks

def added(page, app):
    def routes():
        found = []
        for route in app.routes:
            path = getattr(route, "path", "")
            if path.startswith("/payload-capture"):
                found.append([path, sorted(getattr(route, "methods", None) or ["mounted"])])
        return found
    app.add_api_route("/tests/routes", routes, methods=["GET"])
    # What a careless change would be: a route of ours that asks nobody.
    app.add_api_route("/payload-capture/careless", lambda: "open", methods=["GET"])

script_callbacks.on_app_started(added)
"""
API = ("--api-auth", "ann:secret,bob:a:b:ü")
PAGE = ("--gradio-auth", "eve:geheim:ß")
STATES: dict[str, tuple[str, ...]] = {
    "open": (),
    "api": API,
    "page": PAGE,
    "both": (*API, *PAGE),
}


class Asker(NamedTuple):
    """Who asks, and in which states they are let in."""

    name: str
    password: Any
    logged_in: bool
    lets_in: frozenset[str]


ASKERS = [
    Asker("nobody", None, False, frozenset(("open",))),
    Asker("an API user", ("ann", "secret"), False, frozenset(("open", "api", "both"))),
    Asker("colons, UTF-8", ("bob", "a:b:ü".encode()), False, frozenset(("open", "api", "both"))),
    Asker("colons, Latin-1", ("bob", "a:b:ü"), False, frozenset(("open", "api", "both"))),
    Asker("a wrong password", ("ann", "wrong"), False, frozenset(("open",))),
    Asker("another's password", ("ann", "a:b:ü"), False, frozenset(("open",))),
    Asker("the page's password", ("eve", "geheim:ß"), False, frozenset(("open", "page", "both"))),
    Asker("a login on the page", None, True, frozenset(("open", "page", "both"))),
    Asker("an unknown name", ("mallory", ""), False, frozenset(("open",))),
]


@pytest.fixture(scope="module", params=STATES)
def guarded(request: pytest.FixtureRequest, start: Start) -> Iterator[tuple[str, Host]]:
    host = start(*STATES[request.param], neighbours={"zz_tells_routes": TELLS_ROUTES})
    yield request.param, host
    host.process.stop()


def routes_of(host: Host) -> list[tuple[str, str]]:
    """(method, path) of all routes but the careless one, parameters filled in."""
    listed = requests.get(f"{host.url}/tests/routes", timeout=30).json()
    found = [
        (method, re.sub(r"\{[^}]*\}", "0", path))
        for path, methods in listed
        for method in methods
        if path != "/payload-capture/careless"
    ]
    assert len(found) > 20
    assert {path.partition("/v1")[0] for _, path in found} == {"/payload-capture"}
    assert "mounted" not in {method for method, _ in found}, "walk the mounted app's routes too"
    return found


def statuses(host: Host, routes: list[tuple[str, str]], **options: Any) -> dict[str, int]:
    """What each route answers with."""
    session = options.pop("session", None) or requests.Session()
    answers = {}
    for method, path in routes:
        answer = session.request(
            method, host.url + path, timeout=30, allow_redirects=False, stream=True, **options
        )
        answers[f"{method} {path}"] = answer.status_code
        answer.close()
    return answers


@pytest.mark.parametrize("asker", ASKERS, ids=lambda asker: asker.name)
def test_every_route_asks(guarded: tuple[str, Host], asker: Asker) -> None:
    state, host = guarded
    session = requests.Session()
    if asker.logged_in:
        login = {"username": "eve", "password": "geheim:ß"}
        session.post(f"{host.url}/login", data=login, timeout=30)
    answers = statuses(host, routes_of(host), session=session, auth=asker.password)
    if state in asker.lets_in:
        assert {route for route, status in answers.items() if status in (401, 403)} == set()
    else:
        assert {route for route, status in answers.items() if status != 401} == set()


METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
PATHS = (
    "{prefix}",
    "{prefix}/",
    "{prefix}/captures/",
    "{prefix}//captures",
    "//payload-capture/v1/captures",
    "/payload-capture//v1/captures",
    "/payload-capture/%76%31/captures",
    "/payload%2Dcapture/v1/captures",
    "{prefix}/%2e%2e/v1/captures",
    "/internal/../payload-capture/v1/captures",
    "/file=/payload-capture/v1/captures",
    "{prefix}/captures%2Flatest",
    "{prefix}/captures/..%2F..%2Fcaptures",
    "{prefix}/captures;a=b",
    "{prefix}/captures%00",
    "{prefix}/captures/latest%0d%0aX-Injected:%20yes",
    "{prefix}/assets/..%2f..%2fcaptures.db",
    "{prefix}/assets/%2e%2e/%2e%2e/captures.db",
    "{prefix}/assets/%2fetc%2fpasswd",
    "/PAYLOAD-CAPTURE/V1/captures",
    "http://127.0.0.1{prefix}/captures",
)
"""Ways of writing a path that a server, a proxy and a gate may read differently."""


def raw(host: Host, method: str, target: str, **headers: str) -> tuple[int, str, bytes]:
    """(status, headers, body) of a request whose target is sent as it is written."""
    place = urlsplit(host.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, target, skip_host="Host" in named)
    for name, value in named.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    streams = "text/event-stream" in (answer.getheader("content-type") or "")
    body = b"" if streams else answer.read()
    connection.close()
    return answer.status, str(answer.headers), body


@pytest.mark.parametrize("path", PATHS)
def test_no_way_of_writing_a_path_gets_around(guarded: tuple[str, Host], path: str) -> None:
    state, host = guarded
    written = path.format(prefix=PREFIX)
    for method in METHODS:
        status, headers, body = raw(host, method, written)
        assert status < 500, (method, status, body)
        assert "X-Injected" not in headers
        assert b"SQLite format" not in body
        assert b"root:" not in body
        if state != "open":
            # 403 is gradio 4's refusal of a file that is not of the page.
            assert status in (307, 400, 401, 403, 404, 405), (method, status, body)
            assert b'"captures"' not in body


@pytest.mark.parametrize(
    "name", ["a?b", "a#b", "a/payload-capture/v1/x", "a@b", "[", "%", "a,b", "x" * 4000, ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_strange_name_of_the_host_harms_nothing(
    guarded: tuple[str, Host], name: str, method: str
) -> None:
    state, host = guarded
    user = {"page": "eve:geheim:ß"}.get(state, "ann:secret").encode()
    given = {"Authorization": "Basic " + base64.b64encode(user).decode(), "Host": name}
    for path in ("/captures", "/run/extras", "/openapi.json", "/nothing/here"):
        status, _, body = raw(host, method, PREFIX + path, **given)
        assert status < 500, (path, status, body)


def test_a_web_socket_opens_nothing(guarded: tuple[str, Host]) -> None:
    _, host = guarded
    for path in ("/events", "/captures", ""):
        status, _, body = raw(
            host,
            "GET",
            PREFIX + path,
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
            Origin="http://evil.example",
        )
        assert status in (403, 404), body


def test_the_pages_own_channel_asks_for_its_login(guarded: tuple[str, Host]) -> None:
    state, host = guarded
    session = requests.Session()
    if state in ("page", "both"):
        login = {"username": "eve", "password": "geheim:ß"}
        session.post(f"{host.url}/login", data=login, timeout=30).raise_for_status()
    body = {
        "fn_index": page_channel(host, session),
        "data": [json.dumps({"id": 1, "do": "captures"})],
        "session_hash": "tests",
    }
    named = ("/run/payload_capture_tab", "/api/payload_capture_tab", "/call/payload_capture_tab")
    for route in ("/run/predict", "/api/predict", "/run/predict/", "/queue/join", *named):
        answer = requests.post(host.url + route, json=body, timeout=30)
        if state in ("page", "both"):
            assert answer.status_code in (401, 403, 404, 405), route
        assert answer.status_code < 500 or "captures" not in answer.text
    for route in ("/run/predict", "/run/payload_capture_tab"):
        answer = session.post(host.url + route, json=body, timeout=30)
        assert json.loads(answer.json()["data"][0])["captures"] == []


def test_a_route_that_asks_nobody_would_be_found(guarded: tuple[str, Host]) -> None:
    _, host = guarded
    answers = statuses(host, [("GET", "/payload-capture/careless")])
    assert set(answers.values()) == {200}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Origin": "null", "Content-Type": "text/plain"},
        {"Origin": "http://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_every_route_refuses_other_sites(
    guarded: tuple[str, Host], headers: dict[str, str]
) -> None:
    state, host = guarded
    auth = {"open": None, "page": ("eve", "geheim:ß")}.get(state, ("ann", "secret"))
    answers = statuses(host, routes_of(host), headers=headers, auth=auth)
    assert {route for route, status in answers.items() if status != 403} == set()


def test_every_answer_says_that_no_other_site_may_embed_it(guarded: tuple[str, Host]) -> None:
    _, host = guarded
    for method, path in routes_of(host):
        url = host.url + path
        answer = requests.request(method, url, timeout=30, stream=True, allow_redirects=False)
        answer.close()
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", (method, path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", (method, path)


def test_a_refusal_says_how(guarded: tuple[str, Host]) -> None:
    state, host = guarded
    answer = host.get("/status")
    if state == "open":
        assert answer.ok
    else:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert "--api-auth" in answer.json()["error"]["message"]


def test_a_file_of_users(start: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    users = tmp_path_factory.mktemp("auth") / "users"
    users.write_text("eve:a:b, zoe:ü\nmax:x\n", encoding="utf-8")
    host = start("--gradio-auth-path", str(users))
    for auth, status in (
        (("eve", "a:b"), 200),
        (("zoe", "ü"), 200),
        (("max", "x"), 200),
        (("max", "y"), 401),
        (None, 401),
    ):
        assert host.get("/status", auth=auth).status_code == status
    host.process.stop()


def test_a_tunnel_without_a_password(start: Start) -> None:
    """The stand-in opens no tunnel for `--share`; the webui says there that strangers come."""
    host = start("--share")
    host.generate().raise_for_status()
    told = "strangers may read what was captured"
    assert told in host.process.log
    assert told in host.json("/status")["warning"]
    identity = host.latest()["id"]
    url = f"{host.url}{PREFIX}/captures/{identity}"
    refused = requests.delete(url, timeout=30)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "strangers_refused")
    options = f"{host.url}/sdapi/v1/options"
    for given in ({"payload_capture_strangers": "open"}, {"payload_capture_host_names": "x.y"}):
        requests.post(options, json=given, timeout=30)
    assert requests.delete(url, timeout=30).status_code == 403, "a stranger opened it"
    assert requests.get(url, headers={"Host": "x.gradio.live"}, timeout=30).ok
    named = requests.get(url, headers={"Host": "evil.example"}, timeout=30)
    assert (named.status_code, named.json()["error"]["code"]) == (403, "unknown_host")
    host.process.stop()


LISTENS = """
from modules import script_callbacks, shared
# The port is open by now, on this machine alone.
script_callbacks.on_app_started(lambda page, app: setattr(shared.cmd_opts, "listen", True))
"""


def test_a_webui_that_listens_beyond_its_machine(start: Start) -> None:
    host = start(neighbours={"aa_listens": LISTENS})
    assert "listens beyond this machine" in host.json("/status")["warning"]
    host.generate().raise_for_status()
    url = f"{host.url}{PREFIX}/captures/{host.latest()['id']}"
    # The server takes the peer's address from a proxy on its own machine.
    stranger = {"X-Forwarded-For": "192.168.1.9"}
    assert requests.get(url, headers=stranger, timeout=30).ok
    assert requests.delete(url, headers=stranger, timeout=30).status_code == 403
    assert requests.delete(url, timeout=30).ok
    host.process.stop()


def test_what_the_owner_set_is_what_strangers_may(
    start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("data")
    settings = '{"payload_capture_strangers": "%s", "payload_capture_host_names": "sd.example.com"}'
    for policy, reading, changing in (("open", 200, 200), ("refused", 403, 403)):
        (data / "config.json").write_text(settings % policy)
        host = start("--share", data_dir=data)
        host.generate().raise_for_status()
        read = host.get("/captures", headers={"Host": "sd.example.com"})
        assert read.status_code == reading
        if policy == "open":
            identity = read.json()["captures"][0]["id"]
        url = f"{host.url}{PREFIX}/captures/{identity}"
        assert requests.delete(url, timeout=30).status_code == changing
        host.process.stop()


def test_other_sites_that_the_command_line_allows(start: Start) -> None:
    host = start("--cors-allow-origins", "http://friend.example")
    for origin, status in (("http://friend.example", 200), ("http://evil.example", 403)):
        answer = host.get("/status", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == status
        allowed = answer.headers.get("access-control-allow-origin")
        assert allowed == (origin if status == 200 else None)
    host.process.stop()


def test_the_pages_own_channel_refuses_other_sites(start: Start) -> None:
    host = start("--api-auth", "ann:secret")
    channel = page_channel(host)
    asked = json.dumps({"id": 1, "do": "captures"})
    own, foreign = (
        ask_page(host, channel, asked, headers)
        for headers in ({"Origin": host.url}, {"Origin": "http://evil.example"})
    )
    assert own["captures"] == []
    assert "http://evil.example may not do this" in foreign["error"]
    named = ask_page(
        host, channel, asked, {"Host": "evil.example", "Origin": "http://evil.example"}
    )
    assert "is not known as 'evil.example'" in named["error"]
    host.process.stop()


def test_a_body_that_says_who_asks_is_not_believed(start: Start) -> None:
    """Gradio 3.41 takes what its queue knows of a request from the body, whoever sent it."""
    host = start()
    host.generate().raise_for_status()
    identity = host.latest()["id"]
    body = {
        "fn_index": page_channel(host),
        "data": [json.dumps({"id": 1, "do": "delete", "captures": [identity]})],
        "session_hash": "tests",
        "request": {"headers": {"host": "localhost"}, "client": {"host": "127.0.0.1"}},
    }
    url, evil = f"{host.url}/run/predict", {"Origin": "http://evil.example"}
    for batched in (False, True):
        given = body | {
            "batched": batched,
            "request": [body["request"]] if batched else body["request"],
        }
        answer = requests.post(url, json=given, headers=evil, timeout=30)
        assert answer.status_code in (422, 500) or "may not do this" in answer.text
    queued = f"{host.url}/call/payload_capture_tab"
    answer = requests.post(queued, json={"data": body["data"]}, headers=evil, timeout=30)
    if answer.ok:  # gradio 4.40
        event = answer.json()["event_id"]
        assert "may not do this" in requests.get(f"{queued}/{event}", timeout=30).text
    assert host.latest()["id"] == identity
    own = requests.post(url, json=body | {"request": None}, timeout=30)
    assert '\\"id\\": 1' in own.text, "the question was none"
    with pytest.raises(AssertionError):
        host.latest()
    host.process.stop()


@pytest.mark.parametrize("flags", [(), ("--subpath", "sub"), ("--nowebui",)])
def test_wherever_the_webui_is_mounted(start: Start, flags: tuple[str, ...]) -> None:
    host = start(*API, *flags)
    for path in ("/captures", "/status", "/events", "/nothing"):
        assert raw(host, "GET", PREFIX + path)[0] == 401
        assert raw(host, "GET", f"/sub{PREFIX}{path}")[0] in (401, 404)
    assert host.get("/status", auth=("ann", "secret")).ok
    assert host.get("/nothing", auth=("ann", "secret")).status_code == 404
    host.process.stop()


def page_channel(host: Host, session: requests.Session | None = None) -> int:
    """The number of the event by which the tab asks, as gradio's page knows it."""
    config = (session or requests).get(f"{host.url}/config", timeout=30).json()
    ids = {one["props"].get("elem_id"): one["id"] for one in config["components"]}
    place = ids["payload_capture_tab"]
    for number, event in enumerate(config["dependencies"]):
        if event["inputs"] == [place]:
            return int(event.get("id", number))
    raise LookupError("the tab has no channel")


def ask_page(host: Host, channel: int, question: str, headers: dict[str, str]) -> Any:
    body = {"fn_index": channel, "data": [question], "session_hash": "tests"}
    url = f"{host.url}/run/predict"
    answer = requests.post(url, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return json.loads(answer.json()["data"][0])
