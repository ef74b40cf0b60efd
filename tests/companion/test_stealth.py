"""The text hidden in a picture's pixels."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fake_webui import png
from payload_replay import FormatError, stealth
from payload_replay.source import from_bytes

pytestmark = pytest.mark.once

TEXT = "a cät 🐈\nSteps: 2, Sampler: Euler a, Seed: 7, Size: 32x64"
SIGNATURES = ["stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp"]


def drawn(mode: str = "RGB", size: tuple[int, int] = (32, 64)) -> Image.Image:
    image = Image.effect_noise(size, 100).convert("RGB")
    if mode == "RGBA":
        image.putalpha(255)
    return image


def carrying(image: Image.Image, data: bytes, alpha: bool) -> Image.Image:
    """The picture with these bytes in it, pixel by pixel: down each column, from left to right."""
    bits = iter(f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else "")
    bands = [3] if alpha else [0, 1, 2]
    for x in range(image.width):
        for y in range(image.height):
            pixel: list[Any] = list(image.getpixel((x, y)))
            for band in bands:
                pixel[band] = pixel[band] & 254 | int(next(bits, pixel[band] & 1))
            image.putpixel((x, y), tuple(pixel))
    return image


def message(signature: str, content: bytes, length: int | None = None) -> bytes:
    length = len(content) if length is None else length
    return signature.encode() + (8 * length).to_bytes(4, "big") + content


def hidden(signature: str, text: str = TEXT, size: tuple[int, int] = (32, 64)) -> Image.Image:
    content = gzip.compress(text.encode()) if signature.endswith("comp") else text.encode()
    alpha = "png" in signature
    image = drawn("RGBA" if alpha else "RGB", size)
    return carrying(image, message(signature, content), alpha)


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("size", [(32, 64), (1200, 3), (2, 900)])
def test_each_way_to_hide_it(signature: str, size: tuple[int, int]) -> None:
    assert stealth.read(hidden(signature, size=size)) == TEXT


def test_the_alpha_channel_comes_first_and_may_be_without_one() -> None:
    both = carrying(hidden("stealth_pngcomp"), message("stealth_rgbinfo", b"colours"), False)
    assert stealth.read(both) == TEXT
    colours = carrying(drawn("RGBA"), message("stealth_rgbinfo", b"colours"), False)
    assert stealth.read(colours) == "colours"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "I;16", "LA"])
@pytest.mark.parametrize("size", [(1, 1), (7, 1), (1, 7), (64, 64)])
def test_nothing_is_hidden(mode: str, size: tuple[int, int]) -> None:
    image = Image.new(mode, size)
    assert stealth.read(image) == ""
    assert not stealth.in_colours(image)


def test_a_picture_is_imported_by_its_pixels() -> None:
    for signature in SIGNATURES:
        image = hidden(signature)
        found = from_bytes(png(image))
        assert (found.payload["prompt"], found.payload["seed"]) == ("a cät 🐈", 7)
        assert found.results[0].infotext == TEXT
        told = [(w.path, w.severity) for w in found.warnings]
        assert told == ([("results", "pixels")] if "rgb" in signature else [])


def test_a_text_chunk_counts_for_more() -> None:
    chunk = TEXT.replace("Seed: 7", "Seed: 8")
    assert from_bytes(png(hidden("stealth_pnginfo"), chunk)).payload["seed"] == 8


@pytest.mark.parametrize(
    ("signature", "content", "length", "words"),
    [
        ("stealth_pnginfo", b"cat", 2**28, "longer than 1048576 bytes"),
        ("stealth_pnginfo", b"cat", 2**20, "cut off"),
        ("stealth_rgbinfo", b"\xff\xfe\xfd", None, "can't decode byte"),
        ("stealth_rgbcomp", b"no gzip", None, "incorrect header"),
        ("stealth_pngcomp", gzip.compress(b"cat")[:-9], None, "cut off"),
        ("stealth_pngcomp", b"", None, "cut off"),
        ("stealth_rgbcomp", gzip.compress(bytes(2**20 + 1)), None, "unpacks to more than"),
    ],
    ids=["long", "longer than its picture", "bytes", "text", "cut", "empty", "bomb"],
)
def test_what_cannot_be_read(signature: str, content: bytes, length: Any, words: str) -> None:
    alpha = "png" in signature
    made = message(signature, content, length)
    image = carrying(drawn("RGBA", (64, 64)), made, alpha)
    with pytest.raises(
        FormatError, match=f"hidden in the picture's pixels cannot be read.*{words}"
    ):
        from_bytes(png(image))


def test_what_unpacks_to_too_much_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    image = carrying(drawn("RGBA", (64, 4096)), message("stealth_rgbcomp", bomb), False)
    tracemalloc.start()
    with pytest.raises(FormatError, match="unpacks to more than"):
        stealth.read(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@given(st.sampled_from(SIGNATURES), st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_anything_ends_in_a_text_or_a_clear_error(signature: str, bits: int, rest: bytes) -> None:
    data = signature.encode() + bits.to_bytes(4, "big") + rest
    image = carrying(Image.new("RGBA", (8, 64)), data, "png" in signature)
    with contextlib.suppress(FormatError):
        assert stealth.read(image).encode() in data + bytes(200)  # the picture is black
