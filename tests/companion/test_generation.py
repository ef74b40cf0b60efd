"""Answers with pictures: decoded when asked for, saved as they came."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fake_webui import FakeWebUI, png
from payload_replay import Extras, Generation, UnexpectedAnswer, WebUI
from payload_replay.generation import span

pytestmark = pytest.mark.once

TEXT = base64.b64encode(png(Image.new("RGB", (4, 3), "red"))).decode()


def generation(**fields: Any) -> Generation:
    return Generation.read({"images": [TEXT], "parameters": {}, "info": "{}"} | fields, "txt2img")


def test_what_a_generation_says(fake: FakeWebUI, webui: WebUI) -> None:
    payload = {"prompt": "a cat", "seed": 3, "batch_size": 2}
    made = webui.txt2img(payload)
    assert [picture.image.size for picture in made.images] == [(16, 16), (16, 16)]
    assert made.seeds == [3, 4]
    assert [text.partition("\n")[0] for text in made.infotexts] == ["a cat", "a cat"]
    assert made.parameters == payload
    assert made.info["index_of_first_image"] == 0
    assert made["images"] == webui.post("/sdapi/v1/txt2img", payload)["images"]


def test_pictures_are_decoded_once_and_only_when_asked_for() -> None:
    made = generation(images=["no picture"])
    assert made.seeds == []
    with pytest.raises(UnexpectedAnswer, match=r"images\[0\]"):
        _ = made.images
    made = generation()
    assert made.images is made.images


@pytest.mark.parametrize("info", ["", "text", "{", "[]", "null", None, 7, '{"all_seeds": 3}'])
def test_an_account_that_is_none(info: Any) -> None:
    made = generation(info=info)
    assert (made.seeds, made.infotexts) == ([], [])


@pytest.mark.parametrize("images", [None, "text", [1], [None], {}])
def test_pictures_that_are_no_list(images: Any) -> None:
    with pytest.raises(UnexpectedAnswer, match="no list of pictures"):
        _ = generation(images=images).images


def test_saved_files_are_what_came_and_replace_none(tmp_path: Path) -> None:
    made = generation(images=[TEXT, TEXT])
    folder = tmp_path / "new" / "folder"
    names = [path.name for path in made.save(folder, "cat")]
    assert names == ["cat-0.png", "cat-1.png"]
    assert (folder / "cat-0.png").read_bytes() == base64.b64decode(TEXT)
    assert [path.name for path in made.save(str(folder), "cat")] == ["cat-0~2.png", "cat-1~2.png"]


@pytest.mark.parametrize("answer", [{"image": TEXT}, {"images": [TEXT]}])
def test_extras_of_one_and_of_several(answer: dict[str, Any]) -> None:
    made = Extras.read({"html_info": "<p>", **answer}, "extras")
    assert (made.html_info, [picture.image.size for picture in made.images]) == ("<p>", [(4, 3)])


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"index_of_first_image": 0, "all_seeds": [7, 8, 9, 10]}, (0, 4)),
        ({"index_of_first_image": 1, "all_seeds": [7, 8]}, (1, 3)),
        ({"index_of_first_image": 1, "all_seeds": [7, 8, 9, 10]}, (1, 4)),
        ({"index_of_first_image": 1}, (1, 4)),
        ({"all_seeds": [7]}, (0, 1)),
        ({"index_of_first_image": 9, "all_seeds": []}, (0, 4)),
        ({"index_of_first_image": -1, "all_seeds": "x"}, (0, 4)),
        ({"index_of_first_image": True, "all_seeds": None}, (0, 4)),
        ({"index_of_first_image": 1.0}, (0, 4)),
        ({}, (0, 4)),
    ],
)
def test_where_the_samples_lie(info: dict[str, Any], expected: tuple[int, int]) -> None:
    assert span(info, 4) == expected


def test_where_nothing_lies() -> None:
    assert span({"index_of_first_image": 0, "all_seeds": [7]}, 0) == (0, 0)
