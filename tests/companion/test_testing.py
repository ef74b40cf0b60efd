"""The public fake: what somebody else's tests do with it."""

from __future__ import annotations

import pytest
import requests

from payload_replay import (
    ConnectionLost,
    InvalidPayload,
    NoAPI,
    NoExtension,
    ServerError,
    WebUI,
    testing,
)
from payload_replay.hostlists import API, COMMANDS, IDLE, RECORDED
from payload_replay.testing import Answer, FakeSession, Request

pytestmark = pytest.mark.once


def test_the_docstring_runs() -> None:
    code = (testing.__doc__ or "").partition("::")[2]
    lines = [line.strip() for line in code.splitlines()]
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    session = names["session"]
    assert isinstance(session, FakeSession)
    assert session.sent("/sdapi/v1/txt2img") == [{"prompt": "a cat"}]


def test_a_picture_follows_from_its_payload() -> None:
    webui = WebUI("http://fake", session=FakeSession())
    payload = {"prompt": "a cat", "seed": 5, "batch_size": 2, "width": 20, "height": 10}
    made = webui.txt2img(payload)
    again, other = webui.txt2img(payload), webui.txt2img(payload | {"steps": 3})
    assert made.seeds == [5, 6]
    assert [picture.image.size for picture in made.images] == [(20, 10)] * 2
    assert made["images"] == again["images"] != other["images"]
    assert made.images[0].image.info["parameters"] == made.infotexts[0]


def test_every_batch_is_drawn() -> None:
    webui = WebUI("http://fake", session=FakeSession())
    made = webui.txt2img({"seed": 5, "n_iter": 2, "batch_size": 2})
    assert made.seeds == [5, 6, 7, 8]
    assert len(set(made["images"])) == 4


@pytest.mark.parametrize("payload", [{"n_iter": 10**9}, {"batch_size": 10**9, "n_iter": 10**9}])
def test_a_drawing_has_its_limits_in_number(payload: dict[str, int]) -> None:
    made = WebUI("http://fake", session=FakeSession()).txt2img(payload)
    assert len(made.images) == len(made.seeds) == testing.MOST


def test_it_lists_what_a_webui_lists() -> None:
    webui = WebUI("http://fake", session=FakeSession())
    for path in RECORDED:
        if path not in (f"{API}sd-modules", "/openapi.json"):
            assert webui.call("GET", path) is not None, path
    for path, answer in COMMANDS.items():
        assert webui.call("POST", path) == answer
    assert webui.call("GET", f"{API}progress") == IDLE
    assert [model.title for model in webui.models()] == ["fake.safetensors"]
    assert [sampler.name for sampler in webui.samplers()] == ["Euler a"]


def test_a_drawing_has_its_limits() -> None:
    made = WebUI("http://fake", session=FakeSession()).txt2img({"width": 10**9, "height": -1})
    assert made.images[0].image.size == (testing.LARGEST, 64)


def test_routes_of_every_kind() -> None:
    def refuse(request: Request) -> Answer:
        return Answer(422, {"detail": f"no {request.json['prompt']}"})

    session = FakeSession(
        {
            "POST /sdapi/v1/txt2img": refuse,
            "POST /sdapi/v1/img2img": requests.ConnectionError("gone"),
            "/sdapi/v1/loras": [{"name": "mine"}],
            "GET /sdapi/v1/upscalers": Answer(500, {"error": "E"}),
        }
    )
    webui = WebUI("http://fake", session=session)
    with pytest.raises(InvalidPayload, match="no dogs"):
        webui.txt2img({"prompt": "dogs"})
    with pytest.raises(ConnectionLost):
        webui.img2img({})
    with pytest.raises(ServerError, match="500: E"):
        webui.upscalers()
    assert [lora.name for lora in webui.loras()] == ["mine"]


def test_options_are_kept() -> None:
    webui = WebUI("https://fake", session=FakeSession())
    webui.set_options({"CLIP_stop_at_last_layers": 2})
    assert webui.options()["CLIP_stop_at_last_layers"] == 2


def test_what_it_has_not() -> None:
    webui = WebUI("http://fake", session=FakeSession())
    with pytest.raises(NoExtension):
        webui.captures.status()
    with pytest.raises(NoAPI):
        webui.modules()


def test_two_sessions_share_nothing() -> None:
    one, other = FakeSession(), FakeSession()
    one.routes["GET /sdapi/v1/loras"] = [{"name": "mine"}]
    assert WebUI("http://fake", session=other).loras() == []


def test_it_replays_a_payload() -> None:
    session = FakeSession()
    replay = WebUI("http://fake", session=session).replay({"prompt": "a cat", "steps": 1})
    assert (replay.verdict, len(replay.pictures)) == ("unverified", 1)
