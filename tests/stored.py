"""Captures with real pictures, for the tests of the store."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

from PIL import Image

from payload_capture.capture import (
    IMG2IMG,
    TXT2IMG,
    Asset,
    Capture,
    Extension,
    Host,
    Job,
    Model,
    Result,
    pixel_hash,
    reference,
)
from payload_capture.store import Store
from payload_capture.upkeep import Fault

STARTED = "2026-11-23T16:15:02.000+00:00"
Made = tuple[Capture, dict[str, bytes]]


def picture(seed: int, media_type: str = "image/png") -> bytes:
    """A small picture's file; another one for each seed."""
    raw = hashlib.sha256(str(seed).encode()).digest() * 6
    out = io.BytesIO()
    Image.frombytes("RGB", (8, 8), raw).save(out, media_type.partition("/")[2])
    return out.getvalue()


def pixels(data: bytes) -> str:
    """The hash that a result has of a picture's file."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return pixel_hash("RGB", image.size, image.tobytes())


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make(
    number: int,
    prompt: str = "",
    data: bytes | None = None,
    init: bytes | None = None,
    job: dict[str, Any] | None = None,
    host: Host | None = None,
    **payload: Any,
) -> Made:
    """A capture and its files: a result, its thumbnail, and what `init` was sent."""
    data = picture(number) if data is None else data
    thumbnail = picture(number, "image/webp")
    files = {sha256_of(one): one for one in (data, thumbnail, *([init] if init else []))}
    sent = {"init_images": [reference(sha256_of(init))]} if init else {}
    result = Result(
        pixels(data), 8, 8, "sample", number, asset=sha256_of(data), thumbnail=sha256_of(thumbnail)
    )
    capture = Capture(
        format=1,
        id=f"c{number}",
        endpoint=IMG2IMG if init else TXT2IMG,
        payload={"prompt": prompt or f"cat {number}", "seed": number} | sent | payload,
        results=[result],
        host=host or HOST,
        job=Job(**{"started": STARTED, "source": "api"} | (job or {})),
        assets={name: Asset(_type(one), len(one), 8, 8) for name, one in files.items()},
    )
    return capture, files


HOST = Host(
    webui="AUTOMATIC1111",
    version="v1.10.1",
    checkpoint=Model("alpha.safetensors [12ab]"),
    extensions=[Extension("sd-webui-payload-capture", "1")],
)


def _type(data: bytes) -> str:
    return "image/webp" if data[:4] == b"RIFF" else "image/png"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def holding(folder: Path, *texts: bytes) -> list[str]:
    """The files below a folder that hold one of the byte strings."""
    return [
        os.path.relpath(path, folder)
        for path in files_below(folder)
        if any(text in path.read_bytes() for text in texts)
    ]


def broken(store: Store) -> list[Fault]:
    """What `verify` finds, but for files that nobody names: those may be left over at an end."""
    return [fault for fault in store.verify() if fault.reason != "no capture names it"]
