"""Kinds made with extensions that do not come with a webui, and with the scripts of Forge.

An extension that the host does not have is not there; ``--host-extension DIR`` installs it. The
ids and titles are those of the versions that docs/adapters.md names.
"""

from __future__ import annotations

from typing import Any

from kinds import Scene, group, need
from webui_page import WebuiPage

kind = group("extensions")
SMALL_TILE = 16
"""Of the latent: the smallest that Tiled Diffusion takes."""

# ---- Regional Prompter


def _regions(scene: Scene, prompt: str) -> WebuiPage:
    page = scene.basics(prompt=prompt)
    page.need("RP_divide_ratiot2i", "Regional Prompter")
    page.unfold("Regional Prompter")
    return page


@kind("Regional Prompter, columns", script="Regional Prompter")
def regional_columns(scene: Scene) -> None:
    page = _regions(scene, "a garden BREAK a red cat BREAK a blue dog")
    page.text("RP_divide_ratiot2i", "1,2")
    page.text("RP_base_ratiot2i", "0.3")
    page.check("RP_usebaset2i")


@kind("Regional Prompter, latents, common prompt, options", script="Regional Prompter")
def regional_latent(scene: Scene) -> None:
    page = _regions(scene, "in a garden BREAK a red cat BREAK a blue dog")
    page.radio("RP_generation_modet2i", "Latent")
    page.radio("RP_main_splittingt2i", "Rows")
    page.check("RP_usecommont2i")
    page.checks("RP_optionst2i", "Flip prompts", "Comment Out `#`")


@kind("Regional Prompter, a mask", script="Regional Prompter")
def regional_mask(scene: Scene) -> None:
    page = _regions(scene, "a red cat BREAK a blue dog")
    page.subtab("RP_modet2i", "Mask")
    uploads = "label:Upload mask here cus gradio"
    page.upload(uploads if page.has(uploads) else "polymaskt2i", scene.files.regions)


@kind("Regional Prompter, by words of the prompt", script="Regional Prompter")
def regional_words(scene: Scene) -> None:
    page = _regions(scene, "a cat in a garden BREAK a red cat")
    page.subtab("RP_modet2i", "Prompt")
    page.text("RP_prompt_thresholdt2i", "0.3")


# ---- Dynamic Prompts


def _variants(scene: Scene, prompt: str, seed: int = -1) -> WebuiPage:
    page = scene.basics(prompt=prompt, seed=seed)
    page.need("sddp-dynamic-prompts-enabled", "Dynamic Prompts")
    page.unfold("Dynamic Prompts")
    return page


VARIANTS = "a {red|green|blue|white} {cat|dog|bird|fish}"


@kind("Dynamic Prompts, variants by a random seed", pictures=2, script="Dynamic Prompts")
def dynamic_variants(scene: Scene) -> None:
    _variants(scene, VARIANTS).number("txt2img_batch_count", 2)


@kind("Dynamic Prompts, a wildcard", script="Dynamic Prompts")
def dynamic_wildcard(scene: Scene) -> None:
    _variants(scene, "a __colours__ cat, {2$$bright|dark|large|small}", seed=4)


@kind("Dynamic Prompts, all combinations", pictures=4, script="Dynamic Prompts")
def dynamic_combinations(scene: Scene) -> None:
    _variants(scene, "a {red|blue} {cat|dog}").check("sddp-is-combinatorial")


@kind("Dynamic Prompts, a Jinja2 template")
def dynamic_jinja(scene: Scene) -> None:
    page = _variants(scene, "a {{ choice('red', 'green', 'blue') }} cat", seed=3)
    page.unfold("Jinja2 templates")
    page.check("sddp-enable-jinja-templates")


@kind("Dynamic Prompts, variants that no seed decides")
def dynamic_unlinked(scene: Scene) -> None:
    page = _variants(scene, VARIANTS, seed=3)
    page.unfold("Advanced options")
    page.check("sddp-unlink-seed-from-prompt")


@kind(
    "Dynamic Prompts, several variants that no seed decides",
    pictures=2,
    verdict="refused",
    reason="other prompts each time",
    raw=False,
)
def dynamic_unlinked_batch(scene: Scene) -> None:
    dynamic_unlinked(scene)
    scene.page.number("txt2img_batch_count", 2)


@kind("Dynamic Prompts, variants with hires. fix", script="Dynamic Prompts")
def dynamic_hires(scene: Scene) -> None:
    page = _variants(scene, VARIANTS)
    page.accordion("txt2img_hr")
    page.number("txt2img_hires_steps", 2)


@kind("Dynamic Prompts, switched off")
def dynamic_off(scene: Scene) -> None:
    _variants(scene, VARIANTS, seed=3).check("sddp-dynamic-prompts-enabled", False)


# ---- Tiled Diffusion and its relatives


