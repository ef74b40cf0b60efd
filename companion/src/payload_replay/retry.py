"""When to send again: never what may already be generating."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .answers import Reply
from .errors import ConnectionFailed, ConnectionLost, ReplayError, Timeout

BUSY = (502, 503, 504)
"""What a proxy says while the server behind it is away."""
LONGEST = 60.0
"""No pause is longer, whatever the server asks for with Retry-After."""

Send = Callable[[], Reply]


@dataclass(frozen=True)
class Retry:
    """How often to send again, and after how many seconds: `first`, then twice that, and so on.

    A request that never left, since no connection came about, is sent again whatever it asks for.
    One that left is sent again if it only reads: after a lost connection, and after 502, 503 and
    504, whose Retry-After is followed. A GET that timed out is not: the server is at work.
    """

    times: int = 0
    first: float = 0.5
    sleep: Callable[[float], object] = time.sleep

    def pauses(self) -> Iterator[float]:
        """The seconds to wait before each further try."""
        return (min(self.first * 2**n, LONGEST) for n in range(self.times))

    def run(self, send: Send, *, reads: bool) -> Reply:
        """The reply that `send` gives at last, or its last error."""
        for pause in self.pauses():
            try:
                reply = send()
            except ReplayError as error:
                if not (unsent(error) or (reads and isinstance(error, ConnectionLost))):
                    raise
            else:
                if not (reads and reply.status in BUSY):
                    return reply
                told = asked_for(reply)
                pause = pause if told is None else told
            self.sleep(pause)
        return send()


def unsent(error: Exception) -> bool:
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
