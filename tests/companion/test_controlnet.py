"""Units of ControlNet in the names of today."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay import Capture
from payload_replay.controlnet import units

pytestmark = pytest.mark.once


def rewritten(unit: dict[str, Any], title: str = "ControlNet") -> tuple[dict[str, Any], list[str]]:
    payload = {"prompt": "", "alwayson_scripts": {title: {"args": [unit]}}}
    capture = Capture.from_payload(payload)
    paths = [change.path.rpartition(".")[2] for change in units(capture)]
    return capture.payload["alwayson_scripts"][title]["args"][0], paths


def test_renamed_fields() -> None:
    unit, paths = rewritten({"input_image": "AAAA", "lowvram": True, "guidance": 0.8, "model": "m"})
    assert unit == {"image": "AAAA", "low_vram": True, "guidance_end": 0.8, "model": "m"}
    assert sorted(paths) == ["guidance", "input_image", "lowvram"]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ({"guessmode": True}, {"control_mode": "ControlNet is more important"}),
        ({"guess_mode": False}, {"control_mode": "Balanced"}),
        ({"control_mode": 1}, {"control_mode": "My prompt is more important"}),
        ({"resize_mode": 0}, {"resize_mode": "Just Resize"}),
        ({"resize_mode": 1}, {"resize_mode": "Crop and Resize"}),
        ({"resize_mode": 2}, {"resize_mode": "Resize and Fill"}),
        ({"resize_mode": "Envelope (Outer Fit)"}, {"resize_mode": "Resize and Fill"}),
        ({"resize_mode": "Scale to Fit (Inner Fit)"}, {"resize_mode": "Crop and Resize"}),
    ],
)
def test_numbers_and_old_words(unit: dict[str, Any], expected: dict[str, Any]) -> None:
    assert rewritten(unit)[0] == expected


@pytest.mark.parametrize(
    "unit",
    [
        {"image": "A", "low_vram": False, "resize_mode": "Just Resize", "control_mode": "Balanced"},
        {"input_image": "A", "image": "B"},
        {"guessmode": True, "control_mode": "Balanced"},
        {"resize_mode": 3},
        {"resize_mode": -1, "control_mode": True},
        {"resize_mode": None, "control_mode": [1]},
    ],
)
def test_what_is_left_alone(unit: dict[str, Any]) -> None:
    assert rewritten(dict(unit)) == (unit, [])


def test_another_script_is_not_touched() -> None:
    assert rewritten({"lowvram": True}, "ADetailer") == ({"lowvram": True}, [])


FIELDS = st.sampled_from(["guessmode", "control_mode", "resize_mode", "image", "input_image"])
VALUES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


@given(unit=st.dictionaries(FIELDS, VALUES))
def test_twice_is_once(unit: dict[str, Any]) -> None:
    once, _ = rewritten(unit)
    assert rewritten(dict(once)) == (once, [])
