"""Values of every kind that scripts hold, as JSON."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from PIL import Image

from payload_capture.values import MAX_DEPTH, Encoder, Picture


class Mode(enum.Enum):
    BALANCED = "Balanced"


class Text(str, enum.Enum):
    INNER = "inner"


@dataclasses.dataclass
class Unit:
    weight: float
    mode: Mode
    image: Any = None


class Model(pydantic.BaseModel):
    class Config:
        arbitrary_types_allowed = True

    enabled: bool = True
    mode: Mode = Mode.BALANCED
    image: Any = None


def encode(value: Any) -> tuple[Any, list[str]]:
    encoder = Encoder()
    made = encoder.encode(value, "args[0]")
    return made, [f"{caveat.path}: {caveat.reason}" for caveat in encoder.caveats]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        ("a\x00b", "a\x00b"),
        (Mode.BALANCED, "Balanced"),
        (Text.INNER, "inner"),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array(3.0), 3.0),
        (np.array([[0.25, 0.5]]), [[0.25, 0.5]]),
        (np.zeros((2, 2, 2), np.uint8), [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]),
        ((1, "x"), [1, "x"]),
        ({"a": (1,), 2: None}, {"a": [1], "2": None}),
        ({"$asset": "x"}, {"$$asset": "x"}),
        (Unit(1.0, Mode.BALANCED), {"weight": 1.0, "mode": "Balanced", "image": None}),
        (Model(), {"enabled": True, "mode": "Balanced", "image": None}),
        (pd.DataFrame([[1, "a"], [2, "b"]]), [[1, "a"], [2, "b"]]),
        (Path("a/b"), str(Path("a/b"))),
        (b"ab", "YWI="),
    ],
)
def test_says_each_kind_in_json(value: Any, expected: Any) -> None:
    made, caveats = encode(value)
    assert made == expected
    assert type(made) is type(expected)
    assert not caveats
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, np.float64("nan")])
def test_a_number_that_json_lacks_becomes_null_with_the_reason(value: float) -> None:
    made, caveats = encode([value])
    assert made == [None]
    assert caveats == [f"args[0][0]: {float(value)} is not JSON; sent as null"]


def test_an_unknown_object_becomes_null_with_its_type() -> None:
    made, caveats = encode({"fn": object()})
    assert made == {"fn": None}
    assert caveats == ["args[0].fn: a builtins.object is not JSON; sent as null"]


def test_an_object_that_raises_when_read_harms_nothing() -> None:
    class Hostile(dict[str, Any]):
        def items(self) -> Any:
            raise RuntimeError("no")

    made, caveats = encode([Hostile(), 1])
    assert made == [None, 1]
    assert "raised RuntimeError('no')" in caveats[0]


def test_a_cycle_ends() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    _, caveats = encode(cycle)
    assert f"nested more than {MAX_DEPTH} levels deep" in caveats[0]


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 1), (4, 3, 3), (4, 3, 4)])
def test_a_picture_in_an_array_keeps_its_colours(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    made, _ = encode(array)
    assert isinstance(made, Picture)
    assert np.array_equal(np.array(made.image), array.reshape(np.array(made.image).shape))
    array[:] = 0
    assert np.array(made.image).any(), "the capture must not follow later changes of the array"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "I;16", "CMYK"])
def test_a_picture_is_copied_as_it_is(mode: str) -> None:
    image = Image.new(mode, (4, 3))
    made, _ = encode(image)
    assert isinstance(made, Picture)
    assert made.image is not image
    assert (made.image.mode, made.image.tobytes()) == (mode, image.tobytes())
