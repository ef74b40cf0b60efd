"""Decoding, and the hash by which pictures are the same."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from payload_replay import UnexpectedAnswer
from payload_replay.images import (
    NotAPicture,
    base64_of,
    comparable,
    compressed,
    decode,
    hashed,
    known,
    opened,
    png,
    suffix,
    threaded,
)

pytestmark = pytest.mark.once


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def noise(mode: str = "RGB", size: tuple[int, int] = (16, 8)) -> Image.Image:
    count = size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, hashlib.shake_128(mode.encode()).digest(count))


def test_the_rule_of_the_hash() -> None:
    image = noise()
    expected = hashlib.sha256(b"RGB 16x8\n" + image.tobytes()).hexdigest()
    assert hashed(image) == expected
    assert hashed(opened(saved(image, compress_level=0))) == expected
    assert hashed(opened(saved(image, compress_level=9))) == expected


def test_an_opaque_alpha_channel_says_nothing() -> None:
    image = noise()
    with_alpha = image.copy()
    with_alpha.putalpha(255)
    assert hashed(with_alpha) == hashed(image)
    with_alpha.putalpha(254)  # Forge's hidden infotext
    assert hashed(with_alpha) == hashed(image)
    with_alpha.putpixel((0, 0), (1, 2, 3, 253))
    assert comparable(with_alpha).mode == "RGBA"
    assert hashed(with_alpha) != hashed(image)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "I;16", "RGBA"])
def test_every_mode_has_a_hash(mode: str) -> None:
    image = Image.new(mode, (4, 4))
    assert comparable(image).mode in ("RGB", "RGBA")
    assert len(hashed(image)) == 64


def test_a_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (2, 2))
    data = saved(image, transparency=0)
    assert comparable(opened(data)).mode == "RGBA"


def test_rgb_with_a_transparent_colour() -> None:
    data = saved(Image.new("RGB", (2, 2), (1, 2, 3)), transparency=(1, 2, 3))
    assert comparable(opened(data)).mode == "RGBA"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_what_the_webui_saves_is_read(format: str) -> None:
    data = saved(noise(), format)
    (picture,) = decode([base64.b64encode(data).decode()])
    assert picture.data == data
    assert picture.lossy is (format != "PNG")


@pytest.mark.parametrize("format", ["PPM", "GIF", "TIFF", "PDF"])
def test_what_it_does_not_save_is_not_read(format: str) -> None:
    with pytest.raises(NotAPicture):
        opened(saved(noise(), format))


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", saved(noise())[:60], b"<svg/>"])
def test_broken_files(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        opened(data)


def test_a_picture_too_large_to_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(NotAPicture, match="decompression bomb"):
        opened(saved(noise()))


def test_an_answers_bad_picture_is_named() -> None:
    good = base64.b64encode(saved(noise())).decode()
    with pytest.raises(UnexpectedAnswer, match=r"images\[1\]"):
        decode([good, "AAAA"])
    with pytest.raises(UnexpectedAnswer, match=r"images\[0\]"):
        decode(["A"])


def test_several_keep_their_order() -> None:
    sizes = [(n, 3) for n in range(1, 12)]
    texts = [base64.b64encode(saved(noise(size=size))).decode() for size in sizes]
    pictures = decode(texts)
    assert [picture.image.size for picture in pictures] == sizes
    assert [picture.sha256 for picture in pictures] == [hashed(p.image) for p in pictures]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_compressed_as_the_server_does_it(mode: str, kind: str) -> None:
    made = compressed(Image.new(mode, (8, 8)), kind, 80)
    assert (made.format, made.size) == (kind, (8, 8))


def test_no_hash_where_none_is_asked() -> None:
    (picture,) = decode([base64.b64encode(saved(noise())).decode()], hashes=False)
    assert picture.sha256 is None


def test_threaded_raises_what_its_work_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        threaded(lambda n: 1 // n, [1, 0, 2])
    assert threaded(lambda n: n, []) == []


def test_a_picture_from_wherever_it_is(tmp_path: Path) -> None:
    image, data = noise(), saved(noise())
    (tmp_path / "a.png").write_bytes(data)
    text = base64.b64encode(data).decode()
    assert base64_of(data) == base64_of(tmp_path / "a.png") == base64_of(text) == text
    assert base64_of(decode([text])[0]) == text
    assert opened(base64.b64decode(base64_of(image))).tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("format", "expected"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")]
)
def test_the_suffix_of_a_file(format: str, expected: str) -> None:
    assert suffix(saved(Image.new("RGB", (4, 4)), format)) == expected


@pytest.mark.parametrize("data", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_what_has_no_suffix(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        suffix(data)
    with pytest.raises(NotAPicture):
        suffix(saved(Image.new("RGB", (4, 4)), "GIF"))


def test_a_file_without_infotext() -> None:
    image = noise()
    image.info["parameters"] = "a cat"
    with opened(png(image)) as read:
        assert (read.format, read.tobytes(), read.info) == ("PNG", image.tobytes(), {})


def test_the_formats_that_are_read_are_pillows_too() -> None:
    Image.init()
    assert {"PNG", "JPEG", "WEBP"} <= set(known()) <= set(Image.OPEN)
