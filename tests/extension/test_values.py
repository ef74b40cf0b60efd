"""Values of every kind that scripts hold, as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import itertools
import json
import math
import sys
import tempfile
import tracemalloc
from collections import UserList, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pydantic
import pytest
from PIL import Image

from payload_capture.values import (
    MAX_CAVEATS,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_TEXT,
    Encoder,
    Picture,
)


class Mode(enum.Enum):
    BALANCED = "Balanced"


class Text(str, enum.Enum):
    INNER = "inner"


class Level(enum.IntEnum):
    HIGH = 2


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


class Open(pydantic.BaseModel):
    class Config:
        extra = "allow"

    a: int


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
        (memoryview(b"ab"), "YWI="),
        (UserList([1]), [1]),
        (deque([1]), [1]),
        (range(2), [0, 1]),
        ({"b", "a"}, ["a", "b"]),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (Level.HIGH, 2),
        (np.array([1, 2], np.uint8), [1, 2]),
        (np.array([[True, False]]), [[True, False]]),
        (np.zeros((1, 2, 2, 2), np.uint8), [[[[0, 0], [0, 0]], [[0, 0], [0, 0]]]]),
        (np.array([1.5], np.float16), [1.5]),
        (np.array([1.5], np.longdouble), [1.5]),
        (np.longdouble(1.5), 1.5),
        (np.array(["a", None], object), ["a", None]),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (pd.Series([1, 2]), [1, 2]),
        (np.zeros((0, 3), np.uint8), []),
    ],
)
def test_says_each_kind_in_json(value: Any, expected: Any) -> None:
    made, caveats = encode(value)
    assert made == expected
    assert type(made) is type(expected)
    assert not caveats
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "expected", "told"),
    [
        (math.inf, sys.float_info.max, "inf is not JSON; sent as 1.7976931348623157e+308"),
        (-math.inf, -sys.float_info.max, "-inf is not JSON; sent as -1.7976931348623157e+308"),
        (math.nan, None, "nan is not JSON; sent as null"),
        (np.float64("nan"), None, "nan is not JSON; sent as null"),
        (np.array([[math.nan]]), [[None]], "nan is not JSON; sent as null"),
    ],
)
def test_a_number_that_json_lacks_becomes_the_nearest(value: Any, expected: Any, told: str) -> None:
    made, (caveat,) = encode([value])
    assert made == [expected]
    assert caveat.startswith("args[0][0]")
    assert caveat.endswith(told)


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
    assert encode(cycle) == ([None], ["args[0][0]: it contains itself; sent as null"])


def test_the_same_list_twice_is_no_cycle() -> None:
    shared = [1]
    assert encode([shared, shared]) == ([[1], [1]], [])


def test_deep_nesting_ends() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    _, caveats = encode(deep)
    assert len(caveats) == 1
    assert f"nested more than {MAX_DEPTH} levels deep" in caveats[0]


def test_many_paths_to_one_value_end() -> None:
    """Thirty lists, each twice in the next, are a thousand million values."""
    wide: list[Any] = [1]
    for _ in range(30):
        wide = [wide, wide]
    _, caveats = encode(wide)
    assert 0 < len(caveats) <= MAX_CAVEATS + 1
    assert any(f"a capture holds {MAX_ITEMS} values at most" in caveat for caveat in caveats)


def test_caveats_are_bounded() -> None:
    _, caveats = encode([object() for _ in range(MAX_CAVEATS + 50)])
    assert len(caveats) == MAX_CAVEATS + 1
    assert caveats[-1] == f"args[0][{MAX_CAVEATS}]: more than {MAX_CAVEATS} caveats; no more listed"


class Loud:
    """Raises whatever is asked of it, even its class."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is mine")


class Liar(list[Any]):
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("no class")

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Any:
        return itertools.count()


class Quits(dict[str, Any]):
    def get(self, *_: Any) -> Any:
        raise SystemExit(1)


class Unspeakable(Exception):
    def __repr__(self) -> str:
        raise ValueError("no words")


class Refuses(dict[str, Any]):
    def items(self) -> Any:
        raise Unspeakable


@dataclasses.dataclass
class Half:
    bad: int = 0
    good: int = 1

    def __getattribute__(self, name: str) -> Any:
        if name == "bad":
            raise RuntimeError("no")
        return super().__getattribute__(name)


# Made inside the test: pytest itself reads what it is parametrised with.
@pytest.mark.parametrize(
    "make",
    [Loud, lambda: Quits(a=1), lambda: Refuses(a=1), Mock, lambda: type, lambda: print],
    ids=["loud", "quits", "refuses", "mock", "class", "function"],
)
def test_a_value_that_resists_reading_is_null(make: Any) -> None:
    made, caveats = encode([make(), 1])
    assert made == [None, 1]
    assert len(caveats) == 1


def test_a_list_that_lies_about_its_length_ends() -> None:
    made, caveats = encode(Liar())
    assert made[:3] == [0, 1, 2]
    assert len(made) <= MAX_ITEMS + 1
    assert f"a capture holds {MAX_ITEMS} values at most" in caveats[0]


def test_one_field_that_raises_leaves_the_others() -> None:
    made, caveats = encode(Half())
    assert made == {"bad": None, "good": 1}
    assert caveats == ["args[0].bad: reading it raised RuntimeError('no'); sent as null"]


