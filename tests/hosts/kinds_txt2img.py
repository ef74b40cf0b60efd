"""Kinds of txt2img: seeds, batches, hires. fix, the ✨ button, refiner, and prompts."""

from __future__ import annotations

from kinds import Models, Scene, Shown, group, need
from webui_page import WebuiPage

kind = group("txt2img")
hires = group("hires. fix")
prompts = group("prompts")

# ---- seeds and batches


@kind("a fixed seed")
def plain(scene: Scene) -> None:
    scene.basics()


@kind("a random seed")
def random_seed(scene: Scene) -> None:
    scene.basics(seed=-1)


def _extra(scene: Scene) -> WebuiPage:
    page = scene.basics()
    page.check("txt2img_subseed_show")
    return page


@kind("a fixed variation seed")
def variation(scene: Scene) -> None:
    page = _extra(scene)
    page.number("txt2img_subseed", 77)
    page.number("txt2img_subseed_strength", 0.3)


@kind("a random variation seed")
def random_variation(scene: Scene) -> None:
    page = _extra(scene)
    page.number("txt2img_subseed", -1)
    page.number("txt2img_subseed_strength", 0.5)


@kind("a seed resized from another size")
def resized_seed(scene: Scene) -> None:
    page = _extra(scene)
    page.number("txt2img_seed_resize_from_w", 128)
    page.number("txt2img_seed_resize_from_h", 96)


@kind("a batch, two times two, random seed", pictures=4)
def batches(scene: Scene) -> None:
    page = scene.basics(seed=-1)
    page.number("txt2img_batch_count", 2)
    page.number("txt2img_batch_size", 2)


@kind("a batch with a random variation seed", pictures=2)
def batch_of_variations(scene: Scene) -> None:
    page = _extra(scene)
    page.number("txt2img_batch_size", 2)
    page.number("txt2img_subseed", -1)
    page.number("txt2img_subseed_strength", 0.4)


@kind("a batch without a grid", pictures=2, options={"return_grid": False, "grid_save": False})
def batch_without_grid(scene: Scene) -> None:
    scene.basics().number("txt2img_batch_count", 2)


@kind("another sampler and schedule, CFG scale, not square")
def sampling(scene: Scene) -> None:
    page = scene.basics()
    page.choose("txt2img_sampling", "DPM++ SDE")
    page.number("txt2img_cfg_scale", 4.5)
    page.number("txt2img_height", 96)
    if page.has("txt2img_scheduler"):
        page.choose("txt2img_scheduler", "Karras")


@kind("the refiner")
def refiner(scene: Scene) -> None:
    page = scene.basics()
    page.need("txt2img_enable", "refiner")
    page.number("txt2img_steps", 4)
    page.accordion("txt2img_enable")
    page.choose("txt2img_checkpoint", scene.models.names[1])
    page.number("txt2img_switch_at", 0.5)


# ---- hires. fix


def _hires(scene: Scene, upscaler: str = "Latent") -> WebuiPage:
    page = scene.basics()
    page.accordion("txt2img_hr")
    page.choose("txt2img_hr_upscaler", upscaler)
    page.number("txt2img_hires_steps", 2)
    page.number("txt2img_hr_scale", 2)
    return page


@hires("Latent, twice as large")
def hires_latent(scene: Scene) -> None:
    _hires(scene)


@hires("Latent (nearest-exact), the refiner with it")
def hires_and_refiner(scene: Scene) -> None:
    page = _hires(scene, "Latent (nearest-exact)")
    page.need("txt2img_enable", "refiner")
    page.accordion("txt2img_enable")
    page.choose("txt2img_checkpoint", scene.models.names[1])
    page.number("txt2img_switch_at", 0.5)


@hires("Lanczos, to a width and height")
def hires_lanczos(scene: Scene) -> None:
    page = _hires(scene, "Lanczos")
    page.number("txt2img_hr_resize_x", 96)
    page.number("txt2img_hr_resize_y", 128)


@hires("Nearest, denoising 0.3, a random seed")
def hires_nearest(scene: Scene) -> None:
    page = _hires(scene, "Nearest")
    page.number("txt2img_denoising_strength", 0.3)
    page.number("txt2img_seed", -1)


@hires("another sampler and schedule")
def hires_sampler(scene: Scene) -> None:
    page = _hires(scene)
    page.choose("hr_sampler", "DPM++ 2M")
    if page.has("hr_scheduler"):
        page.choose("hr_scheduler", "Karras")


@hires("another prompt")
def hires_prompt(scene: Scene) -> None:
    page = _hires(scene)
    page.text("hires_prompt", "a dog in a garden")
    page.text("hires_neg_prompt", "rain")


@hires("another checkpoint")
def hires_checkpoint(scene: Scene) -> None:
    page = _hires(scene)
    page.need("hr_checkpoint", "checkpoint for hires. fix")
    page.choose("hr_checkpoint", scene.models.names[1])


@hires("a batch of two with random seeds", pictures=2)
def hires_batch(scene: Scene) -> None:
    page = _hires(scene, "Lanczos")
    page.number("txt2img_seed", -1)
    page.number("txt2img_batch_size", 2)


def unmarked(models: Models) -> dict[str, str]:
    """The options that keep Forge from hiding infotext in the pixels of what it saves."""
    return dict.fromkeys(models.marks, "None")


@hires("the ✨ button on a finished picture", options=unmarked)
def upscale_button(scene: Scene) -> Shown:
    # Forge's button fails on files in whose alpha channel Forge itself hid the infotext.
    page = _hires(scene)
    page.need("txt2img_upscale", "✨ button")
    page.accordion("txt2img_hr", False)
    page.number("txt2img_seed", -1)
    page.generate()
    page.generate("upscale")
    return page.gallery


# ---- prompts


@prompts("a style of the menu")
def styles(scene: Scene) -> None:
    need("painted" in scene.models.styles, "style called painted")
    scene.basics().choose("txt2img_styles", "painted")


@prompts("a LoRA")
def lora(scene: Scene) -> None:
    need(scene.models.loras, "LoRA")
    scene.basics(prompt=f"a cat <lora:{scene.models.loras[0]}:0.8>")


@prompts("a hypernetwork")
def hypernetwork(scene: Scene) -> None:
    need(scene.models.hypernetworks, "hypernetwork")
    scene.basics(prompt=f"a cat <hypernet:{scene.models.hypernetworks[0]}:1>")


@prompts("an embedding")
def embedding(scene: Scene) -> None:
    need(scene.models.embeddings, "embedding")
    scene.basics(prompt=f"a cat, {scene.models.embeddings[0]}")


@prompts("emphasis, editing, AND, BREAK and alternation")
def syntax(scene: Scene) -> None:
    page = scene.basics(prompt="a (red:1.3) [cat:dog:0.5] [a|b] BREAK grass AND rain :0.6")
    page.text("txt2img_neg_prompt", "((ugly)), [blurred]")


@prompts("a comment and several lines")
def comments(scene: Scene) -> None:
    scene.basics(prompt="a cat\n# not this\nin a garden, # nor this")


@prompts("HTML and quotes")
def hostile_prompt(scene: Scene) -> None:
    scene.basics(prompt="<img src=x onerror=document.title='owned'> \"'&<script>alert(1)</script>")


@prompts("more tokens than one chunk holds")
def long_prompt(scene: Scene) -> None:
    scene.basics(prompt=", ".join(f"thing {number}" for number in range(60)))
