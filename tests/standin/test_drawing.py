"""The renderer alone: the same everywhere, and sensitive to each of its inputs."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from webui_standin import drawing
from webui_standin.drawing.inputs import canonical, digest
from webui_standin.drawing.numbers import Numbers

INPUTS = drawing.Inputs({"prompt": "hills"}, {"seed": 1}, {"steps": 20, "cfg_scale": 7.5})


def test_picture_is_the_same_on_every_machine() -> None:
    octets = drawing.draw(INPUTS, 96, 64).tobytes()
    assert hashlib.sha256(octets).hexdigest() == GOLDEN


GOLDEN = "fd3b87b2d0c3959195e7d8799bfc4f26e7622ac0833e052390f96c8e5a18413b"


def test_numbers_are_the_same_on_every_machine() -> None:
    numbers = Numbers(b"key", "purpose")
    assert [numbers.between(0, 999) for _ in range(4)] == NUMBERS
    assert (
        Numbers(b"key", "purpose").octets(3).tolist() != Numbers(b"key", "other").octets(3).tolist()
    )


NUMBERS = [851, 210, 792, 235]


@pytest.mark.parametrize("group", ["subject", "noise", "detail"])
def test_each_group_changes_the_picture(group: str) -> None:
    changed = drawing.Inputs(**{**vars(INPUTS), group: {"other": 1}})
    assert drawing.draw(changed, 64, 64).tobytes() != drawing.draw(INPUTS, 64, 64).tobytes()


def test_equal_inputs_are_equal_in_any_form() -> None:
    assert digest({"a": 7, "b": (1, 2.0)}) == digest({"b": [1.0, 2], "a": 7.0})
    assert canonical(np.float32(2)) == 2
    assert digest({"flag": True}) != digest({"flag": 1})
    assert canonical(float("inf")) == "inf"


def test_pictures_as_inputs() -> None:
    black, white = Image.new("RGB", (2, 2)), Image.new("RGB", (2, 2), "white")
    assert canonical(black) == canonical(black.copy()) != canonical(white)


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (70, 3), (130, 66)])
def test_any_size(size: tuple[int, int]) -> None:
    assert drawing.draw(INPUTS, *size).shape == (size[1], size[0], 3)


def test_blend_goes_from_one_to_the_other() -> None:
    black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
    assert [int(drawing.blend(black, white, weight)[0, 0, 0]) for weight in (0, 128, 256)] == [
        0,
        128,
        255,
    ]


def test_blur_keeps_flat_areas_and_spreads_edges() -> None:
    flat = np.full((9, 9), 77, np.uint8)
    assert (drawing.blur(flat, 3, 0) == 77).all()
    edge = np.repeat(np.array([[0, 255]], np.uint8), 8, axis=1)
    blurred = drawing.blur(edge, 2, 1)[0].astype(int)
    assert (np.diff(blurred) >= 0).all()
    assert 0 < blurred[7] < 255
