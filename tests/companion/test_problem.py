"""A problem as text and as JSON."""

from __future__ import annotations

import pytest

from payload_replay import Problem

pytestmark = pytest.mark.once


def test_as_text() -> None:
    assert str(Problem("a.b", "is gone")) == "a.b: is gone"
    near = Problem("a", "is gone", "pixels", "there")
    assert str(near) == "a: is gone; the nearest is 'there'"


def test_as_json() -> None:
    told = {"path": "a", "reason": "is gone", "severity": "blocks", "nearest": None}
    assert Problem("a", "is gone").to_dict() == told


def test_the_gravest_first() -> None:
    found = [Problem("a", "", "cosmetic"), Problem("b", "", "blocks"), Problem("c", "", "pixels")]
    assert [p.path for p in sorted(found, key=lambda problem: problem.rank)] == ["b", "c", "a"]
