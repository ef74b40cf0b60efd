"""Outpainting mk2. Title, arguments and what it does to `p`: A1111 v1.10.1,
scripts/outpainting_mk_2.py."""

import gradio as gr
import numpy as np
from modules import images, outpainting
from modules.processing import Processed, process_images
from modules.shared import opts, state
from PIL import Image

from webui_standin import drawing
from webui_standin.drawing.inputs import digest
from webui_standin.drawing.numbers import Numbers


class Script(outpainting.Script):
    """Grows the picture side by side, each a job on the same `p`."""

    def title(self):
        return "Outpainting mk2"

    def ui(self, is_img2img):
        info = gr.HTML("<p>Recommended: 80 to 100 steps, Euler a, denoising strength 0.8</p>")
        growth = self.growth(blur=8)
        exponent = gr.Slider(
            label="Fall-off exponent (lower=higher detail)",
            minimum=0.0,
            maximum=4.0,
            step=0.01,
            value=1.0,
            elem_id=self.elem_id("noise_q"),
        )
        variation = gr.Slider(
            label="Color variation",
            minimum=0.0,
            maximum=1.0,
            step=0.01,
            value=0.05,
            elem_id=self.elem_id("color_variation"),
        )
        return [info, *growth, exponent, variation]

    def run(self, p, _, pixels, mask_blur, direction, noise_q, color_variation):
        picture = p.init_images[0]
        sides = outpainting.amounts(picture.size, int(pixels), direction)
        work = Expansion(p, sides, int(mask_blur), [noise_q, color_variation])
        repeats, p.n_iter = p.n_iter, 1
        sides = {side: amount for side, amount in sides.items() if amount > 0}
        state.job_count = repeats * len(sides)
        drawn = []
        for repeat in range(repeats):
            state.job = f"Batch {repeat + 1} out of {repeats}"
            batch = [picture] * p.batch_size
            for side, amount in sides.items():
                batch = work.expand(batch, side, amount)
            drawn += batch
        return _result(p, drawn, work.first)


class Expansion:
    """What all sides have in common; `first` is the result of the first inner job."""

    def __init__(self, p, sides, blur, noise):
        self.p, self.noise, self.first = p, noise, None
        self.limit = p.width, p.height
        p.inpaint_full_res, p.inpainting_fill = False, 1
        p.do_not_save_samples = p.do_not_save_grid = True
        self.blur_x = blur if sides["left"] or sides["right"] else 0
        self.blur_y = blur if sides["up"] or sides["down"] else 0
        p.mask_blur_x, p.mask_blur_y = self.blur_x * 4, self.blur_y * 4

    def expand(self, pictures, side, amount):
        """Grow all pictures of a batch on one side, in one job."""
        growth, p = outpainting.Growth(pictures[0].size, side, amount), self.p
        blur = self.blur_x if growth.horizontal else self.blur_y
        box = growth.box(self.limit)
        p.width, p.height = box[2] - box[0], box[3] - box[1]
        mask = outpainting.mask(growth.canvas, growth.kept(growth.canvas, blur), "RGB")
        canvases = [self._noised(picture, growth, mask) for picture in pictures]
        p.init_images = [canvas.crop(box) for canvas in canvases]
        p.image_mask = mask.crop(box)
        kept = growth.kept(p.image_mask.size, blur * 2)
        p.latent_mask = outpainting.mask((p.width, p.height), kept, "RGB")
        processed = process_images(p)
        self.first = self.first or processed
        for canvas, drawn in zip(canvases, processed.images, strict=False):
            canvas.paste(drawn, box[:2])
        return [canvas.crop((0, 0, *growth.grown)) for canvas in canvases]

    def _noised(self, picture, growth, mask):
        """The picture on its canvas, with noise in its colours where it grows."""
        place = (growth.amount if side == growth.side else 0 for side in ("left", "up"))
        canvas = Image.new("RGB", growth.canvas)
        canvas.paste(picture.convert("RGB"), tuple(place))
        pixels = np.asarray(canvas)
        numbers = Numbers(digest(self.noise), "outpainting")
        noise = numbers.octets(pixels.size).reshape(pixels.shape)
        colour = np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(axis=0).astype(np.uint8)
        noise = drawing.blend(np.broadcast_to(colour, pixels.shape), noise, 64)
        weight = np.asarray(mask.convert("L"), np.int32)[:, :, None] * 256 // 255
        return Image.fromarray(drawing.blend(pixels, noise, weight))


def _result(p, drawn, first):
    grid, shown = images.image_grid(drawn), drawn
    wanted = len(drawn) > 1 or not opts.grid_only_if_multiple
    if opts.return_grid and wanted:
        shown = [grid, *drawn]
    seed, info = (first.seed, first.info) if first else (None, None)
    result = Processed(p, shown, seed, info)
    if opts.samples_save:
        for picture in drawn:
            images.save_image(
                picture, p.outpath_samples, "", seed, p.prompt, opts.samples_format, info=info, p=p
            )
    if opts.grid_save and wanted:
        short = not opts.grid_extended_filename
        own = {"info": info, "short_filename": short, "grid": True, "p": p}
        images.save_image(grid, p.outpath_grids, "grid", seed, p.prompt, opts.grid_format, **own)
    return result
