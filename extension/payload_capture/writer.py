"""Finished jobs become stored captures, on one thread of its own.

Hashing and compressing pictures takes a hundred times as long as the generation's thread may be
held up, so jobs queue here in the order in which they ended.
"""

from __future__ import annotations

import hashlib
import io
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from payload_capture.capture import (
    Asset,
    Capture,
    Caveat,
    Host,
    Result,
    canonical,
    pixel_hash,
    reference,
)
from payload_capture.jobs import Finished, Output
from payload_capture.values import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

THUMBNAIL = 256
"""The longer side of a thumbnail, in pixels."""
PAUSE = 0.03
"""Seconds before a job is written: its answer goes out first, on the same interpreter lock."""
_PNG_MODES = frozenset(("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"))


@dataclass(frozen=True)
class Written:
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


def write(finished: Finished, facts: Callable[[str, list[str]], Host]) -> Written:
    """Make the document: pictures to assets and hashes, host facts added.

    What raises on the way is written down as the capture's failure.
    """
    identity = new_id(finished.job.started)
    try:
        return _document(identity, finished, facts)
    except Exception as error:
        failure = f"writing: {type(error).__name__}: {error}"
        stripped = Finished(finished.draft, finished.job, [], finished.model, failure)
        stripped.draft.payload = {}
        return _document(identity, stripped, lambda model, prompts: Host())


def new_id(started: str) -> str:
    """An id that sorts by time and can be a file's name: 20261123T161502-3f9a2c1b."""
    return f"{datetime.fromisoformat(started):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def _document(
    identity: str, finished: Finished, facts: Callable[[str, list[str]], Host]
) -> Written:
    bag = _Bag()
    payload = bag.payload(finished.draft.payload, "payload")
    canonical(payload)  # what is not JSON raises here, not in a client
    results = [bag.result(output) for output in finished.outputs]
    failures = [finished.failure] if finished.failure else []
    capture = Capture(
        format=1,
        id=identity,
        endpoint=finished.draft.endpoint,
        payload=payload,
        template=finished.draft.template,
        results=results,
        host=facts(finished.model, [_text(payload, "prompt"), _text(payload, "negative_prompt")]),
        job=finished.job,
        assets=bag.assets,
        warnings=[
            *(Caveat("", f"capturing failed: {reason}", "blocks") for reason in failures),
            *finished.draft.caveats,
            *bag.caveats,
        ],
    )
    key = generation_key(finished.generation_info)
    return Written(capture, bag.files, finished.failure, key)


def _text(payload: dict[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


class _Bag:
    """Collects assets by hash while a document is made."""

    def __init__(self) -> None:
        self.assets: dict[str, Asset] = {}
        self.files: dict[str, bytes] = {}
        self.caveats: list[Caveat] = []

    def payload(self, value: Any, path: str) -> Any:
        if isinstance(value, Picture):
            return reference(self.png(value.image, path))
        if isinstance(value, dict):
            return {key: self.payload(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self.payload(item, f"{path}[{i}]") for i, item in enumerate(value)]
        return value

    def result(self, output: Output) -> Result:
        image = comparable(output.image)
        return Result(
            sha256=pixel_hash(image.mode, image.size, image.tobytes()),
            width=image.width,
            height=image.height,
            role=output.role,
            seed=output.seed,
            subseed=output.subseed,
            infotext=output.infotext,
            asset=self.png(output.image, "results", output.infotext),
            thumbnail=self.thumbnail(image),
        )

    def png(self, image: Image, path: str, infotext: str = "") -> str:
        from PIL.PngImagePlugin import PngInfo

        if image.mode not in _PNG_MODES:
            reason = f"a picture of mode {image.mode} was sent as RGB, as the webui reads it"
            self.caveats.append(Caveat(path.removeprefix("payload."), reason, "cosmetic"))
            image = image.convert("RGB")
        text = PngInfo()
        if infotext:
            text.add_itxt("parameters", infotext.encode("utf-8", "replace").decode())
        return self._add(image, "image/png", pnginfo=text, compress_level=1, **_kept(image))

    def thumbnail(self, image: Image) -> str:
        small = image.copy()
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        return self._add(small, "image/webp", quality=80)

    def _add(self, image: Image, media_type: str, **options: Any) -> str:
        out = io.BytesIO()
        image.save(out, media_type.partition("/")[2], **options)
        data = out.getvalue()
        sha256 = hashlib.sha256(data).hexdigest()
        self.assets[sha256] = Asset(media_type, len(data), image.width, image.height)
        self.files[sha256] = data
        return sha256


def _kept(image: Image) -> dict[str, Any]:
    # Of what a PIL image knows beside its pixels only this is part of the picture.
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        return {"transparency": image.info["transparency"]}
    return {}


def comparable(image: Image) -> Image:
    """As RGB, or as RGBA where any pixel is not opaque: the form that `pixel_hash` takes."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        alpha: Any = rgba.getchannel("A")
        if alpha.getextrema()[0] < 255:
            return rgba
    return image.convert("RGB")


class Writer:
    """The thread. `put` returns at once; `flush` waits until everything before it is stored."""

    def __init__(self, handle: Callable[[Finished], None]) -> None:
        self._handle = handle
        self._queue: queue.Queue[Finished | threading.Event | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def put(self, finished: Finished) -> None:
        self._queue.put(finished)
        self._ensure()

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait at most `timeout` seconds; False if jobs are still being written then."""
        if self._thread is None:
            return True
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def stop(self, timeout: float = 10.0) -> None:
        """Store what waits, then end the thread; `put` starts it anew."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(timeout)

    def _ensure(self) -> None:
        with self._lock:
            if self._thread is None:
                name = "payload-capture-writer"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        for item in self._items():
            if isinstance(item, threading.Event):
                item.set()
            else:
                time.sleep(PAUSE)
                self._handle(item)

    def _items(self) -> Iterator[Finished | threading.Event]:
        while (item := self._queue.get()) is not None:
            yield item
