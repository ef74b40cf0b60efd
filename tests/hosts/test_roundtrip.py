"""Each kind of generation: made on the page, captured, sent back, the same picture."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page

from kinds import KINDS, Models, Scene
from payload_replay import WebUI
from payload_replay.capture import Capture
from payload_replay.images import hashed
from webui_page import WebuiPage

API = "/payload-capture/v1"


@pytest.fixture
def client(host: str) -> WebUI:
    return WebUI(host)


@pytest.fixture
def options(host: str, models: Models, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Sets the kind's options globally; the test sets them back with the yielded values."""
    kind = KINDS[request.getfixturevalue("name")]
    wanted = kind.options(models) if callable(kind.options) else kind.options
    url = f"{host}/sdapi/v1/options"
    before = requests.get(url, timeout=60).json()
    reset: dict[str, Any] = {"sd_model_checkpoint": models.checkpoints[0], "sd_vae": "Automatic"}
    reset["forge_additional_modules"] = []
    normal = {name: reset.get(name, before[name]) for name in {*wanted, "sd_model_checkpoint"}}
    # Without it an init image's encoding depends on the job before, whatever a payload says.
    normal["payload_capture_repeatable"] = True
    requests.post(url, json=normal | dict(wanted), timeout=60).raise_for_status()
    yield normal
    requests.post(url, json=normal, timeout=60).raise_for_status()


@pytest.mark.parametrize("name", KINDS)
def test_comes_back(
    name: str,
    host: str,
    models: Models,
    client: WebUI,
    page: Page,
    pictures: tuple[Path, Path],
    options: dict[str, Any],
) -> None:
    kind = KINDS[name]
    if kind.needs:
        assert getattr(models, kind.needs), f"the host has no {kind.needs}: give it some"
    webui = WebuiPage(page, host)
    before = latest_id(host)
    kind.arrange(Scene(webui, models, *pictures))
    webui.generate()
    capture = client.captures.latest()
    assert capture.id != before, "nothing was captured"
    expected = [result.sha256 for result in capture.samples]
    assert len(expected) == kind.pictures
    assert set(expected) <= {hashed(picture) for picture in webui.gallery()}
    assert page.title() != "owned"

    requests.post(f"{host}/sdapi/v1/options", json=options, timeout=60).raise_for_status()
    assert raw_replay(host) >= set(expected), "the request, sent unchanged, made another picture"
    state = client.options()
    replay = client.replay(capture)
    assert (replay.verdict, replay.reason) == ("identical", replay.reason)
    assert client.options() == state


def latest_id(host: str) -> str | None:
    answer = requests.get(f"{host}{API}/captures", params={"limit": 1}, timeout=60).json()
    return answer["captures"][0]["id"] if answer["captures"] else None


def raw_replay(host: str) -> set[str]:
    """Send what ``/captures/latest/request`` says, with nothing but `requests`."""
    sent = requests.get(f"{host}{API}/captures/latest/request", timeout=60).json()
    answer = requests.post(host + sent["endpoint"], json=sent["payload"], timeout=120)
    assert answer.ok, answer.text[:1000]
    pictures = (base64.b64decode(text) for text in answer.json()["images"])
    return {hashed(Image.open(io.BytesIO(data))) for data in pictures}


def test_an_api_generation_comes_back(host: str, client: WebUI) -> None:
    payload = {"prompt": "a fox", "steps": 2, "width": 64, "height": 64, "seed": -1}
    answer = requests.post(f"{host}/sdapi/v1/txt2img", json=payload, timeout=120).json()
    (made,) = answer["images"]
    capture: Capture = client.captures.latest()
    assert capture.job.source == "api"
    assert [r.sha256 for r in capture.samples] == [
        hashed(Image.open(io.BytesIO(base64.b64decode(made))))
    ]
    assert client.replay(capture).verdict == "identical"
