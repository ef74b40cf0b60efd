"""One user action as one job: from the outer processing object to the pictures it returned.

One press of Generate may call the webui's inner processing many times (X/Y/Z plot, prompt matrix,
SD upscale), on copies of the processing object or on the same one with prompt and seed changed.
So a job is described when it starts, from the object that the user's action made, and ends when
the webui closes that object. Whatever runs in between on other objects belongs to it.

Some jobs are several runs: the batch tab sends one object through again for each file, Extras
takes one picture after the other. Each run has a request and pictures of its own; all are one job.

The webui runs one job at a time under its queue lock; a job is told from the next by the time at
which the webui began it (`host.job_token`).
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol

from payload_capture.capture import Job, Role, Source, State
from payload_capture.payload import Draft, became, endpoint, whole

_serials = itertools.count(1)


UNMARKED = "_payload_capture_unmarked"
"""The attribute in which `host` keeps a picture as it was before the webui marked it."""


@dataclass
class Output:
    """One returned picture (a PIL image, not copied: the webui only reads it from here on)."""

    image: Any
    role: Role
    seed: int | None
    subseed: int | None
    infotext: str

    @property
    def pixels(self) -> Any:
        """The picture that was generated, without what the webui may have hidden in it."""
        return getattr(self.image, UNMARKED, self.image)


@dataclass
class Run:
    """One request of a job with the pictures that came of it; `job` is its job's `serial`."""

    job: int
    draft: Draft
    outputs: list[Output] = field(default_factory=list)


@dataclass
class Finished:
    """A job that ended, ready to be written. `failure` says why capturing itself failed.

    `runs` are those that were not handed over before: the last one, or none.
    """

    serial: int
    job: Job
    runs: list[Run]
    model: str
    failure: str | None = None
    generation_info: str = ""


class Webui(Protocol):
    """What a job needs of the host; `payload_capture.host` provides it."""

    def job_token(self) -> object: ...
    def describe(self, p: Any) -> Draft: ...
    def describe_extras(self, picture: Any, args: Any) -> Draft: ...
    def source(self, p: Any) -> Source: ...
    def task(self) -> str | None: ...
    def interrupted(self) -> bool: ...
    def skipped(self) -> bool: ...
    def writes_infotext(self) -> bool: ...
    def checkpoint(self, p: Any) -> str: ...
    def repeatable(self) -> bool: ...


@dataclass
class _Run:
    draft: Draft
    in_script: bool = False
    resolved: bool = False
    outputs: list[Output] | None = None


@dataclass
class _Running:
    p: Any
    token: object
    run: _Run
    serial: int = field(default_factory=lambda: next(_serials))
    source: Source = "script"
    task: str | None = None
    model: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    clock: float = field(default_factory=time.perf_counter)
    shown: Any = None
    """What the page shows of the job: the result of its first run, which the batch tab extends."""
    error: str | None = None
    skipped: bool = False
    failures: list[str] = field(default_factory=list)


