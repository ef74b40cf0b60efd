"""Pictures: from base64 to pixels, and the hash by which two of them are the same.

Pillow decodes and hashlib hashes without holding Python's lock, so several pictures of one answer
are worked on in threads.
"""

from __future__ import annotations

import base64
import functools
import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image

from . import codec
from .capture import OPAQUE, pixel_hash
from .errors import UnexpectedAnswer

# What a webui can be set to save; the rest of Pillow's formats stay out of a server's reach.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")
_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "AVIF": "avif"}
LOSSY = ("JPEG", "WEBP", "AVIF")

T = TypeVar("T")
R = TypeVar("R")


class NotAPicture(ValueError):
    """Bytes that are no picture, a broken one, or one too large to decode."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture: its file's bytes, the pixels, and their hash unless it was not asked."""

    data: bytes
    image: Image.Image
    sha256: str | None = None

    @property
    def lossy(self) -> bool:
        return self.image.format in LOSSY


@functools.cache
def known() -> list[str]:
    """Those of `FORMATS` that this Pillow can read."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def opened(data: bytes, most: int | None = None) -> Image.Image:
    """Decode a picture's file, of `most` pixels if that is given. Raises NotAPicture."""
    try:
        image = Image.open(io.BytesIO(data), formats=known())
        if most is not None and image.width * image.height > most:
            raise NotAPicture(f"{image.width}x{image.height} pixels; {most} are the most")
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise NotAPicture(str(error)) from error
    return image


def suffix(data: bytes) -> str:
    """The suffix of a picture's file, without its dot, told by its first bytes.

    Nothing is decoded: its pixels are whatever the picture says. Raises NotAPicture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=known()) as image:
            return _SUFFIXES[str(image.format)]
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise NotAPicture(str(error)) from error


def comparable(image: Image.Image) -> Image.Image:
    """The picture as RGB, or as RGBA where any pixel is not opaque (`capture.OPAQUE`)."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return image.convert("RGB") if _opaque(image) else image


def hashed(image: Image.Image) -> str:
    """The hash of a picture's pixels, by the format's rule."""
    image = comparable(image)
    return pixel_hash(image.mode, image.size, image.tobytes())


def compressed(image: Image.Image, kind: str, quality: int) -> Image.Image:
    """A picture as it is after the webui's own answer in a lossy format.

    Args:
        kind: Pillow's name of the format.
        quality: the webui's option ``jpeg_quality``, which is meant for WebP too (A1111 v1.6.0 to
            v1.10.1, ``encode_pil_to_base64``).
    """
    buffer = io.BytesIO()
    plain = image.convert("RGB") if image.mode in ("RGBA", "P") else image
    plain.save(buffer, kind, quality=quality)
    return opened(buffer.getvalue())


def png(image: Image.Image) -> bytes:
    """The file of a picture as PNG, without infotext."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def base64_of(picture: str | bytes | Path | Picture | Image.Image) -> str:
    """A picture as base64: its file as it is, Pillow's as PNG without infotext, text unchanged."""
    if isinstance(picture, str):
        return picture
    if isinstance(picture, Picture):
        picture = picture.data
    if isinstance(picture, Image.Image):
        picture = png(picture)
    data = picture.read_bytes() if isinstance(picture, Path) else picture
    return base64.b64encode(data).decode("ascii")


def decode(texts: Sequence[str], *, hashes: bool = True) -> list[Picture]:
    """Decode the base64 pictures of an answer, several at a time.

    Raises:
        UnexpectedAnswer: one is no picture, by its place in the answer.
    """
    return threaded(lambda item: _decoded(*item, hashes), list(enumerate(texts)))


def threaded(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`work` on each item, in threads where there are several; results in the items' order."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(len(items), os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))


def _opaque(image: Image.Image) -> bool:
    counts = image.getchannel("A").histogram()
    return sum(counts[:OPAQUE]) == 0


def _decoded(index: int, text: str, hashes: bool) -> Picture:
    try:
        data = codec.b64decode(text)
        image = opened(data)
    except ValueError as error:
        raise UnexpectedAnswer(f"images[{index}] of the answer is no picture: {error}") from error
    return Picture(data, image, hashed(image) if hashes else None)
