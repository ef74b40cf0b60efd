"""Filters and cursors, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from payload_capture import pages
from payload_capture.capture import Host, Model
from payload_capture.store import Filters, NotFoundError, Store
from stored import make, picture

pytestmark = pytest.mark.once

FORGE = Host(webui="Forge", version="f2.0", checkpoint=Model("beta [2]"))
FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [4, 3, 2, 1]),
    ({"kind": "img2img"}, [2]),
    ({"kind": "inpaint"}, [3]),
    ({"endpoint": "/sdapi/v1/img2img"}, [3, 2]),
    ({"source": "ui"}, [2]),
    ({"user": "ann"}, [3, 1]),
    ({"user": "ann", "source": "api"}, [3, 1]),
    ({"host": "Forge"}, [4]),
    ({"host": "Forge f2.0"}, [4]),
    ({"host": "For"}, []),
    ({"host": "AUTOMATIC1111"}, [3, 2, 1]),
    ({"model": "beta [2]"}, [4]),
    ({"verdict": "identical"}, [1]),
    ({"starred": True}, [1]),
    ({"starred": False}, [4, 3, 2]),
    ({"tag": "50% off"}, [3, 1]),
    ({"tag": "off"}, []),
    ({"q": "fox", "user": "ann"}, [1]),
    ({"q": "fox", "tag": "50% off", "starred": True, "kind": "txt2img"}, [1]),
    ({"since": "2026-11-02T00:00:00Z"}, [3, 4, 2]),
    ({"until": "2026-11-02T00:00:00Z"}, [1]),
    ({"since": "2026-11-02T01:00:00+01:00", "until": "2026-11-04T00:00:00Z"}, [4, 2]),
    ({"since": "2026-11-02T00:00:00Z", "q": "fox"}, [4]),
    ({"trashed": True}, [5]),
    ({"trashed": True, "q": "fox"}, [5]),
]  # fmt: skip


@pytest.fixture
def filled(either: Store) -> Store:
    """Five captures; the fourth came after the third though its clock said less."""
    init = picture(99)

    def day(number: int, **job: str) -> dict[str, str]:
        return {"started": f"2026-11-{number:02}T00:00:00+00:00", **job}

    either.add(*make(1, "a fox", job=day(1, user="ann")))
    either.add(*make(2, "a cat", init=init, job=day(2, source="ui")))
    either.add(*make(3, "a dog", init=init, mask={"x": 1}, job=day(4, user="ann")))
    either.add(*make(4, "a fox", host=FORGE, job=day(3)))
    either.add(*make(5, "a fox", job=day(5)))
    either.edit("c1", starred=True, verdict="identical", tags=["50% off"])
    either.edit("c3", tags=["50% off", "other"])
    either.trash("c5")
    return either


def ids(store: Store, limit: int, **filters: Any) -> list[str]:
    """Of all pages."""
    found, cursor = [], None
    while True:
        page = store.page(limit, cursor, Filters(**filters))
        assert len(page.captures) <= limit
        found += [row["id"] for row in page.captures]
        if page.next is None:
            return found
        cursor = page.next


def test_each_filter_in_pages_of_every_size(filled: Store) -> None:
    for filters, expected in FILTERS:
        for limit in (1, 2, 50):
            assert ids(filled, limit, **filters) == [f"c{n}" for n in expected], filters


def test_the_same_where_the_filters_let_very_many_origins_through(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MERGED", 0)
    for filters, expected in FILTERS:
        assert ids(filled, 2, **filters) == [f"c{n}" for n in expected], filters


def test_a_filter_reads_no_more_of_a_large_store_than_a_page(store: Store) -> None:
    """Told by the steps that SQLite takes, whatever the machine does."""
    rare = Host(webui="Forge", version="f2.0")
    for number in range(600):
        store.add(*make(number, data=picture(0), host=rare if number < 3 else None))
    with store.database.read() as connection:
        driver: Any = connection.connection.driver_connection
        steps: list[None] = []
        driver.set_progress_handler(lambda: steps.append(None), 10)
        found = pages.page(connection, 50, None, Filters(host="Forge")).captures
        driver.set_progress_handler(None, 10)
    assert [row["id"] for row in found] == ["c2", "c1", "c0"]
    assert len(steps) * 10 < 600 * 5


def test_a_capture_that_is_not_stored_yet_passes_the_same_filters(filled: Store) -> None:
    for filters, expected in FILTERS:
        if {"tag", "starred", "verdict", "trashed"} & filters.keys():
            continue  # only what is stored can be edited
        asked = Filters(**filters)
        found = [f"c{n}" for n in (1, 2, 3, 4) if asked.admits(filled.get(f"c{n}"))]
        assert found == sorted(f"c{n}" for n in expected), filters
    assert not Filters(trashed=True).admits(filled.get("c1"))
    assert not Filters(starred=True).admits(filled.get("c1"))


def test_a_clock_that_goes_backwards_loses_nothing(either: Store) -> None:
    for number in range(9):
        either.add(*make(number, job={"started": f"20{30 - number}-01-01T00:00:00+00:00"}))
    assert ids(either, 2) == [f"c{n}" for n in range(8, -1, -1)]
    assert ids(either, 2, since="2000-01-01T00:00:00Z") == [f"c{n}" for n in range(9)]
    assert ids(either, 2, until="2027-01-01T00:00:00Z") == ["c4", "c5", "c6", "c7", "c8"]


def test_equal_times_are_no_obstacle_to_paging(either: Store) -> None:
    for number in range(5):
        either.add(*make(number))
    assert ids(either, 2, since="2000-01-01T00:00:00Z") == ["c4", "c3", "c2", "c1", "c0"]


def test_pages_are_complete_while_captures_come_and_go(either: Store) -> None:
    for number in range(6):
        either.add(*make(number))
    first = either.page(2)
    either.add(*make(9))
    either.delete("c4")
    either.delete("c2")
    second = either.page(2, first.next)
    assert [row["id"] for row in (*first.captures, *second.captures)] == ["c5", "c4", "c3", "c1"]


def given(name: str, value: str) -> dict[str, Any]:
    return {name: value}


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_time_that_is_none_is_said(either: Store, name: str) -> None:
    for value in ("yesterday", "2026-13-01", "1"):
        with pytest.raises(ValueError, match=rf"{name}: .* is no time such as"):
            either.page(filters=Filters(**given(name, value)))


def test_what_no_database_takes_as_text_is_found_nowhere(either: Store) -> None:
    either.add(*make(1, job={"user": "ann"}))
    for name in ("kind", "endpoint", "source", "user", "host", "model", "verdict", "tag"):
        for value in ("\x00", "an\x00n", "\ud800"):
            assert either.page(filters=Filters(**given(name, value))).captures == []
    for identity in ("c\x001", "\ud800"):
        with pytest.raises(NotFoundError):
            either.get(identity)
