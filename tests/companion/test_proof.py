"""What `replay --report --junit` leaves behind."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from fake_webui import API, FakeWebUI
from payload_replay import WebUI
from payload_replay.__main__ import main
from payload_replay.batch import Outcome
from payload_replay.commands import proof

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def surroundings(fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)
    monkeypatch.delenv("PAYLOAD_REPLAY_AUTH", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


def test_both(
    fake: FakeWebUI, captured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captured()
    fake.options["sd_model_checkpoint"] = "beta.ckpt"
    folder, xml = tmp_path / "deep" / "proof", tmp_path / "junit.xml"
    code = main(["replay", "latest", "no.json", "--report", str(folder), "--junit", str(xml)])
    assert code == 2
    assert f"report: {folder / 'report.html'}" in capsys.readouterr().err
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 3
    assert "Model &#x27;beta&#x27; instead of &#x27;alpha&#x27;" in text
    (suite,) = ET.parse(xml).getroot()
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["2", "1", "1"]


@pytest.mark.parametrize("option", ["--report", "--junit"])
def test_what_cannot_be_written_is_told_before_anything_is_sent(
    fake: FakeWebUI, captured, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    captured()
    (tmp_path / "file").write_text("")
    code = main(["replay", "latest", option, str(tmp_path / "file" / "inside")])
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert fake.bodies("POST", f"{API}/txt2img") == []


def test_migrate(fake: FakeWebUI, captured, capsys: pytest.CaptureFixture[str]) -> None:
    name = "gone.ckpt [0123456789]"
    captured({"override_settings": {"sd_model_checkpoint": name}})
    assert main(["replay", "latest"]) == 2
    assert "the nearest is 'alpha.safetensors [0123456789]'" in capsys.readouterr().out
    main(["replay", "latest", "--migrate", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [change["path"] for change in told["changes"]] == [
        "override_settings.sd_model_checkpoint"
    ]
    (sent,) = fake.bodies("POST", f"{API}/txt2img")
    assert sent["override_settings"] == {"sd_model_checkpoint": "alpha.safetensors [0123456789]"}


def test_nothing_is_written_where_nothing_is_asked(webui: WebUI, captured, tmp_path: Path) -> None:
    proof.prepare(None, None)
    proof.keep([Outcome("a", webui.replay(captured()))], webui, None, None)
    assert list(tmp_path.iterdir()) == []


def test_on_a_webui_that_checks_replays_and_reports(
    standin: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stand-in, with its own lists, options and echo of the request."""
    payload = {"prompt": "green hills", "steps": 3, "width": 64, "height": 64, "seed": 5}
    webui = WebUI(standin.url)
    webui.txt2img(payload)
    capture = webui.captures.get(webui.captures.latest().id)
    assert [problem for problem in webui.check(capture) if problem.severity != "cosmetic"] == []
    assert webui.migrate(capture) == (capture, [])

    more = {"steps": 4, "of_a_newer_version": 7}
    changed = dataclasses.replace(capture, payload=capture.payload | more)
    path = tmp_path / "changed.json"
    path.write_text(changed.to_json(), encoding="utf-8")
    options = ["--report", str(tmp_path), "--junit", str(tmp_path / "junit.xml")]
    code = main(["replay", str(path), "--server", standin.url, *options])
    assert code == 1
    out = capsys.readouterr().out
    assert "the server used Steps '4' instead of '3'" in out
    assert "dB, SSIM 0." in out
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 3
    assert '<tr class="removed"><td>removed</td><td>of_a_newer_version</td>' in text
    (suite,) = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
