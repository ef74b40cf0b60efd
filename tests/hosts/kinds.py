"""What a kind of generation is: how a person sets the page up, and what must come of it.

The kinds themselves are in the modules ``kinds_*.py``; `all_kinds` has them all.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import requests
from PIL import Image, ImageDraw

from webui_page import NotThere, WebuiPage

Verdict = Literal["identical", "close", "refused", "as it falls"]
STEPS = 2


@dataclass(frozen=True)
class Models:
    """What the host has: checkpoints by title and by name, and the option that picks a VAE."""

    checkpoints: list[str]
    names: list[str]
    schedulers: list[str]
    vae: dict[str, Any]
    loras: list[str]
    hypernetworks: list[str]
    embeddings: list[str]
    styles: list[str]
    options: list[str]

    @property
    def marks(self) -> list[str]:
        """The options that choose whether infotext is hidden in the pixels of saved pictures."""
        return [name for name in self.options if name.startswith("stealth_pnginfo")]


@dataclass(frozen=True)
class Scene:
    """What a kind may use: the page, the host, its models, and pictures to upload."""

    page: WebuiPage
    host: str
    models: Models
    files: Files
    another: Callable[[], WebuiPage]
    """Opens a second person's page."""

    def basics(
        self, tab: str = "txt2img", prompt: str = "a cat in a garden", seed: int = 1
    ) -> WebuiPage:
        """The tab with everything as all kinds have it, hence not to be set back."""
        page = self.page
        page.open(tab)
        if tab == "img2img":
            page.mode("img2img")
        page.number(f"{tab}_steps", STEPS)
        page.number(f"{tab}_width", 64)
        page.number(f"{tab}_height", 64)
        page.choose(f"{tab}_sampling", "Euler a")
        page.text(f"{tab}_prompt", prompt)
        page.number(f"{tab}_seed", seed)
        page.keep()
        return page

    def img2img(self, **basics: Any) -> WebuiPage:
        """The img2img tab with a picture."""
        page = self.basics("img2img", **basics)
        page.upload("img2img_image", self.files.init)
        return page

    def extras(self) -> WebuiPage:
        """The Extras tab, enlarging a picture by two."""
        page = self.page
        page.open("Extras")
        page.subtab("#mode_extras", "Single Image")
        page.upload("extras_image", self.files.init)
        page.choose("extras_upscaler_1", "Lanczos")
        page.number("extras_upscaling_resize", 2)
        return page

    def get(self, path: str) -> Any:
        answer = requests.get(self.host + path, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, payload: Mapping[str, Any]) -> Shown:
        """Send a payload as a program does."""
        answer = requests.post(self.host + path, json=payload, timeout=120)
        assert answer.ok, answer.text[:1000]
        pictures = pictures_in(answer.json())
        return lambda: pictures


@dataclass(frozen=True)
class Files:
    """Pictures to upload: colours, the same half transparent, a mask, two coloured regions; folders
    of two of each."""

    init: Path
    transparent: Path
    mask: Path
    regions: Path
    folder: Path
    masks: Path


Shown = Callable[[], Sequence[Image.Image]]
"""Looks at what was shown to who made the pictures; a busy page paints late."""
Arrange = Callable[["Scene"], Shown | None]


@dataclass(frozen=True)
class Kind:
    """One way to make pictures.

    `arrange` sets the page up and leaves Generate to the test, or makes the pictures itself and
    returns where they are shown. `pictures` is how many the capture must hold that decide.
    `options` are set globally before the generation and set back before the replay. `verdict`
    other than identical needs a `reason`: what the replay's own must contain; "as it falls" is
    identical or close. `raw`: whether the request, sent unchanged, brings the same pixels. `reset`:
    whether the options are set back. `broken`: words of the error of a host whose own code fails.
    `shown_by`: the option without which a host's page shows none of the pictures. `script`: how the
    title of the always-on script begins that must have changed the picture: sent without it, the
    request brings other pixels. `unsent`: words of what the page may say that it cannot be filled
    in with.
    """

    title: str
    group: str
    arrange: Arrange
    pictures: int = 1
    options: Mapping[str, Any] | Callable[[Models], Mapping[str, Any]] = field(default_factory=dict)
    verdict: Verdict = "identical"
    reason: str = ""
    raw: bool = True
    reset: bool = True
    broken: str = ""
    shown_by: str = ""
    script: str = ""
    unsent: str = ""


KINDS: dict[str, Kind] = {}


def kind(title: str, *, group: str, name: str = "", **more: Any) -> Callable[[Arrange], Arrange]:
    """Register a function as the kind of its name; `more` are fields of `Kind`."""

    def add(arrange: Arrange) -> Arrange:
        key = name or arrange.__name__
        assert key not in KINDS, f"two kinds are called {key}"
        KINDS[key] = Kind(title, group, arrange, **more)
        return arrange

    return add


def group(name: str) -> Callable[..., Any]:
    """`kind` for one group of kinds."""
    return functools.partial(kind, group=name)


def need(offered: object, what: str) -> None:
    """Raise NotThere where the host offers nothing of `what`."""
    if not offered:
        raise NotThere(f"the host has no {what}")


def pictures_in(answer: Mapping[str, Any]) -> list[Image.Image]:
    """The pictures of an answer of the API."""
    texts = answer["images"] if "images" in answer else [answer["image"]]
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in texts]


def encoded(picture: Path) -> str:
    """A file as base64, as the API takes it."""
    return base64.b64encode(picture.read_bytes()).decode()


# ---- pictures to upload


def make_files(folder: Path) -> Files:
    """Draw the pictures into `folder`."""
    several, masks = folder / "several", folder / "masks"
    several.mkdir()
    masks.mkdir()
    for number in (1, 2):
        init_picture(seed=number).save(several / f"{number}.png")
        mask_picture(shift=10 * number).save(masks / f"{number}.png")
    init, transparent, mask, regions = (
        folder / f"{name}.png" for name in ("init", "rgba", "mask", "regions")
    )
    files = Files(init, transparent, mask, regions, several, masks)
    init_picture(seed=7).save(files.init)
    mask_picture().save(files.mask)
    regions_picture().save(files.regions)
    faded = init_picture(seed=7)
    faded.putalpha(Image.linear_gradient("L").resize(faded.size))
    faded.save(files.transparent)
    return files


def init_picture(seed: int) -> Image.Image:
    """A picture with an edge, a gradient and noise: what img2img can lose shows."""
    rows, columns = np.mgrid[0:96, 0:96]
    noise = np.random.default_rng(seed).integers(0, 40, (96, 96))
    pixels = np.dstack([columns * 2 + noise, rows * 2, 200 - rows]).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).ellipse((20, 30, 70, 80), fill=(250, 210, 40))
    return image


def mask_picture(shift: int = 0) -> Image.Image:
    image = Image.new("L", (96, 96))
    ImageDraw.Draw(image).rectangle((30 - shift, 20, 80 - shift, 70), fill=255)
    return image


def regions_picture() -> Image.Image:
    """The first two colours of Regional Prompter's masks, side by side."""
    image = Image.new("RGB", (64, 64), (64, 128, 128))
    ImageDraw.Draw(image).rectangle((0, 0, 31, 63), fill=(128, 64, 64))
    return image
