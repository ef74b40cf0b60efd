"""Upscaling and face restoration in Extras. Names and arguments: A1111 v1.10.1,
scripts/postprocessing_*.py."""

import gradio as gr
import numpy as np
from modules import scripts_postprocessing, shared
from modules.ui_components import InputAccordion
from PIL import Image

from webui_standin import drawing


class ScriptPostprocessingUpscale(scripts_postprocessing.ScriptPostprocessing):
    """Enlarges with one upscaler, or a mixture of two."""

    name = "Upscale"
    order = 1000

    def ui(self):
        names = [data.name for data in shared.sd_upscalers]
        with InputAccordion(True, label="Upscale", elem_id="extras_upscale") as enabled:
            mode = gr.Number(value=0, visible=False, precision=0)
            by = gr.Slider(
                minimum=1.0,
                maximum=8.0,
                step=0.05,
                label="Resize",
                value=4,
                elem_id="extras_upscaling_resize",
            )
            longest = gr.Number(
                value=0,
                label="Max side length",
                elem_id="extras_upscale_max_side_length",
                precision=0,
            )
            width = gr.Slider(
                minimum=64,
                maximum=8192,
                step=8,
                label="Width",
                value=512,
                elem_id="extras_upscaling_resize_w",
            )
            height = gr.Slider(
                minimum=64,
                maximum=8192,
                step=8,
                label="Height",
                value=512,
                elem_id="extras_upscaling_resize_h",
            )
            crop = gr.Checkbox(label="Crop to fit", value=True, elem_id="extras_upscaling_crop")
            first = gr.Dropdown(
                label="Upscaler 1", elem_id="extras_upscaler_1", choices=names, value=names[0]
            )
            second = gr.Dropdown(
                label="Upscaler 2", elem_id="extras_upscaler_2", choices=names, value=names[0]
            )
            share = gr.Slider(
                minimum=0.0,
                maximum=1.0,
                step=0.001,
                label="Upscaler 2 visibility",
                value=0.0,
                elem_id="extras_upscaler_2_visibility",
            )
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
    if max_side_length:
        upscale_by = min(upscale_by, max_side_length / max(width, height))
    image = upscaler.scaler.upscale(pp.image, upscale_by, upscaler.data_path)
    if upscale_mode == 1 and upscale_crop:
        left, top = (image.width - upscale_to_width) // 2, (image.height - upscale_to_height) // 2
        image = image.crop((left, top, left + upscale_to_width, top + upscale_to_height))
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
        with InputAccordion(False, label="GFPGAN", elem_id="extras_gfpgan") as enable:
            visibility = gr.Slider(
                minimum=0.0,
                maximum=1.0,
                step=0.001,
                label="Visibility",
                value=1.0,
                elem_id="extras_gfpgan_visibility",
            )
        return {"enable": enable, "gfpgan_visibility": visibility}

    def process(self, pp, enable, gfpgan_visibility):
        _tint(pp, self.name, (200, 230, 180), gfpgan_visibility if enable else 0)


class ScriptPostprocessingCodeFormer(scripts_postprocessing.ScriptPostprocessing):
    """CodeFormer."""

    name, order = "CodeFormer", 3000

    def ui(self):
        with InputAccordion(False, label="CodeFormer", elem_id="extras_codeformer") as enable:
            visibility = gr.Slider(
                minimum=0.0,
                maximum=1.0,
                step=0.001,
                label="Visibility",
                value=1.0,
                elem_id="extras_codeformer_visibility",
            )
            weight = gr.Slider(
                minimum=0.0,
                maximum=1.0,
                step=0.001,
                label="Weight",
                value=0,
                elem_id="extras_codeformer_weight",
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
