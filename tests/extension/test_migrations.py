"""Frozen databases of every version, brought to the newest one.

`frozen/<revision>.sql` is what the code of that revision made of the captures below, as SQL text;
0001 was given a document that was cut short as well.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import payload_capture
from payload_capture import documents, tables
from payload_capture.capture import Capture
from payload_capture.database import REVISION
from payload_capture.store import Filters, LostError, Store
from postgres import Postgres
from stored import make, picture

pytestmark = pytest.mark.once

FROZEN = Path(__file__).parent / "frozen"


def expected() -> list[Capture]:
    init = picture(99)
    return [
        made[0]
        for made in (
            make(1, "a red cat"),
            make(2, "a painting, 黒猫の夢", init=init, mask=None, job={"user": "ann"}),
            make(
                3,
                "a painting of a dog",
                init=init,
                job={"started": "2026-11-24T10:00:00.500+00:00", "source": "ui"},
            ),
            make(4, "half \ud800 and \x00 nul"),
        )
    ]


def thaw(revision: str, folder: Path) -> Store:
    folder.mkdir()
    with sqlite3.connect(folder / "captures.db") as plain:
        plain.executescript((FROZEN / f"{revision}.sql").read_text(encoding="utf-8"))
    plain.close()
    return Store(folder)


def thaw_elsewhere(revision: str, url: str) -> None:
    """The same rows in a database of another kind, which that revision's migration makes."""
    config = configured()
    frozen = sqlite3.connect(":memory:")
    frozen.row_factory = sqlite3.Row
    frozen.executescript((FROZEN / f"{revision}.sql").read_text(encoding="utf-8"))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for table in ("captures", "assets", "uses"):
            for row in map(dict, frozen.execute(f"SELECT * FROM {table}")):
                names = ", ".join(f'"{name}"' for name in row)
                given = ", ".join(f":{name}" for name in row)
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({given})"), row)
    engine.dispose()
    frozen.close()


def configured() -> Config:
    config = Config()
    folder = Path(payload_capture.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    return config


def scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configured())


def test_every_revision_but_the_newest_is_frozen() -> None:
    revisions = {script.revision for script in scripts().walk_revisions()}
    assert scripts().get_current_head() == REVISION
    assert {file.stem for file in FROZEN.glob("*.sql")} == revisions - {REVISION}


@pytest.mark.parametrize("revision", [file.stem for file in FROZEN.glob("*.sql")])
def test_captures_of_older_stores_come_back_as_they_were(revision: str, tmp_path: Path) -> None:
    store = thaw(revision, tmp_path / "data")
    for capture in expected():
        assert store.get(capture.id) == capture
    assert [row["id"] for row in store.page().captures] == ["c9", "c4", "c3", "c2", "c1"]
    assert store.counts()["assets"] == 9
    store.close()


@pytest.mark.parametrize("revision", [file.stem for file in FROZEN.glob("*.sql")])
def test_captures_of_older_stores_come_back_on_postgresql(
    revision: str, postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.database()
    thaw_elsewhere(revision, url)
    store = Store(tmp_path / "data", url)
    for capture in expected():
        assert store.get(capture.id) == capture
    assert [row["id"] for row in store.page(filters=Filters(q="paint")).captures] == ["c3", "c2"]
    for gone in ("c2", "c3"):
        store.delete(gone)
    assert store.counts()["assets"] == 9 - 2 - 2 - 1
    store.close()


def test_0001_has_all_that_is_new(tmp_path: Path) -> None:
    store = thaw("0001", tmp_path / "data")
    found = {row["id"]: row for row in store.page().captures}
    assert [found[f"c{n}"]["kind"] for n in (1, 2, 3, 9)] == [
        "txt2img",
        "img2img",
        "img2img",
        "other",
    ]
    assert found["c3"]["failure"] == "late"
    for filters, ids in [
        (Filters(q="paint"), ["c3", "c2"]),
        (Filters(q="猫の"), ["c2"]),
        (Filters(since="2026-11-24T00:00:00Z"), ["c3"]),
        (Filters(host="AUTOMATIC1111"), ["c4", "c3", "c2", "c1"]),
        (Filters(user="ann"), ["c2"]),
    ]:
        assert [row["id"] for row in store.page(filters=filters).captures] == ids
    assert store.edit("c2", tags=["x"], starred=True)["revision"] == 2
    store.close()


def test_0001_a_document_that_was_damaged_is_kept_and_said(tmp_path: Path) -> None:
    store = thaw("0001", tmp_path / "data")
    with pytest.raises(LostError, match="was damaged"):
        store.get("c9")
    with store.database.read() as connection:
        captures, kept = tables.captures, tables.documents
        row = connection.execute(captures.select().where(captures.c.id == "c9"))
        found = connection.execute(kept.select().where(kept.c.capture == 9))
        kept_text = documents.unpack(found.one().packed, b"", row.mappings().one())
    assert kept_text == b'{"format": 1, "cut sh'
    store.close()


def test_0001_pictures_are_still_shared(tmp_path: Path) -> None:
    store = thaw("0001", tmp_path / "data")
    store.add(*make(5, init=picture(99)))
    for gone in ("c2", "c3"):
        store.delete(gone)
    assert store.counts()["assets"] == 2 + 2 + 3
    assert store.asset(next(iter(make(5, init=picture(99))[0].assets)))[1]
    store.close()


def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    store.page()
    with sqlite3.connect(store.folder / "captures.db") as plain:
        for table in tables.metadata.sorted_tables:
            found = {row[1] for row in plain.execute(f"PRAGMA table_info({table.name})")}
            assert found == {column.name for column in table.columns}
            made = {row[1] for row in plain.execute(f"PRAGMA index_list({table.name})")}
            named = {name for name in made if not name.startswith("sqlite_autoindex")}
            assert named == {str(index.name) for index in table.indexes}


def test_a_new_store_and_an_old_one_are_the_same(store: Store, tmp_path: Path) -> None:
    old = thaw("0001", tmp_path / "old")
    for one in (store, old):
        one.page()
        one.close()
    assert schema(store.folder) == schema(old.folder)


def schema(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / "captures.db") as plain:
        rows = plain.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    return rows
