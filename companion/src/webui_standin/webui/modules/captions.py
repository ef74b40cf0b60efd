"""What a picture shows, in words: stands for CLIP and DeepBooru, whose models a laptop lacks.

Names of both and what they are asked for: A1111 v1.10.1, modules/api/api.py, interrogateapi.
"""

import numpy as np

from webui_standin.drawing.inputs import picture_hash

_LIGHT = ["night", "dusk", "day", "noon"]
_THINGS = ["hills", "firs", "clouds", "a river", "a lake", "meadows", "snow", "rocks"]


def _words(picture):
    """Words that the picture decides: its light, and two things by its hash."""
    picture = picture.convert("RGB")
    bright = int(np.asarray(picture).mean())
    numbers = bytes.fromhex(picture_hash(picture))
    first = numbers[0] % len(_THINGS)
    second = (first + 1 + numbers[1] % (len(_THINGS) - 1)) % len(_THINGS)
    return _LIGHT[bright * len(_LIGHT) // 256], _THINGS[first], _THINGS[second]


def sentence(picture):
    """A caption as CLIP interrogation gives one."""
    light, first, second = _words(picture)
    return f"a landscape with {first} and {second} at {light}"


def tags(picture):
    """Tags as DeepBooru gives them."""
    return ", ".join(word.removeprefix("a ") for word in ("landscape", *_words(picture)))
