"""Captures every generation of a stable-diffusion-webui as a JSON API payload.

This package runs inside the webui's process. Importing it imports nothing of the webui, of gradio
or of any other package; `app.start` builds everything, called by the one file in ``scripts/``.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

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
