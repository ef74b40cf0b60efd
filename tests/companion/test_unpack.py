"""A capture as a folder, and back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fake_webui import API, FakeWebUI, png
from json_values import json_values
from payload_replay import AssetError, Capture
from payload_replay.__main__ import main
from payload_replay.capture import BATCH, IMG2IMG, TXT2IMG, escaped
from payload_replay.errors import BadSource
from payload_replay.source import load
from payload_replay.unpack import unpack

pytestmark = pytest.mark.once

RED, BLUE = (png(Image.new("RGB", (8, 8), color)) for color in ("red", "blue"))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def back(capture: Capture, folder: Path) -> dict[str, Any]:
    """What is sent after the capture went through a folder."""
    unpack(capture, folder)
    made = load(str(folder / "payload.json"))
    assert made.endpoint == capture.endpoint
    return made.request()


def test_pictures_become_files_and_come_back(tmp_path: Path) -> None:
    unit = {"image": b64(BLUE), "weight": 1.0}
    payload = {
        "prompt": "file:a.png\u2028é\ud800",
        "init_images": [b64(RED), b64(RED)],
        "mask": f"data:image/png;base64,{b64(BLUE)}",
        "alwayson_scripts": {"X/Y: ..\\z": {"args": [unit, b64(RED), "file:a", "file:file:a"]}},
    }
    capture = Capture(1, "i", IMG2IMG, escaped(payload))
    assert back(capture, tmp_path / "out") == payload
    names = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    document = json.loads(names.pop("payload.json").decode("utf-8", "surrogatepass"))
    assert names == {"init_images-0.png": RED, "mask.png": BLUE}
    assert document["payload"]["init_images"] == 2 * ["file:init_images-0.png"]
    assert document["payload"]["mask"] == "data:image/png;base64,file:mask.png"
    args = document["payload"]["alwayson_scripts"]["X/Y: ..\\z"]["args"]
    assert args[0]["image"] == "file:mask.png"
    assert args[1:] == ["file:init_images-0.png", "file:file:a", "file:file:file:a"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        b64(b"no picture at all, " * 10),
        b64(RED) + "\n",
        b64(RED).rstrip("=") + "*",
        "https://example.org/a.png",
        "data:image/png;base64,",
        "data:text/plain," + b64(RED),
    ],
)
def test_what_no_file_would_give_back_stays(tmp_path: Path, text: str) -> None:
    payload = {"init_images": [text]}
    assert back(Capture(1, "i", IMG2IMG, payload), tmp_path / "out") == payload
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["payload.json"]


def test_references_become_files(tmp_path: Path, picture_in_payload) -> None:
    held, assets = picture_in_payload(RED, True)
    apart, more = picture_in_payload(BLUE, False)
    payload = {"init_images": [held], "mask": apart}
    capture = Capture(1, "i", IMG2IMG, payload, assets=assets | more)
    with pytest.raises(AssetError):
        unpack(capture, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    unpack(capture, tmp_path / "out", lambda sha256: BLUE)
    assert (tmp_path / "out" / "mask.png").read_bytes() == BLUE
    sent = load(str(tmp_path / "out" / "payload.json")).request()
    assert sent == {"init_images": [b64(RED)], "mask": b64(BLUE)}


def test_names_that_are_alike(tmp_path: Path) -> None:
    args = {"a": {"args": [b64(RED)]}, "A": {"args": [b64(BLUE)]}}
    payload = {"alwayson_scripts": args, "prompt": ""}
    assert back(Capture(1, "i", TXT2IMG, payload), tmp_path / "out") == payload
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "alwayson_scripts-A-args-0-2.png",
        "alwayson_scripts-a-args-0.png",
        "payload.json",
    ]


def test_a_batch(tmp_path: Path) -> None:
    request = {"endpoint": IMG2IMG, "payload": {"init_images": [b64(RED)]}}
    payload = {"requests": [request]}
    assert back(Capture(1, "i", BATCH, payload), tmp_path / "out") == payload


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(BadSource, match="is not empty"):
        unpack(Capture(1, "i", TXT2IMG, {}), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


JSON = json_values(
    st.text() | st.sampled_from(["file:x", b64(RED)]),
    st.text() | st.sampled_from(["image", "$x", "args"]),
    st.nothing(),
    most=3,
    leaves=10,
)
NAMES = st.sampled_from(["init_images", "mask", "prompt", "script_args", "alwayson_scripts"])


@given(st.dictionaries(NAMES, JSON))
def test_any_payload_comes_back(
    tmp_path_factory: pytest.TempPathFactory, payload: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("unpack") / "out"
    assert back(Capture(1, "i", TXT2IMG, escaped(payload)), folder) == payload


def test_the_command(
    fake: FakeWebUI,
    captured,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)
    captured({"init_images": [b64(RED)]}, endpoint=IMG2IMG)
    out = tmp_path / "cat"
    assert main(["unpack", "latest", "--out", str(out), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files == [str(out / "payload.json"), str(out / "init_images-0.png")]
    assert main(["replay", files[0]]) == 0
    assert fake.bodies("POST", f"{API}/img2img")[0]["init_images"] == [b64(RED)]
    assert main(["unpack", "latest", "--out", str(out)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main(["unpack", "--help"]) == 0
    assert "Example: payload-replay unpack" in capsys.readouterr().out
