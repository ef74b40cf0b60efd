"""What `replay --report --junit` leaves behind."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from fake_webui import API, FakeWebUI
from payload_replay import WebUI
from payload_replay.__main__ import main
from payload_replay.batch import Outcome
from payload_replay.commands import proof
from payload_replay.commands.vary import Contacts

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
    with proof.Proven(None, None, [lambda: webui], ["a"]) as proven:
        proven.kept(Outcome("a", webui.replay(captured())))
    assert list(tmp_path.iterdir()) == []


def verdicts(xml: Path) -> list[tuple[str, list[str]]]:
    cases = ET.parse(xml).getroot().iter("testcase")
    return [(case.get("name", ""), [child.tag for child in case]) for case in cases]


def test_what_was_not_begun_and_what_a_run_died_of(webui: WebUI, captured, tmp_path: Path) -> None:
    """Both files stand there whatever ends the run, and name every job."""
    folder, xml = tmp_path / "proof", tmp_path / "junit.xml"
    names = ["a", "b", "c"]
    proven = proof.Proven(folder, xml, [lambda: webui], names)
    proven.kept(Outcome("b", webui.replay(captured()), index=1))
    with pytest.raises(KeyboardInterrupt), proven:
        raise KeyboardInterrupt
    assert verdicts(xml) == [("b", ["system-out"]), ("a", ["skipped"]), ("c", ["skipped"])]
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.count("the run ended before this was begun") == 2
    assert "2 not run" in text
    assert [path.name for path in folder.iterdir()] == ["report.html"]


def test_ctrl_c(
    fake: FakeWebUI, started: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    names = [tmp_path / f"{n}.json" for n in range(3)]
    for name in names:
        name.write_text('{"prompt": "a", "steps": 2}')
    running, ended = threading.Event(), threading.Event()
    generate = fake.generate

    def held(payload: dict[str, Any]) -> dict[str, Any]:
        running.set()
        assert ended.wait(60)
        return generate(payload)

    fake.generate = held
    xml = tmp_path / "junit.xml"
    process = started("replay", *names, "--server", fake.url, "--junit", xml)
    assert running.wait(60)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "finishing the 1 that run" in process.stderr.readline()
    ended.set()
    assert process.wait(60) == 130
    assert verdicts(xml) == [
        (str(names[0]), ["skipped", "system-out"]),
        (str(names[1]), ["skipped"]),
        (str(names[2]), ["skipped"]),
    ]


def test_nothing_large_is_kept(webui: WebUI, captured, tmp_path: Path) -> None:
    with proof.Proven(tmp_path, tmp_path / "x.xml", [lambda: webui], ["a"]) as proven:
        outcome = Outcome("a", webui.replay(captured()))
        kept = proven.kept(outcome)
        assert kept.replay is None
        watched = weakref.ref(outcome.replay)
        del outcome
        gc.collect()
        assert watched() is None
    assert (tmp_path / "report.html").read_text().count("data:image/png;base64,") == 2


def test_proof_is_written_though_the_sheet_is_not(
    captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Contacts) -> None:
        raise OSError("no space left")

    captured()
    monkeypatch.setattr(Contacts, "save", full)
    xml = tmp_path / "junit.xml"
    sheet = ["--sweep", "seed=1,2", "--sheet", str(tmp_path / "sheet.png")]
    assert main(["replay", "latest", "--junit", str(xml), *sheet]) == 2
    assert [kinds for _, kinds in verdicts(xml)] == [["skipped", "system-out"]] * 2


def test_what_an_earlier_run_saved_is_shown(
    captured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captured()
    replay = ["replay", "latest", "--journal", str(tmp_path / "j"), "--report", str(tmp_path)]
    assert main([*replay, "--out", str(tmp_path / "out")]) == 0
    assert main(replay) == 0
    text = (tmp_path / "report.html").read_text()
    assert text.count("data:image/png;base64,") == 1
    assert "replayed by an earlier run" in text
    assert "/sdapi/v1/txt2img, capture" in text
    assert "; replayed in " in text
    (tmp_path / "out" / next((tmp_path / "out").iterdir()).name).unlink()
    assert main(replay) == 0
    assert "made by an earlier run, but [Errno 2]" in (tmp_path / "report.html").read_text()
