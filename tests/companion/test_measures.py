"""PSNR and SSIM against numpy and recorded values, and the heat map."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from PIL import Image, ImageFilter

from payload_replay.measures import heat_map, psnr, ssim

pytestmark = pytest.mark.once

SIZES = [(8, 8), (64, 64), (65, 70), (9, 30), (5, 30), (5, 3), (2, 9), (1, 7), (40, 1033)]


def noise(seed: object, size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    length = size[0] * size[1] * len(mode)
    return Image.frombytes(mode, size, hashlib.shake_128(repr(seed).encode()).digest(length))


def scene(size: tuple[int, int] = (96, 64)) -> Image.Image:
    slope = Image.linear_gradient("L").resize(size)
    disc = Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (slope, disc, slope.rotate(180)))


def windows(values: np.ndarray, edge: int) -> np.ndarray:
    """Every window of one channel, each half over the next, one a row."""
    step = max(edge // 2, 1)
    view = np.lib.stride_tricks.sliding_window_view(values, (edge, edge))[::step, ::step]
    return view.reshape(-1, edge * edge)


def by_numpy(one: Image.Image, other: Image.Image) -> float:
    """The definition, written down without anything of the implementation."""
    edge = max(size for size in (1, 2, 4, 8) if size <= min(one.size))
    found = []
    for x, y in zip(one.split(), other.split(), strict=True):
        a = windows(np.asarray(x, dtype=np.float64), edge)
        b = windows(np.asarray(y, dtype=np.float64), edge)
        ma, mb = a.mean(1), b.mean(1)
        covariance = ((a - ma[:, None]) * (b - mb[:, None])).mean(1)
        c1, c2 = 2.55**2, 7.65**2
        top = (2 * ma * mb + c1) * (2 * covariance + c2)
        found.append(top / ((ma**2 + mb**2 + c1) * (a.var(1) + b.var(1) + c2)))
    return float(np.concatenate(found).mean())


@pytest.mark.parametrize("size", SIZES)
def test_ssim_is_its_definition(size: tuple[int, int]) -> None:
    pairs = [
        (noise(1, size), noise(2, size)),
        (noise(1, size), noise(1, size).point([min(v + 3, 255) for v in range(256)] * 3)),
        (scene(size), scene(size).filter(ImageFilter.GaussianBlur(2))),
    ]
    for one, other in pairs:
        assert ssim(one, other) == pytest.approx(by_numpy(one, other), abs=1e-4)


def test_ssim_of_the_same_and_of_opposites() -> None:
    assert ssim(scene(), scene()) == pytest.approx(1, abs=1e-6)
    black, white = Image.new("RGB", (32, 32)), Image.new("RGB", (32, 32), "white")
    assert ssim(black, white) == pytest.approx(1e-4, rel=0.01)
    assert ssim(noise(1, (64, 64)), noise(2, (64, 64))) == pytest.approx(0, abs=0.05)


def test_ssim_tells_blur_from_brightness_of_the_same_psnr() -> None:
    """What PSNR cannot: the structure is there in one, and gone in the other."""
    grain = Image.blend(scene(), noise(1, (96, 64)), 0.15)
    blurred = grain.filter(ImageFilter.GaussianBlur(3))
    brighter = grain.point([min(v + 12, 255) for v in range(256)] * 3)
    one, other = psnr(grain, blurred), psnr(grain, brighter)
    assert one is not None
    assert other is not None
    assert one[0] > other[0]
    assert (ssim(grain, blurred) or 0) < 0.7 < 0.9 < (ssim(grain, brighter) or 0)


def test_ssim_looks_at_every_channel_and_at_alpha() -> None:
    grey = Image.new("L", (32, 32), 90)
    one = Image.merge("RGB", (noise(1, (32, 32), "L"), grey, grey))
    other = Image.merge("RGB", (noise(2, (32, 32), "L"), grey, grey))
    assert ssim(one, other) == pytest.approx(2 / 3, abs=0.05)
    clear = Image.new("RGBA", (32, 32), (9, 9, 9, 0))
    solid = Image.new("RGB", (32, 32), (9, 9, 9))
    assert ssim(clear, solid) == pytest.approx(3 / 4, abs=0.01)


def test_the_whole_picture_is_looked_at() -> None:
    """Windows overlap at the seams of the strips: a change in any row must show."""
    size = (8, 1100)
    plain = Image.new("RGB", size, "grey")
    for row in (0, 300, 508, 511, 512, 515, 516, 1023, 1024, 1090, 1095):
        marked = plain.copy()
        marked.paste("white", (0, row, 8, row + 1))
        assert (ssim(plain, marked) or 0) < 0.9999, row


def test_other_sizes_are_not_measured() -> None:
    one, other = Image.new("RGB", (8, 8)), Image.new("RGB", (8, 9))
    assert (psnr(one, other), ssim(one, other), heat_map(one, other)) == (None, None, None)


def test_psnr_is_its_definition() -> None:
    one, other = noise(1, (20, 20)), noise(2, (20, 20))
    a, b = (np.asarray(image, dtype=np.float64) for image in (one, other))
    expected = 10 * math.log10(255**2 / ((a - b) ** 2).mean())
    decibels, largest = psnr(one, other) or pytest.fail("none")
    assert decibels == pytest.approx(expected)
    assert largest == int(abs(a - b).max())
    assert psnr(one, one) == (math.inf, 0)


def test_the_heat_map_is_bright_where_they_differ_most() -> None:
    one = Image.new("RGB", (16, 16), (10, 10, 10))
    other = one.copy()
    other.putpixel((3, 4), (10, 14, 9))
    other.putpixel((5, 6), (10, 12, 10))
    image, largest = heat_map(one, other) or pytest.fail("none")
    assert largest == 4
    assert image.getpixel((3, 4)) == (255, 250, 200)
    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert 0 < sum(image.getpixel((5, 6))) < 705
    same, none = heat_map(one, one) or pytest.fail("none")
    assert (same.getextrema(), none) == (((0, 0),) * 3, 0)
