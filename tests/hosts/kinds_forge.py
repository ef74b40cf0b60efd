"""Kinds of what Forge and reForge add to the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kinds import Models, Scene, group, need
from webui_page import WebuiPage

kind = group("Forge's own")


@kind("distilled CFG scale")
def distilled_cfg(scene: Scene) -> None:
    page = scene.basics()
    shown = page.page.locator("#txt2img_distilled_cfg_scale:visible").count()
    need(shown, "distilled CFG scale for this kind of checkpoint")
    page.number("txt2img_distilled_cfg_scale", 2)


@kind("CFG scales of hires. fix")
def hires_cfg(scene: Scene) -> None:
    page = scene.basics()
    page.need("txt2img_hr_cfg", "CFG scale for hires. fix")
    page.accordion("txt2img_hr")
    page.number("txt2img_hires_steps", 2)
    page.number("txt2img_hr_cfg", 4)


@kind("another VAE for hires. fix")
def hires_modules(scene: Scene) -> None:
    page = scene.basics()
    page.need("hr_vae_te", "modules for hires. fix")
    page.accordion("txt2img_hr")
    page.number("txt2img_hires_steps", 2)
    page.choose_only("hr_vae_te", Path(_modules(scene.models)["forge_additional_modules"][0]).name)


def _modules(models: Models) -> Mapping[str, Any]:
    need("forge_additional_modules" in models.vae, "VAE or text encoder as a module")
    return models.vae


@kind("a VAE as a module", options=_modules)
def modules(scene: Scene) -> None:
    scene.basics()


@kind("a preset", options={"forge_preset": "xl"})
def preset(scene: Scene) -> None:
    scene.basics()


# ---- the scripts that Forge brings


def switched_on(scene: Scene, title: str, tab: str = "", box: str = "Enabled") -> WebuiPage:
    """A script unfolded and on: reForge has a box inside where Forge has one in the head, and in
    one script a `tab` with a `box` of its own.
    """
    page = scene.basics()
    page.unfold(title)
    box = box if tab and page.inner_tab(tab) else "Enabled"
    if page.shows(f"label:{box}"):
        page.check(f"label:{box}")
    return page


@kind("FreeU")
def freeu(scene: Scene) -> None:
    switched_on(scene, "FreeU")


@kind("FreeU, other values for part of the steps")
def freeu_values(scene: Scene) -> None:
    page = switched_on(scene, "FreeU")
    page.number("label:B1", 1.3)
    page.number("label:S2", 0.5)
    if page.shows("label:Start step"):
        page.number("label:Start step", 0.2)


@kind("dynamic thresholding", script="DynamicThresholding")
def dynamic_thresholding(scene: Scene) -> None:
    page = switched_on(scene, "DynamicThresholding")
    page.number("label:Mimic Scale", 3)
    page.number("label:Threshold Percentile", 0.9)
    page.radio("label:Mimic Mode", "Cosine Up")


@kind("Kohya HRFix", script="Kohya HRFix")
def kohya_hrfix(scene: Scene) -> None:
    page = switched_on(scene, "Kohya HRFix")
    page.number("label:Block Number", 1)
    page.number("label:End Percent", 0.9)
    page.pick("label:Downscale Method", "bilinear")


@kind("latent modifier", script="LatentModifier")
def latent_modifier(scene: Scene) -> None:
    page = switched_on(scene, "LatentModifier", "Sharpness & Detail", "Enable Sharpness Controls")
    page.number("label:Sharpness Multiplier", 5)
    page.radio("label:Sharpness Method", "gaussian")
    if page.inner_tab("Tone & Contrast"):
        page.check("label:Enable Tone Controls")
    page.number("label:Contrast Multiplier", 20)


@kind("latent modifier, noise added", script="LatentModifier")
def latent_noise(scene: Scene) -> None:
    page = switched_on(scene, "LatentModifier", "Noise & Combat", "Enable Noise & Combat Controls")
    page.radio("label:Extra Noise Type", "perlin")
    page.number("label:Extra Noise Multiplier", 20)


@kind("MultiDiffusion", script="MultiDiffusion")
def multidiffusion(scene: Scene) -> None:
    page = switched_on(scene, "MultiDiffusion")
    page.number("txt2img_width", 128)
    page.radio("label:Method", "Mixture of Diffusers")
    page.number("label:Tile Width", 64)
    page.number("label:Tile Height", 64)
    page.number("label:Tile Overlap", 32)


@kind("Never OOM")
def never_oom(scene: Scene) -> None:
    page = scene.basics()
    page.unfold("Never OOM")
    page.check("label:Enabled for UNet (always maximize offload)")


@kind("perturbed attention guidance", script="PerturbedAttentionGuidance")
def perturbed_attention(scene: Scene) -> None:
    page = scene.basics()
    page.unfold("PerturbedAttentionGuidance")
    page.number("label:Scale", 2)


@kind("self-attention guidance", script="SelfAttentionGuidance")
def self_attention(scene: Scene) -> None:
    page = switched_on(scene, "SelfAttentionGuidance")
    page.number("label:Blur Sigma", 3)


@kind("StyleAlign in a batch", pictures=2, script="StyleAlign")
def style_align(scene: Scene) -> None:
    page = scene.basics()
    page.number("txt2img_batch_size", 2)
    page.unfold("StyleAlign")
    page.check("label:Share attention in batch")
    page.number("label:Strength", 0.8)
