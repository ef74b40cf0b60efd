"""The store's tables, as the newest migration leaves them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    column,
    false,
    literal_column,
    table,
    text,
)

from payload_capture.search import LEXEMES


class Hash(TypeDecorator[str]):
    """A sha256: hexadecimal in Python, half as long in the database."""

    impl = LargeBinary(32)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else bytes(value).hex()


metadata = MetaData()

_key = BigInteger().with_variant(Integer, "sqlite")

captures = Table(
    "captures",
    metadata,
    Column("seq", _key, primary_key=True, autoincrement=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("origin", Integer, nullable=False),
    Column("started", String(40), comment="where it is not what `at` says"),
    Column("at", BigInteger, nullable=False, comment="`started` in milliseconds since 1970"),
    Column("seconds", Float, nullable=False),
    Column("state", String(20), nullable=False),
    Column("prompt", Text, nullable=False),
    Column("seed", BigInteger),
    Column("width", Integer),
    Column("height", Integer),
    Column("pictures", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("error", Text),
    Column("failure", Text),
    Column("thumbnail", Hash),
    Column("title", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("starred", Boolean, nullable=False, server_default=false()),
    Column("trashed", String(40)),
    Column("verdict", String(40)),
    Column("reason", Text),
    Column("revision", Integer, nullable=False, server_default="1"),
)
Index("captures_origin", captures.c.origin, captures.c.seq)
Index("captures_at", captures.c.at, captures.c.seq)
for _name, _columns, _sqlite, _postgresql in (
    ("starred", ("seq",), "starred IS 1", "starred IS true"),
    ("trashed", ("seq",), "trashed IS NOT NULL", "trashed IS NOT NULL"),
    ("verdict", ("verdict", "seq"), "verdict IS NOT NULL", "verdict IS NOT NULL"),
):
    Index(
        f"captures_{_name}",
        *(captures.c[_column] for _column in _columns),
        sqlite_where=text(_sqlite),
        postgresql_where=text(_postgresql),
    )

origins = Table(
    "origins",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", Hash, nullable=False, unique=True, comment="of the following"),
    Column("endpoint", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("source", String(10), nullable=False),
    Column("user", Text),
    Column("model", Text, nullable=False),
    Column("host", Text, nullable=False),
)
"""What many captures have in common, and are filtered by: one index serves all such filters."""

documents = Table(
    "documents",
    metadata,
    Column("capture", _key, primary_key=True, autoincrement=False),
    Column("dictionary", Integer, nullable=False, index=True),
    Column("packed", LargeBinary, nullable=False),
    Column("words", Text, nullable=False),
)

dictionaries = Table(
    "dictionaries",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("host", Hash, nullable=False, unique=True, comment="of the facts it was made for"),
    Column("data", LargeBinary, nullable=False),
)

tags = Table(
    "tags",
    metadata,
    Column("tag", String(100), primary_key=True),
    Column("capture", BigInteger, primary_key=True, index=True),
    sqlite_with_rowid=False,
)

assets = Table(
    "assets",
    metadata,
    Column("capture", BigInteger, index=True, comment="the first that uses it, until it goes"),
    Column("size", Integer, nullable=False),
    Column("sha256", Hash, primary_key=True),
    Column("media_type", String(80), nullable=False),
)
"""On PostgreSQL `sha256` has a hash index, which takes half of the room; the writers' lock makes it
unique. The columns' order leaves no gaps there."""

uses = Table(
    "uses",
    metadata,
    Column("capture", BigInteger, primary_key=True),
    Column("asset", Hash, primary_key=True, index=True),
    sqlite_with_rowid=False,
)
"""Further captures that use an asset: most pictures belong to one alone."""

promises = Table(
    "promises",
    metadata,
    Column("sha256", Hash, primary_key=True),
    Column("until", BigInteger, nullable=False, comment="milliseconds since 1970"),
    sqlite_with_rowid=False,
)
"""Files of captures in the making: deleting another capture leaves them, in whatever process."""

vocabulary = Table(
    "vocabulary",
    metadata,
    Column("word", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""Longer words of the search index, by which their beginnings are found. On SQLite alone."""

lexemes: ColumnElement[Any] = literal_column(LEXEMES)
"""The words of `documents`, as PostgreSQL's index has them."""

search = table("search", column("rowid", Integer), column("search", Text), column("words", Text))
"""SQLite's index over `documents.words`, kept by triggers; PostgreSQL has one on the column."""
