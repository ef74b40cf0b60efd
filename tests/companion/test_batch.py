"""What came of one source among several."""

from __future__ import annotations

from pathlib import Path

import pytest

from payload_replay import ServerError, WebUI
from payload_replay.batch import Outcome, save
from payload_replay.errors import Interrupted, NotFound
from payload_replay.exits import ExitStatus

pytestmark = pytest.mark.once


def test_the_json_of_an_error_has_the_same_keys(webui: WebUI, captured) -> None:
    good = Outcome("latest", webui.replay(captured())).to_dict()
    bad = Outcome("no.json", error=NotFound("gone")).to_dict()
    assert list(good) == list(bad)
    assert (bad["source"], bad["id"], bad["images"], bad["server"]) == ("no.json", None, [], None)


def test_without_its_pictures_it_says_the_same(webui: WebUI, captured) -> None:
    outcome = Outcome("latest", webui.replay(captured()), server=webui.url)
    slim = outcome.slim()
    assert slim.replay is None
    assert slim.to_dict() == outcome.to_dict()
    assert (slim.made, slim.status, slim.reason) == (1, outcome.status, outcome.reason)
    assert slim.seconds == pytest.approx(outcome.seconds, abs=0.001)


def test_an_error_says_what_other_servers_had_said() -> None:
    outcome = Outcome("a", error=ServerError(500), server="http://a", elsewhere={"http://b": "x"})
    assert outcome.reason.startswith("http://b: x; http://a: the server failed with 500")
    assert (outcome.verdict, outcome.made, outcome.seconds) == ("failed", 0, None)
    assert outcome.slim() is outcome


def test_an_error_lets_go_of_what_it_was_about() -> None:
    def fail() -> None:
        try:
            raise KeyError
        except KeyError as error:
            raise ServerError(500) from error

    with pytest.raises(ServerError) as caught:
        fail()
    Outcome("a", error=caught.value).slim()
    assert caught.value.__traceback__ is None
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is None


def test_a_success_does_not(webui: WebUI) -> None:
    replay = webui.replay({"prompt": "a", "steps": 1})
    outcome = Outcome("a", replay, server="http://a", elsewhere={"http://b": "x"})
    assert outcome.reason == replay.reason


def test_what_was_interrupted() -> None:
    outcome = Outcome("a", error=Interrupted("stopped"))
    assert (outcome.verdict, outcome.status) == ("failed", ExitStatus.INTERRUPTED)


def test_pictures_are_saved_as_they_came_and_nothing_is_overwritten(
    tmp_path: Path, webui: WebUI
) -> None:
    replay = webui.replay({"prompt": "a", "steps": 1})
    paths = [
        *save(replay.pictures, tmp_path / "new", "x"),
        *save(replay.pictures, tmp_path / "new", "x"),
    ]
    assert [path.name for path in paths] == ["x-0.png", "x-0~2.png"]
    assert {path.read_bytes() for path in paths} == {replay.pictures[0].data}
