"""A generation on its way: progress, stopping, and what becomes of a lost answer."""

from __future__ import annotations

import _thread
import base64
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image
from urllib3.exceptions import ProtocolError

from fake_webui import API, NO_ROUTE, Answer, FakeWebUI, Request, png
from payload_replay import Cancelled, Progress, ServerError, WebUI, testing
from payload_replay.errors import ConnectionFailed, ConnectionLost, Timeout
from payload_replay.job import INTERNAL
from payload_replay.retry import Retry
from payload_replay.testing import FakeSession

pytestmark = pytest.mark.once

TXT2IMG = f"{API}/txt2img"
INTERRUPT = f"{API}/interrupt"
PREVIEW = base64.b64encode(png(Image.new("RGB", (5, 4)))).decode()
SCHEMA = {
    "paths": {
        TXT2IMG: {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}
                }
            }
        }
    },
    "components": {"schemas": {"T": {"properties": {"force_task_id": {}, "prompt": {}}}}},
}


class Busy(FakeWebUI):  # type: ignore[misc]
    """A webui that generates until it is interrupted, or `steps` looks were taken at it."""

    def __init__(self, steps: int = 10**6, ids: bool = True) -> None:
        super().__init__()
        self.steps, self.step = steps, 0
        self.begun, self.over = threading.Event(), threading.Event()
        self.interrupted = False
        self.queue: list[str] = []
        self.task: str | None = None
        """The running one; those in `queue` have to wait for another to end."""
        if ids:
            self.answer("GET", "/openapi.json", body=SCHEMA)

    def respond(self, request: Request) -> Answer:
        if request.path == TXT2IMG:
            self.task = request.json.get("force_task_id", "")
            self.begun.set()
            self.over.wait(30)
            self.task = None
        if request.path == INTERRUPT and not self.queue:
            self.asked.append(request)
            self.interrupted = True
            self.over.set()
            return Answer(body={})
        if request.path == f"{API}/progress":
            self.asked.append(request)
            told = self.progress()
            return self.answers.get(("GET", request.path), Answer(body=told))
        if request.path == INTERNAL:
            self.asked.append(request)
            return Answer(body=self.progress_of(request.json["id_task"]))
        return super().respond(request)

    def progress(self) -> dict[str, Any]:
        self.begun.wait(30)  # the first look may overtake the generation
        self.step += 1
        if self.step >= self.steps:
            self.over.set()
        state = {"job_count": 1, "job": "x", "sampling_step": self.step, "sampling_steps": 20}
        state["interrupted"] = self.interrupted
        return {
            "progress": 0.1,
            "eta_relative": 3.0,
            "state": state if self.task is not None else {"job_count": 0},
            "current_image": PREVIEW,
        }

    def progress_of(self, task: str) -> dict[str, Any]:
        told = self.progress()
        known = {"active": task == self.task and not self.queue, "queued": bool(self.queue)}
        return {**known, "completed": False, "progress": told["progress"], "live_preview": PREVIEW}


class Late:
    """Is set once the generation has begun."""

    def __init__(self, busy: Busy) -> None:
        self.busy = busy

    def is_set(self) -> bool:
        return self.busy.task is not None


@pytest.fixture
def busy() -> Iterator[Busy]:
    with Busy() as server:
        yield server
        server.over.set()


def test_progress_with_previews(busy: Busy) -> None:
    busy.steps = 3
    seen: list[Progress] = []
    made = WebUI(busy.url).txt2img({"prompt": "a cat"}, progress=seen.append, every=0.01)
    assert len(made.images) == 1
    assert [(one.step, one.steps, one.eta) for one in seen][:2] == [(1, 20, 3.0), (2, 20, 3.0)]
    assert seen[0].preview is not None
    assert busy.bodies("POST", TXT2IMG) == [{"prompt": "a cat"}]


def test_progress_of_this_task_alone(busy: Busy) -> None:
    busy.steps = 3
    seen: list[Progress] = []
    WebUI(busy.url, track=True).txt2img({"prompt": "x"}, progress=seen.append, every=0.01)
    (sent,) = busy.bodies("POST", TXT2IMG)
    assert sent == {"prompt": "x", "force_task_id": sent["force_task_id"]}
    assert {body["id_task"] for body in busy.bodies("POST", INTERNAL)} == {sent["force_task_id"]}
    assert seen[0]["active"] is True
    assert seen[0].preview is not None


