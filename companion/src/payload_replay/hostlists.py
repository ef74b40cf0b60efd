"""What a recorded server lists: samplers, models, options, scripts and the rest, by path.

Where the folder holds what the real server listed (`recordings.LISTS`), that is the answer. Where
it does not, the list is made of what the captures themselves say of their host: the names that they
use, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .arguments import calls
from .capture import Capture, Model
from .named import SAME, named, overrides

API = "/sdapi/v1/"

# Asked of a real server while recording, so that these are its own words afterwards. Without
# cmd-flags, which tells the passwords of --api-auth and --gradio-auth.
RECORDED = tuple(
    f"{API}{name}"
    for name in (
        *("options", "samplers", "schedulers", "upscalers", "latent-upscale-modes"),
        *("sd-models", "sd-vae", "sd-modules", "hypernetworks", "face-restorers"),
        *("realesrgan-models", "prompt-styles", "embeddings", "loras", "scripts", "script-info"),
        *("extensions", "memory"),
    )
)
RECORDED += ("/openapi.json",)

_SECRET = re.compile(
    r"password|passwd|secret|api_?key|(^|_)(key|token)$|(access|auth)_?token", re.I
)
_USER = re.compile(r"(?<=://)[^/@\s]+@")

IDLE: Mapping[str, Any] = {
    "progress": 0.0,
    "eta_relative": 0.0,
    "state": {
        "skipped": False,
        "interrupted": False,
        "stopping_generation": False,
        "job": "",
        "job_count": 0,
        "job_timestamp": "0",
        "job_no": 0,
        "sampling_step": 0,
        "sampling_steps": 0,
    },
    "current_image": None,
    "textinfo": None,
}
"""``progress`` of a server that does nothing: A1111 v1.10.1."""

COMMANDS: Mapping[str, Any] = {
    f"{API}interrupt": {},
    f"{API}skip": None,
    f"{API}refresh-checkpoints": None,
    f"{API}refresh-vae": None,
    f"{API}refresh-embeddings": None,
    f"{API}refresh-loras": None,
    f"{API}unload-checkpoint": {},
    f"{API}reload-checkpoint": {},
}
"""What is POSTed for its effect, which a recording has none of, and the webui's answer."""


def public(path: str, answer: Any) -> Any:
    """What a real server lists, without what is nobody's business.

    Keys and passwords among its settings, which extensions keep there, and those in the addresses
    that its extensions come from.
    """
    if path == f"{API}options" and isinstance(answer, dict):
        return settings(answer)
    if path == f"{API}extensions" and isinstance(answer, list):
        return [_without_user(one) if isinstance(one, dict) else one for one in answer]
    return answer


def settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those whose names say that they are keys or passwords."""
    return {name: value for name, value in given.items() if not _SECRET.search(name)}


def _without_user(extension: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _USER.sub("", v) if isinstance(v, str) else v for k, v in extension.items()}


def told(captures: Sequence[Capture]) -> dict[str, Any]:
    """Every list that can be made of these captures, by its path."""
    return {f"{API}{name}": made(captures) for name, made in _LISTS.items()}


def _options(captures: Sequence[Capture]) -> dict[str, Any]:
    """The settings of the newest capture: those that it pins, and those that it cannot."""
    made: dict[str, Any] = {"samples_format": "png", "sd_model_checkpoint": None}
    for capture in captures:
        made |= capture.host.settings
        if capture.host.checkpoint:
            made["sd_model_checkpoint"] = capture.host.checkpoint.title
            made["sd_checkpoint_hash"] = capture.host.checkpoint.sha256
        for _, _, payload in capture.requests():
            made |= overrides(payload)
    return made


def _samplers(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    fields = ("sampler_name", "hr_sampler_name")
    asked = (payload.get(field) for payload in _payloads(captures) for field in fields)
    names = dict.fromkeys(v for v in asked if isinstance(v, str) and v and v not in SAME)
    return [{"name": name, "aliases": [], "options": {}} for name in names or ["Euler"]]


def _schedulers(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    names = _named(captures, "schedulers")
    rest = {"aliases": None, "default_rho": -1.0, "need_inner_model": False}
    return [
        {"name": _name(label), "label": label, **rest}
        for label in dict.fromkeys(["Automatic", *names])
    ]


def _upscalers(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    used = [n for n in _named(captures, "upscalers") if not n.startswith("Latent")]
    rest = {"model_name": None, "model_path": None, "model_url": None, "scale": 4.0}
    return [{"name": name, **rest} for name in dict.fromkeys(["None", *used])]


def _latent(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    used = [n for n in _named(captures, "upscalers") if n.startswith("Latent")]
    return [{"name": name} for name in dict.fromkeys(["Latent", *used])]


def _checkpoints(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    found = {one.title: one for c in captures if (one := c.host.checkpoint)}
    for title in _named(captures, "checkpoints", "refiners"):
        if not any(title.partition(" [")[0] == known.partition(" [")[0] for known in found):
            found[title] = Model(title, title.partition(" [")[0].rpartition(".")[0])
    return [
        {
            "title": one.title,
            "model_name": one.name,
            "hash": one.hash,
            "sha256": one.sha256,
            "filename": one.title.partition(" [")[0],
            "config": None,
        }
        for one in found.values()
    ]


def _vaes(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    names = [one.name or one.title for c in captures if (one := c.host.vae)]
    names += [n for n in _named(captures, "vaes") if n not in ("Automatic", "None")]
    return [{"model_name": name, "filename": name} for name in dict.fromkeys(names)]


def _loras(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    held = [one.name or one.title for c in captures for one in c.host.loras]
    names = dict.fromkeys([*held, *_named(captures, "LoRAs")])
    return [{"name": name, "alias": name, "path": name, "metadata": {}} for name in names]


def _hypernetworks(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    return [{"name": name, "path": name} for name in _named(captures, "hypernetworks")]


def _embeddings(captures: Sequence[Capture]) -> dict[str, Any]:
    facts = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None}
    names = [one.name or one.title for c in captures for one in c.host.embeddings]
    return {
        "loaded": {name: {**facts, "shape": 0, "vectors": 0} for name in names},
        "skipped": {},
    }


def _styles(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    names = _named(captures, "styles")
    return [{"name": name, "prompt": "", "negative_prompt": ""} for name in names]


def _scripts(captures: Sequence[Capture]) -> dict[str, list[str]]:
    return {tab: _named(captures, f"{tab} scripts") for tab in ("txt2img", "img2img")}


def _script_info(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    """Each script with as many arguments as it was called with; their labels are not known."""
    found = {(one.tab, one.title.lower()): one for c in captures for one in calls(c)}
    return [
        {
            "name": title,
            "is_alwayson": call.always_on,
            "is_img2img": tab == "img2img",
            "args": [_argument(value) for value in call.args],
        }
        for (tab, title), call in found.items()
    ]


def _argument(value: Any) -> dict[str, Any]:
    unknown = dict.fromkeys(("minimum", "maximum", "step", "choices"))
    usual = value if isinstance(value, (str, int, float)) else None
    return {"label": "", "value": usual, **unknown}


def _extensions(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    rest = {"remote": "", "branch": "", "commit_hash": "", "commit_date": "0", "enabled": True}
    found = {one.name: one.version for c in captures for one in c.host.extensions}
    return [{"name": name, "version": version, **rest} for name, version in found.items()]


_LISTS: Mapping[str, Callable[[Sequence[Capture]], Any]] = {
    "options": _options,
    "cmd-flags": lambda captures: {"api": True, "api_auth": None, "nowebui": True},
    "samplers": _samplers,
    "schedulers": _schedulers,
    "upscalers": _upscalers,
    "latent-upscale-modes": _latent,
    "sd-models": _checkpoints,
    "sd-vae": _vaes,
    "sd-modules": _vaes,
    "hypernetworks": _hypernetworks,
    "face-restorers": lambda captures: [],
    "realesrgan-models": lambda captures: [],
    "prompt-styles": _styles,
    "embeddings": _embeddings,
    "loras": _loras,
    "scripts": _scripts,
    "script-info": _script_info,
    "extensions": _extensions,
    "memory": lambda captures: {"ram": {"error": "recorded"}, "cuda": {"error": "recorded"}},
}


def _payloads(captures: Iterable[Capture]) -> Iterator[Mapping[str, Any]]:
    for capture in captures:
        for _, _, payload in capture.requests():
            yield payload


def _named(captures: Iterable[Capture], *kinds: str) -> list[str]:
    """The names of these kinds (see `named`) that the captures use, each once."""
    found = (name for c in captures for _, kind, name in named(c) if kind in kinds)
    return list(dict.fromkeys(found))


def _name(label: str) -> str:
    """A scheduler's name, such as ``sgm_uniform``; the list tells it beside the label."""
    return label.lower().replace(" ", "_")
