"""Looking at a job, and what is told of it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from payload_replay import Cancelled, Progress, WebUI
from payload_replay.job import HURRY, INTERNAL, PROGRESS, Job, fields, look, running
from payload_replay.testing import FakeSession

pytestmark = pytest.mark.once

TXT2IMG = "/sdapi/v1/txt2img"


class Timed(FakeSession):
    """Remembers how long each request may take."""

    def __init__(self) -> None:
        super().__init__({INTERNAL: {"active": True}})
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        self.timeouts.append(given["timeout"])
        return super().send(request, **given)


@pytest.mark.parametrize("task", [None, "task(mine)"])
def test_a_look_is_over_in_time_whatever_the_client_allows(task: str | None) -> None:
    session = Timed()
    webui = WebUI("http://f", timeout=None, session=session)
    look(webui, task)
    assert session.timeouts == [HURRY]
    webui.progress()
    assert session.timeouts == [HURRY, None]


@pytest.mark.parametrize("task", [None, "task(mine)"])
def test_a_look_is_taken_once(task: str | None) -> None:
    refused = requests.ConnectTimeout("late")
    session = FakeSession({INTERNAL: refused, PROGRESS: refused})
    webui = WebUI("http://f", session=session, retries=3, backoff=0.001)
    with pytest.raises(Exception, match="no connection"):
        look(webui, task)
    assert len(session.requests) == 1


def test_an_event_ends_a_pause() -> None:
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(Cancelled, match="waited to be sent again"):
        Job(WebUI("http://f"), cancel=cancel).pause(10**6)


def test_whatever_else_says_so_ends_a_pause_too() -> None:
    class Third:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 2

    with pytest.raises(Cancelled):
        Job(WebUI("http://f"), cancel=Third(), every=0.01).pause(10**6)


@pytest.mark.parametrize("cancel", [None, threading.Event()])
def test_a_pause_that_nothing_ends(cancel: threading.Event | None) -> None:
    before = time.monotonic()
    Job(WebUI("http://f"), cancel=cancel, every=0.01).pause(0.1)
    assert time.monotonic() - before >= 0.1


@pytest.mark.parametrize(
    ("told", "task", "answer"),
    [
        ({"active": True}, "t", True),
        ({"active": False, "progress": 0.5}, "t", False),
        ({"progress": 0.0, "state": {"job_count": 0}}, None, False),
        ({"progress": 0.0, "state": {"job_count": 1}}, None, True),
        ({"progress": 0.5, "state": {"job_count": 1, "interrupted": True}}, None, False),
        ({}, None, False),
    ],
)
def test_what_counts_as_running(told: dict[str, Any], task: str | None, answer: bool) -> None:
    assert running(Progress.read(told, "p"), task) is answer


@pytest.mark.parametrize("schema", [None, [], {}, {"paths": {TXT2IMG: 3}}, {"paths": []}])
def test_a_schema_that_is_none(schema: Any) -> None:
    assert fields(schema, TXT2IMG) == {}
