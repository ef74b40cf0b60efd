"""How far one picture is from another: PSNR, SSIM, and where they differ. Pillow alone."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageStat

from .images import comparable

WINDOW = 8
"""Edge in pixels of the windows of SSIM; less (4, 2 or 1) in a picture that is smaller."""

_STRIP = 64 * WINDOW  # rows at a time, so that memory does not grow with the height
_SQUARES = [value * value for value in range(256)]
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_HEAT = ((0, 0, 0), (60, 15, 110), (180, 45, 95), (245, 130, 30), (255, 250, 200))


def psnr(one: Image.Image, other: Image.Image) -> tuple[float, int] | None:
    """The ratio in dB and the largest difference of a channel; None for different sizes."""
    if one.size != other.size:
        return None
    one, other = _alike(one, other)
    statistics = ImageStat.Stat(ImageChops.difference(one, other))
    values = one.size[0] * one.size[1] * len(one.getbands())
    error = sum(statistics.sum2) / values
    largest = max(int(high) for _, high in statistics.extrema)
    return (10 * math.log10(255**2 / error) if error else math.inf), largest


def ssim(one: Image.Image, other: Image.Image) -> float | None:
    """The structural similarity, 1.0 for the same pixels; None for different sizes.

    The mean over channels and over windows of 8×8 pixels, each overlapping the next by half, of the
    index of Wang et al. 2004 with K1 = 0.01, K2 = 0.03, a range of 255 and population variances.
    Beyond the two pictures, memory goes with their width alone.
    """
    if one.size != other.size:
        return None
    one, other = _alike(one, other)
    total, count = 0.0, 0
    for left, right in zip(one.split(), other.split(), strict=True):
        for index in _indices(left, right):
            total += index
            count += 1
    return total / count


def heat_map(one: Image.Image, other: Image.Image) -> tuple[Image.Image, int] | None:
    """Where two pictures differ: black for the same, bright for the largest difference.

    Returns: the map, and that difference (of a channel, of 255), which is the map's scale; None
        for different sizes.
    """
    if one.size != other.size:
        return None
    difference = ImageChops.difference(*_alike(one, other)).split()
    highest = difference[0]
    for band in difference[1:]:
        highest = ImageChops.lighter(highest, band)
    largest = max(value for value, count in enumerate(highest.histogram()) if count)
    tables = [[_heat(value / (largest or 1), band) for value in range(256)] for band in range(3)]
    return Image.merge("RGB", [highest.point(table) for table in tables]), largest


def _alike(one: Image.Image, other: Image.Image) -> tuple[Image.Image, Image.Image]:
    one, other = comparable(one), comparable(other)
    mode = "RGBA" if "RGBA" in (one.mode, other.mode) else "RGB"
    return one.convert(mode), other.convert(mode)


def _indices(one: Image.Image, other: Image.Image) -> Iterator[float]:
    """The index of each window of one channel, strip by strip."""
    width, height = one.size
    edge = next(size for size in (WINDOW, 4, 2, 1) if size <= min(width, height))
    for top in range(0, height - edge + 1, _STRIP):
        # The last windows that begin in the strip reach half their height below it.
        box = (0, top, width, min(top + _STRIP + edge // 2, height))
        yield from _strip(one.crop(box), other.crop(box), edge)


def _strip(one: Image.Image, other: Image.Image, edge: int) -> Iterator[float]:
    squares = [part.point(_SQUARES, "I").convert("F") for part in (one, other)]
    apart = ImageChops.difference(one, other).point(_SQUARES, "I").convert("F")
    planes = [one.convert("F"), other.convert("F"), *squares, apart]
    (width, height), step = one.size, max(edge // 2, 1)
    for dy in range(0, min(edge, height - edge + 1), step):
        for dx in range(0, min(edge, width - edge + 1), step):
            wide, high = (width - dx) // edge * edge, (height - dy) // edge * edge
            box = (dx, dy, dx + wide, dy + high)
            means = (_values(plane.crop(box).reduce(edge)) for plane in planes)
            yield from map(_index, *means)


def _index(mean: float, other: float, square: float, square_other: float, apart: float) -> float:
    """From the means of a window: x, y, x², y², (x−y)²."""
    variances = square - mean * mean + square_other - other * other
    product = (square + square_other - apart) / 2
    covariance = product - mean * other
    return ((2 * mean * other + _C1) * (2 * covariance + _C2)) / (
        (mean * mean + other * other + _C1) * (variances + _C2)
    )


def _values(image: Image.Image) -> array[float]:
    values = array("f")
    values.frombytes(image.tobytes())
    return values


def _heat(share: float, band: int) -> int:
    """One channel of the colour for a share from 0 to 1."""
    place = min(share, 1.0) * (len(_HEAT) - 1)
    low = min(int(place), len(_HEAT) - 2)
    start, end = _HEAT[low][band], _HEAT[low + 1][band]
    return round(start + (end - start) * (place - low))
