"""Which requests count as the same, rule by rule, and what is said of those that do not."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from json_values import json_values
from payload_replay import Capture, matching
from payload_replay.capture import EXTRAS_SINGLE, IMG2IMG, TXT2IMG
from payload_replay.fields import FIELDS, IGNORED
from payload_replay.images import opened
from payload_replay.matching import (
    Difference,
    Expected,
    TooDeep,
    differences,
    expected,
    form,
    matches,
    shown,
)
from webui_standin import Process

pytestmark = pytest.mark.once

CAT: dict[str, Any] = {"prompt": "a cat", "seed": 7, "steps": 20}


def picture(
    kind: str = "PNG", colour: str = "red", size: tuple[int, int] = (16, 16), **more
) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind, **more)
    return base64.b64encode(buffer.getvalue()).decode()


def recorded(payload: dict[str, Any], endpoint: str = TXT2IMG, **fields: Any) -> Expected:
    return expected(dataclasses.replace(Capture.from_payload(payload, endpoint), **fields))


def same(one: dict[str, Any], other: dict[str, Any], endpoint: str = TXT2IMG) -> bool:
    return matches(form(endpoint, other), recorded(one, endpoint))


def test_equal_as_json() -> None:
    assert same(CAT, dict(reversed(CAT.items())))
    assert same(CAT, CAT | {"cfg_scale": 7})
    assert same(CAT | {"eta": 1.0}, CAT | {"eta": 1})
    assert not same(CAT | {"tiling": True}, CAT | {"tiling": 1})
    assert not same(CAT, CAT | {"seed": 8})
    assert not same(CAT, CAT | {"prompt": "a Cat"})
    assert not matches(form(IMG2IMG, CAT), recorded(CAT))


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_what_decides_no_pixels_is_ignored(name: str) -> None:
    assert same(CAT, CAT | {name: "anything"})


@pytest.mark.parametrize("endpoint", list(FIELDS))
def test_a_default_says_nothing(endpoint: str) -> None:
    for name, value in FIELDS[endpoint].items():
        assert same({}, {name: value}, endpoint), name
        assert same({name: value}, {}, endpoint), name


def test_a_picture_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a capture answers to two forms of its payload."""
    decoded: list[bytes] = []

    def counting(data: bytes, most: int | None = None) -> Image.Image:
        decoded.append(data)
        return opened(data, most)

    monkeypatch.setattr(matching, "opened", counting)
    payload = {"init_images": [picture()], "mask": picture(colour="blue")}
    both = recorded(CAT | payload, IMG2IMG, template={"seed": -1})
    assert len(decoded) == 2
    assert both.typed.fields["mask"] == both.resolved.fields["mask"]
    assert ("seed" in both.typed.fields, "seed" in both.resolved.fields) == (False, True)


def test_what_the_webui_makes_of_null_says_nothing() -> None:
    assert same(CAT, CAT | {"sampler_name": None, "scheduler": "Automatic", "styles": []})
    assert same(CAT | {"sampler_name": "Euler"}, CAT)
    assert same(CAT | {"sampler_name": "DDIM"}, CAT | {"sampler_index": "DDIM"})
    assert not same(CAT | {"sampler_name": "DDIM"}, CAT)


def test_the_defaults_are_those_of_the_api(standin: Process) -> None:
    """The tables against what a webui itself tells, field by field."""
    schemas = requests.get(f"{standin.url}/openapi.json", timeout=30).json()["components"][
        "schemas"
    ]
    for name, endpoint in {
        "StableDiffusionProcessingTxt2Img": TXT2IMG,
        "StableDiffusionProcessingImg2Img": IMG2IMG,
        "ExtrasSingleImageRequest": EXTRAS_SINGLE,
    }.items():
        told = {k: v.get("default") for k, v in schemas[name]["properties"].items()}
        told.pop("image", None)
        assert told == FIELDS[endpoint]


def test_fields_of_what_is_off_say_nothing() -> None:
    assert same(CAT | {"subseed": 5}, CAT)
    assert not same(CAT | {"subseed": 5, "subseed_strength": 0.5}, CAT | {"subseed_strength": 0.5})
    assert same(CAT | {"hr_scale": 3, "denoising_strength": 0.4}, CAT)
    assert not same(CAT | {"enable_hr": True, "hr_scale": 3}, CAT | {"enable_hr": True})
    drawn = {"init_images": [picture()]}
    assert same(drawn | {"inpainting_fill": 1, "mask_blur": 9}, drawn, IMG2IMG)
    masked = drawn | {"mask": picture()}
    assert not same(masked | {"inpainting_fill": 1}, masked, IMG2IMG)


def test_pictures_are_compared_by_their_pixels() -> None:
    one = {"init_images": [picture(compress_level=0)]}
    assert same(one, {"init_images": [picture(compress_level=9)]}, IMG2IMG)
    assert same(one, {"init_images": [f"data:image/png;base64,{picture()}"]}, IMG2IMG)
    assert not same(one, {"init_images": [picture(colour="blue")]}, IMG2IMG)
    assert not same(one, {"init_images": [picture("JPEG")]}, IMG2IMG)
    webp = [picture("WEBP", lossless=True)]
    assert same(one, {"init_images": webp}, IMG2IMG)


