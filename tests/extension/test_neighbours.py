"""The extension among hostile and careless ones, in a stand-in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from payload_replay import WebUI
from webui_standin import Process

from .conftest import Host

SCRIPT = """
import gradio as gr
from modules import scripts

class Made(scripts.Script):
    def title(self): return {title!r}
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img): return [gr.Checkbox(value=False, label="Enable"), gr.Number(value=1)]
    def {hook}(self, p, *args):
        {body}
"""
HOSTILE = """
import sys
class Raises:
    @property
    def __class__(self): raise RuntimeError("no class")
    def __getattribute__(self, name): raise RuntimeError("read " + name)
    def __repr__(self): raise RuntimeError("no repr")
cyclic = []
cyclic.append(cyclic)
def put(args, place):
    return (*args[:place], cyclic, Raises(), *args[place + 2:])
"""


def folder(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def among(repository: Path, tmp_path: Path) -> Any:
    """Start a host with neighbours, given as name → files; they load before ours."""
    running: list[Process] = []

    def start(**neighbours: dict[str, str]) -> Host:
        extensions = {
            f"aaa-{name}": folder(tmp_path / name, files) for name, files in neighbours.items()
        }
        process = Process(extensions=extensions | {"sd-webui-payload-capture": repository})
        running.append(process.start())
        return Host(process)

    yield start
    for process in running:
        process.stop()


def script(title: Any = "Neighbour", hook: str = "process", body: str = "pass") -> str:
    return SCRIPT.format(title=title, hook=hook, body=body)


def replayed(host: Host) -> tuple[str, str]:
    webui = WebUI(host.url)
    replay = webui.replay(webui.captures.latest())
    return replay.verdict, replay.reason


def test_those_that_take_names_which_everybody_uses(among: Any) -> None:
    host = among(
        package={
            "extension/__init__.py": "raise RuntimeError('imported by somebody else')",
            "scripts/utils.py": "from modules import scripts\nTAKEN = 1",
            "scripts/host.py": "TAKEN = 2",
        },
        client={
            "payload_replay/__init__.py": "__version__ = '0.0.1'",
            "payload_replay/capture.py": "FORMAT = -1",
            "scripts/old_client.py": (
                "import sys, os\n"
                "sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))\n"
                "import payload_replay.capture\n"
            ),
        },
    )
    host.generate().raise_for_status()
    assert host.json("/status")["format"] == 1
    assert replayed(host)[0] == "identical"
    assert host.process.errors() == []


def test_one_that_raises_in_the_middle(among: Any) -> None:
    body = "p.width = 'wide' if 'fail' in p.prompt else p.width"
    host = among(raises={"scripts/raises.py": script(body=body)})
    assert host.generate(prompt="fail").status_code == 500
    assert host.latest()["job"]["state"] == "failed"
    assert replayed(host)[0] == "refused"
    host.generate().raise_for_status()
    assert replayed(host)[0] == "identical"


def test_one_that_replaces_the_arguments_of_all(among: Any) -> None:
    body = "p.script_args = tuple(None for _ in p.script_args)"
    host = among(replaces={"scripts/replaces.py": script(hook="process", body=body)})
    args = {"args": [True, 0.5, "#ff0000", "soft"]}
    host.generate(alwayson_scripts={"tint": args}).raise_for_status()
    assert host.latest()["payload"]["alwayson_scripts"]["tint"]["args"][:3] == args["args"][:3]
    assert replayed(host)[0] == "identical"


def test_one_that_puts_hostile_objects_among_the_arguments(among: Any) -> None:
    body = "p.script_args = put(p.script_args, self.args_from)"
    text = HOSTILE + script(title="Zzz hostile", hook="setup", body=body)
    host = among(hostile={"scripts/zzz_hostile.py": text})
    host.generate().raise_for_status()
    capture = host.latest()
    assert capture["job"]["state"] == "ok"
    said = " ".join(warning["reason"] for warning in capture["warnings"])
    assert "itself" in said or "cycl" in said
    assert "read" in said or "Raises" in said
    assert host.json("/status")["failures"] == 0


def test_two_of_one_title(among: Any) -> None:
    twin = script(title="Twin")
    host = among(one={"scripts/one.py": twin}, two={"scripts/two.py": twin})
    host.generate().raise_for_status()
    capture = host.latest()
    assert list(capture["payload"]["alwayson_scripts"]).count("twin") == 1
    (warning,) = [w for w in capture["warnings"] if "twin" in w["path"]]
    assert "another script has the title 'twin' too" in warning["reason"]
    assert replayed(host)[0] == "identical"


def test_one_without_a_title(among: Any) -> None:
    host = among(untitled={"scripts/untitled.py": script(title=None)})
    host.generate().raise_for_status()
    capture = host.latest()
    assert capture["payload"]["alwayson_scripts"] == {}
    assert all("untitled.py has no title" in w["reason"] for w in capture["warnings"])
    assert capture["warnings"]
    assert replayed(host)[0] == "identical"


def test_a_server_that_lacks_what_a_capture_needs(among: Any) -> None:
    host = among(needed={"scripts/needed.py": script(title="Needed")})
    host.generate(prompt="<lora:none-such:1>").raise_for_status()
    capture = WebUI(host.url).captures.latest()
    other = among()
    bare = WebUI(other.url)
    lora = "prompt: the server has no LoRA"
    script_ = "alwayson_scripts.needed: the server has no txt2img script 'needed'"
    sampler = "sampler_name: the server has no sampler 'Eulr'; the nearest is 'Euler'"
    cases: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
        ({}, (lora, script_)),
        ({"prompt": "a cat"}, (script_,)),
        ({"sampler_name": "Eulr"}, (lora, script_, sampler)),
    )
    for changes, said in cases:
        changed = dataclasses.replace(capture, payload=capture.payload | changes)
        refused = bare.replay(changed)
        assert refused.verdict == "refused"
        assert [one for one in said if one not in refused.reason] == []
        assert refused.reason.count("the server has no") == len(said)
    assert other.json("/captures")["captures"] == [], "something was sent"
