"""Kinds made by a program: what its requests hold, with nothing of a page."""

from __future__ import annotations

import re
import time
from typing import Any

from kinds import Scene, Shown, encoded, group, need

kind = group("API")
BASICS: dict[str, Any] = {
    "prompt": "a fox",
    "steps": 2,
    "width": 64,
    "height": 64,
    "seed": 4,
    "sampler_name": "Euler a",
}
TXT2IMG, IMG2IMG = "/sdapi/v1/txt2img", "/sdapi/v1/img2img"


def offers(scene: Scene, path: str, field: str) -> bool:
    """Whether the host's API has this field."""
    described = scene.get("/openapi.json")
    body = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    name = re.sub(r".*/", "", str(body.get("$ref") or body["allOf"][0]["$ref"]))
    return field in described["components"]["schemas"][name]["properties"]


@kind("txt2img, random seed, nothing but the defaults")
def api_txt2img(scene: Scene) -> Shown:
    payload = {"prompt": "a fox", "steps": 2, "width": 64, "height": 64}
    return scene.post(TXT2IMG, payload)


@kind("txt2img with hires. fix and settings of its own")
def api_hires(scene: Scene) -> Shown:
    payload = {**BASICS, "enable_hr": True, "hr_scale": 2, "denoising_strength": 0.6}
    if offers(scene, TXT2IMG, "hr_additional_modules"):
        payload["hr_additional_modules"] = ["Use same choices"]
    payload["override_settings"] = {"CLIP_stop_at_last_layers": 2}
    return scene.post(TXT2IMG, payload)


@kind("img2img with a mask")
def api_img2img(scene: Scene) -> Shown:
    pictures = {"init_images": [encoded(scene.files.init)], "mask": encoded(scene.files.mask)}
    return scene.post(IMG2IMG, {**BASICS, **pictures, "inpainting_fill": 2})


@kind("txt2img from an infotext", broken="argument 2 cannot be a parameterized generic")
def api_infotext(scene: Scene) -> Shown:
    _needs(scene, "infotext")
    text = "a wolf\nSteps: 3, Sampler: Euler, CFG scale: 5, Seed: 9, Size: 64x72, Clip skip: 2"
    return scene.post(TXT2IMG, {"infotext": text})


@kind("txt2img with a task id")
def api_task(scene: Scene) -> Shown:
    _needs(scene, "force_task_id")
    return scene.post(TXT2IMG, {**BASICS, "force_task_id": f"mine-{time.time_ns()}"})


@kind("txt2img with a selectable script", pictures=2)
def api_script(scene: Scene) -> Shown:
    args = [False, False, "positive", "comma", 0]
    call = {"script_name": "prompt matrix", "script_args": args}
    return scene.post(TXT2IMG, {**BASICS, "prompt": "a fox|at night", **call})


@kind("Extras, one picture")
def api_extras(scene: Scene) -> Shown:
    payload = {"image": encoded(scene.files.init), "upscaler_1": "Lanczos", "upscaling_resize": 2}
    return scene.post("/sdapi/v1/extra-single-image", payload)


@kind("Extras, several pictures", pictures=2)
def api_extras_batch(scene: Scene) -> Shown:
    files = sorted(scene.files.folder.iterdir())
    pictures = [{"data": encoded(file), "name": file.name} for file in files]
    payload = {"imageList": pictures, "upscaler_1": "Nearest", "upscaling_resize": 1.5}
    return scene.post("/sdapi/v1/extra-batch-images", payload)


@kind("a style by name, in a batch", pictures=2)
def api_styles(scene: Scene) -> Shown:
    need("painted" in scene.models.styles, "style called painted")
    return scene.post(TXT2IMG, {**BASICS, "seed": -1, "styles": ["painted"], "batch_size": 2})


def _needs(scene: Scene, field: str) -> None:
    need(offers(scene, TXT2IMG, field), f"field `{field}` in its API")
