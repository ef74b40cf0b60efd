"""What was said of pictures: found by pixels and model, kept in one file."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from payload_replay import FormatError
from payload_replay.captions import FILE, Captions, question

pytestmark = pytest.mark.once


def picture(colour: str = "red", **how: Any) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "PNG", **how)
    return base64.b64encode(buffer.getvalue()).decode()


def test_the_same_pixels_and_the_same_model_are_the_same_question() -> None:
    asked = question({"image": picture()})
    again = f"data:image/png;base64,{picture(compress_level=0)}"
    assert picture() not in again
    assert question({"image": again, "model": "clip"}) == asked
    assert question({"image": picture("blue")}) != asked
    assert question({"image": picture(), "model": "deepdanbooru"}) != asked


@pytest.mark.parametrize("text", ["", "x", "http://example.com/a.png", "\ud800" * 1000, "R0" * 999])
def test_what_is_no_picture_stands_for_itself(text: str) -> None:
    assert question({"image": text}) == question({"image": text})
    assert question({"image": text}) != question({"image": text + "!"})
    assert len(question({"image": text}).picture) <= 200


@pytest.mark.parametrize(
    ("payload", "field"),
    [({}, "image"), ({"image": 1}, "image"), ({"image": "", "model": 1}, "model")],
)
def test_no_question(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError) as error:
        question(payload)
    assert error.value.path == field


def test_they_are_kept_and_found(tmp_path: Path) -> None:
    asked, other = question({"image": picture()}), question({"image": picture(), "model": "other"})
    made = Captions(tmp_path)
    assert (len(made), made.find(asked), list(tmp_path.iterdir())) == (0, None, [])
    made.keep(asked, "an apple")
    made.keep(asked, "a red square")
    made.keep(other, "red")
    for one in (made, Captions(tmp_path)):
        assert len(one) == 2
        assert (one.find(asked), one.find(other)) == ("a red square", "red")
        assert one.models(asked) == ["clip", "other"]
        assert one.models(question({"image": picture("blue")})) == []


def test_what_cannot_be_written_is_not_known(tmp_path: Path, full_disk) -> None:
    made, asked = Captions(tmp_path), question({"image": picture()})
    with full_disk(), pytest.raises(OSError, match="No space"):
        made.keep(asked, "a red square")
    assert made.find(asked) is None


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], ""),
        ({}, "captions"),
        ({"captions": {}}, "captions"),
        ({"captions": [1]}, "captions[0].picture"),
        ({"captions": [{"picture": "a", "model": "b", "caption": None}]}, "captions[0].caption"),
    ],
)
def test_a_file_that_is_none_of_ours_is_left_as_it_is(
    tmp_path: Path, document: Any, field: str
) -> None:
    path = tmp_path / FILE
    path.write_text(json.dumps(document))
    made = Captions(tmp_path)
    assert made.broken.startswith(f"{field}: " if field else "not a capture")
    with pytest.raises(FileExistsError, match="is not overwritten"):
        made.keep(question({"image": picture()}), "a red square")
    assert json.loads(path.read_text()) == document
