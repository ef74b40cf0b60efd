"""A stand-in in a child process: started on a free loopback port, ended by its own pid."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from webui_standin.flavour import VARIABLE, stack_of

PathLike = str | os.PathLike[str]


class StartupError(RuntimeError):
    """The stand-in ended or stayed silent before it was ready; the message carries its log."""


PORTS = range(20_000, 32_000)
"""Below those that systems give to programs that ask for any (Linux: from 32768, others: from
49152), so nobody gets one between the moment that it is chosen and the host's own bind."""


def free_port() -> int:
    """Return a loopback port that is free at this moment; raise OSError when there is none."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port from {PORTS.start} to {PORTS.stop - 1} on 127.0.0.1")


class Process:
    """A running stand-in; use it as a context manager, or call `start` and `stop`.

    port: 0 for any free one. extensions: folders, each linked as `extensions/<its name>`, or a
    mapping from name to folder. data_dir: settings, models and outputs; a temporary folder, removed
    at the end, by default. flags: webui flags; `--api` is added unless `api` is False.
    python: the interpreter whose gradio decides the stack. flavour: one of those that run on it,
    the first by default. timeout: seconds until ready.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        extensions: Sequence[PathLike] | Mapping[str, PathLike] = (),
        data_dir: PathLike | None = None,
        flags: Sequence[str] = (),
        python: PathLike = sys.executable,
        flavour: str | None = None,
        api: bool = True,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._temporary = data_dir is None
        self.data_dir = Path(data_dir or tempfile.mkdtemp(prefix="webui-standin-"))
        self._extensions = extensions
        self._flags = ([] if not api or "--api" in flags else ["--api"]) + list(flags)
        self._python, self._env, self._timeout = os.fspath(python), dict(env or {}), timeout
        self._flavour = {VARIABLE: flavour} if flavour and stack_of(flavour) else {}
        self._folder: Path | None = None  # where it runs; here
        self._child: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: list[str] = []

    def __enter__(self) -> Process:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of the running host; raise RuntimeError when it isn't running."""
        if self._child is None:
            raise RuntimeError("the stand-in is not running")
        return self._child.pid

    @property
    def log(self) -> str:
        """Everything that the host has printed so far."""
        return "".join(self._lines)

    def start(self) -> Process:
        """Start the child and wait until the page, the API and all extensions are up."""
        self._link_extensions()
        self._child = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=self._environment(),
            cwd=self._folder,
        )
        assert self._child.stdout is not None
        self._reader = threading.Thread(
            target=self._collect, args=(self._child.stdout,), daemon=True
        )
        self._reader.start()
        self.wait_until_ready()
        return self

    def stop(self) -> None:
        """End the child by its pid and remove the temporary data folder."""
        child, self._child = self._child, None
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def restart(self) -> Process:
        """End the process and start it again on the same port and data folder."""
        temporary, self._temporary = self._temporary, False
        self.stop()
        self._temporary = temporary
        return self.start()

    def errors(self) -> list[dict[str, str]]:
        """The exceptions that a real webui would have swallowed: where, type, message,
        traceback."""
        found: list[dict[str, str]] = self._json("GET", "/standin/errors")
        return found

    def clear_errors(self) -> None:
        """Forget the swallowed exceptions."""
        self._json("DELETE", "/standin/errors")

    def reload_ui(self) -> None:
        """Do what the page's Reload UI button does, and wait until the new page is up."""
        before = self._ready()
        self._json("POST", "/standin/reload")
        self.wait_until_ready(after=before)

    def wait_until_ready(self, after: int = 0) -> None:
        """Wait for the start number above `after`; raise StartupError on an early end or
        timeout."""
        deadline = time.monotonic() + self._timeout
        while self._ready() <= after:
            if self._child is None or self._child.poll() is not None:
                if self._reader is not None:
                    self._reader.join(5)  # what it printed last says why
                raise StartupError(f"the stand-in ended while starting:\n{self.log}")
            if time.monotonic() > deadline:
                raise StartupError(f"not ready after {self._timeout} s:\n{self.log}")
            time.sleep(0.02)

    def _command(self) -> list[str]:
        port = ["--port", str(self.port), "--data-dir", os.fspath(self.data_dir)]
        return [self._python, "-m", "webui_standin", *port, *self._flags]

    def _environment(self) -> dict[str, str]:
        source = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        # The child watches its standard input, so it can't outlive a parent that was killed.
        own = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "WEBUI_STANDIN_TIED": "1"}
        return {**os.environ, **own, **self._flavour, **self._env}

    def _link_extensions(self) -> None:
        given = self._extensions
        named = (
            dict(given)
            if isinstance(given, Mapping)
            else {Path(folder).resolve().name: folder for folder in given}
        )
        target = self.data_dir / "extensions"
        target.mkdir(parents=True, exist_ok=True)
        for name, folder in named.items():
            link_or_copy(Path(folder).resolve(), target / name)

    def _collect(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.append(line)

    def _ready(self) -> int:
        try:
            return int(self._json("GET", "/standin/ready")["starts"])
        except (OSError, ValueError, KeyError):
            return 0

    def _json(self, method: str, path: str) -> Any:
        request = urllib.request.Request(self.url + path, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=10
        ) as answer:
            return json.load(answer)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` show the folder `source`: by a link, or by a copy where links are refused."""
    if target.is_symlink() or target.exists():
        return
    if not source.is_dir():
        raise NotADirectoryError(f"no such extension folder: {source}")
    try:
        target.symlink_to(source, target_is_directory=True)
    except OSError:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".git", ".venv"))
