"""The asynchronous client is the other one, awaited."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from concurrent.futures import TimeoutError as Late
from typing import Any

import pytest

import event_loop
from payload_replay import AsyncWebUI, Cancelled, Progress, ServerError, WebUI
from payload_replay.testing import Answer, FakeSession, Request, drawn

pytestmark = pytest.mark.once

TXT2IMG = "/sdapi/v1/txt2img"
SYNCHRONOUS = {"close"}
"""What `AsyncWebUI` has under another name: `aclose`."""


class Slow:
    """A generation that lasts until the server is interrupted, or `looks` were taken at it."""

    def __init__(self, looks: int = 10**6) -> None:
        self.began, self.over = threading.Event(), threading.Event()
        self.looks = looks
        self.interrupted = False
        routes = {
            TXT2IMG: self.generate,
            "/sdapi/v1/progress": self.progress,
            "/sdapi/v1/interrupt": self.interrupt,
        }
        self.session = FakeSession(routes)

    def generate(self, request: Request) -> Any:
        self.began.set()
        self.over.wait(20)
        return drawn(request)

    def progress(self, _: Request) -> Any:
        self.looks -= 1
        if self.looks <= 0:
            self.over.set()
        return {"progress": 0.5, "state": {"job_count": 1}}

    def interrupt(self, _: Request) -> Any:
        self.interrupted = True
        self.over.set()

    def client(self) -> AsyncWebUI:
        return AsyncWebUI(WebUI("http://fake", session=self.session))


def public(kind: type) -> dict[str, Any]:
    methods = {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}
    return {name: method for name, method in methods.items() if inspect.isfunction(method)}


def test_every_method_is_there_with_its_arguments() -> None:
    webui = AsyncWebUI("http://fake")
    for name, method in public(WebUI).items():
        if name in SYNCHRONOUS:
            continue
        likeness = getattr(webui, name)
        assert inspect.iscoroutinefunction(likeness), name
        assert likeness.__doc__ == method.__doc__
        mine, theirs = inspect.signature(likeness), inspect.signature(method)
        assert mine.parameters == theirs.parameters


def test_it_answers_the_same() -> None:
    async def main() -> None:
        async with AsyncWebUI(WebUI("http://fake", session=FakeSession())) as webui:
            made, models, options = await asyncio.gather(
                webui.txt2img({"prompt": "a cat"}), webui.models(), webui.options()
            )
            assert made == webui.sync.txt2img({"prompt": "a cat"})
            assert models[0].model_name == "fake"
            assert options == await webui.run(lambda sync: sync.options())

    event_loop.run(main())


def test_errors_come_out() -> None:
    session = FakeSession({TXT2IMG: Answer(500, {"error": "E"})})

    async def main() -> None:
        async with AsyncWebUI(WebUI("http://fake", session=session)) as webui:
            await webui.txt2img({})

    with pytest.raises(ServerError, match="E"):
        event_loop.run(main())


def test_generations_run_side_by_side_and_the_loop_goes_on() -> None:
    meeting = threading.Barrier(12, timeout=20)

    def generate(request: Request) -> Any:
        meeting.wait()
        return drawn(request)

    async def main() -> None:
        session = FakeSession({TXT2IMG: generate})
        async with AsyncWebUI(WebUI("http://fake", session=session)) as webui:
            made = await asyncio.gather(*(webui.txt2img({"seed": n}) for n in range(12)))
        assert [one.seeds for one in made] == [[n] for n in range(12)]

    event_loop.run(main())


def test_a_cancelled_task_stops_the_server() -> None:
    slow = Slow()

    async def main() -> None:
        async with slow.client() as webui:
            task = asyncio.create_task(webui.txt2img({}, every=0.02))
            await asyncio.to_thread(slow.began.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert slow.interrupted

    event_loop.run(main())


def test_a_timeout_stops_the_server() -> None:
    slow = Slow()

    async def main() -> None:
        async with slow.client() as webui:
            task = asyncio.create_task(webui.txt2img({}, every=0.02))
            await asyncio.to_thread(slow.began.wait, 20)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(task, 0.1)

    event_loop.run(main())
    assert slow.interrupted


def test_an_event_stops_it_too() -> None:
    slow, cancel = Slow(), threading.Event()

    async def main() -> None:
        async with slow.client() as webui:
            task = asyncio.create_task(webui.txt2img({}, cancel=cancel, every=0.02))
            await asyncio.to_thread(slow.began.wait, 20)
            cancel.set()
            with pytest.raises(Cancelled):
                await task

    event_loop.run(main())


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_progress_is_told_in_the_loop(kind: str) -> None:
    slow = Slow(looks=4)
    seen: list[tuple[threading.Thread, float]] = []

    def tell(progress: Progress) -> None:
        seen.append((threading.current_thread(), progress.fraction))

    async def told(progress: Progress) -> None:
        await asyncio.sleep(0)
        tell(progress)

    async def main() -> threading.Thread:
        async with slow.client() as webui:
            await webui.txt2img({}, progress=tell if kind == "function" else told, every=0.01)
        return threading.current_thread()

    loops = event_loop.run(main())
    assert len(seen) >= 3
    assert set(seen) == {(loops, 0.5)}


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.TimeoutError, TimeoutError, Late])
def test_what_progress_raises_comes_out(error: type[Exception]) -> None:
    slow = Slow()

    async def tell(_: Progress) -> None:
        slow.over.set()
        raise error

    async def main() -> None:
        async with slow.client() as webui:
            await webui.txt2img({}, progress=tell, every=0.01)

    with pytest.raises(error):
        event_loop.run(main())


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@event_loop.apart
def test_a_loop_that_ends_leaves_no_thread_waiting() -> None:
    slow = Slow()
    loop = asyncio.new_event_loop()
    webui = slow.client()

    async def main() -> asyncio.Task[Any]:
        task = loop.create_task(webui.txt2img({}, progress=lambda _: None, every=0.01))
        await asyncio.to_thread(slow.began.wait, 20)
        return task

    task = loop.run_until_complete(main())
    while slow.looks == 10**6:  # until a callback is due, which the loop will never run
        time.sleep(0.01)
    loop.close()
    slow.over.set()
    webui._threads.shutdown(wait=True)  # which is what must come back
    assert not task.done()


def test_context_variables_reach_the_session() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    seen: list[str] = []
    session = FakeSession({"/sdapi/v1/options": lambda _: seen.append(name.get())})

    async def main() -> None:
        name.set("mine")
        async with AsyncWebUI(WebUI("http://fake", session=session)) as webui:
            await webui.call("GET", "/sdapi/v1/options")

    event_loop.run(main())
    assert seen == ["mine"]
