"""Loopback. Title, arguments and what it does to `p`: A1111 v1.10.1, scripts/loopback.py."""

import math

import gradio as gr
from modules import captions, images, processing, scripts
from modules.processing import Processed
from modules.shared import opts, state


def strength_at(loop, loops, first, last, curve):
    """Denoising strength of a loop on the way from the first to the last."""
    if loops == 1:
        return first
    part = loop / (loops - 1)
    if curve == "Aggressive":
        part = math.sin(part * math.pi / 2)
    elif curve == "Lazy":
        part = 1 - math.cos(part * math.pi / 2)
    return first + (last - first) * part


class Script(scripts.Script):
    """Feeds each result back as init image, on the same `p`."""

    def title(self):
        return "Loopback"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        loops = gr.Slider(
            minimum=1, maximum=32, step=1, label="Loops", value=4, elem_id=self.elem_id("loops")
        )
        final = gr.Slider(
            minimum=0,
            maximum=1,
            step=0.01,
            label="Final denoising strength",
            value=0.5,
            elem_id=self.elem_id("final_denoising_strength"),
        )
        curve = gr.Dropdown(
            label="Denoising strength curve",
            choices=["Aggressive", "Linear", "Lazy"],
            value="Linear",
        )
        interrogate = gr.Dropdown(
            label="Append interrogated prompt at each iteration",
            choices=["None", "CLIP", "DeepBooru"],
            value="None",
        )
        return [loops, final, curve, interrogate]

    def run(self, p, loops, final_denoising_strength, denoising_curve, append_interrogation):
        processing.fix_seed(p)
        describe = {"CLIP": captions.sentence, "DeepBooru": captions.tags}.get(append_interrogation)
        prompt = p.prompt
        loops, repeats = int(loops), p.n_iter
        p.extra_generation_params = {
            "Final denoising strength": final_denoising_strength,
            "Denoising curve": denoising_curve,
        }
        before = p.init_images, p.denoising_strength, p.inpainting_fill
        state.job_count = loops * repeats
        history, first = [], None
        for _repeat in range(repeats):
            p.init_images, p.denoising_strength, _ = before
            drawn = []
            for loop in range(loops):
                if describe is not None:
                    said = describe(p.init_images[0])
                    p.prompt = f"{prompt}, {said}" if prompt else said
                processed = self._loop(p)
                if state.interrupted or state.stopping_generation:
                    break
                first = first or processed
                p.denoising_strength = strength_at(
                    loop + 1, loops, before[1], final_denoising_strength, denoising_curve
                )
                drawn.append(processed.images[0])
                p.init_images, p.inpainting_fill = [processed.images[0]], 1
            history += drawn if repeats == 1 else drawn[-1:]
            p.inpainting_fill = before[2]
        return self._result(p, history, first)

    def _loop(self, p):
        p.n_iter = p.batch_size = 1
        p.do_not_save_grid = True
        processed = processing.process_images(p)
        p.seed = processed.seed + 1
        return processed

    def _result(self, p, history, first):
        shown = list(history)
        if len(history) > 1:
            grid = images.image_grid(history, rows=1)
            if opts.grid_save:
                images.save_image(
                    grid,
                    p.outpath_grids,
                    "grid",
                    first.seed,
                    p.prompt,
                    opts.grid_format,
                    grid=True,
                    p=p,
                )
            shown = [grid, *history] if opts.return_grid else shown
        return Processed(p, shown, first.seed if first else None, first.info if first else "")
