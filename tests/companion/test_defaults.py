"""A server's defaults, from its own lists."""

from __future__ import annotations

import pytest

from fake_webui import API, CHECKPOINT, NO_ROUTE, FakeWebUI
from payload_replay import Capture, WebUI
from payload_replay.defaults import of_server

pytestmark = pytest.mark.once

BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}
SCHEMA = {
    "paths": {f"{API}/txt2img": {"post": {"requestBody": BODY}}},
    "components": {"schemas": {"T": {"properties": {"steps": {"default": 50}, "prompt": {}}}}},
}


def test_a_payload_without_what_the_server_fills_in(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("GET", "/openapi.json", body=SCHEMA)
    args = [{"label": "Enable", "value": False}, {"label": "Strength", "value": 0.5}]
    script = {"name": "detailer", "is_alwayson": True, "is_img2img": False, "args": args}
    fake.lists["script-info"] = [script, {**script, "is_img2img": True, "args": []}]
    capture = Capture.from_payload(
        {
            "prompt": "a cat",
            "steps": 50,
            "override_settings": {"sd_model_checkpoint": CHECKPOINT["title"]},
            "alwayson_scripts": {"detailer": {"args": [False, 0.9]}},
        }
    )
    assert webui.minimal(capture).payload == {"prompt": "a cat"}


@pytest.mark.parametrize(
    "script",
    [
        {"name": "d", "is_alwayson": True},
        {"name": "d", "is_alwayson": True, "args": None},
        {"name": "d", "is_alwayson": True, "args": [None, {"label": "Enable", "value": False}]},
    ],
)
def test_a_script_whose_arguments_cannot_be_read(
    fake: FakeWebUI, webui: WebUI, script: dict[str, object]
) -> None:
    fake.lists["script-info"] = [script]
    payload = {"prompt": "a cat", "alwayson_scripts": {"d": {"args": [False]}}}
    assert webui.minimal(Capture.from_payload(payload)).payload == payload


def test_an_argument_without_a_label(fake: FakeWebUI, webui: WebUI) -> None:
    script = {"name": "d", "is_alwayson": True, "args": [{"label": None, "value": 1}]}
    fake.lists["script-info"] = [script, "odd"]
    found = of_server(webui)(f"{API}/txt2img")
    assert (found.scripts, found.labels) == ({"d": [1]}, {"d": [""]})


def test_the_schema_is_asked_for_once(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("GET", "/openapi.json", body=SCHEMA)
    webui.track = True
    webui.txt2img({})
    of_server(webui), of_server(webui)
    assert [one.path for one in fake.asked].count("/openapi.json") == 1


@pytest.mark.parametrize("schema", [None, {"paths": []}, {"paths": {f"{API}/txt2img": {}}}])
def test_what_a_server_does_not_tell_is_said_by_the_payload(
    fake: FakeWebUI, webui: WebUI, schema: object
) -> None:
    if schema is not None:
        fake.answer("GET", "/openapi.json", body=schema)
    fake.answers["GET", f"{API}/script-info"] = NO_ROUTE
    payload = {"prompt": "a cat", "steps": 50, "alwayson_scripts": {"d": {"args": [False]}}}
    assert webui.minimal(Capture.from_payload(payload)).payload == payload


def test_the_button_for_upscaling_is_txt2img(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("GET", "/openapi.json", body=SCHEMA)
    defaults = of_server(webui)("/payload-capture/v1/run/txt2img-upscale")
    assert defaults.fields == {"steps": 50}
