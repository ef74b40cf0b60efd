"""The files that a failing replay leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from payload_replay import WebUI
from payload_replay.capture import TXT2IMG
from payload_replay.measures import heat_map
from payload_replay.remains import clear, leave

pytestmark = pytest.mark.once


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_expected_actual_and_difference(fake, webui: WebUI, captured, tmp_path: Path) -> None:
    capture = captured({"batch_size": 2})
    fake.options["sd_vae"] = "another"
    replay = webui.replay(capture)
    left = leave(tmp_path / "left", capture, replay.images, webui.captures.asset)
    assert names(tmp_path / "left") == [
        f"{n}-{what}.png" for n in (0, 1) for what in ("actual", "difference", "expected")
    ]
    for one in left:
        answered = one.comparison.answered
        assert answered is not None
        assert one.files["actual"].read_bytes() == answered.picture.data
        assert one.files["expected"].read_bytes() == fake.assets[one.comparison.result.asset]
        expected, actual = (Image.open(one.files[name]) for name in ("expected", "actual"))
        shown = heat_map(expected, actual)
        assert shown is not None
        assert Image.open(one.files["difference"]).tobytes() == shown[0].tobytes()
        assert one.lines()[0].startswith(f"sample, seed {one.comparison.result.seed}: different")


def test_what_cannot_be_had_is_not_there(fake, webui: WebUI, captured, tmp_path: Path) -> None:
    capture = captured()
    fake.options["sd_vae"] = "another"
    replay = webui.replay(capture)
    (left,) = leave(tmp_path / "left", capture, replay.images)
    assert list(left.files) == ["actual"]
    fake.assets.clear()
    (left,) = leave(tmp_path / "left", capture, replay.images, webui.captures.asset)
    assert list(left.files) == ["actual"]


def test_identical_leaves_nothing_and_clears(webui: WebUI, captured, tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    (left / "0-actual.png").touch()
    capture = captured()
    assert leave(left, capture, webui.replay(capture).images) == []
    assert not left.exists()


def test_clear_keeps_what_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "0-expected.png").touch()
    clear(tmp_path)
    assert names(tmp_path) == ["notes.txt"]
    clear(tmp_path / "nothing")


def test_pictures_of_two_sizes_have_no_difference(
    fake, webui: WebUI, captured, tmp_path: Path
) -> None:
    capture = captured()
    wider = fake.generate(capture.payload | {"width": 32})
    fake.answer("POST", TXT2IMG, 200, wider)
    images = webui.replay(capture).images
    (left,) = leave(tmp_path / "left", capture, images, webui.captures.asset)
    assert sorted(left.files) == ["actual", "expected"]
