"""The page does what its reader sees, whatever happens meanwhile: late answers, keys pressed
quickly, jobs that end elsewhere, a webui that fails, is gone or was started anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from hosts.webui_page import WebuiPage
from stored import make

from .conftest import Host, Start, wait
from .page import (
    UNCOVER,
    current,
    deafen,
    detail,
    fill,
    keys,
    pasted,
    press,
    prompts,
    rows,
    shown,
    summary,
    value,
)

NEIGHBOUR = """
from pathlib import Path
import gradio as gr
from modules import script_callbacks

def tab():
    with gr.Blocks() as drawn:
        text = gr.Textbox()
        for _ in range(int(Path({count!r}).read_text())):
            asked = gr.Button("Ask")
            asked.click(lambda given: Path({called!r}).write_text(given), [text], [])
    return [(drawn, "Another", "another")]

script_callbacks.on_ui_tabs(tab)
"""
"""An extension whose events come before ours, as many as a file says."""

ANSWER = """([name, answer]) => {
    const {channel} = payloadCapture.places.get("tab");
    const ask = channel.ask.bind(channel);
    window.asked = 0;
    channel.ask = (asked, ...more) => {
        if (asked !== name) return ask(asked, ...more);
        window.asked += 1;
        return answer.error ? Promise.reject(new Error(answer.error)) : Promise.resolve(answer);
    };
    window.again = () => void (channel.ask = ask);
}"""
"""Let Python answer a question so, until `again()`."""
HIDE = "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})"
REFUSE = """() => {
    window.kept = Storage.prototype.setItem;
    Storage.prototype.setItem = () => { throw new DOMException("no", "SecurityError") };
}"""
"""What a browser does that may keep nothing of this site."""


def toasts(webui: WebuiPage) -> Locator:
    return webui.page.locator(".pc-toast")


def payload(host: Host, identity: str) -> Any:
    return host.json(f"/captures/{identity}/request")["payload"]


def old(host: Host, prompt: str) -> None:
    """Hundreds of captures, and one older than those that are listed at first."""
    started = {"started": "2025-01-01T00:00:00.000+00:00"}
    fill(host, make(0, prompt, job=started), *(make(number) for number in range(100, 320)))


# ---- copying the capture that is chosen


def test_c_copies_the_current_card(three: WebuiPage, clean: Host) -> None:
    three.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(three, "Cards")
    keys(three, "ArrowRight", "c")
    expect(current(three)).to_contain_text("two")
    expect(toasts(three)).to_contain_text("Copied, ")
    assert json.loads(pasted(three.page)) == payload(clean, "c2")
    three.page.evaluate(UNCOVER)
    expect(toasts(three)).to_have_count(0)
    keys(three, "ArrowRight", "c")
    expect(toasts(three)).to_contain_text("Copied, ")
    assert json.loads(pasted(three.page)) == payload(clean, "c1")


def test_c_copies_the_chosen_row_before_it_is_shown(three: WebuiPage, clean: Host) -> None:
    three.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keys(three, "ArrowDown", "c")
    expect(three.page.get_by_text("Copied, ")).to_be_visible()
    assert json.loads(pasted(three.page)) == payload(clean, "c2")


def test_c_copies_the_chosen_row_that_cannot_be_shown(three: WebuiPage, clean: Host) -> None:
    three.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    three.page.evaluate(ANSWER, ["capture", {"error": "the disk is full"}])
    keys(three, "ArrowDown")
    expect(detail(three)).to_have_text("the disk is full")
    keys(three, "c")
    expect(toasts(three)).to_contain_text("Copied, ")
    assert json.loads(pasted(three.page)) == payload(clean, "c2")


# ---- the row that has the focus, and controls that are not ours


def test_what_a_key_is_about_to_press_stays_when_a_job_ends(three: WebuiPage, clean: Host) -> None:
    three.page.mouse.move(1, 1)  # not over what is shown
    keys(three, "ArrowDown", "Home")
    expect(current(three)).to_be_focused()
    clean.generate(prompt="four").raise_for_status()
    expect(rows(three)).to_have_count(4)
    expect(current(three)).to_contain_text("three")
    keys(three, "Delete")
    expect(shown(three)).to_have_text(["four", "two", "one"])


def test_enter_and_space_act_on_the_focused_row(three: WebuiPage) -> None:
    rows(three).nth(2).click(modifiers=["Control"])
    expect(rows(three).nth(2)).to_be_focused()
    expect(current(three)).to_contain_text("three")
    chosen = three.page.locator(".pc-chosen .pc-prompt")
    expect(chosen).to_have_text(["one"])
    keys(three, "Space")
    expect(chosen).to_have_count(0)
    keys(three, "Enter")
    expect(value(detail(three), "prompt")).to_have_text("one")


def test_keys_are_left_to_the_webuis_own_controls(three: WebuiPage, clean: Host) -> None:
    """Such as those of Quicksettings, which stand above all tabs."""
    three.page.evaluate(
        """() => {
            const place = document.querySelector("#tabs");
            const slider = Object.assign(document.createElement("input"), {
                type: "range", id: "foreign", min: 1, max: 12, value: 5});
            place.before(slider);
        }"""
    )
    slider = three.page.locator("#foreign")
    slider.focus()
    keys(three, "ArrowRight", "ArrowRight", "Delete", "s")
    expect(slider).to_be_focused()
    expect(slider).to_have_value("7")
    expect(current(three)).to_contain_text("three")
    assert (prompts(clean, trashed=True), prompts(clean, starred=True)) == ([], [])
    slider.evaluate("element => element.remove()")


# ---- the focus stays where it is


def test_the_focus_stays_in_the_detail_when_a_job_ends(three: WebuiPage, clean: Host) -> None:
    editor = detail(three).get_by_role("button", name="Edit title, note and tags")
    editor.focus()
    clean.generate(prompt="four").raise_for_status()
    expect(rows(three)).to_have_count(4)
    expect(editor).to_be_focused()
    keys(three, "Enter")
    detail(three).get_by_label("Note").fill("a note")
    press(three, "Save")
    expect(rows(three)).to_have_count(4)
    clean.generate(prompt="five").raise_for_status()
    expect(rows(three)).to_have_count(5)
    expect(editor).to_be_focused()


def test_the_focus_stays_on_the_star_that_is_pressed(three: WebuiPage, clean: Host) -> None:
    star = detail(three).get_by_role("button", name="Star", exact=True)
    star.focus()
    for pressed in ("true", "false"):
        keys(three, "Enter")
        expect(star).to_have_attribute("aria-pressed", pressed)
        expect(star).to_be_focused()


def test_the_focus_goes_on_when_a_filter_is_removed(three: WebuiPage) -> None:
    press(three, "Filters")
    three.page.get_by_label("Starred only").check()
    search = three.page.get_by_role("searchbox", name="Search prompts")
    search.fill("two")
    chips = three.page.get_by_role("group", name="Filters in use").get_by_role("button")
    expect(chips).to_have_count(3)  # the last clears all
    chips.first.focus()
    keys(three, "Enter")
    expect(chips).to_have_count(1)
    expect(chips).to_be_focused()
    keys(three, "Enter")
    expect(search).to_be_focused()
    expect(rows(three)).to_have_count(3)


def test_a_card_that_is_starred_is_not_taken_for_the_one_shown_before(three: WebuiPage) -> None:
    press(three, "Cards")
    keys(three, "ArrowRight", "s")
    there = three.page.get_by_role("button", name="Star two", exact=True)
    expect(there).to_have_attribute("aria-pressed", "true")
    three.page.wait_for_timeout(500)  # in which the page hears of it
    keys(three, "ArrowLeft")
    press(three, "List")
    expect(value(detail(three), "prompt")).to_have_text("three")
    star = detail(three).get_by_role("button", name="Star", exact=True)
    assert star.get_attribute("aria-pressed") == "false"  # at once: the next ring puts it right


# ---- a capture that is shown and not listed


def test_a_capture_beyond_the_list_is_starred_and_deleted(webui: WebuiPage, clean: Host) -> None:
    old(clean, "an old one")
    webui.open("Payloads")
    expect(shown(webui).first).to_have_text("cat 319")
    webui.page.evaluate("payloadCapture.places.get('tab').reveal('c0')")
    expect(value(detail(webui), "prompt")).to_have_text("an old one")
    keys(webui, "s")
    star = detail(webui).get_by_role("button", name="Star", exact=True)
    expect(star).to_have_attribute("aria-pressed", "true")
    assert prompts(clean, starred=True) == ["an old one"]
    keys(webui, "Delete")
    expect(webui.page.get_by_text("Moved to the trash.")).to_be_visible()
    expect(value(detail(webui), "prompt")).to_have_text("cat 319")
    press(webui, "Undo: take out of the trash again")
    expect(value(detail(webui), "prompt")).to_have_text("an old one")


def test_a_revealed_capture_goes_when_it_is_deleted(three: WebuiPage, clean: Host) -> None:
    three.page.evaluate("payloadCapture.places.get('tab').reveal('c2')")
    expect(value(detail(three), "prompt")).to_have_text("two")
    keys(three, "Delete")
    expect(shown(three)).to_have_text(["three", "one"])
    expect(value(detail(three), "prompt")).to_have_text("one")
    expect(current(three)).to_contain_text("one")


# ---- a webui that fails, is gone or was started anew


def test_older_ones_that_cannot_be_shown_are_told_once(webui: WebuiPage, clean: Host) -> None:
    old(clean, "an old one")
    webui.page.evaluate(ANSWER, ["older", {"error": "the disk is full"}])
    webui.open("Payloads")
    expect(toasts(webui)).to_contain_text("Older captures cannot be shown: the disk is full")
    for top in range(0, 10_000, 500):
        webui.page.locator(".pc-left").evaluate("(left, top) => left.scrollTop = top", top)
        webui.page.wait_for_timeout(20)
    clean.generate(prompt="a new one").raise_for_status()
    expect(shown(webui).first).to_be_attached()
    webui.page.wait_for_function("window.asked > 1")  # tried again after an answer
    expect(toasts(webui)).to_have_count(1)
    assert webui.page.evaluate("window.asked") < 5
    webui.page.evaluate("window.again()")
    clean.generate(prompt="another").raise_for_status()
    last = webui.page.locator(".pc-item").last
    expect(last).to_have_attribute("aria-setsize", "223")
    expect(toasts(webui)).to_have_count(0)


def test_what_could_not_be_deleted_stays_selected(three: WebuiPage) -> None:
    answer = {"done": ["c3"], "gone": 0, "failed": "the disk is full"}
    three.page.evaluate(ANSWER, ["trash", answer])
    keys(three, "Control+a", "Delete")
    expect(three.page.get_by_text("Not all was done: the disk is full")).to_be_visible()
    expect(three.page.get_by_text("Moved to the trash.")).to_be_visible()
    expect(three.page.locator(".pc-chosen .pc-prompt")).to_have_text(["two", "one"])


def test_a_verdict_that_comes_late_is_not_anothers(three: WebuiPage, clean: Host) -> None:
    told = {"job": "j", "state": "running", "progress": 0.5}
    three.page.evaluate(ANSWER, ["replay", {"replay": told}])
    three.page.evaluate(
        """() => {
            const {channel} = payloadCapture.places.get("tab");
            const ask = channel.ask.bind(channel);
            channel.ask = (name, ...more) => (name !== "replays" ? ask(name, ...more)
                : new Promise((resolve) => (window.resolve = resolve)));
        }"""
    )
    section = detail(three).get_by_role("region", name="Replay & verify")
    section.get_by_role("button", name="Replay & verify").click()
    expect(section).to_contain_text("50 %")
    three.page.wait_for_function("window.resolve !== undefined")
    rows(three).nth(1).click()
    expect(value(detail(three), "prompt")).to_have_text("two")
    three.page.evaluate(
        """async () => {
            const ended = {job: "j", state: "done", verdict: "different", reason: "the seed"};
            window.resolve({replays: [ended]});
            await new Promise((done) => setTimeout(done, 100));
        }"""
    )
    expect(detail(three).locator(".pc-header .pc-verdict")).to_have_count(0)


def test_replays_of_many_go_on_while_nobody_looks(webui: WebuiPage, clean: Host) -> None:
    for number in range(12):  # ten of which may wait at the webui
        clean.generate(prompt=f"cat {number}").raise_for_status()
    webui.open("Payloads")
    expect(webui.page.locator(".pc-item").first).to_have_attribute("aria-setsize", "12")
    deafen(webui)
    webui.page.evaluate(HIDE)
    try:
        webui.page.evaluate(
            """() => {
                const {channel, listing} = payloadCapture.places.get("tab");
                payloadCapture.prove(channel, listing.rows.map((row) => row.id));
            }"""
        )
        wait(lambda: verdicts(clean) == ["identical"] * 12, 60)
    finally:
        webui.page.evaluate("delete document.hidden")
    dialog = webui.page.get_by_role("dialog", name="Replay & verify")
    expect(summary(dialog)).to_have_text("12 of 12 done · 12 identical")


def verdicts(host: Host) -> list[str]:
    found = host.json("/captures", limit=500)["captures"]
    return [row["verdict"] for row in found if row["verdict"]]


def test_filters_work_where_the_browser_keeps_nothing(three: WebuiPage) -> None:
    three.page.evaluate(REFUSE)
    try:
        three.page.get_by_role("searchbox", name="Search prompts").fill("two")
        expect(shown(three)).to_have_text(["two"])
    finally:
        three.page.evaluate("void (Storage.prototype.setItem = window.kept)")


def test_a_page_left_open_asks_nobody_else_after_a_restart(
    start: Start, page: Page, tmp_path: Path
) -> None:
    """Where an extension came, all later events have other numbers."""
    count, called = tmp_path / "count", tmp_path / "called"
    count.write_text("0")
    host = start(neighbours={"another": NEIGHBOUR.format(count=str(count), called=str(called))})
    webui = WebuiPage(page, host.url)
    host.generate(prompt="before").raise_for_status()
    webui.open("Payloads")
    expect(shown(webui)).to_have_text(["before"])
    count.write_text("40")
    host.process.reload_ui()
    host.generate(prompt="after").raise_for_status()
    expect(shown(webui)).to_have_text(["after", "before"])
    expect(value(detail(webui), "prompt")).to_have_text("after")
    webui.open("txt2img")
    count.write_text("20")
    host.process.reload_ui()  # while the page does not look
    host.generate(prompt="later").raise_for_status()
    webui.open("Payloads")
    expect(shown(webui)).to_have_text(["later", "after", "before"])
    assert not called.exists(), called.read_text()
    host.process.stop()


# ---- dialogs


@pytest.fixture
def dialog(three: WebuiPage) -> Locator:
    keys(three, "Space", "Shift+ArrowDown")
    press(three, "Compare")
    found = three.page.get_by_role("dialog", name="Compare")
    expect(found).to_contain_text("Payload")
    return found


def test_a_dialog_closes_by_a_press_outside_alone(three: WebuiPage, dialog: Locator) -> None:
    box = dialog.bounding_box()
    assert box is not None
    x, y = box["x"], box["y"] + 30
    mouse = three.page.mouse
    mouse.click(x + 3, y)  # its edge
    expect(dialog).to_be_visible()
    mouse.move(x + 60, y)
    mouse.down()
    mouse.move(x - 20, y)
    mouse.up()
    expect(dialog).to_be_visible()
    mouse.click(x - 20, y)
    expect(dialog).to_have_count(0)


def test_a_message_over_a_dialog_can_be_closed(three: WebuiPage, dialog: Locator) -> None:
    three.page.evaluate("void payloadCapture.toast('it is said', {bad: true})")
    toasts(three).get_by_role("button", name="Close the message").click()
    expect(toasts(three)).to_have_count(0)
    expect(dialog).to_be_visible()
    three.page.evaluate("void payloadCapture.toast('it stays', {bad: true})")
    keys(three, "Escape")
    expect(dialog).to_have_count(0)
    expect(toasts(three)).to_have_text(["it stays×"])
    press(three, "? The keys")
    toasts(three).get_by_role("button", name="Close the message").click()
    expect(toasts(three)).to_have_count(0)
    expect(three.page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_several_messages_follow_a_dialog(three: WebuiPage) -> None:
    for text in ("one", "two"):
        three.page.evaluate("(text) => void payloadCapture.toast(text, {bad: true})", text)
    press(three, "? The keys")
    expect(three.page.get_by_role("dialog").locator(".pc-toast")).to_have_count(2)
    keys(three, "Escape")
    expect(three.page.get_by_role("dialog")).to_have_count(0)
    expect(toasts(three)).to_have_count(2)
