"""What the settings page says about the store is what a running host does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from payload_capture.store import Store
from postgres import Postgres

from .conftest import PREFIX, Host, Start


def begun(start: Start, data: Path, **settings: Any) -> Host:
    """A host with these settings, which looks at what is too much with its next capture."""
    own = {f"payload_capture_{name}": value for name, value in settings.items()}
    (data / "config.json").write_text(json.dumps(own))
    return start(data_dir=data)


def prompts(host: Host) -> list[str]:
    return [row["prompt"] for row in host.json("/captures")["captures"]]


def filled(start: Start, data: Path) -> None:
    """Leave three captures, the oldest of them starred, and one in the trash."""
    host = start(data_dir=data)
    ids = []
    for prompt in ("starred", "old", "new", "trashed"):
        host.generate(prompt=prompt, seed=-1).raise_for_status()
        ids.append(host.latest()["id"])
    where = [f"{host.url}{PREFIX}/captures/{identity}" for identity in ids]
    host.session.patch(where[0], json={"starred": True}).raise_for_status()
    host.session.delete(where[3]).raise_for_status()
    host.process.stop()


@pytest.mark.parametrize(
    ("settings", "listed", "trashed"),
    [
        ({"keep_count": 2}, ["newest", "starred"], []),
        ({"keep_days": 1e-9}, ["starred"], []),
        ({"keep_gigabytes": 1e-9}, ["starred"], []),
        ({"trash_days": 1e-9}, ["newest", "new", "old", "starred"], []),
        ({"keep_count": None}, ["newest", "new", "old", "starred"], ["trashed"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_no_more_is_kept_than_was_chosen(
    start: Start, tmp_path: Path, settings: dict[str, Any], listed: list[str], trashed: list[str]
) -> None:
    filled(start, tmp_path)
    host = begun(start, tmp_path, **settings)
    host.generate(prompt="newest", seed=-1).raise_for_status()
    assert prompts(host) == listed
    rows = host.json("/captures", trashed=True)["captures"]
    assert [row["prompt"] for row in rows] == trashed
    host.process.stop()


def test_captures_go_where_was_chosen(start: Start, tmp_path: Path, postgres: Postgres) -> None:
    url, pictures = postgres.database(), tmp_path / "pictures"
    host = begun(start, tmp_path, database=url, assets=f"  {pictures} ")
    host.generate(prompt="elsewhere").raise_for_status()
    assert prompts(host) == ["elsewhere"]
    host.process.stop()
    store = Store(tmp_path / "unused", url, str(pictures))
    (result,) = store.latest().results
    assert result.asset is not None
    assert store.read_file(result.asset).startswith(b"\x89PNG")
    store.close()
    assert not list(tmp_path.rglob("captures.db"))
