"""Pages of a real browser that reach this machine only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, Page

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Not by Playwright's `route`, under which pages do without the browser's cache.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE ::1",
)
OURS = "sd-webui-payload-capture/"

blamed = ""
"""Part of the address of each script whose errors fail a test: any, or `OURS` on a real host, whose
own page raises some."""


@contextlib.contextmanager
def local_page(browser: Browser) -> Iterator[Page]:
    """A page of its own profile.

    Raises AssertionError at its end for errors of its scripts.
    """
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{error}\n{error.stack}"))
    yield page
    context.close()
    problems = [problem for problem in problems if blamed in problem]
    assert not problems, "the page raised script errors:\n" + "\n".join(problems)
