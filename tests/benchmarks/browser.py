"""The browser of the benchmarks that measure the page."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(ROOT / folder) for folder in ("extension", "companion", "companion/src", "tests")
]

import environment  # noqa: E402
from browsing import CHROMIUM_FLAGS  # noqa: E402

EXTENSION = {"sd-webui-payload-capture": ROOT}


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium, as the tests have it."""
    with sync_playwright() as playwright:
        chromium = environment.ensure_chromium()
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS])
        yield browser
        browser.close()
