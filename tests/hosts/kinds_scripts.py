"""Kinds made by the selectable scripts that every webui has."""

from __future__ import annotations

from typing import Any

from kinds import Scene, group
from webui_page import NotThere, WebuiPage

kind = group("scripts")
xyz = group("X/Y/Z plot")

# ---- X/Y/Z plot

DRAWN: dict[str, Any] = {"verdict": "refused", "reason": "anew each time", "raw": False}
"""The script draws seeds itself, so no request holds them."""


def plot(page: WebuiPage, axes: dict[str, str], *, lone: bool = True) -> None:
    """Select the script and its axes, X first: kind → values as comma-separated text."""
    page.script("X/Y/Z plot")
    prefix = f"script_{page.tab}_xyz_plot"
    if page.has(f"{prefix}_csv_mode"):
        page.check(f"{prefix}_csv_mode")
    values = {
        f"{prefix}_{axis}_values": text for axis, text in zip("xyz", axes.values(), strict=False)
    }
    for axis, kind in zip("xyz", axes, strict=False):
        page.choose(f"{prefix}_{axis}_type", kind)
    page.fill_lastingly(values)
    page.check(f"{prefix}_include_lone_images", lone)


def _plot(
    name: str, pictures: int, axes: dict[str, str], *, prompt: str = "a red cat", **more: Any
) -> None:
    title = " × ".join(axes) + (" drawn at random" if more else "")

    @xyz(title, name=name, pictures=pictures, **more)
    def arrange(scene: Scene) -> None:
        plot(scene.basics(prompt=prompt, seed=-1), axes)


_plot("xyz_prompt_steps", 4, {"Prompt S/R": "red, blue", "Steps": "2,3"})
_plot("xyz_seed_cfg", 4, {"Seed": "5,6", "CFG Scale": "4,9"})
_plot("xyz_seeds_drawn", 2, {"Seed": "-1,-1"}, **DRAWN)
_plot("xyz_sampler", 2, {"Sampler": "Euler,DPM++ 2M"})
_plot("xyz_clip_skip_ensd", 4, {"Clip skip": "1,2", "Eta": "0.4,1"})
_plot("xyz_styles", 2, {"Styles": "painted,None"})
_plot("xyz_order", 2, {"Prompt order": "red, blue"}, prompt="red, blue")
_plot("xyz_sigma", 4, {"Sigma noise": "1,1.01", "Var. strength": "0,0.3"})
_plot("xyz_tokens_size", 4, {"Token merging ratio": "0,0.5", "Size": "64x64,72x88"})
_plot("xyz_three_axes", 8, {"Seed": "5,6", "Steps": "2,3", "Prompt S/R": "red, blue"})


@xyz("Schedule type", pictures=2)
def xyz_schedule(scene: Scene) -> None:
    labels = "Karras,Exponential"  # v1.8 and before have names instead
    values = labels if scene.models.schedulers else labels.lower()
    plot(scene.basics(seed=-1), {"Schedule type": values})


@xyz("Checkpoint name × VAE", pictures=4)
def xyz_checkpoints(scene: Scene) -> None:
    models = scene.models
    if "sd_vae" not in models.vae:
        raise NotThere("the host picks no VAE by name")
    axes = {"Checkpoint name": ",".join(models.names[:2]), "VAE": f"None,{models.vae['sd_vae']}"}
    plot(scene.basics(seed=-1), axes)


@xyz("Checkpoint name", pictures=2)
def xyz_checkpoint(scene: Scene) -> None:
    plot(scene.basics(seed=-1), {"Checkpoint name": ",".join(scene.models.names[:2])})


@xyz("Hires upscaler × Denoising", pictures=4)
def xyz_hires(scene: Scene) -> None:
    page = scene.basics()
    page.accordion("txt2img_hr")
    page.number("txt2img_hires_steps", 2)
    plot(page, {"Hires upscaler": "Latent,Lanczos", "Denoising": "0.5,0.7"})


