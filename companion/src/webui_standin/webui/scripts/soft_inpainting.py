"""Soft inpainting. Title, arguments, labels and hooks: A1111 v1.10.1,
extensions-builtin/soft-inpainting; the formulas are the stand-in's own.
"""

import gradio as gr
import numpy as np
from modules import images, scripts
from modules.shared import opts
from modules.ui_components import InputAccordion
from PIL import Image

from webui_standin import drawing

# Element id, label, highest value, step, default; the order is that of the arguments.
SLIDERS = [
    ("mask_blend_power", "Schedule bias", 8, 0.1, 1),
    ("mask_blend_scale", "Preservation strength", 8, 0.05, 0.5),
    ("inpaint_detail_preservation", "Transition contrast boost", 32, 0.5, 4),
    ("composite_mask_influence", "Mask influence", 1, 0.05, 0),
    ("composite_difference_threshold", "Difference threshold", 8, 0.25, 0.5),
    ("composite_difference_contrast", "Difference contrast", 8, 0.25, 2),
]


def noted(label):
    """A label as infotexts have it."""
    return f"Soft inpainting {label[0].lower()}{label[1:]}"


class SoftInpaintingScript(scripts.Script):
    """Blends by the mask's levels, and lays the original over where little has changed."""

    section = "inpaint"

    def __init__(self):
        self.masks = self.overlays = None

    def title(self):
        return "Soft Inpainting"

    def show(self, is_img2img):
        return scripts.AlwaysVisible if is_img2img else False

    def ui(self, is_img2img):
        if not is_img2img:
            return None
        with InputAccordion(
            False, label="Soft inpainting", elem_id="soft_inpainting_enabled"
        ) as enabled:
            sliders = [
                gr.Slider(
                    label=label,
                    minimum=1 if name == "inpaint_detail_preservation" else 0,
                    maximum=maximum,
                    step=step,
                    value=value,
                    elem_id=name,
                )
                for name, label, maximum, step, value in SLIDERS
            ]
        labels = ["Soft inpainting enabled", *[noted(row[1]) for row in SLIDERS]]
        self.infotext_fields = list(zip([enabled, *sliders], labels, strict=True))
        self.paste_field_names = labels
        return [enabled, *sliders]

    def process(self, p, enabled, *values):
        self.masks = self.overlays = None
        if enabled and masked(p):
            p.mask_round = False
            p.extra_generation_params["Soft inpainting enabled"] = True
            for (_name, label, *_), value in zip(SLIDERS, values, strict=True):
                p.extra_generation_params[noted(label)] = value

    def on_mask_blend(self, p, mba, enabled, power, scale, detail, *_):
        if not (enabled and masked(p)):
            return
        if mba.is_final_blend:
            mba.blended_latent = mba.current_latent
        else:
            weight = soft_weight(mba.nmask, mba.sigma[0] ** power * scale)
            mixed = drawing.blend(mba.init_latent, mba.current_latent, weight)
            mba.blended_latent = contrasted(mixed, weight, detail)

    def post_sample(self, p, ps, enabled, _power, _scale, _detail, influence, threshold, contrast):
        if not (enabled and masked(p)) or getattr(p, "nmask", None) is None:
            return
        originals = [overlay(p, picture) for picture in p.init_images]
        self.masks, self.overlays = [], []
        for place, (before, after) in enumerate(zip(p.init_latent, ps.samples, strict=False)):
            original = originals[place % len(originals)].copy()
            levels = changed(before, after, p.nmask, influence, threshold, contrast)
            shown = placed(Image.fromarray(levels), p.paste_to, original.size)
            original.putalpha(shown.point(lambda level: 255 - level))
            self.overlays.append(original)
            self.masks.append(shown)

    def postprocess_maskoverlay(self, p, ppmo, enabled, *_):
        if enabled and masked(p) and self.masks is not None:
            ppmo.mask_for_overlay = self.masks[ppmo.index]
            ppmo.overlay_image = self.overlays[ppmo.index]


def masked(p):
    """Tell whether a job has a mask."""
    return any(getattr(p, name, None) is not None for name in ("image_mask", "mask", "nmask"))


def soft_weight(nmask, exponent):
    """The mask's weights from 0 to 256, lower for a higher exponent."""
    return np.rint((nmask / 256) ** exponent * 256).astype(np.int32)


def contrasted(pixels, weight, detail):
    """More contrast where the mask is neither full nor empty."""
    partly = np.minimum(weight, 256 - weight) / 256
    factor = 1 + partly * (1 - 1 / max(detail, 1))
    return np.clip(np.rint((pixels - 128.0) * factor + 128), 0, 255).astype(np.uint8)


def overlay(p, picture):
    """An init image as it lies under the result."""
    picture = images.flatten(picture, opts.img2img_background_color)
    if p.paste_to is None and p.resize_mode != 3:
        picture = images.resize_image(p.resize_mode, picture, p.width, p.height)
    return picture.convert("RGBA")


def changed(before, after, nmask, influence, threshold, contrast):
    """Opacity of the new picture from 0 to 255: how much it differs, biased by the mask."""
    difference = np.abs(after.astype(np.float64) - before).mean(axis=2) / 64
    difference = difference ** max(contrast, 0.01)
    opacity = difference / (difference + max(threshold, 1e-3) ** max(contrast, 0.01))
    mixed = influence * nmask[:, :, 0] / 256 + (1 - influence) * opacity
    return np.clip(np.rint(mixed * 255), 0, 255).astype(np.uint8)


def placed(mask, paste_to, size):
    """The mask of the part that was redrawn, in one of the whole picture's size."""
    if paste_to is None:
        return mask if mask.size == size else mask.resize(size)
    x, y, width, height = paste_to
    page = Image.new("L", size, 0)
    page.paste(images.resize_image(1, mask.convert("RGB"), width, height).convert("L"), (x, y))
    return page
