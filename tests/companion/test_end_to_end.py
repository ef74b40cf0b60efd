"""The client and the command line against a webui with the extension, credentials and all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests

from payload_replay import NotFound, WebUI, WrongCredentials, demo
from payload_replay.__main__ import main
from payload_replay.capture import TXT2IMG, Host
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
