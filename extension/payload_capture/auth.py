"""The webui's own credentials, demanded on every route.

``--api-auth`` protects only the routes that the webui's Api class adds and ``--gradio-auth`` no
FastAPI route at all, so an extension's routes are open unless it protects them itself. Here a
request is let in with HTTP Basic of either option's users, or with the login cookie that gradio
gave the page's user; where the webui asks for nothing, nothing is asked.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


class Refused(Exception):
    """The request is not let in: `status` 401 without, 403 with credentials."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Gate:
    """Lets requests in. `api` and `gradio` are user → password, `sessions` token → user."""

    def __init__(
        self, api: Mapping[str, str], gradio: Mapping[str, str], sessions: Mapping[str, str]
    ) -> None:
        self._users = [pairs for pairs in (api, gradio) if pairs]
        self._sessions = sessions if gradio else {}

    def admit(self, request: Request) -> str | None:
        """The user's name, or None where the webui is open. Raises Refused."""
        self._refuse_other_sites(request)
        if not self._users:
            return None
        user = self._by_cookie(request) or self._by_basic(request)
        if user is None:
            message = (
                "give the webui's user and password (--api-auth or --gradio-auth) as HTTP Basic"
            )
            raise Refused(401, "unauthorized", message)
        return user

    def _by_cookie(self, request: Request) -> str | None:
        # gradio 3.41 names it access-token[-unsecure], gradio 4.40 adds the app's id.
        names = (name for name in request.cookies if name.startswith("access-token"))
        return next(filter(None, (self._sessions.get(request.cookies[n]) for n in names)), None)

    def _by_basic(self, request: Request) -> str | None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        user, _, password = decoded.partition(":")
        known = any(_same(pairs.get(user), password) for pairs in self._users)
        return user if known else None

    def _refuse_other_sites(self, request: Request) -> None:
        """A page of another origin may not change anything with the user's cookie."""
        if request.method in SAFE_METHODS:
            return
        origin = request.headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if foreign or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise Refused(
                403, "cross_site", f"a page of {origin or 'another site'} may not do this"
            )


def _same(known: str | None, given: str) -> bool:
    # Compared even for an unknown user, so that the time taken tells nothing.
    equal = secrets.compare_digest((known or "").encode(), given.encode())
    return equal and known is not None
