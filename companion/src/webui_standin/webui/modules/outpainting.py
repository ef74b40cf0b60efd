"""What the two outpainting scripts share: controls, where a picture grows, what is masked there.

Sizes and masks: A1111 v1.10.1, scripts/outpainting_mk_2.py and scripts/poor_mans_outpainting.py.
"""

from dataclasses import dataclass

import gradio as gr
from PIL import Image, ImageDraw

from modules import scripts

DIRECTIONS = ["left", "right", "up", "down"]
MULTIPLE = 64  # pixels of which both sides of the grown picture are multiples


class Script(scripts.Script):
    """Shown in img2img, with the controls that say where and how far the picture grows."""

    def show(self, is_img2img):
        return is_img2img

    def growth(self, *, blur):
        """Pixels, the blur of the mask with its default, and the directions."""
        pixels = gr.Slider(
            label="Pixels to expand",
            minimum=8,
            maximum=256,
            step=8,
            value=128,
            elem_id=self.elem_id("pixels"),
        )
        blurred = gr.Slider(
            label="Mask blur",
            minimum=0,
            maximum=64,
            step=1,
            value=blur,
            elem_id=self.elem_id("mask_blur"),
        )
        direction = gr.CheckboxGroup(
            label="Outpainting direction",
            choices=DIRECTIONS,
            value=DIRECTIONS,
            elem_id=self.elem_id("direction"),
        )
        return pixels, blurred, direction


def amounts(size, pixels, directions):
    """Pixels to add on each side, so that the grown size is a multiple of 64."""
    wanted = {side: pixels if side in directions else 0 for side in DIRECTIONS}
    left, right = _share(size[0], wanted["left"], wanted["right"])
    up, down = _share(size[1], wanted["up"], wanted["down"])
    return {"left": left, "right": right, "up": up, "down": down}


def _share(length, before, after):
    missing = round_up(length + before + after) - length
    first = before * missing // (before + after) if before else 0
    return first, missing - first if after else 0


def round_up(length):
    """The next multiple of 64."""
    return -(-length // MULTIPLE) * MULTIPLE


def mask(size, kept, mode):
    """White, with a black rectangle over what is kept; its right and lower edges are included."""
    drawn = Image.new(mode, size, "white")
    left, top, right, bottom = kept
    if right >= left and bottom >= top:
        ImageDraw.Draw(drawn).rectangle(kept, fill="black")
    return drawn


@dataclass
class Growth:
    """A picture that grows by `amount` pixels on one side."""

    size: tuple[int, int]
    side: str
    amount: int

    @property
    def horizontal(self):
        """Whether it grows to the left or to the right."""
        return self.side in ("left", "right")

    @property
    def first(self):
        """Whether it grows at the beginning of the axis."""
        return self.side in ("left", "up")

    @property
    def grown(self):
        """The size afterwards."""
        width, height = self.size
        return (width + self.amount, height) if self.horizontal else (width, height + self.amount)

    @property
    def canvas(self):
        """The size that is drawn on: multiples of 64."""
        return round_up(self.grown[0]), round_up(self.grown[1])

    def box(self, limit):
        """The part of the canvas that is redrawn: at most `limit` pixels along the axis."""
        axis = 0 if self.horizontal else 1
        low, high = [0, 0], list(self.canvas)
        length = min(limit[axis], self.grown[axis])
        if self.first:
            high[axis] = length
        else:
            low[axis] = high[axis] - length
        return (*low, *high)

    def kept(self, size, blur):
        """The rectangle of a mask of this size that isn't redrawn, `blur` pixels smaller."""
        axis = 0 if self.horizontal else 1
        low, high = [0, 0], list(self.grown)
        if self.first:
            low[axis] = self.amount + blur
        else:
            high[axis] = size[axis] - self.amount - blur
        return (*low, *high)
