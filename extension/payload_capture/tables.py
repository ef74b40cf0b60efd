"""The store's tables, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table, Text

metadata = MetaData()

_key = BigInteger().with_variant(Integer, "sqlite")

captures = Table(
    "captures",
    metadata,
    Column("seq", _key, primary_key=True, autoincrement=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("endpoint", String(200), nullable=False, index=True),
    Column("started", String(40), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("source", String(10), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("user", Text),
    Column("prompt", Text, nullable=False),
    Column("seed", BigInteger),
    Column("model", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("pictures", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("error", Text),
    Column("failure", Text),
    Column("thumbnail", String(64)),
    Column("document", Text, nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(80), nullable=False),
    Column("size", BigInteger, nullable=False),
)

uses = Table(
    "uses",
    metadata,
    Column("capture", BigInteger, primary_key=True),
    Column("sha256", String(64), primary_key=True, index=True),
)
