"""What the page asks about many captures, over a real store."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from event_loop import run
from payload_capture import events, listing, privacy, questions
from payload_capture.auth import Caller
from payload_capture.capture import Capture
from payload_capture.events import Events
from payload_capture.store import Filters, NotFoundError, Page, Store, StoreError
from stored import make

pytestmark = pytest.mark.once


class Service:
    """The face of `service.Service` that questions about lists use."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.events = Events()
        self.revision = 0
        self.closing = False
        self.state: dict[str, Any] = {"enabled": True, "waiting": 0, "last_failure": None}
        self.broken_after: int | None = None

    def admit_page(self, caller: Caller, *, reads: bool) -> None:
        pass

    def page(self, limit: int, cursor: str | None = None, filters: Filters | None = None) -> Page:
        return self.store.page(limit, cursor, filters)

    def choices(self) -> dict[str, list[str]]:
        return {**self.store.choices(), "tag": list(self.store.tags())}

    def status(self) -> dict[str, Any]:
        return self.state

    def edit(self, identity: str, **changes: Any) -> dict[str, Any]:
        return self.happened("updated", self.store.edit(identity, **changes))

    def trash(self, identity: str) -> str:
        if self.broken_after is not None:
            self.broken_after -= 1
            if self.broken_after < 0:
                raise StoreError("the disk is full")
        self.store.trash(identity)
        self.happened("updated", self.store.summary(identity))
        return identity

    def restore(self, identity: str) -> dict[str, Any]:
        self.store.restore(identity)
        return self.store.summary(identity)

    def delete(self, identity: str) -> str:
        self.store.delete(identity)
        self.happened("deleted", {"id": identity})
        return identity

    def exported(self, identity: str) -> Any:
        fetch = lambda sha256: self.store.asset(sha256)[1]  # noqa: E731
        return privacy.renamed(self.store.get(identity), fetch, privacy.Names())

    def happened(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        self.revision += 1
        self.events.publish(kind, row)
        return row


@pytest.fixture
def service(store: Store) -> Service:
    return Service(store)


def add(service: Service, *numbers: int, **more: Any) -> None:
    for number in numbers:
        capture, files = make(number, **more)
        service.store.add(capture, files)
        service.happened("captured", service.store.summary(capture.id))


def ask(service: Service, name: str, user: str | None = None, **more: Any) -> dict[str, Any]:
    text = json.dumps({"id": 9, "do": name, **more})
    answer = questions.answer(service, text, Caller("POST", {}, user=user))  # type: ignore[arg-type]
    made: dict[str, Any] = json.loads(answer)
    assert made.pop("id") == 9
    return made


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["id"] for row in answer["captures"]]


# ---- pages


def test_captures_are_told_once_and_then_only_what_changed(service: Service) -> None:
    add(service, 1)
    first = ask(service, "captures", known=None)
    assert (ids(first), first["next"], first["notice"]) == (["c1"], None, "")
    assert ask(service, "captures", known=first["edition"]) == {"edition": first["edition"]}
    add(service, 2)
    assert ids(ask(service, "captures", known=first["edition"])) == ["c2", "c1"]


def test_the_list_comes_by_pages(service: Service) -> None:
    add(service, *range(listing.PAGE + 5))
    first = ask(service, "captures")
    assert len(first["captures"]) == listing.PAGE
    rest = ask(service, "older", cursor=first["next"])
    assert (ids(rest), rest["next"]) == (["c4", "c3", "c2", "c1", "c0"], None)


def test_the_trash_is_a_list_of_its_own(service: Service) -> None:
    add(service, 1, 2)
    assert ask(service, "captures")["trash"] is False
    service.store.trash("c1")
    service.revision += 1
    told = ask(service, "captures")
    assert (ids(told), told["trash"]) == (["c2"], True)
    assert ids(ask(service, "captures", trash=True)) == ["c1"]


def test_the_notice_says_why_nothing_is_stored(service: Service) -> None:
    service.state.update(waiting=3, last_failure="the disk is full")
    assert ask(service, "captures")["notice"] == "3 captures wait in memory: the disk is full"
    service.state["enabled"] = False
    assert "switched off" in ask(service, "captures")["notice"]