def test_a_picture_too_large_to_decode_stands_for_its_bytes() -> None:
    large = picture(size=(100_000, 700))
    asked = form(IMG2IMG, {"init_images": [large]})
    assert asked.fields["init_images"][0].startswith("file of ")
    assert same({"init_images": [large]}, {"init_images": [large]}, IMG2IMG)


def test_what_only_begins_like_a_picture() -> None:
    for text in ("iVBORw0KGgo" + "A" * 60, "/9j/" + "!" * 60, "AAAA" * 20, "UklGR" + "é" * 50):
        assert same({"prompt": text}, {"prompt": text})
        assert not same({"prompt": text}, {"prompt": text + "AAAA"})


def test_what_was_typed_matches_and_what_it_resolved_to() -> None:
    one = recorded(
        {"prompt": "a red cat", "seed": 7, "subseed": 9},
        template={"prompt": "a __colour__ cat", "seed": -1, "subseed": -1},
    )
    for payload in (
        {"prompt": "a red cat", "seed": 7},
        {"prompt": "a __colour__ cat", "seed": -1},
        {"prompt": "a __colour__ cat"},
        {"prompt": "a red cat", "subseed": 9},
    ):
        assert matches(form(TXT2IMG, payload), one), payload
    assert not matches(form(TXT2IMG, {"prompt": "a red cat", "seed": 8}), one)
    assert not same({"prompt": "a cat", "seed": 7}, {"prompt": "a cat", "seed": -1})


def test_pinned_settings_are_the_servers_own_unless_named() -> None:
    settings = {"CLIP_stop_at_last_layers": 1, "sd_model_checkpoint": "a.ckpt [0123456789]"}
    one = recorded(CAT | {"override_settings": settings})
    assert matches(form(TXT2IMG, CAT), one)
    for named, good in (
        ({"CLIP_stop_at_last_layers": 1.0}, True),
        ({"CLIP_stop_at_last_layers": 2}, False),
        ({"sd_model_checkpoint": "a.ckpt"}, True),
        ({"sd_model_checkpoint": "b.ckpt"}, False),
        ({"sd_vae": "x"}, False),
    ):
        assert matches(form(TXT2IMG, CAT | {"override_settings": named}), one) is good, named
    assert matches(form(TXT2IMG, CAT), one, {"CLIP_stop_at_last_layers": 1})
    assert matches(form(TXT2IMG, CAT), one, {"samples_format": "jpg"})
    assert not matches(form(TXT2IMG, CAT), one, {"CLIP_stop_at_last_layers": 2})


def test_scripts_that_are_off_need_not_be_named() -> None:
    def with_(**scripts: list[Any]) -> dict[str, Any]:
        return CAT | {"alwayson_scripts": {name: {"args": args} for name, args in scripts.items()}}

    assert same(with_(tint=[False, 0.3]), CAT)
    assert same(with_(controlnet=[{"enabled": False}, {"enabled": False}]), CAT)
    assert same(with_(none=[]), CAT)
    assert not same(with_(tint=[True, 0.3]), CAT)
    assert not same(with_(controlnet=[{"enabled": False}, {"enabled": True}]), CAT)
    assert not same(CAT, with_(tint=[True, 0.3]))
    assert same(with_(tint=[True, 0.3]), with_(Tint=[True, 0.3]))
    script = {"script_name": "x/y/z plot", "script_args": [1]}
    assert same(CAT | script, CAT | script | {"script_name": "X/Y/Z plot"})
    assert not same(CAT | script, CAT)


def test_differences_are_told_path_by_path() -> None:
    long = "a cat, " * 20
    one = recorded({"prompt": long + "red", "steps": 20, "script_args": [1, {"a": [True]}]})
    asked = form(
        TXT2IMG, {"prompt": long + "blue", "steps": 30, "script_args": [1, {"a": [1, 2]}], "eta": 1}
    )
    told = {each.path: each.to_dict() for each in differences(asked, one)}
    assert list(told) == ["prompt", "steps", "script_args[1].a[0]", "script_args[1].a[1]", "eta"]
    assert told["prompt"]["recorded"].startswith("…")
    assert told["prompt"]["recorded"].endswith("red'")
    assert told["steps"] == {"path": "steps", "recorded": "20", "sent": "30"}
    assert told["eta"]["recorded"] == "nothing"
    assert str(Difference("steps", 20, 30)) == "steps: recorded 20, sent 30"


def test_values_are_shown_short() -> None:
    assert len(shown("x" * 10_000)) < 80
    assert shown({"a": 1, "b": [2]}) == "an object of a, b"


def test_too_deep() -> None:
    value: Any = 1
    for _ in range(300):
        value = [value]
    with pytest.raises(TooDeep):
        form(TXT2IMG, {"prompt": value})


values = json_values(floats=st.floats(), most=3, leaves=8)
names = st.sampled_from([*FIELDS[TXT2IMG], "unknown"])


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_any_json_matches_itself_and_is_compared(one: Any, other: Any) -> None:
    as_expected = Expected(form(TXT2IMG, one), form(TXT2IMG, one))
    assert matches(form(TXT2IMG, one), as_expected)
    for each in differences(form(TXT2IMG, other), as_expected):
        json.dumps(each.to_dict())
