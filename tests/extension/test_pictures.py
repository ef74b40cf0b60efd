"""Pictures of every mode as a PNG file, read back as the webui reads it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from payload_capture.pictures import (
    NotPortableError,
    Picture,
    Pixels,
    Spares,
    of_array,
    of_file,
    of_image,
)
from payload_capture.writer import _Bag


def decoded(image: Image.Image) -> Image.Image:
    """The picture as a script gets it back from the API."""
    bag = _Bag()
    return Image.open(io.BytesIO(bag.files[bag.png(image, "payload.args[0]")]))


def painted(mode: str) -> Image.Image:
    """Four pixels of different colours, of different alpha where the mode has any."""
    rgba = np.array(
        [[[255, 0, 0, 255], [0, 255, 0, 128]], [[0, 0, 255, 0], [9, 8, 7, 64]]], np.uint8
    )
    image = Image.fromarray(rgba)
    if mode in ("La", "PA", "RGBa"):
        return image.convert({"La": "LA", "PA": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "RGBa", "La", "CMYK", "HSV"])
def test_colours_and_alpha_come_back(mode: str) -> None:
    image = painted(mode)
    back = decoded(of_image(image)[0])
    assert np.array_equal(np.array(back.convert("RGBA")), np.array(rgba_of(image)))


def rgba_of(image: Image.Image) -> Image.Image:
    straight = {"RGBa": "RGBA", "La": "LA", "CMYK": "RGB", "HSV": "RGB"}.get(image.mode)
    return (image.convert(straight) if straight else image).convert("RGBA")


def test_a_palettes_transparency_comes_back() -> None:
    image = painted("RGB").quantize(4)
    image.info["transparency"] = bytes([0, 128, 255, 255])
    back = decoded(of_image(image)[0])
    assert np.array_equal(np.array(back.convert("RGBA")), np.array(image.convert("RGBA")))
    assert len(np.unique(np.array(back.convert("RGBA"))[:, :, 3])) > 1


@pytest.mark.parametrize(("mode", "high"), [("I", 65535), ("I;16", 65535), ("I;16B", 65535)])
def test_sixteen_bits_come_back(mode: str, high: int) -> None:
    dtype = {"I": "<i4", "I;16": "<u2", "I;16B": ">u2"}[mode]
    numbers = np.array([[0, 1], [300, high]])
    image = Image.fromarray(numbers.astype(dtype))
    assert image.mode == mode
    assert np.array_equal(np.array(decoded(of_image(image)[0])), numbers)


@pytest.mark.parametrize(("numbers", "levels"), [([0, 0.5, 1], [0, 128, 255]), ([0, 7, 255],) * 2])
def test_float_pixels_become_bytes(numbers: list[float], levels: list[int]) -> None:
    made, change = of_image(Image.fromarray(np.array([numbers], np.float32)))
    assert np.array(made).tolist() == [levels]
    assert change == "float pixels were sent as 8 bits"


@pytest.mark.parametrize("numbers", [[-1.0], [256.0], [float("nan")]])
def test_float_pixels_of_another_range_are_refused(numbers: list[float]) -> None:
    with pytest.raises(NotPortableError, match="neither"):
        of_image(Image.fromarray(np.array([numbers], np.float32)))


def test_pixels_beyond_sixteen_bits_are_refused() -> None:
    with pytest.raises(NotPortableError, match="do not fit in 16 bits"):
        of_image(Image.fromarray(np.array([[70000]], np.int32)))


def test_an_orientation_is_left_behind() -> None:
    """The webui would turn the picture by it: what the script had on the page is not turned."""
    image = painted("RGB")
    exif = image.getexif()
    exif[0x0112] = 6
    image.info["exif"] = exif.tobytes()
    image.info["icc_profile"] = b"x"
    made, _ = of_image(image)
    assert made.info == {}
    assert not decoded(made).getexif()


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (2, 2, 5), (1, 2, 2, 3), (0, 4), (4, 0, 3)])
def test_arrays_of_other_shapes_are_none(shape: tuple[int, ...]) -> None:
    assert of_array(np.zeros(shape, np.uint8)) is None


def test_sixteen_bits_per_channel_are_halved() -> None:
    made: Any = of_array(np.full((16, 16, 3), 0xAB12, np.uint16))
    assert made[0].image().getpixel((0, 0)) == (0xAB, 0xAB, 0xAB)
    assert made[1] == "16 bits per channel were sent as 8"


def test_a_small_table_of_floats_is_no_picture() -> None:
    assert of_array(np.zeros((15, 16))) is None
    assert of_array(np.zeros((16, 16))) is not None
    assert of_array(np.full((16, 16), np.nan)) is None


def test_a_damaged_file_is_an_error(tmp_path: Any) -> None:
    whole = tmp_path / "whole.png"
    Image.new("RGB", (64, 64), "red").save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(OSError, match=r"truncated|broken|image file"):
        of_file(str(cut))


def noise(mode: str, seed: int) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 30, bands), np.uint8)
    return Image.fromarray(pixels[:, :, 0] if bands == 1 else pixels, mode)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_released_memory_is_copied_into_and_nothing_of_before_stays(mode: str) -> None:
    first, second = noise(mode, 1), noise(mode, 2)
    first.info["transparency"] = 0 if mode == "L" else (0, 0, 0)
    held = Picture(of_image(first)[0])
    beside = of_image(second)[0]
    assert held.image is not beside
    assert held.image.tobytes() == first.tobytes()
    memory = held.image
    held.release()
    again = of_image(second)[0]
    assert again is memory
    assert again.tobytes() == second.tobytes()
    assert again.info == {}


def pixels_of(array: Any) -> Pixels:
    made = of_array(array)
    assert made is not None
    assert isinstance(made[0], Pixels)
    return made[0]


def test_released_arrays_are_copied_into() -> None:
    first, second = (np.array(noise("RGB", seed)) for seed in (3, 4))
    copies = [pixels_of(one) for one in (first, second)]
    assert [copy.data for copy in copies] == [first.tobytes(), second.tobytes()]
    for copy in copies:
        picture = Picture(copy)
        assert picture.image is picture.image
        picture.release()
    mirrored = second[:, ::-1]  # not in one piece
    assert pixels_of(mirrored).data == mirrored.tobytes()
    again = pixels_of(first)
    assert any(again.data is copy.data for copy in copies)
    assert again.data == first.tobytes()


def test_a_released_picture_cannot_be_looked_at() -> None:
    picture = Picture(of_image(noise("RGB", 5))[0])
    picture.release()
    with pytest.raises(AttributeError):
        _ = picture.image


def test_the_oldest_spare_makes_room() -> None:
    spares = Spares(limit=100)
    for name, size in (("a", 60), ("b", 30), ("c", 40), ("huge", 101)):
        spares.keep(name, size, name.upper())
        if name == "c":
            assert [spares.take(key) for key in ("a", "b")] == [None, "B"]
            assert spares.take("b") is None
    assert [spares.take(key) for key in ("c", "huge")] == [None, None]
