"""What an error says of the server and of the source."""

from __future__ import annotations

import pytest

from payload_replay import blame
from payload_replay.batch import Outcome
from payload_replay.capture import AssetError, FormatError
from payload_replay.errors import (
    BadSource,
    ConnectionFailed,
    ConnectionLost,
    Interrupted,
    InvalidPayload,
    NoAPI,
    NotFound,
    ServerError,
    Timeout,
    WrongCredentials,
)

pytestmark = pytest.mark.once

# The error; whether no other server could do better; whether every job would meet it there; whether
# nobody is there.
SAID: list[tuple[Exception, bool, bool, bool]] = [
    (BadSource("x"), True, False, False),
    (FormatError("a", "x"), True, False, False),
    (NotFound("x"), True, False, False),
    (OSError("x"), True, False, False),
    (Interrupted("x"), True, False, False),
    (AssetError("a", "x"), False, False, False),
    (InvalidPayload("x"), False, False, False),
    (ServerError(500), False, False, False),
    (Timeout("x"), False, False, False),
    (Timeout("x", sent=False), False, True, True),
    (ConnectionFailed("x"), False, True, True),
    (ConnectionLost("x"), False, True, True),
    (NoAPI("x"), False, True, False),
    (WrongCredentials("x"), False, True, False),
]


@pytest.mark.parametrize(("error", "final", "hopeless", "silence"), SAID)
def test_an_error(error: Exception, final: bool, hopeless: bool, silence: bool) -> None:
    assert blame.is_final(Outcome("a", error=error, server="http://a")) is final
    assert blame.is_hopeless(error) is hopeless
    assert blame.is_silence(error) is silence
    assert blame.expected(error) is error


def test_what_no_server_had_to_do_with_is_final() -> None:
    assert blame.is_final(Outcome("a", error=ServerError(500)))
    assert blame.is_final(Outcome("a", record={"verdict": "identical"}, server="http://a"))


def test_no_error() -> None:
    assert not blame.is_hopeless(None)
    assert not blame.is_silence(None)


def test_whose_words_they_are() -> None:
    assert blame.is_of_server(ServerError(500))
    assert blame.is_of_server(ConnectionFailed("x"))
    assert not blame.is_of_server(BadSource("x"))
    assert not blame.is_of_server(FormatError("a", "x"))


def test_a_defect_of_ours_is_told_by_its_name() -> None:
    assert str(blame.expected(KeyError("here"))) == "KeyError('here')"
