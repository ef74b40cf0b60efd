"""What stands in the way of a replay, found before anything is sent.

A webui ignores an unknown checkpoint, VAE, sampler or scheduler without a word and generates with
what it has: only asking first tells a missing file from a broken promise.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .capture import IMG2IMG, TXT2IMG, Capture, Severity
from .errors import InvalidPayload, NoAPI, ServerError, UnexpectedAnswer

if TYPE_CHECKING:
    from .client import WebUI

# A document from a stranger must not reach an endpoint that stops the server or changes it.
GENERATING = (TXT2IMG, IMG2IMG, "/sdapi/v1/extra-single-image", "/sdapi/v1/extra-batch-images")
GENERATING_BELOW = "/payload-capture/v1/run/"

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

    def lacks(self, kind: str, name: str) -> bool:
        """Whether the server lists things of this kind, and none of this name."""
        return self._without(kind, name, fresh=False) and self._without(kind, name, fresh=True)

    def nearest(self, kind: str, name: str) -> str:
        """``; the nearest is …``, or nothing."""
        close = difflib.get_close_matches(name, self._names.get(kind) or (), 1, 0.5)
        return f"; the nearest is {close[0]!r}" if close else ""

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
    return next((str(p) for p in problems(webui, capture) if p.severity == "blocks"), None)


def problems(webui: WebUI, capture: Capture) -> Iterator[Problem]:
    """Everything known to stand in the way: first what the capture itself says."""
    yield from recorded(capture)
    yield from missing(webui.inventory, capture)


def recorded(capture: Capture) -> Iterator[Problem]:
    """What can be told without a server."""
    endpoint = capture.endpoint
    if endpoint not in GENERATING and not endpoint.startswith(GENERATING_BELOW):
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


def missing(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """What the payload names and the server does not list."""
    for path, kind, name in _named(capture):
        if inventory.lacks(kind, name):
            near = inventory.nearest(kind, name)
            yield Problem(path, f"the server has no {_NOUNS[kind]} {name!r}{near}")


def _named(capture: Capture) -> Iterator[tuple[str, str, str]]:
    """Each (path, kind, name) of the payload that a server can lack."""
    payload, tab = capture.payload, capture.endpoint.rpartition("/")[2]
    overrides = payload.get("override_settings")
    yield from _texts(overrides, "override_settings.", _OVERRIDES)
    yield from _texts(payload, "", _FIELDS)
    if tab in ("txt2img", "img2img"):
        for path, title in _scripts(payload):
            yield path, f"{tab} scripts", title.lower()


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
)
_NOUNS = {
    "checkpoints": "checkpoint (and would silently use another)",
    "vaes": "VAE (and would silently use none)",
    "samplers": "sampler",
    "schedulers": "scheduler",
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


_LISTS: dict[str, Callable[[WebUI], Iterable[str]]] = {
    "checkpoints": _checkpoints,
    "vaes": _vaes,
    "samplers": _samplers,
    "schedulers": _schedulers,
    "txt2img scripts": _titles("txt2img"),
    "img2img scripts": _titles("img2img"),
}
