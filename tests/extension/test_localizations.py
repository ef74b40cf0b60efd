"""The page in Chinese and Japanese: our words are translated, data stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from browsing import local_page
from hosts.webui_page import WebuiPage

from .conftest import Host, Start
from .page import REDRAW, detail, fits, rows, unfold, value

AS_IN_1_6 = """
import json
from modules import localization

def localization_js(name):
    path = localization.localizations.get(name)
    text = open(path, encoding="utf-8").read() if path else "{}"
    return f"window.localization = {json.dumps(json.loads(text))}"

for name, files in localization.localizations.items():
    if not isinstance(files, str):
        localization.localizations[name] = files[-1]
        localization.localization_js = localization_js
"""
"""Of several files of a name the last, as A1111 v1.6.0 does it (``modules/localization.py``)."""


def dictionary(repository: Path, language: str) -> dict[str, str]:
    text = (repository / "localizations" / f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found


@pytest.fixture(scope="module", params=["zh_CN", "ja_JP"])
def language(request: pytest.FixtureRequest, host: Host) -> str:
    answer = host.session.post(
        f"{host.url}/sdapi/v1/options", json={"localization": request.param}, timeout=30
    )
    answer.raise_for_status()
    host.process.reload_ui()
    return str(request.param)


@pytest.fixture(scope="module")
def words(language: str, repository: Path) -> dict[str, str]:
    return dictionary(repository, language)


@pytest.fixture(scope="module")
def kept_page(language: str, host: Host, browser: Browser) -> Iterator[WebuiPage]:
    with local_page(browser) as page:
        yield WebuiPage(page, host.url)


@pytest.fixture
def webui(clean: Host, kept_page: WebuiPage, words: dict[str, str]) -> WebuiPage:
    """The tab, drawn anew."""
    kept_page.page.set_viewport_size({"width": 1280, "height": 720})
    kept_page.open(words["Payloads"])
    kept_page.page.evaluate(REDRAW)
    kept_page.page.wait_for_selector(".payload-capture[data-place=tab][data-drawn]")
    return kept_page


SPOKEN = """() => {
    const said = [];
    for (const place of document.querySelectorAll(".payload-capture")) {
        const nodes = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
        while (nodes.nextNode()) said.push(nodes.currentNode.data.trim());
        for (const one of place.querySelectorAll("*")) {
            for (const name of ["aria-label", "title", "placeholder", "alt"]) {
                said.push(one.getAttribute(name) || "");
            }
        }
    }
    return said.filter(Boolean);
}"""


def english(webui: WebuiPage, words: dict[str, str]) -> set[str]:
    """Texts of our places that have a translation and are shown in English."""
    patterns = [
        re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text)))
        for text, other in words.items()
        if text != other and re.search("[A-Za-z]{3}", re.sub(r"\{\w+\}", "", text))
    ]
    said = webui.page.evaluate(SPOKEN)
    return {text for text in said if any(one.fullmatch(text) for one in patterns)}


def test_an_empty_tab_is_in_the_language(webui: WebuiPage, words: dict[str, str]) -> None:
    expect(webui.page.get_by_text(words["No captures yet"])).to_be_visible()
    accordion = webui.page.locator("#payload_capture_txt2img_accordion .label-wrap")
    expect(accordion).to_contain_text(words["API payload"])
    assert english(webui, words) == set()


def test_a_capture_is_in_the_language_and_its_data_as_it_is(
    webui: WebuiPage, clean: Host, words: dict[str, str]
) -> None:
    clean.generate(prompt="Trash", negative_prompt="Delete").raise_for_status()
    expect(value(detail(webui), "prompt", words["Payload"])).to_have_text("Trash")
    expect(value(detail(webui), "negative_prompt", words["Payload"])).to_have_text("Delete")
    expect(rows(webui).locator(".pc-prompt")).to_have_text("Trash")
    unfold(webui)
    assert english(webui, words) == set()


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_page(webui: WebuiPage, clean: Host, width: int) -> None:
    clean.generate().raise_for_status()
    webui.page.set_viewport_size({"width": width, "height": 800})
    expect(rows(webui)).to_have_count(1)
    fits(webui)


def test_the_settings_are_in_the_language(
    webui: WebuiPage, words: dict[str, str], clean: Host
) -> None:
    for label in ("Capture generations", "Blur thumbnails"):
        expect(webui.page.locator("#settings").get_by_text(words[label], exact=True)).to_have_count(
            1
        )


def test_a_text_of_data_is_shown_as_it_is(webui: WebuiPage) -> None:
    made: list[Any] = webui.page.evaluate(
        """() => {
        window.localization = {None: "无", one: "一", "No": "不", N: "恩", "𠮷": "吉", "ab": "x"};
        const show = (text) => {
            const place = payloadCapture.make("i", {}, payloadCapture.verbatim(text));
            return [place.textContent, [...place.childNodes].map((node) => node.data)];
        };
        return ["None", " None ", "nothing", "N", "𠮷", "constructor", "", "ab"].map(show);
    }"""
    )
    texts = dict(made)
    assert texts["None"] == ["Non", "e"]
    assert texts[" None "] == [" Non", "e "]
    assert texts["nothing"] == ["nothing"]
    assert texts["N\u2060"] == ["N\u2060"]
    assert texts["𠮷\u2060"] == ["𠮷\u2060"]
    assert texts["constructor"] == ["c", "onstructor"]
    assert texts["ab"] == ["a", "b"]


def test_another_translation_stands_where_a_host_takes_one_file(
    start: Start, tmp_path: Path
) -> None:
    """Else the whole page would be English but for our words."""
    folder = tmp_path / "aaa-chinese"
    (folder / "localizations").mkdir(parents=True)
    (folder / "localizations" / "zh_CN.json").write_text('{"Steps": "步数"}', encoding="utf-8")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "as_in_1_6.py").write_text(AS_IN_1_6, encoding="utf-8")
    host = start(folders={"aaa-chinese": folder})
    chosen = {"localization": "zh_CN"}
    host.session.post(f"{host.url}/sdapi/v1/options", json=chosen, timeout=30).raise_for_status()
    host.process.reload_ui()
    found = re.search(r"window\.localization = (\{.*?\})<", host.session.get(host.url).text)
    assert found is not None
    assert json.loads(found[1]) == {"Steps": "步数"}
    assert host.process.errors() == []
