"""JSON and base64, with the fast libraries and without them."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from json_values import json_values
from payload_replay import codec

pytestmark = pytest.mark.once


@pytest.fixture(params=["fast", "plain"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setattr(codec, "orjson", None)
        monkeypatch.setattr(codec, "pybase64", None)


@pytest.mark.parametrize("value", [None, True, 1.0, 2**70, -0.0, "ä\u2028", [], {"$a": [1, "x"]}])
def test_json_round_trip(value: object) -> None:
    assert codec.loads(codec.dumps(value)) == value


@given(json_values())
def test_any_json_round_trip(value: object) -> None:
    assert codec.loads(codec.dumps(value)) == value


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": -math.inf}])
def test_numbers_that_json_lacks_are_not_written(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        codec.dumps(value)


@pytest.mark.parametrize("loads", [codec.loads, codec.loads_pictures])
def test_what_servers_write_all_the_same_is_read(loads: Callable[[bytes], object]) -> None:
    assert loads(b"[Infinity]") == [math.inf]
    assert loads(b'{"images": ["AAAA"], "info": "{}"}') == {"images": ["AAAA"], "info": "{}"}


def test_a_large_integer_stays_one() -> None:
    assert codec.loads(b"-9223372036854775809") == -(2**63) - 1


@pytest.mark.parametrize("loads", [codec.loads, codec.loads_pictures])
@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"<html>", b"[" * 100_000])
def test_what_is_no_json(loads: Callable[[bytes], object], text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads(text)


def test_what_is_nested_too_deeply_is_not_written() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="too deeply"):
        codec.dumps(value)


@given(st.binary())
def test_base64(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert codec.b64decode(text) == codec.b64decode(f"data:image/png;base64,{text}") == data


@pytest.mark.parametrize("text", ["A", "AAAAA", "ä"])
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.b64decode(text)


def test_what_is_not_of_json_by_a_function() -> None:
    assert codec.dumps({"a": {1}}, lambda value: sorted(value)) == b'{"a":[1]}'
    with pytest.raises(TypeError):
        codec.dumps({"a": {1}})
