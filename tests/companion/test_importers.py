"""What was kept elsewhere comes back as the payload that it was, or as a clear error."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from exported import NASTY, SRC, same
from fake_webui import API, FakeWebUI, png
from payload_replay import BadSource, Capture, FormatError, WebUI, capture, importers
from payload_replay.__main__ import main
from payload_replay.capture import IMG2IMG, TXT2IMG
from payload_replay.export import FORMATS
from payload_replay.source import from_bytes, load, load_all

pytestmark = pytest.mark.once

IMPORTED = ["json", "payload", "bundle", "curl", "curl-cmd", "httpie", "har", "postman"]
INFOTEXT = "a cat\nSteps: 2, Sampler: Euler a, CFG scale: 7.0, Seed: 7, Size: 16x16, Model: alpha"


def har_of(*payloads: Any) -> bytes:
    url = f"http://h{TXT2IMG}"
    requests = [
        {"method": "POST", "url": url, "postData": {"text": json.dumps(p)}} for p in payloads
    ]
    return json.dumps({"log": {"entries": [{"request": each} for each in requests]}}).encode()


# ---- there and back


@pytest.mark.parametrize("name", IMPORTED)
@pytest.mark.parametrize("large", [False, True])
def test_what_was_exported_comes_back(name: str, large: bool) -> None:
    picture = base64.b64encode(png(Image.effect_noise((64, 64), 100))).decode()
    payload = NASTY | ({"init_images": [picture] * 3} if large else {})
    made = FORMATS[name](Capture.from_payload(payload, IMG2IMG))
    again = from_bytes(made, IMG2IMG)
    assert again.endpoint == IMG2IMG
    assert same(again.request(), payload)


@given(
    st.sampled_from(IMPORTED),
    st.dictionaries(st.text(), st.text("\"'\\$`%^&|<>!{}\nab ") | st.text() | st.floats(-9, 9)),
)
def test_whatever_was_exported_comes_back(name: str, payload: dict[str, Any]) -> None:
    payload = {"prompt": ""} | {k: v for k, v in payload.items() if k not in ("format", "log")}
    again = from_bytes(FORMATS[name](Capture.from_payload(payload, TXT2IMG)), TXT2IMG)
    assert same(again.request(), payload)


# ---- pictures


def test_a_picture_is_what_a_replay_must_bring_back(fake: FakeWebUI, tmp_path: Path) -> None:
    payload = {"prompt": "a cat", "seed": 7, "steps": 2, "width": 16, "height": 16}
    with WebUI(fake.url) as webui:
        drawn = png(fake.draw(payload, 7), INFOTEXT)
        path = tmp_path / "cat.png"
        path.write_bytes(drawn)
        found = load(str(path), webui)
        assert found.payload["seed"] == 7
        assert found.results[0].infotext == INFOTEXT
        assert webui.replay(found).verdict == "different"  # the fake draws from every field
        fake.options["sd_model_checkpoint"] = "alpha"
        data = base64.b64decode(fake.generate(found.request())["images"][0])
        image = Image.open(io.BytesIO(data))
        path.write_bytes(png(image, INFOTEXT))
        assert webui.replay(load(str(path))).verdict == "identical"


def test_a_grid_is_not_expected_back() -> None:
    grid = png(Image.new("RGB", (32, 16)), INFOTEXT)
    assert from_bytes(grid).results == []
    assert len(from_bytes(png(Image.new("RGB", (16, 16)), INFOTEXT)).results) == 1


def test_the_server_reads_a_picture_where_there_is_one(fake: FakeWebUI, tmp_path: Path) -> None:
    parameters = {"Steps": "3", "Clip skip": "1", "Hires sampler": "Use same sampler", "Own": "x"}
    answer = {"info": "a dog\nSteps: 3, Sampler: DDIM, Seed: 8", "parameters": parameters}
    fake.answer("POST", f"{API}/png-info", body=answer)
    path = tmp_path / "cat.png"
    path.write_bytes(png(Image.new("RGB", (16, 16))))
    with WebUI(fake.url) as webui:
        found = load(str(path), webui)
        assert found.payload == {
            "prompt": "a dog",
            "negative_prompt": "",
            "steps": 3,
            "sampler_name": "DDIM",
            "seed": 8,
            "override_settings": {"CLIP_stop_at_last_layers": 1},
        }
        fake.answer("POST", f"{API}/png-info", body={"info": None, "parameters": []})
        with pytest.raises(FormatError, match="holds no infotext"):
            load(str(path), webui)
        path.write_bytes(png(Image.new("RGB", (16, 16)), INFOTEXT))
        for broken in ({"status": 500, "body": {}}, {"body": b"<html>"}, {"body": [1]}):
            fake.answer("POST", f"{API}/png-info", **broken)
            assert load(str(path), webui).payload["steps"] == 2


# ---- texts and JSON


@pytest.mark.parametrize("name", ["curl", "curl-cmd", "httpie"])
def test_a_program_whose_pictures_are_elsewhere_is_refused(name: str) -> None:
    picture = base64.b64encode(png(Image.new("RGB", (16, 16)))).decode()
    made = FORMATS[name].files(Capture.from_payload({"init_images": [picture]}))
    with pytest.raises(FormatError, match=r"expands \$|export it with them inside"):
        from_bytes(next(iter(made.values())))


def test_a_prompt_that_reads_like_a_command() -> None:
    text = INFOTEXT.replace("a cat", "curl hair,\nhttp style")
    assert from_bytes(text.encode()).payload["prompt"] == "curl hair,\nhttp style"
    assert from_bytes(b'{"prompt": "placeholder"}').warnings == []


def test_infotext_alone() -> None:
    assert from_bytes(INFOTEXT.encode()).payload["prompt"] == "a cat"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_editors_on_windows_write(encoding: str) -> None:
    for text in (json.dumps({"prompt": "ä"}), f'curl http://h{TXT2IMG} -d \'{{"prompt": "ä"}}\''):
        assert from_bytes(text.replace("\n", "\r\n").encode(encoding)).payload == {"prompt": "ä"}


def test_what_payload_display_copies() -> None:
    copied = {"init_images": ["base64image placeholder"], "prompt": "a", "alwayson_scripts": {}}
    found = from_bytes(json.dumps(copied, sort_keys=True).encode())
    assert found.endpoint == IMG2IMG
    assert [(w.path, w.severity) for w in found.warnings] == [("init_images[0]", "blocks")]
    with pytest.raises(FormatError, match="payload-display failed: no etype"):
        from_bytes(b'{"Exception": "no etype", "Traceback": "x"}')


def test_agent_schedulers_export() -> None:
    params = {"args": {"prompt": "a"}, "is_ui": False}
    task = {"id": "1", "type": "txt2img", "params": params, "script_params": "eJxrYI4FAADf"}
    found = from_bytes(json.dumps([task]).encode())
    assert (found.payload, found.warnings[0].path) == ({"prompt": "a"}, "script_args")


@pytest.mark.parametrize("data", [b"No Payload Found", b"hello", b"\x00\x01", b"[1]", b"<html>"])
def test_what_is_nothing_of_this(data: bytes) -> None:
    with pytest.raises(FormatError):
        from_bytes(data)


# ---- several in one


def test_several_requests_are_listed_and_picked(tmp_path: Path) -> None:
    path = tmp_path / "s#1.har"
    path.write_bytes(har_of({"prompt": "one"}, {"prompt": "two\n  lines"}))
    with pytest.raises(FormatError, match=r"holds 2 .*#1 txt2img 'one'; #2 txt2img 'two lines'"):
        load(str(path))
    assert load(f"{path}#2").payload["prompt"] == "two\n  lines"
    assert [each.payload["prompt"][:3] for each in load_all(str(path))] == ["one", "two"]
    for number in (0, 3, 999999):
        with pytest.raises(FormatError, match="holds 2 requests"):
            load(f"{path}#{number}")
    with pytest.raises(BadSource, match="no such file"):
        load(f"{path}x#1")


# ---- hostile


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
        (b"[" * 10_000, "nested too deeply"),
        (b'{"prompt": ' + b"[" * 900 + b"]" * 900 + b"}", "nested too deeply"),
        (b'{"a": [' + b"[]," * (capture.MAX_VALUES + 1) + b"1]}", "more than 2,000,000 values"),
        (b'{"a": "' + b'","b":"' * (2 * capture.MAX_VALUES + 1) + b'"}', "more than 2,000,000"),
    ],
)
def test_json_that_fills_the_memory(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        from_bytes(data)


def test_noise_in_a_recording_counts_for_nothing() -> None:
    """Megabytes of other people's scripts and pictures, inside strings."""
    noise = 'a,b,[c],{d},\\"e\\",' * 200_000
    document = json.loads(har_of({"prompt": "one"}))
    document["log"]["entries"][:0] = [{"request": {}, "response": {"content": {"text": noise}}}] * 4
    data = json.dumps(document).encode()
    assert data.count(b",") > 4 * capture.MAX_VALUES // 2
    assert from_bytes(data).payload == {"prompt": "one"}


