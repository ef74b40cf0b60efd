"""What a run consists of."""

from __future__ import annotations

from pathlib import Path

import pytest

from payload_replay import Capture, FormatError
from payload_replay.capture import TXT2IMG
from payload_replay.errors import BadSource
from payload_replay.plan import plan
from payload_replay.source import Named
from payload_replay.sweep import parse
from payload_replay.template import Row
from payload_replay.vary import Change

pytestmark = pytest.mark.once

NAMED = Named(Capture(1, "cat", TXT2IMG, {"prompt": "a {animal}", "steps": 1, "seed": 1}), Path())
ROWS = [Row(f"r.csv: line {n}", {"animal": animal}, False) for n, animal in enumerate("xyz", 2)]


def test_sources_as_they_are() -> None:
    made = plan(["a", "b"])
    assert [job.name for job in made.jobs] == ["a", "b"]
    assert made.jobs[0].make(NAMED) == NAMED.capture
    assert (made.axes, made.places) == ([["a", "b"]], [(0,), (1,)])


def test_every_row_with_every_combination() -> None:
    axes = [parse("steps=1,2"), parse("seed=3,4")]
    made = plan(["a"], changes=[(["cfg_scale"], 9)], axes=axes, rows=ROWS)
    assert len(made.jobs) == len(set(made.places)) == 12
    assert made.jobs[-1].name == "a r.csv: line 4 steps=2 seed=4"
    assert made.places[-1] == (1, 1, 2)
    assert made.axes == [
        ["steps=1", "steps=2"],
        ["seed=3", "seed=4"],
        ["r.csv: line 2", "r.csv: line 3", "r.csv: line 4"],
    ]
    sent = [job.make(NAMED).payload for job in made.jobs]
    assert sent[-1] == {"prompt": "a z", "steps": 2, "seed": 4, "cfg_scale": 9}
    assert len({str(payload) for payload in sent}) == 12


def test_all_jobs_of_a_source_share_it() -> None:
    made = plan(["a", "b"], axes=[parse("steps=1,2")])
    assert [job.source.name for job in made.jobs] == ["a", "a", "b", "b"]
    assert len({id(job.source) for job in made.jobs}) == 2


def test_rows_for_a_payload_without_fields() -> None:
    (first, *_) = plan(["a"], rows=ROWS).jobs
    with pytest.raises(FormatError, match=r"has no \{fields\} for --rows to fill"):
        first.make(Named(Capture(1, "i", TXT2IMG, {"prompt": "a {red|blue}"})))


def test_what_was_given_is_not_read_as_a_name_again() -> None:
    """It had its names read already; the one that it replaces is not missed."""
    payload = {"script_args": ["file:gone.png", "file:gone.png"], "steps": 1}
    named = Named(Capture(1, "i", TXT2IMG, payload), Path())
    changes: list[Change] = [(["script_args", 0], "file:text"), (["script_args", 1], "file:text")]
    (job,) = plan(["a"], changes=changes).jobs
    assert job.make(named).payload["script_args"] == ["file:text", "file:text"]
    (job,) = plan(["a"], changes=changes[:1]).jobs
    with pytest.raises(BadSource, match=r"script_args\[1\]: .*gone.png"):
        job.make(named)


@pytest.mark.parametrize("typed", [True, False])
def test_what_a_row_gave_is_not_read_as_a_name_again(typed: bool) -> None:
    payload = {"script_args": ["{arg}", "file:gone.png"], "prompt": "{arg}"}
    named = Named(Capture(1, "i", TXT2IMG, payload), Path())
    rows = [Row("r: line 2", {"arg": "file:file:text"}, typed)]
    (job,) = plan(["a"], changes=[(["script_args", 1], 0)], rows=rows).jobs
    assert job.make(named).payload == {"script_args": ["file:text", 0], "prompt": "file:file:text"}
    (job,) = plan(["a"], rows=rows).jobs
    with pytest.raises(BadSource, match=r"script_args\[1\]: .*gone.png"):
        job.make(named)


def test_too_many() -> None:
    with pytest.raises(FormatError, match="200000 jobs in one run"):
        plan(["a"] * 200, axes=[parse("steps=1:1000")])
