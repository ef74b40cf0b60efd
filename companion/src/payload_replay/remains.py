"""What a failing replay leaves behind: expected, actual and difference as files, for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from .capture import Capture, FormatError, Result
from .errors import ReplayError
from .images import NotAPicture, opened, suffix
from .measures import heat_map

if TYPE_CHECKING:
    from .verify import Comparison

Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Left:
    """The files of one comparison, by what each shows; what could not be had is not there."""

    comparison: Comparison
    files: dict[str, Path]

    def lines(self) -> list[str]:
        """The picture in words, then each file on a line of its own."""
        one = self.comparison
        measure = f", {one.psnr} dB, by up to {one.largest}" if one.psnr is not None else ""
        came = "" if one.answered else ", no picture came for it"
        head = f"{one.result.role}, seed {one.result.seed}: {one.verdict}{measure}{came}"
        return [head, *(f"  {what:<10} {path}" for what, path in self.files.items())]


def leave(
    folder: Path, capture: Capture, images: list[Comparison], fetch: Fetch | None = None
) -> list[Left]:
    """Write the pictures of each comparison that is not identical into `folder`.

    Files of an earlier run that have such names are removed first. The difference is
    `measures.heat_map`'s; there is none between pictures of two sizes.

    Args:
        fetch: returns an expected picture's file by its sha256, where the capture lacks it.

    Raises:
        OSError: the folder cannot be written.
    """
    clear(folder)
    off = [one for one in images if one.verdict != "identical"]
    if off:
        folder.mkdir(parents=True, exist_ok=True)
    return [Left(one, _files(folder, n, capture, one, fetch)) for n, one in enumerate(off)]


def clear(folder: Path) -> None:
    """Remove what an earlier run left, and the folder if nothing else is in it."""
    for what in ("expected", "actual", "difference"):
        for path in folder.glob(f"*-{what}.*"):
            path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _files(
    folder: Path, number: int, capture: Capture, one: Comparison, fetch: Fetch | None
) -> dict[str, Path]:
    files: dict[str, Path] = {}
    data = _stored(capture, one.result, fetch)
    if data is not None:
        asset = capture.assets[one.result.asset or ""]
        files["expected"] = folder / f"{number}-expected.{asset.suffix}"
        files["expected"].write_bytes(data)
    if one.answered is None:
        return files
    picture = one.answered.picture
    files["actual"] = folder / f"{number}-actual.{suffix(picture.data)}"
    files["actual"].write_bytes(picture.data)
    shown = _difference(data, picture.image)
    if shown is not None:
        files["difference"] = folder / f"{number}-difference.png"
        shown.save(files["difference"])
    return files


def _stored(capture: Capture, result: Result, fetch: Fetch | None) -> bytes | None:
    if result.asset is None:
        return None
    try:
        return capture.asset(result.asset, fetch)
    except (FormatError, ReplayError):
        return None


def _difference(data: bytes | None, actual: Image.Image) -> Image.Image | None:
    try:
        found = heat_map(opened(data), actual) if data is not None else None
    except NotAPicture:
        return None
    return found[0] if found is not None else None
