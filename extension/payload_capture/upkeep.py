"""Proving that a store is whole, making it whole again, and leaving nothing of what was deleted."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from payload_capture import records, search
from payload_capture.capture import Capture, Caveat, pixel_hash, referred
from payload_capture.database import LostError, NotFoundError, StoreError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from payload_capture.store import Store

AT_ONCE = 50
"""Captures, or files, that are looked at before the database is asked for the next ones."""
REMEMBERED = 10_000
"""Files whose state is remembered: a picture that many captures share is read once."""
PATIENCE = 10.0
"""Seconds to wait until no reader holds the journal of what was deleted."""


class Fault(NamedTuple):
    """What is wrong: `path` names a capture, a file or the database, `reason` what of it."""

    path: str
    reason: str


class _Looked(NamedTuple):
    """A capture's state: `capture` is None where its document cannot be read, and `reason` why.

    `lost` says of each of its files that is not as it should be why, by sha256; `used` are the
    assets that its rows name.
    """

    seq: int
    id: str
    capture: Capture | None
    reason: str
    lost: dict[str, str]
    used: set[str]


# ---- verify


def verify(store: Store) -> list[Fault]:
    """Read everything and derive every hash again."""
    faults = [Fault("search", reason) for reason in _index_faults(store)]
    faults += _database_faults(store)
    for looked in _each(store):
        found = list(_capture_faults(store, looked))
        faults += found if found and _is_there(store, looked) else ()
    faults += [Fault(store.assets.where(name), "no capture uses it") for name in _unused(store)]
    faults += [Fault(store.assets.where(name), "no capture names it") for name in _strays(store)]
    return faults


def _database_faults(store: Store) -> Iterator[Fault]:
    from sqlalchemy import text

    with store.database.read() as connection:
        if connection.dialect.name == "sqlite":
            for (said,) in connection.execute(text("PRAGMA quick_check")):
                if said != "ok":
                    yield Fault("database", said)


def _capture_faults(store: Store, looked: _Looked) -> Iterator[Fault]:
    path = f"captures/{looked.id}"
    if looked.capture is None:
        yield Fault(path, looked.reason)
        return
    for reason in looked.lost.values():
        yield Fault(path, reason)
    if looked.used != set(looked.capture.assets):
        yield Fault(path, "its rows name other pictures than its document")
    for index, result in enumerate(looked.capture.results):
        if result.asset and result.asset not in looked.lost:
            reason = _pixel_fault(store, result.asset, result.sha256)
            if reason:
                yield Fault(f"{path}/results/{index}", reason)


def _is_there(store: Store, looked: _Looked) -> bool:
    """Whether nobody has deleted it since; its pictures go later than its row."""
    with store.database.read() as connection:
        return records.those(connection, [looked.seq]) == {looked.seq: looked.id}


def _pixel_fault(store: Store, asset: str, sha256: str) -> str:
    """What is wrong with the pixels of a picture's file; "" for nothing."""
    from PIL import Image

    from payload_capture.writer import comparable

    try:
        with Image.open(io.BytesIO(store.read_file(asset))) as opened:
            image = comparable(opened)
    except LostError as error:
        return str(error)
    except Exception as error:  # Pillow raises what its decoders raise
        return f"no picture: {type(error).__name__}: {error}"
    found = pixel_hash(image.mode, image.size, image.tobytes())
    return "" if found == sha256 else f"its pixels have the hash {found}, not {sha256}"


def _each(store: Store) -> Iterator[_Looked]:
    """Every capture, oldest first."""
    files = _Files(store)
    last = 0
    while some := _next(store, last):
        for seq, identity, used in some:
            with contextlib.suppress(NotFoundError):  # deleted meanwhile
                yield _look(store, seq, identity, used, files)
        last = some[-1][0]


