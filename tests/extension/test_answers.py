"""What every route answers with."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

import event_loop
from payload_capture import answers
from payload_capture.auth import CHALLENGE, Refused
from payload_capture.capture import AssetError, FormatError
from payload_capture.events import Events, stream
from payload_capture.imports import TooLargeError
from payload_capture.pages import CursorError
from payload_capture.records import TagError
from payload_capture.runs import RunError
from payload_capture.schemas import BadParameterError
from payload_capture.store import NotFoundError, RevisionError, StoreError


def request(**path: str) -> Any:
    return SimpleNamespace(headers={}, path_params=path)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
        ("", False),
    ],
)
def test_which_state_a_header_names(header: str | None, known: bool) -> None:
    assert answers.matches(header, '"a"') is known


@pytest.mark.parametrize(
    ("error", "path", "told"),
    [
        (Refused(401, "unauthorized", "x"), {}, (401, "unauthorized", None)),
        (RunError(409, "api_off", "x", "f"), {}, (409, "api_off", "f")),
        (BadParameterError("limit", "x"), {}, (400, "bad_parameter", "limit")),
        (CursorError("x"), {}, (400, "bad_parameter", "cursor")),
        (TagError("x"), {"id": "c"}, (400, "bad_parameter", "tags")),
        (RevisionError("x"), {"id": "c"}, (412, "changed", "If-Match")),
        (answers.MethodError("PUT", ["GET"]), {}, (405, "method_not_allowed", None)),
        (TooLargeError("x"), {}, (413, "too_large", "body")),
        (NotFoundError("c"), {"id": "c"}, (404, "not_found", "id")),
        (NotFoundError("c"), {}, (404, "not_found", None)),
        (NotFoundError("c/results/9"), {"id": "c", "n": "9"}, (404, "not_found", "n")),
        (FormatError("payload.x", "x"), {}, (422, "invalid_document", "payload.x")),
        (FormatError("payload.x", "x"), {"id": "c"}, (409, "not_replayable", "payload.x")),
        (AssetError("assets.a", "x"), {"id": "c"}, (409, "picture_missing", "assets.a")),
        (StoreError("x"), {}, (503, "store_unavailable", None)),
        (ZeroDivisionError("x"), {}, (500, "internal", None)),
    ],
)
def test_every_error_has_its_status(
    error: Exception, path: dict[str, str], told: tuple[int, str, str | None]
) -> None:
    status, code, message, field = answers.explained(error, request(**path))
    assert (status, code, field) == told
    assert message


def test_what_nobody_thought_of_is_told_to_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        raise ZeroDivisionError("nobody thought of it")
    assert answers.failed(raised.value, request()).status_code == 500
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "nobody thought of it" in told


def test_a_refusal_asks_for_a_password() -> None:
    made = answers.failed(Refused(401, "unauthorized", "x"), request())
    assert made.headers["www-authenticate"] == CHALLENGE


def test_a_name_beyond_ascii_can_be_downloaded() -> None:
    made = answers.download('é".sh', "text/plain", b"x")
    assert made.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9%22.sh"


def test_who_goes_while_it_is_written_to_listens_no_more() -> None:
    happening = Events()
    response = answers.events(stream(happening, None, lambda: False))

    async def listen() -> int:
        going = asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                going.set()
                await asyncio.Event().wait()

        async def receive() -> dict[str, str]:
            await going.wait()
            assert happening.listeners() == 1
            return {"type": "http.disconnect"}

        await response({"type": "http"}, receive, send)
        return happening.listeners()

    assert event_loop.run(listen()) == 0
