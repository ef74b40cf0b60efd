"""What a capture wants of a page: a value for each input of a Generate button.

An input is known by what the webui's function calls its argument, or by a script and a place among
that script's arguments.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from payload_capture import controls
from payload_capture.capture import (
    BATCH,
    EXTRAS,
    EXTRAS_BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Capture,
    FormatError,
    referred,
)
from payload_capture.controls import KEEP
from payload_capture.payload import operations
from payload_capture.pictures import encoded_type

if TYPE_CHECKING:
    from PIL.Image import Image

    from payload_capture.units import Part

Role = Literal["builtin", "always", "selected", "operation"]
Fetch = Callable[[str], bytes]


class PageScript(NamedTuple):
    """A script of a tab: its arguments' range, and their names where the webui names them."""

    title: str
    role: Role
    start: int
    end: int
    names: Sequence[str] = ()


class Unset(NamedTuple):
    """What could not be set: its name on the page, why (a word that the page's script knows), and
    what the reason names."""

    name: str
    code: str
    words: dict[str, Any]


class Webui(Protocol):
    """What sending needs of the host; `payload_capture.host` provides it."""

    def input_names(self, target: str) -> list[str]: ...
    def page_scripts(self, target: str) -> list[PageScript]: ...
    def custom_inputs(self, target: str) -> int: ...
    def override_texts(self, options: Mapping[str, Any]) -> tuple[list[str], list[str]]: ...
    def option_label(self, name: str) -> str: ...
    def known_options(self) -> set[str]: ...
    def field_defaults(self, endpoint: str) -> dict[str, Any]: ...
    def flatten(self, picture: Image, colour: str) -> Image: ...


@dataclass(frozen=True)
class Input:
    """One input: `name` is that of the webui's argument or of an operation's, "" where a script
    has only a place for it. `component` is None where it is not on this page, and a field of what
    the input is made of where there is a `part`."""

    component: Any
    name: str = ""
    script: PageScript | None = None
    place: int = 0
    part: Part | None = None

    def label(self) -> str:
        """As a person finds it on the page."""
        said = str(getattr(self.component, "label", None) or self.name)
        if self.script is None or self.script.role == "builtin":
            return said
        number = f" [{self.place}]" if self.part or not said else ""
        return f"{self.script.title}{number}" + (f": {said}" if said else "")


@dataclass
class Wants:
    """What a capture wants of a page, by where it stands."""

    fields: dict[str, Any] = field(default_factory=dict)
    always: dict[str, list[Any]] = field(default_factory=dict)
    selected: tuple[str, list[Any]] | None = None
    operations: dict[str, dict[str, Any]] | None = None
    unset: list[Unset] = field(default_factory=list)
    panels: list[str] = field(default_factory=list)
    button: Literal["generate", "upscale"] = "generate"

    def of(self, one: Input) -> Any:
        """What an input is to give to the webui, KEEP where nothing is said of it."""
        if one.script is None or one.script.role == "builtin":
            return self.fields.get(one.name, KEEP)
        title = one.script.title
        if one.script.role == "operation":
            off = {one.name: controls.off(one.component)} if one.place == 0 else {}
            return (self.operations or {}).get(title, off).get(one.name)
        if one.script.role == "always":
            args = self.always.get(title)
        else:
            args = self.selected[1] if self.selected and self.selected[0] == title else None
        if args is None or one.place >= len(args):
            return KEEP
        return one.part(_unit(args[one.place])) if one.part else args[one.place]


