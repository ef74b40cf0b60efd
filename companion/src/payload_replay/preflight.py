"""What stands in the way of a replay, found before anything is sent.

A webui ignores an unknown checkpoint, VAE, sampler or scheduler without a word and generates with
what it has: only asking first tells a missing file from a broken promise.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .capture import (
    EXTRAS_BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    RUN,
    TXT2IMG,
    UPSCALE,
    Capture,
    Severity,
)
from .errors import InvalidPayload, NoAPI, NoExtension, ServerError, UnexpectedAnswer

if TYPE_CHECKING:
    from .client import WebUI

# A document from a stranger must not reach an endpoint that stops the server or changes it.
GENERATING = (TXT2IMG, IMG2IMG, EXTRAS_SINGLE, EXTRAS_BATCH)

_UNLISTED = (NoAPI, InvalidPayload, ServerError, UnexpectedAnswer)
_SAME = ("Use same sampler", "Use same scheduler", "Use same checkpoint")


@dataclass(frozen=True)
class Problem:
    """What is wrong, at which `path` of the capture, and whether it `blocks` a replay."""

    path: str
    reason: str
    severity: Severity = "blocks"

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Inventory:
    """The names that a server lists, asked for once and again where one is missing."""

    def __init__(self, webui: WebUI) -> None:
        self._webui = webui
        self._names: dict[str, set[str] | None] = {}
        self._arguments: Sequence[Mapping[str, Any]] | None = None

    def lacks(self, kind: str, name: str) -> bool:
        """Whether the server lists things of this kind, and none of this name."""
        return self._without(kind, name, fresh=False) and self._without(kind, name, fresh=True)

    def nearest(self, kind: str, name: str) -> str:
        """``; the nearest is …``, or nothing."""
        close = difflib.get_close_matches(name, self._names.get(kind) or (), 1, 0.5)
        return f"; the nearest is {close[0]!r}" if close else ""

    def choices(self, tab: str, title: str, place: int) -> list[str] | None:
        """What the argument of a script can be chosen from, where the server says it."""
        if self._arguments is None:
            try:
                self._arguments = self._webui.script_info()
            except _UNLISTED:
                self._arguments = []
        for script in self._arguments:
            mine = script.get("name") == title and script.get("is_img2img") is (tab == "img2img")
            args = script.get("args") if mine else None
            if isinstance(args, list) and place < len(args):
                return cast("list[str] | None", args[place].get("choices"))
        return None

    def _without(self, kind: str, name: str, *, fresh: bool) -> bool:
        if fresh or kind not in self._names:
            self._names[kind] = self._listed(kind)
        names = self._names[kind]
        return names is not None and name not in names

    def _listed(self, kind: str) -> set[str] | None:
        try:
            return set(_LISTS[kind](self._webui))
        except _UNLISTED:
            return None  # this version has no such list: the server itself will judge


def blocking(webui: WebUI, capture: Capture) -> str | None:
    """Why this capture must not be sent to this server, or None."""
    return next((str(p) for p in obstacles(webui, capture) if p.severity == "blocks"), None)


def problems(webui: WebUI, capture: Capture) -> Iterator[Problem]:
    """Everything known to stand in the way: first what the capture itself says."""
    yield from obstacles(webui, capture)
    if capture.host.settings:
        yield from fixed(capture, webui.options())


def obstacles(webui: WebUI, capture: Capture) -> Iterator[Problem]:
    """Those problems that may block; a server is asked only for the lists that they need."""
    yield from recorded(capture)
    yield from _routes(webui, capture)
    yield from missing(webui.inventory, capture)
    yield from shifted(webui.inventory, capture)


def recorded(capture: Capture) -> Iterator[Problem]:
    """What can be told without a server."""
    endpoint = capture.endpoint
    if endpoint not in GENERATING and not endpoint.startswith(RUN):
        yield Problem("endpoint", f"{endpoint} makes no pictures, so nothing is sent to it")
    if capture.job.state == "failed":
        why = capture.job.error or "without a word why"
        yield Problem("job.state", f"the captured generation failed ({why}); repair and redo it")
    if capture.job.state == "interrupted":
        yield Problem(
            "job.state",
            "the captured generation was interrupted, its pictures are of a broken-off run; "
            "let it finish and capture it again",
        )
    for warning in capture.warnings:
        yield Problem(warning.path, warning.reason, warning.severity)


def _routes(webui: WebUI, capture: Capture) -> Iterator[Problem]:
    """What only a server with the extension can make."""
    if not capture.endpoint.startswith(RUN):
        return
    try:
        offered = webui.captures.status().get("runs")
    except NoExtension:
        yield Problem("endpoint", f"{capture.endpoint} is the extension's, which is not installed")
        return
    if capture.endpoint not in (offered or ()):
        reason = "which needs --api" if offered == [] else "which this release does not have"
        yield Problem("endpoint", f"{capture.endpoint} is the extension's, {reason}")


def missing(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """What the payload names and the server does not list."""
    for path, kind, name in _named(capture):
        if inventory.lacks(kind, name):
            near = inventory.nearest(kind, name)
            yield Problem(path, f"the server has no {_NOUNS[kind]} {name!r}{near}")


def shifted(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Numbers among script arguments that stand for something else on the server."""
    for path, name in capture.choices.items():
        there = _choice(inventory, capture, path)
        if there is not None and there != name:
            yield Problem(path, f"stands for {name!r} where it was captured, for {there!r} here")


