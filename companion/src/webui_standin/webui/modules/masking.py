"""Where to inpaint. Names from A1111 v1.10.1, modules/masking.py."""

from PIL import Image

from webui_standin.drawing import raster


def get_crop_region_v2(mask, pad=0):
    """The box around all that is masked, `pad` pixels larger; None for an empty mask."""
    mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
    box = mask.getbbox()
    if box is None:
        return None
    return (
        max(box[0] - pad, 0),
        max(box[1] - pad, 0),
        min(box[2] + pad, mask.width),
        min(box[3] + pad, mask.height),
    )


def get_crop_region(mask, pad=0):
    """The same; for an empty mask an inverted box."""
    box = get_crop_region_v2(mask, pad)
    if box is not None:
        return box
    mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
    return (
        max(mask.width - pad, 0),
        max(mask.height - pad, 0),
        min(pad, mask.width),
        min(pad, mask.height),
    )


def expand_crop_region(crop_region, processing_width, processing_height, image_width, image_height):
    """Widen the box to the shape of the processing size, inside the picture."""
    x1, y1, x2, y2 = crop_region
    if (x2 - x1) * processing_height > (y2 - y1) * processing_width:
        y1, y2 = _widen(y1, y2, int((x2 - x1) * processing_height / processing_width), image_height)
    else:
        x1, x2 = _widen(x1, x2, int((y2 - y1) * processing_width / processing_height), image_width)
    return x1, y1, x2, y2


def _widen(low, high, length, limit):
    extra = length - (high - low)
    low, high = low - extra // 2, high + extra - extra // 2
    shift = max(0, high - limit)
    low, high = low - shift, high - shift
    if low < 0:
        low, high = 0, high - low
    return low, min(high, limit)


def fill(image, mask):
    """Cover the masked part with colours from around it."""
    import numpy as np

    pixels = np.array(image.convert("RGB"))
    weight = (np.asarray(mask.convert("L"), np.int32) * 256 // 255)[:, :, None]
    around = pixels.copy()
    around[weight[:, :, 0] > 128] = (
        pixels[weight[:, :, 0] <= 128].mean(axis=0).astype(np.uint8)
        if (weight <= 128).any()
        else 127
    )
    for axis in (0, 1):
        around = raster.blur(around, max(1, min(pixels.shape[:2]) // 8), axis)
    return Image.fromarray(raster.blend(pixels, around, weight))
