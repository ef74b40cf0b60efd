"""Every capture there is: those in the store, and those that wait in memory to be stored.

A store may be locked, full, damaged or away. What is captured meanwhile is listed, read and sent
again all the same, and stored as soon as the store takes it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from payload_capture.capture import AssetError, Capture
from payload_capture.events import Events
from payload_capture.shapes import LATEST
from payload_capture.store import (
    ConflictError,
    Filters,
    NotFoundError,
    Page,
    Store,
    StoreError,
    summary,
)
from payload_capture.writer import Written

if TYPE_CHECKING:
    from payload_capture.upkeep import Fault

KEPT_IN_MEMORY = 32
"""Captures that wait in memory while the store cannot be written."""
RETRY = 5.0
"""Seconds after which the writer tries a store again that failed: each attempt may take as long as
its lock or its server is waited for, and jobs with their pictures queue up meanwhile."""


class Archive:
    """Lists, reads, changes and removes captures; each change is an event.

    An id may be ``latest`` everywhere, which is the newest capture.

    Args:
        store: where captures are kept.
        flush: waits for the captures that are being written.

    Whatever asks the store raises StoreError where that fails, NotFoundError for an id that it does
    not have.
    """

    def __init__(self, store: Store, flush: Callable[[], object]) -> None:
        self.store = store
        self.events = Events()
        self.failures = 0
        self.last_failure: str | None = None
        self.revision = 0
        self._flush = flush
        self._again = 0.0
        self._backlog: OrderedDict[str, Written] = OrderedDict()
        self._previews: OrderedDict[str, Written] = OrderedDict()
        self._lock = threading.Lock()

    def page(
        self, limit: int = 50, cursor: str | None = None, filters: Filters | None = None
    ) -> Page:
        """Summaries, newest first; those that could not be stored yet come first.

        Raises StoreError, CursorError, ValueError for a time that is none.
        """
        self._settle()
        filters = filters or Filters()
        kept = [] if cursor else self._waiting()
        waiting = [summary(w.capture, w.failure) for w in kept if filters.admits(w.capture)]
        try:
            stored = self.store.page(limit, cursor, filters)
        except StoreError:
            if not waiting:
                raise
            stored = Page([], None)
        return Page([*waiting, *stored.captures], stored.next)

    def get(self, identity: str) -> Capture:
        """A capture by its id, or the newest for ``latest``. Raises NotFoundError, StoreError."""
        self._settle()
        if identity == LATEST:
            waiting = next(iter(self._waiting()), None)
            return waiting.capture if waiting else self.store.latest()
        kept = self._backlog.get(identity) or self._previews.get(identity)
        return kept.capture if kept else self.store.get(identity)

    def summary(self, identity: str) -> dict[str, Any]:
        """A capture as a list shows it. Raises NotFoundError, StoreError."""
        kept = self._backlog.get(identity) or self._previews.get(identity)
        if kept is None and identity == LATEST:
            return self.summary(self.get(LATEST).id)
        return summary(kept.capture, kept.failure) if kept else self.store.summary(identity)

    def latest_of(self, user: str | None) -> dict[str, Any] | None:
        """The newest capture of a user, of anybody for None. Raises StoreError."""
        self._settle()
        waiting = (written.capture for written in self._waiting())
        mine = (capture for capture in waiting if user in (None, capture.job.user))
        try:
            return (next(mine, None) or self.store.latest(user)).to_dict()
        except NotFoundError:
            return None

    def result(self, identity: str, number: int) -> tuple[str, bytes, str]:
        """(media type, bytes, hash of the bytes) of a capture's picture. Raises NotFoundError."""
        results = self.get(identity).results
        if number >= len(results) or (sha256 := results[number].asset) is None:
            raise NotFoundError(f"{identity}/results/{number}")
        return (*self.asset(sha256), sha256)

    def asset(self, sha256: str) -> tuple[str, bytes]:
        """(media type, bytes) of a file by its hash. Raises NotFoundError, StoreError."""
        for written in (*self._waiting(), *self._previewed()):
            if sha256 in written.files:
                return written.capture.assets[sha256].media_type, written.files[sha256]
        return self.store.asset(sha256)

    def bytes_of(self, sha256: str) -> bytes:
        """A picture's file, for whoever writes or sends it. Raises AssetError."""
        try:
            return self.asset(sha256)[1]
        except NotFoundError as error:
            raise AssetError(f"assets.{sha256}", "the store has no such picture") from error
        except StoreError as error:
            raise AssetError(f"assets.{sha256}", str(error)) from error

    def has(self, sha256: str) -> bool:
        """Whether a picture's file can be had."""
        try:
            self.bytes_of(sha256)
        except AssetError:
            return False
        return True

    # ---- changes

    def edit(self, identity: str, **changes: Any) -> dict[str, Any]:
        """Change title, note, tags, starred, or verdict and reason: the new summary.

        Raises NotFoundError, TagError, and RevisionError where `revision` is not the present one.
        """
        return self._changed(self.store.edit(self._stored(identity), **changes))

    def trash(self, identity: str) -> str:
        """Put a capture into the trash: its id. Raises NotFoundError."""
        identity = self._stored(identity)
        self.store.trash(identity)
        self._changed(self.store.summary(identity))
        return identity

    def restore(self, identity: str) -> dict[str, Any]:
        """Take a capture out of the trash: the new summary. Raises NotFoundError."""
        identity = self._stored(identity)
        self.store.restore(identity)
        return self._changed(self.store.summary(identity))

    def delete(self, identity: str) -> str:
        """Remove a capture for good: its id. Raises NotFoundError, StoreError."""
        return self._removed(identity, self.store.delete)

    def forget(self, identity: str) -> str:
        """Remove a capture, and leave nothing of it in any file: its id. Raises NotFoundError."""
        return self._removed(identity, self.store.forget)

    def empty_trash(self) -> int:
        """Remove what lies in the trash for good: how many captures. Raises StoreError."""
        gone = self.store.purge()
        self._tell_deleted(gone)
        return len(gone)

    def _tell_deleted(self, identities: Collection[str]) -> None:
        self.revision += bool(identities)
        for identity in identities:
            self.events.publish("deleted", {"id": identity})

    def _removed(self, identity: str, remove: Callable[[str], None]) -> str:
        identity = self.get(LATEST).id if identity == LATEST else identity
        with self._lock:
            waiting = self._backlog.pop(identity, None)
        if waiting is None:
            remove(identity)
        self.revision += 1
        self.events.forget(identity)
        self.events.publish("deleted", {"id": identity})
        return identity

    def tags(self) -> dict[str, int]:
        """Every tag, with how many captures have it."""
        return self.store.tags()

    def choices(self) -> dict[str, list[str]]:
        """The values that filters of a list may ask for, by the filter's name."""
        return {**self.store.choices(), "tag": list(self.tags())}

    def _stored(self, identity: str) -> str:
        """The id of a capture that has to be in the store, and not in memory any more."""
        self._settle()
        if identity in self._backlog:
            raise StoreError(f"{identity} waits in memory to be stored: {self.last_failure}")
        return self.get(LATEST).id if identity == LATEST else identity

    def _changed(self, row: dict[str, Any]) -> dict[str, Any]:
        self.revision += 1
        self.events.publish("updated", row)
        return row

    # ---- the store as a whole

    def verify(self) -> list[Fault]:
        """What is wrong with the store. Raises StoreError."""
        self._flush()
        return self.store.verify()

    def repair(self) -> list[str]:
        """Make the store whole again; what was dropped for that. Raises StoreError."""
        self._flush()
        dropped = self.store.repair()
        self.revision += 1
        return dropped

    def close(self) -> None:
        """Store what waits. Called on Reload UI and at the process's end; usable afterwards."""
        self._settle()
        self.store.close()

    # ---- what waits in memory

    def arrived(self, written: Written) -> None:
        """Store what was captured, now or as soon as the store takes it."""
        if written.failure:
            self._failed(written.failure)
        with self._lock:
            self._backlog[written.capture.id] = written
        if self._answers():
            self._retry()
        self._bound()
        self.revision += 1
        self.events.publish("captured", summary(written.capture, written.failure))

    def keep_preview(self, written: Written) -> None:
        """Keep a capture that no list shows, as long as not many others came after it."""
        with self._lock:
            self._previews[written.capture.id] = written
            while len(self._previews) > KEPT_IN_MEMORY:
                self._previews.popitem(last=False)

    def _settle(self) -> None:
        """Let the store have all that is captured by now, as far as it takes it."""
        self._flush()
        self._retry()

    def _keep(self, files: dict[str, bytes]) -> bool:
        if not self._answers():
            return False
        try:
            self.store.keep(files)
        except StoreError as error:
            self._broke(error)
            return False
        return True

    def _answers(self) -> bool:
        """Whether the writer is to try the store: not just after it failed."""
        return time.monotonic() >= self._again

    def _broke(self, error: StoreError) -> None:
        self._again = time.monotonic() + RETRY
        self._failed(str(error))

    def _retry(self) -> None:
        """Store what waits, oldest first, as far as the store takes it."""
        with self._lock:
            while self._backlog and self._stored_one(*next(iter(self._backlog.items()))):
                self._backlog.popitem(last=False)

    def _stored_one(self, identity: str, written: Written) -> bool:
        """Whether nothing is left to do for it; one that no store takes keeps back no others."""
        try:
            self.store.add(written.capture, written.files, written.failure)
        except ConflictError as error:
            self._failed(f"{identity} was dropped: {error}")
        except StoreError as error:
            self._broke(error)
            return False
        except Exception as error:
            self._failed(f"{identity} was dropped: {type(error).__name__}: {error}")
        return True

    def _bound(self) -> None:
        """Drop the oldest of those that wait in memory where they are too many."""
        with self._lock:
            while len(self._backlog) > KEPT_IN_MEMORY:
                lost, _ = self._backlog.popitem(last=False)
                self._failed(f"{lost} was dropped: {KEPT_IN_MEMORY} captures wait in memory")

    def _waiting(self) -> list[Written]:
        with self._lock:
            return list(reversed(self._backlog.values()))

    def _previewed(self) -> list[Written]:
        with self._lock:
            return list(self._previews.values())

    def _failed(self, reason: str) -> None:
        if reason != self.last_failure:
            print(f"[payload-capture] {reason}", file=sys.stderr)
        self.failures += 1
        self.last_failure = reason
