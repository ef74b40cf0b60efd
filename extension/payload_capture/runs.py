"""Generations that the standard endpoints cannot express, made in the webui's own process.

Each is a POST below ``/payload-capture/v1/run/`` and answers as the standard endpoints do:
``images`` (base64), ``parameters`` (the request without its pictures), ``info`` (JSON text). What
makes the pictures is the webui's own API and Extras, under its own queue; so progress and
interruption work as for any other request.

* ``txt2img-upscale``: the ✨ button. A txt2img payload with ``firstpass_image``, the picture that
  hires. fix begins with.
* ``extras``: ``images``, ``scripts`` (each operation's arguments by its name) and
  ``override_settings``.
* ``batch``: ``requests``, each with ``endpoint`` and ``payload``; one after the other, until one
  fails or somebody interrupts.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from payload_capture.capture import BATCH, EXTRAS, IMG2IMG, TXT2IMG, UPSCALE

if TYPE_CHECKING:
    from PIL.Image import Image

INSIDE = "payload_capture.inside"
"""In the scope of a request that this process makes of itself, where no client can put it."""

API_OFF = "the webui runs without its API: start it with --api"

Payload = Mapping[str, Any]
Answer = dict[str, Any]


class RunError(Exception):
    """A run that cannot be made: an HTTP `status`, the `field` at fault, and what to do."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class Webui(Protocol):
    """What runs need of the host; `payload_capture.host` provides it."""

    def generate(self, endpoint: str, payload: Payload, first: Image | None = None) -> Answer: ...
    def extras(
        self, images: list[Image], scripts: dict[str, dict[str, Any]], options: dict[str, Any]
    ) -> tuple[list[str], str]: ...
    def operations(self) -> dict[str, list[str]]: ...
    def known_options(self) -> set[str]: ...
    def interrupted(self) -> bool: ...


def run(webui: Webui, endpoint: str, payload: Any) -> Answer:
    """Make what was POSTed to `endpoint`. Raises RunError."""
    if not isinstance(payload, Mapping):
        raise _invalid(None, f"the body must be a JSON object, not {type(payload).__name__}")
    return _RUNS[endpoint](webui, payload)


def upscale(webui: Webui, payload: Payload) -> Answer:
    """The ✨ button: hires. fix from a given picture."""
    rest = dict(payload)
    first = _picture(rest.pop("firstpass_image", None), "firstpass_image")
    if not rest.get("enable_hr"):
        raise _invalid("enable_hr", "must be true: the picture is what hires. fix begins with")
    return webui.generate(TXT2IMG, rest, first.convert("RGB"))


def extras(webui: Webui, payload: Payload) -> Answer:
    """Any operations of Extras on any number of pictures."""
    _only(payload, ("images", "scripts", "override_settings"))
    given = _list(payload, "images")
    images = [_picture(text, f"images[{n}]") for n, text in enumerate(given)]
    scripts = _mapping(payload, "scripts")
    operations = webui.operations()
    for name, args in scripts.items():
        _check_operation(operations, name, args)
    options = _mapping(payload, "override_settings")
    if unknown := [name for name in options if name not in webui.known_options()]:
        raise _invalid(f"override_settings.{unknown[0]}", "this webui has no such setting")
    made, text = webui.extras(images, scripts, options)
    parameters = {"scripts": scripts, "override_settings": options}
    return {"images": made, "parameters": parameters, "info": json.dumps({"html_info": text})}


def batch(webui: Webui, payload: Payload) -> Answer:
    """Several requests as one; the answer holds what came until one was interrupted."""
    _only(payload, ("requests",))
    requests = [_request(item, n) for n, item in enumerate(_list(payload, "requests"))]
    answers: list[Answer] = []
    for number, (endpoint, body) in enumerate(requests):
        try:
            answers.append(_single(webui, endpoint, body))
        except RunError as error:
            field = f"requests[{number}].payload" + (f".{error.field}" if error.field else "")
            raise RunError(error.status, error.code, str(error), field) from error
        if webui.interrupted():
            break
    return {
        "images": [image for answer in answers for image in answer["images"]],
        "parameters": {"requests": [answer["parameters"] for answer in answers]},
        "info": json.dumps(_joined([_info(answer) for answer in answers])),
    }


_RUNS: dict[str, Callable[[Webui, Payload], Answer]] = {
    UPSCALE: upscale,
    EXTRAS: extras,
    BATCH: batch,
}
ENDPOINTS = tuple(_RUNS)


def _single(webui: Webui, endpoint: str, payload: Payload) -> Answer:
    if endpoint in (UPSCALE, EXTRAS):
        return run(webui, endpoint, payload)
    return webui.generate(endpoint, payload)


def _request(item: Any, number: int) -> tuple[str, Payload]:
    field = f"requests[{number}]"
    if not isinstance(item, Mapping) or not isinstance(item.get("payload"), Mapping):
        raise _invalid(field, "must be an object with `endpoint` and `payload`")
    allowed = (TXT2IMG, IMG2IMG, UPSCALE, EXTRAS)
    if item.get("endpoint") not in allowed:
        raise _invalid(f"{field}.endpoint", f"must be one of {', '.join(allowed)}")
    return item["endpoint"], item["payload"]


_LISTS = ("infotexts", "all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds")


def _joined(infos: list[dict[str, Any]]) -> dict[str, Any]:
    """The first request's account, with the lists of all; no grid is told from samples."""
    made = dict(infos[0]) if infos else {}
    for name in _LISTS:
        made[name] = [item for info in infos for item in info.get(name) or []]
    return made | {"index_of_first_image": 0}


def _info(answer: Answer) -> dict[str, Any]:
    made = json.loads(answer["info"])
    return made if isinstance(made, dict) else {}


# ---- reading the request


def _check_operation(operations: Mapping[str, list[str]], name: str, args: Any) -> None:
    if name not in operations:
        known = ", ".join(operations)
        raise _invalid(f"scripts.{name}", f"Extras has no such operation here; it has {known}")
    if not isinstance(args, Mapping):
        raise _invalid(f"scripts.{name}", "must be an object of arguments by name")
    if unknown := set(args) - set(operations[name]):
        known = ", ".join(operations[name])
        raise _invalid(f"scripts.{name}.{min(unknown)}", f"unknown argument; it takes {known}")


def _only(payload: Payload, names: tuple[str, ...]) -> None:
    if unknown := [name for name in payload if name not in names]:
        raise _invalid(unknown[0], f"unknown field; expected {', '.join(names)}")


def _list(payload: Payload, name: str) -> list[Any]:
    value = payload.get(name)
    if not isinstance(value, list) or not value:
        raise _invalid(name, "must be a list with at least one item")
    return value


def _mapping(payload: Payload, name: str) -> dict[str, Any]:
    value = payload.get(name) or {}
    if not isinstance(value, Mapping):
        raise _invalid(name, "must be an object")
    return dict(value)


def _picture(text: Any, field: str) -> Image:
    from PIL import Image

    if not isinstance(text, str) or not text:
        raise _invalid(field, "must be a picture's file as base64")
    data = text.partition(",")[2] if text.startswith("data:") else text
    try:
        image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        image.load()
    except (binascii.Error, OSError, ValueError, SyntaxError) as error:
        raise _invalid(field, f"not a picture as base64: {error}") from error
    except Image.DecompressionBombError as error:
        raise _invalid(field, f"the picture is too large: {error}") from error
    return image


def _invalid(field: str | None, reason: str) -> RunError:
    return RunError(422, "invalid_request", reason, field)
