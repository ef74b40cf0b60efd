"""The text that a webui wrote into a picture's file.

PNG: the chunk ``parameters``. JPEG and WebP: EXIF's UserComment, with the character code before it
(A1111 v1.10.1, ``modules/images.py``, writes UNICODE). For these no pixel is decoded: a picture of
any width costs what its file has, and Pillow bounds texts at 1 MB each and 64 MB together. Only of
a PNG without a text the pixels may hold one (`stealth`).
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from . import stealth
from .capture import FormatError
from .images import known
from .posting import kind

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    TypeError,
    OverflowError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
)


def is_picture(data: bytes) -> bool:
    """Whether these bytes begin like a picture that a webui saves."""
    return kind(data) is not None


def infotext(data: bytes) -> str:
    """The infotext in a picture's file.

    Raises:
        FormatError: it has none, or is no picture that can be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a large picture, whose pixels nobody decodes here
            image = Image.open(io.BytesIO(data), formats=known())
            text = text_of(image) or _in_pixels(image)
    except FormatError:
        raise
    except _BROKEN as error:
        raise FormatError("", f"a picture that cannot be read: {error}") from error
    if not text.strip():
        raise FormatError(
            "", "the picture holds no infotext: it was made with that switched off, or edited since"
        )
    return text


def text_of(image: Image.Image) -> str:
    """The infotext of an opened picture; "" where none can be read, as the webui takes it."""
    try:
        text = image.info.get("parameters") or _user_comment(image)
    except _BROKEN:  # its EXIF, which holds the text
        return ""
    return text if isinstance(text, str) else ""


def decoded(comment: bytes) -> str:
    """An EXIF UserComment: eight bytes that name its encoding, then the text."""
    code, text = comment[:8], comment[8:]
    if code == b"UNICODE\0":
        return _utf_16(text)
    if code in (b"ASCII\0\0\0", b"\0" * 8):
        return text.decode("utf-8", "replace").rstrip("\0")
    return comment.decode("utf-8", "replace").rstrip("\0")


def _utf_16(text: bytes) -> str:
    """Big-endian as piexif writes it, little-endian as others do: mostly ASCII tells which."""
    big = text[0::2].count(0) >= text[1::2].count(0)
    return text.decode("utf-16-be" if big else "utf-16-le", "replace").rstrip("\0")


def _user_comment(image: Image.Image) -> str | None:
    comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    return decoded(comment) if isinstance(comment, bytes) else comment


def _in_pixels(image: Image.Image) -> str:
    """What stands in a PNG's pixels, or in a chunk behind them."""
    if image.format != "PNG":
        return ""
    image.load()
    return text_of(image) or stealth.read(image)
