"""Templates: rows of a file, and what they make of the fields in a payload."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fake_webui import png
from payload_replay import Capture, FormatError
from payload_replay.capture import IMG2IMG, Origin, escaped, reference
from payload_replay.errors import BadSource
from payload_replay.template import Row, fields, filled, rows, whole

pytestmark = pytest.mark.once


def file(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def fill(payload: dict[str, Any], typed: bool = True, **values: Any) -> dict[str, Any]:
    capture = Capture(1, "i", IMG2IMG, escaped(payload))
    return filled(capture, Row("rows: line 2", values, typed)).request()


def test_csv(tmp_path: Path) -> None:
    text = '\ufeffanimal,hair color\r\ncat,"red,\r\nlong"\r\n\r\n"a ""b""",\r\n'
    found = rows(file(tmp_path, "a.csv", text))
    assert [row.values for row in found] == [
        {"animal": "cat", "hair color": "red,\r\nlong"},
        {"animal": 'a "b"', "hair color": ""},
    ]
    assert [row.where.rpartition(": ")[2] for row in found] == ["line 2", "line 5"]
    assert not any(row.typed for row in found)


def test_jsonl(tmp_path: Path) -> None:
    text = '\ufeff{"a": 1}\n\n{"a": "x\u2028y"}\r\n'
    found = rows(file(tmp_path, "a.jsonl", text))
    assert [row.values for row in found] == [{"a": 1}, {"a": "x\u2028y"}]
    assert [row.where.rpartition(": ")[2] for row in found] == ["line 1", "line 3"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", "a,b\n1,2,3", "line 2: 3 values for 2 columns"),
        ("a.csv", "a,a\n1,2", "line 1: the column 'a' is there twice"),
        ("a.csv", 'a\n"b\nc', "line 3: no CSV"),
        ("a.csv", "a\n" + "x" * 200_000, "line 2: no CSV: field larger"),
        ("a.csv", "a,b\n", "holds no rows"),
        ("a.csv", "", "holds no rows"),
        ("a.csv", b"a\n\xff", "no UTF-8"),
        ("a.jsonl", '{"a": 1}\n{"a": ', "line 2: no JSON"),
        ("a.jsonl", '{"a": NaN}', "line 1: no JSON"),
        ("a.jsonl", "[" * 100_000, "line 1: no JSON"),
        ("a.jsonl", '{"a": ' + "[" * 500 + "]" * 500 + "}", "line 1: nests more than"),
        ("a.jsonl", "[1]", "line 1: each line must be"),
        ("a.xlsx", "", "a .csv or a .jsonl"),
        ("gone/a.csv", None, "cannot be read"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, name: str, data: Any, said: str) -> None:
    path = tmp_path / name if data is None else file(tmp_path, name, data)
    with pytest.raises((FormatError, BadSource), match=said):
        rows(path)


def test_fill() -> None:
    made = fill(
        {
            "prompt": "a {animal} {n}, {red|blue} {{animal}} {",
            "steps": "{n}",
            "alwayson_scripts": {"x": {"args": ["{flag}", "{none}", "{list}"]}},
        },
        animal="cat {n}",
        n=7,
        flag=True,
        none=None,
        list=[1, {"$asset": "x"}],
    )
    assert made == {
        "prompt": "a cat {n} 7, {red|blue} {animal} {",
        "steps": 7,
        "alwayson_scripts": {"x": {"args": [True, None, [1, {"$asset": "x"}]]}},
    }


def test_what_csv_says_is_read_as_json_but_in_text_fields() -> None:
    payload = {"prompt": "{n}", "steps": "{n}", "styles": ["{word}"], "tiling": "{flag}"}
    made = fill(payload, typed=False, n="7", word="007", flag="false")
    assert made == {"prompt": "7", "steps": 7, "styles": ["007"], "tiling": False}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{a}}", "{a}"),
        ("{{{a}}}", "{{a}}"),
        ("{{a}", "{x"),
        ("{a}}", "x}"),
        ("{ a}", "{ a}"),
        ("{1}", "{1}"),
        ("{a|{b|c}}", "{a|{b|c}}"),
    ],
)
def test_braces(text: str, shown: str) -> None:
    assert fill({"prompt": text}, a="x") == {"prompt": shown}


def test_a_field_that_the_row_does_not_have() -> None:
    with pytest.raises(FormatError) as caught:
        fill({"alwayson_scripts": {"x": {"args": ["{nmae}"]}}}, name="a")
    assert str(caught.value) == (
        "rows: line 2: alwayson_scripts.x.args[0]: no value for {nmae} (it has name); "
        "write {{nmae}} for the text itself"
    )


def test_a_row_that_is_too_short(tmp_path: Path) -> None:
    (row,) = rows(file(tmp_path, "a.csv", "a,b\n1\n"))
    with pytest.raises(FormatError, match=r"line 2: prompt: no value for \{b\}"):
        filled(Capture(1, "i", IMG2IMG, {"prompt": "{a} {b}"}), row)


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_what_cannot_stand_inside_a_text(value: Any) -> None:
    with pytest.raises(FormatError, match=r"line 2: a: .* cannot stand inside a text"):
        fill({"prompt": "x {a}"}, a=value)


def test_a_picture_that_a_row_names(tmp_path: Path) -> None:
    data = png(Image.new("RGB", (4, 4)))
    file(tmp_path, "a.png", data)
    (row,) = rows(file(tmp_path, "r.csv", "picture\nfile:a.png\n"))
    capture = Capture(1, "i", IMG2IMG, {"init_images": ["{picture}"], "prompt": "{picture}"})
    assert filled(capture, row).payload == {
        "init_images": [base64.b64encode(data).decode()],
        "prompt": "file:a.png",
    }


def test_it_says_what_it_is_made_of() -> None:
    picture = reference(64 * "a")
    payload = {"prompt": "{a}", "steps": 2, "init_images": [picture]}
    made = filled(Capture(1, "cat-1", IMG2IMG, payload), Row("r", {"a": "x"}, True))
    assert made.origin == Origin("cat-1", ["prompt"])
    assert made.payload["init_images"] == [picture]
    assert fields(payload | {"mask": "{b} {{c}} {d|e}"}) == {"a", "b"}


def test_where_a_row_gives_all_that_stands_there() -> None:
    payload = {"prompt": "a {b}", "mask": "{b}", "script_args": ["{{b}}", ["{c d}"], "{x|y}"]}
    assert whole(payload) == [["mask"], ["script_args", 1, 0]]


# Python 3.10 reads no CSV with a null character in it.
TEXT = st.text(st.characters(exclude_characters="\0"))


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_whatever_csv_holds_comes_through(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("a", "b"), *cells])
    data = text.getvalue().encode("utf-8", "replace")
    found = rows(file(tmp_path_factory.mktemp("csv"), "a.csv", data))
    for row, (a, b) in zip(found, cells, strict=True):
        expected = (c.encode("utf-8", "replace").decode() for c in (a, b))
        assert tuple(row.values.values()) == tuple(expected)


@given(st.binary(), st.sampled_from(["a.csv", "a.jsonl"]))
def test_any_bytes_are_rows_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = file(tmp_path_factory.mktemp("fuzz"), name, data)
    try:
        found = rows(path)
    except (FormatError, BadSource):
        return
    assert found
    json.dumps([dict(row.values) for row in found])
