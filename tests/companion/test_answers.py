"""Every error of `requests` comes out as one of ours."""

from __future__ import annotations

import pytest
import requests

from payload_replay import ConnectionFailed, ReplayError, Timeout, UnexpectedAnswer
from payload_replay.answers import translated

pytestmark = pytest.mark.once

FOREIGN = [
    error
    for error in vars(requests.exceptions).values()
    if isinstance(error, type)
    and issubclass(error, requests.RequestException)
    and not issubclass(error, requests.exceptions.JSONDecodeError)
]
SPECIAL = {
    requests.exceptions.Timeout: Timeout,
    requests.exceptions.ConnectTimeout: Timeout,
    requests.exceptions.ReadTimeout: Timeout,
    requests.exceptions.ChunkedEncodingError: UnexpectedAnswer,
    requests.exceptions.ContentDecodingError: UnexpectedAnswer,
}


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda error: error.__name__)
def test_translated(foreign: type[requests.RequestException]) -> None:
    def send() -> None:
        raise foreign("what happened")

    with pytest.raises(ReplayError, match=r"http://host.*what happened") as raised:
        translated("http://host", send)
    assert type(raised.value) is SPECIAL.get(foreign, ConnectionFailed)


def test_what_is_not_theirs_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        translated("http://host", lambda: 1 // 0)
