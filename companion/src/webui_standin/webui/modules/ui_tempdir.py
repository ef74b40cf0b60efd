"""Files that the page shows. Names from A1111 v1.10.1, modules/ui_tempdir.py."""

import os
import tempfile

from modules import shared
from modules.images import png_texts


def temp_folder():
    """Where pictures that aren't saved lie."""
    folder = (
        shared.opts.temp_dir
        or os.environ.get("GRADIO_TEMP_DIR")
        or os.path.join(tempfile.gettempdir(), "gradio")
    )
    os.makedirs(folder, exist_ok=True)
    return folder


def file_of(picture):
    """The file of a picture: the saved one, or a temporary PNG with its texts."""
    saved = getattr(picture, "already_saved_as", None)
    if saved and os.path.isfile(saved):
        return saved
    handle, path = tempfile.mkstemp(suffix=".png", dir=temp_folder())
    with os.fdopen(handle, "wb") as file:
        picture.save(file, format="PNG", pnginfo=png_texts(picture.info))
    return path


def check_tmp_file(gradio, filename):
    """Tell whether the page may show this file."""
    path = os.path.abspath(filename.rsplit("?", 1)[0])
    allowed = [temp_folder(), *shared.cmd_opts.gradio_allowed_path, shared.opts.outdir_samples]
    return any(folder and path.startswith(os.path.abspath(folder) + os.sep) for folder in allowed)


def cleanup_tmpdr():
    """Nothing is cleaned."""
