"""What the page takes along of a capture, and the files that are dropped on it."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import zipfile
from typing import IO, Any

import pytest

from payload_capture import exports, taking
from payload_capture.capture import Asset, Capture, FormatError, reference
from payload_capture.imports import TooLargeError
from payload_capture.schemas import BadParameterError

from .page import picture

DATA = base64.b64decode(picture())
SHA = "cd" * 32
KEPT = Capture(
    1,
    "c1",
    "/sdapi/v1/img2img",
    {"prompt": "a fox", "seed": 3, "init_images": [reference(SHA)]},
    assets={SHA: Asset("image/png", len(DATA), 64, 64)},
)


class Service:
    """The face of `service.Service` that taking uses."""

    def __init__(self) -> None:
        self.uploads = taking.Uploads()
        self.taken: list[bytes] = []
        self.outcome: dict[str, Any] = {"imported": ["c2"], "known": [], "failed": []}
        self.kept = KEPT

    def exported(self, identity: str, form: str) -> tuple[Capture, exports.Fetch]:
        assert identity == "c1"
        short = {"prompt": "a fox"} if form == "minimal" else self.kept.payload
        return dataclasses.replace(self.kept, payload=short), lambda sha256: DATA

    def address(self, url: str) -> str:
        return url.replace("me.example", "127.0.0.1")

    def take(self, file: IO[bytes], endpoint: str | None) -> dict[str, Any]:
        self.taken.append(file.read())
        return self.outcome


@pytest.fixture(autouse=True)
def hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The capture's picture has a short name instead of its hash."""
    monkeypatch.setattr("payload_capture.capture.checked", lambda sha256, data: data)


@pytest.fixture
def service() -> Any:
    return Service()


def export(service: Any, **given: Any) -> dict[str, Any]:
    asked = {"capture": "c1", "format": "curl", "form": "exact", "beside": False, "whole": False}
    return taking.export(service, {**asked, "server": "http://me.example:7860", **given})


# ---- out


@pytest.mark.parametrize("form", exports.FORMATS)
def test_every_format_is_shown_and_taken(service: Any, form: str) -> None:
    shown = export(service, format=form)
    whole = export(service, format=form, whole=True)
    assert (shown["name"], shown["size"]) == (whole["name"], whole["size"])
    assert whole["text"].startswith(shown["text"])
    assert whole["cut"] is False
    assert ("data" in whole) == (form == "bundle")
    assert "data" not in shown


def test_the_address_is_the_pages_without_names(service: Any) -> None:
    text = export(service, whole=True)["text"]
    assert "http://127.0.0.1:7860" in text
    with pytest.raises(BadParameterError):
        export(service, server="file:///etc")


def test_minimal_is_asked_of_the_service(service: Any) -> None:
    text = export(service, format="payload", form="minimal")["text"]
    assert json.loads(text) == {"prompt": "a fox"}


def test_pictures_lie_beside_the_program_or_within(service: Any) -> None:
    within = export(service, format="python", whole=True)
    assert base64.b64encode(DATA).decode() in within["text"]
    assert within["files"] == []
    beside = export(service, format="python", beside=True, whole=True)
    assert base64.b64encode(DATA).decode() not in beside["text"]
    assert [name for name, _ in beside["files"]] == ["c1.py", "c1-input-1.png"]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(beside["data"]))) as archive:
        assert archive.read("c1-input-1.png") == DATA
        assert archive.read("c1.py").decode() == beside["text"]
    with pytest.raises(BadParameterError, match="holds its pictures itself"):
        export(service, format="har", beside=True)


def test_of_a_huge_text_the_beginning_is_shown(service: Any) -> None:
    service.kept = dataclasses.replace(KEPT, payload={"prompt": "x" * 10**6})
    shown = export(service, format="payload")
    assert (len(shown["text"]), shown["cut"]) == (taking.SHOWN, True)
    assert shown["size"] > 10**6
    assert len(export(service, format="payload", whole=True)["text"]) == shown["size"]


@pytest.mark.parametrize("given", [{"format": "exe"}, {"form": "short"}])
def test_what_there_is_not_names_what_there_is(service: Any, given: dict[str, str]) -> None:
    with pytest.raises(FormatError, match="is none of"):
        export(service, **given)


# ---- in


def send(service: Any, number: int, data: bytes, last: bool, name: str = "u") -> dict[str, Any]:
    text = base64.b64encode(data).decode()
    asked = {"upload": name, "number": number, "data": text, "last": last}
    return taking.upload(service, asked)


def test_a_file_comes_in_portions(service: Any) -> None:
    assert send(service, 0, b"one ", False) == {"received": 4}
    assert send(service, 0, b"another", False, "other") == {"received": 7}
    assert send(service, 1, b"two ", False) == {"received": 8}
    told = send(service, 2, b"three", True)
    assert told == {"imported": ["c2"], "known": [], "failed": [], "failures": 0}
    assert service.taken == [b"one two three"]


def test_the_first_faults_are_told_and_all_counted(service: Any) -> None:
    service.outcome["failed"] = [{"number": n, "message": "bad", "field": None} for n in range(99)]
    told = send(service, 0, b"x", True)
    assert (len(told["failed"]), told["failures"]) == (taking.MAX_FAILED, 99)


@pytest.mark.parametrize("numbers", [(1,), (0, 2), (0, 1, 1)])
def test_a_lost_portion_is_said(service: Any, numbers: tuple[int, ...]) -> None:
    *before, last = numbers
    for number in before:
        send(service, number, b"x", False)
    with pytest.raises(FormatError, match="drop it again"):
        send(service, last, b"x", False)
    assert send(service, 0, b"anew", True)["imported"] == ["c2"]


def test_too_large_a_file_is_refused(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MAX_UPLOAD", 10)
    send(service, 0, b"12345678", False)
    with pytest.raises(TooLargeError, match="a file of more than"):
        send(service, 1, b"9ab", True)
    assert service.taken == []


def test_what_never_ends_is_given_up(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(taking.MAX_OPEN + 2):
        send(service, 0, b"x", False, str(number))
    with pytest.raises(FormatError, match="lost"):
        send(service, 1, b"y", True, "0")
    monkeypatch.setattr(taking, "PATIENCE", -1.0)
    with pytest.raises(FormatError, match="lost"):
        send(service, 1, b"y", True, str(taking.MAX_OPEN + 1))


def test_what_is_no_base64_is_said(service: Any) -> None:
    asked = {"upload": "u", "number": 0, "data": "°", "last": True}
    with pytest.raises((FormatError, ValueError)):
        taking.upload(service, asked)