class Recorder:
    """Follows the webui's calls, and hands each run and each finished job to `sink`.

    A run is handed over when the next one of its job begins, the last one with its job. The
    methods are called on the generation's thread by `host.watch`, which turns an exception of
    ours into a call of `failed`; none reaches the webui.
    """

    def __init__(
        self,
        webui: Webui,
        sink: Callable[[Run | Finished], None],
        enabled: Callable[[Source], bool] = lambda source: True,
    ) -> None:
        self._webui = webui
        self._sink = sink
        self._enabled = enabled
        self._job: _Running | None = None

    # ---- txt2img and img2img

    def run_started(self, p: Any) -> None:
        """The webui is about to run the selected script, or to find that there is none."""
        job = self._current(p)
        if job is None:
            self._start(p)
        elif job.run.in_script:
            return  # a script that runs scripts
        elif job.p is p and job.run.outputs is not None:
            self._next(job, self._webui.describe(p))  # the batch tab's next file
        elif job.p is not p:
            self._start(p)
        if self._job is not None:
            self._job.run.in_script = True

    def run_ended(self, p: Any, processed: Any, error: BaseException | None) -> None:
        """The selected script returned its result, or None where none is selected."""
        job = self._current(p)
        if job is None or job.p is not p:
            return
        job.run.in_script = False
        if error is not None:
            job.error = f"{type(error).__name__}: {error}"
        if processed is not None:
            self._returned(job, processed)

    def processing_started(self, p: Any) -> None:
        """`process_images` was called: the first that an API job without a script shows."""
        job = self._current(p)
        if job is None:
            self._start(p)
        elif job.p is p and job.run.outputs is not None and not job.run.in_script:
            self._next(job, self._webui.describe(p))

    def seeds_known(self, p: Any) -> None:
        """Seeds are drawn. Only a run's first call tells them: scripts go on to change them."""
        job = self._job
        if job is None or job.run.resolved:
            return
        job.run.resolved = True
        for name, drawn in (("seed", "all_seeds"), ("subseed", "all_subseeds")):
            fixed = whole(getattr(job.p, name, -1))
            value = fixed if fixed != -1 else whole(getattr(p, drawn, None))
            if value != -1:
                job.run.draft.resolve(name, value)
        if job.run.in_script:  # a script's inner runs have prompts of their own
            job.run.draft.settle({}, 0)
        else:
            texts = getattr(p, "all_prompts", None) or [""]
            job.run.draft.settle(became(p, job.run.draft.payload), len(texts))

    def batch_ended(self, p: Any) -> None:
        """A batch is sampled. What was skipped is known only until the next one begins."""
        if self._job is not None and self._webui.skipped():
            self._job.skipped = True

    def processing_ended(self, p: Any, processed: Any) -> None:
        """`process_images` has its pictures, and every script has seen them."""
        job = self._job
        if job is None or job.p is not p or job.run.in_script:
            return
        self._returned(job, processed)
        if job.source == "script":  # no webui action: nobody need close it
            self._finish()

    # ---- Extras

    def picture_started(self, job_object: Any, picture: Any, args: Any) -> None:
        """Extras is about to take its next picture; `job_object` is the same for one action."""
        job = self._job
        if job is None or job.p is not job_object:
            self._start(job_object, describe=False)
            job = self._job
        if job is not None:
            draft = self._webui.describe_extras(picture, args)
            if job.run.outputs is None:
                job.run.draft = draft
            else:
                self._next(job, draft)

    def picture_ended(self, job_object: Any, images: Iterable[Any]) -> None:
        """Extras has the results of one picture."""
        job = self._job
        if job is not None and job.p is job_object:
            job.run.outputs = [Output(image, "sample", None, None, "") for image in images]

    # ---- the end

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
            self._job = self._running(p)
        self._job.failures.append(f"{where}: {type(error).__name__}: {error}")
        if where == "closed":
            job, self._job = self._job, None
            job.run.outputs = []
            self._sink(self._ended(job, ""))

    def _current(self, p: Any) -> _Running | None:
        """The job that is running, or None where `p` begins another.

        A script may tell the webui that a job begins, as Ultimate SD upscale does (2322caa, calls
        ``state.begin``); what it then processes is still its own.
        """
        job, token = self._job, self._webui.job_token()
        if job is not None and job.p is p and job.run.in_script:
            job.token = token
        return job if job is not None and job.token == token else None

    def _running(self, p: Any) -> _Running:
        return _Running(p, self._webui.job_token(), _Run(Draft(endpoint(p))))

    def _start(self, p: Any, *, describe: bool = True) -> None:
        if self._job is not None:
            if self._job.run.outputs is None and self._job.error is None:
                self._job.error = "the webui began another job before it returned a picture"
            self._finish()
        source = self._webui.source(p)
        if not self._enabled(source):
            return
        self._job = job = self._running(p)
        job.source = source
        job.task = self._webui.task()
        if describe:
            job.model = self._webui.checkpoint(p)
            job.run.draft = self._webui.describe(p)

    def _next(self, job: _Running, draft: Draft) -> None:
        self._sink(_handed(job))
        job.run = _Run(draft)

    def _returned(self, job: _Running, processed: Any) -> None:
        # At once: the batch tab goes on to add other files' pictures to the first result.
        job.shown = job.shown or processed
        job.run.outputs = outputs_of(processed, self._webui.writes_infotext())

    def _finish(self) -> None:
        job, self._job = self._job, None
        if job is None:
            return
        try:
            info = job.shown.js() if job.shown is not None else ""
        except Exception as error:
            job.failures.append(f"results: {type(error).__name__}: {error}")
            info = ""
        self._sink(self._ended(job, info))

    def _ended(self, job: _Running, info: str) -> Finished:
        state: State = "ok"
        if job.error is not None or (job.run.outputs is None and not job.failures):
            state = "failed"
        elif job.skipped or self._webui.interrupted():
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
        return Finished(job.serial, about, [_handed(job)], job.model, failure, info)


def _handed(job: _Running) -> Run:
    outputs = job.run.outputs or []
    for output in outputs:
        # Extras writes its text only when all operations are through.
        output.infotext = output.infotext or str(output.image.info.get("postprocessing") or "")
    return Run(job.serial, job.run.draft, outputs)


def outputs_of(processed: Any, with_infotext: bool) -> list[Output]:
    """What a run returned, in the webui's order: grids, samples, then maps of scripts.

    Where the webui writes infotext into its pictures (`with_infotext`), a picture of the plain
    kind without any is a map that a script or option appended (A1111 v1.10.1,
    ``process_images_inner``: "return_mask" pictures stand between the samples).
    """
    images = [*processed.images, *_pictures(getattr(processed, "extra_images", None) or ())]
    first = processed.index_of_first_image
    marked = with_infotext and any("parameters" in image.info for image in images[first:])
    texts = list(processed.infotexts)
    return [
        _output(image, index < first, marked, texts[index] if index < len(texts) else None)
        for index, image in enumerate(images)
    ]


def _pictures(extra: Iterable[Any]) -> Iterator[Any]:
    """Forge's extra pictures; ControlNet's maps are arrays among them.

    The API answers the arrays as pictures and leaves out what is neither (``process_extra_images``
    in ``modules/processing.py`` of dfdcbab6).
    """
    from PIL import Image

    for image in extra:
        if hasattr(image, "info"):
            yield image
        elif hasattr(image, "__array_interface__"):
            yield Image.fromarray(image)


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
