"""The defaults by which requests are matched, against what a webui of this flavour tells."""

from __future__ import annotations

import requests

from payload_replay import WebUI
from payload_replay.capture import IMG2IMG, TXT2IMG
from payload_replay.matching import expected, form, matches
from webui_standin import Process

NAMES = {
    "StableDiffusionProcessingTxt2Img": TXT2IMG,
    "StableDiffusionProcessingImg2Img": IMG2IMG,
}


def test_every_default_of_the_api_says_nothing(standin: Process) -> None:
    api = requests.get(f"{standin.url}/openapi.json", timeout=30).json()
    for name, endpoint in NAMES.items():
        fields = api["components"]["schemas"][name]["properties"]
        defaults = {field: told.get("default") for field, told in fields.items()}
        assert form(endpoint, defaults).fields == {}


def test_a_capture_answers_to_the_request_that_made_it(standin: Process) -> None:
    """Though it pins what the request had left to the server."""
    client = WebUI(standin.url, timeout=60)
    payload = {"prompt": "hills", "steps": 1, "width": 64, "height": 64}
    client.txt2img(payload)
    capture = client.captures.latest()
    assert matches(form(TXT2IMG, payload), expected(capture))
    assert not matches(form(TXT2IMG, payload | {"cfg_scale": 3}), expected(capture))
