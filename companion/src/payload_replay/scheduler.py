"""What sd-webui-agent-scheduler exports (``GET /agent-scheduler/v1/export``), never unpickled.

It is a list of tasks (a337533, ``agent_scheduler/db/task.py``): ``params`` is JSON with the named
arguments under ``args``, `checkpoint`, `vae`, `is_ui` and `is_img2img`; ``script_params`` is the
base64 of a zlib-compressed pickle of the script arguments. A pickle runs what its author wrote, so
it is compared with that of an empty list, byte by byte, and otherwise left out and named. A task
of the page keeps sampler, steps and seed in there: it cannot be sent as it is.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

from PIL import Image

from .capture import IMG2IMG, TXT2IMG, Caveat, FormatError
from .images import base64_of
from .named import SAME
from .parameters import Remade, settings_of

MAX_TASKS = 10_000
MAX_PIXELS = 64 * 2**20
"""Of one picture; its bytes are unpacked no further than its size says."""

_EMPTY = {b"\x80\x02]q\x00.", b"\x80\x03]q\x00.", b"\x80\x04]\x94.", b"\x80\x05]\x94."}
_PAGE = {
    "prompt", "negative_prompt", "steps", "sampler_name", "n_iter", "batch_size", "cfg_scale",
    "distilled_cfg_scale", "height", "width", "enable_hr", "denoising_strength", "hr_scale",
    "hr_upscaler", "hr_second_pass_steps", "hr_resize_x", "hr_resize_y", "hr_checkpoint_name",
    "hr_sampler_name", "hr_scheduler", "hr_prompt", "hr_negative_prompt", "mask_blur",
    "inpainting_fill", "image_cfg_scale", "resize_mode", "inpaint_full_res_padding", "seed",
    "subseed", "subseed_strength", "restore_faces", "tiling", "hr_cfg", "hr_distilled_cfg",
}  # fmt: skip
"""What the page's own arguments call as the API does."""
_AS_FIRST = {"hr_checkpoint_name", "hr_sampler_name", "hr_scheduler"}
"""Of these the page says "Use same …" where the API takes nothing but names."""
_PICTURES = {
    0: ("init_img", None),
    2: ("init_img_with_mask", "image"),
    4: ("init_img_inpaint", None),
}
_MASKS = {2: ("init_img_with_mask", "mask"), 4: ("init_mask_inpaint", None)}
_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def is_export(tasks: list[Any]) -> bool:
    return bool(tasks) and all(isinstance(t, dict) and "script_params" in t for t in tasks)


def read(tasks: list[Any]) -> list[Remade]:
    """What each task sends. Raises FormatError, naming the task by its place."""
    if len(tasks) > MAX_TASKS:
        raise FormatError("", f"{len(tasks)} tasks; {MAX_TASKS} are the most")
    return [_task(f"[{index}]", task) for index, task in enumerate(tasks)]


def _task(where: str, task: Mapping[str, Any]) -> Remade:
    params = task.get("params")
    args = params.get("args") if isinstance(params, dict) else None
    if not isinstance(params, dict) or not isinstance(args, dict):
        raise FormatError(f"{where}.params.args", "missing, or not an object")
    img2img = task.get("type") == "img2img" or params.get("is_img2img") is True
    made = Remade(IMG2IMG if img2img else TXT2IMG)
    page = params.get("is_ui") is not False
    made.payload = _of_page(where, args, made) if page else _of_api(args)
    given = made.payload.pop("override_settings", {})
    if not isinstance(given, dict):
        raise FormatError(f"{where}.params.args.override_settings", "expected an object")
    settings = given | _models(params)
    if settings:
        made.payload["override_settings"] = settings
    if not _empty(task.get("script_params")):
        made.warnings.append(_left_out(page))
    return made


def _left_out(page: bool) -> Caveat:
    what = "the arguments of scripts"
    what += ", sampler, steps and seed" if page else " that were selected"
    reason = f"{what} are in the task as a pickle, which is never read: it could run anything"
    return Caveat("script_args", reason, "blocks" if page else "pixels")


def _of_api(args: Mapping[str, Any]) -> dict[str, Any]:
    """A field of None is one that the task's author did not send."""
    return {name: value for name, value in args.items() if value is not None}


def _of_page(where: str, args: Mapping[str, Any], made: Remade) -> dict[str, Any]:
    payload = {name: value for name, value in args.items() if _says(name, value)}
    if isinstance(styles := args.get("prompt_styles"), list):
        payload["styles"] = styles
    texts = args.get("override_settings_texts")
    if isinstance(texts, list):
        payload["override_settings"] = settings_of(
            [text for text in texts if isinstance(text, str)]
        )
    if made.endpoint == IMG2IMG:
        _add_pictures(where, args, payload, made)
    return payload


def _says(name: str, value: Any) -> bool:
    return name in _PAGE and value is not None and not (name in _AS_FIRST and value in SAME)


def _add_pictures(
    where: str, args: Mapping[str, Any], payload: dict[str, Any], made: Remade
) -> None:
    mode = args.get("mode")
    mode = mode if isinstance(mode, int) else -1
    image = _found(args, _PICTURES.get(mode))
    if image is None:
        reason = f"no init image that can be read in the page's mode {args.get('mode')!r}"
        made.warnings.append(Caveat("init_images", reason, "blocks"))
        return
    payload["init_images"] = [_png(f"{where}.params.args", image)]
    if (mask := _found(args, _MASKS.get(mode))) is not None:
        payload["mask"] = _png(f"{where}.params.args", mask)
        payload["inpainting_mask_invert"] = int(bool(args.get("inpainting_mask_invert")))
        payload["inpaint_full_res"] = bool(args.get("inpaint_full_res"))


def _found(args: Mapping[str, Any], place: tuple[str, str | None] | None) -> Any:
    value = args.get(place[0]) if place else None
    return value.get(place[1]) if place and place[1] and isinstance(value, dict) else value


def _png(where: str, image: Any) -> str:
    """A picture that the task holds as packed pixels, as base64 of a PNG."""
    try:
        (width, height), mode = image["size"], image["mode"]
        length = width * height * _MODES[mode]
        if image["cls"] != "Image" or not 0 < width * height <= MAX_PIXELS:
            raise ValueError("no picture, or too large")
        pixels = _unpacked(base64.b64decode(image["data"], validate=True), length)
        return base64_of(Image.frombytes(mode, (width, height), pixels))
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise FormatError(where, f"a picture that cannot be read: {error}") from error


def _unpacked(data: bytes, length: int) -> bytes:
    unpacked = zlib.decompressobj().decompress(data, length + 1)
    if len(unpacked) != length:
        raise ValueError("its pixels are not as many as its size says")
    return unpacked


def _models(params: Mapping[str, Any]) -> dict[str, str]:
    names = {"sd_model_checkpoint": params.get("checkpoint"), "sd_vae": params.get("vae")}
    return {k: v for k, v in names.items() if isinstance(v, str) and v not in ("", "System")}


def _empty(script_params: Any) -> bool:
    """Whether the pickle is that of an empty list: compared, not read."""
    if not isinstance(script_params, str):
        return not script_params
    try:
        data = base64.b64decode(script_params, validate=True)
        return zlib.decompressobj().decompress(data, 64) in _EMPTY
    except (binascii.Error, ValueError, zlib.error):
        return False