def test_memory_stays_within_what_is_stated(tmp_path: Path) -> None:
    """A zip of 10 GB of zeros, JSON that would be 20 GB of objects, and a picture without end."""
    bombs = {"bomb.zip": zip_of_zeros(10), "many.json": b'{"a":[' + b"[]," * 60_000_000 + b"1]}"}
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    limit = 3 * 2**30
    code = (
        "import sys\n"
        "from payload_replay import FormatError\n"
        "from payload_replay.source import load\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        load(name)\n"
        "    except FormatError as error:\n"
        "        print(error.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *(str(tmp_path / name) for name in bombs)],
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "unpacks to more than is allowed" in first
    assert "more than 2,000,000 values" in second


def zip_of_zeros(gigabytes: int) -> bytes:
    """A bundle whose document is that many GB, in 1 MB for each; it says that it is 1 GB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = piece * (64 * gigabytes) + packer.flush()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("capture.json", data)
    made = bytearray(buffer.getvalue())
    central = made.rindex(b"PK\1\2")
    for start in (0, central + 2):  # the local header, and the same fields two bytes later
        made[start + 8 : start + 10] = struct.pack("<H", zipfile.ZIP_DEFLATED)
        made[start + 22 : start + 26] = struct.pack("<I", 2**30)
    return bytes(made)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "assets/../x.png", "x.sh"])
def test_a_zip_that_would_write_elsewhere(name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(FormatError, match="no place in a bundle"):
        from_bytes(buffer.getvalue())


STARTS = [b"", b"{", b"[", b"PK\3\4", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"curl ", b"\xff\xfe"]


@given(st.sampled_from(STARTS), st.binary() | st.text().map(str.encode))
def test_any_bytes_end_in_captures_or_a_clear_error(start: bytes, rest: bytes) -> None:
    with contextlib.suppress(FormatError):
        assert importers.read(start + rest).captures


@given(st.data())
def test_damage_anywhere_is_a_clear_error(data: st.DataObject) -> None:
    made = Capture.from_payload({"prompt": "a cat", "steps": 2}, TXT2IMG)
    whole = bytearray(FORMATS[data.draw(st.sampled_from(IMPORTED))](made))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FormatError):
        cut = data.draw(st.integers(0, len(whole)))
        assert importers.read(bytes(whole[:cut]), TXT2IMG).captures


# ---- the command


@pytest.fixture
def command(fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)
    return lambda *arguments: main(["import", *map(str, arguments)])


def test_each_request_becomes_a_file(
    command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, out = tmp_path / "s.har", tmp_path / "new" / "captures"
    path.write_bytes(har_of({"prompt": "one"}, {"prompt": "two"}, {"prompt": "one"}))
    assert command(path, "-o", out) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(out.iterdir()) == sorted(files)
    assert [load(str(file)).payload["prompt"] for file in files] == ["one", "two", "one"]


def test_what_fails_does_not_stop_the_others(
    command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.har"
    good.write_text('{"prompt": "a", "init_images": ["base64image placeholder"]}')
    bad.write_text('{"log": {"entries": []}}')
    assert command(bad, good, "-o", tmp_path / "out", "--json") == 2
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["file"] is None
    assert "no request in it" in first["error"]
    assert second["warnings"][0]["severity"] == "blocks"
    assert second.keys() == first.keys()
    assert load(second["file"]).payload["prompt"] == "a"


def test_files_of_a_command_are_read_only_when_asked(command, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"prompt": "a"}')
    path = tmp_path / "c.sh"
    path.write_text(f"curl http://h{TXT2IMG} -d @body.json")
    assert command(path, "-o", tmp_path / "out") == 2
    assert command(path, "-o", tmp_path / "out", "--files") == 0
