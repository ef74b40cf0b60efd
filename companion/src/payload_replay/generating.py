"""Sending a generation: watched while it runs, stopped when that is wanted, never begun twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import codec, job
from .answers import parsed
from .errors import Cancelled, ReplayError, UnexpectedAnswer
from .job import Cancel, Job, OnProgress

if TYPE_CHECKING:
    from .client import WebUI

Answer = dict[str, Any]


def post(
    webui: WebUI,
    endpoint: str,
    payload: Mapping[str, Any],
    progress: OnProgress | None,
    cancel: Cancel | None,
    every: float,
) -> Answer:
    """See `payload_replay.WebUI.post`."""
    if cancel is not None and cancel.is_set():
        raise Cancelled("cancelled before anything was sent")
    task = _task(webui, endpoint, payload)
    if task is not None:
        payload = {**payload, "force_task_id": task}
    running = Job(webui, progress, cancel, task, every)
    try:
        if progress is None and cancel is None:
            return _answer(webui, endpoint, payload, running)
        return _watched(running, lambda: _answer(webui, endpoint, payload, running))
    except KeyboardInterrupt:
        running.stop_at_once()
        raise


def _task(webui: WebUI, endpoint: str, payload: Mapping[str, Any]) -> str | None:
    """The id of this generation: the payload's own, or a new one where the server takes one."""
    given = payload.get("force_task_id")
    if isinstance(given, str) and given:
        return given
    if not webui.track:
        return None
    try:
        schema = webui.schema
    except ReplayError as error:
        job.complain(webui, error)
        return None
    return job.new_task() if "force_task_id" in job.fields(schema, endpoint) else None


def _watched(running: Job, send: Callable[[], Answer]) -> Answer:
    try:
        with running:
            answer = send()
    except Cancelled:  # between two tries, of which the first may have begun
        if running.task is not None:
            running.stop_at_once()
        raise
    except ReplayError as error:
        if running.interrupted:
            raise Cancelled(f"the generation was stopped as asked: {error}") from error
        raise
    if running.failure is not None:
        raise running.failure
    if running.interrupted:
        raise Cancelled("the generation was stopped as asked", answer)
    return answer


def _answer(webui: WebUI, endpoint: str, payload: Mapping[str, Any], running: Job) -> Answer:
    """The answer; where it got lost on the way, and its task never began, that to another try."""
    retry = dataclasses.replace(webui.retry, sleep=running.pause)

    def unknown() -> bool:
        """Whether the server has no such task; as long as it does not say so, it may have begun."""
        try:
            return not job.known(webui, str(running.task), retry)
        except Cancelled:
            raise
        except ReplayError:
            return False

    again = None if running.task is None else unknown
    reply = webui.send("POST", endpoint, payload, retry=retry, again=again)
    return _object(parsed(reply, endpoint, codec.loads_pictures), endpoint)


def _object(answer: Any, endpoint: str) -> Answer:
    if not isinstance(answer, dict):
        raise UnexpectedAnswer(f"{endpoint} gave a {type(answer).__name__}, not an object")
    if "error" in answer and "images" not in answer:
        words = answer.get("errors") or answer.get("detail") or answer["error"]
        raise UnexpectedAnswer(f"{endpoint} answered 200 with an error inside: {words}")
    return answer
