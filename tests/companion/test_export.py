"""Every form brings the same payload back."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest
from PIL import Image

from fake_webui import FakeWebUI, png
from payload_replay import AssetError, Capture, WebUI
from payload_replay.export import FORMATS, SUFFIXES
from payload_replay.source import from_bytes

pytestmark = pytest.mark.once


@pytest.fixture
def capture(fake: FakeWebUI, captured, picture_in_payload) -> Capture:
    data = png(Image.new("RGB", (16, 16), "blue"))
    place, assets = picture_in_payload(data, False)
    fake.assets[place["$asset"]] = data
    made = captured({"init_images": [place], "own": {"$$asset": "mine"}})
    return dataclasses.replace(made, assets=made.assets | assets, template={"init_images": [place]})


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_exported_asks_for_the_same(webui: WebUI, capture: Capture, name: str) -> None:
    asked = capture.request(webui.captures.asset)
    again = from_bytes(FORMATS[name](capture, webui.captures.asset), "txt2img")
    assert again.request() == asked


def test_json_stands_alone_and_can_be_posted(webui: WebUI, capture: Capture) -> None:
    document = json.loads(FORMATS["json"](capture, webui.captures.asset))
    assert base64.b64decode(document["payload"]["init_images"][0]).startswith(b"\x89PNG")
    assert document["template"] == {"init_images": document["payload"]["init_images"]}
    assert list(document["assets"]) == [capture.results[0].asset]
    assert all(asset["data"] for asset in document["assets"].values())
    assert Capture.from_dict(document).results == capture.results


def test_payload_is_nothing_but_the_body(webui: WebUI, capture: Capture) -> None:
    body = json.loads(FORMATS["payload"](capture, webui.captures.asset))
    assert body == capture.request(webui.captures.asset)
    assert body["own"] == {"$asset": "mine"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_that_is_not_there(capture: Capture, name: str) -> None:
    with pytest.raises(AssetError):
        FORMATS[name](capture, None)


def test_each_form_has_a_suffix() -> None:
    assert FORMATS.keys() == SUFFIXES.keys()
