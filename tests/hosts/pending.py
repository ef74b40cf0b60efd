"""What a page has asked its gradio and not been answered yet."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, Request, WebSocket

GRACE = 50
"""Milliseconds between the answer that names an event and the page's question for its result."""

_ASKS = re.compile(r"/(run/predict|queue/join|queue/data)/?(\?|$)")
"""gradio 3 posts an event or opens a socket for it; gradio 4 posts it and reads a stream, which it
closes when no event is left."""


class Pending:
    """Follows the events of `page` by the requests that carry them."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._open: set[Request | WebSocket] = set()
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)
        page.on("websocket", self._joined)

    def forget(self) -> None:
        """The page is loaded anew."""
        self._open.clear()

    def wait(self, timeout: float = 10) -> None:
        """Wait until the page is owed nothing, or for `timeout` seconds.

        Forge's page keeps its stream open now and then, for over half a minute, and works on. What
        was waited for in vain is not waited for again.
        """
        late = time.monotonic() + timeout
        quiet = 0
        while quiet < 2:
            if time.monotonic() > late:
                self._open.clear()
            quiet = 0 if self._open else quiet + 1
            self._page.wait_for_timeout(GRACE)

    def _asked(self, request: Request) -> None:
        if _ASKS.search(request.url):
            self._open.add(request)

    def _joined(self, socket: WebSocket) -> None:
        if _ASKS.search(socket.url):
            self._open.add(socket)
            socket.on("close", self._answered)

    def _answered(self, one: Request | WebSocket) -> None:
        self._open.discard(one)
