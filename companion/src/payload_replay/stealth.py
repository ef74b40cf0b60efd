"""The infotext hidden in the lowest bits of a picture's pixels, which outlives its text chunks.

Signature, length in bits as 32 of them, then UTF-8: bit after bit, column after column, in the
alpha channel or in red, green and blue by turns. What the signature says: ``…info`` is the text as
it is, ``…comp`` gzip of it. The extension sd_webui_stealth_pnginfo writes all four; Forge
(dfdcbab6) and reForge (3b56b268), ``modules/stealth_infotext.py``, the packed two; all into PNG
alone.
"""

from __future__ import annotations

import zlib

from PIL import Image

from .capture import FormatError

MAX_BYTES = 2**20
"""Of a hidden text, packed or not; more is not read."""

_SIGNATURES = {
    "A": (b"stealth_pnginfo", b"stealth_pngcomp"),
    "RGB": (b"stealth_rgbinfo", b"stealth_rgbcomp"),
}
_MODES = {"A": ("RGBA",), "RGB": ("RGB", "RGBA")}
_SIGNATURE, _HEAD = 15, 19  # bytes: without and with the length
_LOWEST = b"01" * 128  # an octet → its lowest bit, as a digit


def read(image: Image.Image) -> str:
    """The hidden text; "" where there is none.

    Only the columns that hold it are copied.

    Raises:
        FormatError: it is damaged, cut off, or longer than `MAX_BYTES`.
    """
    for bands in _SIGNATURES:
        head = _hidden(image, bands, _HEAD)
        if head[:_SIGNATURE] in _SIGNATURES[bands]:
            try:
                return _text(image, bands, head)
            except (ValueError, zlib.error) as error:
                reason = f"the infotext hidden in the picture's pixels cannot be read: {error}"
                raise FormatError("", reason) from error
    return ""


def in_colours(image: Image.Image) -> bool:
    """Whether a text is hidden in the colours, which then are not quite those that were drawn."""
    return _hidden(image, "RGB", _SIGNATURE) in _SIGNATURES["RGB"]


def _hidden(image: Image.Image, bands: str, count: int) -> bytes:
    """That many bytes from the beginning; fewer where the picture ends, none of another mode."""
    if image.mode not in _MODES[bands]:
        return b""
    columns = -(-8 * count // (image.height * len(bands)))
    strip = image.crop((0, 0, min(columns, image.width), image.height))
    strip = strip.transpose(Image.Transpose.TRANSPOSE)
    octets = (strip.getchannel("A") if bands == "A" else strip.convert("RGB")).tobytes()
    count = min(count, len(octets) // 8)
    return int(octets[: 8 * count].translate(_LOWEST) or b"0", 2).to_bytes(count, "big")


def _text(image: Image.Image, bands: str, head: bytes) -> str:
    length = int.from_bytes(head[_SIGNATURE:], "big") // 8
    if length > MAX_BYTES:
        raise ValueError(f"it is longer than {MAX_BYTES} bytes")
    data = _hidden(image, bands, _HEAD + length)[_HEAD:]
    if len(data) < length:
        raise ValueError("it is cut off")
    return (_unpacked(data) if head[:_SIGNATURE].endswith(b"comp") else data).decode()


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    text = unpacker.decompress(data, MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError(f"it unpacks to more than {MAX_BYTES} bytes")
    if not unpacker.eof:
        raise ValueError("it is cut off")
    return text