def test_an_id_of_ones_own_is_used_as_it_is(busy: Busy) -> None:
    busy.steps = 2
    payload = {"force_task_id": "task(mine)"}
    WebUI(busy.url).txt2img(payload, progress=lambda _: None, every=0.01)
    assert busy.bodies("POST", TXT2IMG) == [payload]
    assert busy.bodies("POST", INTERNAL)[0]["id_task"] == "task(mine)"


@pytest.mark.parametrize("answer", [NO_ROUTE, Answer(body={"paths": {}}), Answer(body=[])])
def test_a_server_that_does_not_know_ids_gets_none(fake: FakeWebUI, answer: Answer) -> None:
    fake.answers["GET", "/openapi.json"] = answer
    WebUI(fake.url, track=True).txt2img({"prompt": "x"})
    assert fake.bodies("POST", TXT2IMG) == [{"prompt": "x"}]


def test_what_the_callback_raises_comes_out_at_the_end(busy: Busy) -> None:
    calls: list[Progress] = []

    def tell(progress: Progress) -> None:
        calls.append(progress)
        busy.over.set()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        WebUI(busy.url).txt2img({}, progress=tell, every=0.01)
    assert len(calls) == 1
    assert len(busy.bodies("POST", TXT2IMG)) == 1


def test_progress_that_cannot_be_had_harms_nothing(
    busy: Busy, caplog: pytest.LogCaptureFixture
) -> None:
    busy.steps = 3
    busy.answers["GET", f"{API}/progress"] = NO_ROUTE
    seen: list[Progress] = []
    WebUI(busy.url).txt2img({}, progress=seen.append, every=0.01)
    assert seen == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("track", [False, True])
def test_cancel_stops_the_server(busy: Busy, track: bool) -> None:
    with pytest.raises(Cancelled, match="stopped as asked") as raised:
        WebUI(busy.url, track=track).txt2img({}, cancel=Late(busy), every=0.02)
    assert busy.interrupted
    assert raised.value.answer is not None
    assert len(raised.value.answer["images"]) == 1


def test_a_server_that_fails_when_it_is_stopped(busy: Busy) -> None:
    busy.fails_with = "interrupted"
    with pytest.raises(Cancelled, match="interrupted") as raised:
        WebUI(busy.url).txt2img({}, cancel=Late(busy), every=0.02)
    assert raised.value.answer is None


def test_cancelled_before_it_began(fake: FakeWebUI, webui: WebUI) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="before anything was sent"):
        webui.txt2img({}, cancel=cancel)
    assert fake.asked == []


def test_cancel_that_nobody_sets_changes_nothing(webui: WebUI, fake: FakeWebUI) -> None:
    assert len(webui.txt2img({}, cancel=threading.Event()).images) == 1
    assert [request.path for request in fake.asked] == [TXT2IMG]


def test_while_it_waits_in_the_queue_no_other_job_is_stopped(busy: Busy) -> None:
    busy.queue = ["task(another)"]
    looked = threading.Event()

    class Looking(Late):
        def is_set(self) -> bool:
            if busy.step > 3:
                looked.set()
            return super().is_set()

    def ends() -> None:
        looked.wait(30)
        busy.queue = []

    thread = threading.Thread(target=ends)
    thread.start()
    with pytest.raises(Cancelled):
        WebUI(busy.url, track=True).txt2img({}, cancel=Looking(busy), every=0.02)
    thread.join()
    assert busy.interrupted
    assert len(busy.bodies_of(INTERRUPT)) == 1  # none too early


def test_control_c_stops_the_server(busy: Busy) -> None:
    def press() -> None:
        while busy.task is None:
            time.sleep(0.01)
        _thread.interrupt_main()
        busy.over.wait(30)

    threading.Thread(target=press, daemon=True).start()

    class Interrupted(requests.Session):
        """Python raises KeyboardInterrupt between two bytecodes, so not inside a blocked read."""

        def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
            if not str(url).endswith("txt2img"):
                return super().request(method, url, *args, **kwargs)
            sending = threading.Thread(
                target=super().request, args=(method, url, *args), kwargs=kwargs, daemon=True
            )
            sending.start()
            while sending.is_alive():
                sending.join(0.01)
            raise AssertionError("was not interrupted")

    with pytest.raises(KeyboardInterrupt):
        WebUI(busy.url, session=Interrupted()).txt2img({})
    assert busy.interrupted


LOST = requests.ConnectionError(ProtocolError("Connection aborted."))
REFUSED = requests.ConnectTimeout("refused")


def lossy(known: Any, *faults: Any) -> tuple[WebUI, FakeSession]:
    """A server that loses its first answers, and says this of their task afterwards."""
    left = list(faults)

    def generate(request: testing.Request) -> Any:
        return left.pop(0) if left else testing.drawn(request)

    routes = {TXT2IMG: generate, "/openapi.json": SCHEMA, INTERNAL: known}
    session = FakeSession(routes)
    return WebUI("http://f", session=session, retries=2, backoff=0.001, track=True), session


