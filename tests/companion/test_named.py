"""What a payload names, by path and kind."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from json_values import json_values
from payload_replay import Capture
from payload_replay.capture import IMG2IMG, UPSCALE, Host, Model
from payload_replay.named import named, tab_of

pytestmark = pytest.mark.once


def test_everything_that_a_server_can_lack() -> None:
    capture = Capture.from_payload(
        {
            "prompt": "an Easy cat <lora:style:1> <hypernet:h:0.5>",
            "hr_prompt": "<lyco:other>",
            "styles": ["painted"],
            "scheduler": "Karras",
            "hr_scheduler": "Use same scheduler",
            "hr_upscaler": "Latent",
            "refiner_checkpoint": "beta",
            "hr_checkpoint_name": "",
            "script_name": "X/Y/Z plot",
            "alwayson_scripts": {"ControlNet": {"args": []}},
            "override_settings": {"sd_model_checkpoint": "alpha", "sd_vae": "soft.pt"},
        }
    )
    host = Host(embeddings=[Model("easy", "easy"), Model("gone", "gone")])
    assert sorted(named(dataclasses.replace(capture, host=host))) == [
        ("alwayson_scripts.ControlNet", "txt2img scripts", "controlnet"),
        ("hr_prompt", "LoRAs", "other"),
        ("hr_upscaler", "upscalers", "Latent"),
        ("override_settings.sd_model_checkpoint", "checkpoints", "alpha"),
        ("override_settings.sd_vae", "vaes", "soft.pt"),
        ("prompt", "LoRAs", "style"),
        ("prompt", "embeddings", "easy"),
        ("prompt", "embeddings", "gone"),
        ("prompt", "hypernetworks", "h"),
        ("refiner_checkpoint", "refiners", "beta"),
        ("scheduler", "schedulers", "Karras"),
        ("script_name", "txt2img scripts", "x/y/z plot"),
        ("styles[0]", "styles", "painted"),
    ]


def test_the_tab_whose_scripts_run() -> None:
    assert (tab_of(IMG2IMG), tab_of(UPSCALE)) == ("img2img", "txt2img")


JSON = json_values(st.text(max_size=5), st.text(max_size=3), st.nothing(), leaves=6)
FIELDS = st.sampled_from(
    ["prompt", "styles", "override_settings", "alwayson_scripts", "script_name", "scheduler"]
)


@given(payload=st.dictionaries(FIELDS, JSON))
def test_a_payload_of_any_shape(payload: dict[str, object]) -> None:
    for path, kind, name in named(Capture.from_payload(payload, IMG2IMG)):
        assert (type(path), type(kind), type(name)) == (str, str, str)
