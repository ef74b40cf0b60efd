"""Captures in a database, their pictures as files named by hash.

Any SQLAlchemy URL; SQLite in the webui's data folder by default. A document's pictures are
written before its row, so a row never names a file that was not there; a crash in between leaves
a file that no row names, never the reverse. A file goes when no row names it any more, looked up
again under the lock that writers hold. Every failure is a `StoreError` that says what to do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payload_capture import assets as places
from payload_capture import documents, entries, pages, records, upkeep
from payload_capture.capture import AssetError, Capture, checked
from payload_capture.database import (
    REVISION,
    ConflictError,
    Database,
    LostError,
    NotFoundError,
    StoreError,
)
from payload_capture.documents import summary
from payload_capture.entries import Entry
from payload_capture.pages import Filters, Page
from payload_capture.retention import Retention, remove_where, retain
from payload_capture.upkeep import Fault

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

__all__ = [
    "REVISION",
    "ConflictError",
    "Fault",
    "Filters",
    "LostError",
    "NotFoundError",
    "Page",
    "Retention",
    "Store",
    "StoreError",
    "summary",
]

PROMISED = 24 * 3600 * 1000
"""Milliseconds for which files of a capture in the making are kept."""


class RevisionError(Exception):
    """Somebody else has changed the capture meanwhile."""


class Store:
    """Opens when first used: importing SQLAlchemy costs more than a webui's start should pay.

    Args:
        folder: where SQLite's file and the pictures lie, unless the following say otherwise.
        url: any SQLAlchemy URL.
        assets: any fsspec URL.
    """

    def __init__(self, folder: Path, url: str | None = None, assets: str | None = None) -> None:
        self.folder = folder
        self.database = Database(url or f"sqlite:///{folder / 'captures.db'}", folder)
        self.assets = places.at(assets, folder / "assets")

    # ---- add

    def add(self, capture: Capture, files: Mapping[str, bytes], failure: str | None = None) -> None:
        """Keep a capture. `files` are its assets' bytes by sha256.

        Adding the same again does nothing: whoever did not hear that it was kept may ask again.

        Raises:
            ConflictError: there is another capture of its id.
        """
        entry = Entry.of(capture, failure)
        self._write_files(files)
        with self.database.write() as connection:
            entries.add(connection, entry)
            # Another process may have removed a file since it was found there.
            self._write_files(files)

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Write files of assets before the capture that will name them."""
        with self.database.write() as connection:
            until = time.time_ns() // 1_000_000 + PROMISED
            records.promise(connection, files, until)
        self._write_files(files)

    # ---- read

    def page(
        self, limit: int = 50, cursor: str | None = None, filters: Filters | None = None
    ) -> Page:
        """Summaries of those that the filters let through."""
        with self.database.look() as connection:
            return pages.page(connection, limit, cursor, filters or Filters())

    def get(self, identity: str) -> Capture:
        """Raises NotFoundError."""
        with self.database.read() as connection:
            return records.document(connection, records.find(connection, identity)["seq"])

    def summary(self, identity: str) -> dict[str, Any]:
        """As a page has it, also of what lies in the trash. Raises NotFoundError."""
        with self.database.read() as connection:
            return documents.summarised(records.find(connection, identity))

    def latest(self, user: str | None = None) -> Capture:
        """The newest, of this user if one is named. Raises NotFoundError while there is none."""
        newest = self.page(1, filters=Filters(user=user)).captures
        if not newest:
            raise NotFoundError("latest")
        return self.get(newest[0]["id"])

    def asset(self, sha256: str) -> tuple[str, bytes]:
        """(media type, bytes). Raises NotFoundError, or StoreError if the file was damaged."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise NotFoundError(sha256)
        media_type = self._media_type(sha256)
        try:
            return media_type, self.read_file(sha256)
        except LostError:
            self._media_type(sha256)  # which it has no more where it was deleted meanwhile
            raise

    def _media_type(self, sha256: str) -> str:
        from sqlalchemy import select

        from payload_capture import tables

        query = select(tables.assets.c.media_type).where(tables.assets.c.sha256 == sha256)
        with self.database.read() as connection:
            found = connection.execute(query).scalar()
        if found is None:
            raise NotFoundError(sha256)
        return str(found)

    def tags(self) -> dict[str, int]:
        """How many captures outside of the trash have each tag."""
        from sqlalchemy import func, select

        from payload_capture import tables

        tags, captures = tables.tags, tables.captures
        query = select(tags.c.tag, func.count()).join(captures, captures.c.seq == tags.c.capture)
        query = query.where(captures.c.trashed.is_(None)).group_by(tags.c.tag)
        with self.database.read() as connection:
            return dict(connection.execute(query.order_by(tags.c.tag)).tuples().all())

    def choices(self) -> dict[str, list[str]]:
        """What kinds, sources and models captures have, each sorted."""
        with self.database.read() as connection:
            return pages.choices(connection)

    def counts(self) -> dict[str, int]:
        """How many captures and assets there are, and the bytes of the assets."""
        from sqlalchemy import func, select

        from payload_capture import tables

        assets = tables.assets
        with self.database.read() as connection:
            number = connection.execute(select(func.count(tables.captures.c.seq))).scalar_one()
            size = func.coalesce(func.sum(assets.c.size), 0)
            files, total = connection.execute(select(func.count(), size).select_from(assets)).one()
        return {"captures": number, "assets": files, "bytes": int(total)}

    # ---- change

    def edit(
        self,
        identity: str,
        *,
        title: str | None = None,
        note: str | None = None,
        tags: Sequence[str] | None = None,
        starred: bool | None = None,
        verdict: str | None = None,
        reason: str | None = None,
        revision: int | None = None,
    ) -> dict[str, Any]:
        """Change what is given; the new summary. `reason` says why the verdict is so.

        Raises:
            NotFoundError: there is no such capture.
            RevisionError: its revision is not the one that is given.
        """
        given = {"title": title, "note": note, "starred": starred, "verdict": verdict}
        changes = {
            name: documents.storable(value) if isinstance(value, str) else value
            for name, value in {**given, "reason": reason}.items()
            if value is not None
        }
        with self.database.write() as connection:
            row = records.find(connection, identity)
            seq = row["seq"]
            if revision not in (None, row["revision"]):
                raise RevisionError(f"{identity} has changed since: read it again")
            if tags is not None:
                records.set_tags(connection, seq, tags)
            records.change(connection, seq, changes)
            if tags is not None or {"title", "note"} & set(changes):
                records.index_again(connection, seq)
        return self.summary(identity)

    def trash(self, identity: str) -> None:
        """Hide it from all but the trash. Raises NotFoundError."""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        with self.database.write() as connection:
            row = records.find(connection, identity)
            if row["trashed"] is None:
                records.change(connection, row["seq"], {"trashed": now})

    def restore(self, identity: str) -> None:
        """Undo `trash`. Raises NotFoundError."""
        with self.database.write() as connection:
            row = records.find(connection, identity)
            if row["trashed"] is not None:
                records.change(connection, row["seq"], {"trashed": None})

    # ---- remove

    def delete(self, identity: str) -> None:
        """Remove a capture and the pictures that no other one uses. Raises NotFoundError."""
        with self.database.write() as connection:
            gone = records.remove(connection, [records.find(connection, identity)["seq"]])
        self.remove_files(gone)

    def forget(self, identity: str) -> None:
        """Delete, and leave nothing of it in the free space of any file. Raises NotFoundError.

        Takes long in a large store: the search index is written anew.
        """
        self.delete(identity)
        upkeep.scrub(self)

    def purge(self, older_than: datetime | None = None) -> list[str]:
        """Empty the trash, of what was put there before a time if one is given; the ids."""
        from payload_capture import tables

        captures = tables.captures
        conditions: list[ColumnElement[bool]] = [captures.c.trashed.is_not(None)]
        if older_than is not None:
            before = older_than.astimezone(timezone.utc).isoformat(timespec="milliseconds")
            conditions.append(captures.c.trashed < before)
        return remove_where(self, *conditions)

    def retain(self, retention: Retention) -> list[str]:
        """Remove what lies beyond, the trash first, then the oldest; the ids."""
        return retain(self, retention)

    def verify(self) -> list[Fault]:
        """Read everything, derive every hash again; what is wrong. Changes nothing."""
        return upkeep.verify(self)

    def repair(self) -> list[str]:
        """Make the store whole again; what was dropped for that."""
        return upkeep.repair(self)

    def close(self) -> None:
        self.database.close()

    # ---- files and removal, which `upkeep` and `retention` use as well

    def read_file(self, sha256: str) -> bytes:
        """An asset's bytes. Raises LostError if they are not there or others."""
        with self.database.translated():
            where = self.assets.where(sha256)
            try:
                return checked(sha256, self.assets.read(sha256))
            except FileNotFoundError:
                raise LostError(
                    f"the picture {where} is gone; restore it or delete the capture"
                ) from None
            except AssetError as error:
                raise LostError(f"the picture {where} was damaged: {error.reason}") from error

    def remove_files(self, names: Sequence[str]) -> None:
        """Remove files that no row names, under the lock that whoever adds a row holds."""
        if not names:
            return
        with self.database.write() as connection:
            for sha256 in set(names) - records.named(connection, names):
                self.assets.remove(sha256)

    def remove(self, seqs: Sequence[int], *conditions: ColumnElement[bool]) -> list[str]:
        """Captures by their numbers, with the pictures that no other ones use; their ids.

        Those stay that do not meet the conditions, which somebody may have edited meanwhile.
        """
        with self.database.write() as connection:
            found = records.those(connection, seqs, *conditions)
            gone = records.remove(connection, list(found))
        self.remove_files(gone)
        return list(found.values())

    def _write_files(self, files: Mapping[str, bytes]) -> None:
        with self.database.translated():
            for sha256, data in files.items():
                if not self.assets.exists(sha256):
                    self.assets.write(sha256, data)
