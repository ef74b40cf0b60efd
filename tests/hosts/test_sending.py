"""Each kind of generation: made on the page, sent back to the page, generated again, the same.

A kind or two for each sort of field always run; all others are marked `soak`:
``python3 tests -m "soak or not soak" tests/hosts/test_sending.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import TimeoutError

from all_kinds import KINDS
from fidelity import NOT_THERE, Outcome
from kinds import Models, Scene
from payload_replay import WebUI
from payload_replay.capture import UPSCALE, Capture
from test_roundtrip import Settings, latest_id, made, settings
from webui_page import NotThere, WebuiPage

pytestmark = pytest.mark.waits

__all__ = ["settings"]
REPEATABLE = [
    name for name, kind in KINDS.items() if kind.verdict not in ("refused", "as it falls")
]
"""The others come out otherwise each time, whatever the page holds."""
SHORT = [
    "plain",
    "variation",
    "sampling",
    "refiner",
    "hires_latent",
    "hires_prompt",
    "upscale_button",
    "styles",
    "lora",
    "img2img_rgba",
    "resize_by",
    "inpaint_drawn",
    "only_masked",
    "batch_upload",
    "batch_folder",
    "xyz_prompt_steps",
    "xyz_img2img",
    "prompt_matrix",
    "prompts_from_textbox",
    "loopback",
    "sd_upscale",
    "extras_single",
    "extras_sized",
    "extras_batch",
    "clip_skip",
    "another_checkpoint",
    "hires_modules",
    "controlnet_canny",
    "api_infotext",
    "api_extras",
]
ALL = [pytest.param(n, marks=[] if n in SHORT else pytest.mark.soak) for n in REPEATABLE]
ALL_SET = (
    "All set: Generate makes this picture again.",
    "All set: the ✨ button below the picture makes this picture again.",
)
LOOKS = 20
SETTING = "which “Override settings” cannot set: set it in Settings"


@pytest.fixture(scope="module")
def second(open_page: Callable[[], WebuiPage]) -> WebuiPage:
    return open_page()


@pytest.fixture
def receiver(second: WebuiPage, outcome: Outcome) -> Iterator[WebuiPage]:
    """The page that is filled in: another than the one that made the pictures, on which the kind
    before was filled in last."""
    yield second
    if outcome.verdict != "identical":
        second.load()


@pytest.mark.parametrize("name", ALL)
def test_fills_the_page(
    name: str,
    scene: Scene,
    receiver: WebuiPage,
    models: Models,
    client: WebUI,
    settings: Settings,
    outcome: Outcome,
) -> None:
    kind = KINDS[name]
    before = latest_id(scene.host)
    try:
        settings.set(kind.options(models) if callable(kind.options) else kind.options)
        made(kind, scene)
    except NotThere as missing:
        outcome.say(NOT_THERE, str(missing))
        return
    capture = client.captures.latest()
    assert capture.id != before, "nothing was captured"
    scene.page.finished()
    settings.reset()
    said = sent(receiver, capture)
    receiver.generate("upscale" if capture.endpoint == UPSCALE else "generate")
    again = client.captures.latest()
    assert again.id != capture.id, "nothing was generated again"
    same = pixels(again) == pixels(capture)
    outcome.say("identical" if same else "listed", said)
    if said in ALL_SET:
        assert same, changed(capture.payload, again.payload)
    else:
        unsent = kind.unsent or (SETTING if kind.options else "")
        assert unsent, f"the page could not be filled in: {said}"
        assert re.search(unsent, said)


def pixels(capture: Capture) -> list[str]:
    return [result.sha256 for result in capture.samples or capture.results]


def changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What differs between two payloads, for whoever reads why a test failed."""
    names = (name for name in {**one, **other} if one.get(name) != other.get(name))
    return "; ".join(f"{name}: {one.get(name)!r} became {other.get(name)!r}" for name in names)


def sent(page: WebuiPage, capture: Capture) -> str:
    """Send a capture from the Payloads tab to the tab that fits it. Returns what the page says."""
    page.page.bring_to_front()  # a page behind another draws nothing
    page.open("Payloads")
    button = page.page.locator(f".pc-detail .pc-send[data-capture='{capture.id}'] button")
    for _ in range(LOOKS):
        page.page.locator(".pc-row").first.click()
        try:
            button.click(timeout=1500)
            break
        except TimeoutError:
            continue  # the list did not have it yet
    toast = page.page.locator(".pc-toast > span").last
    toast.wait_for(timeout=60_000)
    said = toast.inner_text()
    page.page.locator(".pc-toast button").last.click()
    shown = page.page.locator("#tabs > .tab-nav > button.selected").inner_text().strip()
    page.tab = shown
    return said
