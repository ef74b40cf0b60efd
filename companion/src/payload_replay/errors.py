"""Every error that this package raises on its own, and what each says to do.

    ReplayError
    ├── BadSource              what was named is no capture, bundle, payload or id
    ├── ConnectionFailed       nothing answers at that address
    │   └── ConnectionLost     it broke off before the answer: the server may be generating
    ├── Timeout                no answer within the given seconds
    ├── Cancelled              stopped as asked; `answer` is what had been made until then
    ├── WrongCredentials       401 or 403
    ├── NoAPI                  a server is up, but without /sdapi
    ├── NoExtension            the webui has no /payload-capture routes
    ├── NotFound               the server does not know that id or picture
    ├── InvalidPayload         the server refuses what was sent; `field` names the place
    ├── ServerError            500 and above; `error`, `detail`, `errors` are the server's words
    ├── UnexpectedAnswer       HTML, half a body, no JSON, pictures that are none
    └── Interrupted            somebody stopped the generation

Documents and bundles that cannot be read, and captures whose pictures cannot be had or are others,
raise `payload_replay.capture.FormatError`; files that cannot be read or written, OSError.
"""

from __future__ import annotations

from typing import Any


class ReplayError(Exception):
    """The root of the tree; its text says what happened and what to do."""


class BadSource(ReplayError):
    """What was named is no capture, bundle, payload or id."""


class ConnectionFailed(ReplayError):
    """Nothing answers at that address. `sent` tells whether the server may have been reached."""

    def __init__(self, message: str = "", *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionLost(ConnectionFailed):
    """The connection broke off before the answer; the server may still be generating."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message, sent=True)


class Timeout(ReplayError):
    """No answer within the given seconds; the server may still be generating.

    `sent` is False where no connection came about in time, so that it cannot be.
    """

    def __init__(self, message: str = "", *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class Cancelled(ReplayError):
    """The generation was stopped as asked.

    `answer` is what the server had made until then, or None where it gave nothing.
    """

    def __init__(self, message: str = "", answer: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.answer = answer


class WrongCredentials(ReplayError):
    """The server asks for a user and password, or refuses those it was given."""


class NoAPI(ReplayError):
    """A server answers, but it has no ``/sdapi``: a webui that was started without ``--api``."""


class NoExtension(ReplayError):
    """The webui answers, but it has no ``/payload-capture`` routes."""


class NotFound(ReplayError):
    """The server does not know that id or picture."""


class InvalidPayload(ReplayError):
    """The server refuses the request.

    `field` is the place that it names, for instance ``steps``, or None; `reason` its words.
    """

    def __init__(self, reason: str, field: str | None = None) -> None:
        place = f"{field}: " if field else ""
        super().__init__(f"the server refuses this: {place}{reason}")
        self.reason = reason
        self.field = field


class ServerError(ReplayError):
    """The server failed: its `status`, and its own words in `error`, `detail` and `errors`."""

    def __init__(self, status: int, error: str = "", detail: str = "", errors: str = "") -> None:
        words = ": ".join(dict.fromkeys(word for word in (error, detail, errors) if word))
        advice = "" if words else "; look into its log"
        super().__init__(f"the server failed with {status}: {words or 'no words'}{advice}")
        self.status = status
        self.error = error
        self.detail = detail
        self.errors = errors


class UnexpectedAnswer(ReplayError):
    """An answer that a webui's API would not give."""


class Interrupted(ReplayError):
    """The generation was stopped before it was done; what came of it is not compared."""
