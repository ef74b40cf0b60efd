"""What the page takes along of a capture, and what is dropped, chosen or pasted on it."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from hosts.webui_page import WebuiPage
from payload_capture import taking
from payload_capture.capture import Capture
from payload_capture.exports import FORMATS

from .conftest import Host, Start
from .page import deafen, detail, pasted, picture, rows, value

INSECURE = """
Object.defineProperty(window, "isSecureContext", {value: false});
Object.defineProperty(navigator, "clipboard", {value: undefined});
"""
CURL = "curl http://10.0.0.9:7860/sdapi/v1/txt2img -H 'Content-Type: application/json' -d '%s'"
FOX: dict[str, Any] = {"prompt": "a fox of elsewhere", "steps": 4, "width": 64, "height": 64}
DRAG = """([files, text]) => {
    const transfer = new DataTransfer();
    for (const [name, data] of files) {
        const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
    }
    if (text) transfer.setData("text/plain", text);
    return transfer;
}"""


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    """Here the page is open, and the routes want a password that it does not have."""
    host = start("--api-auth", "me:secret")
    host.session.auth = ("me", "secret")
    yield host
    assert host.process.errors() == []
    host.process.stop()


def section(webui: WebuiPage) -> Locator:
    return detail(webui).locator("details", has=webui.page.get_by_text("Take it along"))


def code(webui: WebuiPage) -> Locator:
    return section(webui).locator(".pc-code")


def choose(webui: WebuiPage, name: str) -> None:
    section(webui).get_by_role("tab", name=name, exact=True).click()


def button(webui: WebuiPage, name: str) -> Locator:
    return section(webui).get_by_role("button", name=name, exact=True)


def opened(webui: WebuiPage) -> None:
    """The tab with its newest capture, down to what can be taken along."""
    webui.open("Payloads")
    section(webui).get_by_role("tablist").scroll_into_view_if_needed()
    expect(code(webui)).to_contain_text("prompt")


def saved(webui: WebuiPage) -> Download:
    with webui.page.expect_download() as download:
        button(webui, "Download").click()
    return download.value


def generated(host: Host, **given: Any) -> None:
    images = {"init_images": [picture()], "denoising_strength": 0.5}
    host.generate("img2img", prompt='a "fox" 猫', **images, **given).raise_for_status()


# ---- out


def test_each_format_has_a_tab(webui: WebuiPage, clean: Host) -> None:
    generated(clean)
    opened(webui)
    tabs = section(webui).get_by_role("tab")
    expect(tabs).to_have_count(len(FORMATS))
    named = tabs.evaluate_all("all => all.map((tab) => tab.id.split('take_')[1])")
    assert sorted(named) == sorted(FORMATS)
    for number in range(tabs.count()):
        tabs.nth(number).click()
        expect(tabs.nth(number)).to_have_attribute("aria-selected", "true")
        expect(code(webui)).not_to_have_class(re.compile("pc-stale"))
        expect(code(webui)).to_contain_text(re.compile("sdapi/v1/img2img|denoising_strength"))
        expect(section(webui).locator(".pc-bad")).to_have_count(0)


def test_tabs_are_gone_through_by_keys(webui: WebuiPage, clean: Host) -> None:
    generated(clean)
    opened(webui)
    section(webui).get_by_role("tab", name="Payload", exact=True).focus()
    webui.page.keyboard.press("ArrowRight")
    expect(section(webui).get_by_role("tab", name="curl", exact=True)).to_be_focused()
    expect(code(webui)).to_contain_text("#!/usr/bin/env bash")
    webui.page.keyboard.press("ArrowLeft")
    webui.page.keyboard.press("ArrowLeft")
    expect(section(webui).get_by_role("tab", name="Postman")).to_be_focused()
    expect(rows(webui)).to_have_count(1)


@pytest.mark.parametrize(
    ("name", "coloured"),
    [
        ("Payload", {"name": '"steps"', "text": '"Euler"', "number": "2", "word": "true"}),
        ("Python", {"word": "import", "name": '"steps"', "number": "2", "comment": "# USER"}),
        ("JavaScript", {"word": "const", "comment": "// In the console", "text": '"POST"'}),
        ("curl", {"comment": "#!/usr/bin", "variable": "WEBUI_AUTH", "name": '"steps"'}),
    ],
)
def test_programs_have_colours(
    webui: WebuiPage, clean: Host, name: str, coloured: dict[str, str]
) -> None:
    clean.generate(prompt="a fox", sampler_name="Euler").raise_for_status()
    opened(webui)
    choose(webui, name)
    for kind, words in coloured.items():
        expect(code(webui).locator(f".pc-{kind}", has_text=words).first).to_be_visible()
    looks = {
        kind: code(webui)
        .locator(f".pc-{kind}")
        .first.evaluate("one => getComputedStyle(one).color")
        for kind in coloured
    }
    assert len(set(looks.values())) == len(looks)


def test_the_shown_text_is_only_text(webui: WebuiPage, clean: Host) -> None:
    hostile = '<img src=x onerror="window.hurt=1"></pre><script>window.hurt=1</script> \'" \\ #'
    clean.generate(prompt=hostile).raise_for_status()
    opened(webui)
    for name in ("Payload", "curl", "Python", "JavaScript", "HAR"):
        choose(webui, name)
        expect(code(webui)).to_contain_text("window.hurt=1")
    assert webui.page.evaluate("window.hurt") is None
    assert code(webui).locator("img, script").count() == 0


def test_what_is_copied_is_what_is_shown(webui: WebuiPage, clean: Host) -> None:
    generated(clean)
    webui.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(webui)
    choose(webui, "Python")
    expect(code(webui)).to_contain_text("import requests")
    button(webui, "Copy").click()
    expect(section(webui).get_by_role("status")).to_contain_text("Copied, ")
    text = pasted(webui.page)
    assert text == code(webui).evaluate("one => one.textContent")
    assert f'"{clean.url}"' in text
    assert '"prompt": \'a "fox" 猫\'' in text


def test_minimal_leaves_out_what_the_webui_fills_in(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox").raise_for_status()
    opened(webui)
    expect(code(webui)).to_contain_text("override_settings")
    section(webui).get_by_role("switch", name="Minimal").check()
    expect(code(webui)).not_to_contain_text("override_settings_restore_afterwards")
    where = f"/captures/{clean.latest()['id']}/request"
    expected = clean.json(where, form="minimal")["payload"]
    assert json.loads(code(webui).inner_text()) == expected


def test_pictures_lie_within_or_beside(webui: WebuiPage, clean: Host) -> None:
    generated(clean)
    opened(webui)
    beside = section(webui).get_by_role("switch", name="Pictures as files")
    expect(beside).to_be_disabled()
    choose(webui, "curl")
    expect(code(webui)).to_contain_text("iVBOR")
    beside.check()
    expect(code(webui)).not_to_contain_text("iVBOR")
    name = clean.latest()["id"]
    files = section(webui).get_by_role("list", name="Files in the zip").get_by_role("listitem")
    expect(files).to_contain_text([f"{name}.sh", f"{name}-input-1.png"])
    made = saved(webui)
    assert made.suggested_filename == f"{name}.curl.zip"
    with zipfile.ZipFile(made.path()) as archive:
        assert archive.namelist() == [f"{name}.sh", f"{name}-input-1.png"]
        assert archive.read(f"{name}.sh").decode() == code(webui).evaluate("o => o.textContent")


def test_a_zip_is_downloaded_and_not_copied(webui: WebuiPage, clean: Host) -> None:
    generated(clean)
    opened(webui)
    choose(webui, "Bundle")
    expect(button(webui, "Copy")).to_be_disabled()
    made = saved(webui)
    with zipfile.ZipFile(made.path()) as archive:
        assert "capture.json" in archive.namelist()
    expect(section(webui).get_by_role("status")).to_have_text(f"Saved as {made.suggested_filename}")


def test_of_a_huge_text_the_beginning_is_shown_and_all_is_taken(
    webui: WebuiPage, clean: Host
) -> None:
    clean.pretend(prompt="word " * 200_000)
    expected = clean.json("/captures/latest/request")["payload"]
    webui.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(webui)
    expect(section(webui)).to_contain_text("The beginning of 1.0 MB")
    assert len(code(webui).evaluate("one => one.textContent")) == taking.SHOWN
    button(webui, "Copy").click()
    expect(section(webui).get_by_role("status")).to_contain_text("Copied, 1.0 MB")
    assert json.loads(pasted(webui.page)) == expected
    assert json.loads(Path(saved(webui).path()).read_text("utf-8")) == expected


def test_a_capture_taken_along_comes_back(webui: WebuiPage, clean: Host) -> None:
    generated(clean)
    opened(webui)
    choose(webui, "Capture")
    made = saved(webui)
    latest = clean.latest()
    assert made.suggested_filename == f"{latest['id']}.json"
    text = Path(made.path()).read_text("utf-8")
    assert Capture.from_json(text).request() == clean.json("/captures/latest/request")["payload"]


def test_nothing_that_leaves_names_the_user(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox").raise_for_status()
    document = clean.latest()
    document["job"] |= {"user": "belinda", "error": "belinda stopped it"}
    where = f"{clean.url}/payload-capture/v1/captures"
    clean.session.delete(f"{where}/{document['id']}", params={"forever": 1}).raise_for_status()
    clean.session.post(where, data=json.dumps(document)).raise_for_status()
    opened(webui)
    expect(detail(webui)).to_contain_text("belinda stopped it")
    choose(webui, "Capture")
    expect(code(webui)).to_contain_text('"format": 1')
    assert "belinda" not in Path(saved(webui).path()).read_text("utf-8")


def test_copying_over_plain_http_says_when_it_did(clean: Host, page: Page) -> None:
    page.add_init_script(INSECURE)
    generated(clean)
    webui = WebuiPage(page, clean.url)
    opened(webui)
    choose(webui, "curl")
    expect(code(webui)).to_contain_text("--data-binary")
    button(webui, "Copy").click()
    expect(section(webui).get_by_role("status")).to_contain_text("Copied, ")
    assert pasted(page).startswith("#!/usr/bin/env bash")


def test_a_format_that_cannot_be_made_says_why(webui: WebuiPage, clean: Host) -> None:
    generated(clean)
    opened(webui)
    deafen(webui)
    where = f"{clean.url}/payload-capture/v1/captures/{clean.latest()['id']}"
    clean.session.delete(where, params={"forever": 1}).raise_for_status()
    choose(webui, "HAR")
    expect(section(webui).get_by_role("status")).to_contain_text("was deleted")
    button(webui, "Copy").click()
    expect(section(webui).get_by_role("status")).to_contain_text("Not copied: ")
    button(webui, "Download").click()
    expect(section(webui).get_by_role("status")).to_contain_text("Not downloaded: ")


# ---- in


def place(webui: WebuiPage) -> Locator:
    return webui.page.locator(".payload-capture[data-place=tab]")


def drop(webui: WebuiPage, *files: tuple[str, bytes], text: str = "") -> None:
    given = [[name, base64.b64encode(data).decode()] for name, data in files]
    transfer = webui.page.evaluate_handle(DRAG, [given, text])
    for kind in ("dragenter", "dragover", "drop"):
        place(webui).dispatch_event(kind, {"dataTransfer": transfer})


def paste(webui: WebuiPage, text: str, into: str = "body") -> None:
    webui.page.evaluate(
        """([text, into]) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            const given = {clipboardData, bubbles: true, cancelable: true};
            document.querySelector(into).dispatchEvent(new ClipboardEvent("paste", given));
        }""",
        [text, into],
    )


def toast(webui: WebuiPage, words: str, seconds: float = 20) -> Locator:
    found = webui.page.locator(".pc-toast", has_text=words)
    expect(found.first).to_be_visible(timeout=seconds * 1000)
    return found


def har(payload: dict[str, Any]) -> bytes:
    post = {"mimeType": "application/json", "text": json.dumps(payload)}
    asked = {"method": "POST", "url": "http://h:7860/sdapi/v1/txt2img", "postData": post}
    return json.dumps({"log": {"version": "1.2", "entries": [{"request": asked}]}}).encode()


def png(host: Host) -> bytes:
    host.generate(prompt="a fox in a picture", seed=77).raise_for_status()
    data = host.get("/captures/latest/results/0").content
    where = f"{host.url}/payload-capture/v1/captures/{host.latest()['id']}"
    host.session.delete(where, params={"forever": 1}).raise_for_status()
    return data


@pytest.mark.parametrize("kind", ["png", "json", "har", "curl"])
def test_a_dropped_file_is_imported_and_shown(webui: WebuiPage, clean: Host, kind: str) -> None:
    files = {
        "png": lambda: png(clean),
        "json": lambda: json.dumps(FOX).encode(),
        "har": lambda: har(FOX),
        "curl": lambda: (CURL % json.dumps(FOX)).encode(),
    }
    prompt = "a fox in a picture" if kind == "png" else FOX["prompt"]
    data = files[kind]()
    webui.open("Payloads")
    expect(webui.page.get_by_text("No captures yet")).to_be_visible()
    drop(webui, (f"fox.{kind}", data))
    toast(webui, "Imported.")
    expect(rows(webui)).to_have_count(1)
    expect(value(detail(webui), "prompt")).to_have_text(prompt)


def test_a_dropped_line_of_text_is_imported(webui: WebuiPage, clean: Host) -> None:
    webui.open("Payloads")
    drop(webui, text=CURL % json.dumps(FOX))
    toast(webui, "Imported.")
    expect(value(detail(webui), "prompt")).to_have_text(FOX["prompt"])


def test_the_place_shows_that_it_takes_what_is_dragged(webui: WebuiPage) -> None:
    webui.open("Payloads")
    veil = place(webui).locator(".pc-veil")
    expect(veil).to_be_hidden()
    transfer = webui.page.evaluate_handle(DRAG, [[["a.json", ""]], ""])
    place(webui).dispatch_event("dragenter", {"dataTransfer": transfer})
    expect(veil).to_be_visible()
    expect(veil).to_contain_text("Drop a PNG, a JSON, a HAR or a curl line")
    place(webui).dispatch_event("dragleave", {"dataTransfer": transfer})
    expect(veil).to_be_hidden()


@pytest.mark.parametrize("made", ["curl", "json"])
def test_pasted_text_is_imported(webui: WebuiPage, clean: Host, made: str) -> None:
    text = json.dumps(FOX)
    webui.open("Payloads")
    paste(webui, CURL % text if made == "curl" else text)
    toast(webui, "Imported.")
    expect(value(detail(webui), "prompt")).to_have_text(FOX["prompt"])


def test_text_is_pasted_elsewhere_as_ever(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox").raise_for_status()
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(1)
    paste(webui, json.dumps(FOX), ".pc-search")
    webui.open("txt2img")
    paste(webui, json.dumps(FOX))
    expect(webui.page.locator(".pc-toast")).to_have_count(0)
    webui.open("Payloads")
    expect(value(detail(webui), "prompt")).to_have_text("a fox")
    assert len(clean.json("/captures")["captures"]) == 1


def test_the_button_takes_files(webui: WebuiPage, clean: Host, tmp_path: Path) -> None:
    names = ["one", "two", "three"]
    for name in names:
        (tmp_path / f"{name}.json").write_text(json.dumps(FOX | {"prompt": name}))
    webui.open("Payloads")
    with webui.page.expect_file_chooser() as chooser:
        webui.page.get_by_role("button", name="Import", exact=True).click()
    chooser.value.set_files([tmp_path / f"{name}.json" for name in names])
    toast(webui, "Imported 3 captures.")
    expect(rows(webui)).to_have_count(3)
    expect(value(detail(webui), "prompt")).to_have_text("one")


def test_what_is_known_is_said_and_shown(webui: WebuiPage, clean: Host) -> None:
    for prompt in ("one", "two"):
        clean.generate(prompt=prompt).raise_for_status()
    older = clean.json("/captures")["captures"][1]["id"]
    webui.open("Payloads")
    expect(value(detail(webui), "prompt")).to_have_text("two")
    data = clean.get(f"/captures/{older}/export", params={"format": "json"}).content
    drop(webui, ("one.json", data))
    toast(webui, "This capture was here already.")
    expect(value(detail(webui), "prompt")).to_have_text("one")
    assert len(clean.json("/captures")["captures"]) == 2


def test_what_is_no_capture_fails_with_the_reason(webui: WebuiPage, clean: Host) -> None:
    webui.open("Payloads")
    drop(webui, ("notes.txt", b"just some notes"), ("fox.json", json.dumps(FOX).encode()))
    toast(webui, "Not imported: notes.txt: ")
    toast(webui, "Imported.")
    expect(webui.page.locator(".pc-toast", has_text="Importing")).to_have_count(0)
    expect(value(detail(webui), "prompt")).to_have_text(FOX["prompt"])


def test_of_many_in_one_file_each_fault_is_told(webui: WebuiPage, clean: Host) -> None:
    lines = [json.dumps(FOX), '{"format": 1, "id": "bad"}', json.dumps(FOX | {"seed": 2})]
    webui.open("Payloads")
    drop(webui, ("many.jsonl", "\n".join(lines).encode()))
    toast(webui, "Imported 2 captures.")
    toast(webui, "Not imported: many.jsonl, 2: ")


def test_a_large_file_comes_in_portions(webui: WebuiPage, clean: Host) -> None:
    prompt = "word " * 2_000_000
    asked: list[str] = []
    webui.page.on("request", lambda request: asked.append(request.post_data or ""))
    webui.open("Payloads")
    drop(webui, ("large.json", json.dumps(FOX | {"prompt": prompt}).encode()))
    toast(webui, "Imported.", seconds=90)
    parts = [data for data in asked if '\\"upload\\"' in data]
    assert len(parts) == 3
    assert max(map(len, parts)) < 7 << 20
    assert clean.latest()["payload"]["prompt"] == prompt


def test_too_large_a_file_is_not_even_sent(webui: WebuiPage, clean: Host) -> None:
    webui.open("Payloads")
    webui.page.evaluate(
        """() => {
            const file = new File(["x"], "huge.zip");
            Object.defineProperty(file, "size", {value: 300 * 2 ** 20});
            payloadCapture.places.get("tab").importer.take([file]);
        }"""
    )
    toast(webui, "Not imported: huge.zip: it has 315 MB, and the page takes 268 MB at most")


def test_listeners_go_when_the_place_is_drawn_anew(webui: WebuiPage, clean: Host) -> None:
    webui.page.evaluate(
        """() => {
            const drawn = document.querySelector(".payload-capture[data-place=tab]");
            drawn.textContent = "";
            drawn.removeAttribute("data-drawn");
        }"""
    )
    webui.open("Payloads")
    expect(webui.page.get_by_text("No captures yet")).to_be_visible()
    paste(webui, json.dumps(FOX))
    toast(webui, "Imported.")
    expect(rows(webui)).to_have_count(1)
    drop(webui, ("two.json", json.dumps(FOX | {"prompt": "two"}).encode()))
    expect(rows(webui)).to_have_count(2)
    assert len(clean.json("/captures")["captures"]) == 2
