"""What the extension captured on a server: `WebUI.captures`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypedDict, cast
from urllib.parse import quote

from .answers import failure
from .capture import Capture, checked
from .errors import NotFound, UnexpectedAnswer

if TYPE_CHECKING:
    from .client import WebUI

ROOT = "/payload-capture/v1"
PAGE = 100


class Summary(TypedDict):
    """One row of the list; `seconds` is the duration, `size` width and height in pixels."""

    id: str
    endpoint: str
    started: str
    seconds: float
    source: str
    state: str
    user: str | None
    prompt: str
    seed: int | None
    model: str | None
    size: list[int]
    pictures: int
    warnings: int
    error: str | None
    failure: str | None


class Captures:
    """The captures of one server. Methods raise `NoExtension` where it has none to ask."""

    def __init__(self, webui: WebUI) -> None:
        self._webui = webui

    def latest(self) -> Capture:
        """The newest capture. Raises NotFound while there is none."""
        return self.get("latest")

    def get(self, id: str) -> Capture:
        """One capture, its pictures as references. Raises NotFound, FormatError."""
        return Capture.from_dict(self._object(f"/captures/{quote(id, safe='')}"))

    def list(
        self,
        limit: int | None = None,
        *,
        cursor: str | None = None,
        q: str | None = None,
        endpoint: str | None = None,
        source: str | None = None,
    ) -> Iterator[Summary]:
        """The captures, newest first, page by page as they are asked for.

        Args:
            limit: how many at most; None is all.
            cursor: where to begin, as the server named it.
            q: words that the prompt holds.
            endpoint: only those of this endpoint.
            source: only those from ``ui``, ``api`` or ``script``.
        """
        seen: set[str] = set()
        filters = {"q": q, "endpoint": endpoint, "source": source}
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            page = self._page({"limit": size, "cursor": cursor, **filters})
            yield from page["captures"][:left]  # it may hold more, those that wait to be stored
            cursor = page.get("next")
            if cursor is None or cursor in seen:
                return
            seen.add(cursor)
            left = None if left is None else left - len(page["captures"])

    def request(self, id: str = "latest") -> dict[str, Any]:
        """What to send: `method`, `endpoint` and `payload`, its pictures as base64."""
        return self._object(f"/captures/{quote(id, safe='')}/request")

    def asset(self, sha256: str) -> bytes:
        """A picture's file by its hash. Raises NotFound; AssetError if it is another file."""
        return checked(sha256, self._bytes(f"/assets/{quote(sha256, safe='')}"))

    def result(self, id: str, n: int) -> bytes:
        """The file of a capture's result number `n`, counted from 0."""
        return self._bytes(f"/captures/{quote(id, safe='')}/results/{n}")

    def delete(self, id: str) -> None:
        """Remove a capture from the server's store."""
        self._webui.call("DELETE", f"{ROOT}/captures/{quote(id, safe='')}")

    def status(self) -> dict[str, Any]:
        """Versions, counts, the store's size in bytes, the last failure, and host facts."""
        return self._object("/status")

    def _page(self, params: dict[str, Any]) -> dict[str, Any]:
        page = self._object("/captures", {k: v for k, v in params.items() if v is not None})
        if not isinstance(page.get("captures"), list):
            raise UnexpectedAnswer(f"{ROOT}/captures gave no list; compare the versions")
        return page

    def _object(self, path: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._webui.call("GET", ROOT + path, params=params)
        if not isinstance(answer, dict):
            raise UnexpectedAnswer(f"{ROOT}{path} gave a {type(answer).__name__}, not an object")
        return cast("dict[str, Any]", answer)

    def _bytes(self, path: str) -> bytes:
        reply = self._webui.send("GET", ROOT + path)
        if reply.status != 200:
            raise failure(reply, ROOT + path)
        if not reply.body:
            raise NotFound(f"{ROOT}{path} is empty")
        return reply.body
