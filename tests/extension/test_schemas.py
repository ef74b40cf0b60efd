"""What requests say, read by the shapes that describe them."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_capture.schemas import BadParameterError, Parameter, checked, faults, moment, read
from payload_capture.shapes import EDIT, FILTERS, SELECTION

LIMIT = Parameter("limit", {"type": "integer", "minimum": 1, "maximum": 9}, "how many")
NAME = Parameter("name", {"type": "string"}, "whose", required=True)
SWITCH = Parameter("on", {"type": "boolean"}, "whether")
SINCE = Parameter("since", {"type": "string", "format": "date-time"}, "from when")


@pytest.mark.parametrize(
    ("query", "read_as"),
    [
        ({"limit": "3"}, {"limit": 3}),
        ({"limit": ""}, {}),
        ({"on": "true"}, {"on": True}),
        ({"on": "0"}, {"on": False}),
        ({"since": "2026-11-23T16:15:02Z"}, {"since": "2026-11-23T16:15:02Z"}),
    ],
)
def test_reads_a_query(query: dict[str, str], read_as: dict[str, Any]) -> None:
    assert read(query, (LIMIT, SWITCH, SINCE)) == read_as


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"name": "x", "limit": "0"}, "limit"),
        ({"name": "x", "limit": "10"}, "limit"),
        ({"name": "x", "limit": "٣"}, "limit"),
        ({"name": "x", "limit": "1e0"}, "limit"),
        ({"name": "x", "on": "yes"}, "on"),
        ({"name": "x", "since": "0001-01-01T00:00:00+23:00"}, "since"),
        ({"name": "x", "colour": "red"}, "colour"),
        ({"name": ""}, "name"),
        ({}, "name"),
    ],
)
def test_names_the_parameter_that_cannot_be_used(query: dict[str, str], field: str) -> None:
    with pytest.raises(BadParameterError) as raised:
        read(query, (LIMIT, NAME, SWITCH, SINCE))
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23T18:15:02+02:00", "2026-11-23T16:15:02+00:00"),
        ("2026-11-23T16:15:02z", "2026-11-23T16:15:02+00:00"),
        ("2026-11-23", "2026-11-23T00:00:00+00:00"),
    ],
)
def test_a_time_is_compared_in_utc(text: str, utc: str) -> None:
    found = moment(text)
    assert found is not None
    assert found.isoformat() == utc


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", "10000-01-01", "2026-11-23T16:15:02Zz"])
def test_what_is_no_time(text: str) -> None:
    assert moment(text) is None


def test_a_fault_in_a_body_has_its_path() -> None:
    with pytest.raises(BadParameterError) as raised:
        checked({"ids": ["a", 3]}, SELECTION)
    assert raised.value.field == "ids[1]"
    assert "must be a string, not 3" in str(raised.value)


def test_an_object_that_says_nothing() -> None:
    with pytest.raises(BadParameterError, match="title, note, tags, starred"):
        checked({}, EDIT)


NAMES = st.sampled_from(["title", "tags", "starred", "ids", "filter", "format", "q", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON | st.dictionaries(NAMES, JSON, max_size=4))
@pytest.mark.parametrize("schema", [EDIT, SELECTION], ids=["edit", "selection"])
def test_agrees_with_json_schema(schema: dict[str, Any], value: Any) -> None:
    """What is published as JSON Schema means what it is read by."""
    known = not list(jsonschema.Draft202012Validator(schema).iter_errors(value))
    assert known == (next(faults(value, schema), None) is None)


def test_every_filter_is_one_of_the_store() -> None:
    from payload_capture.store import Filters

    assert tuple(one.name for one in FILTERS) == Filters._fields
