"""The table: what was written down comes out again, and says why something did not come back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from all_kinds import KINDS
from environment import ROOT
from fidelity import Outcome, page, read, table

pytestmark = pytest.mark.once

SAME = Outcome("Host 1", "plain", "txt2img", "a fixed seed", "identical", "came back")
CLOSE = Outcome("Host 1", "jpg", "settings", "a|b", "close", "lossy JPEG")
BROKEN = Outcome("Host 2", "jpg", "settings", "a|b", "failed", "AssertionError")
ABSENT = Outcome("Host 2", "other", "settings", "other", "not there", "no such thing")


def test_rows_are_kinds_and_columns_hosts() -> None:
    lines = table([SAME, CLOSE, BROKEN, ABSENT]).splitlines()
    assert lines == [
        "|  | Host 1 | Host 2 |",
        "| --- | :-: | :-: |",
        "| **txt2img** |  |  |",
        "| a fixed seed | identical | not run |",
        "| **settings** |  |  |",
        "| a\\|b | close (1) | **failed** (2) |",
        "| other | not run | – |",
        "",
        "1. lossy JPEG",
        "2. AssertionError",
    ]


def test_a_reason_is_said_once() -> None:
    again = Outcome("Host 2", "jpg", "settings", "a|b", "close", "lossy JPEG")
    assert table([CLOSE, again]).count("lossy JPEG") == 1


def test_the_later_line_counts() -> None:
    repaired = Outcome("Host 2", "jpg", "settings", "a|b", "identical", "came back")
    assert read([BROKEN.line() + SAME.line(), repaired.line()]) == [repaired, SAME]


def test_the_command_prints_the_page(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text(SAME.line() + CLOSE.line())
    command = [sys.executable, str(ROOT / "tests/hosts/fidelity.py"), str(file)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert printed == page([SAME, CLOSE])
    assert "python3 tests/hosts/fidelity.py" in printed


def test_the_page_has_a_row_for_each_kind() -> None:
    rows = (ROOT / "docs/fidelity.md").read_text(encoding="utf-8").splitlines()
    titles = {row.split(" | ")[0].removeprefix("| ") for row in rows if row.startswith("| ")}
    assert {kind.title.replace("|", "\\|") for kind in KINDS.values()} - titles == set()