def _tiles(scene: Scene, tab: str) -> WebuiPage:
    page = scene.img2img() if tab == "img2img" else scene.basics()
    page.unfold("Tiled Diffusion")
    short = {"txt2img": "t2i", "img2img": "i2i"}[tab]
    page.check(f"MD-{short}-enabled")  # a box of its own before A1111's accordions had one
    page.number(f"MD-{short}-latent-tile-width", SMALL_TILE)
    page.number(f"MD-{short}-latent-tile-height", SMALL_TILE)
    page.number(f"MD-{short}-latent-tile-overlap", 4)
    return page


@kind("Tiled Diffusion, another method", script="Tiled Diffusion")
def tiled_diffusion(scene: Scene) -> None:
    page = _tiles(scene, "txt2img")
    page.number("txt2img_width", 192)
    page.choose("MD-t2i-method", "Mixture of Diffusers")


@kind("Tiled Diffusion, the size overwritten", script="Tiled Diffusion")
def tiled_overwritten(scene: Scene) -> None:
    page = _tiles(scene, "txt2img")
    page.check("MD-t2i-overwrite-image-size")
    page.number("MD-overwrite-width-t2i", 256)
    page.number("MD-overwrite-height-t2i", 256)


def _region(page: WebuiPage, number: int, left: float, prompt: str, seed: int) -> None:
    page.unfold(f"Region {number + 1}")
    page.check(f"MD-bbox-t2i-{number}-enable")
    page.number(f"MD-t2i-{number}-x", left)
    page.number(f"MD-t2i-{number}-w", 0.5)
    page.text(f"MD-t2i-{number}-prompt", prompt)
    page.number(f"MD-t2i-{number}-seed", seed)


def _tiled_regions(scene: Scene, seed: int) -> None:
    page = _tiles(scene, "txt2img")
    page.number("txt2img_width", 192)
    page.unfold("Region Prompt Control")
    page.check("MD-t2i-enable-bbox-control")
    page.check("MD-t2i-draw-background")
    page.click("MD-create-canvas")
    _region(page, 0, 0, "a red cat", seed)
    _region(page, 1, 0.5, "a blue dog", 12)
    page.choose("MD-t2i-1-blend-mode", "Foreground")


@kind("Tiled Diffusion, two regions", script="Tiled Diffusion")
def tiled_regions(scene: Scene) -> None:
    _tiled_regions(scene, seed=11)


@kind("Tiled Diffusion, a region with a random seed", script="Tiled Diffusion")
def tiled_random_region(scene: Scene) -> None:
    _tiled_regions(scene, seed=-1)


@kind("Tiled Diffusion, a picture enlarged", script="Tiled Diffusion")
def tiled_upscale(scene: Scene) -> None:
    page = _tiles(scene, "img2img")
    page.choose("MD-i2i-upscaler-index", "Lanczos")


@kind("Tiled Diffusion, noise inversion", script="Tiled Diffusion")
def tiled_inversion(scene: Scene) -> None:
    page = _tiles(scene, "img2img")
    page.choose("MD-i2i-upscaler-index", "Lanczos")
    page.check("MD-i2i-noise-inverse")
    page.number("MD-i2i-noise-inverse-steps", 2)
    page.number("img2img_denoising_strength", 0.5)


def _demofusion(scene: Scene, *, jitter: bool) -> None:
    page = scene.basics()
    page.unfold("DemoFusion")
    page.check("MD-demofusion-t2i-enabled")
    page.check("MD-demofusion-t2i-random-jitter", jitter)
    page.number("MD-demofusion-t2i-latent-window-size", SMALL_TILE)


@kind("DemoFusion", pictures=2, script="DemoFusion")
def demofusion(scene: Scene) -> None:
    _demofusion(scene, jitter=False)


@kind(
    "DemoFusion, windows moved at random", pictures=2, verdict="refused", reason="anew", raw=False
)
def demofusion_jitter(scene: Scene) -> None:
    _demofusion(scene, jitter=True)


@kind("Tiled VAE", script="Tiled VAE")
def tiled_vae(scene: Scene) -> None:
    page = scene.basics()
    page.number("txt2img_width", 640)
    page.unfold("Tiled VAE")
    page.check("MD-t2i-enable" if page.has("MDV-t2i") else "MDV-t2i-enabled")
    page.number("MD-t2i-dec-size", 48)


# ---- Ultimate SD upscale


@kind("Ultimate SD upscale, seams fixed", pictures=2)
def ultimate_upscale(scene: Scene) -> None:
    page = scene.img2img(seed=-1)
    page.script("Ultimate SD upscale")
    page.choose("ultimateupscale_target_size_type", "Scale from image size")
    page.number("ultimateupscale_custom_scale", 2)
    page.radio("ultimateupscale_upscaler_index", "Lanczos")
    page.number("ultimateupscale_tile_width", 128)
    page.choose("ultimateupscale_redraw_mode", "Chess")
    page.choose("ultimateupscale_seams_fix_type", "Half tile offset pass")


# ---- LoRA Block Weight