def _unit(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {"enabled": False}


def wants(webui: Webui, capture: Capture, fetch: Fetch) -> Wants:
    """Read a capture. Raises FormatError, AssetError for what it does not hold."""
    (endpoint, raw), *others = _requests(capture)
    payload = _decoded(raw, fetch)
    if endpoint in (EXTRAS, EXTRAS_SINGLE, EXTRAS_BATCH):
        made = _extras(webui, endpoint, payload)
    else:
        made = _generation(webui, endpoint, payload)
        if _VARIES in capture.choices.values() and not payload.get("subseed_strength"):
            made.fields |= {"seed_checkbox": True, "subseed_strength": _LEAST}
    if others and _is_batch_tab(webui, (endpoint, raw), others):
        pictures = [_first_picture(_decoded(one, fetch)) for _, one in _requests(capture)]
        made.fields |= {
            "mode": 5,
            "img2img_batch_upload": pictures,
            "img2img_batch_source_type": "upload",
            "img2img_batch_use_png_info": False,
        }
        made.panels.remove(_PLAIN)  # of one row of tabs, one is to be opened
        made.panels += ["img2img_batch_tab", "img2img_batch_upload_tab"]
    elif others:
        made.unset.append(Unset("", "more", {"value": len(others)}))
    return made


_VARIES, _LEAST = "Var. strength", 0.01
"""The axis of X/Y/Z plot that sets the strength for each cell. The page hands the variation seed on
only with a strength of its own, which the axis then replaces (A1111 v1.6.0 to v1.10.1,
``modules/processing_scripts/seed.py``, ``scripts/xyz_grid.py``)."""

Request = tuple[str, dict[str, Any]]


def _requests(capture: Capture) -> list[Request]:
    """Each request's endpoint and payload."""
    if capture.endpoint != BATCH:
        return [(capture.endpoint, capture.payload)]
    found = [(one["endpoint"], one["payload"]) for one in capture.payload.get("requests") or []]
    if not found:
        raise FormatError("payload.requests", "the capture holds no request")
    return found


def _is_batch_tab(webui: Webui, first: Request, others: Sequence[Request]) -> bool:
    """Whether the requests are what the batch tab makes of files that are uploaded there."""
    endpoint, payload = first
    if endpoint != IMG2IMG or "img2img_batch_upload" not in webui.input_names("img2img"):
        return False
    alike = (one == endpoint and _agree(payload, other) for one, other in others)
    return payload.get("mask") is None and all(alike)


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two payloads ask for the same but for their picture, in what both say: of a second
    file the webui has more filled in, and other settings count."""
    shared = one.keys() & other.keys() - {"init_images", "override_settings"}
    options = one.get("override_settings") or {}, other.get("override_settings") or {}
    return all(one[name] == other[name] for name in shared) and all(
        options[0][name] == options[1][name] for name in options[0].keys() & options[1].keys()
    )


def _generation(webui: Webui, endpoint: str, payload: dict[str, Any]) -> Wants:
    defaults = webui.field_defaults(IMG2IMG if endpoint == IMG2IMG else TXT2IMG)
    given = {**defaults, **payload}
    options = payload.get("override_settings") or {}
    tab = "img2img" if endpoint == IMG2IMG else "txt2img"
    lone = _without_input(webui, tab, payload, defaults)
    options = {**{n: v for n, v in lone.items() if n in webui.known_options()}, **options}
    options = {n: v for n, v in options.items() if n not in _EARLY}
    early = {n: payload[n] for n in _EARLY if tab == "img2img" and payload.get(n) is not None}
    texts, left = webui.override_texts(options)
    hires = bool(payload.get("enable_hr")) or "hr_upscaler" in payload
    made = Wants(
        {**_fields(given, hires), "override_settings_texts": texts},
        {str(n).lower(): s.get("args") or [] for n, s in _mapping(given, "alwayson_scripts")},
    )
    for name in left:
        made.unset.append(_setting(webui, name, options[name]))
    for name in _unlike(webui, early):
        made.unset.append(_setting(webui, name, early[name]))
    for name in lone.keys() - options.keys():
        made.unset.append(Unset(name, "no_field", {"value": controls.told(lone[name])}))
    if payload.get("script_name"):
        made.selected = str(payload["script_name"]).lower(), payload.get("script_args") or []
    if endpoint == UPSCALE:
        made.fields |= {"gallery": [payload["firstpass_image"]], "generation_info": _info(payload)}
        made.button = "upscale"
    made.panels = [f"tab_{tab}", f"{tab}_settings"]
    if endpoint == IMG2IMG:
        made.panels += [_init(webui, made, payload, options), "img2img_tab_resize_to"]
    return made


_EARLY = frozenset({"initial_noise_multiplier"})
"""Options of img2img that the webui reads before it applies overrides, so that the request's field
alone decides (A1111 v1.6.0 to v1.10.1, Forge and reForge, ``processing.py``:
``StableDiffusionProcessingImg2Img.__post_init__``)."""

_ELSEWHERE = frozenset(
    {
        *("styles", "init_images", "mask", "firstpass_image", "override_settings"),
        *("override_settings_restore_afterwards", "alwayson_scripts", "script_name"),
        *("script_args", "sampler_index", "send_images", "save_images", "do_not_save_samples"),
        *("do_not_save_grid", "infotext", "force_task_id", "include_init_images", "comments"),
        *("mask_blur_x", "mask_blur_y"),
        *_EARLY,
    }
)
"""What a payload has that is not an argument of its own on the page, or changes no picture."""


def _without_input(
    webui: Webui, tab: str, payload: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The payload's fields that only the API has, where they ask for something of their own."""
    builtin = (script.names for script in webui.page_scripts(tab) if script.role == "builtin")
    known = {*_ELSEWHERE, *webui.input_names(tab), *(name for names in builtin for name in names)}
    return {
        name: value
        for name, value in payload.items()
        if name not in known and value and value != defaults.get(name)
    }


def _mapping(payload: Mapping[str, Any], name: str) -> list[tuple[Any, Mapping[str, Any]]]:
    given = payload.get(name) or {}
    return [(key, value) for key, value in given.items() if isinstance(value, Mapping)]


def _setting(webui: Webui, name: str, value: Any) -> Unset:
    return Unset(webui.option_label(name), "setting", {"value": controls.told(value)})


def _info(payload: Mapping[str, Any]) -> str:
    """The account of the picture in the gallery, from which the ✨ button takes the seeds.

    They are read from the last line of its infotext, which must name three things at least (A1111
    v1.8.0 to v1.10.1, ``modules/txt2img.py``, ``modules/infotext_utils.py``).
    """
    seeds = [f"Seed: {payload.get('seed', -1)}"]
    if payload.get("subseed_strength"):
        seeds.append(f"Variation seed: {payload.get('subseed', -1)}")
    sizes = f"Size: {payload.get('width')}x{payload.get('height')}"
    line = ", ".join([f"Steps: {payload.get('steps')}", *seeds, sizes])
    return json.dumps({"infotexts": [line], "index_of_first_image": 0})


_HIRES = ("hr_", "hires")


def _fields(given: dict[str, Any], hires: bool) -> dict[str, Any]:
    """The webui's arguments; those of hires. fix where it is on or the capture has them."""
    made = {n: v for n, v in given.items() if hires or not n.startswith(_HIRES)}
    strength = given.get("subseed_strength") or 0
    sizes = [max(given.get(f"seed_resize_from_{side}") or 0, 0) for side in "wh"]
    extra = bool(strength > 0 or all(sizes))
    made |= {
        "prompt_styles": given.get("styles") or [],
        "seed_checkbox": extra,
        "seed_resize_from_w": sizes[0],
        "seed_resize_from_h": sizes[1],
        "enable_refiner": bool(given.get("refiner_checkpoint")),
        "selected_scale_tab": 0,
        "mask_alpha": 0,
    }
    for name in () if made["enable_refiner"] else ("refiner_checkpoint", "refiner_switch_at"):
        made.pop(name, None)
    if made.get("hr_second_pass_steps", 0) is None:
        made["hr_second_pass_steps"] = 0
    return made


_PLAIN = "img2img_img2img_tab"


def _init(webui: Webui, made: Wants, payload: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """The init image, and the mask if there is one. Returns the panel that they are in.

    What a brush drew goes into the upload of a mask: no component takes strokes. That shows the
    picture without transparency, so it is laid on the ground on which the webui would lay it.
    """
    picture = _first_picture(payload)
    if len(payload["init_images"]) > 1:
        more = len(payload["init_images"]) - 1
        made.unset.append(Unset("init_images", "more_pictures", {"value": more}))
    if (mask := payload.get("mask")) is None:
        made.fields |= {"mode": 0, "init_img": picture}
        return _PLAIN
    ground = str(options.get("img2img_background_color") or "#ffffff")
    made.fields |= {
        "mode": 4,
        "init_img_inpaint": webui.flatten(picture, ground),
        "init_mask_inpaint": mask,
    }
    return "img2img_inpaint_upload_tab"


def _first_picture(payload: Mapping[str, Any]) -> Any:
    picture = next(iter(controls.pictures(payload.get("init_images") or [])), None)
    if picture is None:
        raise FormatError("payload.init_images", "the capture holds no init image")
    return picture


def _extras(webui: Webui, endpoint: str, payload: dict[str, Any]) -> Wants:
    images, scripts = operations(endpoint, payload)
    several = len(images) > 1
    given = {"image_folder": images} if several else {"image": images[0]}
    made = Wants({"extras_mode": int(several), **given}, operations=scripts)
    known = {script.title for script in webui.page_scripts("extras")}
    for title in scripts:
        if title not in known:
            made.unset.append(Unset(title, "missing", {}))
    options = payload.get("override_settings") or {}
    for name in _unlike(webui, options):
        made.unset.append(_setting(webui, name, options[name]))
    mode = scripts.get("Upscale", {}).get("upscale_mode", 0)
    made.panels = [
        "tab_extras",
        "extras_batch_process_tab" if several else "extras_single_tab",
        "extras_scale_to_tab" if mode == 1 else "extras_scale_by_tab",
    ]
    return made


def _unlike(webui: Webui, options: Mapping[str, Any]) -> list[str]:
    """Those that are set otherwise, where there is no field for them."""
    return [name for name in options if any(webui.override_texts({name: options[name]}))]


def _decoded(value: Any, fetch: Fetch) -> Any:
    """The payload with pictures in place of its references."""
    if (sha256 := referred(value)) is not None:
        return _opened(fetch(sha256))
    if isinstance(value, dict):
        return {key.removeprefix("$"): _decoded(item, fetch) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item, fetch) for item in value]
    if isinstance(value, str) and encoded_type(value):
        return _inline(value)
    return value


def _inline(text: str) -> Any:
    try:
        return _opened(base64.b64decode(text.partition(",")[2] or text, validate=True))
    except (binascii.Error, OSError):
        return text  # it only looks like a picture


def _opened(data: bytes) -> Image:
    from PIL import Image

    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture
