"""One capture on the page: its pictures, the payload as a tree, what is known of it."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from hosts.webui_page import WebuiPage

from .conftest import Host, Start
from .page import deafen, detail, downloaded, pasted, picture, rows

FINE = """
import gradio as gr
from modules import scripts
class Fine(scripts.Script):
    def title(self): return "Fine Detail"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img):
        return [
            gr.Checkbox(False, label="Enable fine detail"),
            gr.Slider(0, 1, 0.5, label="Strength"),
            gr.Textbox("", label="Detail prompt"),
            gr.JSON(value=[], label="Points", visible=False),
        ]
"""
ITEM = "[role=treeitem]"


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    host = start(neighbours={"fine": FINE})
    yield host
    assert host.process.errors() == []
    host.process.stop()


def fine(*args: Any) -> dict[str, Any]:
    return {"alwayson_scripts": {"fine detail": {"args": list(args)}}}


def imported(host: Host, document: Any) -> None:
    url = f"{host.url}/payload-capture/v1/captures"
    host.session.post(url, data=json.dumps(document)).raise_for_status()


def tree(webui: WebuiPage, name: str = "Payload") -> Locator:
    return detail(webui).get_by_role("tree", name=name, exact=True)


def item(webui: WebuiPage, *path: str) -> Locator:
    """The row at a path, all above it unfolded before."""
    found = tree(webui)
    for step in path:
        inner = found.locator("> ul") if found.get_attribute("role") == "treeitem" else found
        exact = f":scope > .pc-key:text-is('{step}'), :scope > .pc-head > .pc-key:text-is('{step}')"
        found = inner.locator(f"> {ITEM}").filter(has=webui.page.locator(exact)).first
    return found


def search(webui: WebuiPage, words: str) -> Locator:
    """Search, and what the page says of it."""
    detail(webui).get_by_role("searchbox", name="Search in the payload").fill(words)
    return detail(webui).locator(".pc-found")


def press(webui: WebuiPage, name: str) -> None:
    detail(webui).get_by_role("button", name=name, exact=True).click()


# ---- pictures


def test_the_chosen_picture_is_large_and_the_others_a_strip(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", batch_size=3, width=320, height=256, seed=7).raise_for_status()
    webui.open("Payloads")
    stage = detail(webui).locator(".pc-stage")
    expect(stage.locator("img")).to_have_js_property("naturalWidth", 320)
    choices = detail(webui).get_by_role("group", name="All pictures").get_by_role("button")
    expect(choices).to_have_count(3)
    expect(choices.first).to_have_attribute("aria-pressed", "true")
    choices.nth(2).focus()
    webui.page.keyboard.press("Enter")
    expect(choices.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(stage).to_contain_text("320×256 · seed 9")
    webui.page.set_viewport_size({"width": 1400, "height": 1000})
    box = stage.locator("img").bounding_box()
    strip = choices.first.bounding_box()
    assert box
    assert strip
    assert box["width"] > 500
    assert box["height"] / box["width"] == pytest.approx(256 / 320, abs=0.01)
    assert strip["width"] < 100


def test_init_image_and_mask_lie_side_by_side_and_over_each_other(
    webui: WebuiPage, clean: Host
) -> None:
    mask = Image.new("RGB", (96, 64))
    mask.paste((255, 255, 255), (0, 0, 32, 64))
    mask.paste((0, 0, 255), (32, 0, 64, 64))
    given = {"init_images": [picture((96, 64))], "mask": encoded(mask)}
    clean.generate(
        "img2img", prompt="a fox", denoising_strength=0.5, inpainting_mask_invert=1, **given
    ).raise_for_status()
    webui.open("Payloads")
    figures = detail(webui).locator(".pc-inputs figure")
    expect(figures).to_have_text([re.compile("Init image"), re.compile("Mask")])
    first, second = (figures.nth(n).bounding_box() for n in range(2))
    assert first
    assert second
    assert first["y"] == second["y"]
    expect(detail(webui)).to_contain_text("what the mask covers is kept")
    cover = figures.first.locator("canvas")
    expect(cover).to_be_hidden()
    opacity = detail(webui).get_by_role("slider", name="Opacity")
    expect(opacity).to_be_disabled()
    detail(webui).get_by_role("switch", name="Mask over the picture").check()
    expect(cover).to_be_visible()
    expect(cover).to_have_js_property("width", 96)
    opacity.fill("25")
    expect(cover).to_have_css("opacity", "0.25")
    colours = cover.evaluate(
        """cover => [16, 48, 80].map((x) =>
            [...cover.getContext("2d").getImageData(x, 32, 1, 1).data])"""
    )
    white, blue, black = colours
    assert (white[0], white[3]) == (255, 255)
    assert white[:3] != [255, 255, 255], "a mask of black and white is tinted"
    assert blue[2] > 240, "a colour stays"
    assert max(blue[:2]) < 20
    assert black[3] == 0
    detail(webui).get_by_role("switch", name="Mask over the picture").uncheck()
    expect(cover).to_be_hidden()


def encoded(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "png")
    return base64.b64encode(out.getvalue()).decode()


def test_a_picture_in_an_argument_is_a_thumbnail_that_opens_and_downloads(
    webui: WebuiPage, clean: Host
) -> None:
    given = fine(True, 0.5, f"data:image/png;base64,{picture((96, 64))}", [])
    clean.generate(prompt="a fox", **given).raise_for_status()
    webui.open("Payloads")
    press(webui, "Unfold all")
    opener = tree(webui).get_by_role("button", name="Open alwayson_scripts fine detail args 2, png")
    opener.scroll_into_view_if_needed()
    expect(opener.locator("img")).to_have_attribute("src", re.compile("^data:image/"))
    opener.click()
    dialog = webui.page.get_by_role("dialog")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 96)
    with webui.page.expect_download() as download:
        dialog.get_by_role("button", name="Download the picture").click()
    with Image.open(download.value.path()) as image:
        assert image.size == (96, 64)


# ---- what it is


@pytest.mark.parametrize(
    ("given", "kind", "note"),
    [
        ({"enable_hr": True, "denoising_strength": 0.5}, "txt2img", "hires. fix"),
        ({"init_images": [picture()], "mask": picture()}, "inpaint", "from the API"),
        ({"init_images": [picture()]}, "img2img", "from the API"),
    ],
)
def test_the_header_says_the_kind(
    webui: WebuiPage, clean: Host, given: dict[str, Any], kind: str, note: str
) -> None:
    endpoint = "img2img" if "init_images" in given else "txt2img"
    clean.generate(endpoint, prompt="a fox", **{"denoising_strength": 0.5, **given})
    webui.open("Payloads")
    header = detail(webui).locator(".pc-header")
    expect(header.locator(".pc-kind")).to_have_text(kind)
    expect(header).to_contain_text(note)


def test_warnings_say_what_they_mean_and_what_to_do(webui: WebuiPage, clean: Host) -> None:
    warnings = [
        {"path": "mask", "reason": "the mask was lost", "severity": "blocks"},
        {"path": "script_args[0]", "reason": "another list", "severity": "pixels"},
        {"path": "", "reason": "its mode", "severity": "cosmetic"},
    ]
    clean.generate(prompt="a fox").raise_for_status()
    imported(clean, clean.latest() | {"id": "warned", "warnings": warnings})
    webui.open("Payloads")
    rows(webui).filter(has_text="3 warnings").click()
    said = detail(webui).get_by_role("list", name="Warnings").get_by_role("listitem")
    expect(said).to_have_count(3)
    for number, words in enumerate(
        (
            ("It cannot be sent again as it is", "mask", "the mask was lost", "by hand"),
            ("It may change the picture", "script_args[0]", "another list", "compare"),
            ("It changes nothing in the picture", "its mode", "nothing to do"),
        )
    ):
        for each in words:
            expect(said.nth(number)).to_contain_text(each)
    copier = detail(webui).get_by_role("button", name="Copy payload")
    expect(copier).to_be_disabled()
    expect(copier).to_have_attribute("title", "the mask was lost")


def test_host_facts_and_infotext_are_there(webui: WebuiPage, clean: Host) -> None:
    prompt = "fox " * 2000
    clean.generate(prompt=prompt, seed=7).raise_for_status()
    webui.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    webui.open("Payloads")
    detail(webui).get_by_text("Made with").click()
    facts = detail(webui).locator("dl")
    host = clean.latest()["host"]
    for words in (host["checkpoint"]["title"], host["webui"], host["python"], "fine"):
        expect(facts).to_contain_text(words)
    detail(webui).get_by_text("Infotext", exact=True).click()
    block = detail(webui).locator(".pc-infotext")
    expect(block).to_contain_text("fox fox")
    block.get_by_role("button", name="Copy infotext").click()
    expect(block.get_by_role("status")).to_contain_text("Copied, ")
    copied = pasted(webui.page)
    assert copied.startswith(prompt.strip())
    assert "Seed: 7" in copied


# ---- the tree


def test_script_arguments_have_the_labels_of_the_page(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", **fine(True, 0.7, "eyes", [])).raise_for_status()
    webui.open("Payloads")
    press(webui, "Unfold all")
    args = item(webui, "alwayson_scripts", "fine detail", "args").locator(f"> ul > {ITEM}")
    expect(args).to_have_text(
        [
            re.compile("^0Enable fine detailtrue"),
            re.compile("^1Strength0.7"),
            re.compile("^2Detail prompteyes"),
            re.compile("^3Points"),
        ]
    )


def test_all_folds_and_unfolds(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", **fine(True, 0.7, "eyes", [])).raise_for_status()
    webui.open("Payloads")
    inner = tree(webui).get_by_text("Enable fine detail")
    expect(inner).to_be_hidden()
    press(webui, "Unfold all")
    expect(inner).to_be_visible()
    press(webui, "Fold all")
    expect(inner).to_be_hidden()
    expect(tree(webui).locator(f"{ITEM}[aria-expanded=true]")).to_have_count(0)
    item(webui, "alwayson_scripts").locator("> .pc-head").click()
    expect(item(webui, "alwayson_scripts")).to_have_attribute("aria-expanded", "true")


def test_unfolding_everything_ends_where_it_would_be_too_much(
    webui: WebuiPage, clean: Host
) -> None:
    tables = [[list(range(20))] * 20] * 20
    clean.generate(prompt="a fox", **fine(True, 0.7, "eyes", tables)).raise_for_status()
    webui.open("Payloads")
    press(webui, "Unfold all")
    expect(detail(webui)).to_contain_text("There is more than is unfolded at once")
    assert tree(webui).locator(ITEM).count() <= 1100


def test_the_tree_is_walked_by_keys(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", **fine(True, 0.7, "eyes", [])).raise_for_status()
    webui.open("Payloads")
    keys = webui.page.keyboard
    first = tree(webui).locator(ITEM).first
    expect(first).to_have_attribute("tabindex", "0")
    first.focus()
    keys.press("ArrowDown")
    expect(tree(webui).locator(f"{ITEM}:focus")).to_contain_text("negative_prompt")
    scripts = item(webui, "alwayson_scripts")
    scripts.focus()
    keys.press("ArrowRight")
    expect(scripts).to_have_attribute("aria-expanded", "true")
    keys.press("ArrowRight")
    inner = tree(webui).locator(f"{ITEM}:focus")
    expect(inner).to_have_attribute("aria-expanded", "false")
    keys.press("ArrowLeft")
    expect(scripts).to_be_focused()
    keys.press("Enter")
    expect(scripts).to_have_attribute("aria-expanded", "false")
    expect(rows(webui)).to_have_count(1)


def test_values_and_paths_are_copied_by_pointer_and_by_keys(webui: WebuiPage, clean: Host) -> None:
    unit = {"image": picture(), "weight": 0.5, "odd.name": 1}
    clean.generate(prompt="word " * 400, **fine(True, 0.7, "eyes", [unit])).raise_for_status()
    webui.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    webui.open("Payloads")
    press(webui, "Unfold all")
    place = ("alwayson_scripts", "fine detail", "args", "3", "0")

    def copied(name: str) -> str:
        status = detail(webui).locator(".pc-bar .pc-status").first
        status.evaluate("one => one.replaceChildren()")  # what it says of the copy before
        press(webui, name)
        expect(status).to_contain_text("Copied, ")
        return pasted(webui.page)

    item(webui, "prompt").hover()
    assert copied("Copy value") == "word " * 400
    assert copied("Copy path") == "prompt"
    item(webui, *place, "image").hover()
    assert copied("Copy value") == unit["image"]
    assert copied("Copy path") == "alwayson_scripts.fine detail.args[3][0].image"
    item(webui, *place, "odd.name").hover()
    assert copied("Copy path") == 'alwayson_scripts.fine detail.args[3][0]["odd.name"]'
    item(webui, *place).locator("> .pc-head").hover()
    assert json.loads(copied("Copy value")) == unit
    item(webui, *place, "image").focus()
    for key in ("ArrowDown", "Tab"):
        webui.page.keyboard.press(key)
    expect(item(webui, *place, "weight").get_by_text("Copy value")).to_be_focused()
    webui.page.keyboard.press("Enter")
    expect(detail(webui).get_by_text("Copied, 3 bytes")).to_be_visible()
    assert pasted(webui.page) == "0.5"


def test_search_counts_unfolds_marks_and_goes_through(webui: WebuiPage, clean: Host) -> None:
    given = fine(True, 0.7, "Needle eyes", [{"needle": [1, {"deep": "a needle"}]}])
    clean.generate(prompt="no such thing", **given).raise_for_status()
    webui.open("Payloads")
    found = search(webui, "NEEDLE")
    expect(found).to_have_text("1 of 3")
    hits = tree(webui).locator(".pc-hit")
    expect(hits).to_have_count(3)
    expect(tree(webui).locator("mark")).to_have_text(["Needle", "needle", "needle"])
    for hit in hits.all():
        expect(hit).to_be_visible()
    current = tree(webui).locator(".pc-current")
    expect(current).to_contain_text("Needle eyes")
    press(webui, "Next hit")
    expect(found).to_have_text("2 of 3")
    webui.page.get_by_role("searchbox", name="Search in the payload").press("Enter")
    expect(found).to_have_text("3 of 3")
    expect(current).to_contain_text("a needle")
    expect(current).to_be_in_viewport()
    press(webui, "Next hit")
    expect(found).to_have_text("1 of 3")
    press(webui, "Previous hit")
    expect(found).to_have_text("3 of 3")
    expect(search(webui, "no such word")).to_have_text("nothing found")
    expect(tree(webui).locator("mark, .pc-hit")).to_have_count(0)
    expect(search(webui, "Enable fine")).to_have_text("1 of 1")
    webui.page.get_by_role("searchbox", name="Search in the payload").press("Escape")
    expect(found).to_have_text("")
    expect(tree(webui).locator("mark")).to_have_count(0)


def test_search_finds_what_is_not_on_the_page_yet(webui: WebuiPage, clean: Host) -> None:
    many = [f"entry {number}" for number in range(25_000)]
    prompt = "word " * 1000 + "hidden needle" + " word" * 1000
    clean.generate(prompt=prompt, **fine(True, 0.7, "", many)).raise_for_status()
    webui.open("Payloads")
    expect(search(webui, "entry 23456")).to_have_text("1 of 1")
    hit = tree(webui).locator(".pc-current")
    expect(hit).to_contain_text("entry 23456")
    expect(hit).to_be_in_viewport()
    assert tree(webui).locator(ITEM).count() < 700
    expect(search(webui, "hidden needle")).to_have_text("1 of 1")
    expect(tree(webui).locator(".pc-near mark")).to_have_text("hidden needle")
    expect(search(webui, "entry")).to_have_text("1 of 25,000, of which the first 1,000 are shown")


def test_long_lists_unfold_in_ranges(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", **fine(True, 0.7, "", list(range(25_000)))).raise_for_status()
    webui.open("Payloads")
    press(webui, "Unfold all")
    points = item(webui, "alwayson_scripts", "fine detail", "args", "3")
    expect(points).to_contain_text("25,000 items")
    expect(detail(webui)).to_contain_text("There is more than is unfolded at once")
    ranges = points.locator(f"> ul > {ITEM}")
    expect(ranges).to_have_text(["0 … 9,999", "10,000 … 19,999", "20,000 … 24,999"])
    ranges.nth(2).locator("> .pc-head").click()
    inner = ranges.nth(2).locator(f"> ul > {ITEM}")
    expect(inner).to_have_count(50)
    inner.last.locator("> .pc-head").click()
    expect(inner.last.locator(f"> ul > {ITEM}")).to_have_count(100)
    expect(inner.last.locator(f"> ul > {ITEM}").last).to_contain_text("24999")


def test_what_cannot_be_unfolded_says_why(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", **fine(True, 0.7, "", list(range(250)))).raise_for_status()
    webui.open("Payloads")
    press(webui, "Unfold all")
    last = tree(webui).get_by_role("treeitem", name="200 … 249")
    gone(webui, clean)
    last.locator("> .pc-head").click()
    expect(webui.page.locator(".pc-toast")).to_contain_text("was deleted")
    expect(last).to_have_attribute("aria-expanded", "false")
    expect(detail(webui)).to_contain_text("Payload")


def gone(webui: WebuiPage, host: Host) -> None:
    """The shown capture is deleted, and the page is not told."""
    deafen(webui)
    where = f"{host.url}/payload-capture/v1/captures/{host.latest()['id']}"
    host.session.delete(where, params={"forever": 1}).raise_for_status()


def test_the_shown_capture_stays_unfolded_when_it_is_chosen_again(
    webui: WebuiPage, clean: Host
) -> None:
    clean.generate(prompt="a fox").raise_for_status()
    webui.open("Payloads")
    settings = item(webui, "override_settings")
    settings.locator("> .pc-head").click()
    drawn = settings.element_handle()
    rows(webui).first.click()
    webui.page.keyboard.press("ArrowUp")
    webui.page.keyboard.press("Enter")
    ask = "() => payloadCapture.places.get('tab').channel.ask('captures', {})"
    webui.page.evaluate(ask)  # what was asked before is answered
    assert drawn.evaluate("one => one.isConnected && one.ariaExpanded") == "true"


def test_what_was_typed_and_what_it_became_are_trees_too(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", seed=-1).raise_for_status()
    latest = clean.latest()
    resolved = {"prompt": [f"fox {number}" for number in range(300)]}
    payload = latest["payload"] | {"prompt": "a __animal__"}
    imported(clean, latest | {"id": "resolved", "resolved": resolved, "payload": payload})
    webui.open("Payloads")
    rows(webui).filter(has_text="a __animal__").click()
    expect(tree(webui, "What was typed")).to_contain_text("-1")
    became = tree(webui, "What the prompts became")
    became.locator(".pc-head").first.click()
    became.get_by_text("200 … 299").click()
    expect(became).to_contain_text("fox 299")


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_page(webui: WebuiPage, clean: Host, width: int) -> None:
    given = {"init_images": [picture((900, 64))], "mask": picture((900, 64))}
    clean.generate("img2img", prompt="x" * 400, denoising_strength=0.5, **given).raise_for_status()
    webui.page.set_viewport_size({"width": width, "height": 900})
    webui.open("Payloads")
    expect(tree(webui)).to_be_visible()
    press(webui, "Unfold all")
    assert webui.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert detail(webui).evaluate("one => one.scrollWidth <= one.clientWidth")


def test_downloads_of_the_payload_are_complete(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", **fine(True, 0.7, "", [picture()])).raise_for_status()
    webui.open("Payloads")
    button = detail(webui).get_by_role("button", name="Download payload")
    _, text = downloaded(webui.page, button)
    assert json.loads(text) == clean.json("/captures/latest/request")["payload"]


def test_copying_on_a_page_without_a_clipboard(clean: Host, page: Page) -> None:
    page.add_init_script(
        """Object.defineProperty(window, "isSecureContext", {value: false});
        Object.defineProperty(navigator, "clipboard", {value: undefined});"""
    )
    clean.generate(prompt="a fox").raise_for_status()
    webui = WebuiPage(page, clean.url)
    webui.open("Payloads")
    item(webui, "prompt").hover()
    press(webui, "Copy value")
    expect(detail(webui).get_by_text("Copied, 5 bytes")).to_be_visible()
    assert pasted(page) == "a fox"
