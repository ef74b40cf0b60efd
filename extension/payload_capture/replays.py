"""Captures sent back to the webui that made them, one after the other, and what came of it.

A replay runs in a thread of its own, through the webui's standard endpoint and queue, as if a
client had sent it: settings are put back, pictures compared by their pixels, and the reason is
said in words. The thread ends when nothing waits. What somebody stopped, here or on the page, has
no verdict: half a generation says nothing of the capture.
"""

from __future__ import annotations

import collections
import dataclasses
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from payload_capture.capture import Capture
from payload_capture.outcomes import Outcome, Outcomes, outcome
from payload_capture.pictures import encoded_type
from payload_capture.runs import RunError

if TYPE_CHECKING:
    from payload_capture.shared.client import WebUI

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
TASK = "force_task_id"
"""The field by which a request names its job, of webuis that have it (A1111 v1.8.0 and later)."""
NOT_REPLAYABLE = "not_replayable"
"""The code of the error that refuses a capture."""
KEPT = 200
"""Finished replays that are remembered; the verdict itself stays with the capture."""
MAX_WAITING = 100


@dataclass
class Replay:
    """One replay. `progress` is a fraction; `verdict` and `reason` are there when it is done.

    `images` compares each picture, as the companion does; `notes` are sentences about what else
    was seen; `error` says why `state` is ``failed`` or ``cancelled``.
    """

    job: str
    capture: str
    state: State = "queued"
    progress: float = 0.0
    verdict: str | None = None
    reason: str | None = None
    images: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    error: str | None = None
    asked: str = ""
    seconds: float | None = None

    @property
    def task(self) -> str:
        """The name that the request gives its job, where it can."""
        return f"task({self.job})"


