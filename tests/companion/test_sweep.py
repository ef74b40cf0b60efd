"""Sweeps: what an axis says, and every combination of several."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay import FormatError
from payload_replay.sweep import MAX_VALUES, cells, parse, value_text

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("steps=10,20,30", [10, 20, 30]),
        ("cfg_scale=5:9:2", [5, 7, 9]),
        ("cfg_scale=5:8:2", [5, 7]),
        ("steps=1:3", [1, 2, 3]),
        ("steps=3:1", [3, 2, 1]),
        ("steps=9:5:-2", [9, 7, 5]),
        ("steps=5:5", [5]),
        ("cfg_scale=0:1:0.1", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("cfg_scale=-.5:.5:.5", [-0.5, 0.0, 0.5]),
        ("steps=1,5:7,20", [1, 5, 6, 7, 20]),
        ("sampler_name=Euler a, DPM++ 2M", ["Euler a", "DPM++ 2M"]),
        ('prompt="a cat, sitting",a dog', ["a cat, sitting", "a dog"]),
        ('prompt=["a, b","c"]', ["a, b", "c"]),
        ("prompt=1:3", ["1:3"]),
        ("prompt=7,8", ["7", "8"]),
        ("tiling=true,false", [True, False]),
        ("alwayson_scripts.x.args[0]=0.5,1", [0.5, 1]),
        ("styles=[[],[1]]", [[], [1]]),
    ],
)
def test_values(text: str, values: list[Any]) -> None:
    found = parse(text).values
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps=", "a sweep of no values"),
        ("steps=[]", "a sweep of no values"),
        ("steps=1:5:0", "1:5:0 never arrives"),
        ("steps=1:5:-1", "1:5:-1 never arrives"),
        ("steps=5:1:1", "never arrives"),
        (f"steps=1:{MAX_VALUES + 1}", f"more than {MAX_VALUES} values"),
        ("steps=0:1:0.000000000000000001", f"more than {MAX_VALUES} values"),
        (f"steps={list(range(MAX_VALUES + 1))}", f"more than {MAX_VALUES} values"),
        ('prompt="a', "quote values as in CSV"),
        ("steps", "PATH=VALUE"),
    ],
)
def test_what_is_no_axis(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        parse(text)


@given(st.decimals(-1000, 1000, places=3), st.integers(0, 50), st.decimals(0, 10, places=3))
def test_a_range_has_no_drift(start: Any, count: int, step: Any) -> None:
    if not step:
        return
    values = parse(f"cfg_scale={start}:{start + count * step}:{step}").values
    assert values == [float(start + n * step) for n in range(count + 1)]


@given(st.text())
def test_any_text_is_an_axis_or_an_error_of_ours(text: str) -> None:
    try:
        axis = parse(f"steps={text}")
    except FormatError:
        return
    assert axis.values


def test_cells() -> None:
    axes = [parse("steps=1,2"), parse("cfg_scale=5:9:2")]
    assert axes[1].labels == ["cfg_scale=5", "cfg_scale=7", "cfg_scale=9"]
    found = cells(axes)
    assert [cell.at for cell in found] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert found[-1].label == "steps=2 cfg_scale=9"
    assert [value for _, value in found[-1].changes] == [2, 9]


def test_without_axes_there_is_one_cell() -> None:
    (cell,) = cells([])
    assert (cell.at, cell.changes, cell.label) == ((), [], "")


def test_too_many_cells_and_the_same_axis_twice() -> None:
    with pytest.raises(FormatError, match="1000000 combinations"):
        cells([parse("steps=1:1000"), parse("seed=1:1000")])
    with pytest.raises(FormatError, match="steps: is swept twice"):
        cells([parse("steps=1,2"), parse("steps=3")])


def test_long_values_are_short_labels() -> None:
    assert value_text("a" * 200) == "a" * 200
    assert value_text("a" * 10_000) == "a" * 60 + "… (10000 characters)"
    assert value_text(True) == "true"
