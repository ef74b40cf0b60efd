"""The exceptions that a real webui prints and forgets, kept so that a test can fail on them.

Sources of the fact that they are swallowed: A1111 v1.10.1, modules/scripts.py (hooks),
modules/script_callbacks.py (callbacks), modules/call_queue.py (page events).
"""

from __future__ import annotations

import sys
import threading
import traceback
from typing import Any

_lock = threading.Lock()
_records: list[dict[str, str]] = []


def record(where: str, error: BaseException | None = None) -> dict[str, str]:
    """Keep one swallowed error; `error` defaults to the exception being handled."""
    error = error if error is not None else sys.exc_info()[1]
    entry = {
        "where": where,
        "type": type(error).__name__ if error else "",
        "message": str(error) if error else where,
        "traceback": "".join(traceback.format_exception(error)) if error else "",
    }
    with _lock:
        _records.append(entry)
    return entry


def records() -> list[dict[str, str]]:
    """All kept errors, oldest first."""
    with _lock:
        return [dict(entry) for entry in _records]


def clear() -> int:
    """Forget all kept errors; return how many there were."""
    with _lock:
        count = len(_records)
        _records.clear()
    return count


def routes(app: Any, state: Any) -> None:
    """Add the stand-in's own routes to a FastAPI app: errors, readiness, reload."""
    app.add_api_route("/standin/errors", records, methods=["GET"])
    app.add_api_route("/standin/errors", lambda: {"cleared": clear()}, methods=["DELETE"])
    app.add_api_route("/standin/reload", lambda: _reload(state), methods=["POST"])


def _reload(state: Any) -> dict[str, bool]:
    state.request_restart()
    return {"reloading": True}
