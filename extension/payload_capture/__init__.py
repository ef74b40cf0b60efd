"""Captures every generation of a stable-diffusion-webui as a JSON API payload.

This package runs inside the webui's process. Importing it imports nothing of the webui, of gradio
or of any other package; `app.start` builds everything, called by the one file in ``scripts/``.
"""

import importlib.util
import sys
from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parents[2]
"""The extension's folder, as it lies in the webui's ``extensions``."""


def _bind_format() -> None:
    """Load the companion's format file as `payload_capture.capture`.

    By path, so that a client of another version in the same environment changes nothing here.
    """
    name = f"{__name__}.capture"
    path = ROOT / "companion" / "src" / "payload_replay" / "capture.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(
            f"cannot read {path}: the extension's folder is incomplete", path=str(path)
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_bind_format()
