"""What other extensions of the webui may call: one versioned set of functions.

They find it in ``sys.modules["payload_capture"]``, once the webui's ``on_app_started`` callbacks
run. Names, arguments and answers stay as they are while `INTERFACE` is the same. Only plain JSON
values cross, so that nobody holds an object of ours over an update. "Reload UI" forgets what was
subscribed and added: extensions are loaded again then, and register again.
"""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payload_capture.service import Service

INTERFACE = 1
"""The version of this set of functions."""
WAITING = 1000
"""Captures that wait for a slow subscriber; of more the oldest are left out, and it is said."""

Document = dict[str, Any]


class Subscription:
    """One subscriber with a thread of its own, so that it delays nobody."""

    def __init__(self, name: str, callback: Callable[[Document], None]) -> None:
        self.name = name
        self._callback = callback
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended = False
        thread_name = f"payload-capture-subscriber-{name}"
        self._thread = threading.Thread(target=self._run, name=thread_name, daemon=True)
        self._thread.start()

    def put(self, document: str) -> None:
        if self._queue.qsize() >= WAITING:
            with contextlib.suppress(queue.Empty):
                self._queue.get_nowait()
            say(f"{self.name} is too slow: a capture was left out for it")
        self._queue.put(document)

    def end(self) -> None:
        """Call no more. Returns at once; a call that runs is not broken off."""
        self._ended = True
        self._queue.put(None)

    def _run(self) -> None:
        while (document := self._queue.get()) is not None and not self._ended:
            self._call(document)

    def _call(self, document: str) -> None:
        try:
            self._callback(json.loads(document))
        except BaseException as error:  # SystemExit too: it would end this thread in silence
            say(f"{self.name} failed at a capture: {type(error).__name__}: {error}")


class Registry:
    """What other extensions have registered."""

    def __init__(self) -> None:
        self.service: Service | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._facts: dict[str, Callable[[], Any]] = {}
        self._lock = threading.Lock()

    def subscribe(self, name: str, callback: Callable[[Document], None]) -> Callable[[], None]:
        made = Subscription(name, callback)
        with self._lock:
            before = self._subscriptions.get(name)
            self._subscriptions[name] = made
        if before is not None:
            before.end()
        return lambda: self._unsubscribe(made)

    def _unsubscribe(self, subscription: Subscription) -> None:
        subscription.end()
        with self._lock:
            if self._subscriptions.get(subscription.name) is subscription:
                del self._subscriptions[subscription.name]

    @property
    def wanted(self) -> bool:
        """Whether anybody subscribed."""
        return bool(self._subscriptions)

    def publish(self, document: str) -> None:
        """Hand a capture, as JSON, to everybody who subscribed."""
        with self._lock:
            subscriptions = list(self._subscriptions.values())
        for subscription in subscriptions:
            subscription.put(document)

    def add_fact(self, name: str, tell: Callable[[], Any]) -> None:
        with self._lock:
            self._facts[name] = tell

    def facts(self) -> dict[str, Any]:
        """What all tell; of one that fails its failure. Never raises."""
        with self._lock:
            known = list(self._facts.items())
        return {name: _told(name, tell) for name, tell in known}

    def forget(self) -> None:
        """End all subscriptions and drop all facts: the webui unloads its extensions."""
        with self._lock:
            subscriptions = list(self._subscriptions.values())
            self._subscriptions.clear()
            self._facts.clear()
        for subscription in subscriptions:
            subscription.end()


registry = Registry()


def _told(name: str, tell: Callable[[], Any]) -> Any:
    try:
        made = tell()
        json.dumps(made, allow_nan=False)
    except BaseException as error:  # SystemExit too: it would end the writer's thread
        reason = f"{type(error).__name__}: {error}"
        say(f"{name} failed to tell its fact: {reason}")
        return {"failed": reason}
    return made


def say(reason: str) -> None:
    print(f"[payload-capture] {reason}", file=sys.stderr)


# ---- the functions


def subscribe(name: str, callback: Callable[[Document], None]) -> Callable[[], None]:
    """Call `callback` with each capture from now on, as the document that ``GET /captures/{id}``
    answers.

    On a thread of its own, one call at a time, in the order in which jobs ended. What it raises is
    said on the console.

    Args:
        name: your extension's; a second subscription of a name replaces the first.

    Returns:
        what ends the subscription.
    """
    return registry.subscribe(name, callback)


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


def add_host_fact(name: str, tell: Callable[[], Any]) -> None:
    """Put what `tell` returns into ``host.facts`` of each capture from now on.

    Args:
        name: your extension's; a second fact of a name replaces the first.
        tell: returns any JSON value; asked on the writer's thread at the end of each job, so be
            quick. What it raises stands in the capture instead.
    """
    registry.add_fact(name, tell)


def latest(user: str | None = None) -> Document | None:
    """The newest capture, or the newest of a user of the page; None while there is none.

    Waits for the jobs that have ended to be written, so don't call it on the generation's thread.

    Raises:
        RuntimeError: the extension has not started yet.
        StoreError: the captures cannot be read, and why.
    """
    return _service().latest_of(user)


def asset(sha256: str) -> bytes:
    """A picture's file that a document names. Raises LookupError, StoreError."""
    return _service().asset(sha256)[1]


def _service() -> Service:
    if registry.service is None:
        raise RuntimeError("payload_capture has not started: call this from on_app_started on")
    return registry.service
