"""X/Y/Z plot. Title, arguments, order of axes and of cells: A1111 v1.10.1, scripts/xyz_grid.py;
further axes of Forge dfdcbab6, further axes and arguments of reForge 3b56b268, the same file.
"""

import csv
import itertools
import os
import re
from copy import copy
from io import StringIO
from itertools import permutations

import gradio as gr
from modules import (
    errors,
    images,
    processing,
    scripts,
    sd_models,
    sd_samplers,
    sd_schedulers,
    sd_vae,
    shared,
    unbuilt,
)
from modules.infotext import create_infotext
from modules.processing import Processed, process_images
from modules.shared import opts, state
from modules.ui_components import ToolButton
from PIL import Image, ImageDraw

from webui_standin.flavour import is_forge, is_reforge

_RANGE = re.compile(
    r"\s*([+-]?[\d.]+)\s*-\s*([+-]?[\d.]+)\s*(?:\(([+-][\d.]+)\s*\)|\[(\d+)\s*])?\s*"
)


def set_field(name):
    """An axis that sets a field of `p`."""
    return lambda p, value, values: setattr(p, name, value)


def override(name, flag=False):
    """An axis that overrides a setting."""
    return lambda p, value, values: p.override_settings.update(
        {name: value.lower() == "true" if flag else value}
    )


def replace_in_prompts(p, value, values):
    """Prompt S/R: the first value is searched for in both prompts."""
    if values[0] not in p.prompt and values[0] not in p.negative_prompt:
        raise RuntimeError(f"Prompt S/R did not find {values[0]} in prompt or negative prompt.")
    p.prompt = p.prompt.replace(values[0], value)
    p.negative_prompt = p.negative_prompt.replace(values[0], value)


def order_prompt(p, value, values):
    """Prompt order: the words of a permutation, put where the words were."""
    places = sorted((p.prompt.find(word), word) for word in value)
    rest, parts = p.prompt, []
    for _place, word in places:
        before, _word, rest = rest.partition(word)
        parts.append(before)
    p.prompt = "".join(part + word for part, word in zip(parts, value, strict=False)) + rest


def set_checkpoint(p, value, values):
    """Checkpoint name."""
    info = sd_models.get_closet_checkpoint_match(value)
    if info is None:
        raise RuntimeError(f"Unknown checkpoint: {value}")
    p.override_settings["sd_model_checkpoint"] = info.name


def set_vae(p, value, values):
    """VAE, whatever its case."""
    wanted = {"auto": "Automatic", "automatic": "Automatic", "none": "None"}.get(
        value.strip().lower()
    )
    known = (name for name in sd_vae.vae_dict if name.lower() == value.strip().lower())
    p.override_settings["sd_vae"] = wanted or next(known, "Automatic")


def set_size(p, value, values):
    """Width and height."""
    width, _x, height = value.partition("x")
    p.width, p.height = int(width), int(height)


def add_styles(p, value, values):
    """Styles, separated by commas."""
    p.styles.extend(value.split(","))


def confirm_samplers(p, values):
    """Raise RuntimeError for an unknown sampler."""
    for value in values:
        if value.lower() not in sd_samplers.samplers_map:
            raise RuntimeError(f"Unknown sampler: {value}")


def confirm_checkpoints(p, values):
    """Raise RuntimeError for an unknown checkpoint."""
    for value in values:
        if value.lower() != "none" and sd_models.get_closet_checkpoint_match(value) is None:
            raise RuntimeError(f"Unknown checkpoint: {value}")


def set_uni_pc_order(p, value, values):
    """UniPC order: at most one less than the steps."""
    p.override_settings["uni_pc_order"] = min(value, p.steps - 1)


