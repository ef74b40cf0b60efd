"""Upscaling and face restoration in Extras. Names and arguments: A1111 v1.10.1,
scripts/postprocessing_*.py."""

import gradio as gr
import numpy as np
from modules import scripts_postprocessing, shared
from modules.ui_components import InputAccordion
from PIL import Image

from webui_standin import drawing


def _fraction(label, elem_id, value):
    return gr.Slider(
        minimum=0.0, maximum=1.0, step=0.001, label=label, value=value, elem_id=elem_id
    )


class ScriptPostprocessingUpscale(scripts_postprocessing.ScriptPostprocessing):
    """Enlarges with one upscaler, or a mixture of two."""

    name = "Upscale"
    order = 1000

    def ui(self):
        names = [data.name for data in shared.sd_upscalers]
        mode = gr.Number(value=0, visible=False, precision=0)
        with InputAccordion(True, label="Upscale", elem_id="extras_upscale") as enabled:
            first, second = (
                gr.Dropdown(label=label, elem_id=elem_id, choices=names, value=names[0])
                for label, elem_id in (
                    ("Upscaler 1", "extras_upscaler_1"),
                    ("Upscaler 2", "extras_upscaler_2"),
                )
            )
            share = _fraction("Upscaler 2 visibility", "extras_upscaler_2_visibility", 0.0)
            with gr.Tabs(elem_id="extras_resize_mode"):
                with gr.TabItem("Scale by", elem_id="extras_scale_by_tab") as scale_by:
                    by, longest = self._scale_by()
                with gr.TabItem("Scale to", elem_id="extras_scale_to_tab") as scale_to:
                    width, height, crop = self._scale_to()
        scale_by.select(fn=lambda: 0, inputs=[], outputs=[mode])
        scale_to.select(fn=lambda: 1, inputs=[], outputs=[mode])
        return {
            "upscale_enabled": enabled,
            "upscale_mode": mode,
            "upscale_by": by,
            "max_side_length": longest,
            "upscale_to_width": width,
            "upscale_to_height": height,
            "upscale_crop": crop,
            "upscaler_1_name": first,
            "upscaler_2_name": second,
            "upscaler_2_visibility": share,
        }

    def _scale_by(self):
        by = gr.Slider(
            minimum=1.0,
            maximum=8.0,
            step=0.05,
            label="Resize",
            value=4,
            elem_id="extras_upscaling_resize",
        )
        longest = gr.Number(
            value=0, label="Max side length", elem_id="extras_upscale_max_side_length", precision=0
        )
        return by, longest

    def _scale_to(self):
        width, height = (
            gr.Slider(
                minimum=64,
                maximum=8192,
                step=8,
                label=label,
                value=512,
                elem_id=f"extras_upscaling_resize_{label[0].lower()}",
            )
            for label in ("Width", "Height")
        )
        crop = gr.Checkbox(label="Crop to fit", value=True, elem_id="extras_upscaling_crop")
        return width, height, crop

    def process_firstpass(
        self,
        pp,
        upscale_mode=0,
        upscale_by=2.0,
        max_side_length=0,
        upscale_to_width=None,
        upscale_to_height=None,
        **_,
    ):
        size = upscale_to_width, upscale_to_height
        if upscale_mode != 1:
            size = _within(*(int(side * upscale_by) for side in pp.image.size), max_side_length)
        pp.shared.target_width, pp.shared.target_height = size

    def process(
        self,
        pp,
        upscale_enabled=True,
        upscaler_1_name=None,
        upscaler_2_name=None,
        upscaler_2_visibility=0.0,
        **sizes,
    ):
        if not upscale_enabled or upscaler_1_name in (None, "", "None"):
            return
        first = _find(upscaler_1_name)
        enlarged = _upscale(pp, first, **sizes)
        pp.info["Postprocess upscaler"] = first.name
        if upscaler_2_name not in (None, "", "None") and upscaler_2_visibility > 0:
            second = _upscale(pp, _find(upscaler_2_name), **sizes)
            enlarged = Image.blend(
                enlarged.convert("RGB"), second.convert("RGB"), upscaler_2_visibility
            )
            pp.info["Postprocess upscaler 2"] = upscaler_2_name
        pp.image = enlarged


