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
    from .capture import AssetError, Capture, FormatError, NewerFormatError
    from .client import WebUI
    from .errors import (
        BadSource,
        ConnectionFailed,
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
    from .replay import Replay
    from .verify import Comparison

# The format's own file stands alone, for the webui; what it takes to vary a capture does not.
_Capture.with_ = with_  # type: ignore[method-assign]

__version__ = "0.1.0"

_HOMES = {
    "AssetError": "capture",
    "BadSource": "errors",
    "Capture": "capture",
    "Comparison": "verify",
    "ConnectionFailed": "errors",
    "FormatError": "capture",
    "Interrupted": "errors",
    "InvalidPayload": "errors",
    "NewerFormatError": "capture",
    "NoAPI": "errors",
    "NoExtension": "errors",
    "NotFound": "errors",
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
    "BadSource",
    "Capture",
    "Comparison",
    "ConnectionFailed",
    "FormatError",
    "Interrupted",
    "InvalidPayload",
    "NewerFormatError",
    "NoAPI",
    "NoExtension",
    "NotFound",
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