class AxisOption:
    """One kind of axis."""

    def __init__(
        self, label, type, apply, format_value=None, confirm=None, cost=0.0, choices=None, tab=None
    ):
        self.label, self.type, self.apply, self.confirm = label, type, apply, confirm
        self.cost, self.choices, self.tab = cost, choices, tab
        self.format_value = format_value or (
            lambda value: f"{label}: {round(value, 8) if isinstance(value, float) else value}"
        )

    def parse(self, p, text, chosen, csv_mode):
        """The values of the axis from its text or its dropdown."""
        if self.label == "Nothing":
            return [0]
        values = list(chosen) if self.choices is not None and not csv_mode else split_csv(text)
        if self.type in (int, float):
            values = [
                item for value in values if value.strip() for item in expand_range(value, self.type)
            ]
        elif self.type is permutations:
            return list(permutations(values))
        values = [self.type(value) for value in values]
        if self.confirm:
            self.confirm(p, values)
        return values


def split_csv(text):
    """The cells of one or several lines of CSV, stripped."""
    return [
        cell.strip() for row in csv.reader(StringIO(text), skipinitialspace=True) for cell in row
    ]


def join_csv(values):
    """One line of CSV."""
    with StringIO() as buffer:
        csv.writer(buffer).writerow(values)
        return buffer.getvalue().strip()


