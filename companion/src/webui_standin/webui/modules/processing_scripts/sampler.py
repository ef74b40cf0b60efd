"""The Sampler part of both tabs. Title, element ids and arguments: A1111 v1.10.1."""

import gradio as gr
from modules import scripts, sd_samplers, sd_schedulers
from modules.infotext_utils import PasteField
from modules.ui_components import FormRow


class ScriptSampler(scripts.ScriptBuiltinUI):
    """Sampler, schedule and steps."""

    section = "sampler"

    def title(self):
        return "Sampler"

    def ui(self, is_img2img):
        tab = self.tabname
        samplers = sd_samplers.visible_sampler_names()
        schedules = [item.label for item in sd_schedulers.schedulers]
        with FormRow(elem_id=f"sampler_selection_{tab}"):
            self.sampler_name = gr.Dropdown(
                label="Sampling method",
                elem_id=f"{tab}_sampling",
                choices=samplers,
                value=samplers[0],
            )
            self.scheduler = gr.Dropdown(
                label="Schedule type",
                elem_id=f"{tab}_scheduler",
                choices=schedules,
                value=schedules[0],
            )
            self.steps = gr.Slider(
                minimum=1,
                maximum=150,
                step=1,
                elem_id=f"{tab}_steps",
                label="Sampling steps",
                value=20,
            )
        self.infotext_fields = [
            PasteField(self.steps, "Steps", api="steps"),
            PasteField(
                self.sampler_name, sd_samplers.get_sampler_from_infotext, api="sampler_name"
            ),
            PasteField(self.scheduler, sd_samplers.get_scheduler_from_infotext, api="scheduler"),
        ]
        return self.steps, self.sampler_name, self.scheduler

    def setup(self, p, steps, sampler_name, scheduler):
        p.steps, p.sampler_name, p.scheduler = steps, sampler_name, scheduler
