"""The text in a picture's file."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fake_webui import png
from payload_replay import FormatError, metadata

pytestmark = pytest.mark.once

TEXT = "a cät 🐈\nSteps: 2, Sampler: Euler a, Seed: 7"
SMALL = Image.new("RGB", (16, 16), "blue")


def with_comment(kind: str, comment: bytes) -> bytes:
    """EXIF by hand: one IFD that points to another, which holds the comment after itself."""
    root = struct.pack(">HHHIII", 1, 0x8769, 4, 1, 26, 0)
    inner = struct.pack(">HHHIII", 1, 0x9286, 7, len(comment), 44, 0)
    buffer = io.BytesIO()
    exif = b"Exif\0\0" + b"MM\0*\0\0\0\x08" + root + inner + comment
    SMALL.save(buffer, kind, exif=exif)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG of any size, of which there are no pixels."""
    start = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    )
    return start + b"".join(chunks) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_png() -> None:
    assert metadata.infotext(png(SMALL, TEXT)) == TEXT
    info = PngInfo()
    info.add_itxt("parameters", TEXT, zip=True)
    buffer = io.BytesIO()
    SMALL.save(buffer, "PNG", pnginfo=info)
    assert metadata.infotext(buffer.getvalue()) == TEXT


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + TEXT.encode("utf-16-be"),
        b"UNICODE\0" + TEXT.encode("utf-16-le"),
        b"ASCII\0\0\0" + TEXT.encode(),
        b"\0" * 8 + TEXT.encode(),
        TEXT.encode(),
    ],
)
def test_jpeg_and_webp(kind: str, comment: bytes) -> None:
    data = with_comment(kind, comment)
    assert metadata.is_picture(data)
    assert metadata.infotext(data) == TEXT


def test_a_picture_without_a_text() -> None:
    with pytest.raises(FormatError, match="holds no infotext"):
        metadata.infotext(png(SMALL))


def test_a_text_behind_the_pixels() -> None:
    data = png(SMALL)
    end = data.index(b"IEND") - 4
    behind = data[:end] + chunk(b"tEXt", b"parameters\0behind") + data[end:]
    assert metadata.infotext(behind) == "behind"


def test_an_opened_picture() -> None:
    for kind in ("JPEG", "WEBP"):
        data = with_comment(kind, b"UNICODE\0" + TEXT.encode("utf-16-be"))
        assert metadata.text_of(Image.open(io.BytesIO(data))) == TEXT
    assert metadata.text_of(Image.open(io.BytesIO(png(SMALL, TEXT)))) == TEXT
    assert metadata.text_of(SMALL) == ""
    buffer = io.BytesIO()
    SMALL.save(buffer, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01broken")
    with pytest.warns(UserWarning, match="Corrupt EXIF"):
        assert metadata.text_of(Image.open(io.BytesIO(buffer.getvalue()))) == ""


def test_wide_pictures() -> None:
    text = chunk(b"tEXt", b"parameters\0wide")
    assert metadata.infotext(header(100_000, 100, text)) == "wide"
    with pytest.raises(FormatError, match=r"cannot be read.*decompression bomb"):
        metadata.infotext(header(100_000, 100_000, text))


def test_a_text_that_unpacks_to_too_much() -> None:
    bomb = zlib.compress(b"x" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(FormatError, match=r"cannot be read|no infotext"):
        metadata.infotext(header(16, 16, chunk(b"zTXt", b"parameters\0\0" + bomb)))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@given(st.data())
def test_damage_anywhere_is_a_clear_error(data: st.DataObject) -> None:
    sources = [png(SMALL, TEXT), with_comment("JPEG", b"UNICODE\0" + TEXT.encode("utf-16-be"))]
    whole = bytearray(data.draw(st.sampled_from(sources)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert metadata.infotext(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except FormatError:
        return
