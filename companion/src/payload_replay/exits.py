"""How the command line ends."""

from __future__ import annotations

import enum

from .capture import FormatError
from .errors import BadSource, Interrupted, InvalidPayload, NotFound


class ExitStatus(enum.IntEnum):
    """The exit codes; of several sources the gravest counts."""

    IDENTICAL = 0
    """Everything came back identical, or the command did what it was asked."""
    DIFFERENT = 1
    """At least one picture is only close, or different."""
    REFUSED = 2
    """A capture was refused, or the input is wrong."""
    FAILED = 3
    """The server cannot be reached, or it failed."""
    INTERRUPTED = 130
    """Ctrl-C."""


OF_VERDICT = {
    "identical": ExitStatus.IDENTICAL,
    "unverified": ExitStatus.IDENTICAL,
    "close": ExitStatus.DIFFERENT,
    "different": ExitStatus.DIFFERENT,
    "refused": ExitStatus.REFUSED,
}
_BAD_INPUT = (BadSource, FormatError, InvalidPayload, NotFound, OSError, ValueError)


def of_error(error: BaseException) -> ExitStatus:
    """Whose fault an error is: the input's, or the server's."""
    if isinstance(error, Interrupted):
        return ExitStatus.INTERRUPTED
    return ExitStatus.REFUSED if isinstance(error, _BAD_INPUT) else ExitStatus.FAILED
