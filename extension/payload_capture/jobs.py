"""One user action as one job: from the outer processing object to the pictures it returned.

One press of Generate may call the webui's inner processing many times (X/Y/Z plot, prompt matrix,
SD upscale), on copies of the processing object or on the same one with prompt and seed changed.
So a job is described when it starts, from the object that the user's action made, and ends when
the webui closes that object. Whatever runs in between on other objects belongs to it.

The webui runs one job at a time under its queue lock; a job is told from the next by the time at
which the webui began it (`host.job_token`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol

from payload_capture.capture import Job, Role, Source, State
from payload_capture.payload import Draft, endpoint, whole


@dataclass
class Output:
    """One returned picture (a PIL image, not copied: the webui only reads it from here on)."""

    image: Any
    role: Role
    seed: int | None
    subseed: int | None
    infotext: str


@dataclass
class Finished:
    """A job that ended, ready to be written. `failure` says why capturing itself failed."""

    draft: Draft
    job: Job
    outputs: list[Output]
    model: str
    failure: str | None = None
    generation_info: str = ""


class Webui(Protocol):
    """What a job needs of the host; `payload_capture.host` provides it."""

    def job_token(self) -> object: ...
    def describe(self, p: Any) -> Draft: ...
    def source(self, p: Any) -> Source: ...
    def task(self) -> str | None: ...
    def interrupted(self) -> bool: ...
    def writes_infotext(self) -> bool: ...
    def checkpoint(self, p: Any) -> str: ...
    def repeatable(self) -> bool: ...


@dataclass
class _Running:
    p: Any
    token: object
    draft: Draft
    source: Source = "script"
    task: str | None = None
    model: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    clock: float = field(default_factory=time.perf_counter)
    in_script: bool = False
    resolved: bool = False
    processed: Any = None
    error: str | None = None
    failures: list[str] = field(default_factory=list)


class Recorder:
    """Follows the webui's calls and hands each finished job to `sink`.

    The methods are called on the generation's thread by `host.watch`, which turns an exception of
    ours into a call of `failed`; none reaches the webui.
    """

    def __init__(
        self,
        webui: Webui,
        sink: Callable[[Finished], None],
        enabled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._webui = webui
        self._sink = sink
        self._enabled = enabled
        self._job: _Running | None = None

    def run_started(self, p: Any) -> None:
        """The webui is about to run the selected script, or to find that there is none."""
        job = self._job
        if job is not None and job.in_script and job.token == self._webui.job_token():
            return  # a script that runs scripts
        self._start(p)
        if self._job is not None:
            self._job.in_script = True

    def run_ended(self, p: Any, processed: Any, error: BaseException | None) -> None:
        """The selected script returned its result, or None where none is selected."""
        job = self._job
        if job is None or job.p is not p:
            return
        job.in_script = False
        if processed is not None:
            job.processed = processed
        if error is not None:
            job.error = f"{type(error).__name__}: {error}"

    def processing_started(self, p: Any) -> None:
        """`process_images` was called: the first that an API job without a script shows."""
        job = self._job
        if job is None or job.token != self._webui.job_token():
            self._start(p)
        elif job.p is p and job.processed is not None and not job.in_script:
            self._start(p)  # the batch tab sends one object through again and again

    def seeds_known(self, p: Any) -> None:
        """Seeds are drawn. Only the job's first call tells them: scripts go on to change them."""
        job = self._job
        if job is None or job.resolved:
            return
        job.resolved = True
        for name, drawn in (("seed", "all_seeds"), ("subseed", "all_subseeds")):
            fixed = whole(getattr(job.p, name, -1))
            value = fixed if fixed != -1 else whole(getattr(p, drawn, None))
            if value != -1:
                job.draft.resolve(name, value)

    def processing_ended(self, p: Any, processed: Any) -> None:
        """`process_images` has its pictures, and every script has seen them."""
        job = self._job
        if job is None or job.p is not p or job.in_script:
            return
        job.processed = processed
        if job.source == "script":  # no webui action: nobody need close it
            self._finish()

    def closed(self, p: Any, error: BaseException | None) -> None:
        """The webui is done with the object, in success (`error` is None) or failure."""
        job = self._job
        if job is None or job.p is not p:
            return
        if error is not None and job.error is None:
            job.error = f"{type(error).__name__}: {error}"
        self._finish()

    def failed(self, p: Any, where: str, error: BaseException) -> None:
        """One of our own methods raised. The job becomes a row that says so."""
        if self._job is None:
            self._job = _Running(p, self._webui.job_token(), Draft(endpoint(p)))
        self._job.failures.append(f"{where}: {type(error).__name__}: {error}")
        if where == "closed":
            job, self._job = self._job, None
            self._sink(self._ended(job, [], ""))

    def _start(self, p: Any) -> None:
        if self._job is not None:
            if self._job.processed is None and self._job.error is None:
                self._job.error = "the webui began another job before it returned a picture"
            self._finish()
        if not self._enabled():
            return
        self._job = job = _Running(p, self._webui.job_token(), Draft(endpoint(p)))
        job.source = self._webui.source(p)
        job.task = self._webui.task()
        job.model = self._webui.checkpoint(p)
        job.draft = self._webui.describe(p)

    def _finish(self) -> None:
        job, self._job = self._job, None
        if job is None:
            return
        try:
            outputs = outputs_of(job.processed, self._webui.writes_infotext())
            info = job.processed.js() if job.processed is not None else ""
        except Exception as error:
            job.failures.append(f"results: {type(error).__name__}: {error}")
            outputs, info = [], ""
        self._sink(self._ended(job, outputs, info))

    def _ended(self, job: _Running, outputs: list[Output], info: str) -> Finished:
        state: State = "ok"
        if job.error is not None or (job.processed is None and not job.failures):
            state = "failed"
        elif self._webui.interrupted():
            state = "interrupted"
        error = job.error or ("it returned no result" if state == "failed" else None)
        about = Job(
            started=job.started.isoformat(timespec="milliseconds"),
            seconds=round(time.perf_counter() - job.clock, 3),
            source=job.source,
            state=state,
            user=getattr(job.p, "user", None),
            task=job.task,
            error=error,
            repeatable=self._webui.repeatable(),
        )
        failure = "; ".join(job.failures) or None
        return Finished(job.draft, about, outputs, job.model, failure, info)


def outputs_of(processed: Any, with_infotext: bool) -> list[Output]:
    """What the job returned, in the webui's order: grids, samples, then maps of scripts.

    Where the webui writes infotext into its pictures (`with_infotext`), a picture of the plain
    kind without any is a map that a script or option appended (A1111 v1.10.1,
    ``process_images_inner``: "return_mask" pictures stand between the samples).
    """
    if processed is None:
        return []
    images = [*processed.images, *(getattr(processed, "extra_images", None) or [])]
    first = processed.index_of_first_image
    marked = with_infotext and any("parameters" in image.info for image in images[first:])
    texts = list(processed.infotexts)
    return [
        _output(image, index < first, marked, texts[index] if index < len(texts) else None)
        for index, image in enumerate(images)
    ]


def _output(image: Any, is_grid: bool, marked: bool, listed: str | None) -> Output:
    own = image.info.get("parameters")
    if is_grid:
        return Output(image, "grid", None, None, listed or "")
    if (own if marked else listed) is None:
        return Output(image, "map", None, None, "")
    text = own or listed or ""
    return Output(image, "sample", _number("Seed", text), _number("Variation seed", text), text)


def _number(label: str, infotext: str) -> int | None:
    found = re.search(rf"(?:^|, |\n){label}: (\d+)", infotext)
    return int(found[1]) if found else None
