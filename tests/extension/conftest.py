"""The extension in a running stand-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from browsing import local_page
from hosts.webui_page import WebuiPage
from payload_capture.store import Store
from postgres import Postgres
from real_host import RealHost
from webui_standin import Process

from .page import detail, renew, several, shown, value

PREFIX = "/payload-capture/v1"
SMALL = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1}
UNCHOSEN = """
from modules import script_callbacks, shared
def forget(*_):
    shared.opts.data["sd_model_checkpoint"] = None
script_callbacks.on_app_started(forget)
"""
"""The settings name no checkpoint until somebody chooses one, as in reForge 3b56b268."""


def _with_text(answer: requests.Response, **_: Any) -> None:
    """Let `raise_for_status` say what a failed answer said."""
    if answer.status_code == 500:
        answer.reason = f"{answer.reason}: {answer.text[:500]}"


class Host:
    """A stand-in with the extension, and the few requests that tests send it."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = process.url
        self.session = requests.Session()
        self.session.hooks["response"].append(_with_text)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + PREFIX + path, timeout=30, **options)

    def json(self, path: str, **params: Any) -> Any:
        answer = self.get(path, params=params)
        assert answer.ok, answer.text
        return answer.json()

    def generate(self, endpoint: str = "txt2img", **payload: Any) -> requests.Response:
        url = f"{self.url}/sdapi/v1/{endpoint}"
        answer = self.session.post(url, json=SMALL | payload, timeout=60)
        if not answer.ok:  # Forge's server ends the connection after it
            self.session.close()
        return answer

    def latest(self) -> dict[str, Any]:
        made: dict[str, Any] = self.json("/captures/latest")
        return made

    def pretend(self, **payload: Any) -> None:
        """A capture of what a real webui would compute for minutes."""
        self.generate().raise_for_status()
        document = self.latest()
        document["payload"] |= payload
        where = f"{self.url}{PREFIX}/captures"
        given = f"{where}/{document['id']}"
        self.session.delete(given, params={"forever": 1}, timeout=30).raise_for_status()
        self.session.post(where, json=document, timeout=30).raise_for_status()


Start = Callable[..., Host]


@pytest.fixture(scope="module")
def start(
    request: pytest.FixtureRequest, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Start a host of the test's own; it ends with the module, lest they pile up in memory.

    It is a stand-in, or the real webui that `--host-folder` names, whose steps take what they take.
    """
    checkout = request.config.getoption("--host-folder")
    real = request.config.getoption("--host-args").split()
    running: list[Process] = []

    def begin(
        *flags: str,
        neighbours: dict[str, str] | None = None,
        folders: dict[str, Path] | None = None,
        seconds_per_step: float = 0,
        **given: Any,
    ) -> Host:
        extensions = {"sd-webui-payload-capture": repository, **(folders or {})}
        for name, script in (neighbours or {}).items():
            folder = tmp_path_factory.mktemp(name)
            (folder / "scripts").mkdir()
            (folder / "scripts" / f"{name}.py").write_text(script)
            extensions[name] = folder
        pace = ("--seconds-per-step", str(seconds_per_step)) if seconds_per_step else ()
        process = (
            RealHost(Path(checkout), extensions, (*real, *flags), **given)
            if checkout
            else Process(extensions=extensions, flags=(*flags, *pace), **given)
        )
        running.append(process)
        return Host(process.start())

    yield begin
    for process in running:
        process.stop()


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    """One stand-in for a module; it must not have swallowed an exception in the end."""
    host = start()
    yield host
    assert host.process.errors() == []
    host.process.stop()


def wait(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What `condition` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (made := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return made


# The page


@pytest.fixture
def clean(host: Host) -> Host:
    """The module's stand-in without any capture."""
    for trashed in (True, False):
        for row in host.json("/captures", limit=500, trashed=trashed)["captures"]:
            where = f"{host.url}{PREFIX}/captures/{row['id']}"
            host.session.delete(where, params={"forever": 1}).raise_for_status()
    return host


@pytest.fixture(scope="module")
def kept_page(host: Host, browser: Browser) -> Iterator[WebuiPage]:
    """One page for a module."""
    with local_page(browser) as page:
        yield WebuiPage(page, host.url)


@pytest.fixture
def webui(clean: Host, kept_page: WebuiPage) -> WebuiPage:
    """The module's page, drawn anew."""
    renew(kept_page)
    return kept_page


@pytest.fixture
def fresh(clean: Host, page: Page) -> WebuiPage:
    """A page of the test's own, on which nothing was generated yet."""
    return WebuiPage(page, clean.url)


@pytest.fixture
def three(webui: WebuiPage, clean: Host) -> WebuiPage:
    """The tab with three captures, of which the newest is shown."""
    several(clean, "one", "two", "three")
    webui.open("Payloads")
    expect(shown(webui)).to_have_text(["three", "two", "one"])
    expect(value(detail(webui), "prompt")).to_have_text("three")
    return webui


# The store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of the test's own, on SQLite."""
    store = Store(tmp_path / "data")
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; each makes its own database."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of the test's own, on each kind of database in turn."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").database()
    store = Store(tmp_path / "data", url)
    yield store
    store.close()
