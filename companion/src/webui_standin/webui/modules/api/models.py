"""Bodies and answers of the API. Field names, defaults and types: A1111 v1.10.1,
modules/api/models.py; the two request models follow the constructors of the processing classes.
"""

import dataclasses
import typing
from typing import Any, Optional

from pydantic import BaseModel, Field, create_model

from modules.processing import StableDiffusionProcessingImg2Img, StableDiffusionProcessingTxt2Img
from modules.shared import opts, parser
from webui_standin.flavour import is_forge

API_NOT_ALLOWED = [
    "sd_model",
    "outpath_samples",
    "outpath_grids",
    "sampler_index",
    "extra_generation_params",
    "overlay_images",
    "do_not_reload_embeddings",
    "seed_enable_extras",
    "prompt_for_display",
    "ddim_discretize",
]
_OF_REQUEST = {
    "sampler_index": (str, "Euler"),
    "script_name": (Optional[str], None),
    "script_args": (list, []),
    "send_images": (bool, True),
    "save_images": (bool, False),
    "alwayson_scripts": (dict, {}),
    "force_task_id": (Optional[str], None),
    "infotext": (Optional[str], None),
}
_OF_IMG2IMG = {
    "init_images": (Optional[list], None),
    "denoising_strength": (float, 0.75),
    "mask": (Optional[str], None),
    "include_init_images": (bool, False),
}


def _request_model(name, cls, extra):
    """A body with one optional field for each argument of a constructor, and some of its own.

    Where a base class has the argument as well its default counts: so txt2img's
    ``denoising_strength`` is null, and hires. fix fails without one.
    """
    hints = typing.get_type_hints(cls)
    ancestors = [kind for kind in cls.__mro__ if dataclasses.is_dataclass(kind)]
    defaults = {i.name: _default(i) for kind in ancestors for i in dataclasses.fields(kind)}
    fields = {
        item.name: (Optional[_json_type(hints[item.name])], defaults[item.name])
        for item in dataclasses.fields(cls)
        if item.init and item.name not in API_NOT_ALLOWED
    }
    return create_model(name, **{**fields, **extra})


def _json_type(kind):
    return str if getattr(kind, "__name__", "") == "PIL.Image" else kind


def _default(item):
    # A field that a property of the same name hides has the property as its default.
    return None if isinstance(item.default, property) else item.default


StableDiffusionTxt2ImgProcessingAPI = _request_model(
    "StableDiffusionProcessingTxt2Img", StableDiffusionProcessingTxt2Img, _OF_REQUEST
)
StableDiffusionImg2ImgProcessingAPI = _request_model(
    "StableDiffusionProcessingImg2Img",
    StableDiffusionProcessingImg2Img,
    {**_OF_REQUEST, **_OF_IMG2IMG},
)


class TextToImageResponse(BaseModel):
    """Pictures in base64, the request, and the result's info as JSON text."""

    images: list[str] | None = None
    parameters: dict
    info: str


class ImageToImageResponse(TextToImageResponse):
    """The same."""


class ExtrasBaseRequest(BaseModel):
    """What both Extras endpoints take; sizes in pixels, visibilities from 0 to 1."""

    resize_mode: typing.Literal[0, 1] = 0
    show_extras_results: bool = True
    gfpgan_visibility: float = Field(default=0, ge=0, le=1)
    codeformer_visibility: float = Field(default=0, ge=0, le=1)
    codeformer_weight: float = Field(default=0, ge=0, le=1)
    upscaling_resize: float = Field(default=2, gt=0)
    upscaling_resize_w: int = Field(default=512, ge=1)
    upscaling_resize_h: int = Field(default=512, ge=1)
    upscaling_crop: bool = True
    upscaler_1: str = "None"
    upscaler_2: str = "None"
    extras_upscaler_2_visibility: float = Field(default=0, ge=0, le=1)
    upscale_first: bool = False


class ExtrasSingleImageRequest(ExtrasBaseRequest):
    """One picture in base64."""

    image: str = ""


class FileData(BaseModel):
    """A picture in base64 and its name."""

    data: str
    name: str


class ExtrasBatchImagesRequest(ExtrasBaseRequest):
    """Several pictures."""

    imageList: list[FileData]


class ExtrasSingleImageResponse(BaseModel):
    """One picture in base64."""

    html_info: str
    image: str | None = None


class ExtrasBatchImagesResponse(BaseModel):
    """Several pictures in base64."""

    html_info: str
    images: list[str]


class PNGInfoRequest(BaseModel):
    """A picture in base64."""

    image: str


