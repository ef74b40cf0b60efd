"""A replay leaves the server's settings as they were."""

from __future__ import annotations

import pytest

from fake_webui import API, FakeWebUI
from payload_replay import ServerError, WebUI
from payload_replay.settings import Shared, kept, moved, typed

pytestmark = pytest.mark.once

OPTIONS = f"{API}/options"


def test_only_what_moved_is_put_back(fake: FakeWebUI, webui: WebUI) -> None:
    before = dict(fake.options)
    with kept(webui) as state:
        fake.options |= {"CLIP_stop_at_last_layers": 2, "sd_vae": "soft.vae.pt"}
    assert fake.bodies("POST", OPTIONS) == [{"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic"}]
    assert fake.options == before
    assert state.moved == {"CLIP_stop_at_last_layers": 1.0, "sd_vae": "Automatic"}
    assert state.lost is None


def test_nothing_is_written_where_nothing_moved(fake: FakeWebUI, webui: WebUI) -> None:
    with kept(webui):
        pass
    assert [one.method for one in fake.asked] == ["GET", "GET"]


def test_a_setting_that_is_new_is_left(fake: FakeWebUI, webui: WebUI) -> None:
    with kept(webui) as state:
        fake.options["new"] = 1
    assert state.moved == {}


def test_after_a_failure_too(fake: FakeWebUI, webui: WebUI) -> None:
    before = dict(fake.options)
    fake.fails_with = "no memory"
    with pytest.raises(ServerError, match="no memory"), kept(webui):
        webui.txt2img({"override_settings": {"eta_noise_seed_delta": 31337}})
    assert fake.leaked == {"eta_noise_seed_delta": 31337}
    assert fake.options == before


def test_a_server_that_refuses_to_go_back(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", OPTIONS, 500, {"error": "AssertionError", "errors": "frozen"})
    with kept(webui) as state:
        fake.options["sd_vae"] = "None"
    assert "frozen" in (state.lost or "")


def test_a_server_that_says_yes_and_does_nothing(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", OPTIONS, body=None)
    with kept(webui) as state:
        fake.options["sd_vae"] = "None"
    assert state.lost == "the server keeps the new value of sd_vae"


def test_without_the_settings_nothing_begins(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("GET", OPTIONS, 500, {"error": "ValidationError"})
    with pytest.raises(ServerError), kept(webui):
        pytest.fail("the block was entered")


def test_moved() -> None:
    assert moved({"a": 1, "b": 2, "c": 3}, {"a": 1.0, "b": 3}) == {"b": 2, "c": 3}


@pytest.mark.parametrize(
    ("value", "expected"), [(1.0, 1), (1.5, 1.5), ("1.0", "1.0"), (True, True), (None, None)]
)
def test_whole_numbers_go_as_integers(value: object, expected: object) -> None:
    assert typed(value) == expected
    assert type(typed(value)) is type(expected)


def test_shared_by_several_at_a_time(fake: FakeWebUI, webui: WebUI) -> None:
    keep = Shared()
    before = dict(fake.options)
    with keep(webui) as first:
        fake.options["sd_vae"] = "a.pt"
        with keep(webui) as second:
            fake.options["sd_vae"] = "b.pt"
        assert second is first
        assert fake.options["sd_vae"] == "b.pt", "another one may need it still"
    assert fake.options == before
    assert first.moved == {"sd_vae": "Automatic"}
    fake.options["sd_vae"] = "c.pt"
    with keep(webui):
        pass
    assert fake.options["sd_vae"] == "c.pt", "what was there before the next one stays"


def test_shared_puts_back_after_a_failure_too(fake: FakeWebUI, webui: WebUI) -> None:
    fake.options["sd_vae"] = "c.pt"

    def fail() -> None:
        with Shared()(webui):
            fake.options["sd_vae"] = "d.pt"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert fake.options["sd_vae"] == "c.pt"
