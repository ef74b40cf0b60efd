"""The Refiner part of both tabs. Title, element ids and arguments: A1111 v1.10.1."""

import gradio as gr
from modules import scripts, sd_models
from modules.infotext_utils import PasteField
from modules.ui_common import create_refresh_button
from modules.ui_components import InputAccordion


class ScriptRefiner(scripts.ScriptBuiltinUI):
    """Another checkpoint for the last steps."""

    section = "accordions"
    create_group = False

    def title(self):
        return "Refiner"

    def ui(self, is_img2img):
        with (
            InputAccordion(False, label="Refiner", elem_id=self.elem_id("enable")) as enable,
            gr.Row(),
        ):
            checkpoint = gr.Dropdown(
                label="Checkpoint",
                elem_id=self.elem_id("checkpoint"),
                choices=sd_models.checkpoint_tiles(),
                value="",
            )
            create_refresh_button(
                checkpoint,
                sd_models.list_models,
                lambda: {"choices": sd_models.checkpoint_tiles()},
                self.elem_id("checkpoint_refresh"),
            )
            switch_at = gr.Slider(
                value=0.8,
                label="Switch at",
                minimum=0.01,
                maximum=1.0,
                step=0.01,
                elem_id=self.elem_id("switch_at"),
            )
        self.infotext_fields = [
            PasteField(enable, lambda params: "Refiner" in params),
            PasteField(
                checkpoint, lambda params: _title(params.get("Refiner")), api="refiner_checkpoint"
            ),
            PasteField(switch_at, "Refiner switch at", api="refiner_switch_at"),
        ]
        return enable, checkpoint, switch_at

    def setup(self, p, enable_refiner, refiner_checkpoint, refiner_switch_at):
        used = enable_refiner and refiner_checkpoint not in (None, "", "None")
        p.refiner_checkpoint, p.refiner_switch_at = (
            (refiner_checkpoint, refiner_switch_at) if used else (None, None)
        )


def _title(name):
    found = sd_models.get_closet_checkpoint_match(name)
    return None if found is None else found.title
