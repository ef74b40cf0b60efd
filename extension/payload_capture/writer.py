"""Finished jobs become stored captures, on one thread of its own.

Hashing and compressing pictures takes a hundred times as long as the generation's thread may be
held up, so jobs queue here in the order in which they ended.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from payload_capture.capture import (
    OPAQUE,
    Asset,
    Capture,
    Caveat,
    Host,
    Result,
    canonical,
    pixel_hash,
    reference,
)
from payload_capture.jobs import Finished, Output, Run
from payload_capture.payload import Draft, compose
from payload_capture.pictures import blurred, embedded, encoded_type
from payload_capture.privacy import EVERYTHING, Names, Privacy, infotext, is_bare, plain, sanitised
from payload_capture.values import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

THUMBNAIL = 256
"""The longer side of a thumbnail, in pixels."""
PAUSE = 0.03
"""Seconds before a job is written that none waits behind: its answer goes out first, on the same
interpreter lock."""
_PNG_MODES = frozenset(("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"))


class Written(NamedTuple):
    """A capture with the bytes of its assets, and the key of the job's result on the page."""

    capture: Capture
    files: dict[str, bytes]
    failure: str | None = None
    generation: str = ""


def generation_key(generation_info: str) -> str:
    """Tells one job's result on the page from every other; "" for a job that returned none."""
    if not generation_info.strip():
        return ""
    return hashlib.sha256(generation_info.encode(errors="surrogatepass")).hexdigest()


class Drafts:
    """Captures in the making, by their jobs' serial numbers; used on the writer's thread alone.

    `keep` stores the files of a run while its job goes on, and returns whether it could: a batch
    of a thousand pictures must not wait in memory for its end. `privacy` says what of a job may be
    kept, asked when its first run comes, and `names` what tells about the machine and its users.
    """

    def __init__(
        self,
        facts: Callable[[str, list[str]], Host],
        keep: Callable[[dict[str, bytes]], bool] = lambda files: False,
        privacy: Callable[[], Privacy] = Privacy,
        names: Callable[[], Names] = Names,
    ) -> None:
        self._facts = facts
        self._keep = keep
        self._privacy = privacy
        self._names = names
        self._open: dict[int, _Document] = {}

    def add(self, run: Run) -> None:
        """Turn a run into JSON and files. What raises becomes the capture's failure."""
        document = self._open.get(run.job) or self._begun()
        self._open[run.job] = document
        document.add(run)
        if self._keep(document.files):
            document.files = {}

    def finish(self, finished: Finished) -> Written:
        """The document of a job with all its runs, host facts added."""
        document = self._open.pop(finished.serial, None) or self._begun()
        for run in finished.runs:
            document.add(run)
        return document.written(finished, self._facts)

    def _begun(self) -> _Document:
        privacy = self._privacy()
        return _Document(privacy, self._names() if privacy.anonymous else None)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def new_id(started: str) -> str:
    """An id that sorts by time and can be a file's name: 20261123T161502-3f9a2c1b."""
    return f"{datetime.fromisoformat(started):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


