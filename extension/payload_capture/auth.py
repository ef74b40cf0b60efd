"""The webui's own credentials, demanded on every route.

``--api-auth`` protects only the routes that the webui's Api class adds and ``--gradio-auth`` no
FastAPI route at all, so an extension's routes are open unless it protects them itself. Here a
request is let in with HTTP Basic of either option's users, or with the login cookie that gradio
gave the page's user; where the webui asks for nothing, nothing is asked. Where both options are
set either is enough: the page has only the cookie and a program only the password, so that
demanding both would let in nobody.

What needs no password needs other care. A page of another site must not reach this one through
the browser of somebody who may: it is told by the headers that browsers add, and where nothing is
asked also by the name it asks for (DNS rebinding). And where the webui listens beyond this machine
without asking for anything, a setting says what strangers may do.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.requests import Request

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
CHALLENGE = 'Basic realm="stable-diffusion-webui", charset="UTF-8"'
"""What a 401 answers as WWW-Authenticate."""
HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""For every answer: other sites' pages can neither embed nor frame it."""
POLICIES = ("open", "read-only", "refused")
"""What strangers may do, from the least strict."""
_ALLOWED = {
    "open": "read and change what was captured",
    "read-only": "read what was captured",
    "refused": "see nothing of what was captured",
}
_PRIVATE = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
"""Ends of names that nobody can register, so that no stranger decides where they lead."""


