"""The extension's places on a webui's page, as a test looks at them and presses their buttons.

A page takes seconds to load, so the tests of a module share one (`webui` in `conftest`): before
each of them the places are drawn anew, with nothing remembered of the test before.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import Error, Locator, Page, expect

from hosts.webui_page import WebuiPage
from payload_capture.exports import held
from stored import make

if TYPE_CHECKING:
    from .conftest import Host

expect.set_options(timeout=20_000)

UNCOVER = """() => {
    document.querySelectorAll("dialog[open]").forEach((one) => one.close());
    document.querySelectorAll(".pc-toast button:last-child").forEach((one) => one.click());
}"""
"""Below a dialog that a test left open, no button of the page can be pressed."""
REDRAW = """() => {
    localStorage.clear();
    sessionStorage.clear();
    for (const place of document.querySelectorAll(".payload-capture[data-place]")) {
        place.replaceChildren();
        place.removeAttribute("data-drawn");
    }
}"""
DRAWN = """() => [...document.querySelectorAll(".payload-capture[data-place]")].every(
    (place) => place.dataset.drawn && place.childElementCount)"""


def renew(webui: WebuiPage) -> None:
    """The page as if it had just been loaded, as far as tests change it."""
    try:
        webui.page.unroute_all()
        webui.page.set_viewport_size({"width": 1280, "height": 720})
        webui.page.evaluate(UNCOVER)
        webui.reset()
        webui.open("txt2img")
        webui.page.evaluate(REDRAW)
        webui.page.wait_for_function(DRAWN)
    except (Error, AssertionError):
        webui.load()


def deafen(webui: WebuiPage) -> None:
    """Let the tab hear of no change any more."""
    webui.page.evaluate("() => payloadCapture.places.get('tab').bell.close()")


def rows(webui: WebuiPage) -> Locator:
    return webui.page.locator(".pc-row")


def detail(webui: WebuiPage) -> Locator:
    return webui.page.locator(".pc-detail")


def drawn(webui: WebuiPage) -> None:
    """Wait until the detail shows the capture that is selected, and not the one before."""
    webui.page.wait_for_function(
        """() => {
            const send = document.querySelector(".pc-detail .pc-send");
            return send && send.dataset.capture === payloadCapture.places.get("tab").selected;
        }"""
    )


def accordion(webui: WebuiPage, tab: str = "txt2img") -> Locator:
    """The tab's accordion, opened, and what is in it scrolled to: it is drawn where it is seen."""
    webui.open(tab)
    found = webui.page.locator(f"#payload_capture_{tab}_accordion")
    head = found.locator(".label-wrap").first
    if "open" not in (head.get_attribute("class") or "").split():
        head.click()
    found.locator(".payload-capture").scroll_into_view_if_needed()
    return found


def generate(webui: WebuiPage, prompt: str, seed: int = 1) -> None:
    """Fill in and press Generate as soon as the page is ready for it, without waiting."""
    tab = webui.tab
    webui.finished()
    expect(webui.page.locator(f"#{tab}_interrupt")).to_be_hidden()
    webui.text(f"{tab}_prompt", prompt)
    for name, value in (("width", 64), ("height", 64), ("steps", 2), ("seed", seed)):
        webui.number(f"{tab}_{name}", value)
    webui.page.wait_for_timeout(250)
    webui.press()


def unfold(webui: WebuiPage) -> None:
    """Open all that can be folded in the extension's places."""
    webui.page.locator(".payload-capture details").evaluate_all(
        "all => all.forEach((one) => one.open = true)"
    )


WIDE = """() => [...document.querySelectorAll(
    "html, .payload-capture, .payload-capture-dialog, .payload-capture-toasts"
)].filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => `${one.tagName} ${one.className}, ${one.scrollWidth} of ${one.clientWidth}`)"""


def fits(webui: WebuiPage) -> None:
    """Nothing of ours is wider than the page, once the webui has arranged its columns."""
    with contextlib.suppress(Error):  # what is still too wide is named below
        webui.page.wait_for_function(f"() => !({WIDE})().length", timeout=3000)
    wide = webui.page.evaluate(WIDE)
    assert not wide, wide


def value(place: Locator, name: str, title: str = "Payload") -> Locator:
    """What the tree shows for a field of the payload."""
    tree = place.get_by_role("tree", name=title, exact=True)
    field = tree.locator(":scope > li", has=place.page.locator(f".pc-key:text-is('{name}')"))
    return field.locator(":scope > .pc-text, :scope > .pc-value, :scope > .pc-long > .pc-text")


def pasted(page: Page) -> str:
    """The clipboard, as a person gets it out."""
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('textarea'), {id: 'to'}))"
    )
    page.focus("#to")
    page.keyboard.press("Control+V")
    text: str = page.evaluate(
        "() => { const to = document.getElementById('to'); to.remove(); return to.value }"
    )
    return text


def downloaded(page: Page, button: Locator) -> tuple[str, str]:
    """(name, text) of the file that a button saves."""
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_text("utf-8")


def captured(host: Host, number: int) -> bool:
    return len(host.json("/captures")["captures"]) == number


def arrive(webui: WebuiPage, host: Host, number: int, seconds: float = 30) -> None:
    """Wait until the host has this many captures; what the test itself routes goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while not captured(host, number):
        assert time.monotonic() < deadline, f"there are not {number} captures"
        webui.page.wait_for_timeout(50)


def picture(size: tuple[int, int] = (64, 64), colour: str = "teal") -> str:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "png")
    return base64.b64encode(out.getvalue()).decode()


# ---- the gallery


def fill(host: Host, *captures: Any) -> None:
    """Put captures into the host's store, as `make` makes them, in this order."""
    texts = []
    for capture, files in captures:
        texts.append(json.dumps(held(capture, files.__getitem__).to_dict()))
    where = f"{host.url}/payload-capture/v1/captures"
    answer = host.session.post(where, data="\n".join(texts).encode())
    assert answer.status_code == 201, answer.text


def several(host: Host, *words: str) -> None:
    """Captures of these prompts; the last is the newest."""
    fill(host, *(make(number, prompt) for number, prompt in enumerate(words, 1)))


def shown(webui: WebuiPage) -> Locator:
    return rows(webui).locator(".pc-prompt")


def press(webui: WebuiPage, name: str) -> None:
    webui.page.get_by_role("button", name=name, exact=True).click()


def keys(webui: WebuiPage, *names: str) -> None:
    for name in names:
        webui.page.keyboard.press(name)


def current(webui: WebuiPage) -> Locator:
    return webui.page.locator(".pc-row[aria-current=true]")


def prompts(host: Host, **filters: Any) -> list[str]:
    return [row["prompt"] for row in host.json("/captures", **filters)["captures"]]


def summary(dialog: Locator) -> Locator:
    """What a dialog says of all its replays; the messages over it are a status as well."""
    return dialog.locator("p").and_(dialog.get_by_role("status"))
