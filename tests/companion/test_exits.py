"""Whose fault it was decides the exit code."""

from __future__ import annotations

import pytest

from payload_replay import (
    AssetError,
    BadSource,
    ConnectionFailed,
    FormatError,
    InvalidPayload,
    NewerFormatError,
    NoAPI,
    NoExtension,
    NotFound,
    ServerError,
    Timeout,
    UnexpectedAnswer,
    WrongCredentials,
)
from payload_replay.errors import Interrupted
from payload_replay.exits import ExitStatus, of_error

pytestmark = pytest.mark.once


def test_the_codes_are_a_promise() -> None:
    codes = {status.name: status.value for status in ExitStatus}
    assert codes == {
        "IDENTICAL": 0,
        "DIFFERENT": 1,
        "REFUSED": 2,
        "FAILED": 3,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize(
    "error",
    [
        FormatError("", ""),
        NewerFormatError("", ""),
        AssetError("", ""),
        BadSource(),
        InvalidPayload(""),
        NotFound(),
        OSError(),
    ],
    ids=repr,
)
def test_the_inputs_fault(error: Exception) -> None:
    assert of_error(error) is ExitStatus.REFUSED


def test_nobodys_fault() -> None:
    assert of_error(Interrupted()) is ExitStatus.INTERRUPTED


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailed(),
        Timeout(),
        WrongCredentials(),
        NoAPI(),
        NoExtension(),
        ServerError(500),
        UnexpectedAnswer(),
    ],
    ids=repr,
)
def test_the_servers_fault(error: Exception) -> None:
    assert of_error(error) is ExitStatus.FAILED
