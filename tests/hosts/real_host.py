"""A real webui checkout as a child process, with an environment of its own in ``venv``."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import requests

from webui_standin.process import free_port, link_or_copy


class RealHost:
    """Starts ``launch.py`` of `folder` on a free loopback port; `stop` ends it by its pid."""

    def __init__(
        self, folder: Path, data: Path, extensions: Mapping[str, Path], flags: Sequence[str]
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data / "log.txt"
        self._folder = folder
        (data / "extensions").mkdir(parents=True, exist_ok=True)
        for name, source in extensions.items():
            link_or_copy(source, data / "extensions" / name)
        for name in ("models", "embeddings"):
            flags = [*flags, f"--{name}-dir", str(folder / name)]
        place = ["--port", str(self.port), "--data-dir", str(data)]
        self._command = [str(folder / "venv/bin/python"), "launch.py", *place, "--api", *flags]

    def __enter__(self) -> RealHost:
        env = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "SD_WEBUI_RESTARTING": "1"}
        with self.log.open("w") as log:
            self._child = subprocess.Popen(
                self._command, cwd=self._folder, stdout=log, stderr=log, env=env
            )
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.terminate()
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()

    def _wait(self, seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self._child.poll() is None, self.log.read_text()[-4000:]
            # A request before the API is there makes A1111 v1.10.1 fail to start.
            if "Startup time" in self.log.read_text():
                answer = requests.get(f"{self.url}/sdapi/v1/options", timeout=60)
                if answer.ok:
                    return
            time.sleep(0.5)
        raise AssertionError(f"not ready after {seconds} s: {self.log.read_text()[-4000:]}")
