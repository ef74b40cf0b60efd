"""What was sent against what was taken."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from json_values import json_values
from payload_replay.capture import escaped, reference
from payload_replay.differences import Difference, brief, differences, same

pytestmark = pytest.mark.once

DATA = b"\x89PNG not really"
NAME = hashlib.sha256(DATA).hexdigest()


def found(sent: dict[str, Any], said: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.kind, one.path) for one in differences(sent, said)]


def test_the_kinds_in_their_order() -> None:
    sent = {"steps": 20, "gone": 1, "cfg_scale": 7, "seed": 1, "on": True, "nothing": None}
    said = {"steps": 20.0, "cfg_scale": 8, "seed": 1, "new": 5, "on": False, "nothing": None}
    assert found(sent, said) == [
        ("changed", "cfg_scale"),
        ("changed", "on"),
        ("removed", "gone"),
        ("added", "new"),
    ]


def test_inside_of_mappings_and_lists() -> None:
    sent = {"override_settings": {"a": 1, "b": 2}, "x": [{"y": 1}, 2], "z": [1]}
    said = {"override_settings": {"a": 1}, "x": [{"y": 2}, 2], "z": [1, 2]}
    assert found(sent, said) == [
        ("changed", "x[0].y"),
        ("changed", "z"),
        ("removed", "override_settings.b"),
    ]


def test_no_parameters_are_no_difference() -> None:
    assert found({"a": 1}, {}) == []


def test_pictures() -> None:
    text = base64.b64encode(DATA).decode()
    assert same(reference(NAME), text)
    assert same(reference(NAME), f"data:image/png;base64,{text}")
    assert not same(reference(NAME), "AAAA")
    assert not same(reference(NAME), "no base64 \ud800")
    (one,) = differences({"init_images": [reference(NAME)]}, {"init_images": None})
    assert one.withheld
    masked, _ = differences({"mask": reference(NAME)}, {"prompt": None, "mask": None})
    assert masked.withheld


def test_a_mappings_own_dollars() -> None:
    sent = {"alwayson_scripts": escaped({"$odd": 1})}
    assert found(sent, {"alwayson_scripts": {"$odd": 1}}) == []


@pytest.mark.parametrize(
    ("sent", "said", "alike"),
    [
        (7, 7.0, True),
        (1, True, False),
        ([1, 2], [1.0, 2], True),
        ([1], [True], False),
        ([1], [1, 1], False),
        ({"a": {"b": 1}}, {"a": {"b": True}}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (escaped({"$odd": 1}), {"$odd": 1.0}, True),
        ([reference(NAME)], [base64.b64encode(DATA).decode()], True),
    ],
)
def test_same(sent: Any, said: Any, alike: bool) -> None:
    assert same(sent, said) is alike


def test_a_payloads_own_dollars() -> None:
    assert found(escaped({"$odd": 1, "$$": 2}), {"$odd": 1, "$$": 2}) == []


def test_brief() -> None:
    assert brief("short") == "'short'"
    assert brief(reference(NAME)) == f"picture {NAME[:12]}…"
    assert "(5000000 characters)" in brief("A" * 5_000_000)
    assert len(brief("A" * 5_000_000)) < 130
    assert brief([1, "a", {"b": None}]) == "[1, 'a', {b: None}]"
    assert brief([["A" * 10_000_000] * 100] * 100).count("characters") < 10
    assert brief(list(range(100))).endswith(", …]")


JSON = json_values(st.text(max_size=4), st.text(max_size=3), st.floats(allow_nan=False), leaves=8)
PAYLOAD = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


@given(sent=PAYLOAD, said=PAYLOAD)
def test_any_two(sent: dict[str, Any], said: dict[str, Any]) -> None:
    for one in differences(sent, said):
        assert isinstance(one, Difference)
        assert len(brief(one.sent)) < 400


@given(payload=PAYLOAD)
def test_the_same_is_no_difference(payload: dict[str, Any]) -> None:
    assert found(escaped(payload), payload) == []


def test_a_number_read_as_a_switch_is_no_difference() -> None:
    assert list(differences({"inpaint_full_res": 0}, {"inpaint_full_res": False})) == []
    (one,) = differences({"inpaint_full_res": 0}, {"inpaint_full_res": True})
    assert (one.kind, one.sent, one.said) == ("changed", 0, True)
