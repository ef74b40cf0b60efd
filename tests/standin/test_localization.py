"""Translations: which files are merged, and what of the page they reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from standin_client import Client

from browsing import local_page
from webui_page import WebuiPage
from webui_standin import Process

OWN = {"txt2img": "文生图", "Sampling steps": "own", "Only here": "yes"}
BROUGHT = {
    "Sampling steps": "步数",
    "Prompt": "提示词",
    "7": "seven",
    "😀": "smile",
    "Script": "脚本",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A stand-in in Chinese: of a file of the user's and of one that an extension brings."""
    data, brought = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("chinese")
    for folder, name, text in (
        (data, "zh_CN.json", json.dumps(OWN)),
        (data, "notes.txt", "no translation"),
        (brought, "zh_CN.json", json.dumps(BROUGHT)),
        (brought, "ja_JP.json", "{not JSON"),
    ):
        (folder / "localizations").mkdir(exist_ok=True)
        (folder / "localizations" / name).write_text(text, encoding="utf-8")
    (data / "config.json").write_text('{"localization": "zh_CN"}', encoding="utf-8")
    with Process(extensions=[brought], data_dir=data) as running:
        yield running


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    with local_page(browser) as page:
        yield page


def test_files_of_a_name_are_merged_later_ones_over_earlier(host: Process, page: Page) -> None:
    webui = WebuiPage(page, host.url)
    assert page.evaluate("localization") == OWN | BROUGHT
    expect(page.locator("#tabs > .tab-nav button").first).to_have_text("文生图")
    expect(page.locator("#txt2img_steps label").first).to_contain_text("步数")
    assert webui.has("setting_localization")


def test_whole_texts_are_translated_when_they_come(host: Process, page: Page) -> None:
    WebuiPage(page, host.url)
    page.evaluate(
        """() => {
        const add = (html) => document.querySelector(".gradio-container").append(
            Object.assign(document.createElement("div"), {className: "added", innerHTML: html}));
        add("<b> Prompt </b><i>Prompt 7</i><u>7</u><s>😀</s><textarea>Prompt</textarea>");
        const box = Object.assign(document.createElement("input"), {placeholder: "Prompt"});
        document.querySelector(".added").append(box);
        const halves = document.createElement("p");
        halves.append("Prom", "pt");
        document.querySelector(".added").append(halves);
    }"""
    )
    added = page.locator(".added")
    expect(added.locator("b")).to_have_text("提示词")
    expect(added.locator("i")).to_have_text("Prompt 7")
    expect(added.locator("u")).to_have_text("7")
    expect(added.locator("s")).to_have_text("😀")
    expect(added.locator("p")).to_have_text("Prompt")
    assert added.locator("textarea").input_value() == "Prompt"
    expect(added.locator("input")).to_have_attribute("placeholder", "提示词")
    # what changes in place is left, though the page was looked at again
    page.evaluate("document.querySelector('.added i').firstChild.data = 'Prompt'")
    page.evaluate("document.querySelector('.added').append('Prompt')")
    page.wait_for_function("document.querySelector('.added').lastChild.data === '提示词'")
    expect(added.locator("i")).to_have_text("Prompt")


def test_settings_offer_what_there_is_and_none_is_english(host: Process, page: Page) -> None:
    Client(host).options(localization="None")
    host.reload_ui()
    webui = WebuiPage(page, host.url)
    assert page.evaluate("localization") == {}
    webui.open("Settings")
    webui.subtab("#settings", "User interface")
    webui.choose("setting_localization", "ja_JP")


def test_a_file_that_is_no_json_is_reported(host: Process, page: Page) -> None:
    Client(host).options(localization="ja_JP")
    host.clear_errors()
    host.reload_ui()
    (error,) = host.errors()
    assert "ja_JP.json" in json.dumps(error)
    host.clear_errors()
