"""A capture's rows in the store's tables, on a connection whose transaction the caller holds."""

from __future__ import annotations

import functools
import itertools
import time
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from payload_capture import documents, search
from payload_capture.capture import Asset, Capture, NewerFormatError
from payload_capture.database import LostError, NotFoundError, StoreError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Executable, RowMapping, Select

T = TypeVar("T")
BOUND = 500
"""Values in one statement: SQLite before 3.32 takes 999."""
MAX_TAG = 100
MAX_TAGS = 100


def rows(connection: Connection) -> Select[Any]:
    """Of `captures`, with their origins, and their `tags` in one text or None."""
    from sqlalchemy import func, select

    from payload_capture import tables

    captures, origins, tags = tables.captures, tables.origins, tables.tags
    # From the left: SQLite must not begin with the origins, of which it does not know the number.
    joined = captures.outerjoin(origins, origins.c.number == captures.c.origin)
    shown = (origins.c[name] for name in documents.ORIGIN)
    postgres = connection.dialect.name == "postgresql"
    all_of_them = func.string_agg if postgres else func.group_concat
    own = (
        select(all_of_them(tags.c.tag, documents.BETWEEN))
        .where(tags.c.capture == captures.c.seq)
        .scalar_subquery()
    )
    return select(captures, *shown, own.label("tags")).select_from(joined)


def find(connection: Connection, identity: str) -> RowMapping:
    """The row of `captures` with its origin. Raises NotFoundError."""
    from payload_capture import tables

    query = rows(connection).where(tables.captures.c.id == identity)
    known = documents.storable(identity) == identity
    row = connection.execute(query).mappings().first() if known else None
    if row is None:
        raise NotFoundError(identity)
    return row


def document(connection: Connection, seq: int) -> Capture:
    """The capture of a row. Raises NotFoundError, or LostError if its document was damaged."""
    from sqlalchemy import select

    from payload_capture import tables

    captures, kept, dictionaries = tables.captures, tables.documents, tables.dictionaries
    joined = captures.outerjoin(kept, kept.c.capture == captures.c.seq)
    joined = joined.outerjoin(dictionaries, dictionaries.c.number == kept.c.dictionary)
    query = select(captures, kept.c.packed, dictionaries.c.data).select_from(joined)
    row = connection.execute(query.where(captures.c.seq == seq)).mappings().first()
    if row is None:
        raise NotFoundError(seq)
    try:
        if row["packed"] is None:
            raise ValueError("its document is gone")
        return Capture.from_json(documents.unpack(row["packed"], row["data"] or b"", row))
    except NewerFormatError as error:
        raise StoreError(f"the capture with the number {seq}: {error}") from error
    except (ValueError, zlib.error) as error:
        raise LostError(
            f"the capture with the number {seq} was damaged: {error}; repair the store"
        ) from error


# ---- assets


def use(connection: Connection, seq: int, assets: Mapping[str, Asset]) -> None:
    """Note which assets it uses: adds those that are not there, ends the promises of them.

    Nothing is read, so that a database can be sent all of it at once.
    """
    rows = [{f"its_{name}": value for name, value in row.items()} for row in files(seq, assets)]
    for statement in _using() if rows else ():
        connection.execute(statement, rows)


@functools.cache
def _using() -> tuple[Executable, ...]:
    """What is executed for each asset: add it, use it if it is another one's, end its promise."""
    from sqlalchemy import bindparam, exists, func, select

    from payload_capture import tables

    assets, uses, promises = tables.assets, tables.uses, tables.promises
    given = {column.name: bindparam(f"its_{column.name}", type_=column.type) for column in assets.c}
    here = exists().where(assets.c.sha256 == given["sha256"])
    others = here.where(func.coalesce(assets.c.capture, 0) != given["capture"])
    return (
        assets.insert().from_select(list(given), select(*given.values()).where(~here)),
        uses.insert().from_select(
            ["capture", "asset"], select(given["capture"], given["sha256"]).where(others)
        ),
        promises.delete().where(promises.c.sha256 == given["sha256"]),
    )


