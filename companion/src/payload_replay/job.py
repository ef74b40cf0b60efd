"""One generation while it runs: its progress, and stopping it.

A generating POST answers when all is done. Beside it a thread asks the server how far it is, and
tells it to stop when that is wanted. `Job` is that thread.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .errors import Cancelled, ReplayError
from .records import Progress
from .retry import Retry

if TYPE_CHECKING:
    from .connection import Connection, TimeoutSeconds

OnProgress = Callable[[Progress], object]
PROGRESS = "/sdapi/v1/progress"
INTERRUPT = "/sdapi/v1/interrupt"
INTERNAL = "/internal/progress"
"""The page's own route, which knows jobs by their ids. A1111 v1.6.0 to v1.10.1, Forge, reForge."""
HURRY = (5.0, 30.0)
"""Seconds to connect and to wait for what only watches."""
ONCE = Retry()
"""No second try, of what is asked anew in a moment anyway, or nobody wants to wait for."""

_log = logging.getLogger("payload_replay")


class Cancel(Protocol):
    """What says that a generation is to be stopped: a `threading.Event` fits."""

    def is_set(self) -> bool: ...


class Job:
    """A context manager around a generating POST.

    Args:
        on_progress: called with each `Progress`, in the thread of the job, one at a time.
        cancel: once it is set, the server is told to stop.
        task: the id by which the server knows this job, so that no other one is told to stop.
        every: seconds between two looks.
    """

    def __init__(
        self,
        webui: Connection,
        on_progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        task: str | None = None,
        every: float = 0.5,
    ) -> None:
        self._webui, self._every = webui, every
        self.task = task
        self._on_progress, self._cancel = on_progress, cancel
        self._over = threading.Event()
        self._busy = threading.Lock()
        self._preview = -1
        self._complained = False
        self.interrupted = False
        """Whether the server was told to stop this job."""
        self.failure: BaseException | None = None
        """What `on_progress` raised; after that it is not called again."""

    def __enter__(self) -> Job:
        threading.Thread(target=self._watch, name="payload-replay job", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._busy:  # a callback or an order is waited for, a look at the server is not
            self._over.set()

    def pause(self, seconds: float) -> None:
        """Wait before another try.

        Raises:
            Cancelled: the job is to be stopped; a `threading.Event` says so at once.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopping():
            if isinstance(self._cancel, threading.Event):
                self._cancel.wait(left)
            else:
                time.sleep(min(left, self._every))
        if self._stopping():
            raise Cancelled("cancelled while it waited to be sent again")

    def stop_at_once(self) -> None:
        """Tell the server to stop, if its job is this one or nobody can tell."""
        try:
            if self.task is None or self._runs():
                self._order()
        except ReplayError as error:
            complain(self._webui, error)

    def _stopping(self) -> bool:
        return self._cancel is not None and self._cancel.is_set()

    def _runs(self) -> bool:
        return running(look(self._webui, self.task, pictures=False), self.task)

    def _order(self) -> None:
        self._webui.call("POST", INTERRUPT, timeout=HURRY, retry=ONCE)

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            stopping = self._stopping()
            if stopping or (self._on_progress is not None and self.failure is None):
                self._look(stopping)

    def _look(self, stopping: bool) -> None:
        try:
            self._act(stopping)
        except ReplayError as error:
            self._complain(error)

    def _act(self, stopping: bool) -> None:
        progress = look(self._webui, self.task, self._preview, pictures=not stopping)
        number = progress.get("id_live_preview")
        self._preview = number if isinstance(number, int) else -1
        if stopping:
            self._stop(progress)
        else:
            self._tell(progress)

    def _stop(self, progress: Progress) -> None:
        """Tell the server to stop, unless it is at another job, or was told already.

        What is told before the job has begun is forgotten when it begins: so it is told again to
        a server that shows itself at a job, uninterrupted. A task that is active has begun.
        """
        told = self.interrupted and self.task is not None
        if told or not running(progress, self.task):
            return
        with self._busy:  # the answer may come before that to this order
            if not self._over.is_set():
                self._order()
                self.interrupted = True

    def _tell(self, progress: Progress) -> None:
        with self._busy:
            if self._over.is_set() or self._on_progress is None:
                return
            try:
                self._on_progress(progress)
            except BaseException as error:
                self.failure = error

    def _complain(self, error: ReplayError) -> None:
        """Progress that cannot be had harms no generation; that it cannot be had is said once."""
        if not self._complained and not self._over.is_set():
            complain(self._webui, error)
            self._complained = True


def complain(webui: Connection, error: ReplayError) -> None:
    """Log why the server could not be asked about a job, or told to stop it."""
    _log.warning("%s does not tell of its job, or let it be stopped: %s", webui.url, error)


def look(
    webui: Connection,
    task: str | None = None,
    preview: int = -1,
    *,
    pictures: bool = True,
    timeout: TimeoutSeconds = HURRY,
    retry: Retry = ONCE,
) -> Progress:
    """How far a task is, or without an id the server's current job."""
    if task is None:
        params = {"skip_current_image": not pictures}
        told = webui.call("GET", PROGRESS, None, params, timeout, retry=retry)
        return Progress.read(told, PROGRESS)
    asked = {"id_task": task, "id_live_preview": preview, "live_preview": pictures}
    told = webui.call("POST", INTERNAL, asked, timeout=timeout, retry=retry)
    return Progress.read(told, INTERNAL)


def running(progress: Progress, task: str | None) -> bool:
    """Whether the server is at this task now, or at any job that nobody has stopped yet."""
    if task is not None:
        return progress.get("active") is True
    return not progress.interrupted and (progress.fraction > 0 or bool(progress.job_count))


def known(webui: Connection, task: str, retry: Retry = ONCE) -> bool:
    """Whether the server runs this task, has it in its queue, or has finished it.

    It remembers the last 16 that it finished (A1111 v1.10.1, modules/progress.py).
    """
    progress = look(webui, task, pictures=False, retry=retry)
    return any(progress.get(name) is True for name in ("active", "queued", "completed"))


def new_task() -> str:
    """An id of the form that the page gives to its own jobs."""
    return f"task({uuid.uuid4().hex})"


def fields(schema: Any, endpoint: str) -> dict[str, Any]:
    """What the webui's ``/openapi.json`` says of an endpoint's fields, by name."""
    try:
        body = schema["paths"][endpoint]["post"]["requestBody"]["content"]["application/json"]
        name = body["schema"]["$ref"].rpartition("/")[2]
        found = schema["components"]["schemas"][name]["properties"]
    except (LookupError, TypeError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
