"""Captures every generation of a stable-diffusion-webui as a JSON API payload.

This package runs inside the webui's process. Importing it imports nothing of the webui, of gradio
or of any other package; `app.start` builds everything, called by the one file in ``scripts/``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parents[2]
"""The extension's folder, as it lies in the webui's ``extensions``."""


def _bind(name: str) -> None:
    """Give a module that the companion shares its place among those of this package.

    It is the one that `shared` has: a `Capture` that an importer made is a `Capture` here.
    """
    try:
        module = importlib.import_module(f"{__name__}.shared.{name}")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"the extension's folder is incomplete: {name}.py is not in companion/src below {ROOT}",
            path=str(ROOT),
        ) from error
    sys.modules[f"{__name__}.{name}"] = module
    globals()[name] = module


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
