"""What SOURCE may be."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from fake_webui import FakeWebUI
from payload_replay import AssetError, BadSource, FormatError, NewerFormatError, NotFound, WebUI
from payload_replay import source as sources
from payload_replay.capture import IMG2IMG, TXT2IMG
from payload_replay.export import FORMATS
from payload_replay.source import load

pytestmark = pytest.mark.once


def write(folder: Path, name: str, data: Any) -> str:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return str(path)


def test_ids_and_latest(webui: WebUI, captured) -> None:
    capture = captured()
    assert load("latest", webui) == load("cat-1", webui) == capture
    with pytest.raises(NotFound):
        load("cat-2", webui)


def test_an_id_without_a_server() -> None:
    with pytest.raises(BadSource, match="no server to ask"):
        load("cat-1")


def test_a_file_comes_before_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webui: WebUI
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "cat-1", {"prompt": "from the file"})
    write(tmp_path, "latest", {"prompt": "no keyword"})
    assert load("cat-1", webui).payload["prompt"] == "from the file"
    with pytest.raises(NotFound):
        load("latest", webui)
    assert load("./latest", webui).payload["prompt"] == "no keyword"


@pytest.mark.parametrize("name", ["json", "bundle"])
def test_files_that_are_captures(tmp_path: Path, webui: WebUI, captured, name: str) -> None:
    capture = captured()
    path = write(tmp_path, "file", FORMATS[name](capture, webui.captures.asset))
    assert load(path).results == capture.results


@pytest.mark.parametrize("endpoint", ["img2img", IMG2IMG])
def test_a_bare_payload_with_its_endpoint(tmp_path: Path, endpoint: str) -> None:
    path = write(tmp_path, "p.json", {"prompt": "a"})
    assert load(path).endpoint == TXT2IMG
    assert load(path, endpoint=endpoint).endpoint == IMG2IMG
    with pytest.raises(FormatError, match="name the endpoint"):
        load(write(tmp_path, "q.json", {"image": "x"}))
    assert load(write(tmp_path, "q.json", {}), endpoint="txt2img").payload == {}


def test_what_the_request_route_answers(tmp_path: Path, webui: WebUI, captured) -> None:
    capture = captured()
    path = write(tmp_path, "request.json", webui.captures.request())
    assert load(path).endpoint == capture.endpoint
    assert load(path).payload == capture.payload


def test_standard_input(captured) -> None:
    capture = captured()
    assert load("-", stdin=io.BytesIO(b"\xef\xbb\xbf" + capture.to_json().encode())) == capture
    with pytest.raises(FormatError, match=r"^standard input: not JSON"):
        load("-", stdin=io.BytesIO(b"{"))


@pytest.mark.parametrize("name", ["a.json", "dir/x", "b.ZIP", "ä", "a b", "", "x\0y", "n" * 999])
def test_no_such_file(tmp_path: Path, monkeypatch, webui: WebUI, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((BadSource, FormatError)):
        load(name, webui)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="cannot be read"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b'{"format": 1, "id": ', FormatError, "not JSON, or cut short: .* line 1 column 21"),
        (b"", FormatError, "not JSON"),
        (b'{"\xff": 1}', FormatError, "no UTF-8"),
        (b"[]", FormatError, "the document is a list"),
        (b"[" * 10_000, FormatError, "nested too deeply"),
        (b'{"format": 99}', NewerFormatError, "format: written in format 99.*upgrade"),
        (b"PK\x03\x04", FormatError, "damaged bundle"),
        (b"9" * 5000, FormatError, "not"),
    ],
)
def test_bad_files_are_named(
    tmp_path: Path, data: bytes, error: type[FormatError], words: str
) -> None:
    path = write(tmp_path, "bad.json", data)
    with pytest.raises(error, match=words) as raised:
        load(path)
    assert str(raised.value).startswith(path)


def test_a_damaged_picture_in_a_file(tmp_path: Path, webui: WebUI, captured) -> None:
    document = json.loads(FORMATS["json"](captured(), webui.captures.asset))
    (name,) = document["assets"]
    document["assets"][name]["data"] = "AAAA"
    with pytest.raises(AssetError, match="changed or damaged"):
        load(write(tmp_path, "cat.json", document))


def test_files_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_BYTES", 10)
    with pytest.raises(BadSource, match="larger than"):
        load(write(tmp_path, "large.json", b" " * 11))


def test_the_server_is_not_asked_for_a_file(tmp_path: Path, fake: FakeWebUI, webui: WebUI) -> None:
    load(write(tmp_path, "p.json", {"prompt": "a"}), webui)
    assert fake.asked == []
