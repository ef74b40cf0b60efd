"""Python values of script arguments and processing objects as JSON.

Webui scripts hold arrays, pictures, enums, dataclasses, pydantic objects and tables; the API
takes JSON. What cannot be said in JSON becomes null and a caveat, never a silent loss. Pictures
stay `Picture` objects in the tree until the writer's thread has encoded them: compressing a
1024 x 1024 PNG takes a hundred times as long as copying its pixels.

Nothing here imports numpy, pandas or pydantic: their values are known by what they offer.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import math
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from payload_capture.capture import Caveat

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_DEPTH = 32


class Picture:
    """A picture in a payload that waits to be stored. Holds a copy of the pixels."""

    def __init__(self, image: Image) -> None:
        self.image = image


class Encoder:
    """Turns values into JSON; `caveats` collects what could not be said."""

    def __init__(self) -> None:
        self.caveats: list[Caveat] = []

    def encode(self, value: Any, path: str, depth: int = 0) -> Any:
        """`value` as JSON, with `Picture` objects where pictures stand. Never raises."""
        try:
            return self._encode(value, path, depth)
        except Exception as error:
            return self._lost(path, f"{type(value).__name__} raised {error!r} when it was read")

    def _encode(self, value: Any, path: str, depth: int) -> Any:
        if value is None or type(value) in (bool, int, str):
            return value
        if isinstance(value, float):
            return self._number(float(value), path)
        if depth > MAX_DEPTH:
            return self._lost(path, f"nested more than {MAX_DEPTH} levels deep")
        for known, convert in _KINDS:
            if known(value):
                return convert(self, value, path, depth)
        return self._lost(path, f"a {type(value).__module__}.{type(value).__name__} is not JSON")

    def _number(self, value: float, path: str) -> Any:
        return value if math.isfinite(value) else self._lost(path, f"{value} is not JSON")

    def _lost(self, path: str, reason: str) -> Any:
        self.caveats.append(Caveat(path, f"{reason}; sent as null"))
        return None

    def mapping(self, value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        made = {}
        for key, item in value.items():
            name = str(key.value if isinstance(key, enum.Enum) else key)
            # The format's own escape: a key of the script's must not read as a reference.
            escaped = "$" + name if name.startswith("$") else name
            made[escaped] = self.encode(item, f"{path}.{name}", depth + 1)
        return made

    def sequence(self, value: Any, path: str, depth: int) -> list[Any]:
        return [self.encode(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]

    def array(self, value: Any, path: str, depth: int) -> Any:
        if value.ndim == 0:
            return self.encode(value.item(), path, depth + 1)
        if _looks_like_picture(value):
            return Picture(_image_of(value))
        return self.encode(value.tolist(), path, depth + 1)


def _is_image(value: Any) -> bool:
    return hasattr(value, "getpixel") and hasattr(value, "tobytes") and hasattr(value, "mode")


def _looks_like_picture(array: Any) -> bool:
    channels = array.shape[2] if array.ndim == 3 else 1
    return array.dtype.name == "uint8" and array.ndim in (2, 3) and channels in (1, 3, 4)


def _image_of(array: Any) -> Image:
    from PIL import Image

    squeezed = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    image = Image.fromarray(squeezed)
    return image.copy() if image.readonly else image  # it may share the array's memory


def _fields(value: Any) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}


def _pydantic_fields(value: Any) -> dict[str, Any]:
    names = getattr(type(value), "model_fields", None) or type(value).__fields__
    return {name: getattr(value, name) for name in names}


Convert = Callable[[Encoder, Any, str, int], Any]

# Ordered: the first whose test holds converts. An enum may be a str, a pydantic model a mapping.
_KINDS: tuple[tuple[Callable[[Any], bool], Convert], ...] = (
    (lambda v: isinstance(v, enum.Enum), lambda e, v, p, d: e.encode(v.value, p, d + 1)),
    (
        lambda v: isinstance(v, (str, int)),
        lambda e, v, p, d: str(v) if isinstance(v, str) else int(v),
    ),
    (_is_image, lambda e, v, p, d: Picture(v.copy())),
    (lambda v: isinstance(v, (bytes, bytearray)), lambda e, v, p, d: base64.b64encode(v).decode()),
    (lambda v: isinstance(v, Mapping), Encoder.mapping),
    (
        lambda v: dataclasses.is_dataclass(v) and not isinstance(v, type),
        lambda e, v, p, d: e.mapping(_fields(v), p, d),
    ),
    (
        lambda v: hasattr(type(v), "model_fields") or hasattr(type(v), "__fields__"),
        lambda e, v, p, d: e.mapping(_pydantic_fields(v), p, d),
    ),
    (lambda v: isinstance(v, (list, tuple, set, frozenset)), Encoder.sequence),
    (lambda v: hasattr(v, "ndim") and hasattr(v, "dtype") and hasattr(v, "item"), Encoder.array),
    (
        lambda v: hasattr(v, "columns") and hasattr(v, "values"),
        lambda e, v, p, d: e.encode(v.values.tolist(), p, d + 1),
    ),
    (lambda v: isinstance(v, os.PathLike), lambda e, v, p, d: os.fspath(v)),
)
