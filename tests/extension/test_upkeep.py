"""Verify, repair, and forgetting so that nothing remains in any file."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from payload_capture import tables, upkeep
from payload_capture.assets import STALE
from payload_capture.capture import reference
from payload_capture.store import Filters, NotFoundError, Store, StoreError
from stored import HOST, files_below, holding, make, picture, sha256_of

pytestmark = pytest.mark.once

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


def packed(store: Store, identity: str) -> bytes:
    """A document's bytes in the database."""
    joined = tables.documents.join(
        tables.captures, tables.captures.c.seq == tables.documents.c.capture
    )
    query = select(tables.documents.c.packed).select_from(joined)
    with store.database.read() as connection:
        found = connection.execute(query.where(tables.captures.c.id == identity)).scalar_one()
    return bytes(found)


# ---- forget


def test_nothing_of_a_forgotten_capture_is_in_any_file(store: Store) -> None:
    prompt = f"{' '.join(WORDS)} in a garden"
    init = picture(1000)
    for number in range(30):
        store.add(*make(number))
    other = dataclasses.replace(HOST, version="v1.9.4")  # it is the first of its host
    typed = {"outdir_samples": "flamboyant folder", "note": f"{'ponderous ' * 5000}"}
    job = {"user": "somebody"}
    store.add(*make(100, prompt, init=init, job=job, host=other, override_settings=typed))
    for title in ("earlier title", "titanic title"):
        store.edit("c100", title=title, note=f"notorious note, {title}", tags=["taggery"])
    for number in range(30, 60):
        store.add(*make(number, host=other))
        store.delete(f"c{number - 30}")
    texts = [*WORDS, "somebody", "titanic", "earlier", "notorious", "taggery", "flamboyant"]
    texts += ["ponderous"]
    marks = [text.encode() for text in texts] + [init[40:120], picture(100)[40:120]]
    marks += [picture(100, "image/webp")[20:60], packed(store, "c100")[-50:-10]]
    assert holding(store.folder, *marks), "the test must find them while they are there"
    store.forget("c100")
    assert holding(store.folder, *marks) == []
    for name in (sha256_of(init), sha256_of(picture(100))):
        assert holding(store.folder, name.encode(), bytes.fromhex(name)) == []
        assert not path_of(store, init).exists()
    assert store.verify() == []
    assert len(store.page(100).captures) == 30
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
        "UPDATE assets SET capture = NULL WHERE capture = 3 AND media_type = 'image/webp'",
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


@pytest.mark.parametrize("act", ["verify", "repair"])
def test_captures_that_are_deleted_while_they_are_looked_at_are_no_fault(
    either: Store, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    for number in range(4):
        either.add(*make(number))
    read = either.read_file

    def reading(sha256: str) -> bytes:
        for gone in ("c0", "c2"):
            with contextlib.suppress(NotFoundError):
                either.delete(gone)
        return read(sha256)

    monkeypatch.setattr(either, "read_file", reading)
    assert getattr(either, act)() == []
    assert [row["id"] for row in either.page().captures] == ["c3", "c1"]
    assert either.verify() == []


def test_a_picture_that_is_written_again_while_it_is_mended_is_not_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = picture(7)
    for number in range(2):
        store.add(*make(number, data=shared))
    path_of(store, shared).unlink()
    read = store.read_file

    def reading(sha256: str) -> bytes:
        try:
            return read(sha256)
        except StoreError:  # another webui is given the same picture just then
            store.assets.write(sha256, shared)
            raise

    monkeypatch.setattr(store, "read_file", reading)
    assert store.repair() == []
    for number in range(2):
        assert store.get(f"c{number}") == make(number, data=shared)[0]
    assert store.verify() == []


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
