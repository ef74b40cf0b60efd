"""What happened to captures, for whoever listens: callbacks in this process, streams outside.

Events have ids that grow, over restarts too, since the first one's is the time at the start in
milliseconds; so a listener that was away names the last one it saw and gets what it missed. The
newest `KEPT` are remembered. Each process tells what happened in it alone.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, NamedTuple

KINDS = ("captured", "updated", "deleted", "replayed")
MISSED = "missed"
"""What a stream tells a listener that was away for longer than is remembered."""
KEPT = 1000
HEARTBEAT = 15.0
"""Seconds of silence after which a stream says that it is still there."""
LOOK = 0.5
"""Seconds between two looks at whether the server is closing: it waits for its streams to end."""


class Event(NamedTuple):
    """`kind` is one of `KINDS`; `data` is JSON and holds the capture's ``id``."""

    id: int
    kind: str
    data: dict[str, Any]


class Told(NamedTuple):
    """Events, the id after which to ask for the next ones, and whether some are remembered no more
    or the id was none of this process.
    """

    events: list[Event]
    last: int
    missed: bool


Callback = Callable[[Event], object]


class Events:
    """Thread-safe. Callbacks run in the thread that publishes, and should return at once."""

    def __init__(self, now: Callable[[], float] = time.time, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._kept: collections.deque[Event] = collections.deque(maxlen=kept)
        self._callbacks: list[Callback] = []
        self.first = self.last = int(now() * 1000)

    def publish(self, kind: str, data: dict[str, Any]) -> int:
        """Tell everybody; the event's id."""
        with self._lock:
            self.last += 1
            event = Event(self.last, kind, data)
            self._kept.append(event)
            callbacks = list(self._callbacks)
        for callback in callbacks:
            try:
                callback(event)
            except Exception as error:  # noqa: PERF203 - the others are to be told
                print(f"[payload-capture] a listener to {kind}: {error!r}", file=sys.stderr)
        return event.id

    def forget(self, identity: str) -> None:
        """Remember nothing that happened to this capture."""
        with self._lock:
            left = (event for event in self._kept if event.data.get("id") != identity)
            self._kept = collections.deque(left, self._kept.maxlen)

    def after(self, last: int) -> Told:
        """What came after the event of this id, as far as it is remembered."""
        with self._lock:
            there = [event for event in self._kept if event.id > last]
            oldest = self._kept[0].id - 1 if self._kept else self.first
            return Told(there, self.last, missed=not oldest <= last <= self.last)

    def listeners(self) -> int:
        """How many callbacks and streams listen."""
        with self._lock:
            return len(self._callbacks)

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback` with each event from now on. Returns what ends that.

        What it raises is printed and goes no further.
        """
        with self._lock:
            self._callbacks.append(callback)

        def leave() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._callbacks.remove(callback)

        return leave


async def stream(
    events: Events, last: int | None, closing: Callable[[], bool], heartbeat: float = HEARTBEAT
) -> AsyncGenerator[str, None]:
    """The text of server-sent events: those after `last` (None: from now on), until `closing`.

    It holds no thread; a listener that goes away ends it by cancelling.
    """
    loop, woken = asyncio.get_running_loop(), asyncio.Event()
    leave = events.subscribe(lambda _: loop.call_soon_threadsafe(woken.set))
    last = events.last if last is None else last
    try:
        yield "retry: 2000\n\n"  # milliseconds until a browser comes back
        while not closing():
            woken.clear()
            there, last, missed = events.after(last)
            if missed:  # it was away for long, or reads too slowly
                yield _missed(last)
            for event in there:
                yield written(event)
            async for beat in _silence(woken, closing, heartbeat):
                yield beat
    finally:
        leave()


async def happened(events: Events, last: int, enough: Callable[[], bool], seconds: float) -> Told:
    """What came after the event `last`, as soon as there is something; nothing once it is `enough`
    or after some seconds. It holds no thread.
    """
    loop, woken = asyncio.get_running_loop(), asyncio.Event()
    leave = events.subscribe(lambda _: loop.call_soon_threadsafe(woken.set))
    end = time.monotonic() + seconds
    try:
        while True:
            woken.clear()
            told, left = events.after(last), end - time.monotonic()
            if told.events or told.missed or left <= 0 or enough():
                return told
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(woken.wait(), min(LOOK, left))
    finally:
        leave()


async def _silence(
    woken: asyncio.Event, closing: Callable[[], bool], heartbeat: float
) -> AsyncIterator[str]:
    """Wait until something happened, with a comment now and then."""
    quiet_since = time.monotonic()
    while not woken.is_set() and not closing():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(woken.wait(), min(LOOK, heartbeat))
        if time.monotonic() - quiet_since >= heartbeat:
            quiet_since = time.monotonic()
            yield ": still here\n\n"


def _missed(last: int) -> str:
    """Says that something cannot be told any more."""
    reason = "more happened than is remembered, or the webui was started anew: list again"
    return written(Event(last, MISSED, {"reason": reason}))


def written(event: Event) -> str:
    """One event as its stream has it; JSON in ASCII has no line breaks of its own."""
    return f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n"