def _block_weight(scene: Scene, more: str) -> None:
    need(scene.models.loras, "LoRA")
    blocks = ",".join(["1"] * 4 + ["0.5"] * 9 + ["0"] * 4)
    page = scene.basics(prompt=f"a cat <lora:{scene.models.loras[0]}:1:lbw={blocks}{more}>")
    page.need("lbw_ratiospreset", "LoRA Block Weight")
    page.unfold("LoRA Block Weight")


@kind("LoRA Block Weight, blocks by number", script="LoRA Block Weight")
def block_weight(scene: Scene) -> None:
    _block_weight(scene, "")


@kind("LoRA Block Weight, from a step on", script="LoRA Block Weight")
def block_weight_step(scene: Scene) -> None:
    _block_weight(scene, ":start=1")


# ---- ControlNet, which A1111 and Forge have each of its own


def _unit(scene: Scene, tab: str = "txt2img", number: int = 0, **basics: Any) -> tuple[Any, str]:
    """The page with a unit of ControlNet on that has a picture, and the prefix of its ids."""
    page = scene.img2img(**basics) if tab == "img2img" else scene.basics(**basics)
    unit = f"{tab}_controlnet_ControlNet-{number}"
    page.need(f"{unit}_controlnet_enable_checkbox", "ControlNet")
    page.unfold("ControlNet")
    page.check(f"{unit}_controlnet_enable_checkbox")
    return page, unit


def _preprocess(page: WebuiPage, unit: str, module: str, model: str = "") -> None:
    page.choose(f"{unit}_controlnet_preprocessor_dropdown", module)
    if model:
        page.choose(f"{unit}_controlnet_model_dropdown", model)


@kind("ControlNet, a picture as reference", script="ControlNet")
def controlnet_reference(scene: Scene) -> None:
    page, unit = _unit(scene)
    page.upload(f"{unit}_input_image", scene.files.init)
    _preprocess(page, unit, "reference_only")
    page.number(f"{unit}_controlnet_control_weight_slider", 1.2)
    page.number(f"{unit}_controlnet_threshold_A_slider", 0.7)


@kind("ControlNet, img2img's own picture as reference", script="ControlNet")
def controlnet_img2img(scene: Scene) -> None:
    page, unit = _unit(scene, "img2img")
    _preprocess(page, unit, "reference_only")


@kind("ControlNet, another picture in img2img", script="ControlNet")
def controlnet_independent(scene: Scene) -> None:
    page, unit = _unit(scene, "img2img")
    page.check(f"{unit}_controlnet_same_img2img_checkbox")
    page.upload(f"{unit}_input_image", scene.files.transparent)
    _preprocess(page, unit, "reference_only")


@kind("ControlNet, edges and a model", script="ControlNet")
def controlnet_canny(scene: Scene) -> None:
    page, unit = _unit(scene)
    page.upload(f"{unit}_input_image", scene.files.init)
    _preprocess(page, unit, "canny", "tiny")
    page.number(f"{unit}_controlnet_threshold_A_slider", 60)
    page.check(f"{unit}_controlnet_pixel_perfect_checkbox")


@kind("ControlNet, the effect limited to a mask", script="ControlNet")
def controlnet_mask(scene: Scene) -> None:
    page, unit = _unit(scene)
    page.upload(f"{unit}_input_image", scene.files.init)
    _preprocess(page, unit, "canny", "tiny")
    page.check(f"{unit}_controlnet_mask_upload_checkbox")
    page.upload(f"{unit}_mask_image", scene.files.mask)


@kind("ControlNet, a drawing on the picture", script="ControlNet")
def controlnet_drawing(scene: Scene) -> None:
    page, unit = _unit(scene)
    page.upload(f"{unit}_input_image", scene.files.init)
    page.draw(f"{unit}_input_image")
    _preprocess(page, unit, "inpaint_global_harmonious", "tiny")


@kind("ControlNet, edges and a model, with hires. fix", script="ControlNet")
def controlnet_hires(scene: Scene) -> None:
    controlnet_canny(scene)
    scene.page.accordion("txt2img_hr")
    scene.page.number("txt2img_hires_steps", 2)


# ---- Forge Couple


def _couple(scene: Scene, mode: str, prompt: str) -> WebuiPage:
    page = scene.basics(prompt=prompt)
    page.need("forge_couple_t2i", "Forge Couple")
    page.unfold("Forge Couple")
    page.check("label:Enable")
    page.radio("label:Region Assignment", mode)
    return page


@kind("Forge Couple, rows and a background", script="Forge Couple")
def couple_basic(scene: Scene) -> None:
    page = _couple(scene, "Basic", "a garden\na red cat\na blue dog")
    page.radio("label:Tile Direction", "Vertical")
    page.radio("label:Global Effect", "First Line")
    page.number("label:Global Effect Weight", 0.3)


@kind("Forge Couple, regions of a table", script="Forge Couple")
def couple_advanced(scene: Scene) -> None:
    _couple(scene, "Advanced", "a red cat\na blue dog")
