"""A fake webui on a socket, a client of it, and captures of what it makes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from fake_webui import FakeWebUI, png
from payload_replay import Capture, WebUI, demo
from payload_replay.capture import TXT2IMG, Asset, Job, Result, reference
from payload_replay.export import FORMATS, SUFFIXES
from payload_replay.images import hashed

# Other work on the machine makes any one example slow; a hang ends by pytest's own timeout.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

PAYLOAD: dict[str, Any] = {"prompt": "a cat", "seed": 7, "steps": 2, "width": 16, "height": 16}

Captured = Callable[..., Capture]


@pytest.fixture
def fake() -> Iterator[FakeWebUI]:
    with FakeWebUI() as webui:
        yield webui


@pytest.fixture
def webui(fake: FakeWebUI) -> Iterator[WebUI]:
    with WebUI(fake.url, timeout=10) as client:
        yield client


@pytest.fixture
def shell(fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a command line that talks to the fake."""
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)
    monkeypatch.delenv("PAYLOAD_REPLAY_AUTH", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def captured(fake: FakeWebUI) -> Captured:
    """Makes a capture of what the fake draws; its pictures lie in the fake's store."""

    def make(changes: dict[str, Any] | None = None, **fields: Any) -> Capture:
        payload = PAYLOAD | (changes or {})
        before = dict(fake.options)
        fake.options |= payload.get("override_settings") or {}
        results: list[Result] = []
        assets: dict[str, Asset] = {}
        for seed in range(payload["seed"], payload["seed"] + payload.get("batch_size", 1)):
            image, text = fake.draw(payload, seed), fake.infotext(payload, seed)
            data = png(image)
            name = hashlib.sha256(data).hexdigest()
            fake.assets[name] = data
            assets[name] = Asset("image/png", len(data), *image.size)
            width, height = image.size
            results.append(
                Result(hashed(image), width, height, "sample", seed, infotext=text, asset=name)
            )
        fake.options = before
        given: dict[str, Any] = {
            "id": "cat-1",
            "endpoint": TXT2IMG,
            "job": Job("2026-01-02T03:04:05Z", 0.5),
        }
        given |= {"payload": payload, "results": results} | fields
        capture = Capture(1, assets=assets | given.pop("assets", {}), **given)
        fake.captures[capture.id] = capture.to_dict()
        return capture

    return make


@pytest.fixture
def folder(fake: FakeWebUI, captured: Captured, tmp_path: Path) -> Callable[..., Path]:
    """Puts a self-contained capture of what the fake draws into a folder; the folder's path."""

    def make(changes: dict[str, Any] | None = None, form: str = "json", **fields: Any) -> Path:
        capture = captured(changes, **fields)
        home = tmp_path / "captures"
        home.mkdir(exist_ok=True)
        data = FORMATS[form](capture, fake.assets.__getitem__)
        (home / f"{capture.id}{SUFFIXES[form]}").write_bytes(data)
        return home

    return make


@pytest.fixture
def picture_in_payload() -> Callable[[bytes, bool], tuple[dict[str, str], dict[str, Asset]]]:
    """A reference to put into a payload, and the asset that it names."""

    def make(data: bytes, held: bool) -> tuple[dict[str, str], dict[str, Asset]]:
        name = hashlib.sha256(data).hexdigest()
        text = base64.b64encode(data).decode() if held else None
        return reference(name), {name: Asset("image/png", len(data), 16, 16, text)}

    return make


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `payload-replay` with these arguments as a process; it ends with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "payload_replay", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def standin() -> Iterator[Any]:
    """A stand-in with this checkout as its extension, one for all tests that only read from it."""
    with demo.host(demo.checkout()) as process:
        yield process


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """While its context lasts nothing can be written to a disk."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    @contextlib.contextmanager
    def context() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            yield

    return context
