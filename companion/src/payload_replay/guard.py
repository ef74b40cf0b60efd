"""Whether a request may be that of another site's page in a browser on this machine.

Such a page can send requests to 127.0.0.1, if not read the answers. By a name of its own which it
lets point there (DNS rebinding) it can read them as well, and its requests look like our own but
for their ``Host``.
"""

from __future__ import annotations

import ipaddress
from typing import Protocol
from urllib.parse import urlsplit

_OWN = ("same-origin", "none")  # none is a person's: an address that was typed
_SHOWN = 100


class Headers(Protocol):
    """A request's, by names in any case, as `http.server` has them."""

    def get(self, name: str, /) -> str | None: ...


def rebound(headers: Headers, bound: str) -> str:
    """Why a request is for a name that is not ours; "" where it is ours, or an address in figures.

    Args:
        bound: the name or address that the server was told to listen on.
    """
    host = headers.get("Host")
    if host is None or _ours(_name(host), bound):
        return ""
    return (
        f"requests for the host {host[:_SHOWN]!r} are not answered, for a page of another site "
        "could send them: ask for localhost or an IP address, or listen on that name with --host"
    )


def foreign(headers: Headers) -> str:
    """Why a request is that of another site's page; "" where it is not.

    Browsers send ``Origin`` with what may change something, ``Sec-Fetch-Site`` with everything.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if origin is not None and origin != f"http://{headers.get('Host')}":
        return f"requests of pages at {origin[:_SHOWN]} are not answered while recording"
    if site is not None and site not in _OWN:
        return f"requests of other sites' pages ({site[:_SHOWN]}) are not answered while recording"
    return ""


def loopback(address: str) -> bool:
    """Whether only this machine reaches a server that listens on this address."""
    return ipaddress.ip_address(address).is_loopback


def _name(host: str) -> str:
    """A host without its port, in lower case; "" where it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _ours(name: str, bound: str) -> bool:
    return bool(name) and (_local(name) or _figures(name) or name == bound.lower().rstrip("."))


def _local(name: str) -> bool:
    """Names that browsers themselves take for this machine."""
    return name.lower() == "localhost" or name.lower().endswith(".localhost")


def _figures(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
