"""A server's settings, left as they were.

The webui does not put back every setting that a payload overrides: one that is absent from its
config.json stays changed, for everybody, and after a failed generation too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import ReplayError

if TYPE_CHECKING:
    from .client import WebUI

_ABSENT = object()


@dataclass
class Kept:
    """The settings `before`, those that a generation `moved`, and what could not be put back."""

    before: dict[str, Any]
    moved: dict[str, Any] = field(default_factory=dict)
    lost: str | None = None


@contextmanager
def kept(webui: WebUI) -> Iterator[Kept]:
    """Put back, at the end of the block and however it ends, each setting that moved in it.

    An error of the block comes through, and says as well what could not be put back.
    """
    state = Kept(webui.options())
    try:
        yield state
    except ReplayError as error:
        _try_to_put_back(webui, state)
        if state.lost:
            error.args = (f"{error}; and settings could not be put back: {state.lost}",)
        raise
    except BaseException:
        _try_to_put_back(webui, state)
        raise
    _try_to_put_back(webui, state)


class Shared:
    """`kept` for several generations on one server at a time.

    The settings are read before the first of them and put back after the last: in between, what
    has moved may be what another one needs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._state = Kept({})

    @contextmanager
    def __call__(self, webui: WebUI) -> Iterator[Kept]:
        with self._lock:
            if not self._users:
                self._state = Kept(webui.options())
            self._users += 1
        try:
            yield self._state
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    _try_to_put_back(webui, self._state)


def _try_to_put_back(webui: WebUI, state: Kept) -> None:
    try:
        put_back(webui, state)
    except ReplayError as error:
        state.lost = str(error)


def put_back(webui: WebUI, state: Kept) -> None:
    """Compare with the settings now, and POST those that moved. Raises ReplayError."""
    state.moved = moved(state.before, webui.options())
    if not state.moved:
        return
    webui.set_options({name: typed(value) for name, value in state.moved.items()})
    if stuck := moved(state.before, webui.options()):
        state.lost = f"the server keeps the new value of {', '.join(sorted(stuck))}"


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The settings whose value is another than before, with the value that they had."""
    return {name: value for name, value in before.items() if after.get(name, _ABSENT) != value}


def typed(value: Any) -> Any:
    """A whole number as an integer.

    The webui lists an integer setting as a float, and fails on every later generation once it
    has been given its own 1.0 as clip skip.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
