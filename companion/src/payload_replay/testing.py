"""A webui in a dict, for the tests of programs that use this client; no socket, no server::

from payload_replay import WebUI
from payload_replay.testing import FakeSession

session = FakeSession({"GET /sdapi/v1/sd-models": [{"title": "mine", "model_name": "mine"}]})
webui = WebUI("http://fake", session=session)
webui.txt2img({"prompt": "a cat"}).images[0].image   # drawn from the payload
session.sent("/sdapi/v1/txt2img")                    # [{"prompt": "a cat"}]
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from .hostlists import API, COMMANDS, IDLE, told

LARGEST = 1024
"""Pixels to which a drawn picture's sides are cut; a fake need not draw more."""
MOST = 64
"""Pictures of one answer, for the same reason."""


@dataclass(frozen=True)
class Request:
    """What the client sent; `json` is its body, or None."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    json: Any


@dataclass(frozen=True)
class Answer:
    """An answer in full; `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] | None = None


Route = Any | Answer | Exception | Callable[[Request], Any]


class FakeSession(requests.Session):
    """A session that answers by itself, as a small webui would, and records what it was asked.

    Args:
        routes: what else it is to answer, by ``"METHOD /path"`` or by ``"/path"`` alone: a value
            to send as JSON, an `Answer`, an exception to raise (one of `requests`), or a function
            from a `Request` to any of these.

    Without a route it draws a picture from each payload, another for each change of it; lists one
    checkpoint and one sampler; keeps its options; and has no extension. Anything else is a 404.
    """

    def __init__(self, routes: Mapping[str, Route] | None = None) -> None:
        super().__init__()
        self.routes: dict[str, Route] = dict(routes or {})
        self.requests: list[Request] = []
        self.options_in_force: dict[str, Any] = {"sd_model_checkpoint": "fake.safetensors"}
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self))

    def sent(self, path: str) -> list[Any]:
        """The JSON bodies that were sent to a path, in order."""
        return [request.json for request in self.requests if request.path == path]

    def answer(self, request: Request) -> Answer:
        """What a request gets; raises what its route says is to be raised."""
        self.requests.append(request)
        found = self._found(request)
        if found is _ABSENT:
            return Answer(404, {"detail": "Not Found"})
        if callable(found):
            found = found(request)
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Answer) else Answer(body=found)

    def _found(self, request: Request) -> Any:
        names = f"{request.method} {request.path}", request.path
        for routes in (self.routes, _WEBUI):
            for name in names:
                if name in routes:
                    return routes[name]
        return self._options(request) if request.path == f"{API}options" else _ABSENT

    def _options(self, request: Request) -> Any:
        if request.method == "POST":
            self.options_in_force.update(request.json)
            return None
        return self.options_in_force


_ABSENT = object()


class _Adapter(BaseAdapter):
    def __init__(self, session: FakeSession) -> None:
        super().__init__()
        self._session = session

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        path = parts.path
        given = Request(request.method or "", path, parts.query, request.headers, _json(request))
        answer = self._session.answer(given)
        response = requests.Response()
        response.status_code, response.request = answer.status, request
        response.url = request.url or ""
        plain = isinstance(answer.body, bytes)
        response._content = answer.body if plain else json.dumps(answer.body).encode()
        response.headers = CaseInsensitiveDict(
            {"Content-Type": "application/json", **(answer.headers or {})}
        )
        return response

    def close(self) -> None:
        """There is nothing to close."""


def _json(request: requests.PreparedRequest) -> Any:
    body = request.body
    if not body or request.headers.get("Content-Type") != "application/json":
        return None
    return json.loads(body)


def drawn(request: Request) -> dict[str, Any]:
    """An answer of a generating endpoint: pictures, infotexts and seeds, all from the payload."""
    payload = request.json if isinstance(request.json, dict) else {}
    first = _whole(payload.get("seed"), 0)
    count = _whole(payload.get("n_iter"), 1) * _whole(payload.get("batch_size"), 1)
    seeds = [first + n for n in range(min(count, MOST))]
    texts = [f"{payload.get('prompt', '')}\nSteps: 20, Seed: {seed}" for seed in seeds]
    pairs = zip(seeds, texts, strict=True)
    images = [base64.b64encode(_picture(payload, *pair)).decode() for pair in pairs]
    info = {"all_seeds": seeds, "infotexts": texts, "seed": first, "index_of_first_image": 0}
    return {"images": images, "parameters": payload, "info": json.dumps(info)}


def _picture(payload: Mapping[str, Any], seed: int, text: str) -> bytes:
    what = json.dumps({**payload, "seed": seed}, sort_keys=True).encode()
    sides = (min(_whole(payload.get(name), 64), LARGEST) for name in ("width", "height"))
    image = Image.frombytes("RGB", (2, 2), hashlib.sha256(what).digest()[:12])
    info = PngInfo()
    info.add_text("parameters", text)
    with io.BytesIO() as buffer:
        image.resize((next(sides), next(sides))).save(buffer, "PNG", pnginfo=info)
        return buffer.getvalue()


def _whole(given: Any, otherwise: int) -> int:
    return given if isinstance(given, int) and given > 0 else otherwise


def _webui() -> dict[str, Route]:
    model = {"title": "fake.safetensors", "model_name": "fake", "hash": None, "sha256": None}
    listed = told([]) | {
        f"{API}sd-models": [{**model, "filename": "fake.safetensors", "config": None}],
        f"{API}samplers": [{"name": "Euler a", "aliases": ["k_euler_a"], "options": {}}],
        f"{API}memory": {"ram": {}, "cuda": {}},
        f"{API}progress": IDLE,
    }
    for path in (f"{API}options", f"{API}sd-modules"):  # it keeps them itself; it is no Forge
        del listed[path]
    return {
        **{f"GET {path}": answer for path, answer in listed.items()},
        **{f"POST {API}{name}": drawn for name in ("txt2img", "img2img")},
        **{f"POST {path}": answer for path, answer in COMMANDS.items()},
    }


_WEBUI = _webui()
