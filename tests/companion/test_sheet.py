"""The contact sheet: every cell in its place, every label to be read."""

from __future__ import annotations

import itertools

import pytest
from PIL import Image, ImageFont

from payload_replay import FormatError, sheet
from payload_replay.sheet import LARGEST, MAX_PIXELS, At, Cell, Lettering, check, draw, edge, small

pytestmark = pytest.mark.once

COLORS = {(0, 0): "#ff0000", (1, 0): "#00ff00", (0, 1): "#0000ff", (1, 1): "#ffff00"}
STEPS, SCALES = ["steps=10", "steps=20"], ["cfg_scale=5", "cfg_scale=7"]


def colored(color: str, size: tuple[int, int] = (120, 100)) -> Cell:
    return Cell([Image.new("RGB", size, color)])


def middle(image: Image.Image, color: str) -> tuple[float, float]:
    """Where in a sheet the pixels of one color are, on average."""
    wanted = Image.new("RGB", (1, 1), color).getpixel((0, 0))
    data = list(image.getdata())
    found = [divmod(n, image.width) for n, pixel in enumerate(data) if pixel == wanted]
    assert found, f"{color} is nowhere"
    return sum(x for _, x in found) / len(found), sum(y for y, _ in found) / len(found)


def ink(image: Image.Image, box: tuple[int, int, int, int]) -> bool:
    return bool(image.crop(box).convert("L").getextrema()[0] < 128)


def test_columns_and_rows() -> None:
    cells: dict[At, Cell] = {at: colored(color) for at, color in COLORS.items()}
    made = draw([STEPS, SCALES], cells)
    places = {at: middle(made, color) for at, color in COLORS.items()}
    assert places[0, 0][0] == places[0, 1][0] < places[1, 0][0] == places[1, 1][0]
    assert places[0, 0][1] == places[1, 0][1] < places[0, 1][1] == places[1, 1][1]
    left, top = (int(value) for value in places[0, 0])
    assert ink(made, (left - 60, 0, left + 60, top - 50)), "the first column has a label"
    assert ink(made, (0, top - 50, left - 60, top + 50)), "the first row has a label"


def test_one_axis_is_a_row() -> None:
    made = draw([STEPS], {(0,): colored("red"), (1,): colored("blue")})
    red, blue = middle(made, "#ff0000"), middle(made, "#0000ff")
    assert red[0] < blue[0]
    assert red[1] == blue[1]


def test_further_axes_are_tables_below_each_other() -> None:
    axes = [STEPS, SCALES, ["seed=1", "seed=2"], ["a", "b"]]
    cells = {at: colored("black") for at in itertools.product(range(2), repeat=4)}
    order = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for color, rest in zip(COLORS.values(), order, strict=True):
        cells[(0, 0, *rest)] = colored(color)
    made = draw(axes, cells)
    middles = [middle(made, color) for color in COLORS.values()]
    assert len({x for x, _ in middles}) == 1
    assert sorted(middles, key=lambda at: at[1]) == middles


def test_several_pictures_in_a_cell() -> None:
    pictures = [Image.new("RGB", (40, 30), color) for color in COLORS.values()]
    made = draw([["a"]], {(0,): Cell(pictures)})
    (a, b, c, d) = (middle(made, color) for color in COLORS.values())
    assert a[0] == c[0] < b[0] == d[0]
    assert a[1] == b[1] < c[1] == d[1]


def test_a_cell_without_pictures_says_why_and_one_that_is_missing_is_blank() -> None:
    told = draw([STEPS], {(0,): Cell(note="refused: no such sampler"), (1,): colored("red")})
    blank = draw([STEPS], {(1,): colored("red")})
    assert told.size == blank.size
    assert told.tobytes() != blank.tobytes()


def test_long_labels_are_wrapped_and_nothing_overlaps() -> None:
    label = "prompt=" + "a very long prompt with many words, " * 20 + "x" * 300
    made = draw([[label, "short"], [label]], {(0, 0): colored("red"), (1, 0): colored("blue")})
    red, blue = middle(made, "#ff0000"), middle(made, "#0000ff")
    assert blue[0] - red[0] < 200, "a label is no wider than its column"
    count = sum(pixel == (255, 0, 0) for pixel in made.getdata())
    assert count == 120 * 100, "no label is written over a picture"


def test_wrapping() -> None:
    letters = Lettering(16)
    assert letters.wrapped("", 100) == [""]
    lines = letters.wrapped("some words that need a few lines " + "w" * 60, 100, lines=50)
    assert all(letters.width(line) <= 100 for line in lines)
    assert "".join(lines).replace(" ", "") == "somewordsthatneedafewlines" + "w" * 60
    short = letters.wrapped("word " * 100, 100, lines=3)
    assert len(short) == 3
    assert short[-1].endswith("...")
    assert letters.width(short[-1]) <= 100
    assert letters.wrapped("a\x1b[31m\nb\u202e", 500) == ["a [31m b"]


def test_without_a_scalable_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "FONTS", ())
    default = ImageFont.load_default()
    monkeypatch.setattr(ImageFont, "load_default", lambda: default)
    made = draw([["steps=1 é", "日本"]], {(0,): colored("red")})
    assert ink(made, (0, 0, made.width, 20))


def test_many_cells_are_small_pictures_and_too_many_are_refused() -> None:
    axes = [[str(n) for n in range(24)], [str(n) for n in range(24)]]
    large = Cell([Image.new("RGB", (LARGEST, LARGEST), "red")])
    made = draw(axes, {(x, y): large for x in range(24) for y in range(24)})
    assert made.width * made.height <= MAX_PIXELS
    assert middle(made.crop((0, 0, 400, 400)), "#ff0000")
    assert edge(axes) == 416
    assert edge([["a"], ["b"]]) == LARGEST
    with pytest.raises(FormatError, match="1000000 cells"):
        check([[str(n) for n in range(1000)]] * 2)


def test_small_copies() -> None:
    wide, alpha = Image.new("RGB", (2048, 10)), Image.new("RGBA", (8, 8), "#ff000000")
    assert [image.size for image in small([wide, alpha])] == [(256, 1), (8, 8)]
    assert [image.size for image in small([wide], 100)] == [(100, 1)]
    assert small([alpha])[0].mode == "RGB"
    made = draw([["a"]], {(0,): Cell(small([Image.new("RGB", (100_000, 1), "red")]))})
    assert middle(made, "#ff0000")
