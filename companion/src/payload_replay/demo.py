"""The demo: a stand-in webui with this checkout as its extension, pictures made on its page and
through its API, captured, its settings reset, and each capture replayed.
"""

from __future__ import annotations

import csv
import io
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from .batch import Outcome
from .capture import TXT2IMG, AssetError, Capture, FormatError, Result
from .client import WebUI
from .errors import NoAPI, NotFound, ReplayError, UnexpectedAnswer
from .images import png
from .page import Page
from .report import Entry

EXTENSION = "sd-webui-payload-capture"
SIZE = (192, 128)
LEAD = (
    "Pictures of a stand-in webui: drawn, not diffused, from every input that decides pixels. Each "
    "was made as the line below it says and captured; then the settings were reset and the capture "
    "was sent back. On the left what was captured, on the right what came back."
)
PATIENCE = 20.0
"""Seconds until a finished generation must be in the store."""


class NoCheckout(ReplayError):
    """The demo runs from a checkout of the repository, which is the extension itself."""


@dataclass(frozen=True)
class Names:
    """What the stand-in has, by name; `vae` is the setting that chooses another one."""

    checkpoints: list[str]
    vae: dict[str, Any]
    loras: list[str]
    styles: list[str]


@dataclass(frozen=True)
class Kind:
    """One kind of generation.

    `fields` are the page's by element id, or a payload where `tab` is empty: then it is made
    through the API. `options` are set for everybody before, and reset before the replay.
    """

    title: str
    tab: str = "txt2img"
    fields: Mapping[Any, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        made = f"made on the {self.tab} page" if self.tab else "made through the API"
        settings = ", ".join(f"{name} = {value}" for name, value in self.options.items())
        return f"{made}, with {settings} set globally" if settings else made


@dataclass(frozen=True)
class Shown:
    """A kind, and what came of its capture."""

    kind: Kind
    outcome: Outcome
    entry: Entry


@contextmanager
def host(extension: Path, port: int = 0, flavour: str | None = None) -> Iterator[Any]:
    """A stand-in with this extension, as `webui_standin.Process`."""
    from webui_standin import Process

    with tempfile.TemporaryDirectory(prefix="payload-demo-") as folder:
        (Path(folder) / "styles.csv").write_text(_styles(), encoding="utf-8")
        given: dict[str, Any] = {"extensions": {EXTENSION: extension}, "flavour": flavour}
        with Process(port, data_dir=folder, **given) as process:
            yield process


def checkout() -> Path:
    """The repository that this file lies in. Raises NoCheckout."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "extension" / "payload_capture").is_dir():
        raise NoCheckout(
            "the demo needs a checkout of the repository: clone it, and run "
            "`python3 companion demo` in it"
        )
    return root


def run(url: str) -> Iterator[Shown]:
    """Make, capture and replay every kind, one by one. Raises ReplayError."""
    webui, page = WebUI(url, timeout=120), Page(url)
    normal = webui.options()
    for kind in kinds(names(webui)):
        outcome = _comes_back(webui, page, kind, normal)
        entry = Entry(kind.title, kind.origin, outcome, lambda r: _stored(webui, r))
        yield Shown(kind, outcome, entry)


def control(url: str) -> Outcome:
    """Proof that the comparison can fail: the newest capture, replayed with another seed."""
    webui = WebUI(url, timeout=120)
    capture = webui.captures.latest()
    seed = int(capture.payload["seed"]) + 1
    other = replace(capture, payload=capture.payload | {"seed": seed})
    return Outcome("control", webui.replay(other))


def names(webui: WebUI) -> Names:
    """What this webui offers to choose from."""
    return Names(
        [model.title for model in webui.models()],
        _vae(webui),
        [lora.name for lora in webui.loras()],
        [style.name for style in webui.styles()],
    )


def _vae(webui: WebUI) -> dict[str, Any]:
    try:
        return {"sd_vae": webui.vaes()[-1].model_name}
    except NoAPI:  # Forge has modules in its place
        return {"forge_additional_modules": [webui.modules()[-1].filename]}


def kinds(has: Names) -> list[Kind]:
    """The kinds of generation that the demo shows."""
    second = has.checkpoints[-1]
    settings = {"CLIP_stop_at_last_layers": 2, "eta_noise_seed_delta": 31337}
    weights = {"sd_model_checkpoint": second, **has.vae}
    return [
        Kind("Plain", fields=_page("txt2img", seed=1)),
        Kind("Random seed", fields=_page("txt2img")),
        Kind("Variation of a seed, at random", fields=_page("txt2img", seed=5) | _VARIATION),
        Kind("Batch of 2×2", fields=_page("txt2img") | _BATCH),
        Kind("Hires fix, own sampler and prompt", fields=_page("txt2img") | _HIRES),
        Kind("Refiner", fields=_page("txt2img") | _REFINER | {"txt2img_checkpoint": second}),
        Kind("Styles", fields=_page("txt2img") | {"txt2img_styles": has.styles[:2]}),
        Kind("LoRA", fields=_page("txt2img", f"hills at noon <lora:{has.loras[0]}:0.8>")),
        Kind("Always-on script", fields=_page("txt2img") | _TINT),
        Kind("Prompt matrix", fields=_page("txt2img", "hills|in fog|at night") | _MATRIX),
        Kind("X/Y/Z plot with Prompt S/R", fields=_page("txt2img", "red hills") | _XYZ),
        Kind("img2img", "img2img", _page("img2img") | _IMG2IMG),
        Kind("Inpaint upload", "img2img", _page("img2img") | _INPAINT),
        Kind("Clip skip and ENSD set globally", fields=_page("txt2img"), options=settings),
        Kind("Checkpoint and VAE set globally", fields=_page("txt2img"), options=weights),
        Kind("A prompt with HTML in it", fields=_page("txt2img", "<img src=x onerror=alert(1)>")),
        Kind("Through the API", "", _API),
        Kind("Through the API, overriding settings", "", _API | {"override_settings": settings}),
    ]


def _comes_back(webui: WebUI, page: Page, kind: Kind, normal: Mapping[str, Any]) -> Outcome:
    before = _newest(webui)
    try:
        with _set(webui, kind.options, normal):
            _make(webui, page, kind)
            capture = _captured(webui, before)
        _check(capture)
        return Outcome(kind.title, webui.replay(capture))
    except (ReplayError, FormatError) as error:
        return Outcome(kind.title, error=error)


def _make(webui: WebUI, page: Page, kind: Kind) -> None:
    if kind.tab:
        page.generate(kind.tab, kind.fields)
    else:
        webui.post(TXT2IMG, kind.fields)


@contextmanager
def _set(webui: WebUI, options: Mapping[str, Any], normal: Mapping[str, Any]) -> Iterator[None]:
    if options:
        webui.set_options(options)
    try:
        yield
    finally:
        if options:
            webui.set_options({name: normal[name] for name in options})


def _newest(webui: WebUI) -> str | None:
    return next((row["id"] for row in webui.captures.list(1)), None)


def _captured(webui: WebUI, before: str | None) -> Capture:
    """The capture of the job that has just ended; it is written off the generation's thread."""
    deadline = time.monotonic() + PATIENCE
    while (newest := _newest(webui)) == before:
        if time.monotonic() > deadline:
            raise NotFound(f"nothing was captured within {PATIENCE:.0f} seconds")
        time.sleep(0.05)
    return webui.captures.get(str(newest))


def _check(capture: Capture) -> None:
    """A capture without pictures would have nothing to prove."""
    if not capture.samples:
        raise UnexpectedAnswer(f"the capture {capture.id} holds no pictures")


def _stored(webui: WebUI, result: Result) -> bytes | None:
    for name in (result.asset, result.thumbnail):
        if name is not None:
            try:
                return webui.captures.asset(name)
            except (ReplayError, AssetError):
                continue
    return None


def _page(tab: str, prompt: str = "green hills by a lake", seed: int = -1) -> dict[Any, Any]:
    return {
        f"{tab}_prompt": prompt,
        f"{tab}_steps": 4,
        f"{tab}_seed": seed,
        f"{tab}_width": SIZE[0],
        f"{tab}_height": SIZE[1],
    }


def _init() -> bytes:
    image = Image.linear_gradient("L").resize(SIZE)
    image = Image.merge("RGB", (image, image.rotate(180), Image.new("L", SIZE, 120)))
    return png(image)


def _mask() -> bytes:
    image = Image.new("L", SIZE, 0)
    ImageDraw.Draw(image).ellipse((48, 24, 144, 104), fill=255)
    return png(image)


def _styles() -> str:
    text = io.StringIO()
    rows = [
        ("name", "prompt", "negative_prompt"),
        ("evening", "{prompt}, evening light", "noon"),
        ("soft", "soft, misty", ""),
    ]
    csv.writer(text).writerows(rows)
    return text.getvalue()


_VARIATION = {
    "txt2img_subseed_show": True,
    "txt2img_subseed": -1,
    "txt2img_subseed_strength": 0.4,
}
_BATCH = {"txt2img_batch_count": 2, "txt2img_batch_size": 2}
_HIRES = {
    "txt2img_hr": True,
    "txt2img_hr_scale": 1.5,
    "txt2img_hr_upscaler": "Latent",
    "txt2img_hires_steps": 3,
    "txt2img_denoising_strength": 0.6,
    "hr_sampler": "Euler a",
    "hires_prompt": "green hills and a castle",
}
_REFINER = {"txt2img_enable": True, "txt2img_switch_at": 0.5}
_TINT = {"script_txt2img_tint_enable": True, "script_txt2img_tint_word": "amber"}
_MATRIX = {"script_list": "Prompt matrix"}
_XYZ = {
    "script_list": "X/Y/Z plot",
    "script_txt2img_xyz_plot_x_type": "Prompt S/R",
    "script_txt2img_xyz_plot_x_values": "red, blue",
    "script_txt2img_xyz_plot_y_type": "Steps",
    "script_txt2img_xyz_plot_y_values": "3,4",
    "script_txt2img_xyz_plot_include_lone_images": True,
}
_MODE = 1  # the input that says which of img2img's tabs is open; the page's own script fills it
_IMG2IMG = {_MODE: 0, "img2img_image": _init()}
_INPAINT = {_MODE: 4, "img_inpaint_base": _init(), "img_inpaint_mask": _mask()}
_API = {
    "prompt": "green hills by the sea",
    "steps": 4,
    "width": SIZE[0],
    "height": SIZE[1],
    "seed": -1,
}
