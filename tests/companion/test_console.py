"""What a terminal is shown."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from payload_replay import WebUI, console
from payload_replay.batch import Outcome
from payload_replay.capture import Caveat, Host, Job, Model
from payload_replay.fleet import Fleet
from payload_replay.tasks import jobs

pytestmark = pytest.mark.once


def run(names: list[str], webui: WebUI) -> Iterator[Outcome]:
    return Fleet([lambda: webui]).run(jobs(names))


EVIL = "a [bold]cat[/bold] \x1b[31mred\x1b]0;title\x07\r\n<b>"


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=160, color_system=None)


def text(terminal: Console) -> str:
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue()


def test_a_prompt_cannot_steer_the_terminal() -> None:
    assert console.plain(EVIL) == "a [bold]cat[/bold]  [31mred ]0;title   <b>"


def test_text_is_cut() -> None:
    assert console.shown("x" * 20, width=5).plain == "xxxx…"
    assert console.shown("xxxxx", width=5).plain == "xxxxx"


def test_show(terminal: Console, captured) -> None:
    capture = captured(
        {"prompt": EVIL},
        warnings=[Caveat("a.b", "a tensor")],
        job=Job("2026-01-02", 1.0, "ui", "failed", error="no memory"),
        host=Host("A1111", "v1", checkpoint=Model("alpha [0123]")),
    )
    console.show_capture(terminal, capture)
    shown = text(terminal)
    for part in ("[bold]cat", "a.b: a tensor", "no memory", "alpha [0123]", "16x16 seed 7"):
        assert part in shown
    assert "\x1b[31m" not in shown


def test_list(terminal: Console) -> None:
    row = {
        "id": "cat-1",
        "endpoint": "/sdapi/v1/txt2img",
        "started": "2026-01-02T03:04:05Z",
        "seconds": 0.5,
        "source": "ui",
        "state": "failed",
        "user": None,
        "prompt": EVIL,
        "seed": 0,
        "model": None,
        "size": [64, 48],
        "pictures": 2,
        "warnings": 0,
        "error": None,
        "failure": "disk full",
    }
    console.list_captures(terminal, [row, {"id": "bare"}])  # type: ignore[list-item,typeddict-item]
    shown = text(terminal)
    for part in ("cat-1", "2026-01-02 03:04:05", "64x48", "failed: disk full", "bare"):
        assert part in shown


def test_verdicts(terminal: Console, webui: WebUI, captured) -> None:
    captured(job=Job(state="interrupted"), id="broken-off")
    captured()
    console.verdicts(list(run(["latest", "broken-off", "no.json"], webui)), terminal)
    shown = text(terminal)
    assert shown.count("refused") == 2
    assert shown.count("identical") == 1


def test_no_bar_where_there_is_no_terminal(
    webui: WebUI, captured, capsys: pytest.CaptureFixture[str]
) -> None:
    captured()
    assert len(list(console.followed(run(["latest"], webui), 1))) == 1
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(
    terminal: Console, webui: WebUI, captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured()
    monkeypatch.setattr(console, "errors", lambda: terminal)
    assert len(list(console.followed(run(["latest"], webui), 1))) == 1
    assert "1/1" in text(terminal)
    assert "identical latest" in text(terminal)
    assert "left" in text(terminal)


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"verdict": "identical", "pictures": 1, "seconds": 2.0}
    done = [Outcome("a", record=record, server=f"http://{name}") for name in "aab"]
    console.summary([*done, Outcome("b", error=OSError("x"))], 9, 1.25)
    assert capsys.readouterr().err.splitlines() == [
        "4 of 9 in 1.2 s: 3 identical, 1 refused",
        "http://a: 2",
        "http://b: 1",
    ]


def test_show_says_what_a_variation_comes_from(terminal: Console, captured) -> None:
    console.show_capture(terminal, captured().with_(steps=3, seed=1))
    assert "cat-1: steps, seed" in text(terminal)
