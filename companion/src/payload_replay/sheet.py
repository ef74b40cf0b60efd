"""The contact sheet of a sweep: its pictures in a table, with what was varied written beside them.

The first axis runs over the columns, the second over the rows; for each combination of the others
there is a table of its own below, under its title. A sheet is at most `MAX_PIXELS` large: the more
cells, the smaller each picture.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from .capture import FormatError

MAX_PIXELS = 100_000_000
MAX_SIDE = 60_000
LARGEST = 512
"""Pixels of the longer side of a picture on the sheet, at most."""
SMALLEST = 48
"""Pixels below which a picture shows nothing: so many cells are refused."""
FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "Helvetica.ttc")
"""Scalable fonts that Pillow looks for in the system's folders, the first one found."""

_PAPER, _INK, _PALE, _BAD = "white", "black", "#e8e8e8", "#a00000"
_GAP = 8
_LINES = 6  # of one label, at most

At = tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """What stands at one place: small pictures, or the reason why there are none."""

    pictures: list[Image.Image] = field(default_factory=list)
    note: str = ""


def edge(axes: Sequence[Sequence[str]]) -> int:
    """The pixels of the longer side of a cell on a sheet with these axes, at most."""
    count = math.prod(len(axis) for axis in axes)
    return min(LARGEST, math.isqrt(MAX_PIXELS // max(1, count)))


def small(images: Sequence[Image.Image], edge: int = LARGEST) -> list[Image.Image]:
    """Copies of the pictures of one cell, in all no larger than it can show.

    So the originals can be let go, and all cells of a sheet need no more memory than the sheet.
    """
    each = max(1, edge // max(1, math.ceil(math.sqrt(len(images)))))
    return [_fitted(image.convert("RGB"), each, each) for image in images]


def draw(axes: Sequence[Sequence[str]], cells: Mapping[At, Cell]) -> Image.Image:
    """The sheet of these cells.

    Args:
        axes: the labels of each axis.
        cells: by the place on each axis; where there is none, the sheet is left blank.

    Raises:
        FormatError: more cells than a sheet can show.
    """
    layout = _layout(axes, cells)
    sheet = Image.new("RGB", layout.size, _PAPER)
    pen = _Pen(ImageDraw.Draw(sheet), layout.lettering)
    for number, rest in enumerate(layout.tables):
        top = layout.tops[number]
        if layout.titles[number]:
            pen.text((_GAP, top), layout.titles[number])
            top += layout.title_heights[number]
        _table(sheet, pen, layout, top, [cells.get(at) for at in layout.places(rest)])
    return sheet


def check(axes: Sequence[Sequence[str]]) -> None:
    """Raises FormatError where even the smallest pictures would make too large a sheet."""
    _layout(axes, {})


class Lettering:
    """A font, how wide its words are, and where lines of them break."""

    def __init__(self, size: int) -> None:
        self.font, self._scalable = _font(size)
        self.height = math.ceil(self._box("Ág|")[3]) + 2

    def plain(self, text: str) -> str:
        """What this font can draw: one line, no control characters."""
        line = "".join(c if c.isprintable() else " " for c in text[:1000])
        if self._scalable:
            return line
        return line.encode("latin-1", "replace").decode("latin-1")  # Pillow's own has no more

    def width(self, text: str) -> int:
        return int(self._box(text)[2]) + 1

    def wrapped(self, text: str, width: int, lines: int = _LINES) -> list[str]:
        """The text in lines of `width` pixels; where it is too long, the last ends with dots."""
        made = [""]
        for word in self.plain(text).split():
            self._add(made, word, width)
        if len(made) <= lines:
            return made
        last = made[lines - 1]
        while last and self.width(last + "...") > width:
            last = last[:-1]
        return [*made[: lines - 1], last + "..."]

    def _add(self, made: list[str], word: str, width: int) -> None:
        spaced = f"{made[-1]} {word}" if made[-1] else word
        if self.width(spaced) <= width:
            made[-1] = spaced
            return
        if made[-1]:
            made.append("")
        for char in word:
            if made[-1] and self.width(made[-1] + char) > width:
                made.append("")
            made[-1] += char

    def _box(self, text: str) -> Any:
        return self.font.getbbox(text)


@dataclass(frozen=True)
class _Layout:
    """Where everything stands, in pixels."""

    axes: list[list[str]]
    lettering: Lettering
    cell: tuple[int, int]
    columns: list[list[str]]
    rows: list[list[str]]
    titles: list[list[str]]
    left: int
    head: int
    dimensions: int

    @functools.cached_property
    def tables(self) -> list[At]:
        return list(itertools.product(*(range(len(axis)) for axis in self.axes[2:])))

    @functools.cached_property
    def title_heights(self) -> list[int]:
        return [len(t) * self.lettering.height + (_GAP if t else 0) for t in self.titles]

    @functools.cached_property
    def tops(self) -> list[int]:
        table = self.head + len(self.axes[1]) * (self.cell[1] + _GAP) + _GAP
        heights = (title + table for title in self.title_heights)
        return list(itertools.accumulate(heights, initial=_GAP))

    @property
    def size(self) -> tuple[int, int]:
        width = self.left + len(self.axes[0]) * (self.cell[0] + _GAP) + _GAP
        return width, self.tops[-1]

    def places(self, rest: At) -> list[At]:
        """Where the cells of one table are, row by row."""
        across, down = range(len(self.axes[0])), range(len(self.axes[1]))
        # An axis that was added to have two is in no cell's place.
        return [(x, y, *rest)[: self.dimensions] for y in down for x in across]


class _Pen:
    """Writes lines of text."""

    def __init__(self, draw: ImageDraw.ImageDraw, lettering: Lettering) -> None:
        self._draw = draw
        self._lettering = lettering

    def text(self, at: tuple[int, int], lines: Sequence[str], ink: str = _INK) -> None:
        for number, line in enumerate(lines):
            place = at[0], at[1] + number * self._lettering.height
            self._draw.text(place, line, fill=ink, font=self._lettering.font)

    def box(self, at: tuple[int, int], size: tuple[int, int]) -> None:
        self._draw.rectangle((*at, at[0] + size[0] - 1, at[1] + size[1] - 1), fill=_PALE)


def _layout(axes: Sequence[Sequence[str]], cells: Mapping[At, Cell]) -> _Layout:
    count = math.prod(len(axis) for axis in axes)
    size = edge(axes)  # at which the pictures alone would fill it
    while size >= SMALLEST:
        layout = _at_edge(axes, cells, size)
        if math.prod(layout.size) <= MAX_PIXELS and max(layout.size) <= MAX_SIDE:
            return layout
        size = size * 3 // 4
    raise FormatError("--sheet", f"{count} cells are more than one sheet can show; sweep less")


def _at_edge(given: Sequence[Sequence[str]], cells: Mapping[At, Cell], edge: int) -> _Layout:
    axes = [list(axis) for axis in given] + [[""]] * (2 - len(given))
    lettering = Lettering(max(14, min(20, edge // 16)))
    sizes = [_cell_size(cell, edge) for cell in cells.values()]
    narrow = max(96, min(edge, 160))
    width = max([narrow, *(size[0] for size in sizes)])
    height = max([2 * lettering.height, *(size[1] for size in sizes)])
    columns = [lettering.wrapped(label, width) for label in axes[0]]
    rows = [lettering.wrapped(label, max(120, min(edge, 280))) for label in axes[1]]
    left = max([lettering.width(line) for row in rows for line in row] + [0])
    left += 2 * _GAP if left else _GAP
    height = max(height, *(len(row) * lettering.height for row in rows))
    head = max(len(label) for label in columns) * lettering.height + _GAP
    span = left + len(axes[0]) * (width + _GAP) - 2 * _GAP
    rest = itertools.product(*axes[2:])
    titles = [lettering.wrapped("   ".join(one), span) if one else [] for one in rest]
    size = width, height
    return _Layout(axes, lettering, size, columns, rows, titles, left, head, len(given))


def _cell_size(cell: Cell, edge: int) -> tuple[int, int]:
    """The pixels that a cell's pictures take, tiled, in a square of this edge."""
    if not cell.pictures:
        return 0, 0
    across, down, each = _tiling(cell.pictures, edge, edge)
    return across * each[0], down * each[1]


def _tiling(
    pictures: Sequence[Image.Image], width: int, height: int
) -> tuple[int, int, tuple[int, int]]:
    """Columns and rows of a cell's pictures, and the size of the place of each."""
    across = math.ceil(math.sqrt(len(pictures)))
    down = math.ceil(len(pictures) / across)
    most = width // across, height // down
    fitted = [_inside(image.size, *most) for image in pictures]
    return across, down, (max(w for w, _ in fitted), max(h for _, h in fitted))


def _table(
    sheet: Image.Image, pen: _Pen, layout: _Layout, top: int, cells: Sequence[Cell | None]
) -> None:
    width, height = layout.cell
    for x, label in enumerate(layout.columns):
        pen.text((layout.left + x * (width + _GAP), top), label)
    for y, label in enumerate(layout.rows):
        line = top + layout.head + y * (height + _GAP)
        pen.text((_GAP, line), label)
        for x in range(len(layout.columns)):
            at = layout.left + x * (width + _GAP), line
            _fill(sheet, pen, layout, at, cells[y * len(layout.columns) + x])


def _fill(
    sheet: Image.Image, pen: _Pen, layout: _Layout, at: tuple[int, int], cell: Cell | None
) -> None:
    pen.box(at, layout.cell)
    if cell is None:
        return
    if not cell.pictures:
        lines = layout.cell[1] // layout.lettering.height
        inner = layout.cell[0] - _GAP
        words = layout.lettering.wrapped(cell.note, inner, max(1, lines))
        pen.text((at[0] + _GAP // 2, at[1]), words, _BAD)
        return
    across, _, each = _tiling(cell.pictures, *layout.cell)
    for number, image in enumerate(cell.pictures):
        made = _fitted(image, *each)
        row, column = divmod(number, across)
        sheet.paste(made, (at[0] + column * each[0], at[1] + row * each[1]))


def _fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    size = _inside(image.size, width, height)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _inside(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The size of a picture made small enough; never larger than it is."""
    scale = min(1.0, width / size[0], height / size[1])
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _font(size: int) -> tuple[Any, bool]:
    """A scalable font where there is one; Pillow's own without a file to read."""
    found = next(filter(None, (_file(name, size) for name in FONTS)), None)
    return (found, True) if found else (_own(size), False)


def _own(size: int) -> Any:
    load: Any = ImageFont.load_default
    try:
        return load(size)
    except TypeError:  # before Pillow 10.1 it has one size
        return load()


def _file(name: str, size: int) -> Any:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None