class _Document:
    """A capture while its runs come in; `names` are left out of it."""

    def __init__(self, privacy: Privacy, names: Names | None) -> None:
        self._names = names
        self._bag = _Bag(privacy, names)
        self._drafts: list[Draft] = []
        self._results: list[Result] = []
        self._failures: list[str] = []

    @property
    def files(self) -> dict[str, bytes]:
        """The assets' bytes by sha256 that nobody has stored yet."""
        return self._bag.files

    @files.setter
    def files(self, files: dict[str, bytes]) -> None:
        self._bag.files = files

    def add(self, run: Run) -> None:
        draft = dataclasses.replace(run.draft, payload={})
        try:
            draft.payload = self._bag.payload(run.draft.payload, "payload")
            canonical(draft.payload)  # what is not JSON raises here, not in a client
            self._results += [self._bag.result(output) for output in run.outputs]
        except Exception as error:
            draft.payload = {}
            self._failures.append(f"writing: {_said(error)}")
        finally:
            self._bag.release()
        self._drafts.append(draft)

    def written(self, finished: Finished, facts: Callable[[str, list[str]], Host]) -> Written:
        draft = compose(self._drafts)
        failures = [*self._failures, *([finished.failure] if finished.failure else [])]
        blocking = [Caveat("", f"capturing failed: {reason}", "blocks") for reason in failures]
        host = Host()
        try:
            host = facts(finished.model, draft.prompts())
        except Exception as error:
            failures.append(f"host facts: {_said(error)}")
            draft.caveats.append(Caveat("host", failures[-1], "cosmetic"))
        capture = Capture(
            format=1,
            id=new_id(finished.job.started),
            endpoint=draft.endpoint,
            payload=draft.payload,
            template=draft.template,
            choices=draft.choices,
            labels=draft.labels,
            resolved=draft.resolved,
            results=self._results,
            host=host,
            job=finished.job,
            assets=self._bag.assets,
            warnings=[*blocking, *draft.caveats, *self._bag.caveats],
        )
        failure = "; ".join(failures) or None
        if self._names is not None:
            capture, failure = _private(capture, failure, self._names)
        return Written(capture, self.files, failure, generation_key(finished.generation_info))


def _private(capture: Capture, failure: str | None, names: Names) -> tuple[Capture, str | None]:
    """Without names; rather without anything than with one."""
    try:
        return sanitised(capture, names), failure and plain(failure, names)
    except Exception as error:
        failure = f"leaving out names failed: {type(error).__name__}"
        job = dataclasses.replace(capture.job, user=None, error=None)
        blocks = [Caveat("", f"capturing failed: {failure}", "blocks")]
        return Capture(1, capture.id, capture.endpoint, {}, job=job, warnings=blocks), failure