def fixed(capture: Capture, options: Mapping[str, Any]) -> Iterator[Problem]:
    """Settings that decide pixels, that no request can set, and that the server has otherwise."""
    for name, value in capture.host.settings.items():
        if name in options and options[name] != value:
            reason = f"was {value!r}, the server has {options[name]!r}, and no request can set it"
            yield Problem(f"host.settings.{name}", reason, "pixels")


_PLACE = re.compile(
    r"(?:requests\[(\d+)\]\.payload\.)?"
    r"(?:script_args|alwayson_scripts\.(.+)\.args)\[(\d+)\](?:\[(\d+)\])?"
)


def _choice(inventory: Inventory, capture: Capture, path: str) -> str | None:
    """What the number at a place stands for on the server; None where it does not say."""
    found = _PLACE.fullmatch(path)
    if found is None:
        return None
    number, title, place, several = found.groups()
    _, endpoint, payload = list(capture.requests())[int(number or 0)]
    args: Any = payload.get("script_args")
    if title is not None:
        args = payload.get("alwayson_scripts", {}).get(title, {}).get("args")
    name = title or str(payload.get("script_name"))
    choices = inventory.choices(_tab(endpoint), name.lower(), int(place))
    try:
        index = args[int(place)] if several is None else args[int(place)][int(several)]
        return choices[index] if choices else None
    except (LookupError, TypeError):
        return "nothing"


def _tab(endpoint: str) -> str:
    return "txt2img" if endpoint == UPSCALE else endpoint.rpartition("/")[2]


def _named(capture: Capture) -> Iterator[tuple[str, str, str]]:
    """Each (path, kind, name) of the payload that a server can lack."""
    for prefix, endpoint, payload in capture.requests():
        yield from _texts(
            payload.get("override_settings"), f"{prefix}override_settings.", _OVERRIDES
        )
        yield from _texts(payload, prefix, _FIELDS)
        yield from _several(payload, prefix)
        if (tab := _tab(endpoint)) in ("txt2img", "img2img"):
            for path, title in _scripts(payload):
                yield prefix + path, f"{tab} scripts", title.lower()
    for model in capture.host.embeddings:
        yield "payload.prompt", "embeddings", model.name


