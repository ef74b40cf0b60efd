"""The store, on real SQLite files."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payload_capture.capture import Asset, Capture, Host, Job, Model, Result
from payload_capture.store import Filters, NotFoundError, Store, StoreError

pytestmark = pytest.mark.once


def capture(number: int, data: bytes = b"png", **job: str) -> tuple[Capture, dict[str, bytes]]:
    sha256 = hashlib.sha256(data).hexdigest()
    made = Capture(
        format=1,
        id=f"c{number}",
        endpoint="/sdapi/v1/txt2img",
        payload={"prompt": f"cat {number} 100% a_b", "seed": number},
        results=[Result("0" * 64, 8, 6, "sample", asset=sha256, thumbnail=sha256)],
        host=Host(checkpoint=Model("alpha [1]")),
        job=Job(started="2026-11-23T16:15:02+00:00", source="api", **job),  # type: ignore[arg-type]
        assets={sha256: Asset("image/png", len(data), 8, 6)},
    )
    return made, {sha256: data}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data")
    yield store
    store.close()


def ids(store: Store, **filters: Any) -> list[str]:
    return [c["id"] for c in store.page(filters=Filters(**filters)).captures]


def test_a_capture_comes_back_as_it_was(store: Store) -> None:
    made, files = capture(1)
    store.add(made, files)
    assert store.get("c1") == made == store.latest()
    (sha256,) = files
    assert store.asset(sha256) == ("image/png", b"png")
    assert store.counts() == {"captures": 1, "assets": 1, "bytes": 3}


def test_a_summary_says_what_a_list_shows(store: Store) -> None:
    made, files = capture(1, user="ann", state="failed", error="broke")
    store.add(made, files, "late")
    (summary,) = store.page().captures
    (sha256,) = files
    assert summary == {
        "id": "c1",
        "endpoint": "/sdapi/v1/txt2img",
        "kind": "txt2img",
        "started": "2026-11-23T16:15:02+00:00",
        "seconds": 0.0,
        "source": "api",
        "state": "failed",
        "user": "ann",
        "prompt": "cat 1 100% a_b",
        "seed": 1,
        "model": "alpha [1]",
        "size": [8, 6],
        "pictures": 1,
        "warnings": 0,
        "error": "broke",
        "failure": "late",
        "thumbnail": sha256,
        "title": "",
        "note": "",
        "tags": [],
        "starred": False,
        "trashed": None,
        "verdict": None,
        "reason": None,
        "revision": 1,
    }


def test_pages_are_newest_first_and_complete_while_more_arrive(store: Store) -> None:
    for number in range(5):
        store.add(*capture(number))
    first = store.page(limit=2)
    store.add(*capture(9))
    second = store.page(limit=2, cursor=first.next)
    third = store.page(limit=2, cursor=second.next)
    seen = [c["id"] for page in (first, second, third) for c in page.captures]
    assert seen == ["c4", "c3", "c2", "c1", "c0"]
    assert third.next is None


def test_filters(store: Store) -> None:
    store.add(*capture(1))
    store.add(*capture(2))
    assert ids(store, q="CAT 2") == ["c2"]
    assert ids(store, q="100%") == ["c2", "c1"]
    assert ids(store, q="1%0") == []
    assert ids(store, q="a_b") == ["c2", "c1"]
    assert ids(store, q="aXb") == []
    assert ids(store, endpoint="/sdapi/v1/img2img") == []
    assert ids(store, source="api") == ["c2", "c1"]


def test_a_shared_picture_is_stored_once_and_outlives_one_of_its_captures(store: Store) -> None:
    made, files = capture(1)
    (sha256,) = files
    store.add(made, files)
    store.add(*capture(2))
    assert store.counts()["assets"] == 1
    store.delete("c1")
    assert store.asset(sha256)[1] == b"png"
    store.delete("c2")
    with pytest.raises(NotFoundError):
        store.asset(sha256)
    assert not [p for p in (store.folder / "assets").rglob("*") if p.is_file()]


def test_a_picture_that_is_deleted_while_it_is_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, files = capture(1)
    (sha256,) = files
    store.add(made, files)
    read = store.read_file

    def late(name: str) -> bytes:
        store.delete("c1")
        return read(name)

    monkeypatch.setattr(store, "read_file", late)
    with pytest.raises(NotFoundError):
        store.asset(sha256)


def test_unknown_ids(store: Store) -> None:
    for call in (store.get, store.delete, store.asset):
        with pytest.raises(NotFoundError):
            call("nothing")
    with pytest.raises(NotFoundError, match="latest"):
        store.latest()


def test_a_corrupt_file_is_said_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "captures.db"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StoreError, match=r"captures\.db.*damaged: move it away"):
        Store(tmp_path).page()
    assert path.read_bytes().startswith(b"no database at all")


def test_a_read_only_store_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(*capture(1))
    store.close()
    with sqlite3.connect(tmp_path / "captures.db") as plain:
        plain.execute("PRAGMA journal_mode=DELETE")
    # Root may write any file whatever its mode, so the connection is made read-only instead.
    read_only = Store(tmp_path, f"sqlite:///file:{tmp_path / 'captures.db'}?mode=ro&uri=true")
    with pytest.raises(StoreError, match="readonly database; make the file and its folder writ"):
        read_only.add(*capture(2))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/data"):
        Store(tmp_path / "file" / "data").page()


def test_a_damaged_picture_is_said(store: Store) -> None:
    made, files = capture(1)
    (sha256,) = files
    store.add(made, files)
    (path,) = [p for p in (store.folder / "assets").rglob("*") if p.is_file()]
    path.write_bytes(b"other")
    with pytest.raises(StoreError, match=r"was damaged: its bytes have the hash"):
        store.asset(sha256)
    path.unlink()
    with pytest.raises(StoreError, match="is gone"):
        store.asset(sha256)


def test_a_store_of_a_newer_release_is_left_alone(store: Store) -> None:
    store.add(*capture(1))
    store.close()
    with sqlite3.connect(store.folder / "captures.db") as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer release"):
        store.page()


def test_a_file_that_a_capture_in_the_making_needs_outlives_another_one(store: Store) -> None:
    made, files = capture(1)
    store.add(made, files)
    store.keep(files)
    store.delete("c1")
    store.add(capture(2)[0], {})
    assert store.asset(next(iter(files)))[1] == b"png"
    store.delete("c2")
    assert not [p for p in (store.folder / "assets").rglob("*") if p.is_file()]


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic"])
def test_a_package_that_is_not_installed_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(StoreError, match=rf"{package} is not installed.*--skip-install"):
        Store(tmp_path).add(*capture(1))