def files(seq: int, assets: Mapping[str, Asset]) -> list[dict[str, Any]]:
    """The rows of assets that this capture is the first to use."""
    return [
        {
            "sha256": sha256,
            "capture": seq,
            "media_type": asset.media_type,
            "size": min(asset.size, 2**31 - 1),
        }
        for sha256, asset in assets.items()
    ]


def portions(values: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most `BOUND` of them."""
    rest = iter(values)
    while some := list(itertools.islice(rest, BOUND)):
        yield some


def _assets(connection: Connection, names: Iterable[str]) -> set[str]:
    """Those hashes of `names` that are assets."""
    from sqlalchemy import select

    from payload_capture import tables

    sha256 = tables.assets.c.sha256
    found: set[str] = set()
    for some in portions(names):
        found.update(connection.execute(select(sha256).where(sha256.in_(some))).scalars())
    return found


# ---- change


def change(connection: Connection, seq: int, changes: Mapping[str, Any]) -> None:
    """Set columns; the revision counts every change."""
    from payload_capture import tables

    captures = tables.captures
    values = {**changes, "revision": captures.c.revision + 1}
    connection.execute(captures.update().where(captures.c.seq == seq).values(values))


def rewrite(connection: Connection, seq: int, capture: Capture) -> None:
    """Let a capture's rows and document say what `capture` does."""
    from sqlalchemy import select

    from payload_capture import tables

    kept, dictionaries = tables.documents, tables.dictionaries
    query = select(dictionaries.c.data).join(kept, kept.c.dictionary == dictionaries.c.number)
    data = connection.execute(query.where(kept.c.capture == seq)).scalar() or b""
    row = documents.row(capture, None)
    packed = documents.pack(documents.text(capture), data, row)
    connection.execute(kept.update().where(kept.c.capture == seq).values(packed=packed))
    _use_no_more(connection, [seq])
    use(connection, seq, capture.assets)
    change(connection, seq, {name: row[name] for name in ("thumbnail", "warnings")})


class TagError(ValueError):
    """Tags that cannot be kept."""


def set_tags(connection: Connection, seq: int, tags: Iterable[str]) -> None:
    """Raises TagError for what is no tag, or too many."""
    from payload_capture import tables

    clean = sorted({_tag(tag) for tag in tags})
    if len(clean) > MAX_TAGS:
        raise TagError(f"tags: {len(clean)} are too many; at most {MAX_TAGS}")
    connection.execute(tables.tags.delete().where(tables.tags.c.capture == seq))
    if clean:
        rows = [{"capture": seq, "tag": tag} for tag in clean]
        connection.execute(tables.tags.insert(), rows)


def _tag(tag: str) -> str:
    clean = spelled(tag)
    if not 0 < len(clean) <= MAX_TAG:
        raise TagError(f"tags: {tag[:MAX_TAG]!r} is not a tag of 1 to {MAX_TAG} characters")
    return clean


def spelled(tag: str) -> str:
    """A tag as it is kept, however somebody typed it."""
    return " ".join(documents.storable(unicodedata.normalize("NFC", tag)).split())


def index_again(connection: Connection, seq: int) -> None:
    """Let the search index have the words that a capture has now."""
    from sqlalchemy import select

    from payload_capture import tables

    kept = tables.documents
    query = rows(connection).where(tables.captures.c.seq == seq)
    row = connection.execute(query).mappings().one()
    texts = search.text_of(document(connection, seq))
    words = search.words_of(*texts, row["title"], row["note"], row["tags"] or "")
    before = connection.execute(select(kept.c.words).where(kept.c.capture == seq)).scalar_one()
    new = search.stored(words)
    connection.execute(kept.update().where(kept.c.capture == seq).values(words=new))
    search.learn(connection, words)
    search.unlearn(connection, set(before.split()) - set(words))


# ---- remove


def those(
    connection: Connection, seqs: Sequence[int], *conditions: ColumnElement[bool]
) -> dict[int, str]:
    """The ids of the captures that are there still and meet the conditions, by their numbers."""
    from sqlalchemy import select

    from payload_capture import tables

    c = tables.captures.c
    query = select(c.seq, c.id).where(c.seq.in_(seqs), *conditions).order_by(c.seq)
    return dict(connection.execute(query).tuples().all())


def remove(connection: Connection, seqs: Sequence[int]) -> list[str]:
    """Delete all rows of captures; the assets that nobody uses any more, whose files remain."""
    from sqlalchemy import select

    from payload_capture import tables

    captures, kept, tags = tables.captures, tables.documents, tables.tags
    query = select(kept.c.words, kept.c.dictionary).where(kept.c.capture.in_(seqs))
    kept_rows = connection.execute(query).all()
    origins = connection.execute(select(captures.c.origin).where(captures.c.seq.in_(seqs)))
    numbers = set(origins.scalars())
    names = _use_no_more(connection, seqs)
    for column in (tags.c.capture, kept.c.capture, captures.c.seq):
        connection.execute(column.table.delete().where(column.in_(seqs)))
    search.unlearn(connection, {word for row in kept_rows for word in row.words.split()})
    _drop_dictionaries(connection, {row.dictionary for row in kept_rows})
    _drop_origins(connection, numbers)
    return _drop_assets(connection, names)


def _drop_dictionaries(connection: Connection, numbers: Iterable[int]) -> None:
    from sqlalchemy import exists

    from payload_capture import tables

    dictionaries = tables.dictionaries
    used = exists().where(tables.documents.c.dictionary == dictionaries.c.number)
    unused = dictionaries.c.number.in_(list(numbers)) & ~used
    connection.execute(dictionaries.delete().where(unused))


def used(connection: Connection, seqs: Sequence[int]) -> list[tuple[int, str]]:
    """(number of a capture, hash of an asset that it uses)."""
    from sqlalchemy import select

    from payload_capture import tables

    assets, uses = tables.assets, tables.uses
    own = select(assets.c.capture, assets.c.sha256).where(assets.c.capture.in_(seqs))
    shared = select(uses.c.capture, uses.c.asset).where(uses.c.capture.in_(seqs))
    return list(connection.execute(own.union_all(shared)).tuples())


def _use_no_more(connection: Connection, seqs: Sequence[int]) -> set[str]:
    """The hashes of the assets that they used."""
    from payload_capture import tables

    assets, uses = tables.assets, tables.uses
    names = {sha256 for _, sha256 in used(connection, seqs)}
    connection.execute(assets.update().where(assets.c.capture.in_(seqs)).values(capture=None))
    connection.execute(uses.delete().where(uses.c.capture.in_(seqs)))
    return names


def unused() -> ColumnElement[bool]:
    """The condition of an asset that no capture uses."""
    from sqlalchemy import exists

    from payload_capture import tables

    assets = tables.assets
    return assets.c.capture.is_(None) & ~exists().where(tables.uses.c.asset == assets.c.sha256)


def _drop_origins(connection: Connection, numbers: Iterable[int]) -> None:
    from sqlalchemy import exists

    from payload_capture import tables

    origins = tables.origins
    used = exists().where(tables.captures.c.origin == origins.c.number)
    connection.execute(origins.delete().where(origins.c.number.in_(list(numbers)) & ~used))


def _drop_assets(connection: Connection, names: Iterable[str]) -> list[str]:
    """Delete the rows of those that no capture uses; their hashes."""
    from sqlalchemy import select

    from payload_capture import tables

    assets = tables.assets
    gone: list[str] = []
    for some in portions(names):
        which = assets.c.sha256.in_(some) & unused()
        gone += connection.execute(select(assets.c.sha256).where(which)).scalars()
        connection.execute(assets.delete().where(which))
    return gone


def named(connection: Connection, names: Iterable[str]) -> set[str]:
    """Those of the hashes that a capture names, or one that is in the making will."""
    from sqlalchemy import select

    from payload_capture import tables

    sha256, until = tables.promises.c.sha256, tables.promises.c.until
    found = _assets(connection, names)
    for some in portions(names):
        promised = select(sha256).where(sha256.in_(some), until > time.time_ns() // 1_000_000)
        found.update(connection.execute(promised).scalars())
    return found


def promise(connection: Connection, names: Iterable[str], until: int) -> None:
    """Keep files that no capture names yet, until milliseconds since 1970."""
    from payload_capture import tables

    promises = tables.promises
    for some in portions(names):
        connection.execute(promises.delete().where(promises.c.sha256.in_(some)))
        rows = [{"sha256": sha256, "until": until} for sha256 in some]
        connection.execute(promises.insert(), rows)
