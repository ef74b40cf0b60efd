"""What the components of a page show for a value, and whether they gave it back.

Nothing here imports gradio: a component is known by the names of its classes and by its
attributes, which gradio 3.41 and 4.40 share (``choices``, ``type``, ``minimum``, ``maximum``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

KEEP = object()
"""Of a component that stays as it is."""
_KINDS = frozenset(
    {
        *("checkbox", "slider", "number", "textbox", "dropdown", "radio", "checkboxgroup"),
        *("colorpicker", "image", "file", "gallery", "state", "rangeslider"),
    }
)
_SAME = "Use same "
"""How the choice begins that stands for none (A1111 v1.10.1, ``modules/ui.py``, hires. fix)."""
_NEAR = 1e-6
"""How much two numbers may differ that are the same: the page writes them in decimals."""

Keep = Callable[["Image"], str]
"""Puts a picture into a file and returns its path."""


class Unfit(Exception):
    """A component cannot show a value: `code` says why, `words` what it names."""

    def __init__(self, code: str, **words: Any) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


class Offered(NamedTuple):
    """Values of a dropdown that has no choices of its own: those that it shows are its choices."""

    values: list[Any]


class Sketched(NamedTuple):
    """The files of a picture and of what a brush drew on it."""

    picture: str
    layer: str | None


def kind(component: Any) -> str:
    """What the component is, "" for what takes no value. A subclass is what it is made of."""
    names = (base.__name__.lower() for base in type(component).__mro__)
    return next((name for name in names if name in _KINDS), "")


def default(component: Any) -> Any:
    """What the component showed when the page was drawn, None where that is not plain."""
    value = getattr(component, "value", None)
    plain = value if isinstance(value, (list, tuple)) else [value]
    known = (bool, int, float, str, Enum)  # the last in a state
    return value if all(isinstance(one, known) for one in plain) else None


def off(component: Any) -> Any:
    """What switches an operation of Extras off by its first control: v1.6 has a strength there."""
    return False if kind(component) == "checkbox" else 0


def choices(component: Any) -> list[Any]:
    """The values that can be chosen; gradio pairs each with its label, or not."""
    given = getattr(component, "choices", None) or []
    return [one[1] if isinstance(one, (tuple, list)) else one for one in given]


def unsaid(component: Any) -> Any:
    """What a field shows that the webui is given nothing of: the choice for none, else what it
    showed at first."""
    same = (one for one in choices(component) if str(one).startswith(_SAME))
    return next(same, default(component))


def is_bare(component: Any) -> bool:
    """Whether a component is for pictures, or keeps an object, and had none when the page was
    drawn."""
    holds = kind(component) in ("image", "gallery", "state") or _is_canvas(component)
    return holds and not getattr(component, "value", None)


def is_clearable(component: Any) -> bool:
    """Whether a component can show nothing, and gives nothing then."""
    return kind(component) in ("image", "file", "dropdown", "radio", "textbox")


def shown(component: Any, value: Any, keep: Keep) -> Any:
    """What an event must return so that `component` gives `value` to the webui.

    Args:
        value: JSON as a payload has it, a picture or a list of pictures.

    Raises:
        Unfit: it cannot.
    """
    take = _TAKING.get(kind(component))
    if take is None:
        raise Unfit("by_hand")
    return take(component, value, keep)


def _switch(component: Any, value: Any, keep: Keep) -> Any:
    if not isinstance(value, bool):
        raise Unfit("kind", value=value)
    return value


def _number(component: Any, value: Any, keep: Keep) -> Any:
    if value == default(component) and not isinstance(value, bool):
        return value  # also one that its range has not
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Unfit("kind", value=value)
    least, most = getattr(component, "minimum", None), getattr(component, "maximum", None)
    if (least is not None and value < least) or (most is not None and value > most):
        raise Unfit("range", value=value, least=_end(least), most=_end(most))
    return value


def _range(component: Any, value: Any, keep: Keep) -> Any:
    if not isinstance(value, list):
        raise Unfit("kind", value=value)
    return [_number(component, one, keep) for one in value]


def _end(limit: Any) -> Any:
    return "…" if limit is None else limit


def _text(component: Any, value: Any, keep: Keep) -> Any:
    if _is_canvas(component):
        return _pixels(component, value)
    if isinstance(value, (dict, list)) or not isinstance(value, (str, int, float)):
        raise Unfit("kind", value=value)
    return str(value)


def _is_canvas(component: Any) -> bool:
    """Whether a text holds a picture: Forge's canvas, whose layers are texts with a data URL and
    are given pictures (dfdcbab6, ``modules_forge/forge_canvas/canvas.py``, `LogicalImage`)."""
    return isinstance(getattr(component, "numpy", None), bool)


def _pixels(component: Any, value: Any) -> Any:
    if not hasattr(value, "tobytes"):
        raise Unfit("kind", value=value)
    if not component.numpy:
        return value
    import numpy as np

    return np.asarray(value.convert("RGBA"))


def _choice(component: Any, value: Any, keep: Keep) -> Any:
    offered = choices(component)
    if getattr(component, "multiselect", None) or kind(component) == "checkboxgroup":
        values = value if isinstance(value, list) else [value]
        if not offered:
            return Offered([str(one) for one in values])
        return [_chosen(component, offered, one) for one in values]
    return _chosen(component, offered, value)


def _chosen(component: Any, offered: list[Any], value: Any) -> Any:
    if getattr(component, "type", None) == "index":
        if isinstance(value, int) and 0 <= value < len(offered):
            return offered[int(value)]
        raise Unfit("choice", value=value)
    folded = str(value).casefold()  # the API takes names in any case
    found = [one for one in offered if one == value]
    found += [one for one in offered if str(one).casefold() == folded]
    if not found and not getattr(component, "allow_custom_value", False):
        raise Unfit("choice", value=value)
    return found[0] if found else value


def _picture(component: Any, value: Any, keep: Keep) -> Any:
    if is_sketch(component) and _is_drawn_on(value):
        return Sketched(keep(value["image"]), keep(value["mask"]))
    if not hasattr(value, "tobytes"):
        raise Unfit("by_hand")
    return keep(value)  # as a file: gradio 4 would write a picture as WebP, with a loss


def is_sketch(component: Any) -> bool:
    """Whether a component gives a picture together with what a brush drew on it (gradio 3.41)."""
    return getattr(component, "tool", None) == "sketch"


def _is_drawn_on(value: Any) -> bool:
    both = isinstance(value, Mapping) and value.keys() == {"image", "mask"}
    return both and all(hasattr(one, "tobytes") for one in value.values())


def _files(component: Any, value: Any, keep: Keep) -> Any:
    if not isinstance(value, list) or not all(hasattr(one, "tobytes") for one in value):
        raise Unfit("by_hand")
    return [keep(one) for one in value]


def _state(component: Any, value: Any, keep: Keep) -> Any:
    # What nobody sees: where the page keeps which tab is open. A script's own object is not to be
    # had from JSON.
    usual = getattr(component, "value", None)
    if isinstance(usual, Enum) and usual.value == value:
        return usual
    if not isinstance(value, (bool, int, float)):
        raise Unfit("by_hand")
    return value


_TAKING: dict[str, Callable[[Any, Any, Keep], Any]] = {
    "checkbox": _switch,
    "slider": _number,
    "number": _number,
    "textbox": _text,
    "colorpicker": _text,
    "dropdown": _choice,
    "radio": _choice,
    "checkboxgroup": _choice,
    "image": _picture,
    "file": _files,
    "gallery": _files,
    "state": _state,
    "rangeslider": _range,
}


def same(wanted: Any, given: Any) -> bool:
    """Whether the page gave what was wanted: numbers as near as it writes them, pictures by their
    pixels, names in any case, nothing for empty."""
    if isinstance(given, Enum):
        return bool(wanted == given.value)
    if _is_drawn_on(wanted):
        both = isinstance(given, Mapping) and given.keys() == wanted.keys()
        return both and all(_same_pixels(wanted[name], given[name]) for name in wanted)
    if hasattr(wanted, "tobytes"):
        return _same_pixels(wanted, given)
    if isinstance(wanted, list) and any(hasattr(one, "tobytes") for one in wanted):
        return isinstance(given, list) and len(given) == len(wanted)
    if _is_empty(wanted) and _is_empty(given):
        return True
    if isinstance(wanted, bool) or isinstance(given, bool):
        return bool(wanted) == bool(given)
    if isinstance(wanted, (int, float)) and isinstance(given, (int, float)):
        return abs(wanted - given) <= _NEAR * max(1.0, abs(wanted))
    if isinstance(wanted, list) and isinstance(given, (list, tuple)):
        return len(wanted) == len(given) and all(map(same, wanted, given))
    return _words(wanted) == _words(given)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, tuple)) and not value)


def _words(value: Any) -> str:
    return str(value).replace("\r\n", "\n").casefold()


def _same_pixels(wanted: Any, given: Any) -> bool:
    if isinstance(given, Mapping):  # gradio 3's, with what a brush drew on it
        return _same_pixels(wanted, given["image"]) and is_blank(given["mask"])
    if not hasattr(given, "shape") and not hasattr(given, "tobytes"):
        return False
    one, other = wanted.convert("RGBA"), _opened(given).convert("RGBA")
    return bool(one.size == other.size and one.tobytes() == other.tobytes())


def is_blank(picture: Any) -> bool:
    """Whether a picture, or its array, is black."""
    return _opened(picture).convert("L").getbbox() is None


def _opened(picture: Any) -> Any:
    from PIL import Image

    return Image.fromarray(picture) if hasattr(picture, "shape") else picture


def told(value: Any) -> str:
    """A value in a message, of a length that can be read."""
    if isinstance(value, (list, tuple)):
        return _cut(", ".join(map(str, value)))
    return _cut(str(value))


def _cut(text: str, length: int = 80) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def pictures(values: Iterable[Any]) -> list[Any]:
    """Those of the values that are pictures."""
    return [value for value in values if hasattr(value, "tobytes")]