def _several(payload: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    """Styles, the networks that prompts name, and Forge's modules."""
    styles = payload.get("styles")
    for index, style in enumerate(styles if isinstance(styles, list) else ()):
        yield f"{prefix}styles[{index}]", "styles", str(style)
    for field in ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt"):
        text = payload.get(field)
        for network, name in _NETWORK.findall(text if isinstance(text, str) else ""):
            yield prefix + field, "hypernetworks" if network == "hypernet" else "LoRAs", name


_NETWORK = re.compile(r"<(lora|lyco|hypernet):([^:>]+)")


def _texts(
    values: Any, prefix: str, kinds: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    for field, kind in kinds if isinstance(values, dict) else ():
        value = values.get(field)
        if isinstance(value, str) and value and value not in _SAME:
            yield prefix + field, kind, value


def _scripts(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(payload.get("script_name"), str) and payload["script_name"]:
        yield "script_name", payload["script_name"]
    always_on = payload.get("alwayson_scripts")
    for title in always_on if isinstance(always_on, dict) else ():
        yield f"alwayson_scripts.{title}", title


_OVERRIDES = (("sd_model_checkpoint", "checkpoints"), ("sd_vae", "vaes"))
_FIELDS = (
    ("sampler_name", "samplers"),
    ("hr_sampler_name", "samplers"),
    ("scheduler", "schedulers"),
    ("hr_scheduler", "schedulers"),
    ("refiner_checkpoint", "refiners"),
    ("hr_checkpoint_name", "refiners"),
    ("hr_upscaler", "upscalers"),
    ("upscaler_1", "upscalers"),
    ("upscaler_2", "upscalers"),
)
_NOUNS = {
    "checkpoints": "checkpoint (and would silently use another)",
    "vaes": "VAE (and would silently use none)",
    "samplers": "sampler",
    "schedulers": "scheduler",
    "refiners": "checkpoint",
    "upscalers": "upscaler",
    "styles": "style (and would silently leave it out)",
    "LoRAs": "LoRA (and would silently leave it out)",
    "hypernetworks": "hypernetwork (and would silently leave it out)",
    "embeddings": "embedding (and would silently read its name as a word)",
    "txt2img scripts": "txt2img script",
    "img2img scripts": "img2img script",
}


def _checkpoints(webui: WebUI) -> Iterator[str]:
    for model in webui.models():
        title = str(model.get("title") or "")
        file = title.partition(" [")[0]
        stem = file.rpartition("/")[2].rpartition("\\")[2].rpartition(".")[0]
        short = str(model.get("hash") or "")
        yield from (title, file, stem, short, f"{stem} [{short}]", f"{file} [{short}]")
        yield from (str(model.get("model_name") or ""), str(model.get("sha256") or ""))


def _vaes(webui: WebUI) -> Iterator[str]:
    yield from ("Automatic", "None")
    yield from (str(vae.get("model_name")) for vae in webui.vaes())


def _samplers(webui: WebUI) -> Iterator[str]:
    """The names, and from 1.9 on also ``name scheduler``; an alias is not understood."""
    names = [str(sampler.get("name")) for sampler in webui.samplers()]
    yield from names
    try:
        suffixes = list(_schedulers(webui))
    except _UNLISTED:
        return
    yield from (f"{name} {suffix}" for name in names for suffix in suffixes)


def _schedulers(webui: WebUI) -> Iterator[str]:
    for scheduler in webui.schedulers():
        yield from (str(scheduler.get("name")), str(scheduler.get("label")))
        yield from scheduler.get("aliases") or ()


def _titles(tab: str) -> Callable[[WebUI], Iterable[str]]:
    return lambda webui: [title.lower() for title in webui.scripts().get(tab, [])]


def _upscalers(webui: WebUI) -> Iterator[str]:
    yield "None"
    yield from _names(webui.upscalers())
    yield from _names(webui.latent_upscale_modes())


def _loras(webui: WebUI) -> Iterator[str]:
    for lora in webui.loras():
        yield from (str(lora.get("name")), str(lora.get("alias")))


def _hypernetworks(webui: WebUI) -> Iterator[str]:
    yield from _names(webui.hypernetworks())


def _styles(webui: WebUI) -> Iterator[str]:
    yield from _names(webui.styles())


def _embeddings(webui: WebUI) -> Iterator[str]:
    for names in webui.embeddings().values():
        yield from names


def _refiners(webui: WebUI) -> Iterator[str]:
    yield from ("None", "none")
    yield from _checkpoints(webui)


def _names(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from (str(item.get("name")) for item in items)


_LISTS: dict[str, Callable[[WebUI], Iterable[str]]] = {
    "checkpoints": _checkpoints,
    "vaes": _vaes,
    "samplers": _samplers,
    "schedulers": _schedulers,
    "refiners": _refiners,
    "upscalers": _upscalers,
    "styles": _styles,
    "LoRAs": _loras,
    "hypernetworks": _hypernetworks,
    "embeddings": _embeddings,
    "txt2img scripts": _titles("txt2img"),
    "img2img scripts": _titles("img2img"),
}
