"""Poor man's outpainting. Title, arguments and what it does to `p`: A1111 v1.10.1,
scripts/poor_mans_outpainting.py."""

import gradio as gr
from modules import images, outpainting
from modules.processing import Processed, process_images
from modules.shared import opts, state
from PIL import Image


class Script(outpainting.Script):
    """Grows the picture on all sides at once, and redraws the tiles there on the same `p`."""

    def title(self):
        return "Poor man's outpainting"

    def ui(self, is_img2img):
        pixels, blur, direction = self.growth(blur=4)
        fill = gr.Radio(
            label="Masked content",
            choices=["fill", "original", "latent noise", "latent nothing"],
            value="fill",
            type="index",
            elem_id=self.elem_id("inpainting_fill"),
        )
        return [pixels, blur, fill, direction]

    def run(self, p, pixels, mask_blur, inpainting_fill, direction):
        pixels, mask_blur = int(pixels), int(mask_blur)
        p.mask_blur, p.inpainting_fill, p.inpaint_full_res = mask_blur * 2, inpainting_fill, False
        p.n_iter = p.batch_size = 1
        p.do_not_save_grid = p.do_not_save_samples = True
        sheets, inner = _sheets(p.init_images[0], pixels, mask_blur, direction)
        size = {"tile_w": p.width, "tile_h": p.height, "overlap": pixels}
        grids = [images.split_grid(sheet, **size) for sheet in sheets]
        tiles = zip(*map(_tiles, grids), strict=True)
        work = [places for places in tiles if not _inside(places[0], inner)]
        first = _draw(p, work)
        combined = images.combine_grid(grids[0])
        seed, info = (first.seed, first.info) if first else (None, None)
        if opts.samples_save:
            kind = opts.samples_format
            images.save_image(combined, p.outpath_samples, "", seed, p.prompt, kind, info=info, p=p)
        return Processed(p, [combined], seed, info)


def _sheets(picture, pixels, blur, direction):
    """The grown picture, its mask and its latent mask; and the box that isn't touched."""
    grow = outpainting.amounts(picture.size, pixels, direction)
    left, up = grow["left"], grow["up"]
    right, down = left + picture.width, up + picture.height
    sheet = Image.new("RGB", (right + grow["right"], down + grow["down"]))
    sheet.paste(picture, (left, up))
    masks = [
        outpainting.mask(sheet.size, _shrunk((left, up, right, down), grow, less), "L")
        for less in (blur * 2, blur // 2)
    ]
    return [sheet, *masks], (left, up, right, down)


def _shrunk(box, grow, less):
    """The box, smaller by `less` pixels on the sides that grow."""
    signs = zip(box, ("left", "up", "right", "down"), (1, 1, -1, -1), strict=True)
    return tuple(edge + sign * less * (grow[side] > 0) for edge, side, sign in signs)


def _tiles(grid):
    return [(y, height, tile) for y, height, row in grid.tiles for tile in row]


def _inside(place, inner):
    y, height, (x, width, _picture) = place
    left, up, right, down = inner
    return x >= left and x + width <= right and y >= up and y + height <= down


def _draw(p, work):
    """Redraw the tiles one by one and put them into the grid of the picture."""
    state.job_count, first = len(work), None
    for number, places in enumerate(work):
        picture, mask, latent_mask = (tile for _y, _height, tile in places)
        p.init_images, p.image_mask, p.latent_mask = [picture[2]], mask[2], latent_mask[2]
        state.job = f"Batch {number + 1} out of {len(work)}"
        processed = process_images(p)
        first = first or processed
        p.seed = processed.seed + 1
        drawn = processed.images
        picture[2] = drawn[0] if drawn else Image.new("RGB", (p.width, p.height))
    return first
