"""Kinds of generation: how a person sets the page up for each, and what is set around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from webui_page import WebuiPage


@dataclass(frozen=True)
class Models:
    """What the host has: checkpoints by title and by name, and the option that picks a VAE."""

    checkpoints: list[str]
    names: list[str]
    vae: dict[str, Any]
    loras: list[str]
    styles: list[str]


@dataclass(frozen=True)
class Scene:
    """What a kind may use: the page, the host's models, pictures to upload."""

    page: WebuiPage
    models: Models
    init: Path
    mask: Path

    def basics(
        self, tab: str = "txt2img", prompt: str = "a cat in a garden", seed: int = 1
    ) -> None:
        page = self.page
        page.open(tab)
        page.text(f"{tab}_prompt", prompt)
        page.number(f"{tab}_steps", 2)
        page.number(f"{tab}_width", 64)
        page.number(f"{tab}_height", 64)
        page.number(f"{tab}_seed", seed)
        page.choose(f"{tab}_sampling", "Euler a")


@dataclass(frozen=True)
class Kind:
    """`options` are set globally before the generation and set back before the replay."""

    arrange: Callable[[Scene], None]
    pictures: int = 1
    options: Mapping[str, Any] | Callable[[Models], Mapping[str, Any]] = field(default_factory=dict)
    needs: str = ""


KINDS: dict[str, Kind] = {}


def kind(pictures: int = 1, needs: str = "", options: Any = None) -> Callable[..., Any]:
    def add(arrange: Callable[[Scene], None]) -> Callable[[Scene], None]:
        KINDS[arrange.__name__] = Kind(arrange, pictures, options or {}, needs)
        return arrange

    return add


@kind()
def plain(scene: Scene) -> None:
    scene.basics()


@kind()
def random_seed(scene: Scene) -> None:
    scene.basics(seed=-1)


@kind()
def random_variation(scene: Scene) -> None:
    scene.basics()
    scene.page.check("txt2img_subseed_show")
    scene.page.page.wait_for_timeout(500)
    scene.page.number("txt2img_subseed", -1)
    scene.page.number("txt2img_subseed_strength", 0.5)


@kind(pictures=4)
def batches(scene: Scene) -> None:
    scene.basics(seed=-1)
    scene.page.number("txt2img_batch_count", 2)
    scene.page.number("txt2img_batch_size", 2)


@kind()
def hires(scene: Scene) -> None:
    scene.basics()
    page = scene.page
    page.accordion("txt2img_hr")
    page.choose("txt2img_hr_upscaler", "Latent")
    page.number("txt2img_hires_steps", 2)
    page.number("txt2img_hr_scale", 2)
    page.choose("hr_checkpoint", scene.models.names[1])
    page.choose("hr_sampler", "DPM++ 2M")
    page.text("hires_prompt", "a dog in a garden")
    page.text("hires_neg_prompt", "rain")


@kind()
def refiner(scene: Scene) -> None:
    scene.basics()
    scene.page.number("txt2img_steps", 4)
    scene.page.accordion("txt2img_enable")
    scene.page.choose("txt2img_checkpoint", scene.models.names[1])
    scene.page.number("txt2img_switch_at", 0.5)


@kind(needs="styles")
def styles(scene: Scene) -> None:
    scene.basics()
    scene.page.choose("txt2img_styles", scene.models.styles[0])


@kind(needs="loras")
def lora(scene: Scene) -> None:
    scene.basics(prompt=f"a cat <lora:{scene.models.loras[0]}:1>")


@kind(options={"CLIP_stop_at_last_layers": 2, "eta_noise_seed_delta": 31337})
def clip_skip_and_ensd(scene: Scene) -> None:
    scene.basics()


@kind(options=lambda models: {"sd_model_checkpoint": models.checkpoints[1]})
def another_checkpoint(scene: Scene) -> None:
    scene.basics()


@kind(needs="vae", options=lambda models: models.vae)
def another_vae(scene: Scene) -> None:
    scene.basics()


@kind(pictures=4)
def prompt_matrix(scene: Scene) -> None:
    scene.basics(prompt="a cat|in rain|at night", seed=-1)
    scene.page.script("Prompt matrix")


@kind(pictures=4)
def xyz_plot(scene: Scene) -> None:
    scene.basics(prompt="a red cat", seed=-1)
    page = scene.page
    page.script("X/Y/Z plot")
    page.choose("script_txt2img_xyz_plot_x_type", "Prompt S/R")
    page.text("script_txt2img_xyz_plot_x_values", "red, blue")
    page.choose("script_txt2img_xyz_plot_y_type", "Steps")
    page.text("script_txt2img_xyz_plot_y_values", "2,3")
    page.check("script_txt2img_xyz_plot_include_lone_images")


@kind(pictures=2)
def prompts_from_textbox(scene: Scene) -> None:
    scene.basics()
    scene.page.script("Prompts from file or textbox")
    box = "script_txt2img_prompts_from_file_or_textbox_prompt_txt"
    scene.page.text(box, "a cat\n--prompt 'a dog' --steps 3 --seed 7")


@kind()
def img2img(scene: Scene) -> None:
    scene.basics("img2img")
    scene.page.upload("img2img_image", scene.init)


@kind()
def inpaint_upload(scene: Scene) -> None:
    scene.basics("img2img", seed=-1)
    scene.page.mode("Inpaint upload")
    scene.page.upload("img_inpaint_base", scene.init)
    scene.page.upload("img_inpaint_mask", scene.mask)


@kind()
def inpaint_drawn(scene: Scene) -> None:
    scene.basics("img2img")
    scene.page.mode("Inpaint")
    scene.page.upload("img2maskimg", scene.init)
    scene.page.draw("img2maskimg")


@kind()
def sd_upscale(scene: Scene) -> None:
    scene.basics("img2img", seed=-1)
    scene.page.upload("img2img_image", scene.init)
    scene.page.script("SD upscale")
    scene.page.number("script_sd_upscale_overlap", 16)


@kind()
def hostile_prompt(scene: Scene) -> None:
    scene.basics(prompt="<img src=x onerror=document.title='owned'> \"'&<script>alert(1)</script>")


def init_picture(path: Path) -> Path:
    """A picture with an edge, a gradient and noise: what img2img can lose shows."""
    rows, columns = np.mgrid[0:96, 0:96]
    noise = np.random.default_rng(7).integers(0, 40, (96, 96))
    pixels = np.dstack([columns * 2 + noise, rows * 2, 200 - rows]).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).ellipse((20, 30, 70, 80), fill=(250, 210, 40))
    image.save(path)
    return path


def mask_picture(path: Path) -> Path:
    image = Image.new("L", (96, 96))
    ImageDraw.Draw(image).rectangle((30, 20, 80, 70), fill=255)
    image.save(path)
    return path
