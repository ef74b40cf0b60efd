"""Send a captured generation back to a webui, and prove that the same pictures come back::

from payload_replay import WebUI

webui = WebUI("http://127.0.0.1:7860")
replay = webui.replay(webui.captures.latest())
print(replay.verdict, replay.reason)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .capture import Capture as _Capture
from .vary import with_

if TYPE_CHECKING:
    from .aio import AsyncWebUI
    from .capture import AssetError, Capture, FormatError, NewerFormatError
    from .changes import Change
    from .client import WebUI
    from .errors import (
        BadSource,
        Cancelled,
        ConnectionFailed,
        ConnectionLost,
        Interrupted,
        InvalidPayload,
        NoAPI,
        NoExtension,
        NotFound,
        ReplayError,
        ServerError,
        Timeout,
        UnexpectedAnswer,
        WrongCredentials,
    )
    from .generation import Extras, Generation
    from .problem import Problem
    from .records import Progress
    from .replay import Replay
    from .verify import Comparison

# The format's own file stands alone, for the webui; what it takes to vary a capture does not.
_Capture.with_ = with_  # type: ignore[method-assign]

__version__ = "0.1.0"

_HOMES = {
    "AssetError": "capture",
    "AsyncWebUI": "aio",
    "BadSource": "errors",
    "Cancelled": "errors",
    "Capture": "capture",
    "Change": "changes",
    "Comparison": "verify",
    "ConnectionFailed": "errors",
    "ConnectionLost": "errors",
    "Extras": "generation",
    "FormatError": "capture",
    "Generation": "generation",
    "Interrupted": "errors",
    "InvalidPayload": "errors",
    "NewerFormatError": "capture",
    "NoAPI": "errors",
    "NoExtension": "errors",
    "NotFound": "errors",
    "Problem": "problem",
    "Progress": "records",
    "Replay": "replay",
    "ReplayError": "errors",
    "ServerError": "errors",
    "Timeout": "errors",
    "UnexpectedAnswer": "errors",
    "WebUI": "client",
    "WrongCredentials": "errors",
}

__all__ = [
    "AssetError",
    "AsyncWebUI",
    "BadSource",
    "Cancelled",
    "Capture",
    "Change",
    "Comparison",
    "ConnectionFailed",
    "ConnectionLost",
    "Extras",
    "FormatError",
    "Generation",
    "Interrupted",
    "InvalidPayload",
    "NewerFormatError",
    "NoAPI",
    "NoExtension",
    "NotFound",
    "Problem",
    "Progress",
    "Replay",
    "ReplayError",
    "ServerError",
    "Timeout",
    "UnexpectedAnswer",
    "WebUI",
    "WrongCredentials",
]


def __getattr__(name: str) -> Any:
    """Import on first use: `import payload_replay` alone costs neither requests nor Pillow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
