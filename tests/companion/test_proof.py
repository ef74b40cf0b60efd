"""What `replay --report --junit` leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fake_webui import API, FakeWebUI
from payload_replay import WebUI
from payload_replay.__main__ import main
from payload_replay.batch import Outcome
from payload_replay.commands import proof

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("shell")]


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
    out, err = capsys.readouterr()
    assert err.startswith("latest: override_settings.sd_model_checkpoint: 'gone.ckpt [0123456789]'")
    told = json.loads(out)
    assert [change["path"] for change in told["changes"]] == [
        "override_settings.sd_model_checkpoint"
    ]
    (sent,) = fake.bodies("POST", f"{API}/txt2img")
    assert sent["override_settings"] == {"sd_model_checkpoint": "alpha.safetensors [0123456789]"}


def test_nothing_is_written_where_nothing_is_asked(webui: WebUI, captured, tmp_path: Path) -> None:
    proven = proof.Proven(None, None)
    proven.write([proven.kept(Outcome("a", webui.replay(captured())))], webui)
    assert list(tmp_path.iterdir()) == []