class _Files:
    """Remembers which files are whole; one that is gone may be written again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._whole: set[str] = set()

    def faults(self, names: Iterable[str]) -> dict[str, str]:
        """Why each that is not as it should be is not."""
        return {name: fault for name in names if (fault := self._fault(name))}

    def _fault(self, sha256: str) -> str:
        if sha256 in self._whole:
            return ""
        try:
            self._store.read_file(sha256)
        except LostError as error:
            return str(error)
        if len(self._whole) >= REMEMBERED:
            self._whole.clear()
        self._whole.add(sha256)
        return ""


def _next(store: Store, last: int) -> list[tuple[int, str, set[str]]]:
    """(number, id, hashes of its assets) of the captures after a number."""
    from sqlalchemy import select

    from payload_capture import tables

    c = tables.captures.c
    query = select(c.seq, c.id).where(c.seq > last).order_by(c.seq).limit(AT_ONCE)
    with store.database.read() as connection:
        found = {seq: (seq, identity, set[str]()) for seq, identity in connection.execute(query)}
        for seq, sha256 in records.used(connection, list(found)):
            found[seq][2].add(sha256)
    return list(found.values())


def _look(store: Store, seq: int, identity: str, used: set[str], files: _Files) -> _Looked:
    try:
        with store.database.read() as connection:
            capture = records.document(connection, seq)
    except LostError as error:
        return _Looked(seq, identity, None, str(error), {}, used)
    if capture.id != identity:
        return _Looked(seq, identity, None, f"its document is that of {capture.id}", {}, used)
    return _Looked(seq, identity, capture, "", files.faults(capture.assets), used)


def _index_faults(store: Store) -> Iterator[str]:
    """Why the search index is not what the captures say."""
    from sqlalchemy import text
    from sqlalchemy.exc import DatabaseError

    with store.database.write() as connection:
        if connection.dialect.name != "sqlite":
            return
        check = text("INSERT INTO search(search, rank) VALUES ('integrity-check', 1)")
        try:
            connection.execute(check)
        except DatabaseError as error:
            yield f"the search index does not match the captures: {error.orig}"


def _unused(store: Store) -> list[str]:
    from sqlalchemy import select

    from payload_capture import tables

    query = select(tables.assets.c.sha256).where(_is_unused())
    with store.database.read() as connection:
        return list(connection.execute(query).scalars())


def _is_unused() -> ColumnElement[bool]:
    """Of assets that no capture uses, and none that is in the making will."""
    from sqlalchemy import exists

    from payload_capture import tables

    assets, promises = tables.assets, tables.promises
    promised = exists().where(promises.c.sha256 == assets.c.sha256, promises.c.until > _now())
    return records.unused() & ~promised


def _strays(store: Store) -> Iterator[str]:
    """Files that no row names."""
    with store.database.translated():
        for names in records.portions(store.assets.names()):
            with store.database.read() as connection:
                known = records.named(connection, names)
            yield from (name for name in names if name not in known)


def _now() -> int:
    return time.time_ns() // 1_000_000


# ---- repair


def repair(store: Store) -> list[str]:
    """Make the store whole again; what was dropped for that."""
    _refuse_if_all_are_gone(store)
    said = [f"{reason}: it was made anew" for reason in _index_faults(store)]
    if said:
        _index_all(store)
    for looked in _each(store):
        said += _mend(store, looked)
    _drop_unused(store)
    strays = list(_strays(store))
    store.remove_files(strays)
    said += [f"{store.assets.where(name)}: no capture uses it, removed" for name in strays]
    with store.database.translated():
        said += [f"{half}: half written, removed" for half in store.assets.sweep()]
    return said


def _refuse_if_all_are_gone(store: Store) -> None:
    count = store.counts()["assets"]
    with store.database.translated():
        if count and next(store.assets.names(), None) is None:
            raise StoreError(
                f"none of {count} pictures is in {store.assets.where('')}: is its disk there? "
                "Nothing was changed"
            )


def _mend(store: Store, looked: _Looked) -> Iterator[str]:
    from payload_capture import tables

    if looked.capture is None:
        for gone in store.remove([looked.seq], tables.captures.c.id == looked.id):
            yield f"the capture {gone} was dropped: {looked.reason}"
    elif looked.lost or looked.used != set(looked.capture.assets):
        for reason in _mended(store, looked, looked.capture):
            yield f"the capture {looked.id} lost a picture: {reason}"


def _mended(store: Store, looked: _Looked, capture: Capture) -> Iterable[str]:
    """Write it anew under the lock, where nobody deletes it or writes a file again; its losses."""
    with store.database.write() as connection:
        if records.those(connection, [looked.seq]) != {looked.seq: looked.id}:
            return ()
        lost = _Files(store).faults(looked.lost)
        records.rewrite(connection, looked.seq, without(capture, set(lost)))
        for sha256 in lost:  # captures that are looked at later find it gone, which is lost as well
            store.assets.remove(sha256)
    return lost.values()


def without(capture: Capture, lost: set[str]) -> Capture:
    """A capture whose lost pictures nothing refers to; where one was to be sent, it says so."""
    if not lost:
        return capture
    caveats: list[Caveat] = []
    payload = _cut(capture.payload, lost, "", caveats)
    template = _cut(capture.template, lost, "", [])
    results = [
        dataclasses.replace(
            result,
            asset=None if result.asset in lost else result.asset,
            thumbnail=None if result.thumbnail in lost else result.thumbnail,
        )
        for result in capture.results
    ]
    assets = {name: asset for name, asset in capture.assets.items() if name not in lost}
    return dataclasses.replace(
        capture,
        payload=payload,
        template=template,
        results=results,
        assets=assets,
        warnings=[*capture.warnings, *caveats],
    )


def _cut(value: Any, lost: set[str], path: str, caveats: list[Caveat]) -> Any:
    if (sha256 := referred(value)) is not None:
        if sha256 not in lost:
            return value
        caveats.append(Caveat(path, "its picture was lost from the store", "blocks"))
        return None
    if isinstance(value, dict):
        place = f"{path}." if path else ""
        return {k: _cut(item, lost, f"{place}{k}", caveats) for k, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, lost, f"{path}[{i}]", caveats) for i, item in enumerate(value)]
    return value


def _drop_unused(store: Store) -> None:
    from payload_capture import tables

    with store.database.write() as connection:
        promises = tables.promises
        connection.execute(promises.delete().where(promises.c.until <= _now()))
        connection.execute(tables.assets.delete().where(_is_unused()))


def _index_all(store: Store) -> None:
    from sqlalchemy import select, text

    from payload_capture import tables

    with store.database.write() as connection:
        connection.execute(text("INSERT INTO search(search) VALUES ('rebuild')"))
        connection.execute(tables.vocabulary.delete())
        for (words,) in connection.execute(select(tables.documents.c.words)).all():
            search.learn(connection, words.split())


# ---- leaving nothing


def scrub(store: Store) -> None:
    """Leave nothing of deleted rows in the free space of the database's files.

    Raises:
        StoreError: another program reads the database all the time, so its journal stays.
    """
    with store.database.write() as connection:
        dialect = connection.dialect.name
        if dialect == "sqlite":
            _merge_index(connection)
    if dialect == "sqlite":
        _empty_journal(store)
    elif dialect == "postgresql":
        _vacuum(store)


def _merge_index(connection: Connection) -> None:
    from sqlalchemy import text

    # FTS5 notes a deletion in a newer segment; the words leave when all are merged into one.
    connection.execute(text("INSERT INTO search(search) VALUES ('optimize')"))


def _empty_journal(store: Store) -> None:
    from sqlalchemy import text

    deadline = time.monotonic() + PATIENCE
    while True:
        with store.database.outside() as connection:
            busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
        if not busy:
            return
        if time.monotonic() > deadline:
            raise StoreError(
                "deleted, but another program reads the capture store: what was deleted stays in "
                "the file that ends in -wal until that program is closed"
            )
        time.sleep(0.1)


def _vacuum(store: Store) -> None:
    from sqlalchemy import text

    with store.database.outside() as connection:
        connection.execute(text("VACUUM captures, documents, dictionaries, tags, uses, assets"))
