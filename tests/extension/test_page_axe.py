"""axe-core finds nothing serious in any state of the extension's places, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, expect

from browsing import local_page
from hosts.webui_page import WebuiPage
from payload_capture.exports import FORMATS

from .conftest import Host, Start
from .hostile import hostile, put
from .page import accordion, detail, drawn, picture, rows, unfold

LABELLED = """
import gradio as gr
from modules import scripts
class Labelled(scripts.Script):
    def title(self): return "Labelled"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img):
        return [gr.Checkbox(label="Enable"), gr.Slider(0, 1, 0.5, label="Strength"),
                gr.Textbox(label="Words"), gr.JSON(label="Points", visible=False)]
    def process(self, p, *args):
        if p.prompt == "fails": p.width = "wide"
"""

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],  # of others one is told, which takes less time
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
    if finding["id"] == "label-content-name-mismatch":
        # An item of a tree holds the items below it, and is named by itself.
        nodes = finding["nodes"]
        finding["nodes"] = [node for node in nodes if 'role="treeitem"' not in node["html"]]
    return bool(finding["nodes"]) and finding["impact"] in ("serious", "critical")


def _told(finding: dict[str, Any], dark: bool) -> tuple[str, str, list[str]]:
    nodes = [f"{node['html'][:120]}: {node['failureSummary']}" for node in finding["nodes"]]
    return ("dark" if dark else "light", finding["id"], nodes)


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    host = start(neighbours={"labelled": LABELLED})
    yield host
    assert host.process.errors() == []
    host.process.stop()


@pytest.fixture
def painted(webui: WebuiPage, clean: Host) -> WebuiPage:
    """The tab with captures of all kinds; the newest has all that a capture can have."""
    clean.generate(prompt="fails")
    clean.generate(prompt="another", seed=5).raise_for_status()
    images = {"init_images": [picture((96, 64))], "mask": picture((96, 64), "white")}
    args = {"labelled": {"args": [True, 0.25, "a text", [1, 2]]}}
    whole = images | {"denoising_strength": 0.5, "batch_size": 2, "alwayson_scripts": args}
    clean.generate("img2img", prompt="a long prompt " * 80, **whole).raise_for_status()
    put(clean, hostile("plain", "a plain text"))
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(4)
    return webui


def press(webui: WebuiPage, name: str) -> None:
    webui.page.get_by_role("button", name=name, exact=True).first.click()


def newest(webui: WebuiPage, number: int = 0) -> None:
    rows(webui).nth(number).click()
    expect(rows(webui).nth(number)).to_have_attribute("aria-current", "true")
    drawn(webui)


def test_an_empty_tab(webui: WebuiPage) -> None:
    webui.open("Payloads")
    expect(webui.page.get_by_text("No captures yet")).to_be_visible()
    accessible(webui)


@pytest.mark.parametrize("number", range(4), ids=["hostile", "whole", "plain", "failed"])
def test_captures_unfolded(painted: WebuiPage, number: int) -> None:
    newest(painted, number)
    unfold(painted)
    accessible(painted)
    painted.page.set_viewport_size({"width": 360, "height": 800})
    accessible(painted)


def test_cards_and_the_selection(painted: WebuiPage) -> None:
    rows(painted).first.focus()
    painted.page.keyboard.press("Control+a")
    expect(painted.page.get_by_role("toolbar", name="Chosen captures")).to_be_visible()
    accessible(painted)
    press(painted, "Cards")
    accessible(painted)


def test_filters_in_use_and_nothing_found(painted: WebuiPage) -> None:
    press(painted, "Filters")
    painted.page.get_by_label("Kind", exact=True).select_option("txt2img")
    expect(painted.page.get_by_role("group", name="Filters in use")).to_be_visible()
    accessible(painted)
    painted.page.get_by_role("searchbox", name="Search prompts").fill("zebra")
    expect(painted.page.get_by_text("Nothing found")).to_be_visible()
    accessible(painted)


def test_the_trash_and_toasts(painted: WebuiPage) -> None:
    newest(painted)
    detail(painted).get_by_role("button", name="Delete").click()
    expect(painted.page.locator(".pc-toast")).to_be_visible()
    painted.page.evaluate("payloadCapture.toast('It did not work: no reason', {bad: true})")
    accessible(painted)
    press(painted, "Trash")
    expect(painted.page.get_by_text("The trash:")).to_be_visible()
    expect(rows(painted)).to_have_count(1)
    accessible(painted)


def test_editing(painted: WebuiPage) -> None:
    newest(painted)
    press(painted, "Edit title, note and tags")
    expect(detail(painted).locator("form")).to_be_visible()
    accessible(painted)


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_to_take_along(painted: WebuiPage, form: str) -> None:
    newest(painted, 1)
    tab = detail(painted).locator(f"[role=tab][id$=take_{form}]")
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(detail(painted).locator(".pc-code")).not_to_have_class(re.compile("pc-stale"))
    accessible(painted)


def test_the_search_in_the_payload(painted: WebuiPage) -> None:
    newest(painted, 1)
    detail(painted).get_by_role("searchbox", name="Search in the payload").fill("prompt")
    expect(detail(painted).locator(".pc-found")).to_contain_text("1 of")
    accessible(painted)


def dialog(webui: WebuiPage) -> Locator:
    shown = webui.page.get_by_role("dialog")
    expect(shown).to_be_visible()
    return shown


def test_the_dialog_of_a_picture(painted: WebuiPage) -> None:
    newest(painted, 1)
    detail(painted).locator(".pc-stage button").first.click()
    expect(dialog(painted).get_by_role("button", name="Download the picture")).to_be_visible()
    accessible(painted)


def test_the_dialog_of_keys(painted: WebuiPage) -> None:
    press(painted, "? The keys")
    dialog(painted)
    accessible(painted)


def test_the_dialog_that_compares(painted: WebuiPage) -> None:
    newest(painted, 1)
    press(painted, "Compare with…")
    expect(dialog(painted).locator(".pc-diff").first).to_be_visible()
    accessible(painted)


def test_a_replay_and_the_dialog_of_several(painted: WebuiPage) -> None:
    newest(painted, 2)
    section = detail(painted).get_by_role("region", name="Replay & verify")
    section.get_by_role("button", name="Replay & verify").click()
    expect(section.locator(".pc-proof-said .pc-verdict")).to_have_text("identical")
    accessible(painted)
    section.get_by_role("button", name="Difference").first.click()
    expect(section).to_contain_text("No pixel differs.")
    accessible(painted)
    painted.page.keyboard.press("Control+a")
    bar = painted.page.get_by_role("toolbar", name="Chosen captures")
    bar.get_by_role("button", name="Replay & verify").click()
    expect(dialog(painted).get_by_role("status").last).to_contain_text(
        re.compile(r"(\d) of \1 done")
    )
    accessible(painted)


def test_the_accordion(webui: WebuiPage) -> None:
    place = accordion(webui)
    accessible(webui)
    place.get_by_role("button", name="What would be sent").click()
    expect(place.get_by_role("tree")).to_be_visible()
    unfold(webui)
    accessible(webui)
