"""The Seed part of both tabs. Title, element ids and arguments: A1111 v1.10.1."""

import json

import gradio as gr
from modules import errors, infotext_utils, scripts, ui
from modules.infotext_utils import PasteField
from modules.shared import cmd_opts
from modules.ui_components import ToolButton

from webui_standin.gradio_compat import js


class ScriptSeed(scripts.ScriptBuiltinUI):
    """Seed, variation seed, and the size that noise is made for."""

    section = "seed"
    create_group = False

    def title(self):
        return "Seed"

    def ui(self, is_img2img):
        with gr.Row(elem_id=self.elem_id("seed_row")):
            if cmd_opts.use_textbox_seed:
                self.seed = gr.Textbox(
                    label="Seed", value="", elem_id=self.elem_id("seed"), min_width=100
                )
            else:
                self.seed = self._number("Seed", "seed")
            randomise = ToolButton(ui.random_symbol, elem_id=self.elem_id("random_seed"))
            reuse = ToolButton(ui.reuse_symbol, elem_id=self.elem_id("reuse_seed"))
            extra = gr.Checkbox(label="Extra", elem_id=self.elem_id("subseed_show"), value=False)
        with gr.Group(visible=False, elem_id=self.elem_id("seed_extras")) as extras:
            subseed, strength, width, height, subseed_buttons = self._extras()
        extra.change(
            lambda shown: gr.update(visible=shown),
            inputs=[extra],
            outputs=[extras],
            show_progress=False,
        )
        self._connect(self.seed, "seed", randomise, reuse)
        self._connect(subseed, "subseed", *subseed_buttons)
        self.infotext_fields = [
            PasteField(self.seed, "Seed", api="seed"),
            PasteField(
                extra, lambda params: "Variation seed" in params or "Seed resize from-1" in params
            ),
            PasteField(subseed, "Variation seed", api="subseed"),
            PasteField(strength, "Variation seed strength", api="subseed_strength"),
            PasteField(width, "Seed resize from-1", api="seed_resize_from_h"),
            PasteField(height, "Seed resize from-2", api="seed_resize_from_w"),
        ]
        return self.seed, extra, subseed, strength, width, height

    def _number(self, label, name):
        return gr.Number(
            label=label, value=-1, elem_id=self.elem_id(name), min_width=100, precision=0
        )

    def _extras(self):
        with gr.Row(elem_id=self.elem_id("subseed_row")):
            subseed = self._number("Variation seed", "subseed")
            buttons = [
                ToolButton(symbol, elem_id=self.elem_id(f"{name}_subseed"))
                for symbol, name in ((ui.random_symbol, "random"), (ui.reuse_symbol, "reuse"))
            ]
            strength = gr.Slider(
                label="Variation strength",
                value=0.0,
                minimum=0,
                maximum=1,
                step=0.01,
                elem_id=self.elem_id("subseed_strength"),
            )
        with gr.Row(elem_id=self.elem_id("seed_resize_from_row")):
            sizes = [
                gr.Slider(
                    minimum=0,
                    maximum=2048,
                    step=8,
                    label=f"Resize seed from {side}",
                    value=0,
                    elem_id=self.elem_id(f"seed_resize_from_{side[0]}"),
                )
                for side in ("width", "height")
            ]
        return subseed, strength, *sizes, buttons

    def _connect(self, target, name, randomise, reuse):
        code = f"function(){{setRandomSeed('{self.elem_id(name)}')}}"
        randomise.click(fn=None, show_progress=False, inputs=[], outputs=[], **js(code))

        def when_created(created):
            reuse.click(
                fn=lambda text, index: [_last_seed(text, index, name == "subseed"), gr.update()],
                show_progress=False,
                inputs=[created.component, target],
                outputs=[target, target],
                **js("(x, y) => [x, selected_gallery_index()]"),
            )

        self.on_after_component(when_created, elem_id=f"generation_info_{self.tabname}")

    def setup(
        self,
        p,
        seed,
        seed_checkbox,
        subseed,
        subseed_strength,
        seed_resize_from_w,
        seed_resize_from_h,
    ):
        p.seed = seed
        if seed_checkbox and subseed_strength > 0:
            p.subseed, p.subseed_strength = subseed, subseed_strength
        if seed_checkbox and seed_resize_from_w > 0 and seed_resize_from_h > 0:
            p.seed_resize_from_w, p.seed_resize_from_h = seed_resize_from_w, seed_resize_from_h


def _last_seed(text, index, is_subseed):
    """The seed of the selected picture, -1 if there is none."""
    try:
        params = infotext_utils.parse_generation_parameters(
            json.loads(text)["infotexts"][index], []
        )
        return int(params.get("Variation seed" if is_subseed else "Seed", -1))
    except Exception:
        if text:
            errors.report(f"Error retrieving seed from generation info: {text}", exc_info=True)
        return -1
