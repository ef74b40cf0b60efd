"""The tree of errors is the one that its module's docstring draws."""

from __future__ import annotations

import re

import pytest

import payload_replay
from payload_replay import InvalidPayload, ReplayError, ServerError, errors

pytestmark = pytest.mark.once

OURS = {
    name: error
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, Exception)
}


def test_the_docstring_draws_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert drawn == sorted(drawn, key=list(OURS).index)
    assert {*drawn, "ReplayError"} == OURS.keys()


@pytest.mark.parametrize("name", OURS)
def test_each_is_public_documented_and_in_the_tree(name: str) -> None:
    assert getattr(payload_replay, name) is OURS[name]
    assert issubclass(OURS[name], ReplayError)
    assert OURS[name].__doc__


def test_a_server_that_repeats_itself_is_quoted_once() -> None:
    assert str(ServerError(500, "E", "bad", "bad")) == "the server failed with 500: E: bad"
    assert "look into its log" in str(ServerError(500))


def test_a_refusal_names_the_field() -> None:
    assert str(InvalidPayload("no", "steps")) == "the server refuses this: steps: no"
    assert str(InvalidPayload("no")) == "the server refuses this: no"


def test_the_public_face_is_sorted_and_whole() -> None:
    assert payload_replay.__all__ == sorted(payload_replay.__all__)
    assert set(payload_replay.__all__) == set(payload_replay._HOMES)
    assert set(payload_replay.__all__) <= set(dir(payload_replay))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = payload_replay.Nothing
