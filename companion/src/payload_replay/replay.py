"""One replay: refuse or send, keep the server's settings, compare, and say why."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from . import preflight
from . import verify as verification
from .attachments import with_paths
from .capture import AssetError, Capture, FormatError, Result
from .changes import Change
from .errors import NoExtension, NotFound, ReplayError
from .generation import account, span, texts
from .images import NotAPicture, Picture, compressed, decode, hashed, opened
from .migrate import migrate as migrated
from .reasons import explain
from .settings import Kept, kept
from .verify import Comparison, Verification

if TYPE_CHECKING:
    from .client import WebUI

Verdict = Literal["identical", "close", "different", "refused", "unverified"]
Fetch = Callable[[str], bytes]
Post = Callable[[str, Mapping[str, Any]], dict[str, Any]]
Keep = Callable[["WebUI"], AbstractContextManager[Kept]]


@dataclass(frozen=True)
class Replay:
    """What came of a replay.

    `images` compares the pictures that decide, `others` the grids and maps that do not;
    `pictures` is everything that came. `info` is the webui's own account of the generation and
    `seconds` how long the server took. `restored` holds the settings that the generation had
    moved and that were put back. `capture` is what was sent, `changes` what `migrate` had rewritten
    in it before, and `parameters` the request as the server says it took it. The verdict is
    ``unverified`` where there was nothing to compare with: a bare payload, or `verify=False`.
    """

    verdict: Verdict
    reason: str
    capture: Capture
    images: list[Comparison] = field(default_factory=list)
    others: list[Comparison] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    restored: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    @property
    def samples(self) -> list[Picture]:
        """The pictures without grids and maps, as far as the webui's own account tells them."""
        return self.pictures[slice(*span(self.info, len(self.pictures)))]

    def to_dict(self) -> dict[str, Any]:
        """A JSON object: id, endpoint, verdict, reason, images by their hashes, seconds; and what
        was changed before, where something was."""
        changed = {"changes": [change.to_dict() for change in self.changes]} if self.changes else {}
        return changed | {
            "id": self.capture.id,
            "endpoint": self.capture.endpoint,
            "verdict": self.verdict,
            "reason": self.reason,
            "images": [image.to_dict() for image in self.images],
            "seconds": round(self.seconds, 3),
        }


def replay(
    webui: WebUI,
    source: Capture | Mapping[str, Any],
    *,
    verify: bool = True,
    migrate: bool = False,
    fetch: Fetch | None = None,
    post: Post | None = None,
    keep: Keep = kept,
) -> Replay:
    """See `payload_replay.WebUI.replay`.

    Args:
        post: sends the payload; by default the client's.
        keep: puts the server's settings back.
    """
    capture = source if isinstance(source, Capture) else Capture.from_dict(with_paths(source))
    if migrate:
        capture, changes = migrated(capture, webui)
        done = replay(webui, capture, verify=verify, fetch=fetch, post=post, keep=keep)
        return dataclasses.replace(done, changes=changes)
    if reason := preflight.blocking(webui, capture):
        return Replay("refused", reason, capture)
    fetch = fetch or (lambda sha256: _from_store(webui, sha256))
    payload = capture.request(fetch)
    sent = _send(webui, capture, payload, post or webui.post, keep, hashes=verify)
    if not verify:
        return _finished(sent, "unverified", "not compared, as asked")
    if not capture.results:
        return _finished(sent, "unverified", "the capture holds no pictures to compare with")
    return _verified(webui, sent, fetch)


@dataclass(frozen=True)
class _Sent:
    capture: Capture
    pictures: list[Picture]
    info: dict[str, Any]
    parameters: dict[str, Any]
    seconds: float
    settings: Kept


def _send(
    webui: WebUI,
    capture: Capture,
    payload: dict[str, Any],
    post: Post,
    keep: Keep,
    *,
    hashes: bool,
) -> _Sent:
    # The pictures are decoded while the settings are looked at again: Pillow needs no lock.
    with ThreadPoolExecutor(1) as pool:
        with keep(webui) as settings:
            started = time.perf_counter()
            answer = post(capture.endpoint, payload)
            seconds = time.perf_counter() - started
            decoding = pool.submit(decode, texts(answer), hashes=hashes)
        told = answer.get("parameters")
        parameters = told if isinstance(told, dict) else {}
        return _Sent(capture, decoding.result(), account(answer), parameters, seconds, settings)


def _verified(webui: WebUI, sent: _Sent, fetch: Fetch) -> Replay:
    capture = sent.capture
    answered = verification.read_answer(sent.pictures, sent.info)
    found = verification.verify(
        capture.results,
        answered,
        lambda result: _expected(capture, result, fetch),
        lambda image, kind: compressed(image, kind, _quality(sent.settings.before)),
    )
    if found.verdict == "identical":
        reason = f"{_counted(len(found.images))} pixel for pixel{_through(found)}{_beside(found)}"
    else:
        reason = explain(
            capture, found, lambda: _host(webui), sent.settings.before, sent.parameters
        )
    result = _finished(sent, found.verdict, reason)
    return dataclasses.replace(result, images=found.images, others=found.others)


def _finished(sent: _Sent, verdict: Verdict, reason: str) -> Replay:
    lost = sent.settings.lost
    return Replay(
        verdict,
        f"{reason}; but settings could not be put back: {lost}" if lost else reason,
        sent.capture,
        pictures=sent.pictures,
        info=sent.info,
        seconds=sent.seconds,
        restored=sent.settings.moved,
        parameters=sent.parameters,
    )


def _counted(count: int) -> str:
    return "the picture came back" if count == 1 else f"all {count} pictures came back"


def _through(found: Verification) -> str:
    kinds = {image.through for image in found.images if image.through}
    if not kinds:
        return ""
    return f", as the server's lossy {min(kinds)} shows it (its option samples_format)"


def _quality(options: Mapping[str, Any]) -> int:
    value = options.get("jpeg_quality")
    return int(value) if isinstance(value, (int, float)) else 80  # the webui's default


def _beside(found: Verification) -> str:
    off = sum(1 for other in found.others if other.verdict != "identical")
    return f"; {off} grid or map did not, which counts for nothing" if off else ""


def _expected(capture: Capture, result: Result, fetch: Fetch) -> Image.Image | None:
    """The stored picture, if it can be had and is the one that was hashed."""
    if result.asset is None:
        return None
    try:
        image = opened(capture.asset(result.asset, fetch))
    except (FormatError, ReplayError, NotAPicture):
        return None
    return image if hashed(image) == result.sha256 else None


def _from_store(webui: WebUI, sha256: str) -> bytes:
    try:
        return webui.captures.asset(sha256)
    except (NotFound, NoExtension) as error:
        raise AssetError(
            f"assets.{sha256}",
            "neither the document nor the server has the bytes; export the capture again, "
            "as JSON or as a bundle",
        ) from error


def _host(webui: WebUI) -> Mapping[str, Any]:
    try:
        return webui.inventory.facts
    except ReplayError:
        return {}
