"""Captures every generation of a stable-diffusion-webui as a JSON API payload.

This package runs inside the webui's process. Importing it imports nothing of the webui, of gradio
or of any other package; `app.start` builds everything, called by the one file in ``scripts/``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def register_adapter(
    title: str,
    encode: Callable[[list[Any], Any, str], Any] | None = None,
    off: Callable[[list[Any]], bool | None] | None = None,
) -> None:
    """Tell how a script's arguments are captured; for the extension that brings the script.

    Args:
        title: the script's title, in any case.
        encode: (args, encoder, path) → the arguments as the API takes them, in JSON.
        off: args → whether the script does nothing with them.

    See docs/adapters.md.
    """
    from payload_capture import adapters

    adapters.register(title, adapters.Adapter(encode, off))
