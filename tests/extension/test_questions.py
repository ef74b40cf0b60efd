"""What the page's script asks, answered over a service with a real store."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from payload_capture import questions
from payload_capture.auth import Caller, Refused
from payload_capture.capture import AssetError, Capture, FormatError, Result
from payload_capture.imports import TooLargeError
from payload_capture.schemas import BadParameterError
from payload_capture.store import NotFoundError, StoreError, summary

KEPT = Capture(
    1,
    "c1",
    "/sdapi/v1/txt2img",
    {"prompt": "a cat", "seed": 3},
    results=[Result("ef" * 32, 64, 64, "sample", infotext="a cat\nSteps: 20")],
)
CALLER = Caller("POST", {})


class Service:
    """The face of `service.Service` that questions use."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.broken: Exception | None = None
        self.refused = False
        self.state: dict[str, Any] = {"enabled": True, "waiting": 0, "last_failure": None}

    def get(self, identity: str) -> Capture:
        if identity != "c1":
            raise NotFoundError(identity)
        return KEPT

    def summary(self, identity: str) -> dict[str, Any]:
        return summary(self.get(identity), None)

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

    def admit_page(self, caller: Caller, *, reads: bool) -> None:
        if self.refused and not reads:
            raise Refused(403, "strangers_refused", "strangers may not")

    def exported(self, identity: str, form: str) -> tuple[Capture, Any]:
        return self.get(identity), self.bytes_of

    def bytes_of(self, sha256: str) -> bytes:
        raise AssetError(sha256, "lost")

    def address(self, url: str) -> str:
        return url

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


def test_one_capture_and_its_texts(service: Service) -> None:
    shown = ask(service, "capture", capture="c1")["capture"]
    edited = {"title": "", "note": "", "tags": [], "starred": False, "trashed": None}
    assert (shown["id"], shown["edited"]) == ("c1", edited)
    place = {"capture": "c1", "root": "payload", "path": ["prompt"]}
    assert ask(service, "text", **place) == {"text": "a cat"}
    part = ask(service, "branch", **place | {"path": []}, start=1, stop=2)
    assert part == {"entries": [["seed", {"value": "3"}]]}
    told = ask(service, "find", capture="c1", words="CAT")
    assert told == {"count": 1, "hits": [{"path": ["prompt"], "at": [0]}]}
    assert ask(service, "infotext", capture="c1", result=0) == {"text": "a cat\nSteps: 20"}
    assert json.loads(ask(service, "payload", capture="c1")["text"]) == KEPT.payload
    asked = {"capture": "c1", "format": "json", "form": "exact", "beside": False, "whole": True}
    text = ask(service, "export", **asked, server="http://127.0.0.1:7860")["text"]
    assert Capture.from_json(text) == KEPT
    sources = ["ab", {"capture": "x", "root": "payload", "path": []}]
    assert ask(service, "thumbnails", sources=sources) == {"thumbnails": ["", ""]}
    assert ask(service, "large", source="ab") == {"picture": ""}


def test_what_becomes_of_a_capture(service: Service) -> None:
    for name in ("trash", "restore", "delete"):
        assert ask(service, name, captures=["c1"])["done"] == ["c1"]
    assert ask(service, "empty") == {"deleted": 3}
    assert service.done == [("trash", "c1"), ("restore", "c1"), ("delete", "c1"), ("empty", "")]


def test_who_may_only_read_changes_nothing(service: Service) -> None:
    service.refused = True
    for name in ("edit", "trash", "restore", "delete", "empty", "upload"):
        assert ask(service, name, captures=["c1"]) == {"error": "strangers may not"}
    assert service.done == []
    assert ask(service, "find", capture="c1", words="dog") == {"count": 0, "hits": []}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreError("the disk is full"), "the disk is full"),
        (TooLargeError("a file of more than 256 MiB"), "a file of more than 256 MiB"),
        (BadParameterError("server", "is no address"), "server: is no address"),
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


def test_the_job_on_the_page(service: Service) -> None:
    assert ask(service, "generation", info="known") == {"capture": "c1", "missing": ""}


def test_a_job_without_a_capture_says_why(service: Service) -> None:
    def missing() -> str:
        told: str = ask(service, "generation", info="x")["missing"]
        return told

    assert missing() == "This job was not captured."
    service.state["last_failure"] = "full"
    assert missing() == "This job was not captured. The last failure: full"
    service.state["enabled"] = False
    assert "switched off" in missing()
