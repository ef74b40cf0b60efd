"""Sends payloads to a host and looks at what comes back."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import requests
from PIL import Image

from webui_standin import Process


class Client:
    """Sends payloads to a host and looks at what comes back."""

    def __init__(self, host: Process) -> None:
        self.host = host

    def get(self, path: str) -> Any:
        return self.answer("GET", path).json()

    def answer(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return requests.request(method, self.host.url + path, timeout=60, **kwargs)

    def post(self, path: str, payload: Any) -> requests.Response:
        return self.answer("POST", f"/sdapi/v1/{path}", json=payload)

    def result(self, path: str, payload: Any) -> dict[str, Any]:
        answer = self.post(path, payload)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def pictures(self, payload: dict[str, Any], path: str = "txt2img") -> list[Image.Image]:
        path = "img2img" if "init_images" in payload else path
        return [decode(text) for text in self.result(path, payload)["images"]]

    def hashes(self, payload: dict[str, Any]) -> list[str]:
        return [pixels(picture) for picture in self.pictures(payload)]

    def options(self, **values: Any) -> None:
        assert self.post("options", values).status_code == 200

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/probe/calls")
        self.answer("DELETE", "/probe/calls")
        return found


def decode(text: str) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(text)))
    picture.load()
    return picture


def pixels(picture: Image.Image) -> str:
    """What a picture shows: mode, size and pixels."""
    return hashlib.sha256(f"{picture.mode}{picture.size}".encode() + picture.tobytes()).hexdigest()


def encode(picture: Image.Image) -> str:
    with io.BytesIO() as buffer:
        picture.save(buffer, format="PNG")
        return base64.b64encode(buffer.getvalue()).decode()
