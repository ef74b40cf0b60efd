"""The host under test: the stand-in, or a real webui named by ``--host`` or ``--host-folder``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, Route

import kinds
from real_host import RealHost
from webui_standin import Process

LOOPBACK = ("127.0.0.1", "localhost")
CONFIG = '{"hires_fix_show_sampler": true, "hires_fix_show_prompts": true}'
"""Shows the hires fields; every other option stays absent, which is when webuis leak overrides."""

STYLES = 'name,prompt,negative_prompt\npainted,"{prompt}, watercolor, bright",ugly\n'


def is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or parts.hostname in LOOPBACK


def abort(route: Route) -> None:
    route.abort()


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
        flags = request.config.getoption("--host-args").split()
        with RealHost(Path(folder), data, extensions, flags) as real:
            yield real.url
        return
    with Process(extensions=extensions, data_dir=data) as standin:
        yield standin.url
        assert standin.errors() == []


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on script errors of ours; gradio 3.41's own pages raise some."""
    context = browser.new_context(viewport={"width": 1400, "height": 1600})
    context.route(lambda url: not is_local(url), abort)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{error}\n{error.stack}"))
    yield page
    context.close()
    assert not [text for text in problems if "payload_capture" in text]


@pytest.fixture(scope="module")
def models(host: str) -> kinds.Models:
    def names(path: str, key: str) -> list[str]:
        answer = requests.get(f"{host}/sdapi/v1/{path}", timeout=30)
        return [str(item[key]) for item in answer.json()] if answer.ok else []

    # Forge loads VAEs as modules, by their files.
    vaes, modules = names("sd-vae", "model_name"), names("sd-modules", "filename")
    vae = {"sd_vae": vaes[-1]} if vaes else {"forge_additional_modules": modules[-1:]}

    return kinds.Models(
        checkpoints=names("sd-models", "title"),
        names=names("sd-models", "model_name"),
        vae=vae,
        loras=names("loras", "name"),
        styles=[name for name in names("prompt-styles", "name") if name != "None"],
    )


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pictures")
    return kinds.init_picture(folder / "init.png"), kinds.mask_picture(folder / "mask.png")
