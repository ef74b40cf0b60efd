"""The store's connections: one writer at a time, readers that never wait for it.

SQLite runs in WAL mode; a write begins with the lock (``BEGIN IMMEDIATE``), so that it never finds
out in its middle that somebody else was faster. On PostgreSQL an advisory lock makes one writer of
all processes too: captures become visible in the order of their numbers, which paging relies on.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

REVISION = "0002"
"""The newest migration's. A store that has it needs no Alembic at start-up."""
PATIENCE = 5.0
"""Seconds to wait for another process's write, or for a server to answer."""
PAGE = 8192
"""Bytes of a page of SQLite's: in smaller ones a document of a kilobyte leaves gaps."""
LOCK = 0x7061796C
"""The advisory lock's number on PostgreSQL: any that no other program of that database takes."""
PREPARED = 3
"""How often a statement that writes is sent as text before PostgreSQL keeps its plan."""
_ACCESS = "payload_capture_access"
_READ, _WRITE, _OUTSIDE = "read", "write", "outside"


class StoreError(Exception):
    """The store cannot be read or written; the message says why and what to do."""


class LostError(StoreError):
    """A picture or a document is gone or damaged for good: no disk or server that may come back."""


class ConflictError(StoreError):
    """There is another capture of the same id; trying again changes nothing."""


class NotFoundError(KeyError):
    """No capture or asset of that name."""


class Database:
    """Opens when first used: importing SQLAlchemy costs more than a webui's start should pay."""

    def __init__(self, url: str, folder: Path, patience: float = PATIENCE) -> None:
        self.url = url
        self._folder = folder
        self._patience = patience
        self._engine: Engine | None = None
        self._file: tuple[int, int] | None = None
        self._opening = threading.Lock()
        self._writing = threading.Lock()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of the store, whatever is written meanwhile."""
        with self.translated(), self._open().connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def look(self) -> Iterator[Connection]:
        """For what one statement shows: its own view is enough, whatever was asked to make it.

        The database then answers to no transaction's begin and end.
        """
        with self.translated(), self._open().connect() as connection:
            yield connection.execution_options(**{_ACCESS: _OUTSIDE})

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """All or nothing; no other thread or process writes at the same time."""
        with self.translated(), self._writing, _writer(self._open()) as connection:
            yield connection

    @contextlib.contextmanager
    def outside(self) -> Iterator[Connection]:
        """Without a transaction, for what a database does by itself: checkpoints, VACUUM."""
        with self._writing, self.look() as connection:
            yield connection

    def close(self) -> None:
        with self._opening:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _open(self) -> Engine:
        with self._opening:
            if self._engine is not None and self._file != self._found():
                # Somebody deleted or replaced the file: what is written to the old one is lost.
                self._engine.dispose()
                self._engine = None
            if self._engine is None:
                self._engine = self._opened()
                self._file = self._found()
            return self._engine

    def _opened(self) -> Engine:
        self._folder.mkdir(parents=True, exist_ok=True)
        engine = _engine(self.url, self._patience)
        try:
            _migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _found(self) -> tuple[int, int] | None:
        """What tells a file from another one of the same name; None where there is none."""
        path = _path(self.url)
        if path is None:
            return None
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Whatever goes wrong below becomes a StoreError that says what to do."""
        try:
            yield
        except ImportError as error:
            raise StoreError(f"{error.name} {_MISSING}") from error
        except OSError as error:
            where = error.filename or self._folder
            reason = error.strerror or error
            raise StoreError(f"{where}: {reason}; {_way_out(str(reason))}") from error
        except Exception as error:
            if not type(error).__module__.startswith(("sqlalchemy.", "psycopg.")):
                raise
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"{_name(self.url)}: {cause}; {_way_out(str(cause))}") from error