@xyz("Denoising × Initial noise multiplier, in img2img", pictures=4)
def xyz_img2img(scene: Scene) -> None:
    plot(scene.img2img(), {"Denoising": "0.5,0.8", "Initial noise multiplier": "1,1.2"})


@xyz("the grid alone, without its pictures")
def xyz_grid_alone(scene: Scene) -> None:
    plot(scene.basics(seed=-1), {"Steps": "2,3"}, lone=False)


@xyz("every cell draws its own seed", pictures=2, **DRAWN)
def xyz_random_cells(scene: Scene) -> None:
    page = scene.basics(seed=-1)
    plot(page, {"Steps": "2,3"})
    page.check("script_txt2img_xyz_plot_no_fixed_seeds")


# ---- the others of both tabs


@kind("Prompt matrix", pictures=4)
def prompt_matrix(scene: Scene) -> None:
    scene.basics(prompt="a cat|in rain|at night", seed=-1).script("Prompt matrix")


@kind("Prompt matrix, other seeds, negative prompt", pictures=2)
def prompt_matrix_seeds(scene: Scene) -> None:
    page = scene.basics(seed=-1)
    page.text("txt2img_neg_prompt", "ugly|dark")
    page.script("Prompt matrix")
    page.check("script_txt2img_prompt_matrix_different_seeds")
    page.radio("script_txt2img_prompt_matrix_prompt_type", "negative")


def _from_text(page: WebuiPage, text: str) -> None:
    page.script("Prompts from file or textbox")
    page.text("script_txt2img_prompts_from_file_or_textbox_prompt_txt", text)


@kind("Prompts from a text box", pictures=2)
def prompts_from_textbox(scene: Scene) -> None:
    _from_text(scene.basics(), "a cat\n--prompt 'a dog' --steps 3 --seed 7")


@kind("Prompts from a text box, seed counted on from a random one", pictures=2)
def prompts_iterated(scene: Scene) -> None:
    page = scene.basics(seed=-1)
    _from_text(page, "a cat\na dog")
    page.check("script_txt2img_prompts_from_file_or_textbox_checkbox_iterate")


@kind("Prompts from a text box, every line a random seed", pictures=2, **DRAWN)
def prompts_random(scene: Scene) -> None:
    _from_text(scene.basics(seed=-1), "a cat\na dog")


# ---- those of img2img


@kind("Loopback", pictures=2)
def loopback(scene: Scene) -> None:
    page = scene.img2img(seed=-1)
    page.script("Loopback")
    page.number("script_loopback_loops", 2)


@kind("SD upscale")
def sd_upscale(scene: Scene) -> None:
    page = scene.img2img(seed=-1)
    page.script("SD upscale")
    page.number("script_sd_upscale_overlap", 16)
    page.radio("script_sd_upscale_upscaler_index", "Lanczos")


def _outpaint(scene: Scene, title: str, name: str) -> None:
    page = scene.img2img()
    page.script(title)
    page.number(f"script_{name}_pixels", 32)
    page.checks(f"script_{name}_direction", "left", "down")


@kind("Outpainting mk2")
def outpainting_mk2(scene: Scene) -> None:
    _outpaint(scene, "Outpainting mk2", "outpainting_mk2")


@kind("Poor man's outpainting")
def poor_mans_outpainting(scene: Scene) -> None:
    _outpaint(scene, "Poor man's outpainting", "poor_mans_outpainting")


@kind("img2img alternative test", broken="no attribute 'parameterization'")
def img2img_alternative(scene: Scene) -> None:
    page = scene.img2img()
    page.script("img2img alternative test")
    prefix = "script_img2img_alternative_test"
    page.text(f"{prefix}_original_prompt", "a picture")
    page.number(f"{prefix}_st", 3)
    page.number(f"{prefix}_randomness", 0.2)
