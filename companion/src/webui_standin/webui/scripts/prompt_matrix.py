"""Prompt matrix. Title, arguments and what it does to `p`: A1111 v1.10.1,
scripts/prompt_matrix.py."""

import math

import gradio as gr
from modules import images, processing, scripts
from modules.shared import opts


class Script(scripts.Script):
    """All combinations of the parts of a prompt, drawn by one call on the same `p`."""

    def title(self):
        return "Prompt matrix"

    def ui(self, is_img2img):
        with gr.Row():
            with gr.Column():
                at_start = gr.Checkbox(
                    label="Put variable parts at start of prompt",
                    value=False,
                    elem_id=self.elem_id("put_at_start"),
                )
                different = gr.Checkbox(
                    label="Use different seed for each picture",
                    value=False,
                    elem_id=self.elem_id("different_seeds"),
                )
            with gr.Column():
                kind = gr.Radio(
                    ["positive", "negative"],
                    label="Select prompt",
                    elem_id=self.elem_id("prompt_type"),
                    value="positive",
                )
                joining = gr.Radio(
                    ["comma", "space"],
                    label="Select joining char",
                    elem_id=self.elem_id("variations_delimiter"),
                    value="comma",
                )
            with gr.Column():
                margin = gr.Slider(
                    label="Grid margins (px)",
                    minimum=0,
                    maximum=500,
                    value=0,
                    step=2,
                    elem_id=self.elem_id("margin_size"),
                )
        return [at_start, different, kind, joining, margin]

    def run(self, p, put_at_start, different_seeds, prompt_type, variations_delimiter, margin_size):
        processing.fix_seed(p)
        if prompt_type not in ("positive", "negative"):
            raise ValueError(f"Unknown prompt type {prompt_type}")
        if variations_delimiter not in ("comma", "space"):
            raise ValueError(f"Unknown variations delimiter {variations_delimiter}")
        name = "prompt" if prompt_type == "positive" else "negative_prompt"
        parts = _first(getattr(p, name)).split("|")
        prompts = _combinations(
            parts, put_at_start, ", " if variations_delimiter == "comma" else " "
        )
        p.prompt_for_display = _first(p.prompt)
        p.n_iter, p.do_not_save_grid = math.ceil(len(prompts) / p.batch_size), True
        setattr(p, name, prompts)
        p.seed = [p.seed + (index if different_seeds else 0) for index in range(len(prompts))]
        processed = processing.process_images(p)
        self._add_grid(p, processed, parts, margin_size)
        return processed

    def _add_grid(self, p, processed, parts, margin):
        grid = images.image_grid(processed.images, p.batch_size, rows=1 << ((len(parts) - 1) // 2))
        size = processed.images[0].size
        processed.images.insert(0, images.draw_prompt_matrix(grid, *size, parts, margin))
        processed.index_of_first_image = 1
        processed.infotexts.insert(0, processed.infotexts[0])
        if opts.grid_save:
            own = {
                "extension": opts.grid_format,
                "prompt": parts[0],
                "seed": processed.seed,
                "grid": True,
                "p": p,
            }
            images.save_image(processed.images[0], p.outpath_grids, "prompt_matrix", **own)


def _first(text):
    return text[0] if isinstance(text, list) else text


def _combinations(parts, at_start, joiner):
    first, rest = parts[0], parts[1:]
    found = []
    for number in range(1 << len(rest)):
        chosen = [text.strip().strip(",") for place, text in enumerate(rest) if number >> place & 1]
        found.append(joiner.join([*chosen, first] if at_start else [first, *chosen]))
    return found
