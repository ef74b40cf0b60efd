"""Verify, repair, and forgetting so that nothing remains in any file."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import time
from pathlib import Path

import pytest

from payload_capture import upkeep
from payload_capture.assets import STALE
from payload_capture.capture import reference
from payload_capture.store import Filters, NotFoundError, Store, StoreError
from stored import files_below, holding, make, picture, sha256_of

WORDS = ("elephantine", "secretary", "orchid", "quixotic")


def path_of(store: Store, data: bytes) -> Path:
    return Path(store.assets.where(sha256_of(data)))


def plain(store: Store, *statements: str) -> None:
    """What another program does to the file."""
    store.close()
    with sqlite3.connect(store.folder / "captures.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


# ---- forget


def test_nothing_of_a_forgotten_capture_is_in_any_file(store: Store) -> None:
    prompt = f"{' '.join(WORDS)} in a garden"
    init = picture(1000)
    for number in range(30):
        store.add(*make(number))
    store.add(*make(100, prompt, init=init, job={"user": "somebody"}))
    store.edit("c100", title="titanic title", note="notorious note", tags=["taggery"])
    for number in range(30, 60):
        store.add(*make(number))
    texts = [*WORDS, "somebody", "titanic", "notorious", "taggery"]
    marks = [text.encode() for text in texts] + [init[40:120], picture(100)[40:120]]
    assert holding(store.folder, *marks), "the test must find them while they are there"
    store.forget("c100")
    assert holding(store.folder, *marks) == []
    for name in (sha256_of(init), sha256_of(picture(100))):
        assert holding(store.folder, name.encode(), bytes.fromhex(name)) == []
        assert not path_of(store, init).exists()
    assert store.verify() == []
    assert len(store.page(100).captures) == 60
    with pytest.raises(NotFoundError):
        store.forget("c100")


def test_what_others_share_stays_when_one_is_forgotten(either: Store) -> None:
    init = picture(1000)
    either.add(*make(1, "elephantine cat", init=init))
    either.add(*make(2, "elephantine dog", init=init))
    either.forget("c1")
    assert either.asset(sha256_of(init))[1] == init
    assert [row["id"] for row in either.page(filters=Filters(q="elephan")).captures] == ["c2"]
    assert either.verify() == []


def test_forgetting_says_when_another_program_holds_the_journal(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(*make(1))
    monkeypatch.setattr(upkeep, "PATIENCE", 0.2)
    reader = sqlite3.connect(store.folder / "captures.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM captures").fetchone()
    with pytest.raises(StoreError, match="until that program is closed"):
        store.forget("c1")
    reader.close()
    with pytest.raises(NotFoundError):
        store.get("c1")


# ---- verify and repair


def test_a_whole_store_has_no_faults_and_repair_drops_nothing(either: Store) -> None:
    init = picture(1000)
    for number in range(5):
        either.add(*make(number, init=init if number % 2 else None))
    either.edit("c1", tags=["a"], note="b")
    assert either.verify() == []
    assert either.repair() == []
    assert len(either.page().captures) == 5


def test_an_init_image_of_a_thousand_captures_is_stored_once_and_read_once(store: Store) -> None:
    init = os.urandom(200_000)
    for number in range(1000):
        store.add(*make(number, data=picture(0), init=init))
        if number == 0:
            begun = sum(path.stat().st_size for path in files_below(store.folder))
    store.close()
    grown = sum(path.stat().st_size for path in files_below(store.folder)) - begun
    assert grown / 999 < 3 * 1024


def test_each_kind_of_damage_is_found_and_mended(store: Store) -> None:
    init = picture(1000)
    store.add(*make(1))
    store.add(*make(2, init=init))
    store.add(*make(3, init=init))
    store.add(*make(4))
    path_of(store, picture(1)).unlink()
    path_of(store, init).write_bytes(b"other")
    plain(
        store,
        "UPDATE documents SET packed = x'00' WHERE capture = 4",
        "DELETE FROM uses WHERE capture = 3 AND asset IN (SELECT max(asset) FROM uses"
        " WHERE capture = 3)",
    )
    stray = path_of(store, b"stray")
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    half = stray.with_name(f"{stray.name}.1.1.part")
    half.write_bytes(b"st")
    os.utime(half, (time.time() - 2 * STALE,) * 2)
    faults = {(fault.path, fault.reason.split(":")[0].split(" ")[0]) for fault in store.verify()}
    assert faults == {
        ("captures/c1", "the"),
        ("captures/c2", "the"),
        ("captures/c3", "the"),
        ("captures/c3", "its"),
        ("captures/c4", "the"),
        (str(path_of(store, picture(3, "image/webp"))), "no"),
        (str(stray), "no"),
    }
    said = store.repair()
    assert sum("c4 was dropped" in one for one in said) == 1
    assert sum("lost a picture" in one for one in said) == 3
    assert any(str(stray) in one for one in said)
    assert any(str(half) in one for one in said)
    assert not stray.exists()
    assert not half.exists()
    assert store.verify() == []
    assert store.repair() == []
    assert [row["id"] for row in store.page().captures] == ["c3", "c2", "c1"]
    mended = store.get("c2")
    assert mended.payload["init_images"] == [None]
    assert [(w.path, w.severity) for w in mended.warnings] == [("init_images[0]", "blocks")]
    assert store.get("c1").results[0].asset is None
    assert store.get("c1").results[0].thumbnail is not None


def test_pixels_that_are_not_those_of_the_document_are_found(store: Store) -> None:
    capture, files = make(1)
    wrong = dataclasses.replace(capture.results[0], sha256="0" * 64)
    store.add(dataclasses.replace(capture, results=[wrong]), files)
    store.add(*make(2, data=picture(2)))
    ((path, reason),) = store.verify()
    assert path == "captures/c1/results/0"
    assert "its pixels have the hash" in reason


def test_a_search_index_that_was_damaged_is_made_anew(store: Store) -> None:
    for number in range(3):
        store.add(*make(number, "elephant"))
    plain(store, "DELETE FROM search_data WHERE id > 10", "DELETE FROM vocabulary")
    assert any(fault.path == "search" for fault in store.verify())
    assert any("made anew" in said for said in store.repair())
    assert len(store.page(filters=Filters(q="eleph")).captures) == 3
    assert store.verify() == []


def test_repair_refuses_where_all_pictures_are_gone(store: Store) -> None:
    store.add(*make(1))
    (store.folder / "assets").rename(store.folder / "elsewhere")
    with pytest.raises(StoreError, match="is its disk there"):
        store.repair()
    (store.folder / "elsewhere").rename(store.folder / "assets")
    assert store.verify() == []


def test_files_of_a_capture_in_the_making_are_no_fault(store: Store) -> None:
    store.keep({sha256_of(picture(1)): picture(1)})
    assert store.verify() == []
    assert store.repair() == []
    assert path_of(store, picture(1)).exists()
    plain(store, "UPDATE promises SET until = 1")
    assert [fault.reason for fault in store.verify()] == ["no capture names it"]
    assert len(store.repair()) == 1
    assert not path_of(store, picture(1)).exists()


def test_without_tells_what_the_payload_lost() -> None:
    capture, _ = make(
        1, mask=reference("a" * 64), alwayson_scripts={"x": {"args": [{"i": reference("b" * 64)}]}}
    )
    mended = upkeep.without(capture, {"a" * 64, "b" * 64})
    assert mended.payload["mask"] is None
    assert [w.path for w in mended.warnings] == ["mask", "alwayson_scripts.x.args[0].i"]
