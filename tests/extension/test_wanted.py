"""What is read of a capture: requests, seeds, fields that only the API has, pictures."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from payload_capture.capture import (
    BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Capture,
    FormatError,
)
from payload_capture.controls import KEEP
from payload_capture.wanted import Input, PageScript, Wants, wants

SEED = PageScript("seed", "builtin", 1, 3, ["seed", "seed_checkbox"])


class Webui:
    """A webui with few names, without a batch tab that takes uploads."""

    def input_names(self, target: str) -> list[str]:
        return ["prompt", "width"]

    def page_scripts(self, target: str) -> list[PageScript]:
        return [SEED]

    def custom_inputs(self, target: str) -> int:
        return 3

    def override_texts(self, options: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        return [f"{name}: {value}" for name, value in options.items()], []

    def option_label(self, name: str) -> str:
        return name

    def known_options(self) -> set[str]:
        return {"tiling", "initial_noise_multiplier"}

    def field_defaults(self, endpoint: str) -> dict[str, Any]:
        return {"steps": 50}

    def flatten(self, picture: Image.Image, colour: str) -> Image.Image:
        return picture


def encoded() -> str:
    data = io.BytesIO()
    Image.effect_noise((16, 16), 50).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def nothing(sha256: str) -> bytes:
    raise AssertionError(f"no picture was to be fetched, but {sha256}")


def of(endpoint: str, **payload: Any) -> Wants:
    return wants(Webui(), Capture(1, "c1", endpoint, payload), nothing)


@pytest.mark.parametrize(
    ("payload", "extra", "sizes"),
    [
        ({}, False, [0, 0]),
        ({"subseed": 5, "subseed_strength": 0}, False, [0, 0]),
        ({"subseed": 5, "subseed_strength": 0.1}, True, [0, 0]),
        ({"seed_resize_from_w": -1, "seed_resize_from_h": -1}, False, [0, 0]),
        ({"seed_resize_from_w": 128, "seed_resize_from_h": 96}, True, [128, 96]),
    ],
)
def test_the_extra_seeds_are_shown_where_they_count(
    payload: dict[str, Any], extra: bool, sizes: list[int]
) -> None:
    fields = of(TXT2IMG, **payload).fields
    assert fields["seed_checkbox"] is extra
    assert [fields["seed_resize_from_w"], fields["seed_resize_from_h"]] == sizes


def test_a_field_of_the_api_alone_becomes_the_setting_of_its_name() -> None:
    wanted = of(TXT2IMG, tiling=True, s_churn=0.5, steps=50, eta=None)
    assert wanted.fields["override_settings_texts"] == ["tiling: True"]
    assert [(one.name, one.code) for one in wanted.unset] == [("s_churn", "no_field")]


@pytest.mark.parametrize("value", [1.2, 0.0])
def test_a_setting_that_the_webui_reads_too_early_is_set_by_hand(value: float) -> None:
    overridden = {"tiling": True, "initial_noise_multiplier": 0.7}
    given = {"initial_noise_multiplier": value, "override_settings": overridden}
    wanted = of(IMG2IMG, init_images=[encoded()], **given)
    assert wanted.fields["override_settings_texts"] == ["tiling: True"]
    (unset,) = wanted.unset
    assert (unset.name, unset.code) == ("initial_noise_multiplier", "setting")
    assert unset.words == {"value": str(value)}


def test_where_it_decides_nothing_there_is_nothing_to_set() -> None:
    wanted = of(TXT2IMG, override_settings={"initial_noise_multiplier": 0.7})
    assert (wanted.fields["override_settings_texts"], wanted.unset) == ([], [])


def test_pictures_may_be_base64() -> None:
    wanted = of(IMG2IMG, init_images=[encoded()])
    assert wanted.fields["init_img"].size == (16, 16)
    assert wanted.fields["mode"] == 0


def test_a_text_that_only_looks_like_a_picture_stays() -> None:
    text = "iVBORw0KGgo" + "A" * 100
    assert of(TXT2IMG, prompt=text).fields["prompt"] == text


@pytest.mark.parametrize(
    ("endpoint", "payload", "words"),
    [
        (BATCH, {"requests": []}, "no request"),
        (IMG2IMG, {"init_images": []}, "no init image"),
        (EXTRAS_SINGLE, {}, "no picture"),
    ],
)
def test_what_is_incomplete_is_named(endpoint: str, payload: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        of(endpoint, **payload)


def test_without_uploads_in_the_batch_tab_the_first_file_is_filled_in() -> None:
    requests = [{"endpoint": IMG2IMG, "payload": {"init_images": [encoded()]}}] * 3
    (unset,) = of(BATCH, requests=requests).unset
    assert (unset.code, unset.words) == ("more", {"value": 2})


def test_the_account_of_a_first_picture_can_be_read_by_the_webui() -> None:
    wanted = of(UPSCALE, firstpass_image=encoded(), steps=2, seed=7, width=64, height=64)
    (line,) = json.loads(wanted.fields["generation_info"])["infotexts"]
    assert line == "Steps: 2, Seed: 7, Size: 64x64"
    assert wanted.button == "upscale"


def test_an_input_is_found_by_name_or_by_script_and_place() -> None:
    wanted = of(TXT2IMG, prompt="a cat", seed=3, alwayson_scripts={"Tint": {"args": [1]}})
    tint = PageScript("tint", "always", 3, 5)
    assert wanted.of(Input(None, "prompt")) == "a cat"
    assert wanted.of(Input(None, "seed", SEED)) == 3
    assert wanted.of(Input(None, "", tint, 0)) == 1
    assert wanted.of(Input(None, "", tint, 1)) is KEEP
    assert wanted.of(Input(None, "id")) is KEEP


def test_an_axis_of_strengths_needs_the_variation_seed() -> None:
    plot = {"script_args[0]": "Var. strength"}
    payload = {"subseed": 5, "subseed_strength": 0}
    fields = wants(Webui(), Capture(1, "c1", TXT2IMG, payload, choices=plot), nothing).fields
    assert (fields["seed_checkbox"], fields["subseed"]) == (True, 5)
    assert fields["subseed_strength"] > 0
