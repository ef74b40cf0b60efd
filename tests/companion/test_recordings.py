"""A folder of captures: what it can answer, what it names as unusable, how it keeps a new one."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payload_replay import BadSource, FormatError
from payload_replay import recordings as module
from payload_replay.captions import FILE, Question
from payload_replay.capture import TXT2IMG, Job
from payload_replay.matching import form
from payload_replay.recordings import LISTS, Recordings, endpoints, usable

pytestmark = pytest.mark.once

CAT: dict[str, Any] = {"prompt": "a cat", "seed": 7, "steps": 2, "width": 16, "height": 16}


def test_json_and_bundles_are_read(folder) -> None:
    folder()
    home = folder({"seed": 8}, "bundle", id="cat-2")
    found = Recordings(home)
    assert (found.broken, found.was_empty) == ([], False)
    assert [one.bare.id for one in found.all()] == ["cat-1", "cat-2"]
    assert endpoints(found.all()) == [TXT2IMG]
    for one in found.all():
        assert usable(one.capture()).results


def test_several_of_one_request_take_turns(folder) -> None:
    for name in ("b", "a", "c"):
        home = folder(id=name)
    found = Recordings(home)
    asked = form(TXT2IMG, CAT)
    assert len(found.unplayed()) == 3
    played = [one.bare.id for _ in range(4) if (one := found.find(asked))]
    assert played == ["a", "b", "c", "a"]
    assert found.unplayed() == []
    assert found.find(form(TXT2IMG, CAT | {"seed": 9})) is None


def test_the_nearest_come_first(folder) -> None:
    folder({"steps": 9, "cfg_scale": 3.0}, id="far")
    home = folder(id="near")
    near = Recordings(home).nearest(form(TXT2IMG, CAT | {"seed": 8}))
    assert [one.recording.bare.id for one in near] == ["near", "far"]
    assert [each.path for each in near[0].differences] == ["seed"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"prompt": "a cat", "steps": 2}', "a bare payload?"),
        (b"[" * 10_000, "not"),
        (b'{"prompt": ' * 300 + b"1" + b"}" * 300, "nested too deeply"),
        (b"PK\x03\x04nonsense", "damaged bundle"),
        (b'{"format": 9}', "written in format 9"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_unusable_is_named_and_skipped(folder, data: bytes, reason: str) -> None:
    home = folder()
    (home / "bad.json").write_bytes(data)
    found = Recordings(home)
    (broken,) = found.broken
    assert broken.path == home / "bad.json"
    assert reason in broken.reason
    assert len(found.all()) == 1


def test_a_capture_without_its_pictures_is_unusable(folder, captured) -> None:
    home = folder()
    (home / "bare.json").write_text(captured(id="bare").to_json())
    (broken,) = Recordings(home).broken
    assert "export the capture again" in broken.reason


def test_a_generation_that_was_interrupted_is_no_answer(captured) -> None:
    capture = captured(job=Job(state="interrupted"))
    with pytest.raises(FormatError, match="interrupted"):
        usable(capture)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="no such folder"):
        Recordings(tmp_path / "nothing")
    assert Recordings(tmp_path / "nothing", make=True).was_empty


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.json").touch()
    with pytest.raises(BadSource, match="2 are the most"):
        Recordings(tmp_path)


def test_beyond_the_bound_pictures_are_read_again(folder, monkeypatch) -> None:
    monkeypatch.setattr(module, "HELD", 0)
    home = folder()
    (one,) = Recordings(home).all()
    assert one.held is None
    assert one.capture().results == one.bare.results
    (home / "cat-1.json").write_text("{}")
    with pytest.raises(FormatError):
        one.capture()


def test_a_new_one_is_kept_and_found(folder, tmp_path: Path) -> None:
    source = Recordings(folder()).all()[0].capture()
    made = Recordings(tmp_path / "new", make=True)
    first = made.add(source)
    second = made.add(source)
    assert [one.path.name for one in (first, second)] == ["cat-1.json", "cat-1~2.json"]
    assert made.find(form(TXT2IMG, CAT)) is not None
    assert [one.capture() for one in Recordings(tmp_path / "new").all()] == [source, source]
    assert not list((tmp_path / "new").glob(".*"))


def test_many_threads_each_keep_their_own(folder, tmp_path: Path) -> None:
    source = Recordings(folder()).all()[0].capture()
    made = Recordings(tmp_path / "new", make=True)
    work = [threading.Thread(target=made.add, args=(source,)) for _ in range(8)]
    for one in work:
        one.start()
    for one in work:
        one.join()
    assert len(Recordings(tmp_path / "new").all()) == 8


def test_a_folder_of_unusable_files_is_as_good_as_empty(folder) -> None:
    home = folder()
    (home / "cat-1.json").write_text("{")
    found = Recordings(home)
    assert (found.was_empty, len(found.broken)) == (True, 1)


def test_what_cannot_be_read_again_is_not_written(folder, tmp_path: Path) -> None:
    """Or the folder would hold a file of no use."""
    source = Recordings(folder()).all()[0].capture()
    made = Recordings(tmp_path / "new", make=True)
    with pytest.raises(FormatError):
        made.add(dataclasses.replace(source, results=[]))
    assert list((tmp_path / "new").iterdir()) == []


def test_a_list_that_could_not_be_written_is_tried_again(tmp_path: Path, full_disk) -> None:
    made = Recordings(tmp_path)
    with full_disk(), pytest.raises(OSError, match="No space"):
        made.keep_list("/sdapi/v1/samplers", [])
    made.keep_list("/sdapi/v1/samplers", [])
    assert Recordings(tmp_path).lists == {"/sdapi/v1/samplers": []}


def test_passwords_of_an_older_file_are_not_read(tmp_path: Path) -> None:
    lists = {"/sdapi/v1/cmd-flags": {"api_auth": "me:s3cret"}, "/sdapi/v1/loras": []}
    (tmp_path / LISTS).write_text(json.dumps({"lists": lists}))
    made = Recordings(tmp_path)
    assert made.lists == {"/sdapi/v1/loras": []}
    made.keep_list("/sdapi/v1/samplers", [])
    assert "s3cret" not in (tmp_path / LISTS).read_text()


def test_lists_are_kept(tmp_path: Path) -> None:
    made = Recordings(tmp_path)
    made.keep_list("/sdapi/v1/samplers", [{"name": "Euler"}])
    again = Recordings(tmp_path)
    assert again.lists == {"/sdapi/v1/samplers": [{"name": "Euler"}]}
    assert again.was_empty
    (tmp_path / LISTS).write_text(json.dumps({"lists": []}))
    broken = Recordings(tmp_path)
    assert "not an object" in broken.broken[0].reason
    with pytest.raises(FileExistsError, match="not overwritten"):
        broken.keep_list("/sdapi/v1/samplers", [])
    assert (tmp_path / LISTS).read_text() == '{"lists": []}'


def test_captions_are_recordings_as_well(tmp_path: Path) -> None:
    Recordings(tmp_path).captions.keep(Question("a", "clip"), "a cat")
    found = Recordings(tmp_path)
    assert (found.was_empty, found.broken, found.all()) == (False, [], [])
    assert found.captions.find(Question("a", "clip")) == "a cat"
    (tmp_path / FILE).write_text("{}")
    (broken,) = Recordings(tmp_path).broken
    assert broken.path == tmp_path / FILE


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "any.json").write_bytes(data)
    found = Recordings(tmp_path)
    assert len(found.broken) + len(found.all()) == 1


def test_bare_holds_no_pictures(folder) -> None:
    (one,) = Recordings(folder()).all()
    assert all(asset.data is None for asset in one.bare.assets.values())
    assert one.held is not None
    assert dataclasses.replace(one.held, assets={}) == dataclasses.replace(one.bare, assets={})
