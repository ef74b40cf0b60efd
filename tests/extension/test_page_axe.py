"""axe-core finds nothing serious in any state of the extension's places, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from browsing import local_page
from hosts.webui_page import WebuiPage

from .conftest import Host
from .page import accordion, detail, picture, rows, unfold

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}
PLACES = (".payload-capture", ".payload-capture-dialog", ".payload-capture-toasts")


@pytest.fixture(scope="module")
def kept_page(host: Host, browser: Browser) -> Iterator[WebuiPage]:
    """One page for both themes, in which nothing moves: a colour on its way to another has none."""
    with local_page(browser) as page:
        webui = WebuiPage(page, host.url)
        page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
        yield webui


def accessible(webui: WebuiPage) -> None:
    """What axe-core calls serious or critical in what the extension shows: nothing."""
    shown = [place for place in PLACES if webui.page.locator(f"{place}:visible").count()]
    assert shown
    found = []
    for dark in (False, True):  # as gradio does it
        webui.page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        context = {"include": [[place] for place in shown]}
        answer = Axe().run(webui.page, context=context, options=OPTIONS).response
        assert answer["passes"]
        found += [_told(one, dark) for one in answer["violations"] if _serious(one)]
    assert found == [], "\n".join(str(one) for one in found)


def _serious(finding: dict[str, Any]) -> bool:
    return finding["impact"] in ("serious", "critical")


def _told(finding: dict[str, Any], dark: bool) -> tuple[str, str, list[str]]:
    nodes = [f"{node['html'][:200]}: {node['failureSummary']}" for node in finding["nodes"]]
    return ("dark" if dark else "light", finding["id"], nodes)


def test_an_empty_tab(webui: WebuiPage) -> None:
    webui.open("Payloads")
    expect(webui.page.get_by_text("No captures yet")).to_be_visible()
    accessible(webui)


def test_a_capture_unfolded(webui: WebuiPage, clean: Host) -> None:
    given = {"init_images": [picture((96, 64))], "mask": picture((96, 64), "white")}
    clean.generate("img2img", prompt="a fox", denoising_strength=0.5, **given).raise_for_status()
    clean.generate(prompt="another").raise_for_status()
    webui.open("Payloads")
    rows(webui).nth(1).click()
    expect(detail(webui).get_by_text("init_images").first).to_be_visible()
    unfold(webui)
    accessible(webui)


def test_the_accordion(webui: WebuiPage) -> None:
    accordion(webui)
    accessible(webui)
