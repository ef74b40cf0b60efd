"""Pictures in requests and answers. Rules: A1111 v1.10.1, modules/api/api.py."""

import base64
import io

from fastapi.exceptions import HTTPException

from modules import images
from modules.shared import opts


def decode_base64_to_image(encoding):
    """The picture of a base64 text or data URL; HTTPException 500 if it is none.

    The real program also fetches http URLs; the stand-in fetches nothing.
    """
    if encoding.startswith(("http://", "https://")):
        if not opts.api_enable_requests:
            raise HTTPException(status_code=500, detail="Requests not allowed")
        raise HTTPException(status_code=501, detail="the stand-in does not fetch pictures by URL")
    if encoding.startswith("data:image/"):
        encoding = encoding.split(";")[1].split(",")[1]
    try:
        return images.read(io.BytesIO(base64.b64decode(encoding)))
    except Exception as error:
        raise HTTPException(status_code=500, detail="Invalid encoded image") from error


def encode_pil_to_base64(image):
    """A picture as base64 in the format that the settings name, its infotext included."""
    if isinstance(image, str):
        return image
    kind = opts.samples_format.lower()
    with io.BytesIO() as buffer:
        if kind == "png":
            image.save(buffer, format="PNG", pnginfo=images.png_texts(image.info))
        elif kind in ("jpg", "jpeg", "webp"):
            plain = image.convert("RGB") if image.mode in ("RGBA", "P") else image
            exif = images.exif_comment(image.info.get("parameters"))
            plain.save(
                buffer,
                format="WEBP" if kind == "webp" else "JPEG",
                exif=exif,
                quality=int(opts.jpeg_quality),
            )
        else:
            raise HTTPException(status_code=500, detail="Invalid image format")
        return base64.b64encode(buffer.getvalue()).decode("ascii")
