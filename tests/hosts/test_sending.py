"""Each kind of generation: made on the page, sent back to the page, generated again, the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from all_kinds import KINDS, Kind
from fidelity import NOT_THERE, Outcome
from kinds import Models, Scene
from payload_replay import WebUI
from payload_replay.capture import Capture
from test_roundtrip import Settings, latest_id, made, settings
from webui_page import NotThere, WebuiPage

__all__ = ["settings"]
ON_THE_PAGE = {name: kind for name, kind in KINDS.items() if kind.sent is not None}
ALL_SET = "All set: Generate makes this picture again."
TABS = {"txt2img": "txt2img", "img2img": "img2img", "extras": "Extras"}


@pytest.mark.parametrize("name", ON_THE_PAGE)
def test_fills_the_page(
    name: str, scene: Scene, models: Models, client: WebUI, settings: Settings, outcome: Outcome
) -> None:
    kind, page = KINDS[name], scene.page
    before = latest_id(scene.host)
    try:
        settings.set(kind.options(models) if callable(kind.options) else kind.options)
        made(kind, scene)
    except NotThere as missing:
        outcome.say(NOT_THERE, str(missing))
        return
    capture = client.captures.latest()
    assert capture.id != before, "nothing was captured"
    page.finished()
    settings.reset()
    page.load()

    said = sent(page, capture)
    page.generate()
    again = client.captures.latest()
    assert again.id != capture.id, "nothing was generated again"
    outcome.say("identical" if pixels(again) == pixels(capture) else "differs", said)
    print(f"{name}: {outcome.verdict}: {said}")
    assert said == ALL_SET
    assert outcome.verdict == "identical"


def pixels(capture: Capture) -> list[str]:
    return [result.sha256 for result in capture.samples or capture.results]


def sent(page: WebuiPage, capture: Capture) -> str:
    """Send a capture from the Payloads tab to the tab that fits it. Returns what the page says."""
    page.open("Payloads")
    page.page.locator(".pc-row").first.click()
    button = page.page.locator(".pc-detail .pc-send button")
    button.click()
    toast = page.page.locator(".pc-toast > span").last
    toast.wait_for(timeout=60_000)
    said = toast.inner_text()
    page.page.locator(".pc-toast button").last.click()
    shown = page.page.locator("#tabs > .tab-nav > button.selected").inner_text().strip()
    page.tab = shown
    return said
