"""SD upscale. Title, arguments and what it does to `p`: A1111 v1.10.1, scripts/sd_upscale.py."""

import math

import gradio as gr
from modules import images, processing, scripts, shared
from modules.processing import Processed
from modules.shared import opts, state
from PIL import Image


class Script(scripts.Script):
    """Enlarges the picture and redraws it tile by tile on the same `p`."""

    def title(self):
        return "SD upscale"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        info = gr.HTML("<p>Enlarges by the scale factor; width and height are those of a tile.</p>")
        overlap = gr.Slider(
            minimum=0,
            maximum=256,
            step=16,
            label="Tile overlap",
            value=64,
            elem_id=self.elem_id("overlap"),
        )
        factor = gr.Slider(
            minimum=1.0,
            maximum=4.0,
            step=0.05,
            label="Scale Factor",
            value=2.0,
            elem_id=self.elem_id("scale_factor"),
        )
        names = [data.name for data in shared.sd_upscalers]
        upscaler = gr.Radio(
            label="Upscaler",
            choices=names,
            value=names[0],
            type="index",
            elem_id=self.elem_id("upscaler_index"),
        )
        return [info, overlap, upscaler, factor]

    def run(self, p, _, overlap, upscaler_index, scale_factor):
        upscaler = _find(upscaler_index)
        processing.fix_seed(p)
        p.extra_generation_params.update(
            {"SD upscale overlap": overlap, "SD upscale upscaler": upscaler.name}
        )
        picture = images.flatten(p.init_images[0], opts.img2img_background_color)
        if upscaler.name != "None":
            picture = upscaler.scaler.upscale(picture, scale_factor, upscaler.data_path)
        grid = images.split_grid(picture, tile_w=p.width, tile_h=p.height, overlap=int(overlap))
        return self._draw(p, grid)

    def _draw(self, p, grid):
        batch_size, repeats, seed = p.batch_size, p.n_iter, p.seed
        p.n_iter, p.do_not_save_grid, p.do_not_save_samples = 1, True, True
        tiles = [tile for _y, _height, row in grid.tiles for tile in row]
        work = [tile[2] for tile in tiles]
        state.job_count = math.ceil(len(work) / batch_size) * repeats
        results, text = [], None
        for repeat in range(repeats):
            p.seed = seed + repeat
            drawn, first = self._draw_tiles(p, work, batch_size)
            text = text or first
            for place, tile in enumerate(tiles):
                tile[2] = (
                    drawn[place] if place < len(drawn) else Image.new("RGB", (p.width, p.height))
                )
            results.append(images.combine_grid(grid))
            if opts.samples_save and not p.is_api:
                images.save_image(
                    results[-1],
                    p.outpath_samples,
                    "",
                    seed + repeat,
                    p.prompt,
                    opts.samples_format,
                    info=text,
                    p=p,
                )
        return Processed(p, results, seed, text)

    def _draw_tiles(self, p, work, batch_size):
        drawn, first = [], None
        for start in range(0, len(work), batch_size):
            p.batch_size, p.init_images = batch_size, work[start : start + batch_size]
            state.job = f"Batch {start // batch_size + 1} out of {state.job_count}"
            processed = processing.process_images(p)
            first = first or processed.info
            p.seed = processed.seed + 1
            drawn += processed.images
        return drawn, first


def _find(index):
    if isinstance(index, str):
        index = [data.name.lower() for data in shared.sd_upscalers].index(index.lower())
    return shared.sd_upscalers[index]
