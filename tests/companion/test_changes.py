"""What was rewritten, as text and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from payload_replay import Change
from payload_replay.changes import put

pytestmark = pytest.mark.once


def test_as_text_and_json() -> None:
    change = Change("scheduler", None, "Karras", "it has a field")
    assert str(change) == "scheduler: nothing became 'Karras', since it has a field"
    assert change.to_dict() == {
        "path": "scheduler",
        "before": None,
        "after": "Karras",
        "reason": "it has a field",
    }
    gone = Change("image", "A" * 10**7, {"image": "A" * 10**7}, "it is gone")
    assert len(str(gone)) < 400
    assert len(json.dumps(gone.to_dict())) < 400
    assert Change("steps", 7, True, "").to_dict()["before"] == 7


def test_put() -> None:
    values: dict[str, Any] = {"a": 1, "b": 2}
    assert list(put(values, "x.", "a", 1, "why")) == []
    assert list(put(values, "x.", "c", None, "why")) == []
    (changed,) = put(values, "x.", "a", 3, "why")
    (removed,) = put(values, "x.", "b", None, "why")
    assert values == {"a": 3}
    assert changed == Change("x.a", 1, 3, "why")
    assert removed == Change("x.b", 2, None, "why")
