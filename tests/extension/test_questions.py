"""What the page's script asks, answered over a service with a real store."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from payload_capture import questions
from payload_capture.auth import Caller, Refused
from payload_capture.capture import Capture, FormatError
from payload_capture.store import Filters, NotFoundError, Page, StoreError, summary

KEPT = Capture(1, "c1", "/sdapi/v1/txt2img", {"prompt": "a cat", "seed": 3})
CALLER = Caller("POST", {})
ROW = {"id": "c1", "prompt": "a cat", "seed": 3, "error": None, "failure": None, "model": ""}


class Service:
    """The face of `app.Service` that questions use."""

    def __init__(self) -> None:
        self.revision = 4
        self.done: list[tuple[str, str]] = []
        self.trashed: list[dict[str, Any]] = []
        self.asked: list[tuple[int, str | None, bool]] = []
        self.broken: Exception | None = None
        self.refused = False
        self.state: dict[str, Any] = {"enabled": True, "waiting": 0, "last_failure": None}

    def page(self, limit: int, cursor: str | None = None, filters: Filters | None = None) -> Page:
        trashed = bool(filters and filters.trashed)
        self.asked.append((limit, cursor, trashed))
        if self.broken:
            raise self.broken
        return Page(self.trashed if trashed else [ROW], "7")

    def get(self, identity: str) -> Capture:
        if identity != "c1":
            raise NotFoundError(identity)
        return KEPT

    def request(self, identity: str) -> dict[str, Any]:
        if self.broken:
            raise self.broken
        return {"payload": self.get(identity).payload}

    def asset(self, sha256: str) -> tuple[str, bytes]:
        raise NotFoundError(sha256)

    def trash(self, identity: str) -> str:
        self.done.append(("trash", identity))
        return identity

    def restore(self, identity: str) -> dict[str, Any]:
        self.done.append(("restore", identity))
        return {"id": identity}

    def delete(self, identity: str) -> str:
        self.done.append(("delete", identity))
        return identity

    def empty_trash(self) -> int:
        self.done.append(("empty", ""))
        return 3

    blurs = False
    api_off = ""
    replays = SimpleNamespace(of=lambda capture: None)

    def summary(self, identity: str) -> dict[str, Any]:
        return summary(self.get(identity), None)

    def admit_page(self, caller: Caller, *, reads: bool) -> None:
        if self.refused and not reads:
            raise Refused(403, "strangers_refused", "strangers may not")

    def exported(self, identity: str) -> tuple[Capture, Any]:
        return self.get(identity), self.asset

    def of_generation(self, text: str) -> str | None:
        return "c1" if text == "known" else None

    def status(self) -> dict[str, Any]:
        return self.state


@pytest.fixture
def service() -> Service:
    return Service()


def ask(service: Service, name: str, **more: Any) -> dict[str, Any]:
    text = json.dumps({"id": 9, "do": name, **more})
    answer = questions.answer(service, text, CALLER)  # type: ignore[arg-type]
    made: dict[str, Any] = json.loads(answer)
    assert made.pop("id") == 9
    return made


def test_captures_are_told_once_and_then_only_what_changed(service: Service) -> None:
    first = ask(service, "captures", known=None, shown=120)
    assert (first["captures"][0]["id"], first["next"], first["notice"]) == ("c1", "7", "")
    assert ask(service, "captures", known=first["edition"]) == {"edition": first["edition"]}
    service.revision += 1
    assert "captures" in ask(service, "captures", known=first["edition"], shown=10**9)
    lists = [asked for asked in service.asked if asked[0] > 1]
    assert lists == [(120, None, False), (questions.MAX_PAGE, None, False)]


def test_the_trash_is_a_list_of_its_own(service: Service) -> None:
    assert ask(service, "captures")["trash"] is False
    service.trashed = [ROW | {"id": "c0"}]
    told = ask(service, "captures")
    assert (told["captures"][0]["id"], told["trash"]) == ("c1", True)
    assert ask(service, "captures", trash=True)["captures"][0]["id"] == "c0"
    assert ask(service, "older", cursor="7", trash=True)["captures"][0]["id"] == "c0"


def test_older_captures(service: Service) -> None:
    assert ask(service, "older", cursor="7")["captures"][0]["id"] == "c1"
    assert service.asked == [(questions.PAGE, "7", False)]


def test_the_notice_says_why_nothing_is_stored(service: Service) -> None:
    service.state.update(waiting=3, last_failure="the disk is full")
    assert ask(service, "captures")["notice"] == "3 captures wait in memory: the disk is full"
    service.state["enabled"] = False
    assert "switched off" in ask(service, "captures")["notice"]


def test_one_capture_and_its_texts(service: Service) -> None:
    assert ask(service, "capture", capture="c1")["capture"]["id"] == "c1"
    assert ask(service, "text", capture="c1", path=["prompt"]) == {"text": "a cat"}
    assert json.loads(ask(service, "payload", capture="c1")["text"]) == KEPT.payload
    assert Capture.from_json(ask(service, "document", capture="c1")["text"]) == KEPT
    assert ask(service, "thumbnails", sources=["ab", {"capture": "x", "path": []}]) == {
        "thumbnails": ["", ""]
    }


def test_what_becomes_of_a_capture(service: Service) -> None:
    assert ask(service, "trash", capture="c1") == {"trashed": "c1"}
    assert ask(service, "restore", capture="c1") == {"restored": "c1"}
    assert ask(service, "delete", capture="c1") == {"deleted": "c1"}
    assert ask(service, "empty") == {"deleted": 3}
    assert service.done == [("trash", "c1"), ("restore", "c1"), ("delete", "c1"), ("empty", "")]


def test_who_may_only_read_changes_nothing(service: Service) -> None:
    service.refused = True
    for name in ("trash", "restore", "delete", "empty"):
        assert ask(service, name, capture="c1") == {"error": "strangers may not"}
    assert service.done == []
    assert ask(service, "text", capture="c1", path=["prompt"]) == {"text": "a cat"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreError("the disk is full"), "the disk is full"),
        (FormatError("mask", "cannot be sent again"), "mask: cannot be sent again"),
        (NotFoundError("c1"), "This capture, or a picture of it, was deleted."),
        (ZeroDivisionError("oh"), "ZeroDivisionError: oh"),
    ],
)
def test_errors_are_answers(service: Service, error: Exception, words: str) -> None:
    service.broken = error
    assert ask(service, "payload", capture="c1") == {"error": words}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"id": 9}', '{"id": 9, "do": "exit"}'])
def test_what_is_no_question_gets_an_error(service: Service, text: str) -> None:
    assert "error" in json.loads(questions.answer(service, text, CALLER))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("info", "log", "told"),
    [
        ("known", "", {"id": "c1", "failed": False, "missing": ""}),
        ("", "", {"id": None, "failed": False}),
        ("", "<div class='error'>RuntimeError</div>", {"id": None, "failed": True}),
    ],
)
def test_the_job_on_the_page(service: Service, info: str, log: str, told: dict[str, Any]) -> None:
    assert json.loads(questions.of_generation(service, info, log, CALLER)) == told  # type: ignore[arg-type]


def test_a_job_without_a_capture_says_why(service: Service) -> None:
    def missing() -> str:
        told: str = json.loads(questions.of_generation(service, "x", "", CALLER))["missing"]  # type: ignore[arg-type]
        return told

    assert missing() == "This job was not captured."
    service.state["last_failure"] = "full"
    assert missing() == "This job was not captured. The last failure: full"
    service.state["enabled"] = False
    assert "switched off" in missing()