class _Bag:
    """Collects assets by hash while a document is made; only what may be kept gets in."""

    def __init__(self, privacy: Privacy = EVERYTHING, names: Names | None = None) -> None:
        self._privacy = privacy
        self._names = names
        self.assets: dict[str, Asset] = {}
        self.files: dict[str, bytes] = {}
        self.caveats: list[Caveat] = []
        self._seen: dict[int, Picture] = {}

    def release(self) -> None:
        """Give up the pictures of the payloads that were collected."""
        for picture in self._seen.values():
            picture.release()
        self._seen.clear()

    def payload(self, value: Any, path: str) -> Any:
        if isinstance(value, Picture):
            self._seen[id(value)] = value
            if self._privacy.pictures == "none":
                return self._not_kept(path, hash_of(value.image))
            return reference(self.png(value.image, path))
        if isinstance(value, dict):
            return {key: self.payload(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self.payload(item, f"{path}[{i}]") for i, item in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, text: str, path: str) -> Any:
        """A picture that a client sent as base64 is an asset too: it would make the document long,
        which is read whole whenever somebody looks at it. One whose file tells more than pixels
        stays where what it tells is looked for.
        """
        if not encoded_type(text):
            return text
        if self._privacy.pictures == "none":
            return self._not_kept(path, hashlib.sha256(text.encode(errors="replace")).hexdigest())
        found = embedded(text)
        if found is None or not is_bare(found[2]):
            return text
        sha256, self.assets[sha256], self.files[sha256] = found
        return reference(sha256)

    def _not_kept(self, path: str, sha256: str) -> None:
        reason = f"the picture was not kept, as Settings, Payload capture, says; its hash: {sha256}"
        self.caveats.append(Caveat(path.removeprefix("payload."), reason, "blocks"))

    def result(self, output: Output) -> Result:
        image = comparable(output.pixels)
        kept = self._privacy.pictures == "all"
        texts = {name: self._told(text) for name, text in _texts(output).items()}
        return Result(
            sha256=hash_of(image),
            width=image.width,
            height=image.height,
            role=output.role,
            seed=output.seed,
            subseed=output.subseed,
            infotext=self._told(output.infotext),
            asset=self.png(output.pixels, "results", texts) if kept else None,
            thumbnail=self.thumbnail(image) if kept else None,
        )

    def _told(self, text: str) -> str:
        return text if self._names is None else infotext(text, self._names)

    def png(self, image: Image, path: str, texts: Mapping[str, str] | None = None) -> str:
        from PIL.PngImagePlugin import PngInfo

        if image.mode not in _PNG_MODES:
            reason = f"a picture of mode {image.mode} was sent as RGB, as the webui reads it"
            self.caveats.append(Caveat(path.removeprefix("payload."), reason, "cosmetic"))
            image = image.convert("RGB")
        text = PngInfo()
        for name, value in (texts or {}).items():
            text.add_itxt(name, value.encode("utf-8", "replace").decode())
        return self._add(image, "image/png", pnginfo=text, compress_level=1, **_kept(image))

    def thumbnail(self, image: Image) -> str:
        small = image.copy()
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        if self._privacy.blurred:
            small = blurred(small)
        return self._add(small, "image/webp", quality=80)

    def _add(self, image: Image, media_type: str, **options: Any) -> str:
        out = io.BytesIO()
        image.save(out, media_type.partition("/")[2], **options)
        data = out.getvalue()
        sha256 = hashlib.sha256(data).hexdigest()
        self.assets[sha256] = Asset(media_type, len(data), image.width, image.height)
        self.files[sha256] = data
        return sha256


def _texts(output: Output) -> dict[str, str]:
    """The infotext where the webui itself writes it: that of Extras has a name of its own."""
    if "postprocessing" in output.image.info:
        return {name: t for name, t in output.image.info.items() if isinstance(t, str)}
    return {"parameters": output.infotext} if output.infotext else {}


def _kept(image: Image) -> dict[str, Any]:
    # Of what a PIL image knows beside its pixels only this is part of the picture.
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        return {"transparency": image.info["transparency"]}
    return {}


def hash_of(image: Image) -> str:
    """The hash by which pictures are compared."""
    image = comparable(image)
    return pixel_hash(image.mode, image.size, image.tobytes())


def comparable(image: Image) -> Image:
    """As RGB, or as RGBA where any pixel is not opaque: the form that `pixel_hash` takes."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        alpha: Any = rgba.getchannel("A")
        if alpha.getextrema()[0] < OPAQUE:
            return rgba
    return image.convert("RGB")


class Writer:
    """The thread. `put` returns at once; `flush` waits until everything before it is stored.

    There is one as long as the process lives, over Reload UI too: `Drafts` are for one thread.

    Args:
        handle: stores an item.
        failed: is told why where `handle` raises; what comes after is stored all the same.
    """

    def __init__(
        self, handle: Callable[[Run | Finished], None], failed: Callable[[str], None]
    ) -> None:
        self._handle = handle
        self._failed = failed
        # Its put is one instruction, which a signal's handler cannot meet half done.
        self._queue: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._last = 0.0

    def put(self, item: Run | Finished) -> None:
        self._queue.put(functools.partial(self._store, item))
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                name = "payload-capture-writer"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()
        if (left := self._last - time.monotonic()) > 0:
            self.flush(left)  # a job that is answered is stored, whatever comes next

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait at most `timeout` seconds; False if jobs are still being written then."""
        if self._thread is None:
            return True
        done = threading.Event()
        self._queue.put(done.set)
        return done.wait(timeout)

    def finish(self, last: Callable[[], object], timeout: float) -> bool:
        """`flush` before the process ends: without pauses, and with `last` on the writer's thread.

        Takes no lock, so that a signal's handler may call it. For `timeout` seconds from now on
        `put` waits for its job, so that none ends behind the last one that is stored.
        """
        self._last = time.monotonic() + timeout
        self._queue.put(last)
        return self.flush(timeout)

    def _run(self) -> None:
        while True:
            self._do(self._queue.get())

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # another extension's SystemExit must not end this thread
            self._failed(f"a job could not be stored: {_said(error)}")

    def _store(self, item: Run | Finished) -> None:
        if self._queue.empty() and time.monotonic() > self._last:
            time.sleep(PAUSE)
        self._handle(item)
