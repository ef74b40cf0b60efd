"""Whole-number operations on pictures as arrays of uint8, height × width × 3."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
SCALE = 256
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}


def blend(below: Pixels, above: Pixels, weight: NDArray[np.int32] | int) -> Pixels:
    """Mix two pictures; `weight` of the upper one from 0 to 256, a number or one per pixel."""
    mixed = below.astype(np.int32) * (SCALE - weight) + above.astype(np.int32) * weight
    blended: Pixels = ((mixed + SCALE // 2) // SCALE).astype(np.uint8)
    return blended


def blur(values: Pixels, radius: int, axis: int) -> Pixels:
    """Three box blurs along one axis: near to a Gaussian, and exact everywhere."""
    for _ in range(3 if radius > 0 else 0):
        values = _box(values, radius, axis)
    return values


def _box(values: Pixels, radius: int, axis: int) -> Pixels:
    edges = [(radius + 1, radius) if index == axis else (0, 0) for index in range(values.ndim)]
    sums = np.cumsum(np.pad(values, edges, mode="edge").astype(np.int64), axis=axis)
    width, length = 2 * radius + 1, values.shape[axis]
    upper = np.take(sums, range(width, width + length), axis=axis)
    lower = np.take(sums, range(length), axis=axis)
    return ((upper - lower + width // 2) // width).astype(np.uint8)


def resize(values: Pixels, width: int, height: int, how: str = "lanczos") -> Pixels:
    """Resize a picture with one of `FILTERS`."""
    return np.asarray(Image.fromarray(values).resize((width, height), FILTERS[how]))


def tint(values: Pixels, colour: tuple[int, int, int], weight: int) -> Pixels:
    """Mix a picture with one colour; `weight` from 0 to 256."""
    return blend(values, np.broadcast_to(np.array(colour, np.uint8), values.shape), weight)
