"""How much a store keeps: by age, number and size. What is starred is never removed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from payload_capture.store import Store

DAY = 24 * 3600 * 1000
AT_ONCE = 50
"""Captures that are removed in one transaction: others wait for no more than these."""


@dataclass(frozen=True)
class Retention:
    """The most that is kept; None for no limit.

    What is starred counts for `count` and `bytes`, the size of all pictures, but stays.
    """

    days: float | None = None
    count: int | None = None
    bytes: int | None = None


def retain(store: Store, retention: Retention) -> list[str]:
    """Remove what lies beyond; the ids, the trash first, then the oldest."""
    removed: list[str] = []
    for in_trash in (True, False):
        removed += _old(store, retention, in_trash)
        while beyond := _beyond(store, retention, in_trash):
            removed += store.remove(beyond, _removable(in_trash))
    return removed


def remove_where(store: Store, *conditions: ColumnElement[bool]) -> list[str]:
    """Remove all captures that meet the conditions, some at once; their ids."""
    from sqlalchemy import select

    from payload_capture import tables

    c = tables.captures.c
    removed: list[str] = []
    query = select(c.seq).where(*conditions).order_by(c.seq).limit(AT_ONCE)
    while True:
        with store.database.read() as connection:
            found = connection.execute(query).scalars().all()
        if not found:
            return removed
        removed += store.remove(found, *conditions)


def _old(store: Store, retention: Retention, in_trash: bool) -> list[str]:
    from payload_capture import tables

    if retention.days is None:
        return []
    before = time.time_ns() // 1_000_000 - int(retention.days * DAY)
    return remove_where(store, _removable(in_trash) & (tables.captures.c.at < before))


def _beyond(store: Store, retention: Retention, in_trash: bool) -> list[int]:
    """The numbers of the next captures to remove; none where the limits hold."""
    if retention.count is None and retention.bytes is None:
        return []
    counts = store.counts()
    many = counts["captures"] - retention.count if retention.count is not None else 0
    much = counts["bytes"] - retention.bytes if retention.bytes is not None else 0
    chosen: list[int] = []
    for seq, size in _oldest(store, in_trash) if many > 0 or much > 0 else ():
        if len(chosen) >= many and much <= 0:
            break
        chosen.append(seq)
        much -= size
    return chosen


def _oldest(store: Store, in_trash: bool) -> list[tuple[int, int]]:
    """(number, bytes of its pictures) of the first captures, shared pictures counted too."""
    from sqlalchemy import func, select

    from payload_capture import tables

    c, uses, assets = tables.captures.c, tables.uses, tables.assets
    size = select(func.coalesce(func.sum(assets.c.size), 0))
    own = size.where(assets.c.capture == c.seq).scalar_subquery()
    shared = size.join(uses, uses.c.asset == assets.c.sha256).where(uses.c.capture == c.seq)
    query = (
        select(c.seq, own + shared.scalar_subquery())
        .where(_removable(in_trash))
        .order_by(c.seq)
        .limit(AT_ONCE)
    )
    with store.database.read() as connection:
        return [(seq, int(size)) for seq, size in connection.execute(query)]


def _removable(in_trash: bool) -> ColumnElement[bool]:
    from payload_capture import tables

    c = tables.captures.c
    return c.starred.is_(False) & (c.trashed.is_not(None) if in_trash else c.trashed.is_(None))