@pytest.fixture
def various(service: Service) -> Service:
    add(service, 1, prompt="a red fox", job={"user": "ann", "source": "ui"})
    add(service, 2, prompt="a blue whale", init=b"picture", job={"user": "bob"})
    started = "2026-11-25T10:00:00.000+00:00"
    add(service, 3, prompt="a red whale", job={"started": started})
    service.edit("c1", starred=True, tags=["liked", "forest"])
    return service


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"q": "red"}, ["c3", "c1"]),
        ({"q": "red wha"}, ["c3"]),
        ({"kind": "img2img"}, ["c2"]),
        ({"source": "ui"}, ["c1"]),
        ({"starred": True}, ["c1"]),
        ({"tag": "liked"}, ["c1"]),
        ({"model": "alpha.safetensors [12ab]"}, ["c3", "c2", "c1"]),
        ({"model": "beta"}, []),
        ({"since": "2026-11-24T23:00:00.000Z"}, ["c3"]),
        ({"until": "2026-11-24T23:00:00.000Z"}, ["c2", "c1"]),
        ({"mine": True}, ["c2"]),
        ({"mine": False, "q": "whale"}, ["c3", "c2"]),
    ],
)
def test_filters(various: Service, filters: dict[str, Any], found: list[str]) -> None:
    assert ids(ask(various, "captures", user="bob", filters=filters)) == found


def test_nobody_is_taken_for_another_user(various: Service) -> None:
    text = json.dumps({"id": 1, "do": "captures", "user": "ann", "filters": {"mine": True}})
    told = json.loads(questions.answer(various, text, Caller("POST", {}, user="bob")))  # type: ignore[arg-type]
    assert ids(told) == ["c2"]


@pytest.mark.parametrize(
    ("filters", "words"),
    [({"colour": "red"}, "colour"), ({"starred": "yes"}, "starred"), ({"since": "once"}, "since")],
)
def test_a_filter_that_is_none_is_named(
    service: Service, filters: dict[str, Any], words: str
) -> None:
    assert words in ask(service, "captures", filters=filters)["error"]


def test_what_the_filters_offer(various: Service) -> None:
    told = ask(various, "choices")
    assert told == {
        "choices": {
            "kind": ["img2img", "txt2img"],
            "source": ["api", "ui"],
            "model": ["alpha.safetensors [12ab]"],
            "tag": ["forest", "liked"],
        },
        "user": "",
    }
    assert ask(various, "choices", user="ann")["user"] == "ann"


def test_an_empty_store_offers_nothing(service: Service) -> None:
    empty: dict[str, list[str]] = {"kind": [], "source": [], "model": [], "tag": []}
    assert ask(service, "choices")["choices"] == empty


# ---- the bell


async def rung(service: Service, **more: Any) -> dict[str, Any]:
    question = {"id": 4, "do": "bell", "known": listing.edition(service), **more}  # type: ignore[arg-type]
    question.setdefault("last", service.events.last)
    answer = await questions.ring(service, json.dumps(question), Caller("POST", {}))  # type: ignore[arg-type]
    made: dict[str, Any] = json.loads(answer)
    assert made.pop("id") == 4
    return made


