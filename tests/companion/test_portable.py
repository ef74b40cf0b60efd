"""The minimal form: what is left out, what never is."""

from __future__ import annotations

from typing import Any

import pytest

from payload_replay.capture import BATCH, EXTRAS, IMG2IMG, TXT2IMG
from payload_replay.portable import Defaults, minimal

pytestmark = pytest.mark.once

DEFAULTS = Defaults(
    fields={"steps": 50, "cfg_scale": 7.0, "tiling": None, "save_images": False},
    scripts={
        "detailer": [False, 0.5, "face"],
        "wildcards": [True, 3],
        "counter": [False, 1],
        "parts": [False, 1, False, 2],
    },
    labels={
        "detailer": ["Enable"],
        "wildcards": ["Enabled", ""],
        "counter": ["Reset", "Count"],
        "parts": ["Enable sharpness", "By", "Enable noise", "By"],
    },
    options={"CLIP_stop_at_last_layers": 1.0, "sd_model_checkpoint": "alpha.safetensors"},
)


def reduced(payload: dict[str, Any], endpoint: str = TXT2IMG, known: Defaults = DEFAULTS) -> Any:
    return minimal(endpoint, payload, lambda _: known)


def scripts(**given: list[Any]) -> dict[str, Any]:
    return {"alwayson_scripts": {title: {"args": args} for title, args in given.items()}}


def test_fields_that_the_server_fills_in_with_the_same_value_are_left_out() -> None:
    payload = {"prompt": "a cat", "steps": 50, "cfg_scale": 7, "save_images": False, "seed": 1}
    assert reduced(payload) == {"prompt": "a cat", "seed": 1}


def test_a_number_is_no_switch() -> None:
    assert reduced({"save_images": 0}) == {"save_images": 0}


def test_settings_that_the_server_has_are_left_out() -> None:
    settings = {"CLIP_stop_at_last_layers": 1, "sd_model_checkpoint": "alpha.safetensors [12ab]"}
    payload = {"override_settings": settings, "override_settings_restore_afterwards": True}
    assert reduced(payload) == {}
    settings["sd_model_checkpoint"] = "beta.safetensors [34cd]"
    assert reduced(payload) == {
        "override_settings": {"sd_model_checkpoint": "beta.safetensors [34cd]"},
        "override_settings_restore_afterwards": True,
    }


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"detailer": [False, 0.5, "face"]}, {}),
        ({"detailer": [False, 0.9, "hand"]}, {}),  # off, whatever else it says
        ({"detailer": [True, 0.9, "face"]}, {"detailer": [True, 0.9]}),
        ({"wildcards": [True, 3]}, {}),
        ({"wildcards": [False, 3]}, {"wildcards": [False]}),  # on by default: "off" must be said
        ({"counter": [False, 2]}, {"counter": [False, 2]}),  # its first argument is no switch
        ({"unknown": [False]}, {"unknown": [False]}),
        ({"parts": [False, 9, False, 9]}, {}),
        ({"parts": [False, 1, True, 9]}, {"parts": [False, 1, True, 9]}),  # one part is on
    ],
)
def test_scripts(given: dict[str, list[Any]], left: dict[str, list[Any]]) -> None:
    assert reduced(scripts(**given)) == (scripts(**left) if left else {})


def test_what_is_known_of_a_script_goes_before_its_first_argument() -> None:
    known = Defaults(scripts={"units": [{"enabled": False}]}, is_off=lambda title, args: True)
    assert reduced(scripts(units=[{"enabled": False, "weight": 2}]), known=known) == {}


def test_arguments_of_a_selected_script_stay() -> None:
    payload = {"script_name": "x/y/z plot", "script_args": [0, ""]}
    assert reduced(payload) == payload


def test_each_request_of_a_batch_with_its_own_defaults() -> None:
    inner = [{"endpoint": IMG2IMG, "payload": {"steps": 50}}, {"endpoint": TXT2IMG, "payload": {}}]
    asked: list[str] = []

    def defaults(endpoint: str) -> Defaults:
        asked.append(endpoint)
        return DEFAULTS

    made = minimal(BATCH, {"requests": inner}, defaults)
    assert made["requests"][0] == {"endpoint": IMG2IMG, "payload": {}}
    assert asked == [IMG2IMG, TXT2IMG]


def test_operations_of_extras_that_are_off_are_left_out() -> None:
    on, off = {"enable": True, "option": [1]}, {"enable": False, "option": [1]}
    payload = {"images": ["x"], "scripts": {"Flip": on, "Caption": off}, "override_settings": {}}
    assert reduced(payload, EXTRAS) == {"images": ["x"], "scripts": {"Flip": on}}


def test_operations_of_old_webuis_are_told_by_what_they_have() -> None:
    """v1.8: no switch, Upscale begins with its mode, faces with their visibility."""
    scripts = {
        "Upscale": {"upscale_mode": 0, "upscaler_1_name": "Lanczos"},
        "GFPGAN": {"gfpgan_visibility": 0},
        "CodeFormer": {"codeformer_visibility": 0.5, "codeformer_weight": 0},
        "Empty": {},
    }
    short = minimal(EXTRAS, {"scripts": scripts}, lambda _: Defaults())
    assert list(short["scripts"]) == ["Upscale", "CodeFormer"]


def test_what_is_no_mapping_stays_a_server_s_matter() -> None:
    payload = {"alwayson_scripts": {"detailer": "on", "tint": {"args": "x"}}}
    assert reduced(payload) == payload