class ScriptPostprocessingUpscaleSimple(scripts_postprocessing.ScriptPostprocessing):
    """Enlarges with one upscaler: for the two other tabs, where the settings show it."""

    name, order = "Simple Upscale", 900

    def ui(self):
        names = [data.name for data in shared.sd_upscalers]
        upscaler = gr.Dropdown(label="Upscaler", choices=names, value=names[0])
        by = gr.Slider(minimum=0.05, maximum=8.0, step=0.05, label="Upscale by", value=2)
        return {"upscale_by": by, "upscaler_name": upscaler}

    def process(self, pp, upscale_by=2.0, upscaler_name=None):
        if upscaler_name not in (None, "None"):
            pp.image = _upscale(pp, _find(upscaler_name), upscale_by=upscale_by)
            pp.info["Postprocess upscaler"] = upscaler_name


def _within(width, height, limit):
    """A size with no side above the limit; 0 is no limit."""
    longest = max(width, height)
    if not limit or longest <= limit:
        return width, height
    return int(limit * width // longest), int(limit * height // longest)


def _find(name):
    found = [data for data in shared.sd_upscalers if data.name == name]
    assert found, f"could not find upscaler named {name}"
    return found[0]


def _upscale(
    pp,
    upscaler,
    upscale_mode=0,
    upscale_by=2.0,
    max_side_length=0,
    upscale_to_width=512,
    upscale_to_height=512,
    upscale_crop=False,
):
    width, height = pp.image.size
    if upscale_mode == 1:
        upscale_by = max(upscale_to_width / width, upscale_to_height / height)
        pp.info["Postprocess upscale to"] = f"{upscale_to_width}x{upscale_to_height}"
    else:
        pp.info["Postprocess upscale by"] = upscale_by
        if max_side_length and max(width, height) * upscale_by > max_side_length:
            upscale_by = max_side_length / max(width, height)
            pp.info["Max side length"] = max_side_length
    image = upscaler.scaler.upscale(pp.image, upscale_by, upscaler.data_path)
    if upscale_mode == 1 and upscale_crop:
        left, top = (image.width - upscale_to_width) // 2, (image.height - upscale_to_height) // 2
        image = image.crop((left, top, left + upscale_to_width, top + upscale_to_height))
        pp.info["Postprocess crop to"] = f"{image.width}x{image.height}"
    return image


def _tint(pp, name, colour, visibility, weight=0):
    """Stand for a face restorer: mix the picture with its colour."""
    if visibility:
        pixels = np.asarray(pp.image.convert("RGB"))
        pp.image = Image.fromarray(
            drawing.tint(pixels, colour, round(visibility * (40 + 20 * weight)))
        )
        pp.info[f"{name} visibility"] = round(visibility, 3)


class ScriptPostprocessingGfpGan(scripts_postprocessing.ScriptPostprocessing):
    """GFPGAN."""

    name, order = "GFPGAN", 2000

    def ui(self):
        with InputAccordion(False, label="GFPGAN") as enable:
            visibility = _fraction("Visibility", "extras_gfpgan_visibility", 1.0)
        return {"enable": enable, "gfpgan_visibility": visibility}

    def process(self, pp, enable, gfpgan_visibility):
        _tint(pp, self.name, (200, 230, 180), gfpgan_visibility if enable else 0)


class ScriptPostprocessingCodeFormer(scripts_postprocessing.ScriptPostprocessing):
    """CodeFormer."""

    name, order = "CodeFormer", 3000

    def ui(self):
        with InputAccordion(False, label="CodeFormer") as enable:
            visibility = _fraction("Visibility", "extras_codeformer_visibility", 1.0)
            weight = _fraction(
                "Weight (0 = maximum effect, 1 = minimum effect)", "extras_codeformer_weight", 0
            )
        return {"enable": enable, "codeformer_visibility": visibility, "codeformer_weight": weight}

    def process(self, pp, enable, codeformer_visibility, codeformer_weight):
        _tint(
            pp,
            self.name,
            (240, 200, 170),
            codeformer_visibility if enable else 0,
            codeformer_weight,
        )
        if enable and codeformer_visibility:
            pp.info["CodeFormer weight"] = round(codeformer_weight, 3)
