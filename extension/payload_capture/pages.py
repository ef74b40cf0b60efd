"""Pages of captures, newest first: filters and cursors as SQL.

A page begins where the one before ended (keyset), so that it costs the same at any depth and
nothing is shown twice or left out while captures arrive. The order is that of arrival, which a
clock that was set back does not change; with a time filter it is that of `started`, so that an
index serves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from payload_capture import documents, records, search
from payload_capture.capture import Capture

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select


class Filters(NamedTuple):
    """Which captures a page has; None lets all through.

    `q` is words that must all occur in prompts, model, sampler, title, note or tags, each as the
    beginning of a word. `since` (inclusive) and `until` (exclusive) are ISO 8601. `host` is the
    webui's name, or that with its version. `trashed` tells the trash from the rest.

    `Store.page` raises ValueError for a time that is none.
    """

    q: str | None = None
    kind: str | None = None
    endpoint: str | None = None
    source: str | None = None
    user: str | None = None
    since: str | None = None
    until: str | None = None
    host: str | None = None
    verdict: str | None = None
    starred: bool | None = None
    tag: str | None = None
    model: str | None = None
    trashed: bool = False

    def admits(self, capture: Capture) -> bool:
        """Whether a capture passes that no database holds yet, so that nobody has edited it."""
        row = documents.row(capture, None) | documents.UNEDITED
        equal = all(getattr(self, name) in (None, "", row[name]) for name in _EQUAL)
        return (
            equal
            and not (self.trashed or self.starred or self.tag)
            and (not self.host or _is_host(row["host"], self.host))
            and (not self.since or row["at"] >= _moment("since", self.since))
            and (not self.until or row["at"] < _moment("until", self.until))
            and search.finds(self.q or "", search.words_of(*search.text_of(capture)))
        )


_EQUAL = ("kind", "endpoint", "source", "user", "verdict", "model")
"""What has to be equal; `verdict` alone is a column of `captures`."""


class CursorError(ValueError):
    """A cursor that another question's answer gave."""


class Page(NamedTuple):
    """Summaries, newest first, and the cursor of the next page or None at the end."""

    captures: list[dict[str, Any]]
    next: str | None


def page(connection: Connection, limit: int, cursor: str | None, filters: Filters) -> Page:
    query = _selected(connection, filters, cursor, limit + 1)
    rows = connection.execute(query).mappings().all()
    shown = [documents.summarised(row) for row in rows[:limit]]
    return Page(shown, _cursor(rows[limit - 1], filters) if len(rows) > limit else None)


CHOSEN = ("kind", "source", "model")
"""Filters whose values a reader chooses from those that there are."""


def choices(connection: Connection) -> dict[str, list[str]]:
    """The values that captures have, by the filter's name."""
    from sqlalchemy import select

    from payload_capture import tables

    rows = connection.execute(select(*(tables.origins.c[name] for name in CHOSEN))).mappings()
    found = list(rows)
    return {name: sorted({row[name] for row in found if row[name]}) for name in CHOSEN}


def _selected(
    connection: Connection, filters: Filters, cursor: str | None, limit: int
) -> Select[Any]:
    """Rows of `captures`, newest first, from the cursor on."""
    from sqlalchemy import false

    from payload_capture import tables

    captures = tables.captures
    key: ColumnElement[int] = captures.c.seq
    query = records.rows(connection)
    starts = search.asked(filters.q or "")
    if starts:
        found, key = search.matching(connection, starts)
        query = query.join(found, captures.c.seq == key)
    elif (filters.q or "").strip():  # signs alone: no word is one
        query = query.where(false())
    order, rest = _order(key, filters, cursor)
    conditions = [*_conditions(filters), *rest]
    numbers = _origins(connection, filters)
    if numbers is not None and _by_time(filters) and len(numbers) <= MERGED:
        conditions += [captures.c.origin.in_(numbers)]
    elif numbers is not None and not starts and len(numbers) <= MERGED:
        conditions += [_newest_of(numbers, conditions, limit)]
    elif numbers is not None:  # as a sum: by the index all of them would be read and sorted
        conditions += [(captures.c.origin + 0).in_(numbers)]
    return query.where(*conditions).order_by(*order).limit(limit)


