"""A landscape: sky, sun, clouds, hills, firs. The subject chooses colours, the noise the
terrain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from webui_standin.drawing.inputs import Inputs
from webui_standin.drawing.numbers import Numbers
from webui_standin.drawing.raster import Pixels, blend, resize

Colour = NDArray[np.int32]
HILLS = 4
GRAIN = 64  # edge of the repeated tile of fine grain, in pixels


def draw(inputs: Inputs, width: int, height: int) -> Pixels:
    """Draw the picture of these inputs; `width` and `height` in pixels, each at least 1."""
    subject, noise, everything = inputs.keys()
    colours, terrain = Numbers(subject, "colours"), Numbers(noise, "terrain")
    weather = Numbers(everything, "weather")
    hue = colours.between(0, 1535)
    picture = _sky(hue, colours, width, height)
    picture = _sun(picture, hue, weather)
    picture = _clouds(picture, weather)
    for depth in range(HILLS):
        picture = _hill(picture, hue, depth, colours, terrain, weather)
    return _grain(picture, Numbers(everything, "grain"))


def _colour(hue: int, saturation: int, value: int) -> Colour:
    """RGB of a hue from 0 to 1535, saturation and value from 0 to 255."""
    sector, rest = divmod(hue % 1536, 256)
    low, falling, rising = 255 - saturation, 255 - saturation * rest // 255, 0
    rising = 255 - saturation * (255 - rest) // 255
    ring = [
        (255, rising, low),
        (falling, 255, low),
        (low, 255, rising),
        (low, falling, 255),
        (rising, low, 255),
        (255, low, falling),
    ]
    return np.array(ring[sector], np.int32) * value // 255


def _sky(hue: int, colours: Numbers, width: int, height: int) -> Pixels:
    top = _colour(hue, colours.between(90, 190), colours.between(120, 230))
    bottom = _colour(hue + colours.between(100, 420), colours.between(40, 130), 250)
    rows = np.arange(height, dtype=np.int32)[:, None] * 256 // max(height, 1)
    column = (top * (256 - rows) + bottom * rows) // 256
    return np.repeat(column[:, None, :], width, axis=1).astype(np.uint8)


def _sun(picture: Pixels, hue: int, weather: Numbers) -> Pixels:
    height, width = picture.shape[:2]
    x, y = weather.between(10, 90) * width // 100, weather.between(8, 45) * height // 100
    radius = max(2, weather.between(5, 12) * min(width, height) // 100)
    across = (np.arange(width, dtype=np.int64) - x) ** 2
    distance = across[None, :] + ((np.arange(height, dtype=np.int64) - y) ** 2)[:, None]
    halo = np.clip(230 * radius * radius // np.maximum(distance, 1), 0, 150)
    weight = np.where(distance < radius * radius, 240, halo).astype(np.int32)[:, :, None]
    glow = _colour(hue + 768 + weather.between(-150, 150), weather.between(30, 90), 255)
    return blend(picture, np.broadcast_to(glow.astype(np.uint8), picture.shape), weight)


def _clouds(picture: Pixels, weather: Numbers) -> Pixels:
    height, width = picture.shape[:2]
    coarse = weather.octets(12 * 9).reshape(12, 9)
    field = resize(coarse, width, height, "bicubic").astype(np.int32)
    weight = np.clip(field - weather.between(120, 170), 0, 110)[:, :, None]
    return blend(picture, np.full_like(picture, 250), weight)


def _hill(
    picture: Pixels, hue: int, depth: int, colours: Numbers, terrain: Numbers, weather: Numbers
) -> Pixels:
    height, width = picture.shape[:2]
    points = terrain.octets(4 + 2 * depth + terrain.between(0, 2))[None, :]
    curve = resize(points, width, 1, "bicubic")[0].astype(np.int32)
    base = (42 + 14 * depth + weather.between(-4, 4)) * height // 100
    edge = base - (curve - 128) * height * (9 - depth) // (100 * 128)
    hill = _colour(
        hue + 300 + 120 * depth + colours.between(-60, 60), 120 + 25 * depth, 190 - 38 * depth
    )
    rows = np.arange(height, dtype=np.int32)[:, None]
    inside = rows >= edge[None, :]
    lit = np.clip(32 - (rows - edge[None, :]) * 256 // max(height, 1), 0, 32)[:, :, None]
    ground = (hill[None, None, :] + lit).astype(np.uint8)
    picture = np.where(inside[:, :, None], ground, picture)
    return _firs(picture, edge, hill * 2 // 3, depth, terrain)


def _firs(
    picture: Pixels, edge: NDArray[np.int32], colour: Colour, depth: int, terrain: Numbers
) -> Pixels:
    height, width = picture.shape[:2]
    size = max(2, (3 + 2 * depth) * height // 100)
    picture = picture.copy()
    for position in terrain.octets(6 + 3 * depth):
        x = int(position) * width // 256
        foot = int(edge[x]) + size // 3
        for step in range(size):
            y, half = foot - step, (size - step) * 2 // 5
            if 0 <= y < height:
                picture[y, max(0, x - half) : x + half + 1] = colour
    return picture


def _grain(picture: Pixels, numbers: Numbers) -> Pixels:
    height, width = picture.shape[:2]
    tile = numbers.octets(GRAIN * GRAIN * 3).reshape(GRAIN, GRAIN, 3).astype(np.int32) % 17 - 8
    repeats = (-(-height // GRAIN), -(-width // GRAIN), 1)
    grain = np.tile(tile, repeats)[:height, :width]
    grainy: Pixels = np.clip(picture.astype(np.int32) + grain, 0, 255).astype(np.uint8)
    return grainy
