"""The tab and the accordions, in a real browser on the stand-in.

The host runs with `--api-auth`: there the page is open while the extension's routes ask for a
password that the page does not have.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from hosts.webui_page import WebuiPage

from .conftest import Host, Start
from .page import (
    accordion,
    arrive,
    detail,
    downloaded,
    generate,
    pasted,
    picture,
    renew,
    rows,
    value,
)

FAILS = """
from modules import scripts
class Fails(scripts.Script):
    def title(self): return "Fails"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def process(self, p, *args):
        if "fail" in p.prompt: p.width = "wide"
"""
HOSTILE = (
    '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>',
    "\" autofocus onfocus='window.hurt=1' x=\"",
    "\u202emirrored\u2066 مرحبا",
    "🐈‍⬛ 👩🏽‍🚀",
    "before\x00after",
    "${window.hurt=1} {{7*7}} %s",
)
INSECURE = """
Object.defineProperty(window, "isSecureContext", {value: false});
Object.defineProperty(navigator, "clipboard", {value: undefined});
"""


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    host = start("--api-auth", "me:secret")
    host.session.auth = ("me", "secret")
    assert (
        host.session.get(host.url + "/payload-capture/v1/status", auth=("me", "no")).status_code
        == 401
    )
    yield host
    assert host.process.errors() == []
    host.process.stop()


def said(webui: WebuiPage) -> Locator:
    """What came of the buttons at the top of a capture."""
    return detail(webui).locator(".pc-actions").get_by_role("status")


# ---- the tab


def test_an_empty_tab_says_what_to_do(webui: WebuiPage) -> None:
    webui.open("Payloads")
    expect(webui.page.get_by_text("No captures yet")).to_be_visible()
    expect(webui.page.get_by_text("Generate a picture in txt2img or img2img")).to_be_visible()


def test_a_tab_that_captures_nothing_says_so(webui: WebuiPage, clean: Host) -> None:
    url = f"{clean.url}/sdapi/v1/options"
    notice = webui.page.get_by_text("Capturing is switched off: see Settings, Payload capture.")
    clean.session.post(url, json={"payload_capture_enabled": False}, timeout=30).raise_for_status()
    try:
        webui.open("Payloads")
        expect(notice).to_be_visible()
    finally:
        clean.session.post(
            url, json={"payload_capture_enabled": True}, timeout=30
        ).raise_for_status()
    renew(webui)
    webui.open("Payloads")
    expect(notice).to_have_count(0)


def test_an_api_job_appears_while_the_tab_is_open(webui: WebuiPage, clean: Host) -> None:
    webui.open("Payloads")
    clean.generate(prompt="a first fox", seed=7).raise_for_status()
    expect(rows(webui)).to_have_count(1)
    expect(value(detail(webui), "prompt")).to_have_text("a first fox")
    clean.generate(prompt="a second fox", seed=8).raise_for_status()
    expect(rows(webui).first).to_contain_text("a second fox")
    expect(value(detail(webui), "seed")).to_have_text("8")


def test_a_row_tells_what_was_made_of_what(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", seed=7, batch_size=2, width=128).raise_for_status()
    webui.open("Payloads")
    model = clean.latest()["host"]["checkpoint"]["title"]
    for words in ("a fox", "txt2img", "128×64", "seed 7", "2 pictures", "the API", model):
        expect(rows(webui)).to_contain_text(words)
    expect(rows(webui).locator("img[src^='data:image/']")).to_be_visible()


def test_a_chosen_capture_stays_when_others_come(webui: WebuiPage, clean: Host) -> None:
    for prompt in ("one", "two"):
        clean.generate(prompt=prompt).raise_for_status()
    webui.open("Payloads")
    rows(webui).nth(1).click()
    expect(value(detail(webui), "prompt")).to_have_text("one")
    clean.generate(prompt="three").raise_for_status()
    expect(rows(webui)).to_have_count(3)
    expect(value(detail(webui), "prompt")).to_have_text("one")
    expect(rows(webui).nth(2)).to_have_attribute("aria-current", "true")


def test_keys_go_through_the_list(webui: WebuiPage, clean: Host) -> None:
    for prompt in ("one", "two", "three"):
        clean.generate(prompt=prompt).raise_for_status()
    webui.open("Payloads")
    rows(webui).first.focus()
    webui.page.keyboard.press("ArrowDown")
    webui.page.keyboard.press("ArrowDown")
    expect(value(detail(webui), "prompt")).to_have_text("one")
    expect(rows(webui).nth(2)).to_be_focused()
    webui.page.keyboard.press("ArrowUp")
    expect(value(detail(webui), "prompt")).to_have_text("two")


def test_a_failed_job_shows_its_reason(start: Start, page: Page) -> None:
    host = start(neighbours={"fails": FAILS})
    assert host.generate(prompt="this will fail").status_code == 500
    webui = WebuiPage(page, host.url)
    webui.open("Payloads")
    reason = host.latest()["job"]["error"]
    expect(rows(webui)).to_contain_text("failed")
    expect(rows(webui)).to_contain_text(reason[:40])
    expect(detail(webui).get_by_role("list", name="Warnings")).to_contain_text(reason[:40])
    host.process.stop()


def test_hostile_prompts_are_only_text(webui: WebuiPage, clean: Host) -> None:
    webui.open("Payloads")
    for number, prompt in enumerate(HOSTILE, start=1):
        clean.generate(prompt=prompt).raise_for_status()
        expect(rows(webui)).to_have_count(number)
        rows(webui).first.click()
        shown = value(detail(webui), "prompt")
        expect(shown).to_have_js_property("textContent", prompt)
        detail(webui).get_by_text("Infotext").click()
    assert webui.page.evaluate("window.hurt") is None
    assert webui.page.locator(".payload-capture script, .payload-capture img[onerror]").count() == 0


def test_a_prompt_of_a_million_letters_stays_fluid(webui: WebuiPage, clean: Host) -> None:
    clean.pretend(prompt="word " * 200_000)
    webui.open("Payloads")
    shown = value(detail(webui), "prompt")
    expect(shown).to_be_visible()
    assert len(shown.inner_text()) < 1000
    detail(webui).get_by_role("button", name="Show all 1,000,000 characters").click()
    expect(detail(webui).get_by_role("button", name="Show less")).to_be_visible()
    assert len(shown.evaluate("element => element.textContent")) == 1_000_000
    assert webui.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_pictures_of_the_payload_are_thumbnails_and_open(webui: WebuiPage, clean: Host) -> None:
    given = {"init_images": [picture((96, 64))], "mask": picture((96, 64), "white")}
    clean.generate("img2img", prompt="a fox", denoising_strength=0.5, **given).raise_for_status()
    webui.open("Payloads")
    for name in ("init_images 0", "mask"):
        small = detail(webui).get_by_role("button", name=f"Open {name}, 96×64 png").locator("img")
        small.scroll_into_view_if_needed()
        expect(small).to_have_attribute("src", re.compile("^data:image/"))
    assert "iVBOR" not in detail(webui).inner_text()
    detail(webui).get_by_role("button", name="Open mask, 96×64 png").click()
    dialog = webui.page.get_by_role("dialog")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 96)
    name, _ = saved_picture(webui.page, dialog)
    assert name == "picture.png"
    webui.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def saved_picture(page: Page, dialog: Locator) -> tuple[str, tuple[int, int]]:
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Download the picture").click()
    with Image.open(download.value.path()) as image:
        return download.value.suggested_filename, image.size


def test_results_open_in_full_size(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", width=320, height=256, seed=7).raise_for_status()
    webui.open("Payloads")
    detail(webui).get_by_role("button", name="Open picture 1, 320×256 · seed 7").click()
    dialog = webui.page.get_by_role("dialog")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 320)
    close = dialog.get_by_role("button", name="Close the picture")
    close.focus()
    webui.page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Download the picture")).to_be_focused()
    webui.page.keyboard.press("Shift+Tab")
    expect(close).to_be_focused()
    close.click()
    expect(dialog).to_have_count(0)


def test_the_copied_payload_is_the_body_to_post(webui: WebuiPage, clean: Host) -> None:
    given = {"init_images": [picture()], "denoising_strength": 0.5}
    clean.generate("img2img", prompt='a "fox" 猫', **given).raise_for_status()
    expected = clean.json("/captures/latest/request")["payload"]
    webui.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    webui.open("Payloads")
    detail(webui).get_by_role("button", name="Copy payload").click()
    expect(said(webui)).to_contain_text("Copied, ")
    assert json.loads(pasted(webui.page)) == expected


def test_copying_works_without_a_secure_context(clean: Host, page: Page) -> None:
    page.add_init_script(INSECURE)
    clean.generate(prompt="a fox").raise_for_status()
    webui = WebuiPage(page, clean.url)
    webui.open("Payloads")
    detail(webui).get_by_role("button", name="Copy payload").click()
    expect(said(webui)).to_contain_text("Copied, ")
    assert json.loads(pasted(page)) == clean.json("/captures/latest/request")["payload"]


def test_a_refused_copy_says_so(clean: Host, page: Page) -> None:
    page.add_init_script(INSECURE + "document.execCommand = () => false;")
    clean.generate(prompt="a fox").raise_for_status()
    webui = WebuiPage(page, clean.url)
    webui.open("Payloads")
    detail(webui).get_by_role("button", name="Copy payload").click()
    expect(said(webui)).to_contain_text("Not copied: the browser did not allow it")


def test_the_downloaded_payload_is_complete(webui: WebuiPage, clean: Host) -> None:
    given = {"init_images": [picture()], "denoising_strength": 0.5}
    clean.generate("img2img", prompt="a fox", **given).raise_for_status()
    body = clean.json("/captures/latest/request")["payload"]
    webui.open("Payloads")
    button = detail(webui).get_by_role("button", name="Download payload")
    name, text = downloaded(webui.page, button)
    assert (name, json.loads(text)) == (f"{clean.latest()['id']}-payload.json", body)


def prompts(host: Host, **filters: Any) -> list[str]:
    return [row["prompt"] for row in host.json("/captures", **filters)["captures"]]


def press(webui: WebuiPage, name: str) -> None:
    webui.page.get_by_role("button", name=name, exact=True).click()


def shows(webui: WebuiPage, *shown: str) -> None:
    """The list has these prompts, and the first is chosen."""
    expect(rows(webui).locator(".pc-prompt")).to_have_text(shown)
    expect(value(detail(webui), "prompt")).to_have_text(shown[0])
    expect(rows(webui).first).to_have_attribute("aria-current", "true")


def test_what_was_deleted_comes_back_by_undo(webui: WebuiPage, clean: Host) -> None:
    for prompt in ("one", "two"):
        clean.generate(prompt=prompt).raise_for_status()
    webui.open("Payloads")
    shows(webui, "two", "one")
    expect(webui.page.get_by_role("button", name="Trash", exact=True)).to_be_hidden()
    press(webui, "Delete: move this capture to the trash")
    shows(webui, "one")
    expect(webui.page.get_by_text("Moved to the trash.")).to_be_visible()
    assert (prompts(clean), prompts(clean, trashed=True)) == (["one"], ["two"])
    press(webui, "Undo: take out of the trash again")
    shows(webui, "two", "one")
    expect(webui.page.get_by_text("Moved to the trash.")).to_be_hidden()
    assert (prompts(clean), prompts(clean, trashed=True)) == (["two", "one"], [])


def test_the_trash_is_seen_and_emptied(webui: WebuiPage, clean: Host) -> None:
    for prompt in ("one", "two", "three", "four"):
        clean.generate(prompt=prompt).raise_for_status()
    webui.open("Payloads")
    for prompt in ("four", "three", "two"):
        expect(value(detail(webui), "prompt")).to_have_text(prompt)
        press(webui, "Delete: move this capture to the trash")
    shows(webui, "one")
    press(webui, "Trash")
    shows(webui, "four", "three", "two")
    press(webui, "Restore: take this capture out of the trash")
    shows(webui, "three", "two")
    press(webui, "Delete for good")
    assert prompts(clean, trashed=True) == ["three", "two"]
    press(webui, "Really, for good?")
    shows(webui, "two")
    press(webui, "Back to captures")
    shows(webui, "four", "one")
    press(webui, "Trash")
    shows(webui, "two")
    press(webui, "Empty the trash")
    assert prompts(clean, trashed=True) == ["two"]
    press(webui, "Really delete all, for good?")
    shows(webui, "four", "one")
    expect(webui.page.get_by_role("button", name="Trash", exact=True)).to_be_hidden()
    assert (prompts(clean), prompts(clean, trashed=True)) == (["four", "one"], [])


def test_undo_says_why_it_cannot(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="one").raise_for_status()
    webui.open("Payloads")
    shows(webui, "one")
    gone = f"{clean.url}/payload-capture/v1/captures/{clean.latest()['id']}"
    press(webui, "Delete: move this capture to the trash")
    expect(webui.page.get_by_text("No captures yet")).to_be_visible()
    clean.session.delete(gone, params={"forever": 1}).raise_for_status()
    press(webui, "Undo: take out of the trash again")
    expect(webui.page.get_by_text("Not done: This capture")).to_be_visible()


def test_a_capture_deleted_elsewhere_leaves_the_list(webui: WebuiPage, clean: Host) -> None:
    for prompt in ("one", "two"):
        clean.generate(prompt=prompt).raise_for_status()
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(2)
    gone = clean.latest()["id"]
    clean.session.delete(f"{clean.url}/payload-capture/v1/captures/{gone}").raise_for_status()
    expect(rows(webui)).to_have_count(1)
    expect(value(detail(webui), "prompt")).to_have_text("one")


def test_questions_do_not_pile_up_on_a_dead_server(webui: WebuiPage, clean: Host) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    webui.open("Payloads")
    expect(webui.page.get_by_text("No captures yet")).to_be_visible()
    webui.page.wait_for_timeout(500)  # until the page waits at the bell
    webui.page.route(re.compile("/run/payload_capture|/queue/|/internal/ping"), refuse)
    clean.generate(prompt="what the page cannot ask for").raise_for_status()
    expect(webui.page.get_by_text("Is it still running?")).to_be_visible()
    with webui.page.expect_request("**/internal/ping"):
        pass
    before = [url for url in asked if "/run/" in url]
    webui.page.wait_for_timeout(3000)
    assert [url for url in asked if "/run/" in url] == before
    assert len(before) <= 2  # the list, and the picture of its new row
    webui.page.unroute(re.compile("/run/payload_capture|/queue/|/internal/ping"), refuse)
    webui.page.unroute_all()
    clean.generate(prompt="alive again").raise_for_status()
    expect(rows(webui)).to_have_count(2)
    expect(webui.page.get_by_text("Is it still running?")).to_be_hidden()


def test_nothing_is_asked_while_the_tab_is_hidden(webui: WebuiPage) -> None:
    asked: list[str] = []
    webui.page.wait_for_timeout(1000)  # in which a question of the test before may end
    webui.page.on("request", lambda request: asked.append(request.post_data or ""))
    webui.page.wait_for_timeout(2500)
    assert [data for data in asked if '\\"do\\"' in data] == []


@pytest.mark.parametrize("width", [800, 1400])
def test_nothing_is_wider_than_the_page(webui: WebuiPage, clean: Host, width: int) -> None:
    clean.generate(prompt="x" * 400).raise_for_status()
    webui.page.set_viewport_size({"width": width, "height": 900})
    webui.open("Payloads")
    expect(detail(webui).locator(".pc-tree").first).to_be_visible()
    assert webui.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# ---- the accordions


@pytest.mark.parametrize("prompt", ["a fox", HOSTILE[0]])
def test_the_accordion_fills_itself_when_the_job_ends(
    fresh: WebuiPage, clean: Host, prompt: str
) -> None:
    place = accordion(fresh)
    expect(place).to_contain_text("the payload of your job appears here by itself")
    generate(fresh, prompt, seed=21)
    expect(value(place, "prompt")).to_have_text(prompt)
    expect(value(place, "seed")).to_have_text("21")
    assert fresh.page.evaluate("window.hurt") is None
    _, text = downloaded(fresh.page, place.get_by_role("button", name="Download payload"))
    assert json.loads(text) == clean.json("/captures/latest/request")["payload"]
    place.get_by_role("button", name="All captures").click()
    expect(rows(fresh)).to_have_count(1)


def test_the_accordion_of_img2img(fresh: WebuiPage, tmp_path: Path) -> None:
    (tmp_path / "init.png").write_bytes(base64.b64decode(picture()))
    place = accordion(fresh, "img2img")
    fresh.upload("img2img_image", tmp_path / "init.png")
    generate(fresh, "a fox from a picture")
    expect(value(place, "prompt")).to_have_text("a fox from a picture")
    place.locator(".pc-tree img").scroll_into_view_if_needed()
    expect(place.locator(".pc-tree img[src^='data:image/']")).to_be_visible()


def test_the_accordion_shows_nobody_elses_job(
    fresh: WebuiPage, clean: Host, browser: Browser
) -> None:
    context = browser.new_context()
    other = WebuiPage(context.new_page(), clean.url)
    mine, theirs = accordion(fresh), accordion(other)
    for number in range(3):
        generate(fresh, f"mine {number}", seed=number)
        generate(other, f"theirs {number}", seed=number)
        clean.generate(prompt=f"api {number}").raise_for_status()
        expect(value(mine, "prompt")).to_have_text(f"mine {number}")
        expect(value(theirs, "prompt")).to_have_text(f"theirs {number}")
    context.close()


def test_the_same_job_again_is_a_new_capture(fresh: WebuiPage, clean: Host) -> None:
    place = accordion(fresh)
    for number in range(1, 5):
        generate(fresh, "the same fox", seed=5)
        arrive(fresh, clean, number)
        expect(place.locator("time")).to_have_attribute(
            "datetime", clean.latest()["job"]["started"]
        )


def test_the_webui_waits_for_one_short_script(clean: Host) -> None:
    html = clean.session.get(f"{clean.url}/").text
    found = re.findall(r'(?:src|href)="[^"]*sd-webui-payload-capture/([^"?]*)', html)
    assert found == ["javascript/payload_capture.js"]


@pytest.mark.parametrize("name", ["tree.js", "words.js", "style.css"])
def test_a_part_that_does_not_come_is_named(clean: Host, page: Page, name: str) -> None:
    page.route(f"**/parts/{name}*", lambda route: route.abort())
    webui = WebuiPage(page, clean.url)
    place = accordion(webui)
    expect(place).to_contain_text(
        re.compile(rf"Payloads cannot be shown: .*/parts/{name}.* did not load\. Reload the page")
    )
    page.unroute_all()
    webui.load()
    expect(accordion(webui).get_by_role("button", name="What would be sent")).to_be_visible()


def test_a_closed_accordion_shows_the_last_job_when_it_opens(fresh: WebuiPage, clean: Host) -> None:
    generate(fresh, "before it was opened")
    arrive(fresh, clean, 1)
    fresh.page.wait_for_timeout(500)
    expect(value(accordion(fresh), "prompt")).to_have_text("before it was opened")


def test_a_job_whose_capture_was_deleted_leaves_the_way_on(fresh: WebuiPage, clean: Host) -> None:
    generate(fresh, "not kept")
    arrive(fresh, clean, 1)
    gone = f"{clean.url}/payload-capture/v1/captures/{clean.latest()['id']}"
    clean.session.delete(gone, params={"forever": 1}).raise_for_status()
    place = accordion(fresh)
    expect(place).to_contain_text("This capture, or a picture of it, was deleted.")
    place.get_by_role("button", name="What would be sent").click()
    expect(value(place, "prompt")).to_have_text("not kept")


def test_a_job_that_ended_before_the_script_was_ready_appears(
    fresh: WebuiPage, clean: Host
) -> None:
    place = accordion(fresh)
    generate(fresh, "before the script")
    expect(value(place, "prompt")).to_have_text("before the script")
    fresh.page.evaluate(
        """() => {
            const drawn = document.querySelector(".payload-capture[data-place=txt2img]");
            drawn.textContent = "";
            drawn.removeAttribute("data-drawn");
        }"""
    )
    expect(value(place, "prompt")).to_have_text("before the script")


def test_a_failed_job_points_to_the_tab(start: Start, page: Page) -> None:
    host = start(neighbours={"fails": FAILS})
    webui = WebuiPage(page, host.url)
    place = accordion(webui)
    generate(webui, "this will fail")
    expect(place).to_contain_text("The last job failed. The Payloads tab shows why.")
    generate(webui, "a fox")
    expect(value(place, "prompt")).to_have_text("a fox")
    generate(webui, "this will fail")
    expect(place).to_contain_text("The last job failed.")
    place.get_by_role("button", name="Open the Payloads tab").click()
    expect(rows(webui)).to_have_count(3)
    host.process.stop()


def shown_in_gallery(webui: WebuiPage) -> tuple[str, list[str]]:
    """Its text, which is the progress of whatever fills it, and its pictures."""
    gallery = webui.page.locator("#txt2img_gallery")
    return gallery.inner_text(), gallery.locator("img").evaluate_all("all => all.map(i => i.src)")


def test_what_would_be_sent_is_shown_without_a_picture(fresh: WebuiPage, clean: Host) -> None:
    place = accordion(fresh)
    fresh.text("txt2img_prompt", "not yet drawn")
    for name, number in (("width", 64), ("height", 64), ("steps", 2), ("seed", 33)):
        fresh.number(f"txt2img_{name}", number)
    before = shown_in_gallery(fresh)
    place.get_by_role("button", name="What would be sent").click()
    expect(value(place, "prompt")).to_have_text("not yet drawn")
    expect(value(place, "seed")).to_have_text("33")
    expect(place).to_contain_text("would be sent, nothing was generated")
    assert clean.json("/captures")["captures"] == []
    assert shown_in_gallery(fresh) == before
    _, text = downloaded(fresh.page, place.get_by_role("button", name="Download payload"))
    fresh.press()
    arrive(fresh, clean, 1)
    assert clean.json("/captures/latest/request")["payload"] == json.loads(text) | {
        "subseed": clean.latest()["payload"]["subseed"]
    }


def test_what_would_be_sent_with_a_picture(fresh: WebuiPage, clean: Host, tmp_path: Path) -> None:
    (tmp_path / "init.png").write_bytes(base64.b64decode(picture()))
    place = accordion(fresh, "img2img")
    asked = place.get_by_role("button", name="What would be sent")
    asked.click()
    expect(place).to_contain_text("no picture was chosen")
    fresh.upload("img2img_image", tmp_path / "init.png")
    asked.click()
    place.locator(".pc-tree img").scroll_into_view_if_needed()
    expect(place.locator(".pc-tree img[src^='data:image/']")).to_be_visible()
    assert clean.json("/captures")["captures"] == []


LATE = """async () => {
    const answer = payloadCapture.askForm("txt2img", "preview");
    await null; // in which it is asked
    await null;
    const detail = {text: '{"id": -1, "capture": "an earlier one"}'};
    document.dispatchEvent(new CustomEvent("payload_capture:answered", {detail}));
    return (await answer).capture;
}"""


def test_a_late_answer_is_not_taken_for_another(webui: WebuiPage, clean: Host) -> None:
    webui.page.wait_for_function("window.payloadCapture.askForm !== undefined")
    assert clean.json(f"/captures/{webui.page.evaluate(LATE)}")["payload"]["seed"] == -1


def hiding(start: Start, tmp_path: Path, *tabs: str) -> Host:
    """A host whose page does not have some of its tabs."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.json").write_text(json.dumps({"hidden_tabs": tabs}))
    return start(data_dir=data)