class PNGInfoResponse(BaseModel):
    """Its infotext, its other texts, and the infotext's values."""

    info: str
    items: dict = {}
    parameters: dict = {}


class InterrogateRequest(BaseModel):
    """A picture in base64 and who is asked: clip or deepdanbooru."""

    image: str | None = ""
    model: str = "clip"


class InterrogateResponse(BaseModel):
    """What the picture shows."""

    caption: str | None = None


class ProgressRequest(BaseModel):
    """Whether the picture in progress is wanted."""

    skip_current_image: bool = False


class ProgressResponse(BaseModel):
    """Progress from 0 to 1, remaining seconds, state."""

    progress: float
    eta_relative: float
    state: dict
    current_image: str | None = None
    textinfo: str | None = None


def _option_type(default):
    kind = opts.typemap.get(type(default), type(default)) if default else Any
    return Optional[kind]


def options_model():
    """The settings as a model whose defaults stand in for what was never set."""
    fields = {
        key: (_option_type(info.default), info.default) for key, info in opts.data_labels.items()
    }
    return create_model("Options", **fields)


def flags_model():
    """The command line as a model."""
    flags = {}
    for action in parser._actions:
        if action.dest != "help":
            flags[action.dest] = (Optional[Any], action.default)
    return create_model("Flags", **flags)


OptionsModel = options_model()
FlagsModel = flags_model()


class SamplerItem(BaseModel):
    """A sampler."""

    name: str
    aliases: list[str]
    options: dict[str, Any] if is_forge() else dict[str, str]


class SchedulerItem(BaseModel):
    """A schedule."""

    name: str
    label: str
    aliases: list[str] | None = None
    default_rho: float | None = None
    need_inner_model: bool | None = None


class UpscalerItem(BaseModel):
    """An upscaler."""

    if is_forge():
        model_config = {"protected_namespaces": ()}
    name: str
    model_name: str | None = None
    model_path: str | None = None
    model_url: str | None = None
    scale: float | None = None


class LatentUpscalerModeItem(BaseModel):
    """A latent upscale mode."""

    name: str


class SDModelItem(BaseModel):
    """A checkpoint."""

    if is_forge():
        model_config = {"protected_namespaces": ()}
    title: str
    model_name: str
    hash: str | None = None
    sha256: str | None = None
    filename: str
    config: str | None = None


class SDVaeItem(BaseModel):
    """A VAE."""

    if is_forge():
        model_config = {"protected_namespaces": ()}
    model_name: str
    filename: str


class HypernetworkItem(BaseModel):
    """A hypernetwork."""

    name: str
    path: str | None = None


class FaceRestorerItem(BaseModel):
    """A face restorer."""

    name: str
    cmd_dir: str | None = None


class RealesrganItem(BaseModel):
    """A Real-ESRGAN model."""

    name: str
    path: str | None = None
    scale: int | None = None


class PromptStyleItem(BaseModel):
    """A style."""

    name: str
    prompt: str | None = None
    negative_prompt: str | None = None


class EmbeddingsResponse(BaseModel):
    """Textual inversions."""

    loaded: dict
    skipped: dict


class MemoryResponse(BaseModel):
    """Memory in bytes."""

    ram: dict
    cuda: dict


class ScriptsList(BaseModel):
    """Names of the scripts of both tabs."""

    txt2img: list | None = None
    img2img: list | None = None


class ScriptArg(BaseModel):
    """One argument of a script."""

    label: str | None = None
    value: Any | None = None
    minimum: Any | None = None
    maximum: Any | None = None
    step: Any | None = None
    choices: list[str] | None = None


class ScriptInfo(BaseModel):
    """A script and its arguments."""

    name: str | None = None
    is_alwayson: bool | None = None
    is_img2img: bool | None = None
    args: list[ScriptArg]


class ExtensionItem(BaseModel):
    """An extension that git knows."""

    name: str
    remote: str
    branch: str | None = None
    commit_hash: str | None = None
    version: str | None = None
    commit_date: str | None = None
    enabled: bool


def script_info(script):
    """What the API tells about a script whose controls exist."""
    args = [_script_arg(control) for control in script.controls]
    return ScriptInfo(
        name=script.name, is_alwayson=script.alwayson, is_img2img=script.is_img2img, args=args
    )


def _script_arg(control):
    arg = ScriptArg(label=getattr(control, "label", None) or "")
    for field in ("value", "minimum", "maximum", "step"):
        value = getattr(control, field, None)
        if value is not None:
            setattr(arg, field, value)
    choices = getattr(control, "choices", None)
    if choices is not None:
        arg.choices = [str(item[0]) if isinstance(item, tuple) else str(item) for item in choices]
    return arg
