"""A history that lasts: edits, trash, tags, full-text search; documents compressed.

What is filled in comes from the code of the release that runs it, so that it reads back.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from payload_capture import documents, search, tables
from payload_capture.capture import Capture

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HASH = sa.LargeBinary(32)
AT_ONCE = 200
FIRST = "SELECT min(capture) FROM old_uses u WHERE u.sha256 = a.sha256"
OLD = sa.table(
    "captures",
    *map(sa.column, ("seq", "id", "endpoint", "started", "source", "user", "prompt", "model")),
    *map(sa.column, ("thumbnail", "document")),
)


def upgrade() -> None:
    _make_tables()
    _widen_captures()
    _make_search()
    _move_assets()
    _move_documents()
    _finish_captures()


def _make_tables() -> None:
    op.create_table(
        "documents",
        sa.Column("capture", KEY, primary_key=True, autoincrement=False),
        sa.Column("dictionary", sa.Integer, nullable=False, index=True),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_table(
        "dictionaries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host", HASH, nullable=False, unique=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "origins",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", HASH, nullable=False, unique=True),
        sa.Column("endpoint", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("user", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
    )
    op.create_table(
        "tags",
        sa.Column("tag", sa.String(100), primary_key=True),
        sa.Column("capture", sa.BigInteger, primary_key=True, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "promises",
        sa.Column("sha256", HASH, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _widen_captures() -> None:
    op.drop_index("ix_captures_endpoint", "captures")
    op.drop_index("ix_captures_source", "captures")
    with op.batch_alter_table("captures") as batch:
        batch.alter_column("started", existing_type=sa.String(40), nullable=True)
    for column in (
        sa.Column("origin", sa.Integer, nullable=False, server_default="0"),
        sa.Column("at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("starred", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("trashed", sa.String(40)),
        sa.Column("verdict", sa.String(40)),
        sa.Column("reason", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("picture", HASH),
    ):
        op.add_column("captures", column)


def _make_search() -> None:
    if op.get_bind().dialect.name == "postgresql":
        lexemes = "array_to_tsvector(string_to_array(words, ' '))"
        op.execute(f"CREATE INDEX documents_words ON documents USING gin ({lexemes})")
        return
    op.create_table(
        "vocabulary", sa.Column("word", sa.Text, primary_key=True), sqlite_with_rowid=False
    )
    # Words are cut by `search.words_of`; of those, this tokenizer changes nothing. No positions.
    op.execute(
        "CREATE VIRTUAL TABLE search USING fts5(words, content='documents', "
        "content_rowid='capture', tokenize='ascii', detail=none, columnsize=0, prefix='1 2 3')"
    )
    add = "INSERT INTO search(rowid, words) VALUES (new.capture, new.words);"
    drop = "INSERT INTO search(search, rowid, words) VALUES ('delete', old.capture, old.words);"
    for name, when, what in (
        ("added", "INSERT", add),
        ("removed", "DELETE", drop),
        ("changed", "UPDATE OF words", drop + add),
    ):
        op.execute(f"CREATE TRIGGER documents_{name} AFTER {when} ON documents BEGIN {what} END")


def _move_assets() -> None:
    """Hashes become half as long; the first capture that uses an asset is noted beside it."""
    op.rename_table("assets", "old_assets")
    op.rename_table("uses", "old_uses")
    hashed = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "assets",
        sa.Column("capture", sa.BigInteger, index=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", HASH, primary_key=not hashed, nullable=False),
        sa.Column("media_type", sa.String(80), nullable=False),
    )
    if hashed:
        op.create_index("assets_sha256", "assets", ["sha256"], postgresql_using="hash")
    op.create_table(
        "uses",
        sa.Column("capture", sa.BigInteger, primary_key=True),
        sa.Column("asset", HASH, primary_key=True, index=True),
        sqlite_with_rowid=False,
    )
    for table, query in (
        (tables.assets, f"SELECT sha256, ({FIRST}) AS capture, media_type, size FROM old_assets a"),
        (tables.uses, f"SELECT capture, sha256 AS asset FROM old_uses a WHERE capture > ({FIRST})"),
    ):
        rows = op.get_bind().execute(sa.text(query))
        while some := rows.mappings().fetchmany(AT_ONCE):
            op.get_bind().execute(table.insert(), [dict(row) for row in some])
    op.drop_table("old_uses")
    op.drop_table("old_assets")


def _move_documents() -> None:
    dictionaries: dict[str, tuple[int, bytes]] = {}
    origins: dict[str, int] = {}
    for row in _old_rows():
        capture = _read(row.document)
        key, data = "0" * 64, b""
        if capture is not None:
            key, data = documents.host_key(capture.host), documents.dictionary(capture)
        if key not in dictionaries:
            dictionaries[key] = _dictionary(key, data)
        names = _origin(row, capture)
        origin = documents.origin_key(names)
        if origin not in origins:
            origins[origin] = _inserted(tables.origins, {"key": origin, **names})
        _move(row, capture, origins[origin], *dictionaries[key])


def _old_rows() -> Iterator[Any]:
    last = 0
    query = sa.select(OLD).order_by(OLD.c.seq).limit(AT_ONCE)
    while rows := op.get_bind().execute(query.where(OLD.c.seq > last)).all():
        yield from rows
        last = rows[-1].seq


def _read(document: str) -> Capture | None:
    """None for what this release cannot read: it stays as it is."""
    try:
        return Capture.from_json(document)
    except ValueError:
        return None


def _dictionary(key: str, data: bytes) -> tuple[int, bytes]:
    return _inserted(tables.dictionaries, {"host": key, "data": data}), data


def _inserted(table: sa.Table, row: dict[str, Any]) -> int:
    key: Any = op.get_bind().execute(table.insert(), row).inserted_primary_key
    return int(key[0])


def _origin(row: Any, capture: Capture | None) -> dict[str, Any]:
    if capture is None:
        made: dict[str, Any] = {**row._mapping, "kind": "other", "host": ""}
    else:
        made = documents.row(capture, None)
    return {name: made[name] for name in documents.ORIGIN}


def _move(row: Any, capture: Capture | None, origin: int, number: int, dictionary: bytes) -> None:
    bind = op.get_bind()
    words: list[str] = []
    text = row.document.encode()
    at = documents.milliseconds(row.started)
    changes: dict[str, Any] = {"origin": origin, "at": at, "started": row.started}
    if capture is not None:
        words, text = search.words_of(*search.text_of(capture)), documents.text(capture)
        made = documents.row(capture, None)
        changes |= {"at": made["at"], "started": made["started"]}
    changes["picture"] = row.thumbnail and bytes.fromhex(row.thumbnail)
    kept = {"capture": row.seq, "dictionary": number}
    kept["packed"] = documents.pack(text, dictionary, {**row._mapping, **changes})
    kept["words"] = search.stored(words)
    bind.execute(tables.documents.insert().values(kept))
    search.learn(bind, words)
    new = sa.table("captures", *(sa.column(name) for name in ("seq", *changes)))
    bind.execute(new.update().where(new.c.seq == row.seq).values(changes))


def _finish_captures() -> None:
    with op.batch_alter_table("captures") as batch:
        for name in ("endpoint", "source", "user", "model", "document", "thumbnail"):
            batch.drop_column(name)
        batch.alter_column("picture", new_column_name="thumbnail", existing_type=HASH)
    for name in ("origin", "at"):
        op.create_index(f"captures_{name}", "captures", [name, "seq"])
    for name, columns, on_sqlite, on_postgresql in (
        ("starred", ["seq"], "starred IS 1", "starred IS true"),
        ("trashed", ["seq"], "trashed IS NOT NULL", "trashed IS NOT NULL"),
        ("verdict", ["verdict", "seq"], "verdict IS NOT NULL", "verdict IS NOT NULL"),
    ):
        op.create_index(
            f"captures_{name}",
            "captures",
            columns,
            sqlite_where=sa.text(on_sqlite),
            postgresql_where=sa.text(on_postgresql),
        )
