"""PNG Info. Name from A1111 v1.10.1, modules/extras.py."""

from modules import images
from modules.ui_common import plaintext_to_html


def run_pnginfo(image):
    """The texts of a picture as HTML, and its infotext."""
    if image is None:
        return "", "", ""
    geninfo, items = images.read_info_from_image(image)
    texts = {**({"parameters": geninfo} if geninfo else {}), **items}
    parts = [
        f"<div><p><b>{plaintext_to_html(str(key))}</b></p><p>{plaintext_to_html(str(text))}</p></div>"
        for key, text in texts.items()
    ]
    return "", geninfo or "", "".join(parts) or "<div><p>Nothing found in the image.</p></div>"
