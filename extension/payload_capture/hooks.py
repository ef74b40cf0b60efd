"""Wrappers around functions of the webui, and how they tell a listener what happens.

Nothing here knows a webui: `host` names what is wrapped.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

_MARK = "_payload_capture_original"

Wrapper = Callable[..., Any]
"""Takes the original, then its arguments; replaces what has the wrapper's own name."""


class Listener(Protocol):
    """Who follows generations: `jobs.Recorder`."""

    def run_started(self, p: Any) -> None: ...
    def run_ended(self, p: Any, processed: Any, error: BaseException | None) -> None: ...
    def processing_started(self, p: Any) -> None: ...
    def seeds_known(self, p: Any) -> None: ...
    def batch_ended(self, p: Any) -> None: ...
    def processing_ended(self, p: Any, processed: Any) -> None: ...
    def picture_started(self, job: Any, picture: Any, args: Any) -> None: ...
    def picture_ended(self, job: Any, images: Iterable[Any]) -> None: ...
    def closed(self, p: Any, error: BaseException | None) -> None: ...
    def failed(self, p: Any, where: str, error: BaseException) -> None: ...


def tell(listener: Listener, event: str, p: Any, *more: Any) -> None:
    """Call the listener; what it raises becomes its own `failed`, never the webui's exception."""
    try:
        getattr(listener, event)(p, *more)
    except Exception as error:
        try:
            listener.failed(p, event, error)
        except Exception as second:
            print(f"[payload-capture] {event}: {error!r}, then {second!r}", file=sys.stderr)


def wrap_all(wrapped: Iterable[tuple[Any, Wrapper]]) -> Callable[[], None]:
    """Put wrappers around functions of classes and modules. Returns what takes them off."""
    pairs = list(wrapped)
    for owner, wrapper in pairs:
        _wrap(owner, wrapper)

    def undo() -> None:
        for owner, wrapper in pairs:
            _unwrap(owner, wrapper.__name__)

    return undo


def _wrap(owner: Any, wrapper: Callable[..., Any]) -> None:
    """Put `wrapper` around the method or function of its name in a class or module."""
    name = wrapper.__name__
    _unwrap(owner, name)
    original = getattr(owner, name)

    @functools.wraps(original)
    def method(*args: Any, **named: Any) -> Any:
        return wrapper(original, *args, **named)

    setattr(method, _MARK, original)
    setattr(owner, name, method)


def _unwrap(owner: Any, name: str) -> None:
    original = getattr(getattr(owner, name), _MARK, None)
    if original is not None:
        setattr(owner, name, original)
