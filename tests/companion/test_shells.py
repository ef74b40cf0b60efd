"""Each shell's quoting, read back by the shell or by what reads it as that does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exported import LONGEST_LINE, c_arguments, cmd_expanded, cmd_parsed, here_string
from payload_replay import Capture, posting, shells
from payload_replay.capture import TXT2IMG
from payload_replay.posting import Posting

pytestmark = pytest.mark.once

texts = (
    st.text(st.sampled_from("\"'\\$`%^&|<>()!{}@#~*?; \n\r\tJSONEOF'@\"ä🐈\u2028a1")) | st.text()
)


def of(payload: dict[str, Any]) -> Posting:
    return posting.of(Capture.from_payload(payload, TXT2IMG))


def bash(script: str, interactive: bool = False) -> bytes:
    """What a script's curl is given as its body."""
    script = "curl() { cat; }; python3() { cat; }\n" + script
    command = ["bash", "--norc", *(["-i"] if interactive else [])]
    return subprocess.run(
        command, input=script.encode(), capture_output=True, check=True, timeout=30
    ).stdout


@settings(max_examples=25)
@given(texts)
def test_bash_passes_the_body_on(text: str) -> None:
    assert json.loads(bash(shells.curl(of({"prompt": text})))) == {"prompt": text}


def test_bash_at_a_prompt_expands_no_history() -> None:
    text = "wow! !! !a !$ `id`"
    assert json.loads(bash(shells.curl(of({"prompt": text})), interactive=True))["prompt"] == text


@given(texts)
def test_cmd_passes_the_body_on(text: str) -> None:
    (line,) = (x for x in shells.curl_cmd(of({"prompt": text})).split("\r\n") if x[:5] == "curl ")
    parsed = cmd_parsed(cmd_expanded(line, {"PATH": "expanded"}, Path("x.cmd")))
    arguments = c_arguments(parsed)
    assert json.loads(arguments[arguments.index("--data-binary") + 1]) == {"prompt": text}


@pytest.mark.parametrize("length", [10, 5000, 7000, 9000, 100_000])
def test_no_line_of_cmd_is_too_long(length: int) -> None:
    made = shells.curl_cmd(of({"prompt": "x" * length}))
    assert max(len(line) for line in made.split("\r\n")) + 1024 < LONGEST_LINE
    assert (shells.BLOCK[0] in made) is (length > 6000)


@given(texts)
def test_powershell_passes_the_body_on(text: str) -> None:
    body, _ = here_string(shells.powershell(of({"prompt": text})), Path())
    assert json.loads(body) == {"prompt": text}


@pytest.mark.parametrize("name", ["curl", "httpie", "powershell", "curl_cmd"])
def test_a_user_can_read_it(name: str) -> None:
    made = getattr(shells, name)(of({"prompt": "a cat", "steps": 20}))
    assert len(made.splitlines()) < 25
    assert "a cat" in made
