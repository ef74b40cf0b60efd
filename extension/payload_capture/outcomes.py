"""What came of a replay, picture by picture, and the pictures themselves to be looked at.

They lie in memory, for the last few replays: who wants to see older ones replays again.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payload_capture.capture import Result
    from payload_capture.shared.replay import Replay as Made
    from payload_capture.shared.verify import Answered, Comparison

KEPT = 8
"""Replays whose pictures are kept."""
MAX_BYTES = 256 << 20
"""Bytes of all kept pictures together; a replay of more is not kept."""


@dataclass(frozen=True)
class Pair:
    """A picture of the capture and the one that came for it, each by its place in its list.

    `expected` is None for a picture that nobody expected, `actual` where none came. `measure` says
    how far off it is, `why` what is odd about the pair: both are "" where there is nothing to say.
    """

    expected: int | None
    actual: int | None
    verdict: str | None
    measure: str = ""
    why: str = ""


@dataclass(frozen=True)
class Outcome:
    """A replay's pairs, the pictures that came as (media type, bytes), and remarks about it."""

    pairs: list[Pair] = field(default_factory=list)
    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of the pictures."""
        return sum(len(data) for _, data in self.pictures)


class Outcomes:
    """The last replays' outcomes, by job. Thread-safe."""

    def __init__(self, kept: int = KEPT, limit: int = MAX_BYTES) -> None:
        self._kept = kept
        self._limit = limit
        self._lock = threading.Lock()
        self._known: collections.OrderedDict[str, Outcome] = collections.OrderedDict()

    def keep(self, job: str, outcome: Outcome) -> None:
        """Keep an outcome; the oldest make room."""
        with self._lock:
            self._known[job] = outcome
            while len(self._known) > self._kept or self._size() > self._limit:
                self._known.popitem(last=False)

    def get(self, job: str) -> Outcome | None:
        """None for one that is not kept any more."""
        with self._lock:
            return self._known.get(job)

    def _size(self) -> int:
        return sum(outcome.size for outcome in self._known.values())


def outcome(made: Made) -> Outcome:
    """The outcome of the companion's replay."""
    from payload_capture.shared.verify import read_answer

    answered = read_answer(made.pictures, made.info)
    place = {id(picture): number for number, picture in enumerate(made.pictures)}
    taken = {
        place[id(one.answered.picture)]
        for one in (*made.images, *made.others)
        if one.answered is not None
    }
    rest = [number for number in range(len(answered)) if number not in taken]
    found = {id(one.result): one for one in (*made.images, *made.others)}
    pairs = [
        _pair(number, found[id(result)], place, [answered[n] for n in rest])
        for number, result in enumerate(made.capture.results)
        if id(result) in found
    ]
    pairs += [Pair(None, number, None, why="nobody expected this picture") for number in rest]
    pictures = [(_media_type(picture.image.format), picture.data) for picture in made.pictures]
    return Outcome(pairs, pictures, _notes(made))


def _pair(number: int, one: Comparison, place: dict[int, int], rest: Sequence[Answered]) -> Pair:
    if one.answered is None:
        return Pair(number, None, one.verdict, why=_missing(one.result, rest))
    actual = place[id(one.answered.picture)]
    return Pair(number, actual, one.verdict, one.measure, _odd(one.result, one.answered))


def _missing(result: Result, rest: Sequence[Answered]) -> str:
    if result.role != "sample":
        return f"no {result.role} came: the API may leave it out, and it decides nothing"
    seeds = [str(one.seed) for one in rest if one.seed is not None]
    if result.seed is not None and seeds:
        return f"no picture with the seed {result.seed} came, but with {_listed(seeds)}"
    return "fewer pictures came than the capture holds"


def _odd(result: Result, answered: Answered) -> str:
    odd = []
    if None not in (result.seed, answered.seed) and result.seed != answered.seed:
        odd.append(f"the seed is {answered.seed} instead of {result.seed}")
    width, height = answered.picture.image.size
    if (width, height) != (result.width, result.height):
        odd.append(f"the size is {width}×{height} instead of {result.width}×{result.height}")
    return ", ".join(odd)


def _notes(made: Made) -> list[str]:
    if not made.restored:
        return []
    return [f"Settings that the generation had changed were put back: {', '.join(made.restored)}."]


def _listed(seeds: Sequence[str]) -> str:
    few = 4
    return ", ".join(seeds[:few]) + (" and others" if len(seeds) > few else "")


def _media_type(kind: Any) -> str:
    from PIL import Image

    return str(Image.MIME.get(kind, "application/octet-stream"))
