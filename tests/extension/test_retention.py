"""How much is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from payload_capture.store import Retention, Store
from stored import make, picture

pytestmark = pytest.mark.once


def days_ago(days: float) -> dict[str, str]:
    return {"started": (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()}


def ids(store: Store) -> list[str]:
    return [row["id"] for row in store.page().captures]


def test_by_age_wherever_it_stands(either: Store) -> None:
    for number, age in enumerate((1, 40, 2, 50, 60)):
        either.add(*make(number, job=days_ago(age)))
    either.edit("c1", starred=True)
    either.trash("c4")
    assert either.retain(Retention(days=30)) == ["c4", "c3"]
    assert ids(either) == ["c2", "c1", "c0"]


def test_by_count_the_trash_first_then_the_oldest_never_what_is_starred(either: Store) -> None:
    for number in range(120):
        either.add(*make(number, data=picture(0)))
    either.edit("c0", starred=True)
    for number in (7, 119):
        either.trash(f"c{number}")
    assert either.retain(Retention(count=117)) == ["c7", "c119", "c1"]
    removed = either.retain(Retention(count=3))
    assert len(removed) == 114
    assert ids(either) == ["c118", "c117", "c0"]
    assert either.retain(Retention(count=0)) == ["c117", "c118"]
    assert ids(either) == ["c0"]


def test_by_bytes_until_it_fits_though_pictures_are_shared(store: Store) -> None:
    for number in range(6):
        store.add(*make(number, init=picture(99)))
    whole = store.counts()["bytes"]
    assert store.retain(Retention(bytes=whole)) == []
    assert store.retain(Retention(bytes=whole - 1)) == ["c0"]
    assert store.retain(Retention(bytes=store.counts()["bytes"] - 1)) == ["c1"]
    assert store.retain(Retention(bytes=0)) == ["c2", "c3", "c4", "c5"]
    assert store.counts() == {"captures": 0, "assets": 0, "bytes": 0}


def meanwhile(store: Store, act: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    """Let somebody act when it is decided what to remove, and nothing is removed yet."""
    remove = store.remove

    def acting(*arguments: Any) -> list[str]:
        act()
        return remove(*arguments)

    patch.setattr(store, "remove", acting)


def test_what_is_starred_or_restored_just_before_it_is_removed_stays(
    either: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        either.add(*make(number, job=days_ago(5)))
    either.trash("c2")
    with monkeypatch.context() as patch:
        meanwhile(either, lambda: either.restore("c2"), patch)
        assert either.purge(None) == []
    with monkeypatch.context() as patch:
        meanwhile(either, lambda: either.edit("c0", starred=True), patch)
        assert either.retain(Retention(count=2)) == ["c1", "c2"]
    with monkeypatch.context() as patch:
        meanwhile(either, lambda: either.edit("c3", starred=True), patch)
        assert either.retain(Retention(days=1)) == []
    assert ids(either) == ["c3", "c0"]


def test_no_limit_removes_nothing(store: Store) -> None:
    store.add(*make(1, job=days_ago(5000)))
    assert store.retain(Retention()) == []
    assert ids(store) == ["c1"]


def test_the_trash_is_emptied_by_when_it_was_filled(either: Store) -> None:
    for number in range(3):
        either.add(*make(number, job=days_ago(100)))
    either.trash("c0")
    either.trash("c1")
    hour = timedelta(hours=1)
    assert either.purge(datetime.now(timezone.utc) - hour) == []
    assert either.purge(datetime.now(timezone(timedelta(hours=9))) + hour) == ["c0", "c1"]
    either.trash("c2")
    assert either.purge(None) == ["c2"]
    assert either.counts()["assets"] == 0
