"""The infotext that Forge and reForge hide in the pixels of saved pictures."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image
from standin_client import Client

SMALL: dict[str, Any] = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 3}

pytestmark = pytest.mark.only("forge")


def saved(fresh: Client, mode: str) -> Image.Image:
    fresh.options(stealth_pnginfo_option=mode, samples_save=True)
    fresh.result("txt2img", {**SMALL, "save_images": True})
    newest = max(fresh.host.data_dir.rglob("*.png"), key=lambda path: path.stat().st_mtime_ns)
    image = Image.open(newest)
    image.load()
    return image


def bare(image: Image.Image) -> str:
    """The picture's pixels alone, as base64 of a PNG file."""
    out = io.BytesIO()
    Image.frombytes(image.mode, image.size, image.tobytes()).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("mode", ["Alpha", "RGB"])
def test_the_pixels_alone_tell_the_infotext(fresh: Client, mode: str) -> None:
    image = saved(fresh, mode)
    assert image.mode == {"Alpha": "RGBA", "RGB": "RGB"}[mode]
    answer = fresh.post("png-info", {"image": bare(image)}).json()
    assert answer["info"] == image.info["parameters"]
    plain = saved(fresh, "None")
    assert plain.mode == "RGB"
    assert (plain.tobytes() == image.convert("RGB").tobytes()) is (mode == "Alpha")


def test_nothing_is_hidden_in_a_picture_that_is_not_saved(fresh: Client) -> None:
    fresh.options(stealth_pnginfo_option="Alpha")
    (image,) = fresh.pictures(SMALL)
    assert image.mode == "RGB"
    assert fresh.post("png-info", {"image": bare(image)}).json()["info"] == ""
