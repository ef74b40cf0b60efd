"""The examples of companion/README.md run: those of the webui's API guide on a stand-in."""

from __future__ import annotations

import ast
import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import event_loop
from environment import ROOT
from payload_replay import AsyncWebUI, WebUI
from payload_replay.testing import FakeSession
from webui_standin import Process

README = (ROOT / "companion" / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## A client for any payload")[2].partition("\n## ")[0]
GUIDE, PROGRESS, ASYNC, FAKE = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
ADDRESS = "http://127.0.0.1:7860"
PAYLOAD = {"prompt": "hills", "steps": 40, "width": 64, "height": 64}


@pytest.fixture(scope="module")
def host() -> Iterator[Process]:
    with Process(flags=("--seconds-per-step", "0.02")) as process:  # long enough to be looked at
        yield process
        assert process.errors() == []


@pytest.fixture
def names(host: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    known = {"WebUI": WebUI, "AsyncWebUI": AsyncWebUI, "FakeSession": FakeSession}
    return {**known, "webui": WebUI(host.url), "payload": PAYLOAD, "threading": threading}


def test_the_api_guide(host: Process, names: dict[str, Any], tmp_path: Path) -> None:
    assert ADDRESS in GUIDE
    exec(GUIDE.replace(ADDRESS, host.url), names)
    assert names["image"].size == (512, 512)
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["puppy-0.png"]
    webui = names["webui"]
    assert webui.options()["CLIP_stop_at_last_layers"] == 2
    webui.set_options({"CLIP_stop_at_last_layers": 1})


def test_progress_and_cancel(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    names["payload"] = PAYLOAD | {"n_iter": 4}
    exec(PROGRESS, names)
    assert "step" in capsys.readouterr().out


def test_the_asynchronous_client(host: Process, names: dict[str, Any]) -> None:
    code = ASYNC.replace(ADDRESS, host.url)
    body = "\n".join(f"    {line}" for line in code.splitlines())
    names["asyncio"] = asyncio
    exec(f"async def main():\n{body}\n    return generation, models", names)
    generation, models = event_loop.run(names["main"]())
    assert (len(generation.images), models[0].title) == (1, names["webui"].models()[0].title)


def test_the_fake(names: dict[str, Any]) -> None:
    exec(FAKE, names)
    assert [lora.name for lora in names["webui"].loras()] == ["mine"]


def test_what_the_readme_names_exists() -> None:
    for name in re.findall(r"`webui\.(\w+)\(", SECTION):
        assert hasattr(WebUI, name)
    for block in (GUIDE, PROGRESS, FAKE):
        ast.parse(block)