class Replays:
    """Makes replays. Thread-safe.

    Args:
        client: the webui's API; raises RunError where there is none.
        fetch: a picture's bytes by its hash.
        done: told each replay that ended.
        takes_task: whether an endpoint lets its request name the job.
        interrupted: whether the webui broke off the job of this replay of a capture.
    """

    def __init__(
        self,
        client: Callable[[], WebUI],
        fetch: Callable[[str], bytes],
        done: Callable[[Replay], None],
        takes_task: Callable[[str], bool] = lambda endpoint: False,
        interrupted: Callable[[Replay, Capture], bool] = lambda replay, capture: False,
        kept: int = KEPT,
    ) -> None:
        self._client = client
        self._fetch = fetch
        self._done = done
        self._takes_task = takes_task
        self._interrupted = interrupted
        self._kept = kept
        self._lock = threading.Lock()
        self._waiting: collections.deque[tuple[Replay, Capture]] = collections.deque()
        self._known: collections.OrderedDict[str, Replay] = collections.OrderedDict()
        self._thread: threading.Thread | None = None
        self._stop: threading.Event | None = None
        """Stops the replay that runs, where the webui can be told which job that is."""
        self._outcomes = Outcomes()
        self._preview: tuple[str, int, str] = ("", 0, "")
        """The job that runs, how many previews it had, and the last one as a data URI."""

    def start(self, capture: Capture) -> Replay:
        """Queue a replay.

        Raises:
            RunError: this capture cannot be sent, and why; too many wait; or the webui has no API.
        """
        from payload_capture.shared import preflight

        if reason := preflight.blocking(self._client(), capture):
            raise RunError(409, NOT_REPLAYABLE, f"cannot be sent again: {reason}")
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        replay = Replay(secrets.token_hex(8), capture.id, asked=now)
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                raise RunError(503, "busy", f"{MAX_WAITING} replays wait already: try again later")
            self._waiting.append((replay, capture))
            self._remember(replay)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="payload-capture-replays", daemon=True
                )
                self._thread.start()
        return dataclasses.replace(replay)

    def get(self, job: str) -> Replay:
        """How a replay fares. Raises KeyError."""
        with self._lock:
            return dataclasses.replace(self._known[job])

    def of(self, capture: str) -> Replay | None:
        """The last replay of a capture that is remembered."""
        with self._lock:
            known = (one for one in reversed(self._known.values()) if one.capture == capture)
            found = next(known, None)
            return dataclasses.replace(found) if found else None

    def outcome(self, job: str) -> Outcome | None:
        """What came of a replay, picture by picture; None for one that is not kept (any more)."""
        return self._outcomes.get(job)

    def preview(self, job: str) -> tuple[int, str]:
        """(number, data URI) of what the picture of a running replay looks like so far; the
        number is 0 and the text empty where there is nothing to see."""
        running, number, picture = self._preview
        return (number, picture) if running == job else (0, "")

    def cancel(self, job: str) -> Replay:
        """Take a replay out of the queue, or stop it; one that has ended stays as it is.

        Raises:
            KeyError: there is none.
            RunError: it runs, and the webui would stop whatever job it is at.
        """
        with self._lock:
            replay = self._known[job]
            if replay.state == "running":
                self._stop_running()
            waits = next((one for one in self._waiting if one[0] is replay), None)
            if waits is not None:
                self._waiting.remove(waits)
        if waits is not None:
            self._end(replay, {"state": "cancelled", "error": "it was cancelled while it waited"})
        return self.get(job)

    def _stop_running(self) -> None:
        if self._stop is None:
            raise RunError(
                409,
                "not_told_apart",
                "it runs, and here the webui cannot be told which of its jobs to stop: press "
                "Interrupt on its page while it is at this one",
            )
        self._stop.set()

    def _remember(self, replay: Replay) -> None:
        self._known[replay.job] = replay
        ended = [job for job, one in self._known.items() if one.state in ENDED]
        for job in ended[: max(0, len(self._known) - self._kept)]:
            del self._known[job]

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                replay, capture = self._waiting.popleft()
                replay.state = "running"
                named = self._takes_task(capture.endpoint)
                self._stop = threading.Event() if named else None
            self._end(replay, self._made(replay, capture, self._stop))

    def _made(
        self, replay: Replay, capture: Capture, stop: threading.Event | None
    ) -> dict[str, Any]:
        """What a replay became, by the fields of `Replay`."""
        from payload_capture.shared.errors import Cancelled

        def progress(told: Any) -> None:
            replay.progress = min(max(float(told.fraction or 0), replay.progress), 1.0)
            text = told.get("current_image") or told.get("live_preview")
            if isinstance(text, str) and (kind := encoded_type(text)):
                data = text.rpartition(",")[2]
                self._preview = replay.job, self._preview[1] + 1, f"data:{kind};base64,{data}"

        self._preview = (replay.job, 0, "")
        if stop is not None:
            named = {**capture.payload, TASK: replay.task}
            capture = dataclasses.replace(capture, payload=named)
        try:
            made = self._client().replay(capture, fetch=self._fetch, progress=progress, cancel=stop)
            if self._interrupted(replay, capture):
                raise Cancelled("the generation was interrupted: replay the capture again")
            shown = outcome(made)
        except Cancelled as error:
            return {"state": "cancelled", "error": _said(error)}
        except Exception as error:
            return {"state": "failed", "error": _said(error)}
        finally:
            self._preview = ("", 0, "")
        self._outcomes.keep(replay.job, shown)
        images = [image.to_dict() for image in made.images]
        ended = {"verdict": made.verdict, "reason": made.reason, "images": images}
        ended |= {"notes": shown.notes, "state": "done"}
        return ended | {"progress": 1.0, "seconds": round(made.seconds, 3)}

    def _end(self, replay: Replay, ended: dict[str, Any]) -> None:
        """Tell and remember it, in this order: who sees the end finds the verdict kept."""
        try:
            self._done(dataclasses.replace(replay, **ended))
        except Exception as error:
            print(f"[payload-capture] after a replay: {error!r}", file=sys.stderr)
        with self._lock:
            for name, value in ended.items():
                setattr(replay, name, value)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
