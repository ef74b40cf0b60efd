"""How a server is reached: logins, certificates, proxies, and a session of one's own."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests

from fake_webui import API, Answer, FakeWebUI, Request
from payload_replay import ConnectionFailed, ServerError, Timeout, WebUI, WrongCredentials
from payload_replay.testing import FakeSession

pytestmark = pytest.mark.once

USER = ("jürgen", "p:w €")


class Guarded(FakeWebUI):  # type: ignore[misc]
    """A page with a login, as gradio's: a form in, a cookie out, and 401 without it."""

    def __init__(self) -> None:
        super().__init__()
        self.token = "one"
        self.logins = 0

    def respond(self, request: Request) -> Answer:
        self.asked.append(request)
        if request.path == "/login":
            return self.login(request)
        if f"access-token-unsecure={self.token}" not in request.headers.get("Cookie", ""):
            return Answer(401, {"detail": "Not authenticated"})
        return Answer(body={"version": "3.41.2"})

    def login(self, request: Request) -> Answer:
        from urllib.parse import parse_qs

        form = parse_qs(request.body.decode())
        if (form["username"][0], form["password"][0]) != USER:
            return Answer(400, {"detail": "Incorrect credentials."})
        self.logins += 1
        cookie = f"access-token-unsecure={self.token}; HttpOnly; Path=/"
        return Answer(body={"success": True}, headers={"Set-Cookie": cookie})


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    with Guarded() as server:
        yield server


