"""Kinds of what Forge and reForge add to the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kinds import Models, Scene, group, need

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


@kind("FreeU")
def freeu(scene: Scene) -> None:
    page = scene.basics()
    head = page.page.locator('#txt2img_script_container .input-accordion:has-text("FreeU")')
    need(head.count(), "FreeU")
    page.accordion(str(head.first.get_attribute("id")))
