"""What a program sends, and how its text is kept from meaning anything else."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from exported import same
from fake_webui import png
from json_values import json_values
from payload_replay import Capture, FormatError, posting
from payload_replay.capture import EXTRAS_SINGLE, TXT2IMG
from payload_replay.posting import Posting

pytestmark = pytest.mark.once

PICTURE = base64.b64encode(png(Image.new("RGB", (16, 16), "blue"))).decode()


def of(payload: dict[str, Any], **more: Any) -> Posting:
    return posting.of(Capture.from_payload(payload, TXT2IMG), **more)


@given(
    st.dictionaries(st.text(), json_values(leaves=20)), st.sets(st.sampled_from("\\\"%^&|<>()!`$'"))
)
def test_escaped_json_says_the_same(payload: dict[str, Any], escape: set[str]) -> None:
    text = of(payload).json("".join(escape), ascii=True, indent=None)
    assert same(json.loads(text), payload)
    assert text.isascii()
    assert not escape - {'"', "\\"} & set(text)
    assert '"' not in escape or '\\"' not in text.replace("\\\\", "")
    assert "\\" not in escape or "\\\\" not in text


def test_half_of_a_surrogate_pair_has_utf_8() -> None:
    text = of({"prompt": "\ud83d \u2028 \x7f ä"}).json()
    assert text.encode()
    assert '"\\ud83d \\u2028 \\u007f ä"' in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_not(value: float) -> None:
    with pytest.raises(FormatError, match="JSON compliant"):
        of({"s_tmax": value})


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("http://a:7860", "http://a:7860"),
        ("https://user:p@a.example/sd/", "https://a.example/sd"),
        ("http://[::1]:7860", "http://[::1]:7860"),
    ],
)
def test_addresses(server: str, address: str) -> None:
    assert of({}, server=server).server == address


@pytest.mark.parametrize(
    "server", ["ftp://a", "http://a/$(id)", "http://u:secret@a b", 'http://a"']
)
def test_what_is_no_address(server: str) -> None:
    with pytest.raises(FormatError, match="no address") as raised:
        of({}, server=server)
    assert "secret" not in str(raised.value)


def test_the_same_picture_is_one_file() -> None:
    made = of({"a": [PICTURE, PICTURE], "b": f"data:image/png;base64,{PICTURE}"}, files=True)
    assert list(made.files.values()) == [base64.b64decode(PICTURE)]
    assert made.payload["a"][0] == made.payload["a"][1]
    assert made.payload["b"] == "data:image/png;base64," + made.payload["a"][0]


def test_a_word_that_the_payload_holds_stands_for_no_picture() -> None:
    made = of({"prompt": "PICTURE0E PICTUREX0E", "a": PICTURE}, files=True)
    assert list(made.words) == ["PICTUREXX0E"]
    assert made.filled(made.payload["prompt"], str.upper) == "PICTURE0E PICTUREX0E"


def test_an_id_like_a_word_stands_for_no_picture(captured) -> None:
    capture = captured({"a": [PICTURE, PICTURE[:-20]]}, id="PICTURE1E")
    made = posting.of(capture, files=True)
    assert made.filled(made.json(), lambda name: name).count("PICTURE1E-input-1.png") == 1


def test_no_word_begins_another() -> None:
    pictures = [png(Image.new("RGB", (16, 16), (n, 0, 0))) for n in range(12)]
    made = of({"a": [base64.b64encode(each).decode() for each in pictures]}, files=True)
    text = made.filled(made.json(), lambda name: base64.b64encode(made.files[name]).decode())
    assert json.loads(text) == {"a": [base64.b64encode(each).decode() for each in pictures]}


@pytest.mark.parametrize(
    "text", ["", "a cat", "A" * 100, PICTURE + "=", PICTURE[:-1], f"data:,{PICTURE}", "é" * 80]
)
def test_what_is_no_picture(text: str) -> None:
    assert posting.picture(text) is None


@pytest.mark.parametrize(
    ("start", "suffix"),
    [
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpg"),
        (b"RIFF\n\0\0\0WEBP", "webp"),
        (b"\0\0\0\x20ftypavif", "avif"),
        (b"\0\0\0\nftypavis", "avif"),
        (b"RIFF\n\0\0\0WAVE", None),
        (b"\0\0\0\x20ftypmp42", None),
    ],
)
def test_pictures_are_told_by_how_they_begin(start: bytes, suffix: str | None) -> None:
    data = start + bytes(64)
    assert posting.kind(data) == suffix
    found = posting.picture(base64.b64encode(data).decode())
    assert found == (("", data, suffix) if suffix else None)


def test_where_the_answer_has_its_pictures() -> None:
    assert of({}).key == "images"
    assert posting.of(Capture.from_payload({}, EXTRAS_SINGLE)).key == "image"
