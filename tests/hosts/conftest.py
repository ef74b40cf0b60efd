"""The host under test: the stand-in, or a real webui named by ``--host`` or ``--host-folder``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext

import kinds
from all_kinds import KINDS
from browsing import OURS
from fidelity import FAILED, Outcome
from payload_replay import WebUI
from real_host import RealHost
from webui_page import WebuiPage
from webui_standin import Process, current_flavour

CONFIG = '{"hires_fix_show_sampler": true, "hires_fix_show_prompts": true}'
"""Shows the hires fields; every other option stays absent, which is when webuis leak overrides."""

STYLES = 'name,prompt,negative_prompt\npainted,"{prompt}, watercolor, bright",ugly\n'
SLOW = ("--seconds-per-step", "0.05")
"""Gives a person the time to interrupt the stand-in."""


FAILURE = pytest.StashKey[str]()
"""What a test failed with, for the fixtures that are closed after it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.when == "call" and call.excinfo is not None:
        item.stash[FAILURE] = call.excinfo.exconly()
    return (yield)


@pytest.fixture(scope="module")
def host(
    request: pytest.FixtureRequest, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a running webui that has the extension."""
    if url := request.config.getoption("--host"):
        yield url.rstrip("/")
        return
    data = tmp_path_factory.mktemp("data")
    (data / "config.json").write_text(CONFIG)
    (data / "styles.csv").write_text(STYLES)
    extensions = {"sd-webui-payload-capture": repository}
    if folder := request.config.getoption("--host-folder"):
        further = (Path(path).resolve() for path in request.config.getoption("--host-extension"))
        extensions |= {path.name: path for path in further}
        flags = request.config.getoption("--host-args").split()
        with RealHost(Path(folder), extensions, flags, data_dir=data) as real:
            yield real.url
        return
    with Process(extensions=extensions, data_dir=data, flags=SLOW) as standin:
        yield standin.url
        assert standin.errors() == []


@pytest.fixture(scope="module")
def client(host: str) -> WebUI:
    return WebUI(host)


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile for all pages of a module."""
    context = browser.new_context(viewport={"width": 1400, "height": 1600})
    yield context
    context.close()


@pytest.fixture(scope="module")
def problems() -> list[str]:
    """The script errors of the pages; gradio 3.41's own pages raise some."""
    return []


@pytest.fixture(scope="module")
def open_page(profile: BrowserContext, host: str, problems: list[str]) -> Callable[[], WebuiPage]:
    def opened() -> WebuiPage:
        page = profile.new_page()
        page.on("pageerror", lambda error: problems.append(f"{error}\n{error.stack}"))
        return WebuiPage(page, host)

    return opened


@pytest.fixture(scope="module")
def opened(open_page: Callable[[], WebuiPage]) -> WebuiPage:
    """One page for all kinds: opening it takes longer than most of them."""
    return open_page()


@pytest.fixture
def webui(
    opened: WebuiPage, problems: list[str], request: pytest.FixtureRequest
) -> Iterator[WebuiPage]:
    """The page with its defaults; script errors of ours fail the test."""
    problems.clear()
    yield opened
    if FAILURE in request.node.stash:
        opened.load()
    else:
        opened.reset()
    assert not [text for text in problems if OURS in text]


@pytest.fixture(scope="module")
def models(host: str) -> kinds.Models:
    def names(path: str, key: str) -> list[str]:
        answer = requests.get(f"{host}/sdapi/v1/{path}", timeout=30)
        return [str(item[key]) for item in answer.json()] if answer.ok else []

    # Forge loads VAEs as modules, by their files.
    vaes, modules = names("sd-vae", "model_name"), names("sd-modules", "filename")
    vae = {"sd_vae": vaes[-1]} if vaes else {"forge_additional_modules": modules[-1:]}
    embeddings = requests.get(f"{host}/sdapi/v1/embeddings", timeout=30)

    options = requests.get(f"{host}/sdapi/v1/options", timeout=60).json()

    return kinds.Models(
        checkpoints=names("sd-models", "title"),
        schedulers=names("schedulers", "label"),
        names=names("sd-models", "model_name"),
        vae=vae,
        loras=names("loras", "name"),
        hypernetworks=names("hypernetworks", "name"),
        embeddings=sorted(embeddings.json()["loaded"]) if embeddings.ok else [],
        styles=names("prompt-styles", "name"),
        options=list(options),
    )


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> kinds.Files:
    return kinds.make_files(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def scene(
    webui: WebuiPage,
    host: str,
    models: kinds.Models,
    files: kinds.Files,
    open_page: Callable[[], WebuiPage],
) -> Iterator[kinds.Scene]:
    others: list[WebuiPage] = []

    def another() -> WebuiPage:
        others.append(open_page())
        return others[-1]

    yield kinds.Scene(webui, host, models, files, another)
    for page in others:
        page.page.close()


@pytest.fixture
def column(request: pytest.FixtureRequest, client: WebUI) -> str:
    """The host as the table names it."""
    if not any(request.config.getoption(name) for name in ("--host", "--host-folder")):
        return f"stand-in ({current_flavour()})"
    about = client.captures.status()["host"]
    return f"{about['webui']} {about['version']}"


@pytest.fixture
def outcome(request: pytest.FixtureRequest, column: str) -> Iterator[Outcome]:
    """What the test finds, written down where ``--fidelity`` says."""
    kind = KINDS[name := request.getfixturevalue("name")]
    outcome = Outcome(column, name, kind.group, kind.title, FAILED)
    yield outcome
    if failure := request.node.stash.get(FAILURE, None):
        outcome.say(FAILED, failure.splitlines()[0][:300])
    if path := request.config.getoption("--fidelity"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(outcome.line())
