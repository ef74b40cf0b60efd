"""An always-on script with one argument of each kind, to test what carries script arguments."""

import hashlib

import gradio as gr
import numpy as np
from modules import scripts
from modules.api.pictures import decode_base64_to_image
from modules.infotext_utils import PasteField
from modules.ui_components import InputAccordion
from PIL import Image

from webui_standin import drawing, gradio_compat

MODES = ["Blend", "Border", "Stripes"]


class TintScript(scripts.Script):
    """Colours the picture; every argument changes pixels while it is enabled."""

    def title(self):
        return "Tint"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with InputAccordion(False, label="Tint", elem_id=self.elem_id("enable")) as enable:
            with gr.Row():
                strength = gr.Slider(
                    label="Tint strength",
                    minimum=0,
                    maximum=1,
                    step=0.05,
                    value=0.3,
                    elem_id=self.elem_id("strength"),
                )
                mode = gr.Dropdown(
                    label="Tint mode", choices=MODES, value=MODES[0], elem_id=self.elem_id("mode")
                )
            word = gr.Textbox(label="Tint word", value="", elem_id=self.elem_id("word"))
            picture = gradio_compat.image(label="Tint picture", elem_id=self.elem_id("picture"))
        self.infotext_fields = [
            PasteField(enable, lambda params: "Tint mode" in params),
            PasteField(strength, "Tint strength"),
            PasteField(mode, "Tint mode"),
            PasteField(word, "Tint word"),
        ]
        return [enable, strength, word, mode, picture]

    def process(self, p, enable, strength, word, mode, picture):
        if enable:
            p.extra_generation_params.update(
                {"Tint strength": strength, "Tint mode": mode, "Tint word": word or None}
            )

    def postprocess_image(self, p, pp, enable, strength, word, mode, picture):
        if not enable:
            return
        pixels = np.asarray(pp.image.convert("RGB"))
        weight = np.full(pixels.shape[:2], round(strength * 256), np.int32)
        if mode == "Border":
            edge = max(1, min(weight.shape) // 10)
            weight[edge:-edge, edge:-edge] = 0
        elif mode == "Stripes":
            weight[np.arange(weight.shape[0]) // 4 % 2 == 0] = 0
        below = np.broadcast_to(np.array(_colour(word, picture), np.uint8), pixels.shape)
        pp.image = Image.fromarray(drawing.blend(pixels, below, weight[:, :, None]))


def _colour(word, picture):
    """A colour from a text and a picture, which the API sends in base64."""
    if isinstance(picture, str) and picture:
        picture = decode_base64_to_image(picture)
    octets = picture.convert("RGB").tobytes() if isinstance(picture, Image.Image) else b""
    return tuple(hashlib.sha256(str(word).encode() + b"\0" + octets).digest()[:3])
