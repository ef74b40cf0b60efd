"""img2img alternative test. Title, arguments and what it does to `p`: A1111 v1.10.1,
scripts/img2imgalt.py.

The real one looks for the noise that would give the init image with the original prompts, and
draws from it. Here the arguments of that search are inputs of the drawing.
"""

import gradio as gr
from modules import inpainting, scripts
from modules.processing import process_images
from modules.shared import state


class Script(scripts.Script):
    """One job whose sampling is replaced."""

    def title(self):
        return "img2img alternative test"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        info = gr.Markdown("* `CFG Scale` should be 2 or lower.")
        sampler = self._flag("override_sampler", "Override `Sampling method` to Euler?", True)
        prompts = self._flag("override_prompt", "Override `prompt` to `original prompt`?", True)
        positive, negative = (
            gr.Textbox(label=label, lines=1, elem_id=self.elem_id(name))
            for name, label in (
                ("original_prompt", "Original prompt"),
                ("original_negative_prompt", "Original negative prompt"),
            )
        )
        override_steps = self._flag("override_steps", "Override `Sampling Steps`?", True)
        steps = self._slider("st", "Decode steps", 1, 150, 1, 50)
        strength = self._flag("override_strength", "Override `Denoising strength` to 1?", True)
        cfg = self._slider("cfg", "Decode CFG scale", 0.0, 15.0, 0.1, 1.0)
        randomness = self._slider("randomness", "Randomness", 0.0, 1.0, 0.01, 0.0)
        adjust = self._flag("sigma_adjustment", "Sigma adjustment for finding noise for image")
        texts = [prompts, positive, negative]
        return [
            *[info, sampler, *texts, override_steps, steps, strength],
            *[cfg, randomness, adjust],
        ]

    def _flag(self, name, label, value=False):
        return gr.Checkbox(label=label, value=value, elem_id=self.elem_id(name))

    def _slider(self, name, label, minimum, maximum, step, value):
        given = {"minimum": minimum, "maximum": maximum, "step": step, "value": value}
        return gr.Slider(label=label, elem_id=self.elem_id(name), **given)

    def run(
        self,
        p,
        _,
        override_sampler,
        override_prompt,
        original_prompt,
        original_negative_prompt,
        override_steps,
        st,
        override_strength,
        cfg,
        randomness,
        sigma_adjustment,
    ):
        if override_sampler:
            p.sampler_name = "Euler"
        if override_prompt:
            p.prompt, p.negative_prompt = original_prompt, original_negative_prompt
        if override_steps:
            p.steps = int(st)
        if override_strength:
            p.denoising_strength = 1.0
        found = {
            "Decode prompt": original_prompt,
            "Decode negative prompt": original_negative_prompt,
            "Decode CFG scale": cfg,
            "Decode steps": st,
            "Randomness": randomness,
            "Sigma Adjustment": sigma_adjustment,
        }
        p.extra_generation_params.update(found)
        p.sample = _sampling(p, found)
        return process_images(p)


def _sampling(p, found):
    def sample(
        conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts
    ):
        state.job_count += 1  # for the search
        state.nextjob()
        pictures = inpainting.sample(p, decoded=found)
        p.seed += 1
        return pictures

    return sample
