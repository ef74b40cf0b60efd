"""What an error says of the server that it came from, and of the source that was sent there."""

from __future__ import annotations

from .batch import Outcome
from .capture import AssetError, FormatError
from .errors import (
    BadSource,
    ConnectionFailed,
    Interrupted,
    NoAPI,
    NotFound,
    ReplayError,
    WrongCredentials,
)
from .retry import unsent

_OF_SOURCE = (BadSource, FormatError, NotFound, OSError)


def is_final(outcome: Outcome) -> bool:
    """Whether no other server could do better."""
    if outcome.replay is not None:
        return outcome.replay.verdict != "refused"
    if outcome.record is not None or not outcome.server:
        return True
    # A picture that one server lacks may lie on another.
    of_source = isinstance(outcome.error, _OF_SOURCE) and not isinstance(outcome.error, AssetError)
    return of_source or isinstance(outcome.error, Interrupted)


def is_of_server(error: Exception) -> bool:
    """Whether a server said it, or should have said something."""
    return isinstance(error, ReplayError) and not isinstance(error, BadSource)


def is_hopeless(error: Exception | None) -> bool:
    """Whether every further job would meet this at the same server."""
    return isinstance(error, (WrongCredentials, NoAPI)) or is_silence(error)


def is_silence(error: Exception | None) -> bool:
    """Whether nobody is there: a host that is switched off does not even refuse."""
    return isinstance(error, ConnectionFailed) or unsent(error)


def expected(error: Exception) -> Exception:
    """The error; a defect of ours, which costs this job alone, with its name."""
    known = isinstance(error, (ReplayError, FormatError, OSError))
    return error if known else RuntimeError(repr(error))
