"""A webui of a hundred lines on a real socket, for tests of its clients: small, and ill-behaved at
will. Its pictures follow from the payload and the settings in force, and it leaks overrides of
settings that its config.json does not hold, as the real one does.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image
from PIL.PngImagePlugin import PngInfo

API = "/sdapi/v1"
EXTENSION = "/payload-capture/v1"
CHECKPOINT = {
    "title": "alpha.safetensors [0123456789]",
    "model_name": "alpha",
    "hash": "0123456789",
    "sha256": "0123456789" + 54 * "a",
}
OTHER = {"title": "sub/beta.ckpt [abcdefabcd]", "model_name": "sub_beta", "hash": "abcdefabcd"}


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What to send: `body` as JSON unless it is bytes; `cut` bytes of it are held back.

    `delay` are seconds before the answer, `stall` seconds before the connection ends.
    """

    status: int = 200
    body: Any = None
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    delay: float = 0.0
    stall: float = 0.0

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


NO_ROUTE = Answer(404, {"detail": "Not Found"})


class FakeWebUI:
    """`answers` replaces what one (method, path) gives; `asked` records every request."""

    def __init__(self, auth: str | None = None) -> None:
        self.auth = auth
        self.asked: list[Request] = []
        self.answers: dict[tuple[str, str], Answer] = {}
        self.options: dict[str, Any] = {
            "sd_model_checkpoint": CHECKPOINT["title"],
            "sd_vae": "Automatic",
            "CLIP_stop_at_last_layers": 1.0,
            "eta_noise_seed_delta": 0,
            "samples_format": "png",
        }
        self.saved = {"sd_model_checkpoint", "samples_format"}
        self.lists: dict[str, Any] = {
            "sd-models": [CHECKPOINT, OTHER],
            "sd-vae": [{"model_name": "soft.vae.pt"}],
            "samplers": [{"name": "Euler a", "aliases": ["k_euler_a"]}, {"name": "DDIM"}],
            "schedulers": [
                {"name": "karras", "label": "Karras", "aliases": None},
                {"name": "align_your_steps", "label": "Align Your Steps", "aliases": None},
            ],
            "scripts": {"txt2img": ["x/y/z plot", "refiner"], "img2img": ["loopback"]},
            "script-info": [
                {
                    "name": "x/y/z plot",
                    "is_img2img": False,
                    "args": [{"label": "X type", "choices": ["Nothing", "Seed", "Steps"]}],
                },
                {
                    "name": "x/y/z plot",
                    "is_img2img": True,
                    "args": [{"label": "X type", "choices": ["Nothing", "Steps", "Seed"]}],
                },
                {
                    "name": "refiner",
                    "is_img2img": False,
                    "args": [{"label": "on"}, {"label": "Modes", "choices": ["a", "b", "c"]}],
                },
            ],
            "upscalers": [{"name": "Lanczos"}],
            "latent-upscale-modes": [{"name": "Latent"}],
            "loras": [{"name": "style", "alias": "style-v2"}],
            "hypernetworks": [{"name": "hyper"}],
            "prompt-styles": [{"name": "painted"}],
            "embeddings": {"loaded": {"easy": {}}, "skipped": {"xl": {}}},
        }
        self.told: dict[str, Any] = {}
        """What the extension says of itself besides."""
        self.fails_with = ""
        """Words with which every generation fails, after it has leaked its overrides."""
        self.leaked: dict[str, Any] = {}
        self.captures: dict[str, dict[str, Any]] = {}
        self.assets: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeWebUI:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, *given: Any, **more: Any) -> None:
        self.answers[method, path] = Answer(*given, **more)

    def bodies(self, method: str, path: str) -> list[Any]:
        """The JSON that was sent there, in order."""
        return [one.json for one in self.asked if (one.method, one.path) == (method, path)]

    def bodies_of(self, path: str) -> list[bytes]:
        """The body of every request to that path."""
        return [one.body for one in self.asked if one.path == path]

    def respond(self, request: Request) -> Answer:
        self.asked.append(request)
        if self.auth and request.headers.get("Authorization") != _basic(self.auth):
            return Answer(401, {"detail": "Incorrect username or password"})
        if canned := self.answers.get((request.method, request.path)):
            return canned
        if request.path.startswith(EXTENSION):
            return self._extension(request)
        if request.path in (f"{API}/txt2img", f"{API}/img2img"):
            made = self.generate(request.json)
            words = {"error": "RuntimeError", "errors": self.fails_with}
            return Answer(500, words) if self.fails_with else Answer(body=made)
        return self._listed(request)

    def generate(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer to a payload; overrides of settings that are not saved stay."""
        before = dict(self.options)
        self.options |= payload.get("override_settings") or {}
        seeds = [payload.get("seed", 0) + n for n in range(payload.get("batch_size", 1))]
        texts = [self.infotext(payload, seed) for seed in seeds]
        made = [
            png(self.draw(payload, seed), text) for seed, text in zip(seeds, texts, strict=True)
        ]
        self.options |= {name: before[name] for name in self.saved}
        self.leaked = {k: v for k, v in self.options.items() if v != before.get(k)}
        info = {"infotexts": texts, "all_seeds": seeds, "index_of_first_image": 0}
        images = [base64.b64encode(data).decode() for data in made]
        return {"images": images, "parameters": payload, "info": json.dumps(info)}

    def draw(self, payload: dict[str, Any], seed: int) -> Image.Image:
        """A picture that every field of the payload and every setting decides."""
        fields = {k: v for k, v in payload.items() if k not in ("batch_size", "override_settings")}
        what = json.dumps([fields | {"seed": seed}, self.options], sort_keys=True)
        size = payload.get("width", 16), payload.get("height", 16)
        wanted = size[0] * size[1] * 3
        return Image.frombytes("RGB", size, hashlib.shake_128(what.encode()).digest(wanted))

    def infotext(self, payload: dict[str, Any], seed: int) -> str:
        fields = {
            "Steps": payload.get("steps", 20),
            "Sampler": payload.get("sampler_name", "Euler a"),
            "CFG scale": payload.get("cfg_scale", 7.0),
            "Seed": seed,
            "Model": self.options["sd_model_checkpoint"].partition(".")[0],
            "Clip skip": self.options["CLIP_stop_at_last_layers"],
        }
        line = ", ".join(f"{name}: {value}" for name, value in fields.items())
        return f"{payload.get('prompt', '')}\n{line}"

    def _listed(self, request: Request) -> Answer:
        name = request.path.removeprefix(f"{API}/")
        if name == "options" and request.method == "POST":
            self.options |= request.json
            return Answer(body=None)
        found = self.options if name == "options" else self.lists.get(name)
        return Answer(body=found) if found is not None else NO_ROUTE

    def _extension(self, request: Request) -> Answer:
        kind, _, rest = request.path.removeprefix(f"{EXTENSION}/").partition("/")
        if kind == "status":
            host = {"webui": "fake", "version": "2"}
            status = {"host": host, "captures": 1, "runs": [f"{EXTENSION}/run/batch"]}
            return Answer(body=status | self.told)
        if kind == "assets" and rest in self.assets:
            return Answer(body=self.assets[rest], type="image/png")
        if kind == "captures":
            return self._captures(request, rest)
        return _unknown(rest)

    def _captures(self, request: Request, rest: str) -> Answer:
        names = list(reversed(self.captures))
        if not rest:
            start = int(request.query.get("cursor", ["0"])[0])
            end = start + int(request.query["limit"][0])
            rows = [{"id": name} for name in names[start:end]]
            return Answer(body={"captures": rows, "next": str(end) if end < len(names) else None})
        name, _, what = rest.partition("/")
        name = names[0] if name == "latest" and names else unquote(name)
        if name not in self.captures:
            return _unknown(name)
        if request.method == "DELETE":
            del self.captures[name]
            return Answer(204, b"")
        document = self.captures[name]
        body = {"method": "POST", "endpoint": document["endpoint"], "payload": document["payload"]}
        return Answer(body=body if what == "request" else document)


def png(image: Image.Image, text: str = "") -> bytes:
    """The picture's file, with its infotext inside as the webui writes it."""
    info = PngInfo()
    if text:
        info.add_text("parameters", text)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def _unknown(name: str) -> Answer:
    error = {"code": "not_found", "message": f"no capture or picture {name}", "field": None}
    return Answer(404, {"error": error})


def _basic(auth: str) -> str:
    return "Basic " + base64.b64encode(auth.encode()).decode()


def _handler(webui: FakeWebUI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or an answer in two parts waits for an acknowledgement

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query, headers = parse_qs(parts.query), dict(self.headers)
            self.give(webui.respond(Request(self.command, parts.path, query, headers, body)))

        def give(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            data = answer.data
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(data[: len(data) - answer.cut])
            time.sleep(answer.stall)
            self.close_connection = answer.cut > 0

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    return Handler