UNKNOWN = {"active": False, "queued": False, "completed": False}


@pytest.mark.parametrize("fault", [LOST, testing.Answer(502), testing.Answer(504)])
def test_a_task_that_never_began_is_sent_again(fault: Any) -> None:
    webui, session = lossy(UNKNOWN, fault, fault)
    assert len(webui.txt2img({"prompt": "x"}).images) == 1
    ids = [body["force_task_id"] for body in session.sent(TXT2IMG)]
    assert len(ids) == 3
    assert len(set(ids)) == 1


@pytest.mark.parametrize("state", ["active", "queued", "completed"])
@pytest.mark.parametrize("fault", [LOST, testing.Answer(504)])
def test_a_task_that_began_is_not(state: str, fault: Any) -> None:
    webui, session = lossy(UNKNOWN | {state: True}, fault)
    with pytest.raises((ConnectionLost, ServerError)):
        webui.txt2img({})
    assert len(session.sent(TXT2IMG)) == 1


@pytest.mark.parametrize("told", [testing.Answer(500), LOST, testing.Answer(404), []])
def test_nor_one_of_which_the_server_does_not_tell(told: Any) -> None:
    webui, session = lossy(told, LOST)
    with pytest.raises(ConnectionLost):
        webui.txt2img({})
    assert len(session.sent(TXT2IMG)) == 1


def test_an_error_of_the_generation_is_no_lost_answer() -> None:
    webui, session = lossy(UNKNOWN, testing.Answer(500, {"error": "OutOfMemoryError"}))
    with pytest.raises(ServerError, match="OutOfMemoryError"):
        webui.txt2img({})
    assert len(session.sent(TXT2IMG)) == 1


@pytest.mark.parametrize("fault", [LOST, REFUSED, testing.Answer(503)])
def test_all_tries_together_are_as_many_as_allowed(fault: Any) -> None:
    webui, session = lossy(UNKNOWN, *[fault] * 9)
    with pytest.raises((ConnectionFailed, ServerError, Timeout)):
        webui.txt2img({})
    assert len(session.sent(TXT2IMG)) == 3


def test_tries_that_fail_in_turns_are_counted_together() -> None:
    webui, session = lossy(UNKNOWN, REFUSED, LOST, REFUSED, LOST)
    with pytest.raises(Timeout):
        webui.txt2img({})
    assert len(session.sent(TXT2IMG)) == 3


def test_what_the_server_asks_for_is_waited_before_a_task_is_sent_again() -> None:
    webui, session = lossy(UNKNOWN, testing.Answer(503, headers={"Retry-After": "0"}))
    webui.retry = Retry(1, 60)
    webui.txt2img({})
    assert len(session.sent(TXT2IMG)) == 2


class Set:
    """A cancel that is set once the generation has been sent."""

    def __init__(self, session: FakeSession) -> None:
        self._session = session

    def is_set(self) -> bool:
        return bool(self._session.sent(TXT2IMG))


@pytest.mark.parametrize("track", [False, True])
def test_cancel_ends_the_pause_before_another_try(track: bool) -> None:
    webui, session = lossy(UNKNOWN, *[REFUSED] * 4)
    webui.retry, webui.track = Retry(3, 60), track
    with pytest.raises(Cancelled, match="waited to be sent again") as raised:
        webui.txt2img({}, cancel=Set(session), every=0.01)
    assert raised.value.answer is None
    assert len(session.sent(TXT2IMG)) == 1
    assert session.sent(INTERRUPT) == []


def test_what_began_before_its_answer_got_lost_is_stopped() -> None:
    webui, session = lossy({"active": True}, LOST)
    webui.retry = Retry(3, 60)
    with pytest.raises(Cancelled):
        webui.txt2img({}, cancel=Set(session), every=60)
    assert len(session.sent(TXT2IMG)) == len(session.sent(INTERRUPT)) == 1


def test_a_schema_that_could_not_be_had_is_asked_for_again() -> None:
    webui, session = lossy(UNKNOWN)
    session.routes["/openapi.json"] = testing.Answer(500)
    webui.txt2img({})
    session.routes["/openapi.json"] = SCHEMA
    webui.txt2img({})
    webui.txt2img({})
    ids = [payload.get("force_task_id") for payload in session.sent(TXT2IMG)]
    assert [bool(one) for one in ids] == [False, True, True]
    assert len(session.sent("/openapi.json")) == 2