def test_one_login_for_all_requests(guarded: Guarded) -> None:
    webui = WebUI(guarded.url, login=USER)
    assert guarded.asked == []
    for _ in range(3):
        assert webui.call("GET", "/config") == {"version": "3.41.2"}
    assert guarded.logins == 1
    assert guarded.asked[0].headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_threads_log_in_once(guarded: Guarded) -> None:
    webui = WebUI(guarded.url, login=USER)
    threads = [threading.Thread(target=webui.call, args=("GET", "/config")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guarded.logins == 1


def test_a_server_started_anew_is_logged_in_to_again(guarded: Guarded) -> None:
    webui = WebUI(guarded.url, login=USER)
    webui.call("GET", "/config")
    guarded.token = "two"
    assert webui.call("GET", "/config") == {"version": "3.41.2"}
    assert guarded.logins == 2


def test_a_wrong_login(guarded: Guarded) -> None:
    with pytest.raises(WrongCredentials, match="--gradio-auth"):
        WebUI(guarded.url, login=("a", "b")).options()
    assert len(guarded.asked) == 1


def test_no_login_where_there_is_no_page(fake: FakeWebUI) -> None:
    fake.answer("POST", "/login", 404, {"detail": "Not Found"})
    with pytest.raises(WrongCredentials, match="no page to log in to"):
        WebUI(fake.url, login=USER).options()


def test_an_open_page_sends_on(fake: FakeWebUI) -> None:
    fake.answer("POST", "/login", 302, b"", headers={"Location": "/"})
    assert WebUI(fake.url, login=USER).options()


def test_a_login_that_fails(fake: FakeWebUI) -> None:
    fake.answer("POST", "/login", 500, {"error": "E"})
    with pytest.raises(ServerError):
        WebUI(fake.url, login=USER).options()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(cert), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return str(cert), str(key)


class _Options(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"sd_vae": "None"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serving(context: ssl.SSLContext) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Options)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def secure(certificate: tuple[str, str]) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    yield from serving(context)


@pytest.fixture
def demanding(certificate: tuple[str, str]) -> Iterator[str]:
    """A server that asks for a client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.load_verify_locations(certificate[0])
    context.verify_mode = ssl.CERT_REQUIRED
    yield from serving(context)


def test_a_certificate_of_ones_own(
    secure: str, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert WebUI(secure, verify=certificate[0]).options() == {"sd_vae": "None"}
    session = requests.Session()
    session.verify = certificate[0]
    with monkeypatch.context() as environment:
        environment.setenv("REQUESTS_CA_BUNDLE", certifi.where())
        assert WebUI(secure, session=session).options() == {"sd_vae": "None"}


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_any_certificate_where_that_is_asked_for(secure: str) -> None:
    assert WebUI(secure, verify=False).options() == {"sd_vae": "None"}


def test_a_stranger_is_not_trusted(secure: str) -> None:
    with pytest.raises(ConnectionFailed, match=r"no TLS with .* give `verify`"):
        WebUI(secure, retries=3, backoff=100).options()


def test_a_certificate_of_the_client(demanding: str, certificate: tuple[str, str]) -> None:
    assert WebUI(demanding, verify=certificate[0], cert=certificate).options()
    with pytest.raises(ConnectionFailed):
        WebUI(demanding, verify=certificate[0]).options()


def test_a_proxy_of_the_session(fake: FakeWebUI) -> None:
    """The fake stands in as the proxy, and sees the whole address."""
    session = requests.Session()
    session.proxies["http"] = fake.url
    assert WebUI("http://far.invalid:7860", session=session).options()
    assert fake.asked[0].headers["Host"] == "far.invalid:7860"


def test_a_proxy_of_the_environment(fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", fake.url)
    assert WebUI("http://far.invalid").options()
    untrusting = requests.Session()
    untrusting.trust_env = False
    with pytest.raises(ConnectionFailed):
        WebUI("http://far.invalid", session=untrusting).options()


def test_a_proxy_that_is_not_there() -> None:
    session = requests.Session()
    session.proxies["http"] = "http://127.0.0.1:9"
    with pytest.raises(ConnectionFailed) as raised:
        WebUI("http://far.invalid", session=session).options()
    assert not raised.value.sent


def test_a_session_changed_later(fake: FakeWebUI) -> None:
    session = requests.Session()
    webui = WebUI(fake.url, session=session)
    webui.options()
    session.proxies["http"] = "http://127.0.0.1:9"
    with pytest.raises(ConnectionFailed):
        webui.options()


def test_credentials_in_netrc(
    fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with FakeWebUI(auth="me:secret") as guarded:
        assert WebUI(guarded.url).options()
    session = requests.Session()
    session.auth = ("other", "one")
    WebUI(fake.url, session=session).options()
    assert fake.asked[0].headers["Authorization"] == "Basic b3RoZXI6b25l"


def test_a_session_that_adds_to_each_request_is_asked_itself(fake: FakeWebUI) -> None:
    class Signing(requests.Session):
        def request(self, *args: Any, **kwargs: Any) -> requests.Response:
            kwargs["headers"] = {**kwargs["headers"], "X-Token": "mine"}
            return super().request(*args, **kwargs)

    WebUI(fake.url, session=Signing()).options()
    assert fake.asked[0].headers["X-Token"] == "mine"


def test_so_is_one_whose_method_was_replaced(fake: FakeWebUI) -> None:
    session = requests.Session()
    theirs = session.request

    def signing(*args: Any, **kwargs: Any) -> requests.Response:
        kwargs["headers"] = {**kwargs["headers"], "X-Token": "mine"}
        return theirs(*args, **kwargs)

    session.request = signing  # type: ignore[method-assign]
    WebUI(fake.url, session=session).options()
    assert fake.asked[0].headers["X-Token"] == "mine"


def test_no_connection_in_time() -> None:
    session = FakeSession({f"{API}/options": requests.ConnectTimeout("late")})
    with pytest.raises(Timeout, match="no connection to http://f in time") as raised:
        WebUI("http://f", session=session).options()
    assert not raised.value.sent


def test_query_and_path_below_the_address() -> None:
    session = FakeSession({"/sd/sdapi/v1/progress": {"progress": 0}})
    WebUI("http://f/sd/", session=session).progress(preview=False)
    assert session.requests[0].query == "skip_current_image=True"