ENORMOUS: dict[str, Callable[[], Any]] = {
    "list": lambda: [0] * 10_000_000,
    "dict": lambda: dict.fromkeys(range(MAX_ITEMS + 1)),
    "set": lambda: set(range(MAX_ITEMS + 1)),
    "floats": lambda: np.full((6000, 6000), 2.0),
    "flat": lambda: np.zeros((25_000_000,)),
    "pixels": lambda: np.zeros((20_000, 20_000), np.uint8),
    "table": lambda: pd.DataFrame(np.zeros((1000, 101))),
    "text": lambda: "x" * (MAX_TEXT + 1),
    "bytes": lambda: b"x" * (MAX_TEXT + 1),
    "integer": lambda: 1 << 20_000,
}


@pytest.mark.parametrize("kind", ENORMOUS)
def test_an_enormous_value_is_null(kind: str) -> None:
    value = ENORMOUS[kind]()
    tracemalloc.start()
    made, caveats = encode(value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made is None
    assert len(caveats) == 1
    assert peak < 1 << 20, "it was read in spite of its size"


def test_what_does_not_fit_leaves_room_for_the_rest() -> None:
    made, caveats = encode([list(range(10_000_000)), 1])
    assert made == [None, 1]
    assert "a list of 10000000 items is too long" in caveats[0]


def test_keys_that_become_one_are_told() -> None:
    made, caveats = encode({1: "a", "1": "b", None: "c"})
    assert made == {"1": "a", "None": "c"}
    assert caveats == ["args[0].1: two keys are the same in JSON; the first was sent"]


def test_a_set_has_an_order() -> None:
    names = {f"name {n}" for n in range(50)}
    assert encode(names) == (sorted(names), [])


def test_fields_beyond_those_declared_are_kept() -> None:
    assert encode(Open.parse_obj({"a": 1, "b": (2,)})) == ({"a": 1, "b": [2]}, [])


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


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (np.eye(20, dtype=bool), "L"),
        (np.linspace(0, 1, 400).reshape(20, 20), "L"),
        (np.linspace(0, 1, 1200, dtype=np.float32).reshape(20, 20, 3), "RGB"),
        (np.arange(400, dtype=np.uint16).reshape(20, 20), "I;16"),
        (np.arange(400, dtype=">u2").reshape(20, 20), "I;16"),
    ],
    ids=["bool", "float64", "float32", "uint16", "big-endian"],
)
def test_numbers_of_a_pictures_size_become_a_picture(array: Any, mode: str) -> None:
    made, caveats = encode(array)
    assert isinstance(made, Picture)
    assert made.image.mode == mode
    scale = 1 if mode == "I;16" else 255
    assert np.array_equal(np.array(made.image), np.rint(array.astype(float) * scale))
    assert len(caveats) == (0 if mode == "I;16" else 1)


def test_floats_that_are_no_picture_stay_numbers() -> None:
    array = np.linspace(-1, 1, 400).reshape(20, 20)
    assert encode(array) == (array.tolist(), [])


def test_several_pictures_in_one_array_stay_pictures() -> None:
    batch = np.random.default_rng(1).integers(0, 256, (2, 4, 3, 3), dtype=np.uint8)
    made, caveats = encode(batch)
    assert len(made) == 2
    for one, each in zip(made, batch, strict=True):
        assert np.array_equal(np.array(one.image), each)
    assert not caveats


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the page uploads to."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    (tmp_path / "gradio").mkdir()
    Image.new("RGB", (4, 3), "red").save(tmp_path / "gradio" / "face.png")
    (tmp_path / "gradio" / "notes.txt").write_text("not a picture")
    return tmp_path / "gradio"


def test_an_uploads_path_becomes_its_picture(folder: Path) -> None:
    made, caveats = encode([(str(folder / "face.png"), "a caption"), folder / "face.png"])
    (picture, caption), second = made
    assert caption == "a caption"
    assert picture.image.getpixel((0, 0)) == second.image.getpixel((0, 0)) == (255, 0, 0)
    assert len(caveats) == 2


def test_an_uploads_object_becomes_its_picture(folder: Path) -> None:
    wrapper = tempfile.NamedTemporaryFile(dir=folder, suffix=".png", delete=False)  # noqa: SIM115
    wrapper.orig_name = "face.png"  # type: ignore[attr-defined]
    Image.new("L", (2, 2), 7).save(wrapper.name)
    (made,), _ = encode([wrapper])
    assert made.image.getpixel((0, 0)) == 7


def test_a_gallerys_entry_says_its_picture_as_gradio_does(folder: Path) -> None:
    entry = {"name": str(folder / "face.png"), "data": "/file=face.png", "is_file": True}
    (made,), _ = encode([entry])
    assert made["data"].image.size == (4, 3)
    assert (made["name"], made["is_file"]) == ("face.png", False)


def test_an_upload_that_is_no_picture_is_told(folder: Path) -> None:
    made, caveats = encode(str(folder / "notes.txt"))
    assert made is None
    assert "notes.txt, is no picture" in caveats[0]
    assert "put it into a folder of the server" in caveats[0]


def test_no_other_file_is_read(folder: Path) -> None:
    outside = folder.parent / "secret.png"
    Image.new("RGB", (2, 2)).save(outside)
    (folder / "link.png").symlink_to(outside)
    for name in (outside, folder / "link.png", folder / ".." / "secret.png", folder / "gone.png"):
        assert encode(str(name)) == (str(name), [])


def test_an_api_requests_paths_are_only_text(folder: Path) -> None:
    name = str(folder / "face.png")
    assert Encoder(uploads=False).encode(name, "args[0]") == name
