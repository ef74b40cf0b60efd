"""Interrupt, skip, progress and the queue, on a host that takes its time."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from standin_client import Client

from webui_standin import Process

SLOW: dict[str, Any] = {"prompt": "hills", "steps": 8, "width": 64, "height": 64, "seed": 3}
LONG = {**SLOW, "steps": 30}
"""Three seconds: time enough to look at it and to stop it, on a busy machine too."""


@pytest.fixture(scope="module")
def slow() -> Iterator[Client]:
    with Process(flags=["--seconds-per-step", "0.1"]) as host:
        yield Client(host)
        assert host.errors() == []


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return found


def state(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/sdapi/v1/progress")["state"]
    return found


def test_progress_grows(slow: Client, pool: ThreadPoolExecutor) -> None:
    running = pool.submit(slow.result, "txt2img", LONG)
    until(lambda: state(slow)["sampling_step"] >= 2)
    first = slow.get("/sdapi/v1/progress")
    assert 0 < first["progress"] < 1
    assert first["state"]["job"] == "scripts_txt2img"
    assert first["eta_relative"] > 0
    running.result()
    assert slow.get("/sdapi/v1/progress")["progress"] == 0


def test_interrupt_ends_the_job_early(slow: Client, pool: ThreadPoolExecutor) -> None:
    whole = slow.hashes(LONG)
    running = pool.submit(slow.hashes, {**LONG, "n_iter": 3})
    until(lambda: state(slow)["sampling_step"] >= 2)
    slow.post("interrupt", None)
    drawn = running.result()
    assert len(drawn) == 1
    assert drawn != whole, "an interrupted picture isn't the whole one"
    assert slow.hashes(LONG) == whole


def test_interrupted_picture_is_saved_on_request_only(
    slow: Client, pool: ThreadPoolExecutor
) -> None:
    for wanted in (False, True):
        slow.options(save_incomplete_images=wanted)
        before = set((slow.host.data_dir / "outputs").rglob("*.png"))
        running = pool.submit(slow.hashes, {**LONG, "save_images": True})
        until(lambda: state(slow)["sampling_step"] >= 2)
        slow.post("interrupt", None)
        assert len(running.result()) == 1, "it is answered in any case"
        saved = set((slow.host.data_dir / "outputs").rglob("*.png")) - before
        assert len(saved) == wanted
    slow.options(save_incomplete_images=False)


def test_interrupt_in_the_first_pass_ends_before_the_second(
    slow: Client, pool: ThreadPoolExecutor
) -> None:
    hires = {"enable_hr": True, "denoising_strength": 0.5, "hr_additional_modules": []}
    running = pool.submit(slow.pictures, {**LONG, **hires})
    until(lambda: state(slow)["sampling_step"] >= 2)
    slow.post("interrupt", None)
    assert running.result()[0].size == (64, 64)


def test_skip_goes_on_with_the_next(slow: Client, pool: ThreadPoolExecutor) -> None:
    running = pool.submit(slow.hashes, {**LONG, "n_iter": 2})
    until(lambda: state(slow)["sampling_step"] >= 2)
    slow.post("skip", None)
    drawn = running.result()
    assert len(drawn) == 2
    assert drawn[1] == slow.hashes({**LONG, "seed": 4})[0]


def test_jobs_wait_for_each_other_in_order(slow: Client, pool: ThreadPoolExecutor) -> None:
    ended: list[str] = []
    lock = threading.Lock()

    def job(name: str) -> None:
        payload = LONG if name == "first" else SLOW
        slow.result("txt2img", {**payload, "force_task_id": f"task({name})"})
        with lock:
            ended.append(name)

    names = ["first", "second", "third"]
    jobs = []
    for number, name in enumerate(names):
        jobs.append(pool.submit(job, name))
        if number:
            until(functools.partial(waits, slow, number))
        until(lambda: state(slow)["job_count"] > 0)
    asked = slow.answer("POST", "/internal/progress", json={"id_task": "task(third)"}).json()
    assert (asked["queued"], asked["active"], asked["textinfo"]) == (True, False, "In queue: 2/2")
    for running in jobs:
        running.result()
    assert ended == names


def waits(client: Client, number: int) -> bool:
    return bool(client.get("/internal/pending-tasks")["size"] == number)
