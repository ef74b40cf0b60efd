from __future__ import annotations

import pytest
import typer

from fake_webui import FakeWebUI
from payload_replay import WrongCredentials
from payload_replay.commands.fleet import clients
from payload_replay.commands.options import connect, credentials

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("own", "auth", "accepted"),
    [
        ("its:own@", "all:others", True),
        ("its:own@", None, True),
        ("", "its:own", True),
        ("", "all:others", False),
        ("all:others@", "its:own", False),
    ],
)
def test_a_user_in_the_address_counts_more_than_the_option(
    fake: FakeWebUI, own: str, auth: str | None, accepted: bool
) -> None:
    fake.auth = "its:own"
    webui = connect(fake.url.replace("://", f"://{own}"), auth)
    if accepted:
        assert webui.options() == fake.options
    else:
        with pytest.raises(WrongCredentials):
            webui.options()


def test_the_option_is_read_though_the_address_counts() -> None:
    with pytest.raises(typer.Exit):
        connect("http://its:own@127.0.0.1:1", "no-colon")


@pytest.mark.parametrize(
    ("servers", "urls"),
    [
        (["http://h:7860", "http://h:7860/", "h:7860", "HTTP://H:7860"], ["http://h:7860"]),
        (["http://a:b@h:7860", "http://h:7860"], ["http://h:7860"]),
        (["http://h", "http://h:80/"], ["http://h"]),
        (["https://h:443", "https://h"], ["https://h:443"]),
        (["http://h:443", "http://h"], ["http://h:443", "http://h"]),
        (["http://h/sd", "http://h:80/sd/", "http://h"], ["http://h/sd", "http://h"]),
        (["http://h:8080", "http://h"], ["http://h:8080", "http://h"]),
    ],
)
def test_a_server_is_one_however_it_is_written(servers: list[str], urls: list[str]) -> None:
    assert [one().url for one in clients(servers, None, 1)] == urls


def test_credentials() -> None:
    assert credentials("a:b:c") == ("a", "b:c")
    assert credentials("a:") == ("a", "")
    assert credentials(None) is None
    with pytest.raises(ValueError, match="USER:PASSWORD"):
        credentials("a")
