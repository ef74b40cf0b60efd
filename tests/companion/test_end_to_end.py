"""The client and the command line against a webui with the extension, credentials and all."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests
from PIL import Image

from fake_webui import png
from payload_replay import NotFound, WebUI, WrongCredentials, demo
from payload_replay.__main__ import main
from payload_replay.capture import IMG2IMG, TXT2IMG, Host
from payload_replay.images import hashed
from payload_replay.source import load
from payload_replay.unpack import unpack
from webui_standin import Process

AUTH = ("me", "secret")
PAYLOAD = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": -1}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Process]:
    """A stand-in that asks for a user and password."""
    flags = ["--api-auth", ":".join(AUTH), "--nowebui"]
    with Process(extensions={demo.EXTENSION: demo.checkout()}, flags=flags) as process:
        yield process


@pytest.fixture(scope="module")
def webui(guarded: Process) -> WebUI:
    client = WebUI(guarded.url, AUTH, timeout=60)
    client.post(TXT2IMG, PAYLOAD)
    return client


def test_what_was_made_comes_back(webui: WebUI, guarded: Process) -> None:
    before = webui.options()
    capture = webui.captures.latest()
    replay = webui.replay(capture)
    assert (replay.verdict, replay.reason) == ("identical", "the picture came back pixel for pixel")
    assert webui.options() == before
    assert guarded.errors() == []


def test_the_request_that_anybody_can_send(webui: WebUI) -> None:
    request = webui.captures.request("latest")
    answer = requests.request(
        request["method"],
        webui.url + request["endpoint"],
        json=request["payload"],
        auth=AUTH,
        timeout=60,
    )
    assert len(answer.json()["images"]) == 1


@pytest.mark.parametrize("auth", [None, ("me", "wrong"), ("you", "secret")])
def test_wrong_credentials(guarded: Process, auth: tuple[str, str] | None) -> None:
    client = WebUI(guarded.url, auth)
    for ask in (client.options, client.captures.status, client.captures.latest):
        with pytest.raises(WrongCredentials):
            ask()


def test_unknown_ids(webui: WebUI) -> None:
    with pytest.raises(NotFound):
        webui.captures.get("nothing-of-this-name")
    with pytest.raises(NotFound):
        webui.captures.asset("0" * 64)
    with pytest.raises(NotFound):
        webui.captures.delete("nothing-of-this-name")


def test_list_and_delete(webui: WebUI) -> None:
    webui.post(TXT2IMG, PAYLOAD | {"prompt": "a lighthouse"})
    (row,) = webui.captures.list(q="lighthouse")
    assert (row["prompt"], row["source"], row["size"]) == ("a lighthouse", "api", [64, 64])
    webui.captures.delete(row["id"])
    assert list(webui.captures.list(q="lighthouse")) == []


@pytest.mark.parametrize("name", ["json", "payload", "bundle"])
def test_from_the_command_line(
    webui: WebUI, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    server = ["--server", webui.url, "--auth", ":".join(AUTH)]
    path = str(tmp_path / "file")
    assert main(["export", "latest", "--format", name, "--out", path, *server]) == 0
    code = main(["replay", path, "--json", "--out", str(tmp_path / "out"), *server])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["verdict"] == ("unverified" if name == "payload" else "identical")
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_check_and_migrate_with_the_lists_of_a_webui(webui: WebUI) -> None:
    capture = webui.captures.latest()
    assert webui.check(capture) == []
    assert webui.migrate(capture) == (capture, [])

    name = webui.models()[0]["title"].partition(" [")[0]
    old = capture.payload | {
        "sampler_name": "DPM++ 2M Karras",
        "override_settings": {"sd_model_checkpoint": name, "k_sched_type": "Automatic"},
    }
    old.pop("scheduler", None)
    of_v18 = dataclasses.replace(
        capture, payload=old, results=[], host=Host(version="v1.8.0"), template={}
    )
    assert "override_settings.k_sched_type" in {problem.path for problem in webui.check(of_v18)}
    there, changes = webui.migrate(of_v18)
    assert (there.payload["sampler_name"], there.payload["scheduler"]) == ("DPM++ 2M", "Karras")
    assert "k_sched_type" not in there.payload["override_settings"]
    assert len(changes) == 3
    assert [problem for problem in webui.check(there) if problem.severity == "blocks"] == []
    assert webui.replay(there).verdict == "unverified"


def test_proof_of_what_came_back(
    webui: WebUI, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = webui.captures.latest()
    more = {"steps": 4, "of_a_newer_version": 7}
    changed = dataclasses.replace(capture, payload=capture.payload | more)
    path = tmp_path / "changed.json"
    path.write_text(changed.to_json(), encoding="utf-8")
    options = ["--report", str(tmp_path), "--junit", str(tmp_path / "junit.xml")]
    server = ["--server", webui.url, "--auth", ":".join(AUTH)]
    assert main(["replay", str(path), *server, *options]) == 1
    out = capsys.readouterr().out
    assert "the server used Steps '4' instead of '2'" in out
    assert "dB, SSIM 0." in out
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 3
    assert '<tr class="removed"><td>removed</td><td>of_a_newer_version</td>' in text
    (suite,) = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")


def test_a_sweep_and_its_sheet(
    webui: WebUI, guarded: Process, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each value of each axis reaches the webui, and none stays in its settings."""
    webui.post(TXT2IMG, PAYLOAD)
    before = webui.options()
    server = ["--server", webui.url.replace("://", f"://{':'.join(AUTH)}@")]
    sweeps = ["--sweep", "steps=2,3", "--sweep", "override_settings.CLIP_stop_at_last_layers=1:3"]
    files = ["--sheet", str(tmp_path / "sheet.png"), "--journal", str(tmp_path / "journal")]
    files += ["--out", str(tmp_path / "out")]
    assert main(["replay", "latest", *sweeps, *files, *server]) == 0
    capsys.readouterr()
    pictures = {hashed(Image.open(path)) for path in (tmp_path / "out").iterdir()}
    assert len(pictures) == 6
    assert webui.options() == before
    assert guarded.errors() == []
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 2 * 64
        assert sheet.height > 3 * 64


