"""Prompts from file or textbox. Title, arguments and line format: A1111 v1.10.1."""

import copy
import random
import shlex

import gradio as gr
from modules import errors, scripts, sd_models, sd_samplers
from modules.processing import Processed, process_images
from modules.shared import state

_TEXTS = [
    "outpath_samples",
    "outpath_grids",
    "prompt_for_display",
    "prompt",
    "negative_prompt",
    "styles",
]
_WHOLE = [
    "seed",
    "subseed",
    "seed_resize_from_h",
    "seed_resize_from_w",
    "sampler_index",
    "batch_size",
    "n_iter",
    "steps",
    "width",
    "height",
]
_FLAGS = ["restore_faces", "tiling", "do_not_save_samples", "do_not_save_grid"]


def _checkpoint(name):
    found = sd_models.get_closet_checkpoint_match(name)
    assert found is not None, f"Unknown checkpoint: {name}"
    return found.name


TAGS = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(_WHOLE, int),
    **dict.fromkeys(["subseed_strength", "cfg_scale"], float),
    **dict.fromkeys(_FLAGS, lambda text: text == "true"),
    "sd_model": _checkpoint,
    "sampler_name": lambda text: sd_samplers.samplers_map.get(text.lower()),
}


def read_line(line):
    """`--prompt a cat --steps 3` as a dict; AssertionError for what isn't so."""
    words, found = shlex.split(line), {}
    while words:
        flag = words.pop(0)
        assert flag.startswith("--"), f'must start with "--": {flag}'
        assert words, f"missing argument for command line option {flag}"
        tag, value = flag[2:], [words.pop(0)]
        assert tag in TAGS, f"unknown commandline option: {flag}"
        while tag in ("prompt", "negative_prompt") and words and not words[0].startswith("--"):
            value.append(words.pop(0))
        found[tag] = TAGS[tag](" ".join(value))
    return found


class Script(scripts.Script):
    """One job of its own for each line."""

    def title(self):
        return "Prompts from file or textbox"

    def ui(self, is_img2img):
        iterate = gr.Checkbox(
            label="Iterate seed every line", value=False, elem_id=self.elem_id("checkbox_iterate")
        )
        same = gr.Checkbox(
            label="Use same random seed for all lines",
            value=False,
            elem_id=self.elem_id("checkbox_iterate_batch"),
        )
        position = gr.Radio(
            ["start", "end"],
            label="Insert prompts at the",
            elem_id=self.elem_id("prompt_position"),
            value="start",
        )
        text = gr.Textbox(
            label="List of prompt inputs", lines=2, elem_id=self.elem_id("prompt_txt")
        )
        file = gr.File(label="Upload prompt inputs", type="binary", elem_id=self.elem_id("file"))
        file.change(fn=_read_file, inputs=[file], outputs=[file, text], show_progress=False)
        return [iterate, same, position, text]

    def run(self, p, checkbox_iterate, checkbox_iterate_batch, prompt_position, prompt_txt):
        jobs = [_read(line) for line in prompt_txt.splitlines() if line.strip()]
        p.do_not_save_grid = True
        if (checkbox_iterate or checkbox_iterate_batch) and p.seed == -1:
            p.seed = random.randrange(4294967294)
        state.job_count = sum(job.get("n_iter", p.n_iter) for job in jobs)
        results = [], [], []
        for job in jobs:
            state.job = f"{state.job_no + 1} out of {state.job_count}"
            processed = process_images(_copy_for(p, job, prompt_position))
            for whole, part in zip(
                results,
                (processed.images, processed.all_prompts, processed.infotexts),
                strict=False,
            ):
                whole += part
            if checkbox_iterate:
                p.seed += p.batch_size * p.n_iter
        return Processed(p, results[0], p.seed, "", all_prompts=results[1], infotexts=results[2])


def _read(line):
    line = line.strip()
    if "--" in line:
        try:
            return read_line(line)
        except Exception:
            errors.report(f"Error parsing line {line} as commandline", exc_info=True)
    return {"prompt": line}


def _copy_for(p, job, position):
    """A copy with the line's values; the tab's own prompts stay before or behind the line's."""
    changed = copy.copy(p)
    for name, value in job.items():
        if name == "sd_model":
            changed.override_settings["sd_model_checkpoint"] = value
        else:
            setattr(changed, name, value)
    for name in ("prompt", "negative_prompt"):
        own, given = getattr(p, name), job.get(name)
        if given and own:
            setattr(changed, name, f"{own} {given}" if position == "end" else f"{given} {own}")
    return changed


def _read_file(data):
    return None, gr.update() if data is None else data.decode("utf8", errors="ignore")
