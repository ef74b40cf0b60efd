"""The answers that hold pictures, which are decoded when they are asked for."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import codec
from .errors import UnexpectedAnswer
from .images import Picture, decode
from .records import Record


@dataclass(frozen=True, eq=False)
class Pictured(Record):
    """An answer that holds pictures."""

    @functools.cached_property
    def images(self) -> list[Picture]:
        """The pictures, decoded on first use, several at a time.

        Raises:
            UnexpectedAnswer: one is no picture, or too large for one (Pillow's own limit).
        """
        return decode(texts(self.raw), hashes=False)

    def save(self, folder: str | Path, stem: str = "image") -> list[Path]:
        """Write the pictures as they came, ``{stem}-{n}``; no file is ever overwritten."""
        from .batch import save

        return save(self.images, Path(folder), stem)


@dataclass(frozen=True, eq=False)
class Generation(Pictured):
    """What a generation made; ``generation["images"]`` holds its pictures as base64."""

    parameters: Mapping[str, Any]

    @functools.cached_property
    def info(self) -> dict[str, Any]:
        """The webui's own account: seeds, prompts, sampler, versions; empty if it is no JSON."""
        return account(self.raw)

    @property
    def seeds(self) -> list[int]:
        """The seed of each sample; grids and maps have none."""
        return [seed for seed in self._listed("all_seeds") if isinstance(seed, int)]

    @property
    def infotexts(self) -> list[str]:
        """The text that the webui writes into each picture."""
        return [text for text in self._listed("infotexts") if isinstance(text, str)]

    def _listed(self, name: str) -> list[Any]:
        found = self.info.get(name)
        return found if isinstance(found, list) else []


@dataclass(frozen=True, eq=False)
class Extras(Pictured):
    """What Extras made of one picture or several; `html_info` is the webui's account."""

    html_info: str | None


def texts(answer: Mapping[str, Any]) -> list[str]:
    """The pictures of an answer as base64, one of Extras too. Raises UnexpectedAnswer."""
    images = answer.get("images")
    if images is None and isinstance(answer.get("image"), str):
        images = [answer["image"]]
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise UnexpectedAnswer("the answer holds no list of pictures under `images`")
    return images


def account(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The object that stands as JSON under `info`; empty where it is another text."""
    info = answer.get("info")
    if isinstance(info, str) and info.startswith("{"):
        try:
            info = codec.loads(info.encode())
        except ValueError:
            return {}
    return info if isinstance(info, dict) else {}


def caption(answer: Any) -> str:
    """The text of an answer to ``interrogate``. Raises UnexpectedAnswer."""
    found = answer.get("caption") if isinstance(answer, dict) else None
    if not isinstance(found, str):
        raise UnexpectedAnswer(f"/sdapi/v1/interrogate gave no caption: {str(answer)[:80]}")
    return found


def span(info: Mapping[str, Any], count: int) -> tuple[int, int]:
    """Where among `count` pictures the samples lie: the first one's place, and that after the last.

    Grids come before them, maps after them; `index_of_first_image` and `all_seeds` of the webui's
    account tell how many (A1111 v1.10.1, modules/processing.py). What cannot be counts as untold.
    """
    first, seeds = info.get("index_of_first_image"), info.get("all_seeds")
    start = first if type(first) is int and 0 <= first < count else 0
    many = len(seeds) if isinstance(seeds, list) and seeds else count
    return start, min(start + many, count)
