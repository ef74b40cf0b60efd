"""The end of the webui's process: what waits is stored first, as far as some seconds allow.

Ctrl+C and the webui's own buttons end the process with ``os._exit``, SIGTERM by its default, so
that nothing of what `atexit` knows runs (A1111 v1.6.0 to v1.10.1, Forge dfdcbab6, reForge 3b56b268:
``initialize_util.configure_sigint_handler``, ``restart.stop_program``).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Those by which people and services end a program; Windows has no SIGHUP."""


def before_signals(save: Callable[[], object]) -> None:
    """Call `save` before one of `SIGNALS` ends the process. Another one meanwhile ends it at once.

    Python lets only the main thread say so, on which all hosts load extensions when they start.
    `save` runs on it, between any two instructions: it must take no lock and come to an end.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        before = signal.getsignal(number)
        if before is not None and before is not signal.SIG_IGN:
            signal.signal(number, _ending(number, before, save))


def _ending(number: int, before: Any, save: Callable[[], object]) -> Callable[..., None]:
    def ending(*args: Any) -> None:
        signal.signal(number, before)
        try:
            save()
        finally:
            try:
                _end(number, before, *args)
            finally:
                signal.signal(number, ending)  # somebody goes on all the same

    return ending


def _end(number: int, before: Any, *args: Any) -> None:
    if callable(before):
        before(*args)
    else:
        os.kill(os.getpid(), number)