def _order(
    key: ColumnElement[int], filters: Filters, cursor: str | None
) -> tuple[list[ColumnElement[Any]], list[ColumnElement[bool]]]:
    """What a page is sorted by, and where it begins."""
    from sqlalchemy import literal, tuple_

    from payload_capture import tables

    if cursor and ("." in cursor) is not _by_time(filters):
        raise CursorError(f"{cursor!r} is the cursor of another question: ask the same again")
    if not _by_time(filters):
        return [key.desc()], [key < int(cursor)] if cursor else []
    at = tables.captures.c.at
    order: list[ColumnElement[Any]] = [at.desc(), key.desc()]
    when, _, number = (cursor or "").partition(".")
    if not cursor:
        return order, []
    place = tuple_(literal(int(when)), literal(int(number or 0)))
    return order, [tuple_(at, key) < place]


def _origins(connection: Connection, filters: Filters) -> list[int] | None:
    """The numbers of the origins that the filters let through; None where no filter asks."""
    from sqlalchemy import false, select

    from payload_capture import tables

    c = tables.origins.c
    given = {name: getattr(filters, name) for name in documents.ORIGIN}
    asked = {name: value for name, value in given.items() if value}
    if not asked:
        return None
    made = [c[name] == value for name, value in asked.items() if name != "host"]
    if filters.host:
        made.append(
            (c.host == filters.host) | c.host.startswith(f"{filters.host} ", autoescape=True)
        )
    if any(documents.storable(value) != value for value in asked.values()):
        made = [false()]  # nothing in a database holds it
    return list(connection.execute(select(c.number).where(*made)).scalars())


MERGED = 100
"""Origins whose newest captures are merged; those of more are so many that a page is soon full."""


def _newest_of(
    numbers: list[int], conditions: list[ColumnElement[bool]], limit: int
) -> ColumnElement[bool]:
    """Captures that are among the newest of one of the origins: the index reads no others."""
    from sqlalchemy import false, select, union_all

    from payload_capture import tables

    c = tables.captures.c
    if not numbers:
        return false()
    newest = select(c.seq).where(*conditions).order_by(c.seq.desc()).limit(limit)
    parts = (newest.where(c.origin == number).subquery() for number in numbers)
    return c.seq.in_(union_all(*(select(part.c.seq) for part in parts)))


def _by_time(filters: Filters) -> bool:
    return bool(filters.since or filters.until) and not search.asked(filters.q or "")


def _cursor(row: Mapping[Any, Any], filters: Filters) -> str:
    return f"{row['at']}.{row['seq']}" if _by_time(filters) else str(row["seq"])


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    from sqlalchemy import false, select

    from payload_capture import tables

    c = tables.captures.c
    texts = (value for value in filters if isinstance(value, str))
    if any(documents.storable(text) != text for text in texts):
        return [false()]  # nothing in a database holds it
    made: list[ColumnElement[bool]] = [
        c.trashed.is_not(None) if filters.trashed else c.trashed.is_(None)
    ]
    if filters.verdict:
        made.append(c.verdict == filters.verdict)
    if filters.starred is not None:
        made.append(c.starred.is_(filters.starred))
    if filters.since:
        made.append(c.at >= _moment("since", filters.since))
    if filters.until:
        made.append(c.at < _moment("until", filters.until))
    if filters.tag:
        tag = records.spelled(filters.tag)
        made.append(c.seq.in_(select(tables.tags.c.capture).where(tables.tags.c.tag == tag)))
    return made


def _is_host(host: str, asked: str) -> bool:
    return host == asked or host.startswith(asked + " ")


def _moment(name: str, value: str) -> int:
    try:
        return documents.moment(value)
    except ValueError:
        raise ValueError(f"{name}: {value!r} is no time such as 2026-11-26T03:00:00Z") from None
