"""Whether the pictures that came are those that the capture holds, and the likeliest reason if not.

Pictures are aligned by their pixels first, then by the seed and fields of their infotexts; never
by index: the page puts grids first and extensions add pictures, the API does neither.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image

from . import infotext
from .capture import Result
from .generation import span
from .images import Picture, hashed
from .measures import psnr, ssim
from .metadata import text_of

Likeness = Literal["identical", "close", "different"]
Stored = Callable[[Result], "Image.Image | None"]
Compress = Callable[["Image.Image", str], "Image.Image"]

CLOSE = 40.0
"""Peak signal-to-noise ratio, in dB, from which two pictures count as close, if they are
`CLOSE_SSIM` as well."""
CLOSE_SSIM = 0.95
"""Structural similarity that they must have too: a faint pattern over a plain picture passes the
ratio alone."""

_RANK: dict[Likeness, int] = {"identical": 0, "close": 1, "different": 2}


@dataclass(frozen=True)
class Answered:
    """One picture of an answer, with the infotext and seed that belong to it."""

    picture: Picture
    infotext: str = ""
    seed: int | None = None


@dataclass(frozen=True)
class Comparison:
    """An expected picture and the one that came for it, or None where none did.

    `psnr` is in dB, `ssim` at most 1 and `largest` the greatest difference of a channel, 0 to 255;
    all None where the pictures are identical or there was no stored picture to measure with.
    `through` names the lossy format that the server answers in, where the expected picture gives
    the same pixels when it goes the same way.
    """

    result: Result
    answered: Answered | None
    verdict: Likeness
    psnr: float | None = None
    largest: int | None = None
    through: str | None = None
    ssim: float | None = None

    @property
    def expected(self) -> str:
        """The hash of the expected pixels."""
        return self.result.sha256

    @property
    def actual(self) -> str | None:
        """The hash of the pixels that came, or None where no picture did."""
        return self.answered.picture.sha256 if self.answered else None

    @property
    def measure(self) -> str:
        """How far off the picture is, in words; "" where nothing was measured."""
        return f"{self.psnr} dB, SSIM {self.ssim}" if self.psnr is not None else ""

    def to_dict(self) -> dict[str, Any]:
        """A JSON object: the hashes, the verdict, and the measures where there are any."""
        told: dict[str, Any] = {"expected": self.expected, "actual": self.actual}
        told |= {"verdict": self.verdict}
        if self.psnr is not None:
            told |= {"psnr": self.psnr, "ssim": self.ssim, "largest": self.largest}
        return told


@dataclass(frozen=True)
class Verification:
    """The comparisons that decide, those that do not (grids, maps), and what was not expected."""

    images: list[Comparison]
    others: list[Comparison] = field(default_factory=list)
    extra: list[Answered] = field(default_factory=list)

    @property
    def verdict(self) -> Likeness:
        """The worst of the pictures that decide."""
        return max((image.verdict for image in self.images), key=_RANK.__getitem__)


def verify(
    results: Sequence[Result],
    answered: Sequence[Answered],
    stored: Stored,
    compress: Compress | None = None,
) -> Verification:
    """Compare what was expected with what came.

    Args:
        results: the capture's results; those with the role ``sample`` decide, or all of them
            where none is a sample. There must be one.
        answered: the pictures that came, with their hashes.
        stored: returns an expected picture if it can be had, to measure how far off one is.
        compress: returns a picture as the server would answer it in a lossy format.
    """
    deciding = [r for r in results if r.role == "sample"] or list(results)
    pairs = align(results, answered)
    images: list[Comparison] = []
    others: list[Comparison] = []
    for result, match in pairs:
        part = images if any(result is d for d in deciding) else others
        part.append(_compared(result, match, stored, compress))
    taken = {id(match) for _, match in pairs}
    return Verification(images, others, [one for one in answered if id(one) not in taken])


def read_answer(pictures: Sequence[Picture], info: dict[str, Any]) -> list[Answered]:
    """Put each picture together with its infotext: its own, or else the answer's list's."""
    listed = info.get("infotexts")
    texts = listed if isinstance(listed, list) else []
    seeds = info.get("all_seeds")
    offset, _ = span(info, len(pictures))
    answered = []
    for index, picture in enumerate(pictures):
        text = text_of(picture.image) or (str(texts[index]) if index < len(texts) else "")
        answered.append(Answered(picture, text, _seed(text, seeds, index - offset)))
    return answered


def align(
    results: Sequence[Result], answered: Sequence[Answered]
) -> list[tuple[Result, Answered | None]]:
    """Each result with the picture that came for it; no picture serves two results."""
    found: dict[int, Answered] = {}
    left = list(answered)
    for index, result in enumerate(results):
        exact = next((one for one in left if one.picture.sha256 == result.sha256), None)
        if exact is not None:
            found[index] = exact
            left = [one for one in left if one is not exact]
    open_ = [index for index in range(len(results)) if index not in found]
    found |= _by_text(results, open_, left)
    return [(result, found.get(index)) for index, result in enumerate(results)]


def _by_text(
    results: Sequence[Result], open_: list[int], left: list[Answered]
) -> dict[int, Answered]:
    """The best pairs of what is left: the same seed, then the fewest fields that differ."""
    costs = [
        (cost, index, place)
        for index, (place, one) in itertools.product(open_, enumerate(left))
        if (cost := _distance(results[index], one)) is not None
    ]
    found: dict[int, Answered] = {}
    taken: set[int] = set()
    for _, index, place in sorted(costs):
        if index not in found and place not in taken:
            found[index] = left[place]
            taken.add(place)
    samples = [i for i in open_ if i not in found and results[i].role == "sample"]
    rest = [one for place, one in enumerate(left) if place not in taken]
    if len(samples) == len(rest) and (len(rest) == 1 or not _told(results, samples, rest)):
        found |= dict(zip(samples, rest, strict=True))
    return found


def _told(results: Sequence[Result], samples: list[int], rest: list[Answered]) -> bool:
    """Whether a seed tells any of these pictures; those of Extras have none, but keep an order."""
    seeds = [results[i].seed for i in samples] + [one.seed for one in rest]
    return any(seed is not None for seed in seeds)


def _distance(result: Result, one: Answered) -> int | None:
    expected = result.seed if result.seed is not None else infotext.seed(result.infotext)
    if expected is None or expected != one.seed:
        return None
    if result.role != "sample" and (result.width, result.height) != one.picture.image.size:
        return None
    fields = sum(1 for _ in infotext.differences(result.infotext, one.infotext))
    return fields + 100 * ((result.width, result.height) != one.picture.image.size)


def _compared(
    result: Result, match: Answered | None, stored: Stored, compress: Compress | None
) -> Comparison:
    if match is None:
        return Comparison(result, None, "different")
    if match.picture.sha256 == result.sha256:
        return Comparison(result, match, "identical")
    expected = stored(result)
    if expected is not None and compress is not None and match.picture.lossy:
        kind = str(match.picture.image.format)
        if hashed(compress(expected, kind)) == match.picture.sha256:
            return Comparison(result, match, "identical", through=kind)
    return _measured(result, match, expected)


def _measured(result: Result, match: Answered, expected: Image.Image | None) -> Comparison:
    picture = match.picture.image
    ratio = psnr(expected, picture) if expected is not None else None
    likeness = ssim(expected, picture) if expected is not None else None
    if ratio is None or likeness is None:
        return Comparison(result, match, "different")
    near = ratio[0] >= CLOSE and likeness >= CLOSE_SSIM
    verdict: Likeness = "close" if near else "different"
    decibels, largest = round(ratio[0], 1), ratio[1]
    index = min(round(likeness, 4), 0.9999)  # 1 is said of the same pixels alone
    return Comparison(result, match, verdict, decibels, largest, ssim=index)


def _seed(text: str, seeds: Any, index: int) -> int | None:
    if (found := infotext.seed(text)) is not None:
        return found
    listed = seeds[index] if isinstance(seeds, list) and 0 <= index < len(seeds) else None
    return listed if isinstance(listed, int) else None


def worst(images: Iterable[Comparison]) -> Comparison | None:
    """The picture that is furthest off among those that are not identical."""
    off = [image for image in images if image.verdict != "identical"]
    return max(off, key=lambda image: (_RANK[image.verdict], -(image.psnr or 0)), default=None)
