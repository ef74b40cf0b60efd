"""A small picture's file, and the hash of its bytes."""

from __future__ import annotations

import base64
import hashlib
import io

from PIL import Image


def png(colour: str, size: int = 8) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(out, "PNG")
    return out.getvalue()


PNG = png("orange")
SHA256 = hashlib.sha256(PNG).hexdigest()
BASE64 = base64.b64encode(PNG).decode()