def expand_range(text, kind):
    """`1-5`, `1-5 (+2)` and `1-10 [5]` as lists; anything else is a value."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return [text]
    start, end = kind(match.group(1)), kind(match.group(2))
    if match.group(4):
        count = int(match.group(4))
        return [kind(start + (end - start) * index / max(count - 1, 1)) for index in range(count)]
    step = kind(match.group(3) or 1)
    count = (
        int((end - start) / step + 1e-9) + 1
        if kind is int
        else int((end - start) / step + 1e-9) + 2
    )
    return [start + step * index for index in range(max(count, 0))]


def _plain(value):
    return value


def _joined(value):
    return ", ".join(value)


def _checkpoints():
    return sorted(sd_models.checkpoints_list, key=str.casefold)


def _samplers():
    return sd_samplers.visible_sampler_names()


def _upscalers():
    return [*shared.latent_upscale_modes, *[data.name for data in shared.sd_upscalers]]


def _flags():
    return ["False", "True"]


axis_options = [
    AxisOption("Nothing", str, lambda p, value, values: None, lambda value: ""),
    AxisOption("Seed", int, set_field("seed")),
    AxisOption("Var. seed", int, set_field("subseed")),
    AxisOption("Var. strength", float, set_field("subseed_strength")),
    AxisOption("Steps", int, set_field("steps")),
    AxisOption("Hires steps", int, set_field("hr_second_pass_steps"), tab="txt2img"),
    AxisOption("CFG Scale", float, set_field("cfg_scale")),
    AxisOption("Image CFG Scale", float, set_field("image_cfg_scale"), tab="img2img"),
    AxisOption("Prompt S/R", str, replace_in_prompts, _plain),
    AxisOption("Prompt order", permutations, order_prompt, _joined),
    AxisOption(
        "Sampler",
        str,
        set_field("sampler_name"),
        _plain,
        confirm_samplers,
        choices=_samplers,
        tab="txt2img",
    ),
    AxisOption(
        "Hires sampler",
        str,
        set_field("hr_sampler_name"),
        None,
        confirm_samplers,
        choices=_samplers,
        tab="txt2img",
    ),
    AxisOption(
        "Sampler",
        str,
        set_field("sampler_name"),
        _plain,
        confirm_samplers,
        choices=_samplers,
        tab="img2img",
    ),
    AxisOption(
        "Checkpoint name",
        str,
        set_checkpoint,
        os.path.basename,
        confirm_checkpoints,
        1.0,
        _checkpoints,
    ),
    AxisOption("Negative Guidance minimum sigma", float, set_field("s_min_uncond")),
    AxisOption("Sigma Churn", float, set_field("s_churn")),
    AxisOption("Sigma min", float, set_field("s_tmin")),
    AxisOption("Sigma max", float, set_field("s_tmax")),
    AxisOption("Sigma noise", float, set_field("s_noise")),
    AxisOption(
        "Schedule type",
        str,
        set_field("scheduler"),
        choices=lambda: [item.label for item in sd_schedulers.schedulers],
    ),
    AxisOption("Schedule min sigma", float, override("sigma_min")),
    AxisOption("Schedule max sigma", float, override("sigma_max")),
    AxisOption("Schedule rho", float, override("rho")),
    AxisOption("Beta schedule alpha", float, override("beta_dist_alpha")),
    AxisOption("Beta schedule beta", float, override("beta_dist_beta")),
    AxisOption("Eta", float, set_field("eta")),
    AxisOption("Clip skip", int, override("CLIP_stop_at_last_layers")),
    AxisOption("Denoising", float, set_field("denoising_strength")),
    AxisOption("Initial noise multiplier", float, set_field("initial_noise_multiplier")),
    AxisOption("Extra noise", float, override("img2img_extra_noise")),
    AxisOption("Hires upscaler", str, set_field("hr_upscaler"), choices=_upscalers, tab="txt2img"),
    AxisOption(
        "Cond. Image Mask Weight", float, set_field("inpainting_mask_weight"), tab="img2img"
    ),
    AxisOption(
        "VAE", str, set_vae, cost=0.7, choices=lambda: ["Automatic", "None", *sd_vae.vae_dict]
    ),
    AxisOption("Styles", str, add_styles, choices=lambda: list(shared.prompt_styles.styles)),
    AxisOption("UniPC Order", int, set_uni_pc_order, cost=0.5),
    AxisOption(
        "Face restore",
        str,
        lambda p, value, values: setattr(
            p, "restore_faces", value.lower() in ("codeformer", "gfpgan", "true", "yes", "y", "1")
        ),
        _plain,
    ),
    AxisOption("Token merging ratio", float, override("token_merging_ratio")),
    AxisOption("Token merging ratio high-res", float, override("token_merging_ratio_hr")),
    AxisOption(
        "Always discard next-to-last sigma",
        str,
        override("always_discard_next_to_last_sigma", True),
        choices=_flags,
    ),
    AxisOption("SGM noise multiplier", str, override("sgm_noise_multiplier", True), choices=_flags),
    AxisOption(
        "Refiner checkpoint",
        str,
        set_field("refiner_checkpoint"),
        os.path.basename,
        confirm_checkpoints,
        1.0,
        lambda: ["None", *_checkpoints()],
    ),
    AxisOption("Refiner switch at", float, set_field("refiner_switch_at")),
    AxisOption("RNG source", str, override("randn_source"), choices=lambda: ["GPU", "CPU", "NV"]),
    AxisOption(
        "FP8 mode",
        str,
        override("fp8_storage"),
        cost=0.9,
        choices=lambda: ["Disable", "Enable for SDXL", "Enable"],
    ),
    AxisOption("Size", str, set_size),
]


def _unbuilt(label, kind):
    """An axis that is listed, since others go by their place, and refuses to be used."""
    return AxisOption(
        label, kind, None, confirm=lambda p, values: unbuilt.refuse(f"the axis {label}")
    )


def _insert_after(label, *options):
    place = [axis.label for axis in axis_options].index(label) + 1
    axis_options[place:place] = options


if is_forge():
    _insert_after(
        "CFG Scale", AxisOption("Distilled CFG Scale", float, set_field("distilled_cfg_scale"))
    )
if is_reforge():
    _insert_after("Sigma noise", _unbuilt("Euler A2 extrapolation", float))
    _insert_after("Schedule rho", AxisOption("Skip Early CFG", float, override("skip_early_cond")))
    _insert_after(
        "Clip skip",
        _unbuilt("Dynamic clip skip", str),
        _unbuilt("Dynamic clip skip start", int),
        _unbuilt("Dynamic clip skip use schedule", str),
        _unbuilt("Dynamic clip skip schedule", str),
    )
# The arguments after those of the axes.
FLAGS = {
    "draw_legend": ("Draw legend", True),
    "draw_individual_labels": ("Draw individual labels", False),
    "skip_grid": ("Skip final grid generation", False),
    "items_per_grid": ("Items per grid (0 = default), for sequential grid generation.", 0),
    "include_lone_images": ("Include Sub Images", False),
    "include_sub_grids": ("Include Sub Grids", False),
    "no_fixed_seeds": ("Keep -1 for seeds", False),
    "vary_seeds_x": ("Vary seeds for X", False),
    "vary_seeds_y": ("Vary seeds for Y", False),
    "vary_seeds_z": ("Vary seeds for Z", False),
    "margin_size": ("Grid margins (px)", 0),
    "csv_mode": ("Use text inputs instead of dropdowns", False),
}
REFORGE_ONLY = ("draw_individual_labels", "skip_grid", "items_per_grid")
if not is_reforge():
    for _name in REFORGE_ONLY:
        del FLAGS[_name]


class Script(scripts.Script):
    """One picture for each combination of values, each on a copy of `p`; grids come first."""

    def title(self):
        return "X/Y/Z plot"

    def ui(self, is_img2img):
        tab = "img2img" if is_img2img else "txt2img"
        self.current_axis_options = [axis for axis in axis_options if axis.tab in (None, tab)]
        labels = [axis.label for axis in self.current_axis_options]
        axes = [control for name in "xyz" for control in self._axis(name, labels)]
        with gr.Row(elem_id="axis_options"):
            flags = {name: self._flag(name, *row) for name, row in FLAGS.items()}
        for place in range(3):
            self._connect(*axes[place * 3 : place * 3 + 3], flags["csv_mode"])
        return [*axes, *flags.values()]

    def _flag(self, name, label, value):
        elem_id = self.elem_id(name)
        if isinstance(value, bool):
            return gr.Checkbox(label=label, value=value, elem_id=elem_id)
        most, step = (500, 2) if name == "margin_size" else (200, 1)
        return gr.Slider(
            label=label, minimum=0, maximum=most, value=value, step=step, elem_id=elem_id
        )

    def _axis(self, name, labels):
        with gr.Row():
            kind = gr.Dropdown(
                label=f"{name.upper()} type",
                choices=labels,
                value=labels[1 if name == "x" else 0],
                type="index",
                elem_id=self.elem_id(f"{name}_type"),
            )
            text = gr.Textbox(
                label=f"{name.upper()} values", lines=1, elem_id=self.elem_id(f"{name}_values")
            )
            chosen = gr.Dropdown(
                label=f"{name.upper()} values", visible=False, multiselect=True, interactive=True
            )
            ToolButton(
                value="\U0001f4d2", elem_id=f"xyz_grid_fill_{name}_tool_button", visible=False
            )
        return [kind, text, chosen]

    def _connect(self, kind, text, chosen, csv_mode):
        def show(index, csv_on):
            choices = self.current_axis_options[index or 0].choices
            listed = choices is not None and not csv_on
            return gr.update(visible=not listed), gr.update(
                visible=listed, choices=choices() if choices else [], value=[]
            )

        for control in (kind, csv_mode):
            control.change(
                fn=show, inputs=[kind, csv_mode], outputs=[text, chosen], show_progress=False
            )

    def run(self, p, *args):
        flags = {**dict.fromkeys(REFORGE_ONLY), **dict(zip(FLAGS, args[9:], strict=True))}
        if not flags["no_fixed_seeds"]:
            processing.fix_seed(p)
        if not opts.return_grid:
            p.batch_size = 1
        if flags["items_per_grid"] and not flags["skip_grid"]:
            unbuilt.refuse("the argument Items per grid of X/Y/Z plot")
        plot = Plot(p, self._axes(p, args, flags), flags, self.title())
        try:
            processed = plot.draw_singly() if flags["skip_grid"] else plot.draw()
        finally:
            sd_models.reload_model_weights()
            sd_vae.reload_vae_weights()
        if flags["skip_grid"] or not processed.images:
            return processed
        plot.add_grids(processed, flags["draw_legend"], flags["margin_size"])
        return plot.finish(processed, flags["include_lone_images"], flags["include_sub_grids"])

    def _axes(self, p, args, flags):
        options = self.current_axis_options
        known = flags["csv_mode"], flags["no_fixed_seeds"]
        return [
            Axis(options[args[place] or 0], p, args[place + 1], args[place + 2], *known)
            for place in (0, 3, 6)
        ]


class Axis:
    """The values of one axis."""

    def __init__(self, option, p, text, chosen, csv_mode, keep_random):
        self.option, self.keep_random = option, keep_random
        self.text = join_csv(chosen or []) if option.choices is not None and not csv_mode else text
        self.values = option.parse(p, text, chosen or [], csv_mode)
        if option.label in ("Seed", "Var. seed") and not keep_random:
            self.values = [processing.get_fixed_seed(value) for value in self.values]
        self.labels = [option.format_value(value) for value in self.values]

    def describe(self, letter):
        """What infotexts say about the axis."""
        if self.option.label == "Nothing":
            return {}
        said = {f"{letter} Type": self.option.label, f"{letter} Values": self.text}
        if self.option.label in ("Seed", "Var. seed") and not self.keep_random:
            said[f"Fixed {letter} Values"] = ", ".join(str(value) for value in self.values)
        return said


class Plot:
    """All cells of a plot."""

    def __init__(self, p, axes, flags, title):
        self.p, self.axes, self.title = p, axes, title
        self.vary = [flags[f"vary_seeds_{name}"] for name in "xyz"]
        self.labelled = flags["draw_individual_labels"]
        self.counts = [len(axis.values) for axis in axes]
        self.grid_texts = [None] * (1 + self.counts[2])
        pixels = self.counts[0] * self.counts[1] * self.counts[2] * p.width * p.height
        assert pixels / 1e6 < opts.img_max_size_mp, (
            f"Error: Resulting grid would be too large ({round(pixels / 1e6)} MPixels)"
        )

    def order(self):
        """The cells, the costliest axis outermost."""
        names = sorted(range(3), key=lambda axis: (-self.axes[axis].option.cost, -axis))
        outer, middle, inner = names
        for first in range(self.counts[outer]):
            for second in range(self.counts[middle]):
                for third in range(self.counts[inner]):
                    found = {outer: first, middle: second, inner: third}
                    yield found[0], found[1], found[2]

    def draw(self):
        """Draw every cell; the first result carries all of them."""
        total, result = self.counts[0] * self.counts[1] * self.counts[2], None
        state.job_count = total * self.p.n_iter
        for place in self.order():
            index = (
                place[0] + place[1] * self.counts[0] + place[2] * self.counts[0] * self.counts[1]
            )
            state.job = f"{index + 1} out of {total}"
            processed = self.cell(place)
            if result is None:
                result = _empty_copy(processed, total)
            self._keep(result, processed, index)
        return result if any(result.images) else Processed(self.p, [])

    def draw_singly(self):
        """Draw every cell along x, y and z, and make no grid: all pictures of all cells."""
        result = Processed(self.p, [], self.p.seed, "")
        names = ("images", "infotexts", "all_prompts", "all_seeds")
        for name in names:
            setattr(result, name, [])
        places = itertools.product(*(range(count) for count in reversed(self.counts)))
        for processed in (self.cell(place[::-1]) for place in places):
            for name in names if processed.images else ():
                getattr(result, name).extend(getattr(processed, name))
        for picture, text in zip(result.images, result.infotexts, strict=False):
            if opts.grid_save:
                own = {"info": text, "extension": opts.grid_format, "p": result}
                images.save_image(picture, self.p.outpath_grids, "xyz_image", **own)
        return result

    def _keep(self, result, processed, index):
        if not processed.images:
            result.images[index] = Image.new("RGB", (self.p.width, self.p.height))
            return
        result.images[index], result.all_prompts[index] = processed.images[0], processed.prompt
        result.all_seeds[index], result.infotexts[index] = processed.seed, processed.infotexts[0]

    def cell(self, place):
        """Draw one cell on a copy of `p`; an error leaves it empty."""
        if state.interrupted or state.stopping_generation:
            return Processed(self.p, [], self.p.seed, "")
        pc = copy(self.p)
        pc.styles = pc.styles[:]
        for axis, index in zip(self.axes, place, strict=False):
            axis.option.apply(pc, axis.values[index], axis.values)
        factor = 1
        for axis in range(3):
            if self.vary[axis]:
                pc.seed += place[axis] * factor
                factor *= self.counts[axis]
        try:
            processed = process_images(pc)
        except Exception as error:
            errors.display(error, "generating image for xyz plot")
            return Processed(self.p, [], self.p.seed, "")
        self._note(pc, place)
        if self.labelled and processed.images:
            processed.images[0] = self._labelled(processed.images[0], place)
        return processed

    def _labelled(self, picture, place):
        """The picture with the cell's values on it."""
        texts = [axis.labels[index] for axis, index in zip(self.axes, place, strict=True)]
        lines = "\n".join(f"{name}: {text}" for name, text in zip("XYZ", texts, strict=True))
        shown, font = picture.copy(), images.get_font(12)
        draw = ImageDraw.Draw(shown)
        draw.rectangle(draw.multiline_textbbox((10, 10), lines, font=font), fill="black")
        draw.multiline_text((10, 10), lines, fill="white", font=font)
        return shown

    def _note(self, pc, place):
        """Infotexts of the grids: of the first cell, with the axes."""
        if place[:2] != (0, 0):
            return
        pc.extra_generation_params = {
            **pc.extra_generation_params,
            "Script": self.title,
            **self.axes[0].describe("X"),
            **self.axes[1].describe("Y"),
        }
        self.grid_texts[1 + place[2]] = create_infotext(
            pc, pc.all_prompts, pc.all_seeds, pc.all_subseeds
        )
        if place[2] == 0:
            pc.extra_generation_params.update(self.axes[2].describe("Z"))
            self.grid_texts[0] = create_infotext(pc, pc.all_prompts, pc.all_seeds, pc.all_subseeds)

    def add_grids(self, processed, legend, margin):
        """Put one grid for each z in front, and a grid of those before them."""
        size, columns, rows = processed.images[0].size, *self.counts[:2]
        texts = [[[images.GridAnnotation(text)] for text in axis.labels] for axis in self.axes]
        grids = []
        for z in range(self.counts[2]):
            cells = processed.images[z * columns * rows : (z + 1) * columns * rows]
            grid = images.image_grid(cells, rows=rows)
            grids.append(
                images.draw_grid_annotations(grid, *size, texts[0], texts[1], margin)
                if legend
                else grid
            )
        whole = images.image_grid(grids, rows=1)
        if legend:
            whole = images.draw_grid_annotations(
                whole, *grids[0].size, texts[2], [[images.GridAnnotation()]]
            )
        firsts = [z * columns * rows for z in range(self.counts[2])]
        for name in ("all_prompts", "all_seeds"):
            values = getattr(processed, name)
            setattr(processed, name, [values[index] for index in firsts] + values)
        processed.infotexts = self.grid_texts + processed.infotexts
        processed.images = [whole, *grids, *processed.images]

    def finish(self, processed, lone, sub_grids):
        """Save the grids and drop what isn't wanted."""
        count = self.counts[2]
        if not lone:
            processed.images = processed.images[: count + 1]
        if opts.grid_save:
            for index in range(count + 1 if count > 1 and sub_grids else 1):
                own = {
                    "info": processed.infotexts[index],
                    "extension": opts.grid_format,
                    "grid": True,
                    "p": processed,
                }
                images.save_image(
                    processed.images[index],
                    self.p.outpath_grids,
                    "xyz_grid",
                    seed=processed.all_seeds[0],
                    prompt=processed.all_prompts[0],
                    **own,
                )
        if not sub_grids:
            for values in (
                processed.images,
                processed.all_prompts,
                processed.all_seeds,
                processed.infotexts,
            ):
                del values[1 : 1 + count]
        return processed


def _empty_copy(processed, total):
    result = copy(processed)
    result.index_of_first_image = 1
    for name in ("images", "all_prompts", "all_seeds", "infotexts"):
        setattr(result, name, [None] * total)
    return result
