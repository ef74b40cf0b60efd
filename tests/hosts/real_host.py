"""A real webui checkout as a child process, with an environment of its own in ``venv``."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from webui_standin import Process

RELOADS = """
from modules import script_callbacks, shared
script_callbacks.on_app_started(
    lambda page, app: app.add_api_route(
        "/tests/reload", lambda: shared.state.request_restart(), methods=["POST"]
    )
)
"""
"""What the page's Reload UI button does (A1111 v1.6.0 to v1.10.1, Forge and reForge:
``shared.state.request_restart``), for tests without a page."""


class RealHost(Process):
    """``launch.py`` of `folder` on a free loopback port, used as the stand-in's process is.

    Args:
        folder: the checkout.
        given: what `Process` takes, without what chooses a stand-in's flavour.
    """

    def __init__(
        self, folder: Path, extensions: Mapping[str, Path], flags: Sequence[str], **given: Any
    ) -> None:
        self._reloads = tempfile.TemporaryDirectory(prefix="reloads-")
        scripts = Path(self._reloads.name) / "scripts"
        scripts.mkdir()
        (scripts / "reloads.py").write_text(RELOADS)
        extensions = {**extensions, "reloads": Path(self._reloads.name)}
        super().__init__(extensions=extensions, flags=flags, timeout=300, **given)
        self._folder = folder.resolve()

    def stop(self) -> None:
        super().stop()
        self._reloads.cleanup()

    def restart(self) -> Process:
        raise NotImplementedError("a real host is started once")

    def errors(self) -> list[dict[str, str]]:
        """What the webui printed and swallowed of ours. Each request passes the middleware, whose
        frame is to blame only where it is the last one."""
        printed = re.split(r"^(?=\*\*\* |Traceback )", self.log, flags=re.MULTILINE)
        return [{"traceback": text} for text in printed if is_ours(text)]

    def reload_ui(self) -> None:
        before = self._ready()
        requests.post(f"{self.url}/tests/reload", timeout=60).raise_for_status()
        self.wait_until_ready(after=before)

    def _command(self) -> list[str]:
        assert self._folder is not None
        places = {name: str(self._folder / name) for name in ("models", "embeddings")}
        given = [part for name, path in places.items() for part in (f"--{name}-dir", path)]
        place = ["--port", str(self.port), "--data-dir", str(self.data_dir)]
        return [str(self._folder / "venv/bin/python"), "launch.py", *place, *given, *self._flags]

    def _environment(self) -> dict[str, str]:
        own = {"GRADIO_ANALYTICS_ENABLED": "False", "SD_WEBUI_RESTARTING": "1"}
        return {**os.environ, **own, "PYTHONUNBUFFERED": "1", **self._env}

    def _ready(self) -> int:
        """How often it started. Only its log is asked: a request before the API is there makes
        A1111 v1.10.1 fail to start."""
        return self.log.count("Startup time")


def is_ours(printed: str) -> bool:
    """Whether something printed names the extension, in more than frames that a request passes."""
    return bool(re.search(r"\bpayload_capture\b", _PASSED.sub("", printed)))


_PASSED = re.compile(r'^ *File ".*/payload_capture/middleware\.py", .*$(?=[\s\S]*^ *File ")', re.M)
"""A frame of the middleware that is not the last one."""
