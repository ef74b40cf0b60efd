"""Programs of Python and JavaScript; test_export runs them."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exported import RUNNERS, node, same, surroundings
from fake_webui import FakeWebUI
from json_values import json_values
from payload_replay import Capture, FormatError, posting, programs
from payload_replay.capture import TXT2IMG
from payload_replay.export import FORMATS

pytestmark = pytest.mark.once

payloads = st.dictionaries(st.text(), json_values(st.text() | st.text("\"'\\\n`${}</script>")))


@given(payloads)
def test_python_holds_the_payload(payload: dict[str, Any]) -> None:
    assert same(ast.literal_eval(programs.literal(payload, {})), payload)


@settings(max_examples=25)
@given(payloads)
def test_javascript_holds_the_payload(payload: dict[str, Any]) -> None:
    script = programs.node(posting.of(Capture.from_payload(payload, TXT2IMG)))
    start, end = script.index("const body"), script.index("const response")
    said = script[start:end] + "process.stdout.write(body);"
    done = subprocess.run([node(), "-e", said], check=True, stdout=subprocess.PIPE, timeout=60)
    assert same(json.loads(done.stdout), payload)


def test_what_python_cannot_hold() -> None:
    with pytest.raises(FormatError, match="no NaN"):
        programs.literal({"a": [float("nan")]}, {})
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(FormatError, match="too deeply"):
        programs.literal(deep, {})


def test_python_is_laid_out_for_reading() -> None:
    value = {"prompt": "it's", "list": [1, 2.0], "long": ["x" * 50, "y" * 50], "empty": {}}
    assert programs.literal(value, {}).splitlines() == [
        "{",
        '    "prompt": "it\'s",',
        '    "list": [1, 2.0],',
        '    "long": [',
        f'        "{"x" * 50}",',
        f'        "{"y" * 50}",',
        "    ],",
        '    "empty": {},',
        "}",
    ]


@pytest.mark.parametrize("name", ["requests", "python", "pytest"])
def test_python_programs_compile(captured, name: str) -> None:
    ast.parse(FORMATS[name](captured(id="1-cat.final")))


def test_a_pytest_fails_where_the_picture_is_another(
    fake: FakeWebUI, captured, tmp_path: Path
) -> None:
    capture = captured(id="1-cat.final")
    file = tmp_path / FORMATS["pytest"].name(capture)
    file.write_bytes(FORMATS["pytest"](capture))
    RUNNERS["pytest"](file, surroundings(fake.url))
    fake.options["sd_model_checkpoint"] = "beta"
    with pytest.raises(AssertionError, match="Model 'beta' instead of 'alpha'"):
        RUNNERS["pytest"](file, surroundings(fake.url))
