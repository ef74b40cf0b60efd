"""Captures every generation of a stable-diffusion-webui as a JSON API payload.

This package runs inside the webui's process. Importing it imports nothing of the webui, of gradio
or of any other package; `app.start` builds everything, called by the one file in ``scripts/``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parents[2]
"""The extension's folder, as it lies in the webui's ``extensions``."""


def _bind(name: str) -> None:
    """Load a file that the companion shares with the extension as a module of this package.

    By path, so that a client of another version in the same environment changes nothing here.
    """
    path = ROOT / "companion" / "src" / "payload_replay" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{__name__}.{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(
            f"cannot read {path}: the extension's folder is incomplete", path=str(path)
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)


for _shared in ("capture", "portable"):
    _bind(_shared)


from payload_capture.interface import (  # noqa: E402 - after what it needs is bound
    INTERFACE,
    add_host_fact,
    asset,
    latest,
    register_adapter,
    subscribe,
)

__all__ = [
    "INTERFACE",
    "ROOT",
    "__version__",
    "add_host_fact",
    "asset",
    "latest",
    "register_adapter",
    "subscribe",
]