def test_the_bell_rings_at_once_when_a_thread_tells_of_a_capture(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, where in (("LOOK", events), ("PATIENCE", listing)):
        monkeypatch.setattr(where, name, 60.0)  # nothing but the event may wake it

    async def waits() -> dict[str, Any]:
        bell = asyncio.ensure_future(rung(service))
        await asyncio.sleep(0.05)
        assert not bell.done()
        await asyncio.get_running_loop().run_in_executor(None, add, service, 1)
        return await asyncio.wait_for(bell, 20)

    told = run(waits())
    assert [row["id"] for row in told["changed"]] == ["c1"]
    assert (told["gone"], told["missed"], told["last"]) == ([], False, service.events.last)
    assert service.events.listeners() == 0


def test_the_bell_tells_what_happened_meanwhile(service: Service) -> None:
    last = service.events.last
    add(service, 1, 2, 3)
    service.delete("c2")
    service.edit("c1", title="the best")
    told = run(rung(service, last=last))
    assert {row["id"]: row["title"] for row in told["changed"]} == {"c1": "the best", "c3": ""}
    assert told["gone"] == ["c2"]


def test_the_bell_rings_in_the_end_though_nothing_happened(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PATIENCE", 0.1)
    told = run(rung(service))
    assert (told["changed"], told["gone"], told["missed"]) == ([], [], False)


@pytest.mark.parametrize("what", ["closing", "edition"])
def test_the_bell_rings_when_the_server_closes_or_what_no_event_tells_changed(
    service: Service, what: str
) -> None:
    async def waits() -> dict[str, Any]:
        bell = asyncio.ensure_future(rung(service))
        await asyncio.sleep(0.05)
        if what == "closing":
            service.closing = True
        else:
            service.revision += 1
        return await asyncio.wait_for(bell, 20)

    assert run(waits())["changed"] == []


def test_the_bell_says_when_it_cannot_tell_everything(service: Service) -> None:
    assert run(rung(service, last=1))["missed"] is True


def test_the_bell_holds_no_thread(service: Service) -> None:
    async def many() -> list[dict[str, Any]]:
        bells = [asyncio.ensure_future(rung(service)) for _ in range(200)]
        await asyncio.sleep(0.05)
        await asyncio.get_running_loop().run_in_executor(None, add, service, 1)
        return await asyncio.gather(*bells)

    assert {len(told["changed"]) for told in run(many())} == {1}


def test_a_bell_that_cannot_be_read_is_an_error(service: Service) -> None:
    async def bad() -> str:
        return await questions.ring(service, '{"id": 1}', Caller("POST", {}))  # type: ignore[arg-type]

    assert "error" in json.loads(run(bad()))


# ---- several at once


def test_several_are_edited_and_trashed(service: Service) -> None:
    add(service, 1, 2, 3)
    changes = {"starred": True}
    assert ask(service, "edit", captures=["c1", "c3"], changes=changes)["done"] == ["c1", "c3"]
    assert ids(ask(service, "captures", filters={"starred": True})) == ["c3", "c1"]
    told = ask(service, "trash", captures=["c1", "gone", "c2"])
    assert told == {"done": ["c1", "c2"], "gone": 1, "failed": ""}
    assert ask(service, "restore", captures=["c1"])["done"] == ["c1"]
    assert ask(service, "delete", captures=["c2"])["done"] == ["c2"]
    with pytest.raises(NotFoundError):
        service.store.get("c2")


def test_what_stops_a_later_one_is_told_with_what_was_done(service: Service) -> None:
    add(service, 1, 2, 3)
    service.broken_after = 2
    told = ask(service, "trash", captures=["c1", "c2", "c3"])
    assert told == {"done": ["c1", "c2"], "gone": 0, "failed": "the disk is full"}
    assert ask(service, "trash", captures=["c3"]) == {"error": "the disk is full"}


def test_one_that_is_gone_is_an_error(service: Service) -> None:
    assert "was deleted" in ask(service, "trash", captures=["c1"])["error"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "colour"),
        ({"title": "x" * 501}, "title"),
        ({"tags": ["x" * 101]}, "tags"),
    ],
)
def test_an_edit_that_is_none_is_named(
    service: Service, changes: dict[str, Any], words: str
) -> None:
    add(service, 1)
    assert words in ask(service, "edit", captures=["c1"], changes=changes)["error"]


# ---- export


def exported(service: Service, form: str, *captures: str) -> bytes:
    told = ask(service, "bundle", captures=list(captures), format=form)
    assert told["name"] == f"captures.{form}"
    return base64.b64decode(told["file"])


def test_the_chosen_captures_as_one_file(service: Service) -> None:
    add(service, 1, 2, 3)
    lines = exported(service, "jsonl", "c3", "c1").splitlines()
    assert [Capture.from_json(line).id for line in lines] == ["c3", "c1"]
    with zipfile.ZipFile(io.BytesIO(exported(service, "zip", "c1", "c2"))) as archive:
        assert archive.namelist() == ["c1.zip", "c2.zip"]


def test_a_huge_selection_is_refused_with_the_way_out(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(service, 1, 2)
    monkeypatch.setattr(listing, "MAX_EXPORT", 500)
    for form in ("zip", "jsonl"):
        said = ask(service, "bundle", captures=["c1", "c2"], format=form)["error"]
        assert "too large" in said
        assert "POST /payload-capture/v1/captures/export" in said
    monkeypatch.setattr(listing, "MAX_EXPORTED", 1)
    assert (
        "2 captures are too many"
        in ask(service, "bundle", captures=["c1", "c2"], format="zip")["error"]
    )


def test_an_export_of_no_known_form_is_named(service: Service) -> None:
    said = ask(service, "bundle", captures=["c1"], format="tar")["error"]
    assert said.startswith("format: 'tar' is not one of")


@pytest.fixture(autouse=True)
def nobody_listens_in_the_end(service: Service) -> Iterator[None]:
    yield
    assert service.events.listeners() == 0
