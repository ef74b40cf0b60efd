"""A new capture as rows, and how they get into the tables, in a transaction of the caller's."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from payload_capture import documents, records, search
from payload_capture.capture import Capture
from payload_capture.database import ConflictError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table, TextClause


class Entry(NamedTuple):
    """What is kept of a capture, as far as it is computed before others have to wait for it."""

    capture: Capture
    row: Mapping[str, Any]
    text: bytes
    words: list[str]
    origin: str
    """The key of its row of `origins`; `host` is that of its dictionary."""
    host: str

    @classmethod
    def of(cls, capture: Capture, failure: str | None) -> Entry:
        """Raises TypeError or ValueError for a capture that holds what is no JSON."""
        row = documents.row(capture, failure)
        return cls(
            capture=capture,
            row=row,
            text=documents.text(capture),
            words=search.words_of(*search.text_of(capture)),
            origin=documents.origin_key(row),
            host=documents.host_key(capture.host),
        )


def add(connection: Connection, new: Entry) -> None:
    """Insert all rows of a capture but those of its files; none if it was added before.

    Raises:
        ConflictError: there is another one of its id.
    """
    from payload_capture import tables

    capture, row = new.capture, new.row
    known = _known(connection, new)
    if known.seq is not None:
        return _refuse_another(connection, known.seq, new)
    origin = _origin(connection, new) if known.origin is None else known.origin
    number, dictionary = known.dictionary, known.data
    if number is None or dictionary is None:
        number, dictionary = _dictionary(connection, new)
    own = {name: value for name, value in row.items() if name not in documents.ORIGIN}
    own |= {"seq": known.next, "origin": origin}
    kept = {
        "capture": known.next,
        "dictionary": number,
        "packed": documents.pack(new.text, dictionary, row),
        "words": search.stored(new.words),
    }
    files = [] if known.claimed else records.files(known.next, capture.assets)
    if connection.dialect.name == "postgresql":
        _insert_at_once(connection, own, kept, files)
    else:
        connection.execute(tables.captures.insert(), own)
        connection.execute(tables.documents.insert(), kept)
        search.learn(connection, new.words)
        if files:
            connection.execute(tables.assets.insert(), files)
    if known.claimed:
        records.use(connection, known.next, capture.assets)
    return None


_KNOWN = """
SELECT (SELECT coalesce(max(seq), 0) + 1 FROM captures),
    (SELECT seq FROM captures WHERE id = :id),
    (SELECT number FROM origins WHERE key = :origin),
    (SELECT number FROM dictionaries WHERE host = :host),
    (SELECT data FROM dictionaries WHERE host = :host),
    EXISTS (SELECT 1 FROM assets WHERE sha256 IN :assets) OR EXISTS (SELECT 1 FROM promises)
"""


class _Known(NamedTuple):
    """What the database has already of a capture that is to be added; None for what it has not.

    `next` is the number that a new one gets: whoever asks holds the writers' lock.
    """

    next: int
    seq: int | None
    origin: int | None
    dictionary: int | None
    data: bytes | None
    claimed: bool
    """Whether an asset of it is there, or anything is promised."""


def _known(connection: Connection, new: Entry) -> _Known:
    names = list(new.capture.assets)
    given: dict[str, Any] = {"id": new.capture.id, "origin": new.origin, "host": new.host}
    given["assets"] = names[: records.BOUND]
    known = _Known(*connection.execute(_is_known(), given).one())
    return known._replace(claimed=known.claimed or len(names) > records.BOUND)


@functools.cache
def _is_known() -> TextClause:
    """As text: putting it together from its parts takes longer than the database to answer."""
    from sqlalchemy import bindparam, text

    from payload_capture import tables

    types = {"origin": tables.origins.c.key.type, "host": tables.dictionaries.c.host.type}
    keys = (bindparam(name, type_=one) for name, one in types.items())
    names = bindparam("assets", type_=tables.assets.c.sha256.type, expanding=True)
    return text(_KNOWN).bindparams(*keys, names)


_INSERT = """
WITH own AS (INSERT INTO captures ({names}) VALUES ({values})), kept AS (
    INSERT INTO documents (capture, dictionary, packed, words)
    VALUES (:capture, :dictionary, :packed, :words)
)
INSERT INTO assets (capture, sha256, media_type, size)
SELECT capture, decode(sha256, 'hex'), media_type, size FROM json_to_recordset(:files)
AS file (capture bigint, sha256 text, media_type text, size integer)
"""


def _insert_at_once(
    connection: Connection, own: Mapping[str, Any], kept: Mapping[str, Any], files: list[Any]
) -> None:
    """In one statement, as PostgreSQL can: each that SQLAlchemy is given costs as much again."""
    given = {**own, **kept, "files": json.dumps(files)}
    connection.execute(_inserting(tuple(own)), given)


@functools.cache
def _inserting(names: tuple[str, ...]) -> TextClause:
    """Of these columns of `captures`; as text for the same reason as `_is_known`."""
    from sqlalchemy import bindparam, text

    from payload_capture import tables

    columns = ", ".join(f'"{name}"' for name in names)
    query = text(_INSERT.format(names=columns, values=f":{', :'.join(names)}"))
    return query.bindparams(bindparam("thumbnail", type_=tables.captures.c.thumbnail.type))


def _refuse_another(connection: Connection, seq: int, new: Entry) -> None:
    if documents.text(records.document(connection, seq)) != new.text:
        raise ConflictError(f"the store has another capture with the id {new.capture.id}")


def _origin(connection: Connection, new: Entry) -> int:
    from payload_capture import tables

    names = {name: new.row[name] for name in documents.ORIGIN}
    return _inserted(connection, tables.origins, {**names, "key": new.origin})


def _dictionary(connection: Connection, new: Entry) -> tuple[int, bytes]:
    from payload_capture import tables

    data = documents.dictionary(new.capture)
    return _inserted(connection, tables.dictionaries, {"host": new.host, "data": data}), data


def _inserted(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """The number that the new row got."""
    key: Any = connection.execute(table.insert(), dict(row)).inserted_primary_key
    return int(key[0])
