"""Pages of a real browser that reach this machine only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOCAL_SCHEMES = ("about", "blob", "data")
OURS = "sd-webui-payload-capture/"

blamed = ""
"""Part of the address of each script whose errors fail a test: any, or `OURS` on a real host, whose
own page raises some."""


@contextlib.contextmanager
def local_page(browser: Browser) -> Iterator[Page]:
    """A page of its own profile that reaches this machine only.

    Raises AssertionError at its end for errors of its scripts.
    """
    context = browser.new_context(accept_downloads=True)
    context.route(lambda url: not is_local(url), abort)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{error}\n{error.stack}"))
    yield page
    context.close()
    problems = [problem for problem in problems if blamed in problem]
    assert not problems, "the page raised script errors:\n" + "\n".join(problems)


def is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in LOOPBACK


def abort(route: Route) -> None:
    route.abort()
