"""Captures whose every field holds what hurts a careless page: shown as it is, and nothing else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from hosts.webui_page import WebuiPage
from payload_capture.exports import FORMATS
from stored import make

from .conftest import PREFIX, Host
from .hostile import hostile, put
from .page import accordion, detail, fits, generate, rows, unfold, value

TEXTS = {
    "html": '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script><b>bold</b>',
    "quotes": "\" autofocus onfocus='window.hurt=1' x=\"`'\\",
    "directions": "\u202emirrored\u2066 \u200fمرحبا\u200e \u2069 end",
    "emoji": "🐈‍⬛ 👩🏽‍🚀 \u0301\u0301\u0301 e\u0301 \ufeff",
    "nulls": "before\x00after \x1b[31m \r\n\t \x7f",
    "templates": "${window.hurt=1} {{7*7}} {reason} {count} %s $1 $& %{x} <%= 1 %>",
    "endless": "W" * 3000,
    "names": "../../etc/passwd; rm -rf ~ && constructor __proto__",
}
FOREIGN = """() => {
    const places = ".payload-capture, .payload-capture-dialog, .payload-capture-toasts";
    const within = (place) => [...place.querySelectorAll("*")];
    const ours = [...document.querySelectorAll(places)].flatMap(within);
    const tags = /^(script|iframe|object|embed|link|style|svg|base)$/i;
    const wrong = (one) => tags.test(one.tagName)
        || [...one.attributes].some((attribute) => attribute.name.startsWith("on"))
        || (one.src && !/^(data:image|blob:)/.test(one.src))
        || (one.tagName === "B" && one.textContent === "bold");
    return ours.filter(wrong).map((one) => one.outerHTML.slice(0, 200));
}"""


def edit(host: Host, identity: str, text: str) -> None:
    where = f"{host.url}{PREFIX}/captures/{identity}"
    answer = host.session.patch(
        where, json={"title": text[:500], "note": text, "tags": [text[:100]]}
    )
    assert answer.status_code == 200, answer.text


def harmless(webui: WebuiPage) -> None:
    """No script ran, no element came of a text, at any width."""
    for width in (1400, 800, 360):
        webui.page.set_viewport_size({"width": width, "height": 900})
        fits(webui)
    assert webui.page.evaluate("window.hurt") is None
    assert webui.page.evaluate(FOREIGN) == []


def exactly(shown: Locator, text: str) -> None:
    """The text stands there to the letter, cut where the page cuts."""
    expect(shown.first).to_be_visible()
    found = shown.first.evaluate("one => one.textContent").rstrip("…")
    assert text.startswith(found)
    assert len(found) >= min(len(text), 60)


@pytest.fixture(params=TEXTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def text(name: str, webui: WebuiPage, clean: Host) -> str:
    """One of the texts, in the tab with two captures that hold nothing else."""
    made = TEXTS[name]
    put(clean, hostile(name, made, state="failed"), hostile(name, made))
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(2)
    return made


def test_a_capture_shows_each_text_as_it_is(webui: WebuiPage, text: str) -> None:
    for number in range(2):
        rows(webui).nth(number).click()
        exactly(value(detail(webui), "prompt"), text)
        unfold(webui)
        exactly(value(detail(webui), "sampler_name"), text)
        harmless(webui)


def test_the_gallery_shows_titles_notes_and_tags(webui: WebuiPage, clean: Host, text: str) -> None:
    for row in clean.json("/captures")["captures"]:
        edit(clean, row["id"], text)
    kept = clean.json("/captures")["captures"][0]["title"]  # without what no database takes
    exactly(rows(webui).first.locator(".pc-prompt"), kept)
    webui.page.get_by_role("button", name="Filters").click()
    rows(webui).first.focus()
    webui.page.keyboard.press("Control+a")
    harmless(webui)
    webui.page.get_by_role("button", name="Cards", exact=True).click()
    harmless(webui)


def test_what_is_taken_along_is_text(webui: WebuiPage, text: str) -> None:
    rows(webui).nth(1).click()
    tabs = detail(webui).locator("[role=tab]")
    expect(tabs).to_have_count(len(FORMATS))
    for number in range(tabs.count()):
        tabs.nth(number).click()
        expect(tabs.nth(number)).to_have_attribute("aria-selected", "true")
        expect(detail(webui).locator(".pc-code")).not_to_have_class(re.compile("pc-stale"))
    harmless(webui)


def test_a_comparison_is_text(webui: WebuiPage, clean: Host, text: str) -> None:
    put(clean, hostile("other", f"{text} other"))
    expect(rows(webui)).to_have_count(3)
    rows(webui).first.click()
    detail(webui).get_by_role("button", name="Compare with…").click()
    dialog = webui.page.get_by_role("dialog")
    expect(dialog.locator(".pc-diff").first).to_be_visible()
    harmless(webui)
    webui.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_messages_are_text(webui: WebuiPage, text: str) -> None:
    webui.page.evaluate("text => payloadCapture.toast(text, {bad: true})", text)
    exactly(webui.page.locator(".pc-toast [dir=auto]"), text)
    harmless(webui)


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "nulls"])
def test_the_accordion_shows_a_prompt_as_it_is(webui: WebuiPage, name: str) -> None:
    """Whatever can be written into a field of the page."""
    place = accordion(webui)
    generate(webui, TEXTS[name])
    exactly(value(place, "prompt"), TEXTS[name])
    unfold(webui)
    harmless(webui)


def test_a_prompt_of_a_megabyte(webui: WebuiPage, clean: Host) -> None:
    text = "a long <b>prompt</b> " * 50_000
    put(clean, make(1, text, negative_prompt=text))
    webui.open("Payloads")
    exactly(value(detail(webui), "prompt"), text)
    unfold(webui)
    harmless(webui)


def test_a_files_name_is_text(webui: WebuiPage) -> None:
    webui.open("Payloads")
    for name in ("html", "quotes", "directions", "templates"):
        file: FilePayload = {"name": TEXTS[name], "mimeType": "text/plain", "buffer": b"no capture"}
        with webui.page.expect_file_chooser() as chooser:
            webui.page.get_by_role("button", name="Import", exact=True).click()
        chooser.value.set_files([file])
        expect(webui.page.locator(".pc-toast.pc-bad").last).to_contain_text("Not imported")
        harmless(webui)
