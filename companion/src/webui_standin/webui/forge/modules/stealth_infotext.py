"""Infotext hidden in the lowest bits of a saved picture's pixels, in place.

Names, signatures and the order of the bits, columns first: Forge dfdcbab6 and reForge 3b56b268,
modules/stealth_infotext.py.
"""

import gzip

import numpy as np
from PIL import Image

from modules.shared import opts
from webui_standin.flavour import is_forge

_OPTION = "stealth_pnginfo_option" if is_forge() else "stealth_pnginfo_opt"
_SIGNATURES = {"Alpha": b"stealth_pngcomp", "RGB": b"stealth_rgbcomp"}
_LENGTH = 4


def add_stealth_pnginfo(params):
    """Hide the infotext as the settings say; the picture changes for whoever else holds it."""
    mode = getattr(opts, _OPTION)
    text = (params.pnginfo or {}).get("parameters")
    if mode not in _SIGNATURES or text is None or not params.filename.endswith(".png"):
        return
    if mode == "Alpha":
        params.image.putalpha(255)
    packed = gzip.compress(text.encode())
    length = (8 * len(packed)).to_bytes(_LENGTH, "big")
    bits = np.unpackbits(np.frombuffer(_SIGNATURES[mode] + length + packed, np.uint8))
    columns = np.array(params.image).swapaxes(0, 1)
    carriers = columns[:, :, _bands(mode)]
    octets = carriers.reshape(-1)
    count = min(bits.size, octets.size)
    octets[:count] = octets[:count] & 254 | bits[:count]
    columns[:, :, _bands(mode)] = octets.reshape(carriers.shape)
    params.image.paste(Image.fromarray(columns.swapaxes(0, 1)))


def read_info_from_image_stealth(image):
    """The infotext that is hidden in a picture, or None."""
    for mode, signature in _SIGNATURES.items():
        if mode == "RGB" or image.mode == "RGBA":
            columns = np.array(image.convert("RGBA")).swapaxes(0, 1)
            octets = np.packbits(columns[:, :, _bands(mode)].reshape(-1) & 1).tobytes()
            if octets.startswith(signature):
                start = len(signature) + _LENGTH
                length = int.from_bytes(octets[len(signature) : start], "big") // 8
                return _unpacked(octets[start : start + length])
    return None


def _bands(mode):
    return slice(3, 4) if mode == "Alpha" else slice(0, 3)


def _unpacked(packed):
    try:
        return gzip.decompress(packed).decode()
    except (OSError, EOFError):  # cut off, where the picture was too small
        return None
