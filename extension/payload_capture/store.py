"""Captures in a database, their pictures as files named by hash.

Any SQLAlchemy URL; SQLite in the webui's data folder by default. A document's pictures are
written before its row, so a row never names a file that was not there; a crash in between leaves
a file that no row names, never the reverse. Every failure is a `StoreError` that says what to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from payload_capture.capture import AssetError, Capture, checked

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

REVISION = "0001"
"""The newest migration's. A store that has it needs no Alembic at start-up."""
_SUMMARY = (
    *("id", "endpoint", "started", "seconds", "source", "state", "user"),
    *("prompt", "seed", "model", "pictures", "warnings", "error", "failure", "thumbnail"),
)


class StoreError(Exception):
    """The store cannot be read or written; the message says why and what to do."""


class NotFoundError(KeyError):
    """No capture or asset of that name."""


class Page(NamedTuple):
    """Summaries, newest first, and the cursor of the next page or None at the end."""

    captures: list[dict[str, Any]]
    next: str | None


class Store:
    """Opens when first used: importing SQLAlchemy costs more than a webui's start should pay."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.url = url or f"sqlite:///{folder / 'captures.db'}"
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._promised: set[str] = set()
        """Assets whose capture is still in the making: deleting another one leaves their files."""

    def add(self, capture: Capture, files: Mapping[str, bytes], failure: str | None = None) -> None:
        """Keep a capture. `files` are its assets' bytes by sha256."""
        self.keep(files)
        with self._translated(), self._begin() as connection:
            captures, assets, uses = self._tables()
            row = _row(capture, failure)
            made = connection.execute(captures.insert().returning(captures.c.seq), row)
            seq = made.scalar_one()
            for sha256, asset in capture.assets.items():
                known = connection.execute(_one(assets, sha256)).first()
                if known is None:
                    kept = {"media_type": asset.media_type, "size": asset.size}
                    connection.execute(assets.insert(), {"sha256": sha256, **kept})
                connection.execute(uses.insert(), {"capture": seq, "sha256": sha256})
        self._promised.difference_update(capture.assets)

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Write files of assets before the capture that will name them."""
        self._promised.update(files)
        with self._translated():
            for sha256, data in files.items():
                self._write_asset(sha256, data)

    def page(
        self,
        limit: int = 50,
        cursor: str | None = None,
        q: str | None = None,
        endpoint: str | None = None,
        source: str | None = None,
    ) -> Page:
        """Summaries whose prompt contains `q`, made by `endpoint` and from `source`."""
        with self._translated(), self._begin() as connection:
            captures, _, _ = self._tables()
            query = captures.select().order_by(captures.c.seq.desc()).limit(limit + 1)
            if cursor is not None:
                query = query.where(captures.c.seq < int(cursor))
            if q:
                query = query.where(captures.c.prompt.icontains(q, autoescape=True))
            if endpoint:
                query = query.where(captures.c.endpoint == endpoint)
            if source:
                query = query.where(captures.c.source == source)
            rows = connection.execute(query).mappings().all()
        more = str(rows[limit - 1]["seq"]) if len(rows) > limit else None
        return Page([_summary(dict(row)) for row in rows[:limit]], more)

    def get(self, identity: str) -> Capture:
        """Raises NotFoundError."""
        with self._translated(), self._begin() as connection:
            captures, _, _ = self._tables()
            query = captures.select().where(captures.c.id == identity)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFoundError(identity)
        return Capture.from_json(row["document"])

    def latest(self, user: str | None = None) -> Capture:
        """The newest, of a user where one is named. Raises NotFoundError while there is none."""
        with self._translated(), self._begin() as connection:
            captures, _, _ = self._tables()
            query = captures.select().order_by(captures.c.seq.desc()).limit(1)
            if user is not None:
                query = query.where(captures.c.user == user)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFoundError("latest")
        return Capture.from_json(row["document"])

    def delete(self, identity: str) -> None:
        """Remove a capture and the pictures that no other one uses. Raises NotFoundError."""
        with self._translated():
            with self._begin() as connection:
                unshared = self._delete(connection, identity)
            for sha256 in set(unshared) - self._promised:
                self._path(sha256).unlink(missing_ok=True)

    def asset(self, sha256: str) -> tuple[str, bytes]:
        """(media type, bytes). Raises NotFoundError, or StoreError if the file was damaged."""
        with self._translated():
            with self._begin() as connection:
                _, assets, _ = self._tables()
                row = connection.execute(_one(assets, sha256)).mappings().first()
            if row is None:
                raise NotFoundError(sha256)
            return row["media_type"], self._read_asset(sha256)

    def counts(self) -> dict[str, int]:
        """How many captures and assets there are, and the bytes of the assets."""
        from sqlalchemy import func, select

        with self._translated(), self._begin() as connection:
            captures, assets, _ = self._tables()
            number = connection.execute(select(func.count()).select_from(captures)).scalar_one()
            size = func.coalesce(func.sum(assets.c.size), 0)
            query = select(func.count(), size).select_from(assets)
            files, total = connection.execute(query).one()
        return {"captures": number, "assets": files, "bytes": int(total)}

    def close(self) -> None:
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    # ---- database

    def _delete(self, connection: Connection, identity: str) -> list[str]:
        from sqlalchemy import select

        captures, assets, uses = self._tables()
        seq = connection.execute(select(captures.c.seq).where(captures.c.id == identity)).scalar()
        if seq is None:
            raise NotFoundError(identity)
        mine = select(uses.c.sha256).where(uses.c.capture == seq)
        names = list(connection.execute(mine).scalars())
        connection.execute(uses.delete().where(uses.c.capture == seq))
        connection.execute(captures.delete().where(captures.c.seq == seq))
        shared = select(uses.c.sha256).where(uses.c.sha256.in_(names))
        unshared = sorted(set(names) - set(connection.execute(shared).scalars()))
        connection.execute(assets.delete().where(assets.c.sha256.in_(unshared)))
        return unshared

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._open().begin() as connection:
            yield connection

    def _open(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._engine = _engine(self.url)
                try:
                    _migrate(self._engine)
                except BaseException:
                    self._engine.dispose()
                    self._engine = None
                    raise
            return self._engine

    def _tables(self) -> tuple[Table, Table, Table]:
        from payload_capture import tables

        return tables.captures, tables.assets, tables.uses

    # ---- files

    def _path(self, sha256: str) -> Path:
        return self.folder / "assets" / sha256[:2] / sha256

    def _write_asset(self, sha256: str, data: bytes) -> None:
        path = self._path(sha256)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f"{sha256}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            half.write_bytes(data)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)

    def _read_asset(self, sha256: str) -> bytes:
        path = self._path(sha256)
        try:
            return checked(sha256, path.read_bytes())
        except FileNotFoundError:
            raise StoreError(
                f"the picture {path} is gone; restore it or delete the capture"
            ) from None
        except AssetError as error:
            raise StoreError(f"the picture {path} was damaged: {error.reason}") from error

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            raise StoreError(
                f"{error.name} is not installed in the webui's environment: start the webui once "
                "without --skip-install, or run the extension's install.py"
            ) from error
        except OSError as error:
            where = error.filename or self.folder
            reason = error.strerror or error
            raise StoreError(f"{where}: {reason}; {_way_out(str(reason))}") from error
        except Exception as error:
            if not type(error).__module__.startswith("sqlalchemy."):
                raise
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"{_database(self.url)}: {cause}; {_way_out(str(cause))}") from error


def _row(capture: Capture, failure: str | None) -> dict[str, Any]:
    payload, samples = capture.payload, capture.samples
    first = next(iter(samples or capture.results), None)
    checkpoint = capture.host.checkpoint
    seed = payload.get("seed")
    return {
        "id": capture.id,
        "endpoint": capture.endpoint,
        "started": capture.job.started,
        "seconds": capture.job.seconds,
        "source": capture.job.source,
        "state": capture.job.state,
        "user": capture.job.user,
        "prompt": _storable(str(payload.get("prompt") or "")),
        "seed": seed if isinstance(seed, int) and abs(seed) < 2**63 else None,
        "model": checkpoint.title if checkpoint else "",
        "width": first.width if first else payload.get("width"),
        "height": first.height if first else payload.get("height"),
        "pictures": len(capture.results),
        "warnings": len(capture.warnings),
        "error": capture.job.error,
        "failure": failure,
        "thumbnail": first.thumbnail if first else None,
        "document": json.dumps(capture.to_dict(), allow_nan=False),
    }


def _storable(text: str) -> str:
    # A prompt may hold what no database takes as text; the document keeps it, escaped.
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def summary(capture: Capture, failure: str | None) -> dict[str, Any]:
    """A capture as a list shows it."""
    return _summary(_row(capture, failure))


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SUMMARY} | {"size": [row["width"], row["height"]]}


def _one(assets: Table, sha256: str) -> Any:
    return assets.select().where(assets.c.sha256 == sha256)


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine, event

    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA busy_timeout=5000")

    return engine


def _migrate(engine: Engine) -> None:
    from sqlalchemy import inspect, text

    with engine.begin() as connection:
        if inspect(connection).has_table("alembic_version"):
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if found == REVISION:
                return
            if found is not None and found > REVISION:
                raise StoreError(
                    f"{_database(str(engine.url))} was written by a newer release (schema {found},"
                    f" this one knows {REVISION}): update the extension"
                )
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _database(url: str) -> str:
    from sqlalchemy import make_url

    parsed = make_url(url)
    return f"the capture store {parsed.database or parsed.render_as_string(hide_password=True)}"


_WAYS_OUT = {
    "not a database": "the file is damaged: move it away (nothing in it was changed) and restart",
    "malformed": "the file is damaged: move it away (nothing in it was changed) and restart",
    "readonly": "make the file and its folder writable for the webui's user",
    "unable to open": "make the folder exist and writable for the webui's user",
    "permission denied": "make the folder writable for the webui's user",
    "read-only": "make the folder writable for the webui's user",
    "full": "free space on that disk; captures wait in memory until then",
    "no space": "free space on that disk; captures wait in memory until then",
    "locked": "another program holds the file: close it",
}


def _way_out(reason: str) -> str:
    lower = reason.lower()
    known = (way for key, way in _WAYS_OUT.items() if key in lower)
    return next(known, "captures wait in memory until it can be written")
