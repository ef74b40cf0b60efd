"""Finding captures in the tab: the gallery, its filters, keys and selection, and live arrival."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browsing import local_page
from hosts.webui_page import WebuiPage
from stored import STARTED, make, picture

from .conftest import PREFIX, Host, Start
from .page import (
    current,
    detail,
    fill,
    keys,
    pasted,
    press,
    prompts,
    rows,
    several,
    shown,
    value,
)

CALLS = """() => {
    window.called = [];
    for (const name of ["compare", "prove"]) {
        payloadCapture[name] = (channel, ...given) => window.called.push([name, ...given]);
    }
}"""
"""What other files do with captures is theirs: here it counts that they are asked."""


def chosen(webui: WebuiPage) -> Locator:
    return webui.page.locator(".pc-chosen .pc-prompt")


def bar(webui: WebuiPage) -> Locator:
    return webui.page.get_by_role("toolbar", name="Chosen captures")


# ---- the gallery


def test_the_gallery_is_endless_and_only_what_is_seen_is_on_the_page(
    webui: WebuiPage, clean: Host
) -> None:
    fill(clean, *(make(number, f"number {number}") for number in range(250)))
    webui.open("Payloads")
    expect(shown(webui).first).to_have_text("number 249")
    left = webui.page.locator(".pc-left")
    webui.page.wait_for_function(
        """() => {
            const left = document.querySelector(".pc-left");
            left.scrollTop = left.scrollHeight;
            return [...left.querySelectorAll(".pc-prompt")].pop().textContent === "number 0";
        }"""
    )
    assert rows(webui).count() < 30
    expect(webui.page.locator(".pc-item").last).to_have_attribute("aria-setsize", "250")
    left.evaluate("element => element.scrollTop = 0")
    expect(shown(webui).first).to_have_text("number 249")


def test_cards_fill_the_page_and_open_beside_the_list(three: WebuiPage) -> None:
    press(three, "Cards")
    expect(detail(three)).to_be_hidden()
    boxes = [card.bounding_box() for card in three.page.locator(".pc-card").all()]
    assert len({box["y"] for box in boxes if box}) == 1
    expect(rows(three).locator("img[src^='data:image/']")).to_have_count(3)
    rows(three).nth(2).click()
    expect(value(detail(three), "prompt")).to_have_text("one")
    expect(three.page.locator(".pc-card")).to_have_count(0)
    press(three, "Cards")
    keys(three, "ArrowLeft", "Enter")
    expect(value(detail(three), "prompt")).to_have_text("two")
    expect(detail(three)).to_be_focused()


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_page(webui: WebuiPage, clean: Host, width: int) -> None:
    several(clean, "x" * 400, "a fox")
    webui.page.set_viewport_size({"width": width, "height": 900})
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(2)
    press(webui, "Filters")
    keys(webui, "Control+a")
    for shape in ("Cards", "List"):
        assert webui.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        press(webui, shape)


# ---- search and filters


def test_the_search_finds_words_in_all_captures(webui: WebuiPage, clean: Host) -> None:
    words = ("a zebra" if number == 3 else "" for number in range(150))
    fill(clean, *(make(number, text) for number, text in enumerate(words)))
    webui.open("Payloads")
    expect(shown(webui).first).to_have_text("cat 149")
    keys(webui, "/")
    webui.page.keyboard.type("ZEB")
    expect(shown(webui)).to_have_text(["a zebra"])
    webui.page.keyboard.type("u")
    expect(webui.page.get_by_text("Nothing found")).to_be_visible()


@pytest.fixture
def various(webui: WebuiPage, clean: Host) -> WebuiPage:
    fill(
        clean,
        make(1, "a red fox", job={"source": "ui"}),
        make(2, "a blue whale", init=picture(99)),
        make(3, "a red whale", job={"started": "2026-11-10T12:00:00.000+00:00"}),
    )
    url = f"{clean.url}{PREFIX}/captures/c1"
    clean.session.patch(url, json={"starred": True, "tags": ["liked"]}).raise_for_status()
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(3)
    press(webui, "Filters")
    expect(webui.page.get_by_label("Model").locator("option")).to_have_count(2)
    return webui


DAY = STARTED[:10]


@pytest.mark.parametrize(
    ("label", "chosen", "chip", "found"),
    [
        ("Kind", "img2img", "img2img", ["a blue whale"]),
        ("Source", "ui", "the page", ["a red fox"]),
        ("Tag", "liked", "#liked", ["a red fox"]),
        (
            "Model",
            "alpha.safetensors [12ab]",
            "alpha",
            ["a red whale", "a blue whale", "a red fox"],
        ),
        ("Starred only", True, "Starred", ["a red fox"]),
        ("From", DAY, f"from {DAY}", ["a blue whale", "a red fox"]),
        ("To", "2026-11-10", "to 2026-11-10", ["a red whale"]),
    ],
)
def test_filters_are_chips_that_can_be_removed(
    various: WebuiPage, label: str, chosen: str | bool, chip: str, found: list[str]
) -> None:
    field = various.page.locator(".pc-filters").get_by_label(label, exact=True)
    if chosen is True:
        field.check()
    elif label in ("From", "To"):
        field.fill(str(chosen))
    else:
        field.select_option(str(chosen))
    expect(shown(various)).to_have_text(found)
    chips = various.page.get_by_role("group", name="Filters in use").get_by_role("button")
    expect(chips).to_have_count(1)
    expect(chips).to_contain_text(chip)
    chips.click()
    expect(rows(various)).to_have_count(3)
    expect(chips).to_have_count(0)


def test_filters_are_remembered_in_this_page_alone(various: WebuiPage, browser: Browser) -> None:
    various.page.get_by_label("Starred only").check()
    various.page.get_by_role("searchbox", name="Search prompts").fill("fox")
    expect(shown(various)).to_have_text(["a red fox"])
    various.open("txt2img")
    various.open("Payloads")
    expect(shown(various)).to_have_text(["a red fox"])
    various.load()
    various.open("Payloads")
    expect(shown(various)).to_have_text(["a red fox"])
    expect(various.page.get_by_role("searchbox", name="Search prompts")).to_have_value("fox")
    with local_page(browser) as page:
        other = WebuiPage(page, various.url)
        other.open("Payloads")
        expect(rows(other)).to_have_count(3)


def test_nothing_found_offers_to_clear(various: WebuiPage) -> None:
    various.page.get_by_role("searchbox", name="Search prompts").fill("zebra")
    expect(various.page.get_by_text("Nothing found")).to_be_visible()
    expect(rows(various)).to_have_count(0)
    press(various, "Clear the search and the filters")
    expect(rows(various)).to_have_count(3)
    expect(various.page.get_by_role("searchbox", name="Search prompts")).to_have_value("")


def test_mine_and_everybody_where_the_webui_has_users(
    start: Start, page: Page, various: WebuiPage
) -> None:
    expect(various.page.get_by_label("Whose")).to_be_hidden()
    host = start("--gradio-auth", "ann:secret,bob:secret")
    host.session.auth = ("ann", "secret")
    fill(host, make(1, "hers", job={"user": "ann"}), make(2, "his", job={"user": "bob"}))
    page.request.post(f"{host.url}/login", form={"username": "ann", "password": "secret"})
    webui = WebuiPage(page, host.url)
    webui.open("Payloads")
    expect(shown(webui)).to_have_text(["his", "hers"])
    press(webui, "Filters")
    webui.page.get_by_label("Whose").select_option("Mine")
    expect(shown(webui)).to_have_text(["hers"])
    host.process.stop()


# ---- star, title, note, tags


def test_the_star_is_set_in_the_row_and_in_the_detail(three: WebuiPage, clean: Host) -> None:
    star = three.page.get_by_role("button", name="Star three", exact=True)
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    there = detail(three).get_by_role("button", name="Star", exact=True)
    expect(there).to_have_attribute("aria-pressed", "true")
    assert prompts(clean, starred=True) == ["three"]
    there.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    assert prompts(clean, starred=True) == []


def test_title_note_and_tags_are_edited_in_the_detail(three: WebuiPage, clean: Host) -> None:
    press(three, "Edit title, note and tags")
    form = detail(three).locator("form")
    form.get_by_label("Title").fill("the <b>best</b>")
    form.get_by_label("Note").fill("look at\nthe eyes")
    form.get_by_label("Tags").fill("liked, two words,")
    form.get_by_role("button", name="Save").click()
    expect(rows(three).first).to_contain_text("the <b>best</b>")
    expect(detail(three).get_by_role("list", name="Tags").locator("li")).to_have_text(
        ["liked", "two words"]
    )
    row = clean.json("/captures/c3/summary")
    assert (row["title"], row["note"]) == ("the <b>best</b>", "look at\nthe eyes")
    assert row["tags"] == ["liked", "two words"]


def test_what_cannot_be_saved_says_why(three: WebuiPage) -> None:
    press(three, "Edit title, note and tags")
    form = detail(three).locator("form")
    form.get_by_label("Tags").fill("x" * 101)
    form.get_by_role("button", name="Save").click()
    expect(three.page.locator(".pc-toast.pc-bad")).to_contain_text("Not saved: tags")
    expect(form).to_be_visible()
    keys(three, "Escape")
    expect(form).to_have_count(0)


# ---- keys


def test_arrows_home_end_and_enter(three: WebuiPage) -> None:
    keys(three, "ArrowDown", "ArrowDown")
    expect(current(three)).to_contain_text("one")
    expect(value(detail(three), "prompt")).to_have_text("one")
    keys(three, "Home")
    expect(current(three)).to_contain_text("three")
    keys(three, "End", "ArrowUp")
    expect(current(three)).to_contain_text("two")
    expect(current(three)).to_be_focused()
    keys(three, "Enter")
    expect(detail(three)).to_be_focused()
    expect(value(detail(three), "prompt")).to_have_text("two")


def test_c_copies_the_payload(three: WebuiPage, clean: Host) -> None:
    three.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keys(three, "c")
    expect(detail(three).locator(".pc-actions").get_by_role("status")).to_contain_text("Copied, ")
    assert json.loads(pasted(three.page)) == clean.json("/captures/c3/request")["payload"]


def test_r_replays_the_capture(three: WebuiPage) -> None:
    three.page.evaluate(CALLS)
    keys(three, "ArrowDown", "r")
    assert three.page.evaluate("window.called") == [["prove", ["c2"]]]


def test_s_stars_and_del_deletes_with_undo(three: WebuiPage, clean: Host) -> None:
    keys(three, "ArrowDown", "s")
    expect(three.page.get_by_role("button", name="Star two", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert prompts(clean, starred=True) == ["two"]
    keys(three, "Delete")
    expect(shown(three)).to_have_text(["three", "one"])
    expect(current(three)).to_contain_text("one")
    assert prompts(clean, trashed=True) == ["two"]
    press(three, "Undo: take out of the trash again")
    expect(shown(three)).to_have_text(["three", "two", "one"])
    expect(current(three)).to_contain_text("two")
    assert prompts(clean, trashed=True) == []


def test_space_shift_and_escape_select(three: WebuiPage) -> None:
    keys(three, "Space")
    expect(chosen(three)).to_have_text(["three"])
    keys(three, "Shift+ArrowDown", "Shift+ArrowDown")
    expect(chosen(three)).to_have_text(["three", "two", "one"])
    keys(three, "Shift+ArrowUp")
    expect(chosen(three)).to_have_text(["three", "two"])
    expect(bar(three)).to_contain_text("2 selected")
    keys(three, "Escape")
    expect(chosen(three)).to_have_count(0)
    expect(bar(three)).to_be_hidden()
    rows(three).nth(0).click()
    rows(three).nth(2).click(modifiers=["Shift"])
    expect(chosen(three)).to_have_text(["three", "two", "one"])
    rows(three).nth(1).click(modifiers=["Control"])
    expect(chosen(three)).to_have_text(["three", "one"])


@pytest.mark.parametrize("combination", ["Control+a", "Meta+a"])
def test_all_that_is_shown_is_selected(three: WebuiPage, combination: str) -> None:
    keys(three, combination)
    expect(chosen(three)).to_have_count(3)
    expect(bar(three)).to_contain_text("3 selected")


def test_the_question_mark_shows_the_keys(three: WebuiPage) -> None:
    press(three, "? The keys")
    dialog = three.page.get_by_role("dialog", name="Keys")
    for words in ("Search", "Copy the payload", "Replay & verify", "Clear the selection"):
        expect(dialog).to_contain_text(words)
    keys(three, "Delete", "Escape")
    expect(dialog).to_have_count(0)
    expect(rows(three)).to_have_count(3)
    keys(three, "?")
    expect(dialog).to_be_visible()


def test_keys_do_nothing_while_somebody_writes_or_the_tab_is_hidden(
    three: WebuiPage, clean: Host
) -> None:
    three.page.evaluate(CALLS)
    three.page.get_by_role("searchbox", name="Search prompts").focus()
    keys(three, "r", "s", "Delete", "Backspace", "Backspace")
    three.open("txt2img")
    three.page.locator("#txt2img_generate").focus()
    keys(three, "r", "s", "Delete", "?")
    three.page.locator("#txt2img_prompt textarea").focus()
    keys(three, "/", "?", "c")
    expect(three.page.locator("#txt2img_prompt textarea")).to_have_value("/?c")
    three.text("txt2img_prompt", "")
    assert three.page.evaluate("window.called") == []
    expect(three.page.get_by_role("dialog")).to_have_count(0)
    assert (prompts(clean, trashed=True), prompts(clean, starred=True)) == ([], [])


def test_the_webuis_own_keys_stay_its_own(three: WebuiPage, clean: Host) -> None:
    seen = "event => { if (!event.defaultPrevented) window.left.push(event.key) }"
    three.page.evaluate(f"window.left = []; document.addEventListener('keydown', {seen})")
    keys(three, "Control+Enter", "Alt+Enter", "Control+c", "Tab", "F2")
    left = three.page.evaluate("window.left")
    assert {"Control", "Alt", "c", "Tab", "F2"} <= set(left)
    assert three.page.evaluate("document.querySelectorAll('.pc-chosen').length") == 0


# ---- several at once


def test_export_of_the_chosen(three: WebuiPage) -> None:
    rows(three).nth(0).click()
    rows(three).nth(1).click(modifiers=["Shift"])
    data = saved(three, "captures.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["c3.zip", "c2.zip"]
    three.page.get_by_label("Export as").select_option("jsonl")
    lines = saved(three, "captures.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["c3", "c2"]


def saved(webui: WebuiPage, name: str) -> Path:
    with webui.page.expect_download() as download:
        press(webui, "Export the chosen captures as one file")
    assert download.value.suggested_filename == name
    return Path(download.value.path())


def test_an_export_that_is_too_large_says_the_way_out(three: WebuiPage) -> None:
    keys(three, "Space")
    ids = "Array.from({length: 10001}, (_, number) => `c${number}`)"
    three.page.evaluate(
        f"payloadCapture.exportCaptures(payloadCapture.places.get('tab').channel, {ids}, 'zip')"
    )
    toast = three.page.locator(".pc-toast.pc-bad")
    expect(toast).to_contain_text("10,001 captures are too many for the page")
    expect(toast).to_contain_text("/payload-capture/v1/captures/export")


def test_delete_of_the_chosen_with_undo(three: WebuiPage, clean: Host) -> None:
    rows(three).nth(0).click()
    rows(three).nth(1).click(modifiers=["Shift"])
    press(three, "Delete the chosen captures")
    expect(shown(three)).to_have_text(["one"])
    expect(three.page.get_by_text("2 captures moved to the trash.")).to_be_visible()
    expect(bar(three)).to_be_hidden()
    assert prompts(clean, trashed=True) == ["three", "two"]
    press(three, "Undo: take out of the trash again")
    expect(shown(three)).to_have_text(["three", "two", "one"])


def test_compare_replay_and_star_of_the_chosen(three: WebuiPage, clean: Host) -> None:
    three.page.evaluate(CALLS)
    compare = bar(three).get_by_role("button", name="Compare")
    keys(three, "Space")
    expect(compare).to_be_disabled()
    keys(three, "Shift+ArrowDown")
    compare.click()
    bar(three).get_by_role("button", name="Replay & verify").click()
    called = three.page.evaluate("window.called")
    assert called == [["compare", "c3", "c2"], ["prove", ["c3", "c2"]]]
    press(three, "Star the chosen captures")
    expect(three.page.locator(".pc-item .pc-star[aria-pressed=true]")).to_have_count(2)
    assert prompts(clean, starred=True) == ["three", "two"]
    keys(three, "Shift+ArrowDown")
    expect(bar(three)).to_contain_text("3 selected")
    expect(compare).to_be_disabled()


def test_the_chosen_are_restored_from_the_trash(three: WebuiPage, clean: Host) -> None:
    keys(three, "Control+a", "Delete")
    expect(three.page.get_by_text("No captures yet")).to_be_visible()
    press(three, "Trash")
    expect(shown(three)).to_have_text(["three", "two", "one"])
    keys(three, "Control+a")
    press(three, "Restore the chosen captures")
    expect(shown(three)).to_have_text(["three", "two", "one"])
    expect(three.page.get_by_role("button", name="Empty the trash")).to_be_hidden()
    assert prompts(clean, trashed=True) == []


# ---- live


def test_new_captures_slide_in_at_once_and_nobody_polls(three: WebuiPage, clean: Host) -> None:
    expect(three.page.locator(".pc-row img[src^='data:image/']")).to_have_count(3)
    expect(three.page.locator(".pc-stage img")).to_have_attribute("data-large", "1")
    three.page.wait_for_function("payloadCapture.places.get('tab').channel.current === null")
    asked: list[str] = []
    listen = lambda request: asked.append(request.post_data or "")  # noqa: E731
    three.page.on("request", listen)
    three.page.wait_for_timeout(2500)
    assert [data for data in asked if '\\"do\\"' in data] == []
    three.page.evaluate(
        """() => new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach((item) =>
            item.matches && item.matches(".pc-new") && (window.slid = true))))
            .observe(document.querySelector(".pc-list"), {childList: true})"""
    )
    clean.generate(prompt="four").raise_for_status()
    expect(shown(three)).to_have_text(["four", "three", "two", "one"])
    expect(value(detail(three), "prompt")).to_have_text("four")
    assert three.page.evaluate("window.slid") is True
    three.page.remove_listener("request", listen)


def test_what_somebody_reads_stays_in_place_when_others_come(webui: WebuiPage, clean: Host) -> None:
    fill(clean, *(make(number, f"number {number}") for number in range(60)))
    webui.open("Payloads")
    expect(shown(webui).first).to_have_text("number 59")
    left = webui.page.locator(".pc-left")
    left.evaluate("element => element.scrollTop = 2000")
    row = rows(webui).filter(has_text=re.compile("number 38"))
    before = row.bounding_box()
    clean.generate(prompt="another").raise_for_status()
    expect(webui.page.locator(".pc-item").last).to_have_attribute("aria-setsize", "61")
    webui.page.wait_for_function("document.querySelector('.pc-left').scrollTop > 2050")
    assert row.bounding_box() == before


def test_a_filter_holds_for_new_captures(three: WebuiPage, clean: Host) -> None:
    three.page.get_by_role("searchbox", name="Search prompts").fill("two")
    expect(shown(three)).to_have_text(["two"])
    clean.generate(prompt="three again").raise_for_status()
    clean.generate(prompt="two again").raise_for_status()
    expect(shown(three)).to_have_text(["two again", "two"])


def test_the_bell_does_not_ring_while_the_tab_is_hidden(three: WebuiPage, clean: Host) -> None:
    three.open("txt2img")
    clean.generate(prompt="four").raise_for_status()  # lets the question end that waits
    three.page.wait_for_timeout(1000)
    expect(three.page.locator(".pc-row img[src^='data:image/']")).to_have_count(3)
    expect(three.page.locator(".pc-stage img")).to_have_attribute("data-large", "1")
    three.page.wait_for_function("payloadCapture.places.get('tab').channel.current === null")
    asked: list[str] = []
    listen = lambda request: asked.append(request.post_data or "")  # noqa: E731
    three.page.on("request", listen)
    clean.generate(prompt="five").raise_for_status()
    three.page.wait_for_timeout(1500)
    assert [data for data in asked if '\\"do\\"' in data] == []
    three.page.remove_listener("request", listen)
    three.open("Payloads")
    expect(shown(three)).to_have_text(["five", "four", "three", "two", "one"])
    clean.generate(prompt="six").raise_for_status()
    expect(rows(three)).to_have_count(6)


def test_other_pages_and_questions_go_on_while_many_wait_at_the_bell(
    three: WebuiPage, clean: Host, browser: Browser
) -> None:
    with local_page(browser) as page:
        other = WebuiPage(page, clean.url)
        other.open("Payloads")
        expect(rows(other)).to_have_count(3)
        rows(other).nth(2).click()
        expect(value(detail(other), "prompt")).to_have_text("one")
        rows(three).nth(1).click()
        expect(value(detail(three), "prompt")).to_have_text("two")
        clean.generate(prompt="four").raise_for_status()
        for webui in (three, other):
            expect(rows(webui)).to_have_count(4)


def test_drawing_the_gallery_anew_leaves_nothing_behind(three: WebuiPage) -> None:
    three.page.evaluate(CALLS)
    three.page.evaluate(
        """() => {
            const place = document.querySelector(".payload-capture[data-place=tab]");
            place.replaceChildren();
            place.removeAttribute("data-drawn");
        }"""
    )
    expect(value(detail(three), "prompt")).to_have_text("three")
    keys(three, "r")
    assert three.page.evaluate("window.called") == [["prove", ["c3"]]]
