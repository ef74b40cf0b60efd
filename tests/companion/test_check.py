"""The command `check` as a shell sees it."""

from __future__ import annotations

import json

import pytest

from fake_webui import API, FakeWebUI
from payload_replay.__main__ import main

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("shell")]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str) -> tuple[int, list[list[str]], str]:
        code = main(["check", *arguments])
        out, err = capsys.readouterr()
        return code, [line.split("\t") for line in out.splitlines()], err

    return run


def test_nothing_in_the_way(fake: FakeWebUI, said, captured) -> None:
    captured()
    code, lines, err = said("latest")
    assert (code, err) == (0, "")
    assert lines == [["latest", "ready", "nothing is known to stand in the way"]]
    assert fake.bodies("POST", f"{API}/txt2img") == []


def test_what_does_not_block_is_told(fake: FakeWebUI, said, captured) -> None:
    captured()
    fake.options["samples_format"] = "webp"
    code, (line,), _ = said("latest")
    assert (code, line[:2]) == (0, ["latest", "pixels"])
    assert line[2].startswith("samples_format: the server's setting is 'webp'")


def test_what_blocks(said, captured) -> None:
    captured({"sampler_name": "Eulor a", "styles": ["paint"]})
    code, lines, _ = said("latest")
    assert code == 2
    assert [line[1] for line in lines] == ["blocks", "blocks"]
    assert "the nearest is 'painted'" in lines[0][2]
    assert "the nearest is 'Euler a'" in lines[1][2]


def test_json(said, captured, capsys: pytest.CaptureFixture[str]) -> None:
    captured({"styles": ["paint"]})
    assert main(["check", "latest", "no.json", "--json"]) == 2
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "source": "latest",
        "id": "cat-1",
        "endpoint": f"{API}/txt2img",
        "blocks": True,
        "changes": [],
        "problems": [
            {
                "path": "styles[0]",
                "reason": "the server has no style (and would silently leave it out) 'paint'",
                "severity": "blocks",
                "nearest": "painted",
            }
        ],
    }
    assert second["blocks"] is True
    assert "there is no such file" in second["error"]


def test_migrate_says_what_it_did(said, captured) -> None:
    captured({"override_settings": {"sd_model_checkpoint": "gone.ckpt [0123456789]"}})
    assert said("latest")[0] == 2
    code, lines, _ = said("latest", "--migrate")
    assert (code, [line[1] for line in lines]) == (0, ["changed", "ready"])
    assert "became 'alpha.safetensors [0123456789]'" in lines[0][2]


def test_exit_codes_of_errors(said, captured) -> None:
    captured()
    code, lines, err = said("latest", "no.json")
    assert (code, len(lines)) == (2, 1)
    assert "there is no such file" in err
    code, _, err = said("latest", "--server", "http://127.0.0.1:9")
    assert code == 3
    assert "is the webui running" in err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--help"]) == 0
    assert "payload-replay check latest" in capsys.readouterr().out
