"""What every test may use: the flavour it runs in, the checkout, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import browsing
import environment
from browsing import CHROMIUM_FLAGS, local_page
from webui_standin.flavour import current_stack


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which host `tests/hosts` runs against; the stand-in where none is named.

    What starts a host of its own in `tests/extension` takes `--host-folder` as well.
    """
    group = parser.getgroup("hosts")
    group.addoption("--host", metavar="URL", help="a running webui that has the extension")
    group.addoption("--host-folder", metavar="DIR", help="a webui checkout with its own venv")
    group.addoption("--host-args", metavar="FLAGS", default="", help="its command line flags")
    group.addoption(
        "--host-extension",
        metavar="DIR",
        action="append",
        default=[],
        help="a further extension that the checkout gets; may be given several times",
    )
    group.addoption("--fidelity", metavar="FILE", help="add what came back to this file")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--host-folder"):
        browsing.blamed = browsing.OURS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests `only` for the other flavour, whose run has them, and those that take
    long where nobody asked for them.
    """
    here = current_stack()
    marks = [(item, item.get_closest_marker("only")) for item in items]
    left_out = [item for item, mark in marks if mark is not None and here not in mark.args]
    if "soak" not in config.getoption("-m"):
        left_out += [item for item in items if item.get_closest_marker("soak")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def flavour() -> str:
    """`a1111` or `forge`: told by the gradio that is installed."""
    return current_stack()


@pytest.fixture(scope="session")
def repository() -> Path:
    return environment.ROOT


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, which reaches this machine only; a machine without one fails the test, since a skip
    would hide what isn't tested.
    """
    path = environment.ensure_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_FLAGS])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own profile; its script errors fail the test."""
    with local_page(browser) as page:
        yield page