def test_unpacked_edited_by_nobody_and_sent_again(webui: WebUI, tmp_path: Path) -> None:
    picture = base64.b64encode(png(Image.radial_gradient("L").resize((64, 64)))).decode()
    payload = PAYLOAD | {"init_images": [picture], "mask": picture, "denoising_strength": 0.5}
    webui.post(IMG2IMG, payload)
    capture = webui.captures.latest()
    expected = [result.sha256 for result in capture.samples]
    files = unpack(capture, tmp_path / "out", webui.captures.asset)
    assert len(files) > 1
    replay = webui.replay(load(str(files[0])))
    assert [picture.sha256 for picture in replay.pictures][: len(expected)] == expected


def test_rows_and_a_picture_by_its_path(webui: WebUI, tmp_path: Path) -> None:
    for color in ("red", "blue"):
        (tmp_path / f"{color}.png").write_bytes(png(Image.new("RGB", (64, 64), color)))
    payload = PAYLOAD | {"prompt": "{color} hills", "init_images": ["file:{color}.png"]}
    (tmp_path / "p.json").write_text(json.dumps(payload | {"seed": "{seed}"}))
    (tmp_path / "rows.csv").write_text("\ufeffcolor,seed\r\nred,3\r\nblue,4\r\n", "utf-8")
    out = ["--out", str(tmp_path / "out"), "--auth", ":".join(AUTH), "--server", webui.url]
    rows = ["--rows", str(tmp_path / "rows.csv")]
    assert main(["replay", str(tmp_path / "p.json"), *rows, *out]) == 0
    texts = [Image.open(path).info["parameters"] for path in (tmp_path / "out").iterdir()]
    assert {text.partition("\n")[0] for text in texts} == {"red hills", "blue hills"}
    assert all("Seed: 3" in text for text in texts if text.startswith("red"))
