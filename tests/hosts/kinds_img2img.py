"""Kinds of img2img: its modes, what the inpaint controls decide, and the batch tab."""

from __future__ import annotations

import functools
from typing import Any

from kinds import Models, Scene, group, need
from webui_page import WebuiPage

kind = group("img2img")
inpaint = group("inpaint")
batch = functools.partial(
    group("img2img batch tab"),
    shown_by="img2img_batch_show_results_limit",  # not in v1.6
    unsent="The page makes one request at a time",  # without uploads, and with masks
)

# ---- a whole picture


@kind("a picture, random seed")
def img2img(scene: Scene) -> None:
    scene.img2img(seed=-1)


@kind("a picture with an alpha channel")
def img2img_rgba(scene: Scene) -> None:
    scene.basics("img2img").upload("img2img_image", scene.files.transparent)


@kind("a batch, two times two", pictures=4)
def img2img_batches(scene: Scene) -> None:
    page = scene.img2img(seed=-1)
    page.number("img2img_batch_count", 2)
    page.number("img2img_batch_size", 2)


@kind("a sketch on a picture")
def sketch(scene: Scene) -> None:
    page = scene.basics("img2img")
    page.mode("Sketch")
    page.upload("img2img_sketch", scene.files.init)
    page.draw("img2img_sketch")


@kind("resized by a factor")
def resize_by(scene: Scene) -> None:
    page = scene.img2img()
    page.subtab(".tabs:has(> #img2img_tab_resize_by)", "Resize by")
    page.number("img2img_scale", 0.75)


def _resize(mode: str, name: str) -> None:
    @kind(f"resize mode “{mode}”", name=name)
    def arrange(scene: Scene) -> None:
        page = scene.img2img()
        page.number("img2img_width", 96)
        page.radio("resize_mode", mode)


_resize("Crop and resize", "crop_and_resize")
_resize("Resize and fill", "resize_and_fill")
_resize("Just resize (latent upscale)", "latent_resize")


@kind("colour correction", options={"img2img_color_correction": True})
def colour_correction(scene: Scene) -> None:
    scene.img2img()


@kind("a noise multiplier set globally", options={"initial_noise_multiplier": 1.2})
def noise_multiplier(scene: Scene) -> None:
    scene.img2img()


@kind("extra noise set globally", options={"img2img_extra_noise": 0.2})
def extra_noise(scene: Scene) -> None:
    scene.img2img()


@kind("exactly the steps of the slider", options={"img2img_fix_steps": True})
def exact_steps(scene: Scene) -> None:
    scene.img2img()


@kind("another background for alpha", options={"img2img_background_color": "#20ff40"})
def background(scene: Scene) -> None:
    scene.basics("img2img").upload("img2img_image", scene.files.transparent)


# ---- inpaint


@inpaint("a mask drawn on the picture")
def inpaint_drawn(scene: Scene) -> None:
    page = scene.basics("img2img")
    page.mode("Inpaint")
    page.upload("img2maskimg", scene.files.init)
    page.draw("img2maskimg")


@inpaint("a sketch is picture and mask")
def inpaint_sketch(scene: Scene) -> None:
    page = scene.basics("img2img")
    page.mode("Inpaint sketch")
    page.upload("inpaint_sketch", scene.files.init)
    page.draw("inpaint_sketch")


def _upload(scene: Scene, **basics: Any) -> WebuiPage:
    page = scene.basics("img2img", **basics)
    page.mode("Inpaint upload")
    page.upload("img_inpaint_base", scene.files.init)
    page.upload("img_inpaint_mask", scene.files.mask)
    return page


@inpaint("an uploaded mask, random seed")
def inpaint_upload(scene: Scene) -> None:
    _upload(scene, seed=-1)


@inpaint("only masked, with padding and no blur")
def only_masked(scene: Scene) -> None:
    page = _upload(scene)
    page.radio("img2img_inpaint_full_res", "Only masked")
    page.number("img2img_inpaint_full_res_padding", 8)
    page.number("img2img_mask_blur", 0)


@inpaint("everything but the mask, blurred")
def not_masked(scene: Scene) -> None:
    page = _upload(scene)
    page.radio("img2img_mask_mode", "Inpaint not masked")
    page.number("img2img_mask_blur", 12)


def _fill(fill: str, name: str) -> None:
    @inpaint(f"masked content “{fill}”", name=name)
    def arrange(scene: Scene) -> None:
        _upload(scene).radio("img2img_inpainting_fill", fill)


_fill("fill", "fill_surroundings")
_fill("latent noise", "fill_noise")
_fill("latent nothing", "fill_nothing")


@inpaint(
    "a batch of two with masks and composites returned",
    pictures=2,
    options={"return_mask": True, "return_mask_composite": True},
)
def returned_masks(scene: Scene) -> None:
    _upload(scene).number("img2img_batch_count", 2)


@inpaint("soft inpainting")
def soft_inpainting(scene: Scene) -> None:
    page = _upload(scene)
    page.need("soft_inpainting_enabled", "soft inpainting")
    page.accordion("soft_inpainting_enabled")


def _inpainting(models: Models) -> dict[str, Any]:
    titles = [title for title in models.checkpoints if "inpainting" in title]
    need(titles, "checkpoint made for inpainting")
    return {"sd_model_checkpoint": titles[0]}


@inpaint("a checkpoint made for inpainting", options=_inpainting)
def inpainting_checkpoint(scene: Scene) -> None:
    _upload(scene)


# ---- the batch tab


def _batch(scene: Scene, **basics: Any) -> WebuiPage:
    page = scene.basics("img2img", **basics)
    page.mode("Batch")
    return page


@batch("uploaded files", pictures=2)
def batch_upload(scene: Scene) -> None:
    page = _batch(scene, seed=-1)
    page.need("img2img_batch_upload", "upload in the batch tab")
    page.subtab("#img2img_batch_source", "Upload")
    page.upload("img2img_batch_upload", *sorted(scene.files.folder.iterdir()))


def _folder(page: WebuiPage) -> None:
    if page.has("img2img_batch_source"):
        page.subtab("#img2img_batch_source", "From directory")


@batch("a folder", pictures=2)
def batch_folder(scene: Scene) -> None:
    page = _batch(scene)
    _folder(page)
    page.text("img2img_batch_input_dir", str(scene.files.folder))


@batch("a folder, two pictures of each, random seed", pictures=4)
def batch_folder_twice(scene: Scene) -> None:
    page = _batch(scene, seed=-1)
    _folder(page)
    page.text("img2img_batch_input_dir", str(scene.files.folder))
    page.number("img2img_batch_count", 2)


@batch("a folder with a folder of masks", pictures=2)
def batch_masks(scene: Scene) -> None:
    page = _batch(scene)
    _folder(page)
    page.text("img2img_batch_input_dir", str(scene.files.folder))
    page.text("img2img_batch_inpaint_mask_dir", str(scene.files.masks))
