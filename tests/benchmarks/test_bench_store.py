"""The benchmark of the store runs, with few captures and no bound on times."""

from __future__ import annotations

import bench_store
import pytest

pytestmark = pytest.mark.once


def test_a_short_form(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_store, "POOL", 100)
    monkeypatch.setattr(bench_store, "WRITTEN", 200)
    bench_store.main(["--captures", "300", "--rounds", "3"])
    said = capsys.readouterr().out
    for database in bench_store.DATABASES:
        assert f"{database}\n" in said
    assert said.count("300 captures") == 2
    assert said.count("newest page") == said.count("insert ") // 2 == 2
