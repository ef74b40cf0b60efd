"""When to send again: never what may already be generating."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .answers import Reply
from .errors import ConnectionFailed, ConnectionLost, Timeout

BUSY = (502, 503, 504)
"""What a proxy says while the server behind it is away."""
LONGEST = 60.0
"""No pause is longer, whatever the server asks for with Retry-After."""

Send = Callable[[], Reply]
Again = Callable[[], bool]
"""Whether what may have arrived may be sent once more."""


@dataclass(frozen=True)
class Retry:
    """How often to send again, and after how many seconds: `first`, then twice that, and so on.

    A request that never left, since no connection came about, is sent again whatever it asks for.
    One that left is sent again only where that does no harm: after a lost connection, and after
    502, 503 and 504, whose Retry-After is followed. A GET that timed out is not: the server is at
    work.
    """

    times: int = 0
    first: float = 0.5
    sleep: Callable[[float], object] = time.sleep

    def pauses(self) -> Iterator[float]:
        """The seconds to wait before each further try."""
        return (min(self.first * 2**n, LONGEST) for n in range(self.times))

    def run(self, send: Send, again: Again | None) -> Reply:
        """The reply that `send` gives at last, or its last error.

        Args:
            again: asked after the pause, of a request that may have arrived; without it such a
                request is never sent again.
        """
        for pause in self.pauses():
            try:
                reply = send()
            except (ConnectionFailed, Timeout) as error:
                lost = again if isinstance(error, ConnectionLost) else None
                if not self._allows(always if unsent(error) else lost, pause):
                    raise
                continue
            told = asked_for(reply)
            busy = again if reply.status in BUSY else None
            if not self._allows(busy, pause if told is None else told):
                return reply
        return send()

    def _allows(self, again: Again | None, pause: float) -> bool:
        if again is None:
            return False
        self.sleep(pause)
        return again()


def always() -> bool:
    """What may be said of a request that changes nothing."""
    return True


def unsent(error: Exception | None) -> bool:
    """Whether the server cannot have seen the request."""
    return isinstance(error, (ConnectionFailed, Timeout)) and not error.sent


def asked_for(reply: Reply) -> float | None:
    """The seconds of a Retry-After header, given as a number or as a date."""
    text = reply.headers.get("Retry-After")
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdigit() else _until(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST)


def _until(date: str) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp() - time.time()
