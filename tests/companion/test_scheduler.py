"""A queue's export, of which no pickle is read."""

from __future__ import annotations

import base64
import contextlib
import pickle
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from json_values import json_values
from payload_replay import FormatError, scheduler
from payload_replay.capture import IMG2IMG, TXT2IMG
from payload_replay.codec import b64decode
from payload_replay.images import opened

pytestmark = pytest.mark.once


class Bomb:
    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was read",)


def packed(value: Any, protocol: int = 4) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()


def task(args: dict[str, Any], script: Any = (), **more: Any) -> dict[str, Any]:
    page = more.pop("is_ui", False)
    params = {"args": args, "checkpoint": None, "is_ui": page, "is_img2img": False} | more
    scripts = packed(list(script)) if isinstance(script, (list, tuple)) else script
    kind = "img2img" if params["is_img2img"] else "txt2img"
    return {"id": "1", "type": kind, "params": params, "script_params": scripts}


def pixels(image: Image.Image) -> dict[str, Any]:
    data = base64.b64encode(zlib.compress(image.tobytes())).decode()
    return {"size": list(image.size), "mode": image.mode, "data": data, "cls": "Image"}


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_task_of_the_api(protocol: int) -> None:
    args = {"prompt": "a cat", "steps": 2, "styles": None, "override_settings": {"a": 1}}
    one = task(args, packed([], protocol), checkpoint="alpha", vae="soft")
    (made,) = scheduler.read([one])
    assert (made.endpoint, made.warnings) == (TXT2IMG, [])
    settings = {"a": 1, "sd_model_checkpoint": "alpha", "sd_vae": "soft"}
    assert made.payload == {"prompt": "a cat", "steps": 2, "override_settings": settings}


@pytest.mark.parametrize("script", [packed([Bomb()]), packed([1]), "!", "AAAA", 7, packed(())])
@pytest.mark.parametrize("page", [True, False])
def test_a_pickle_is_left_out_and_named(script: Any, page: bool) -> None:
    (made,) = scheduler.read([task({"prompt": "a"}, script, is_ui=page)])
    (warning,) = made.warnings
    assert "never read" in warning.reason
    assert warning.severity == ("blocks" if page else "pixels")


def test_a_task_of_the_page() -> None:
    args = {
        "id_task": "x", "request": {"username": "me"}, "prompt": "a", "prompt_styles": ["painted"],
        "n_iter": 1, "height": 8, "override_settings_texts": ["Clip skip: 2", 7],
    }  # fmt: skip
    (made,) = scheduler.read([task(args, is_ui=True, checkpoint="System")])
    assert made.payload == {
        "prompt": "a",
        "n_iter": 1,
        "height": 8,
        "styles": ["painted"],
        "override_settings": {"CLIP_stop_at_last_layers": 2},
    }


def test_what_the_page_calls_the_same_as_before_is_not_sent() -> None:
    names = ("hr_checkpoint_name", "hr_sampler_name", "hr_scheduler")
    same = dict(zip(names, ("checkpoint", "sampler", "scheduler"), strict=True))
    args = {name: f"Use same {what}" for name, what in same.items()}
    (made,) = scheduler.read([task({"prompt": "Use same sampler", **args}, is_ui=True)])
    assert made.payload == {"prompt": "Use same sampler"}
    given_args = dict.fromkeys(names, "alpha")
    (made,) = scheduler.read([task(given_args, is_ui=True)])
    assert made.payload == given_args


@pytest.mark.parametrize("mode", [0, 2, 4])
def test_pictures_of_the_page(mode: int) -> None:
    image, mask = Image.new("RGB", (8, 4), "red"), Image.new("L", (8, 4), 255)
    places = {
        0: {"init_img": pixels(image)},
        2: {"init_img_with_mask": {"image": pixels(image), "mask": pixels(mask)}},
        4: {"init_img_inpaint": pixels(image), "init_mask_inpaint": pixels(mask)},
    }
    args = {"prompt": "a", "mode": mode, **places[mode]}
    (made,) = scheduler.read([task(args, is_ui=True, is_img2img=True)])
    assert (made.endpoint, made.warnings) == (IMG2IMG, [])
    found = opened(b64decode(made.payload["init_images"][0]))
    assert found.tobytes() == image.tobytes()
    assert ("mask" in made.payload) is (mode > 0)


@pytest.mark.parametrize("mode", [1, 3, 5, None, "x", [], True])
def test_modes_that_hold_no_picture_of_their_own(mode: Any) -> None:
    (made,) = scheduler.read([task({"mode": mode}, is_ui=True, is_img2img=True)])
    assert [(w.path, w.severity) for w in made.warnings] == [("init_images", "blocks")]


@pytest.mark.parametrize(
    "image",
    [
        {},
        7,
        {"size": [8, 4], "mode": "RGB", "cls": "Image", "data": "AAAA"},
        {**pixels(Image.new("RGB", (8, 4))), "size": [8, 5]},
        {**pixels(Image.new("RGB", (8, 4))), "size": [10**6, 10**6]},
        {**pixels(Image.new("RGB", (8, 4))), "size": [-8, -4]},
        {**pixels(Image.new("RGB", (8, 4))), "mode": "F"},
        {**pixels(Image.new("RGB", (8, 4))), "data": packed(b"x" * 10**7)},
    ],
)
def test_pictures_that_are_none(image: Any) -> None:
    args = {"mode": 0, "init_img": image}
    with pytest.raises(FormatError, match=r"\[0\].params.args: a picture"):
        scheduler.read([task(args, is_ui=True, is_img2img=True)])


def test_what_is_no_task() -> None:
    with pytest.raises(FormatError, match=r"\[0\].params.args"):
        scheduler.read([{"script_params": "", "params": 7}])
    with pytest.raises(FormatError, match="override_settings: expected an object"):
        scheduler.read([task({"override_settings": [1]})])
    with pytest.raises(FormatError, match="are the most"):
        scheduler.read([{}] * (scheduler.MAX_TASKS + 1))
    assert not scheduler.is_export([])
    assert not scheduler.is_export([{"prompt": "a"}])


values = json_values(st.text(max_size=6), st.text(max_size=6), floats=st.nothing(), leaves=8)


@given(
    st.dictionaries(
        st.sampled_from(["mode", "init_img", "prompt_styles", "override_settings"]), values
    ),
    values,
    st.booleans(),
)
def test_anything_ends_in_payloads_or_a_clear_error(
    args: dict[str, Any], script: Any, page: bool
) -> None:
    one = task(args, is_ui=page, is_img2img=True) | {"script_params": script}
    with contextlib.suppress(FormatError):
        scheduler.read([one])
