"""The benchmarks of the tab run, with little to do and no bound on times."""

from __future__ import annotations

import argparse
import re

import bench_arrival
import bench_gallery
import bench_opening
import bench_page
import pytest
from playwright.sync_api import Browser

from environment import ROOT


def test_arrival(browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    bench_arrival.bench(browser, rounds=1)
    assert re.search(r"arrival: median -?\d+ ms", capsys.readouterr().out)


def test_gallery(browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    scrolled = bench_gallery.bench(browser, 120, limit=60)
    assert scrolled.loaded == 120
    assert "120 captures in" in capsys.readouterr().out


def test_opening(
    browser: Browser, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_opening, "SIDE", 64)
    monkeypatch.setattr(bench_opening, "ENTRIES", 100)
    bench_opening.bench(browser, rounds=1)
    said = capsys.readouterr().out
    assert said.count("opening, small") == said.count("opening, heavy") == 1


def test_page(
    browser: Browser, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_page, "WARM", 0)
    monkeypatch.setattr(bench_page, "LATER", 0)
    bench_page.weight(ROOT)
    bench_page.loads(browser, argparse.Namespace(rounds=2, host_folder=None))
    said = capsys.readouterr().out
    assert re.search(r"script: [\d,]+ bytes", said)
    for measure in ("ms until it can generate", "ms computed", "function calls"):
        for what in ("the tab", "its settings", "both"):
            assert re.search(rf"{measure}.*, {what}: without [\d,]+, with [\d,]+, ratio", said)
