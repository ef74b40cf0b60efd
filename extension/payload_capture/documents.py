"""A capture as rows: what lists show and filters ask, and the document itself, compressed.

A document's JSON is mostly what every capture of the same host says: names of fields, settings,
extensions. So it is compressed with a dictionary, which is made of the first capture of a host and
kept beside the documents: of seven kilobytes of a plain capture some 700 bytes remain. A dictionary
holds nothing that somebody typed, nor the name of a user or a LoRA.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from payload_capture.capture import (
    BATCH,
    EXTRAS,
    EXTRAS_BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Asset,
    Capture,
    Host,
    canonical,
)

SUMMARY = (
    *("id", "endpoint", "kind", "started", "seconds", "source", "state", "user"),
    *("prompt", "seed", "model", "pictures", "warnings", "error", "failure", "thumbnail"),
    *("title", "note", "starred", "trashed", "verdict", "reason", "revision"),
)
"""The columns of `captures` that a list shows as they are."""

ORIGIN = ("endpoint", "kind", "source", "user", "model", "host")
"""Of a row, what is kept in `origins`."""

_KINDS = {
    TXT2IMG: "txt2img",
    IMG2IMG: "img2img",
    EXTRAS_SINGLE: "extras",
    EXTRAS_BATCH: "extras",
    EXTRAS: "extras",
    UPSCALE: "upscale",
    BATCH: "batch",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
PROMPT = 8000
"""Bytes of a row that help to compress its document; with the dictionary they fit in 32 KiB."""
_AGES = 1e12
"""Seconds; a stranger's document may say more than a database holds."""
KINDS = ("txt2img", "img2img", "inpaint", "extras", "upscale", "batch", "other")


def kind_of(endpoint: str, payload: Mapping[str, Any]) -> str:
    """One of `KINDS`: what the job was, as people call it."""
    kind = _KINDS.get(endpoint, "other")
    return "inpaint" if kind == "img2img" and payload.get("mask") else kind


def row(capture: Capture, failure: str | None) -> dict[str, Any]:
    """The rows of `captures` and `origins`; what nobody has edited yet is left to the table."""
    payload, samples = capture.payload, capture.samples
    first = next(iter(samples or capture.results), None)
    checkpoint, host = capture.host.checkpoint, capture.host
    seed = payload.get("seed")
    when, at = storable(capture.job.started)[:40], milliseconds(capture.job.started)
    return {
        "id": capture.id,
        "endpoint": capture.endpoint,
        "kind": kind_of(capture.endpoint, payload),
        "started": None if when == _iso(at) else when,
        "at": at,
        "seconds": min(max(capture.job.seconds, 0), _AGES),
        "source": capture.job.source,
        "state": capture.job.state,
        "user": _or_none(capture.job.user),
        "prompt": storable(str(payload.get("prompt") or "")),
        "seed": seed if isinstance(seed, int) and abs(seed) < 2**63 else None,
        "model": storable(checkpoint.title if checkpoint else ""),
        "host": storable(f"{host.webui} {host.version}".strip()),
        "width": _whole(first.width if first else payload.get("width")),
        "height": _whole(first.height if first else payload.get("height")),
        "pictures": len(capture.results),
        "warnings": len(capture.warnings),
        "error": _or_none(capture.job.error),
        "failure": _or_none(failure),
        "thumbnail": first.thumbnail if first else None,
    }


def origin_key(row: Mapping[Any, Any]) -> str:
    """Tells its row of `origins` from every other."""
    return hashlib.sha256(canonical([row[name] for name in ORIGIN])).hexdigest()


UNEDITED: dict[str, Any] = {
    **{"title": "", "note": "", "starred": False, "trashed": None},
    **{"verdict": None, "reason": None, "revision": 1, "tags": None},
}
"""What a new row holds beside that."""
BETWEEN = "\n"
"""Between the tags of one row: none of them has it."""


def summary(capture: Capture, failure: str | None) -> dict[str, Any]:
    """A capture as a list shows it that nobody has edited."""
    return summarised({**row(capture, failure), **UNEDITED})