def test_the_accordion_does_without_the_tab(start: Start, page: Page, tmp_path: Path) -> None:
    host = hiding(start, tmp_path, "Payloads")
    webui = WebuiPage(page, host.url)
    expect(page.locator("#tab_payload_capture")).to_have_count(0)
    place = accordion(webui)
    webui.text("txt2img_prompt", "not yet drawn")
    place.get_by_role("button", name="What would be sent").click()
    expect(value(place, "prompt")).to_have_text("not yet drawn")
    generate(webui, "drawn")
    expect(value(place, "prompt")).to_have_text("drawn")
    host.process.stop()


def test_the_tab_does_without_one_that_it_fills(start: Start, page: Page, tmp_path: Path) -> None:
    host = hiding(start, tmp_path, "Extras")
    webui = WebuiPage(page, host.url)
    senders = detail(webui).get_by_role("button", name="Send to")
    host.generate("extra-single-image", image=picture(), upscaling_resize=2.5).raise_for_status()
    webui.open("Payloads")
    rows(webui).first.click()
    expect(value(detail(webui), "upscaling_resize")).to_have_text("2.5")
    expect(senders).to_have_count(0)
    host.generate(prompt="a cat").raise_for_status()
    expect(rows(webui)).to_have_count(2)
    rows(webui).first.click()
    expect(value(detail(webui), "prompt")).to_have_text("a cat")
    expect(senders).to_have_count(1)
    host.process.stop()


def test_the_page_works_after_reload_ui(clean: Host, page: Page) -> None:
    clean.process.reload_ui()
    webui = WebuiPage(page, clean.url)
    place = accordion(webui)
    generate(webui, "after the reload")
    webui.finished()  # it loads the model first
    expect(value(place, "prompt")).to_have_text("after the reload")
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(1)