@contextlib.contextmanager
def _writer(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as plain:
        connection = plain.execution_options(**{_ACCESS: _WRITE})
        with connection.begin(), _prepared(connection):
            yield connection


@contextlib.contextmanager
def _prepared(connection: Connection) -> Iterator[None]:
    """Let psycopg prepare what writes, whose plan is the same for any value; see `_postgresql`."""
    if connection.dialect.driver != "psycopg":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.prepare_threshold = PREPARED
    try:
        yield
    finally:
        driver.prepare_threshold = None


def _engine(url: str, patience: float) -> Engine:
    from sqlalchemy import create_engine, make_url

    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        return _sqlite(url, patience)
    if kind == "postgresql":
        return _postgresql(url, patience)
    return create_engine(url, pool_pre_ping=True)


def _begin_with(engine: Engine, statements: Mapping[str, str]) -> None:
    """Let a transaction begin with the statement of its `_ACCESS`; without one there is none.

    Both drivers commit and roll back what a statement began.
    """
    from sqlalchemy import event

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = statements.get(connection.get_execution_options().get(_ACCESS, _READ))
        if statement is not None:
            connection.exec_driver_sql(statement)


def _postgresql(url: str, patience: float) -> Engine:
    from sqlalchemy import create_engine, event

    # A statement that is prepared is planned for any value; the words of a search differ.
    options = {"connect_timeout": max(2, int(patience)), "prepare_threshold": None}
    engine = create_engine(
        url,
        pool_pre_ping=True,  # a server may have been started anew
        isolation_level="AUTOCOMMIT",  # transactions begin below, in one trip with the lock
        connect_args=options,
    )

    @event.listens_for(engine, "connect")
    def plan_plainly(connection: Any, _: Any) -> None:
        # Compiling a page's query, or starting processes for it, takes longer than the query.
        connection.execute("SET jit = off; SET max_parallel_workers_per_gather = 0")

    wait = f"set_config('lock_timeout', '{int(patience * 1000)}', true)"
    write = f"BEGIN; SELECT {wait}, pg_advisory_xact_lock({LOCK})"
    _begin_with(engine, {_READ: "BEGIN ISOLATION LEVEL REPEATABLE READ", _WRITE: write})
    return engine


def _sqlite(url: str, patience: float) -> Engine:
    from sqlalchemy import create_engine, event

    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where Python thinks
        connection.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")
        connection.execute(f"PRAGMA page_size={PAGE}")  # of a new file
        _use_wal(connection, patience)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")

    _begin_with(engine, {_READ: "BEGIN", _WRITE: "BEGIN IMMEDIATE"})
    return engine


def _use_wal(connection: Any, patience: float) -> None:
    # SQLite does not wait here: two processes that make a new file at once meet.
    deadline = time.monotonic() + patience
    while (error := _refusal(connection)) is not None:
        if "locked" not in str(error) or time.monotonic() > deadline:
            raise error
        time.sleep(0.05)


def _refusal(connection: Any) -> Exception | None:
    import sqlite3

    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        return error
    return None


def _migrate(engine: Engine) -> None:
    with engine.begin() as connection:
        if _revision(connection) == REVISION:
            return
    import alembic.command  # noqa: F401 (which takes long; others wait for the lock)

    with _writer(engine) as connection:
        found = _revision(connection)
        if found is not None and found > REVISION:
            raise StoreError(
                f"{_name(str(engine.url))} was written by a newer release (schema {found},"
                f" this one knows {REVISION}): update the extension"
            )
        if found != REVISION:
            _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    from sqlalchemy import inspect, text

    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@functools.cache
def _path(url: str) -> str | None:
    """Of SQLite's file; None for what has none."""
    from sqlalchemy import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return str(parsed.database).removeprefix("file:")


def _name(url: str) -> str:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:  # not shown: it may hold a password
        return "the setting of the capture store is no database URL such as sqlite:///captures.db"
    return f"the capture store {parsed.database or parsed.render_as_string(hide_password=True)}"


_MISSING = (
    "is not installed in the webui's environment: start the webui once without --skip-install, or "
    "run the extension's install.py; the driver of another database than SQLite is installed with "
    "pip there"
)
_WAYS_OUT = {
    "not a database": "the file is damaged: move it away (nothing in it was changed) and restart",
    "malformed": "the file is damaged: move it away (nothing in it was changed) and restart",
    "fts5": "this Python's SQLite has no full-text search: use another Python, or PostgreSQL",
    "readonly": "make the file and its folder writable for the webui's user",
    "unable to open": "make the folder exist and writable for the webui's user",
    "permission denied": "make the folder writable for the webui's user",
    "read-only": "make the folder writable for the webui's user",
    "full": "free space on that disk; captures wait in memory until then",
    "no space": "free space on that disk; captures wait in memory until then",
    "locked": "another program holds the file: close it",
    "lock timeout": "another program that shares the store stands still in a write: end it",
    "disk i/o error": "the disk failed, or files beside the database were deleted",
    "load plugin": "its driver is to be installed with pip in the webui's environment",
    "connection": "is the database server running? Captures wait in memory until it answers",
}


def _way_out(reason: str) -> str:
    lower = reason.lower()
    known = (way for key, way in _WAYS_OUT.items() if key in lower)
    return next(known, "captures wait in memory until it can be written")
