"""What the API takes of scripts whose page holds something else, by the script's title.

Most scripts need nothing: `values.Encoder` says their arguments in JSON, and the API gives the
script the same. An adapter is for the others. Its docstring names the project, file and version
that each fact is from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from payload_capture.values import Encoder, Picture

Encode = Callable[[list[Any], Encoder, str], Any]
Off = Callable[[list[Any]], Any]
Effect = Callable[[list[Any], Encoder, dict[str, Any]], None]
Anew = Callable[[list[Any], str], str]


class Adapter(NamedTuple):
    """How one script is written down. All of it is optional.

    encode: (args, encoder, path) → the args as the API takes them, JSON with `Picture` objects.
    off: args, as the page or a payload holds them → whether the script does nothing with them;
        None where that is unknown.
    effect: (args, encoder, payload) → changes the payload, where the script's work on the job can
        be said there and not in its arguments.
    anew: (args, the job's prompts) → why it makes others of them each time, "" where it does not.
        Only for scripts whose first argument is their switch.
    """

    encode: Encode | None = None
    off: Off | None = None
    effect: Effect | None = None
    anew: Anew | None = None


def register(title: str, adapter: Adapter) -> None:
    """Use `adapter` for the script of this title, in any case and with any version behind it."""
    _ADAPTERS[_key(title)] = adapter


def adapter_of(title: str) -> Adapter:
    """The script's adapter; one that does nothing where there is none."""
    return _ADAPTERS.get(_key(title)) or Adapter()


def encode_args(title: str, args: list[Any], encoder: Encoder, path: str) -> Any:
    """A script's arguments as the API takes them. Never raises."""
    encode = adapter_of(title).encode
    if encode is None:
        return encoder.encode(list(args), path)
    try:
        return encode(list(args), encoder, path)
    except Exception as error:
        encoder.warn(path, _failed("encode", title, error))
        return encoder.encode(list(args), path)


def is_off(title: str, args: list[Any]) -> bool | None:
    """Whether the script does nothing with these arguments; None where that is unknown."""
    off = adapter_of(title).off
    try:
        found = None if off is None else off(list(args))
    except Exception:
        return None  # other arguments than the adapter knows
    return found if isinstance(found, bool) else None


def apply_effect(title: str, args: list[Any], encoder: Encoder, payload: dict[str, Any]) -> None:
    """Put into `payload` what the script does to the job, where its adapter knows. Never raises."""
    effect = adapter_of(title).effect
    if effect is None:
        return
    try:
        effect(list(args), encoder, payload)
    except Exception as error:
        encoder.warn(f"alwayson_scripts.{title}.args", _failed("effect", title, error))


def draws_anew(title: str, args: list[Any], prompts: str) -> str:
    """Why the script makes other prompts each time, or "" where it does not. Never raises."""
    anew = adapter_of(title).anew
    try:
        return "" if anew is None else anew(list(args), prompts)
    except Exception:
        return ""  # other arguments than the adapter knows


def _failed(what: str, title: str, error: Exception) -> str:
    return f"the adapter of {title!r} failed to {what} ({type(error).__name__}: {error})"


def _key(title: str) -> str:
    # "Dynamic Prompts v2.17.1" carries its version.
    return re.sub(r"\s+v?\d+(\.\d+)+\S*$", "", title.strip().lower())


# ---- helpers of adapters


def field(value: Any, name: str, default: Any = None) -> Any:
    """A field of a unit, which may be an object or, from the API, a dict."""
    return value.get(name, default) if isinstance(value, Mapping) else getattr(value, name, default)


def switched(index: int) -> Off:
    """Off where the switch at `index` of the arguments is."""

    def off(args: list[Any]) -> bool | None:
        return not args[index] if isinstance(args[index], bool) else None

    return off


def _off_units(args: list[Any]) -> bool | None:
    enabled = [field(unit, "enabled", False) for unit in args if unit is not None]
    return not any(enabled) if all(isinstance(one, bool) for one in enabled) else None


def _unit_names(unit: Any) -> list[str]:
    declared = getattr(type(unit), "model_fields", None) or getattr(type(unit), "__fields__", None)
    return list(dict.fromkeys([*(declared or ()), *vars(unit)]))


# ---- ControlNet


def _controlnet(args: list[Any], encoder: Encoder, path: str) -> list[Any]:
    """Units of ControlNet, which has three relatives under one title.

    An API request's dict goes through as it is. A unit that is off, or none, is sent as
    ``{"enabled": false}``: Forge decodes the pictures of every unit and refuses all when one is
    bad (`ControlNetUnit.from_dict`, ``lib_controlnet/external_code.py`` at dfdcbab6), Mikubill's
    checks the names of model and module of every unit (``internal_controlnet/args.py``, v1.1.455).
    """
    return [_unit(unit, encoder, f"{path}[{index}]") for index, unit in enumerate(args)]


def _unit(unit: Any, encoder: Encoder, path: str) -> Any:
    if isinstance(unit, Mapping) and unit.get("enabled", True):
        return encoder.encode(unit, path)
    if unit is None or not field(unit, "enabled", False):
        return {"enabled": False}
    if hasattr(unit, "generated_image"):
        return _forge_unit(unit, encoder, path)
    return _mikubill_unit(unit, encoder, path)


def _input_mode(unit: Any) -> str:
    mode = field(unit, "input_mode", "simple")
    return str(getattr(mode, "value", mode))


_PAGE_ONLY = {
    *("is_ui", "input_mode", "batch_images", "output_dir", "loopback"),
    *("batch_mask_dir", "animatediff_batch", "batch_modifiers", "batch_image_files"),
    "batch_keyframe_idx",
}


def _mikubill_unit(unit: Any, encoder: Encoder, path: str) -> Any:
    """Mikubill/sd-webui-controlnet v1.1.455, ``internal_controlnet/args.py``.

    `image` may be {"image", "mask"} or a list of such, of base64 as of arrays; the enums are read
    by value. `_PAGE_ONLY` are the page's and AnimateDiff's fields, except where a unit takes
    several pictures or a folder: there `input_mode` decides, and the API reads it by value.
    """
    left_out = _PAGE_ONLY
    mode = _input_mode(unit)
    if mode in ("merge", "batch"):
        left_out = _PAGE_ONLY - {"input_mode", "batch_images"}
    if mode == "batch":
        encoder.warn(f"{path}.batch_images", "a folder of the server, and what lies in it then")
    names = [name for name in _unit_names(unit) if name not in left_out]
    made = encoder.attributes(unit, names, path)
    return {name: value for name, value in made.items() if value is not None}


_DARK = 5
_FORGE_PAGE_ONLY = {
    *("use_preview_as_input", "generated_image", "image", "image_fg", "mask_image"),
    *("mask_image_fg", "batch_input_gallery", "batch_mask_gallery", "multi_inputs_gallery"),
}


_PREFERENCES = ("Prefer Prompt", "Prefer ControlNet")
"""reForge's words. Its API makes an enum of them, which what makes the picture compares with text
(3b56b268, ``lib_controlnet/external_code.py``, ``scripts/controlnet.py``)."""


def _forge_unit(unit: Any, encoder: Encoder, path: str) -> Any:
    """The ControlNet built into Forge (dfdcbab6) and reForge (3b56b268).

    The API decodes `image` and `mask_image` alone, so what the page's unit would come to is worked
    out here, as `get_input_data` in ``scripts/controlnet.py`` of both does: the preview in place
    of the picture, a drawing on an empty canvas as the picture, a drawing as the mask.
    """
    left_out = set(_FORGE_PAGE_ONLY)
    mode = _input_mode(unit)
    if mode == "simple":
        left_out |= {"input_mode", "batch_image_dir", "batch_mask_dir"}
    else:
        reason = f"input mode {mode}: the API takes one picture for each unit"
        encoder.warn(f"{path}.input_mode", reason)
    if (preferred := field(unit, "control_mode", "")) in _PREFERENCES:
        reason = f"reForge's API takes {preferred!r} for Balanced"
        encoder.warn(f"{path}.control_mode", reason)
    names = [name for name in _unit_names(unit) if name not in left_out]
    made = encoder.attributes(unit, names, path)
    if unit.use_preview_as_input:
        made["module"] = "None"
    image, mask = _forge_pictures(unit)
    if image is not None:
        picture = encoder.encode(image, f"{path}.image")
        made["image"] = _opaque(picture) if image.max() < _DARK else picture
        if mask is not None:
            made["mask_image"] = encoder.encode(mask, f"{path}.mask_image")
    return made


def _forge_pictures(unit: Any) -> tuple[Any, Any]:
    """The picture and the mask, or None for those that the page would take from img2img."""
    if hasattr(unit, "image_fg"):
        image, drawn = unit.image, _alpha(unit.image_fg)
        masks = [_alpha(unit.mask_image_fg), unit.mask_image, drawn]
    else:
        image, drawn = _pair(unit.image)
        masks = [*_pair(unit.mask_image), drawn]
    mask = next((m for m in masks if m is not None and m.max() > _DARK), None)
    if unit.use_preview_as_input and unit.generated_image is not None:
        return unit.generated_image, mask
    if image is not None and drawn is not None and image.max() < _DARK < drawn.max():
        return drawn, mask
    return image, mask


def _alpha(layer: Any) -> Any:
    return None if layer is None else layer[:, :, 3]


def _pair(sketch: Any) -> tuple[Any, Any]:
    return (None, None) if sketch is None else (sketch["image"], sketch["mask"])


def _opaque(picture: Any) -> Any:
    """A dark picture with an alpha channel of 255.

    Both hosts take a picture whose numbers are all below `_DARK` for an empty canvas and its mask
    for the picture; Forge fails where there is no drawing.
    """
    if not isinstance(picture, Picture) or picture.image.mode not in ("L", "RGB"):
        return picture
    return Picture(picture.image.convert("RGBA"))


# ---- the others


def _adetailer(args: list[Any], encoder: Encoder, path: str) -> list[Any]:
    """Bing-su/adetailer v25.3.0 (36189cb), ``adetailer/args.py`` and ``aaaaaa/ui.py``.

    The page marks its dicts with ``is_api: ()``, which JSON cannot say; without it they are read
    as an API's. A key that is not of `ADetailerArgs` has the whole dict skipped in silence.
    """
    return [_detector(arg, encoder, f"{path}[{index}]") for index, arg in enumerate(args)]


def _detector(arg: Any, encoder: Encoder, path: str) -> Any:
    if not isinstance(arg, Mapping):
        return encoder.encode(arg, path)
    known = {key: value for key, value in arg.items() if str(key).startswith("ad_")}
    for key in arg.keys() - known.keys() - {"is_api"}:
        encoder.warn(f"{path}.{key}", "ADetailer refuses keys it does not know; left out")
    return encoder.encode(known, path)


def _adetailer_off(args: list[Any]) -> bool:
    """A first argument that is no bool counts as on (36189cb, ``is_ad_enabled``)."""
    tabs = [arg for arg in args if isinstance(arg, Mapping)]
    idle = all(t.get("ad_model", "None") == "None" or t.get("ad_tab_enable") is False for t in tabs)
    return args[0] is False or idle


def _regional_prompter(args: list[Any], encoder: Encoder, path: str) -> list[Any]:
    """hako-mikan/sd-webui-regional-prompter be62345, ``scripts/rp.py``, `process`.

    20 arguments; the one of the mask may be an array, gradio 3's {"image", "mask"} or gradio 4's
    editor value. As text it is read as a path or as base64, with or without ``data:``, in RGB.
    """
    return [
        _region_mask(arg, encoder, f"{path}[{index}]")
        if isinstance(arg, Mapping)
        else encoder.encode(arg, f"{path}[{index}]")
        for index, arg in enumerate(args)
    ]


def _region_mask(value: Mapping[str, Any], encoder: Encoder, path: str) -> Any:
    picture = value.get("composite", value.get("image"))
    if "composite" in value and picture is not None and not picture.any():
        picture = value["layers"][0]  # an empty composite: the script reads the first layer
    return encoder.encode(picture, path)


def _tiled_diffusion_effect(args: list[Any], encoder: Encoder, payload: dict[str, Any]) -> None:
    """pkuliyi2015/multidiffusion-upscaler-for-automatic1111 22798f6, ``scripts/tilediffusion.py``.

    21 arguments, then 10 for each region: first whether it is on, last its seed, drawn anew each
    time where it is -1. It decides what ``create_random_tensors`` gives, which the webui calls for
    masked latent noise alone (A1111 v1.6.0 to v1.10.1, Forge, reForge: `processing.py`).
    """
    if not (args[0] and args[18] and payload.get("inpainting_fill") == _LATENT_NOISE):
        return
    for start in range(21, len(args), 10):
        if args[start] and int(args[start + 9]) == -1:
            path = f"alwayson_scripts.tiled diffusion.args[{start + 9}]"
            reason = f"region {(start - 21) // 10 + 1} draws its own seed each time: fix it"
            encoder.warn(path, reason, "blocks")


_LATENT_NOISE = 2


def _demofusion(args: list[Any], encoder: Encoder, path: str) -> Any:
    """DemoFusion of the same extension, ``scripts/tileglobal.py`` and ``tile_methods``.

    "Random Jitter", the 14th argument and on by default, moves the windows by Python's own random
    numbers, which nothing seeds.
    """
    if args[0] and args[13]:
        reason = "“Random Jitter” moves the windows anew each time: switch it off"
        encoder.warn(f"{path}[13]", reason, "blocks")
    return encoder.encode(args, path)


def _dynamic_prompts_anew(args: list[Any], prompts: str) -> str:
    """adieyal/sd-dynamic-prompts v2.17.1, ``sd_dynamic_prompts/dynamic_prompting.py``.

    Its variants and wildcards follow the job's seed, but not where they are unlinked from it (the
    12th argument); the attention grabber (6th) and the random functions of Jinja2 templates (14th;
    ``jinja_extensions.py`` of dynamicprompts 0.31) draw from no seed, "I'm feeling lucky" (5th)
    asks a web site.
    """
    ways = {4: "I'm feeling lucky", 5: "Attention grabber", 11: "Unlink seed from prompt"}
    chosen = [f"“{name}”" for place, name in ways.items() if args[place]]
    if args[13] and _JINJA_DRAWS.search(prompts):
        chosen.append("“Enable Jinja2 templates”")
    return f"{chosen[0]} makes other prompts each time" if args[0] and chosen else ""


_JINJA_DRAWS = re.compile(r"\b(?:(?:weighted_)?choice|random|randint|random_sample)\b")


def _ultimate_upscale(args: list[Any], encoder: Encoder, path: str) -> Any:
    """Coyote-A/ultimate-upscale-for-automatic1111 2322caa, ``scripts/ultimate-upscale.py``.

    The first argument is a text of the page that `run` does not read; the ninth the upscaler's
    place in the server's list.
    """
    reason = f"the upscaler is number {args[8]} of this server's list; another's may differ"
    encoder.warn(f"{path}[8]", reason, "cosmetic")
    return encoder.encode(["", *args[1:]], path)


_ANIMATEDIFF_STATE = {"request_id", "video_default", "is_i2i_batch", "prompt_scheduler"}


def _animatediff(args: list[Any], encoder: Encoder, path: str) -> Any:
    """continue-revolution/sd-webui-animatediff a88e889, ``scripts/animatediff_ui.py``.

    One `AnimateDiffProcess`; the API takes a dict of the same names. `last_frame` is read from
    base64; `video_source` only as a path on the server.
    """
    unit = args[0]
    if isinstance(unit, (Mapping, type)):
        return encoder.encode(args, path)
    names = [name for name in vars(unit) if name not in {*_ANIMATEDIFF_STATE, "video_source"}]
    made = encoder.attributes(unit, names, f"{path}[0]")
    video = field(unit, "video_source")
    if isinstance(video, str) and encoder.is_upload(video):
        reason = "the path of an uploaded video, which the server deletes some day: copy it"
        encoder.warn(f"{path}[0].video_source", reason)
    made["video_source"] = video if isinstance(video, str) else None
    return [made]


def _animatediff_off(args: list[Any]) -> bool | None:
    enabled = field(args[0], "enable")
    return not enabled if isinstance(enabled, bool) else None


def _reactor(args: list[Any], encoder: Encoder, path: str) -> Any:
    """Gourieff/sd-webui-reactor v0.7.1-b2, ``scripts/reactor_faceswap.py``.

    31 arguments: the first a PIL picture, which may be base64 (``reactor_swapper.py``), the 26th
    uploaded files, of which the API has no form (``example/api_example.py``: "skip it for API").
    """
    made = encoder.encode([*args[:25], None, *args[26:]], path)
    if len(args) > 25 and args[25]:
        count = len(args[25]) if isinstance(args[25], list) else 1
        reason = f"{count} uploaded pictures: ReActor's API takes one, or a folder of the server"
        encoder.lost(f"{path}[25]", reason)
    return made


def _segment_anything(args: list[Any], encoder: Encoder, path: str) -> Any:
    """continue-revolution/sd-webui-segment-anything 982138c, ``scripts/process_params.py``.

    24 arguments whose pictures must be PIL objects and gallery entries with paths: none can be
    sent. `process` only puts them into the job, so the payload says what comes of that, and the
    script itself is sent switched off.
    """
    plain = {index: arg for index, arg in enumerate(args) if isinstance(arg, (bool, int))}
    return [plain.get(i) if i not in _SAM_SWITCHES else False for i in range(len(args))]


_SAM_SWITCHES = (0, 9, 12, 20)


def _segment_anything_off(args: list[Any]) -> bool:
    return not any(args[index] for index in _SAM_SWITCHES)


def _segment_anything_effect(args: list[Any], encoder: Encoder, payload: dict[str, Any]) -> None:
    """`SAMProcessUnit.set_process_attributes`: img2img's picture and mask, or ControlNet's."""
    path = "alwayson_scripts.segment anything.args"
    sources = (_segment(args[start : start + 8]) for start in (0, 12))
    found = next((source for source in sources if source is not None), None)
    if found is not None and "init_images" in payload:
        _inpaint(*found, encoder, payload)
        found = None
    if found is not None or args[9] or args[20]:
        reason = "Segment Anything puts a picture into a ControlNet unit: do so by hand"
        encoder.warn(path, reason)


def _segment(args: list[Any]) -> tuple[Any, str, bool] | None:
    """The picture, the mask's file, and whether the mask is to be inverted."""
    enabled, inverted, _, image, gallery, chosen, dilated, dilation = args
    if not enabled or image is None or gallery is None:
        return None
    entry = dilation[1] if dilated and dilation is not None else gallery[chosen + 3]
    return image, entry["name"], bool(inverted)


def _inpaint(
    image: Any, mask: str, inverted: bool, encoder: Encoder, payload: dict[str, Any]
) -> None:
    from PIL import ImageOps

    picture = encoder.upload(mask, "mask")
    if isinstance(picture, Picture):
        gray = picture.image.convert("L")
        payload["mask"] = Picture(ImageOps.invert(gray) if inverted else gray)
        payload["init_images"] = [encoder.encode(image, "init_images[0]")]


def _forge_couple(args: list[Any], encoder: Encoder, path: str) -> Any:
    """Haoming02/sd-forge-couple v7.0.7, ``lib_couple/ui.py`` and ``scripts/forge_couple.py``.

    The eighth argument is the list of regions; before a37deb3 a DataFrame, which becomes a
    list of lists. Masks are no argument: the script keeps what was drawn with itself, and prefers
    that to the argument, from the API too.
    """
    if args[0] and "Mask" in args[:4]:
        reason = "the masks are kept by the script and are no argument: draw them anew"
        encoder.warn(f"{path}[7]", reason)
    return encoder.encode(args, path)


def _block_weight_off(args: list[Any]) -> bool:
    """hako-mikan/sd-webui-lora-block-weight b403cb7, ``scripts/lora_block_weight.py``.

    18 arguments: presets as text, whether it is on (None is on), which plot it makes (0 is none).
    """
    return args[1] is False and not args[2]


_ADAPTERS = {
    "controlnet": Adapter(_controlnet, _off_units),
    "adetailer": Adapter(_adetailer, _adetailer_off),
    "regional prompter": Adapter(_regional_prompter, switched(0)),
    "tiled diffusion": Adapter(off=switched(0), effect=_tiled_diffusion_effect),
    "demofusion": Adapter(_demofusion, switched(0)),
    "tiled vae": Adapter(off=switched(0)),
    "dynamic prompts": Adapter(off=switched(0), anew=_dynamic_prompts_anew),
    "ultimate sd upscale": Adapter(_ultimate_upscale),
    "animatediff": Adapter(_animatediff, _animatediff_off),
    "reactor": Adapter(_reactor, switched(1)),
    "segment anything": Adapter(_segment_anything, _segment_anything_off, _segment_anything_effect),
    "forge couple": Adapter(_forge_couple, switched(0)),
    "lora block weight": Adapter(off=_block_weight_off),
}


def titles() -> Iterable[str]:
    """The titles that have an adapter, in lower case."""
    return sorted(_ADAPTERS)
