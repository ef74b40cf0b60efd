"""Several sources in one run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fake_webui import API, NO_ROUTE, FakeWebUI
from payload_replay import WebUI
from payload_replay.batch import run, save
from payload_replay.capture import Job
from payload_replay.exits import ExitStatus

pytestmark = pytest.mark.once


def test_one_that_fails_does_not_stop_the_next(webui: WebUI, captured) -> None:
    captured(id="good")
    captured(id="broken-off", job=Job(state="interrupted"))
    outcomes = list(run(["unknown", "broken-off", "no.json", "good"], webui))
    assert [outcome.verdict for outcome in outcomes] == [
        "refused",
        "refused",
        "refused",
        "identical",
    ]
    assert [outcome.status for outcome in outcomes] == [2, 2, 2, 0]


def test_what_every_source_would_meet_is_said_of_all_and_asked_once(
    fake: FakeWebUI, webui: WebUI
) -> None:
    fake.answers["GET", f"{API}/options"] = NO_ROUTE
    stdin = io.BytesIO(b'{"prompt": "a"}')
    outcomes = list(run(["-", "latest"], webui, stdin=stdin))
    assert [outcome.source for outcome in outcomes] == ["-", "latest"]
    for outcome in outcomes:
        assert (outcome.verdict, outcome.status) == ("failed", ExitStatus.FAILED)
        assert "--api" in outcome.reason
    assert len(fake.asked) == 1


def test_a_server_that_fails_once(fake: FakeWebUI, webui: WebUI, captured) -> None:
    captured()
    fake.answer("POST", f"{API}/txt2img", 500, {"errors": "no memory"})
    first, second = run(["latest", "latest"], webui)
    assert first.status is second.status is ExitStatus.FAILED


def test_the_json_of_an_error_has_the_same_keys(webui: WebUI, captured) -> None:
    captured()
    good, bad = (outcome.to_dict() for outcome in run(["latest", "no.json"], webui))
    assert list(good) == list(bad)
    assert (bad["source"], bad["id"], bad["images"]) == ("no.json", None, [])


def test_pictures_are_saved_and_nothing_is_overwritten(
    tmp_path: Path, webui: WebUI, captured
) -> None:
    captured({"batch_size": 2})
    out = tmp_path / "new" / "folder"
    for _ in range(2):
        assert [outcome.verdict for outcome in run(["latest"], webui, out=out)] == ["identical"]
    names = sorted(path.name for path in out.iterdir())
    assert names == ["cat-1-0.png", "cat-1-0~2.png", "cat-1-1.png", "cat-1-1~2.png"]
    assert (out / "cat-1-0.png").read_bytes() == (out / "cat-1-0~2.png").read_bytes()


def test_pictures_are_saved_as_they_came(tmp_path: Path, webui: WebUI) -> None:
    replay = webui.replay({"prompt": "a"})
    (path,) = save(replay.pictures, tmp_path, "x")
    assert path.read_bytes() == replay.pictures[0].data


def test_a_folder_that_cannot_be_written(tmp_path: Path, webui: WebUI, captured) -> None:
    captured()
    (tmp_path / "file").write_text("")
    (outcome,) = run(["latest"], webui, out=tmp_path / "file")
    assert (outcome.verdict, outcome.status) == ("refused", ExitStatus.REFUSED)