_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([^\s\[\]:/?#@\\]+))(?::\d*)?")


class Refused(Exception):
    """The request is not let in: `status` 401 without, 403 with credentials."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Site(NamedTuple):
    """How the webui is reached.

    Args:
        beyond: whether it listens beyond this machine.
        tunnelled: whether strangers come through a tunnel, and so from this machine's own address.
        names: host names by which it may be asked, one that begins with a dot for all that end so.
        origins: other sites whose pages may do what its own may; ``*`` for all.
        origin_pattern: the same as a regular expression, "" for none.
    """

    beyond: bool = False
    tunnelled: bool = False
    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    origin_pattern: str = ""

    @property
    def exposed(self) -> bool:
        """Whether anybody but this machine's own users can reach it."""
        return self.beyond or self.tunnelled

    def welcomes(self, origin: str) -> bool:
        """Whether pages of `origin` may do what the webui's own may (``--cors-allow-origins``)."""
        if origin in self.origins or "*" in self.origins:
            return True
        return bool(self.origin_pattern and re.fullmatch(self.origin_pattern, origin))

    def answers_to(self, name: str) -> bool:
        """Whether a request for the host `name` was meant for this one.

        An address cannot be led elsewhere, and nobody can register a name without a dot.
        """
        name = name.lower()
        if _address(name) is not None or "." not in name or name.endswith(_PRIVATE):
            return True
        return any(name.endswith(n) if n.startswith(".") else name == n for n in self.names)


LOCAL = Site()
"""This machine alone, by the usual names."""


class Caller(NamedTuple):
    """Who asks: the method, the headers by their names in lower case, the peer's address, the user
    who is logged in on the page.
    """

    method: str
    headers: Mapping[str, str]
    address: str = ""
    user: str | None = None


class Gate:
    """Lets requests in.

    Args:
        api, gradio: user → password.
        sessions: token → user, of those who logged in on the page.
        site: how the webui is reached.
        policy: what strangers may do where nothing is asked, one of `POLICIES`.
        page: whether there is a page, which ``--nowebui`` leaves out.
    """

    def __init__(
        self,
        api: Mapping[str, str],
        gradio: Mapping[str, str],
        sessions: Mapping[str, str],
        site: Site = LOCAL,
        policy: Callable[[], str] = lambda: POLICIES[0],
        page: bool = True,
    ) -> None:
        self._users = [pairs for pairs in (api, gradio) if pairs]
        self._sessions = sessions if gradio else {}
        self._page_is_open = page and not gradio
        self._site = site
        self._policy = policy

    def admit(self, request: Request, *, reads: bool | None = None) -> str | None:
        """The user's name, or None where the webui is open. Raises Refused.

        Args:
            reads: whether the request changes nothing; told by its method where it is None.
        """
        client = request.client.host if request.client else ""
        caller = Caller(request.method, request.headers, client)
        self._refuse_other_sites(caller)
        if not self._users:
            safe = request.method in SAFE_METHODS
            self._refuse_strangers(caller, safe if reads is None else reads)
            return None
        user = self._by_cookie(request.cookies) or self._by_basic(request)
        if user is None:
            message = (
                "give the webui's user and password (--api-auth or --gradio-auth) as HTTP Basic"
            )
            raise Refused(401, "unauthorized", message)
        return user

    def admit_page(self, caller: Caller, *, reads: bool) -> None:
        """Let a question of the page in, whose login gradio has asked for. Raises Refused."""
        self._refuse_other_sites(caller)
        if self._page_is_open:
            self._refuse_strangers(caller, reads)

    def warning(self) -> str:
        """What the webui's owner should know of who can get in, "" for nothing."""
        if not self._site.exposed or (self._users and not self._page_is_open):
            return ""
        way = "--gradio-auth" if self._users else "--gradio-auth and --api-auth"
        return (
            "the webui listens beyond this machine and asks for no password"
            f"{' on its page' if self._users else ''}: strangers may {_ALLOWED[self._policy()]} "
            f"(Settings, Payload capture, tells what they may); start it with {way}"
        )

    # ---- credentials

    def _by_cookie(self, cookies: Mapping[str, str]) -> str | None:
        # gradio 3.41 names it access-token[-unsecure], gradio 4.40 adds the app's id.
        names = (name for name in cookies if name.startswith("access-token"))
        return next(filter(None, (self._sessions.get(cookies[n]) for n in names)), None)

    def _by_basic(self, request: Request) -> str | None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            decoded = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return None
        return next(filter(None, map(self._known, _readings(decoded))), None)

    def _known(self, decoded: str) -> str | None:
        user, _, password = decoded.partition(":")
        # All are compared, so that the time taken tells nothing.
        known = [_same(pairs.get(user), password) for pairs in self._users]
        return user if any(known) else None

    # ---- other sites

    def _refuse_other_sites(self, caller: Caller) -> None:
        """A page of another origin may not do anything with its reader's cookie or address."""
        if self._is_foreign(caller):
            origin = caller.headers.get("origin") or "another site"
            raise Refused(
                403,
                "cross_site",
                f"a page of {origin} may not do this; --cors-allow-origins names those that may",
            )

    def _is_foreign(self, caller: Caller) -> bool:
        headers = caller.headers
        origin, relation = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and self._site.welcomes(origin):
            return False
        if relation is not None:  # sent by browsers over TLS and to this machine
            return relation not in ("same-origin", "none") and not _opens_a_page(caller)
        # A proxy may have changed the host; no page can send this header to another site.
        own = (headers.get("host"), headers.get("x-forwarded-host"))
        return origin is not None and origin.partition("://")[2] not in own

    def _refuse_strangers(self, caller: Caller, reads: bool) -> None:
        """What is asked where the webui itself asks for nothing."""
        host = caller.headers.get("host", "")
        if host and not self._site.answers_to(_name_in(host)):
            raise Refused(
                403,
                "unknown_host",
                f"the webui is not known as {host!r} and asks for no password: where that is its "
                "name, add it in Settings, Payload capture, and reload the UI",
            )
        if not self._is_stranger(caller):
            return
        policy = self._policy()
        if policy == "refused" or (policy == "read-only" and not reads):
            raise Refused(
                403,
                "strangers_refused",
                f"the webui listens beyond its machine without a password, and strangers are set "
                f"to {policy}: start it with --api-auth and --gradio-auth, or change it in "
                "Settings, Payload capture",
            )

    def _is_stranger(self, caller: Caller) -> bool:
        if self._site.tunnelled:
            return True
        return self._site.beyond and not is_loopback(caller.address)


def stricter(one: str, other: str) -> str:
    """The stricter of two policies; what is none counts as the strictest."""
    ranks = [POLICIES.index(policy) if policy in POLICIES else 2 for policy in (one, other)]
    return POLICIES[max(ranks)]


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine's own."""
    address = _address(name)
    return address.is_loopback if address else name.lower() == "localhost"


def _name_in(host: str) -> str:
    """The name in a Host header; one that nothing answers to where it is malformed."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]) if found else "."


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _opens_a_page(caller: Caller) -> bool:
    """Whether somebody follows a link: the site it stands on sees nothing of what is shown."""
    headers = caller.headers
    kind = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
    return caller.method in SAFE_METHODS and kind == ("navigate", "document")


def _readings(decoded: bytes) -> list[str]:
    """User and password as text: UTF-8 (RFC 7617), or Latin-1 as `requests` sends them."""
    texts = [decoded.decode("latin-1")]
    try:
        return [decoded.decode(), *texts]
    except UnicodeDecodeError:
        return texts


def _same(known: str | None, given: str) -> bool:
    # Compared even for an unknown user, so that the time taken tells nothing.
    # A password of the command line that is no UTF-8 holds half surrogates.
    wanted = (known or "").encode("utf-8", "surrogateescape")
    equal = secrets.compare_digest(wanted, given.encode())
    return equal and known is not None
