"""The renderer: landscapes from hashes, in whole numbers, with numpy and Pillow alone."""

from webui_standin.drawing.inputs import Inputs
from webui_standin.drawing.landscape import draw
from webui_standin.drawing.raster import blend, blur, resize, tint

__all__ = ["Inputs", "blend", "blur", "draw", "resize", "tint"]
