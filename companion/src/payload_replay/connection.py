"""One server's address, and requests to it: credentials, TLS, retries, errors.

The seam is `requests.Session`: mount an adapter on one, or pass your own with proxies and
certificates, and nothing else of this package talks to the network.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.auth import HTTPBasicAuth
from requests.utils import get_netrc_auth

from . import attachments, codec
from .answers import Reply, failure, parsed, read, translated
from .errors import (
    ConnectionFailed,
    ConnectionLost,
    InvalidPayload,
    UnexpectedAnswer,
    WrongCredentials,
)
from .retry import Again, Retry, Send, always

Auth = tuple[str, str]
TimeoutSeconds = float | tuple[float, float] | None
LOGIN = "/login"
_READING = ("GET", "HEAD")


class Connection:
    """See `payload_replay.WebUI`, which says what each argument means."""

    def __init__(
        self,
        url: str,
        auth: Auth | None = None,
        timeout: TimeoutSeconds = (10, 600),
        session: requests.Session | None = None,
        *,
        login: Auth | None = None,
        verify: bool | str | None = None,
        cert: str | tuple[str, str] | None = None,
        retries: int = 0,
        backoff: float = 0.5,
        track: bool = False,
    ) -> None:
        self.url, in_url = split(url)
        self.timeout = timeout
        self.session = session or requests.Session()
        self.retry = Retry(retries, backoff)
        self.track = track
        self._owned = session is None
        self._auth = _basic(auth or in_url)
        self._login = login
        self._logging_in = threading.Lock()
        self._logged_in = login is None
        self._verify, self._cert = verify, cert
        self._environment: tuple[Any, dict[str, Any]] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def close(self) -> None:
        """Close the connections; a session that was passed stays open."""
        if self._owned:
            self.session.close()

    def call(
        self,
        method: str,
        path: str,
        payload: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: TimeoutSeconds = None,
        *,
        retry: Retry | None = None,
    ) -> Any:
        """Send one request; its JSON answer, or None where it is empty; see `send`."""
        return parsed(self.send(method, path, payload, params, timeout, retry=retry), path)

    def send(
        self,
        method: str,
        path: str,
        payload: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: TimeoutSeconds = None,
        *,
        retry: Retry | None = None,
        again: Again | None = None,
    ) -> Reply:
        """Send one request, again where `retries` allows it; its answer, whatever its status.

        Args:
            timeout, retry: in the place of the client's own.
            again: asked whether a request that may have arrived may be sent once more; by
                default one that only reads may, and no other.
        """
        if again is None and method in _READING:
            again = always
        body = None if payload is None else _encoded(payload)
        kind = "application/json" if payload is not None else None

        def once() -> Reply:
            self._log_in()
            reply = self._once(method, path, body, kind, params, timeout)
            if reply.status == 401 and self._login:  # a server that was started anew forgot it
                self._log_in(again=True)
                reply = self._once(method, path, body, kind, params, timeout)
            return reply

        if retry is None and not self.retry.times and again is always:
            return _resent(once)
        return (retry or self.retry).run(once, again)

    def _once(
        self,
        method: str,
        path: str,
        body: bytes | Mapping[str, str] | None = None,
        kind: str | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: TimeoutSeconds = None,
    ) -> Reply:
        # The webui gzips base64 at the highest level: 20 ms a megabyte to save a quarter of it.
        headers = {"Accept-Encoding": "identity", "Accept": "application/json, */*"}
        if kind is not None:
            headers["Content-Type"] = kind
        given: dict[str, Any] = {"params": params, "data": body, "headers": headers}
        sending: dict[str, Any] = {
            "timeout": self.timeout if timeout is None else timeout,
            "allow_redirects": False,  # a redirected POST arrives as a GET, without its body
            "stream": True,
        }

        def request() -> Reply:
            if _own(self.session):  # what it adds to each request is meant
                return read(
                    self.session.request(
                        method,
                        self.url + path,
                        auth=self._auth,
                        verify=self._verify,
                        cert=self._cert,
                        **given,
                        **sending,
                    )
                )
            settings, auth = self._surroundings()
            prepared = requests.Request(method, self.url + path, auth=auth, **given)
            return read(
                self.session.send(self.session.prepare_request(prepared), **settings | sending)
            )

        return translated(self.url, request)

    def _surroundings(self) -> tuple[dict[str, Any], Any]:
        """Proxies, certificates and credentials, of the session and of the environment.

        `requests` looks for them in the environment and in files at each request, which costs as
        much as all else that it does; here it does so once, and when the session is changed.
        """
        session = self.session
        key = (dict(session.proxies), session.verify, session.cert, session.trust_env)
        if self._environment is None or self._environment[0] != key:
            # What the session says of certificates would lose against REQUESTS_CA_BUNDLE.
            own = session.verify if self._verify is None else self._verify
            verify = None if own is True else own
            settings = session.merge_environment_settings(
                self.url, {}, stream=True, verify=verify, cert=self._cert
            )
            found = get_netrc_auth(self.url) if session.trust_env else None
            self._environment = (key, {"settings": settings, "netrc": found})
        known = self._environment[1]
        auth = self._auth or session.auth or known["netrc"] or _nobody
        return known["settings"], auth

    def _log_in(self, *, again: bool = False) -> None:
        """Give the page its user and password, once; the session keeps its cookie."""
        if self._logged_in and not again:
            return
        with self._logging_in:
            if self._logged_in and not again:
                return
            user, password = self._login or ("", "")
            reply = self._once("POST", LOGIN, {"username": user, "password": password})
            _admitted(reply)
            self._logged_in = True

    def _get(self, path: str, kind: type) -> Any:
        answer = self.call("GET", path)
        if not isinstance(answer, kind):
            found = type(answer).__name__
            raise UnexpectedAnswer(f"{path} gave a {found}; is this the webui's own address?")
        return answer


def _admitted(reply: Reply) -> None:
    """Raise unless a login was accepted; gradio 3.41.2 and 4.40.0 answer 400 to a wrong one.

    Without --gradio-auth they redirect to the page, which then is open.
    """
    if reply.status in (400, 401, 403):
        raise WrongCredentials(
            "the page refuses this user and password; compare `login` with its --gradio-auth"
        )
    if reply.status in (404, 405):
        raise WrongCredentials(
            "the server has no page to log in to (started with --nowebui?): leave out `login`, "
            "and give `auth` for its --api-auth"
        )
    if not 200 <= reply.status < 400:
        raise failure(reply, LOGIN)


def _own(session: requests.Session) -> bool:
    """Whether somebody put a method of their own in the place of `request`, on class or object."""
    return getattr(session.request, "__func__", None) is not requests.Session.request


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials: said so that `requests` does not look for some in a file."""
    return request


def _encoded(payload: Mapping[str, Any]) -> bytes:
    try:
        return codec.dumps(dict(payload), attachments.in_json)
    except (TypeError, ValueError) as error:
        raise InvalidPayload(f"{error}; it cannot be sent as JSON") from error


def _basic(auth: Auth | None) -> HTTPBasicAuth | None:
    if auth is None:
        return None
    user, password = auth
    if ":" in user:
        raise ValueError("a user name of HTTP Basic cannot hold a colon")
    # As bytes, since `requests` would send text as Latin-1.
    return HTTPBasicAuth(user.encode(), password.encode())


def _resent(send: Send) -> Reply:
    """What is sent, once more where the connection broke: a server closes an idle one, and one on
    which it failed itself (Forge dfdcbab6), and that shows only when the next request is sent."""
    try:
        return send()
    except ConnectionLost:
        return send()


def split(url: str) -> tuple[str, Auth | None]:
    """The address without user and password, so that no message repeats them, and those two."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConnectionFailed(f"{url!r} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ConnectionFailed(f"{url!r} is no address: expected http://HOST:PORT")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", "")), auth
