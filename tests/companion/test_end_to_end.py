"""The client and the command line against a webui with the extension, credentials and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from payload_replay import NotFound, WebUI, WrongCredentials, demo
from payload_replay.__main__ import main
from payload_replay.capture import TXT2IMG
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
