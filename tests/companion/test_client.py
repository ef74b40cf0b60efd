"""The client against a real socket: what it sends, and what each bad answer becomes."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from fake_webui import API, EXTENSION, NO_ROUTE, FakeWebUI
from payload_replay import (
    BadSource,
    Cancelled,
    Capture,
    ConnectionFailed,
    InvalidPayload,
    NoAPI,
    ServerError,
    Timeout,
    UnexpectedAnswer,
    WebUI,
    WrongCredentials,
)

pytestmark = pytest.mark.once

TXT2IMG = f"{API}/txt2img"


def test_it_sends_exactly_the_payload(fake: FakeWebUI, webui: WebUI) -> None:
    payload = {"prompt": "ä", "seed": 2**63, "cfg_scale": 7.0, "x": None, "y": ["\ud83d", {}]}
    webui.txt2img(payload)
    assert fake.bodies("POST", TXT2IMG) == [payload]


def test_an_empty_payload_stays_empty(fake: FakeWebUI, webui: WebUI) -> None:
    webui.post(f"{API}/img2img", {})
    assert fake.bodies("POST", f"{API}/img2img") == [{}]


def test_it_asks_for_an_answer_that_is_not_compressed(fake: FakeWebUI, webui: WebUI) -> None:
    webui.options()
    assert fake.asked[0].headers["Accept-Encoding"] == "identity"


def test_a_number_that_json_lacks_is_not_sent(fake: FakeWebUI, webui: WebUI) -> None:
    with pytest.raises(InvalidPayload, match="cannot be sent as JSON"):
        webui.txt2img({"s_tmax": math.inf})
    assert fake.asked == []


@pytest.mark.parametrize("password", ["plain", "with:colon:s", "pässwörd €"])
def test_credentials_go_as_utf_8(password: str) -> None:
    with FakeWebUI(auth=f"jürgen:{password}") as fake:
        assert WebUI(fake.url, auth=("jürgen", password)).options()
        with pytest.raises(WrongCredentials, match="refuses this user"):
            WebUI(fake.url, auth=("jürgen", "wrong")).options()
        with pytest.raises(WrongCredentials, match="give `auth`"):
            WebUI(fake.url).options()


def test_credentials_in_the_address_are_used_and_never_shown() -> None:
    with FakeWebUI(auth="me:p@ss") as fake:
        webui = WebUI(fake.url.replace("//", "//me:p%40ss@"))
        assert webui.options()
        assert "ss" not in webui.url + repr(webui)


def test_a_user_name_with_a_colon_is_refused() -> None:
    with pytest.raises(ValueError, match="colon"):
        WebUI("http://127.0.0.1", auth=("a:b", "c"))


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("127.0.0.1:7860", "http://127.0.0.1:7860"),
        ("https://host/sd/", "https://host/sd"),
        ("http://[::1]:7860/", "http://[::1]:7860"),
    ],
)
def test_addresses(given: str, url: str) -> None:
    assert WebUI(given).url == url


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "http://host:port", "file:///etc"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ConnectionFailed, match="no address"):
        WebUI(url)


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(ConnectionFailed, match="is the webui running"):
        WebUI(url).options()


def test_a_slow_server(fake: FakeWebUI) -> None:
    fake.answer("GET", f"{API}/options", body={}, delay=1.0)
    with pytest.raises(Timeout, match="may still be generating"):
        WebUI(fake.url, timeout=(1, 0.1)).options()


def test_a_server_that_stops_in_the_middle(fake: FakeWebUI) -> None:
    fake.answer("POST", TXT2IMG, body={"images": ["A" * 1000]}, cut=600, stall=1.0)
    with pytest.raises(Timeout, match="may still be generating"):
        WebUI(fake.url, timeout=(1, 0.2)).txt2img({})


def test_a_server_without_the_api(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answers["GET", f"{API}/options"] = NO_ROUTE
    with pytest.raises(NoAPI, match="--api"):
        webui.options()


@pytest.mark.parametrize(
    ("detail", "field", "reason"),
    [
        ("Script 'x' not found", None, "Script 'x' not found"),
        ([{"loc": ["body", "steps"], "msg": "not an integer"}], "steps", "not an integer"),
        (
            [{"loc": ["body", "a", 0], "msg": "one"}, {"loc": ["body", "b"], "msg": "two"}],
            "a.0",
            "one; b: two",
        ),
        (["odd"], None, "['odd']"),
        ([{"msg": "no place"}], None, "no place"),
    ],
)
def test_422_names_the_field(
    fake: FakeWebUI, webui: WebUI, detail: Any, field: str | None, reason: str
) -> None:
    fake.answer("POST", TXT2IMG, 422, {"detail": detail})
    with pytest.raises(InvalidPayload) as raised:
        webui.txt2img({})
    assert (raised.value.field, raised.value.reason) == (field, reason)


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_sampler_is_no_missing_api(fake: FakeWebUI, webui: WebUI, status: int) -> None:
    fake.answer("POST", TXT2IMG, status, {"detail": "Sampler not found"})
    with pytest.raises(InvalidPayload, match="Sampler not found"):
        webui.txt2img({})


def test_500_gives_the_servers_words(fake: FakeWebUI, webui: WebUI) -> None:
    body = {"error": "ValueError", "detail": "", "body": "", "errors": "steps is 0"}
    fake.answer("POST", TXT2IMG, 500, body)
    with pytest.raises(ServerError, match="500: ValueError: steps is 0") as raised:
        webui.txt2img({})
    assert (raised.value.error, raised.value.errors) == ("ValueError", "steps is 0")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": {"message": "full"}}'])
def test_500_of_any_shape(fake: FakeWebUI, webui: WebUI, body: bytes) -> None:
    fake.answer("POST", TXT2IMG, 502, body)
    with pytest.raises(ServerError, match="502"):
        webui.txt2img({})


def test_html_instead_of_json(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", TXT2IMG, body=b"<html>Please log in</html>", type="text/html")
    with pytest.raises(UnexpectedAnswer, match="text/html: '<html>Please log in"):
        webui.txt2img({})


def test_half_a_body(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", TXT2IMG, body={"images": ["A" * 1000]}, cut=600)
    with pytest.raises(UnexpectedAnswer):
        webui.txt2img({})


def test_json_cut_short(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", TXT2IMG, body=b'{"images": ["AAAA')
    with pytest.raises(UnexpectedAnswer, match="no JSON"):
        webui.txt2img({})


def test_json_nested_deeply(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", TXT2IMG, body=b'{"images":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    with pytest.raises(UnexpectedAnswer, match="no JSON"):
        webui.txt2img({})


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_json_of_another_kind(fake: FakeWebUI, webui: WebUI, body: Any) -> None:
    fake.answer("POST", TXT2IMG, body=body)
    with pytest.raises(UnexpectedAnswer, match="not an object"):
        webui.txt2img({})


def test_200_with_an_error_inside(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", TXT2IMG, body={"error": "OutOfMemoryError", "errors": "no memory left"})
    with pytest.raises(UnexpectedAnswer, match="no memory left"):
        webui.txt2img({})


def test_a_redirect_is_told_not_followed(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", TXT2IMG, 302, b"", headers={"Location": "https://else.where/"})
    with pytest.raises(UnexpectedAnswer, match=r"points to https://else\.where/"):
        webui.txt2img({})
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("models", "sd-models"),
        ("vaes", "sd-vae"),
        ("samplers", "samplers"),
        ("schedulers", "schedulers"),
        ("scripts", "scripts"),
        ("options", "options"),
    ],
)
def test_what_the_server_has(fake: FakeWebUI, webui: WebUI, method: str, path: str) -> None:
    assert getattr(webui, method)() == (fake.options if path == "options" else fake.lists[path])
    fake.answer("GET", f"{API}/{path}", body="a text")
    with pytest.raises(UnexpectedAnswer, match="gave a str"):
        getattr(webui, method)()


def test_a_capture_goes_where_it_belongs(
    fake: FakeWebUI, webui: WebUI, captured: Callable[..., Capture]
) -> None:
    capture = captured()
    made = webui.txt2img(capture)
    assert made == webui.generate(capture)
    assert fake.bodies("POST", TXT2IMG) == [capture.payload] * 2
    with pytest.raises(BadSource, match="goes to /sdapi/v1/txt2img"):
        webui.img2img(capture)
    assert fake.bodies("POST", f"{API}/img2img") == []


@pytest.mark.parametrize(
    "endpoint",
    [
        f"{API}/server-kill",
        f"{API}/options",
        "/login",
        f"{EXTENSION}/run/../../..{API}/server-kill",
    ],
)
def test_a_capture_from_a_stranger_changes_nothing(
    fake: FakeWebUI, webui: WebUI, captured: Callable[..., Capture], endpoint: str
) -> None:
    capture = dataclasses.replace(captured(), endpoint=endpoint)
    with pytest.raises(BadSource, match="makes no pictures"):
        webui.generate(capture)
    assert fake.asked == []


def test_a_captures_pictures_are_sent_as_base64(
    fake: FakeWebUI,
    webui: WebUI,
    captured: Callable[..., Capture],
    picture_in_payload: Callable[..., Any],
) -> None:
    data = base64.b64decode(webui.txt2img({})["images"][0])
    reference, assets = picture_in_payload(data, True)
    endpoint = f"{API}/img2img"
    capture = captured({"init_images": [reference]}, endpoint=endpoint, assets=assets)
    webui.img2img(capture)
    (sent,) = fake.bodies("POST", endpoint)
    assert base64.b64decode(sent["init_images"][0]) == data


EXTRAS = ["extra_single_image", "extra_batch_images"]


@pytest.mark.parametrize("method", EXTRAS)
def test_extras_are_sent_as_they_are(fake: FakeWebUI, webui: WebUI, method: str) -> None:
    path = f"{API}/{method.replace('_', '-')}"
    fake.answer("POST", path, body={"html_info": "", "image": "", "images": []})
    getattr(webui, method)({"upscaler_1": "Lanczos"})
    assert fake.bodies("POST", path) == [{"upscaler_1": "Lanczos"}]


def test_a_caption_that_is_none(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("POST", f"{API}/interrogate", body={"caption": None})
    with pytest.raises(UnexpectedAnswer, match="no caption"):
        webui.interrogate(b"...")


def test_a_replay_can_be_cancelled_and_leaves_no_setting_behind(
    fake: FakeWebUI, webui: WebUI, captured: Callable[..., Capture]
) -> None:
    capture, before = captured(), webui.options()
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        webui.replay(capture, cancel=cancel)
    assert webui.options() == before
    assert fake.bodies("POST", TXT2IMG) == []


def test_sd_next_answers_orders_with_204(fake: FakeWebUI, webui: WebUI) -> None:
    """Its modules/api/api.py: interrupt, skip, the refreshing ones and unload-checkpoint."""
    fake.answer("POST", f"{API}/interrupt", 204, b"")
    webui.interrupt()


def test_set_options(fake: FakeWebUI, webui: WebUI) -> None:
    webui.set_options({"sd_vae": "None"})
    assert fake.options["sd_vae"] == "None"


class Canned(requests.adapters.BaseAdapter):
    """What anybody can mount on a session to answer without a network."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, str(request.url)
        response._content = json.dumps({"images": [], "sent": str(request.url)}).encode()
        return response

    def close(self) -> None:
        pass


def test_the_session_is_the_seam() -> None:
    session = requests.Session()
    session.mount("http://", Canned())
    session.headers["X-Own"] = "kept"
    webui = WebUI("http://nowhere.invalid", session=session)
    assert webui.txt2img({})["sent"] == f"http://nowhere.invalid{TXT2IMG}"


def test_a_session_of_ones_own_stays_open(fake: FakeWebUI) -> None:
    closed = []

    class Own(requests.Session):
        def close(self) -> None:
            closed.append(True)

    with WebUI(fake.url, session=Own()) as webui:
        webui.options()
    assert closed == []


def test_the_answer_is_as_it_came(fake: FakeWebUI, webui: WebUI) -> None:
    answer = webui.img2img({"prompt": "a cat", "seed": 3})
    assert base64.b64decode(answer["images"][0]).startswith(b"\x89PNG")
    assert answer["parameters"] == {"prompt": "a cat", "seed": 3}
