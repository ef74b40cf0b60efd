"""The commands that start a stand-in."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from payload_replay import BadSource, local
from payload_replay.__main__ import main
from payload_replay.batch import Outcome
from payload_replay.exits import ExitStatus
from payload_replay.replay import Replay
from webui_standin import Process, StartupError, process


def outcome(verdict: Any, captured: Any) -> Outcome:
    return Outcome("x", Replay(verdict, "", captured()))


def test_ready(flavour: str) -> None:
    assert local.ready(None) is local.ready(flavour)
    with pytest.raises(BadSource, match="choose one of a1111, reforge, forge"):
        local.ready("sdnext")
    other = {"a1111": "forge", "forge": "reforge"}[flavour]
    with pytest.raises(BadSource, match=f"demo --flavour {other}"):
        local.ready(other)


def test_without_the_stand_in(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "webui_standin", None)
    for command in ("demo", "standin"):
        assert main([command]) == ExitStatus.REFUSED
        assert "pip install './companion[cli,standin]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("control", "swallowed", "verdicts", "status"),
    [
        ("different", [], ["identical", "identical"], ExitStatus.IDENTICAL),
        ("different", [], ["identical", "close"], ExitStatus.DIFFERENT),
        ("different", [], ["refused", "different"], ExitStatus.REFUSED),
        ("identical", [], ["identical"], ExitStatus.FAILED),
        ("different", [{"type": "E", "message": "m"}], ["identical"], ExitStatus.FAILED),
    ],
)
def test_judged(captured, control: str, swallowed: list, verdicts: list, status: int) -> None:
    outcomes = [outcome(verdict, captured) for verdict in verdicts]
    assert local.judged(outcomes, outcome(control, captured), swallowed) is status


def test_the_demo_as_a_whole(tmp_path: Path, flavour: str, capfd) -> None:
    assert main(["demo", "--flavour", flavour, "--out", str(tmp_path / "report")]) == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) >= 12
    assert all(line.startswith("identical\t") for line in out.splitlines())
    assert "can fail: different" in err
    assert (tmp_path / "report" / "report.html").stat().st_size > 100_000


def test_a_stand_in_that_does_not_start(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def start(self: Process) -> Process:
        raise StartupError("the port is taken")

    monkeypatch.setattr(process.Process, "start", start)
    assert main(["demo"]) == ExitStatus.FAILED
    assert "the port is taken" in capsys.readouterr().err


def test_standin_runs_until_it_is_stopped(tmp_path: Path) -> None:
    port = process.free_port()
    command = [sys.executable, "-m", "payload_replay", "standin", "--port", str(port), "--api"]
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([*command, "--data-dir", str(tmp_path)], env=surroundings) as child:
        try:
            assert "samples_format" in answered(f"http://127.0.0.1:{port}/sdapi/v1/options")
        finally:
            child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0


def answered(url: str) -> Any:
    deadline = time.monotonic() + 90
    while True:
        with contextlib.suppress(requests.RequestException):
            answer = requests.get(url, timeout=5)
            if answer.ok:
                return answer.json()
        assert time.monotonic() < deadline
        time.sleep(0.2)
