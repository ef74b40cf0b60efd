"""Upscalers from Pillow's filters. Names from A1111 v1.10.1, modules/upscaler.py."""

import numpy as np
from PIL import Image, ImageFilter

from modules import shared
from webui_standin.drawing import raster

LANCZOS, NEAREST = Image.Resampling.LANCZOS, Image.Resampling.NEAREST


class UpscalerData:
    """One upscaler as the settings and the API list it."""

    def __init__(self, name, path, upscaler=None, scale=4, model=None):
        self.name, self.data_path, self.local_data_path = name, path, path
        self.scaler, self.scale, self.model = upscaler, scale, model


class Upscaler:
    """Enlarges pictures; a subclass says how."""

    name = None
    model_name = None
    scale = 1

    def __init__(self, create_dirs=False):
        self.scalers = []

    def do_upscale(self, img, selected_model):
        """Enlarge by `self.scale`."""
        return img

    def upscale(self, img, scale, selected_model=None):
        """Enlarge a picture to `scale` times its size, in multiples of 8 pixels."""
        self.scale = scale
        width, height = int(img.width * scale) // 8 * 8, int(img.height * scale) // 8 * 8
        enlarged = self.do_upscale(img, selected_model) if scale > 1 else img
        return (
            enlarged
            if enlarged.size == (width, height)
            else enlarged.resize((width, height), LANCZOS)
        )


class UpscalerNone(Upscaler):
    """Leaves the picture as it is."""

    name = "None"

    def upscale(self, img, scale, selected_model=None):
        """Return the picture itself."""
        return img


class UpscalerFilter(Upscaler):
    """Enlarges with a filter of Pillow."""

    def __init__(self, name, resample):
        super().__init__()
        self.name, self._resample = name, resample

    def do_upscale(self, img, selected_model):
        """Enlarge."""
        return img.resize(
            (int(img.width * self.scale), int(img.height * self.scale)), self._resample
        )


class UpscalerSharp(Upscaler):
    """Stands for a neural upscaler: Lanczos, sharpened, so that its pictures differ."""

    def __init__(self, name, passes):
        super().__init__()
        self.name, self._passes, self.model_name = name, passes, name

    def do_upscale(self, img, selected_model):
        """Enlarge and sharpen."""
        img = img.resize((int(img.width * self.scale), int(img.height * self.scale)), LANCZOS)
        for _ in range(self._passes):
            img = img.filter(ImageFilter.SHARPEN)
        return img


def load_upscalers():
    """Fill `shared.sd_upscalers`."""
    found = [UpscalerNone(), UpscalerFilter("Lanczos", LANCZOS), UpscalerFilter("Nearest", NEAREST)]
    found += [UpscalerSharp("ESRGAN_4x", 1), UpscalerSharp("R-ESRGAN 4x+", 2)]
    shared.sd_upscalers[:] = [
        UpscalerData(item.name, None, item, 4 if index > 2 else 1)
        for index, item in enumerate(found)
    ]
    for data in shared.sd_upscalers:
        data.scaler.scalers = [data]


def latent_resize(pixels, width, height, mode):
    """What a latent upscale mode does here: resize in its own, visibly different way."""
    how = {"bilinear": "bilinear", "bicubic": "bicubic"}.get(mode["mode"], "nearest")
    if mode["antialias"]:
        pixels = raster.blur(raster.blur(pixels, 1, 0), 1, 1)
    if mode["mode"] == "nearest-exact":
        pixels = np.roll(pixels, 1, axis=1)
    return raster.resize(pixels, width, height, how)