def summarised(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of `captures` with its origin and its tags, as a list shows it."""
    made = {name: row[name] for name in SUMMARY} | {"started": started(row)}
    tags = sorted(row["tags"].split(BETWEEN)) if row["tags"] else []
    return made | {"size": [row["width"], row["height"]], "tags": tags}


def started(row: Mapping[Any, Any]) -> str:
    """When it was, which a row says only where `at` does not."""
    return _iso(row["at"]) if row["started"] is None else str(row["started"])


def _iso(at: int) -> str:
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")


def storable(text: str) -> str:
    """Text that every database takes; a document keeps what it says, escaped."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _or_none(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _whole(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < 2**31 else None


def milliseconds(started: str) -> int:
    """ISO 8601 as milliseconds since 1970; now, where it says no time."""
    try:
        return moment(started)
    except ValueError:
        return time.time_ns() // 1_000_000


def moment(when: str) -> int:
    """ISO 8601, UTC where it names no zone, as milliseconds since 1970. Raises ValueError."""
    parsed = datetime.fromisoformat(when.replace("Z", "+00:00"))
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=timezone.utc)
    try:
        return (parsed.astimezone(timezone.utc) - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError as error:
        raise ValueError(f"{when} is no year of the calendar") from error


# ---- the document


def text(capture: Capture) -> bytes:
    """The JSON that is kept."""
    return _json(capture)


def _json(part: Any, sort_keys: bool = False) -> bytes:
    """Of a capture or of a part of it, without making plain dicts of all of it first."""
    separators = (",", ":")
    made = json.dumps(
        part, default=_fields, sort_keys=sort_keys, separators=separators, allow_nan=False
    )
    return made.encode("ascii")


def _fields(part: Any) -> dict[str, Any]:
    if not dataclasses.is_dataclass(part):
        raise TypeError(f"{type(part).__name__} is no JSON")
    return vars(part)


def pack(document: bytes, dictionary: bytes, row: Mapping[Any, Any]) -> bytes:
    """`document` compressed, without what its row of `captures` says already."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=dictionary + _said(row))
    return packer.compress(document) + packer.flush()


def unpack(packed: bytes, dictionary: bytes, row: Mapping[Any, Any]) -> bytes:
    """What `pack` was given with the same row. Raises zlib.error for bytes that were damaged."""
    unpacker = zlib.decompressobj(-15, zdict=dictionary + _said(row))
    return unpacker.decompress(packed) + unpacker.flush()


def _said(row: Mapping[Any, Any]) -> bytes:
    """Of a row what its document repeats and no edit changes."""
    texts = [row["thumbnail"], started(row), row["id"], row["prompt"]]
    return json.dumps(texts).encode("ascii")[:PROMPT]


def host_key(host: Host) -> str:
    """The sha256 of what captures of one host have in common."""
    facts = dataclasses.replace(host, checkpoint=None, vae=None, loras=[], embeddings=[])
    return hashlib.sha256(_json(facts, sort_keys=True)).hexdigest()


_INFOTEXT = (
    "\\nNegative prompt: \\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, "
    "Seed: , Size: 512x512, Model hash: , Model: , Denoising strength: 0.7, Version: "
)
_OPEN = frozenset(("override_settings", "labels", "settings", "extensions", "checkpoint", "vae"))
"""Keys below which texts are settings and names of the host."""
_SMALL = 4096


def dictionary(capture: Capture) -> bytes:
    """What `pack` of captures of the same host takes."""
    files = [Asset("image/png", 0, 512, 512), Asset("image/webp", 0, 256, 256)]
    plain = dataclasses.replace(
        capture,
        payload=_without_unknown_settings(capture.payload),
        template={},
        resolved={},
        results=capture.results[:1],
        assets={str(number): file for number, file in enumerate(files)},
    )
    shape = _shape(plain.to_dict() | {"endpoint": ""})
    host = capture.host
    facts = {"webui": host.webui, "version": host.version, "python": host.python}
    facts |= {"torch": host.torch, "gradio": host.gradio, "device": host.device}
    parts = [_INFOTEXT, json.dumps(facts)[1:], json.dumps(shape, separators=(",", ":"))]
    return "".join(parts).encode("ascii")[-24_000:]


def _without_unknown_settings(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a client sets for one job, what every capture notes and nobody types as text."""
    given = payload.get("override_settings")
    if not isinstance(given, dict):
        return dict(payload)
    return {**payload, "override_settings": {n: v for n, v in given.items() if _is_known(n)}}


def _is_known(setting: str) -> bool:
    from payload_capture.settings import PIXEL_OPTIONS

    known = any(list(option.of({setting: None})) for option in PIXEL_OPTIONS)
    return known and setting not in ("sd_lora", "sd_hypernetwork")


def _shape(value: Any, is_open: bool = False) -> Any:
    """A JSON value without texts, but for those below the keys that `_OPEN` names."""
    if isinstance(value, dict):
        return {key: _shape(item, is_open or key in _OPEN) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item, is_open) for item in value]
    if isinstance(value, str):
        return value if is_open else ""
    return 0 if isinstance(value, int) and abs(value) > _SMALL else value
