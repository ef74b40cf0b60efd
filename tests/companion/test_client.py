"""The client against a real socket: what it sends, and what each bad answer becomes."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
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
from payload_replay.capture import AssetError
from payload_replay.testing import FakeSession
from webui_standin.process import free_port

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
    with pytest.raises(ConnectionFailed, match="is the webui running"):
        WebUI(f"http://127.0.0.1:{free_port()}").options()


def test_a_slow_server(fake: FakeWebUI) -> None:
    fake.answer("GET", f"{API}/options", body={}, delay=30)
    with pytest.raises(Timeout, match="may still be generating"):
        WebUI(fake.url, timeout=(1, 0.1)).options()


def test_a_server_that_stops_in_the_middle(fake: FakeWebUI) -> None:
    fake.answer("POST", TXT2IMG, body={"images": ["A" * 1000]}, cut=600, stall=30)
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


def test_what_is_no_matter_of_the_server(
    fake: FakeWebUI,
    webui: WebUI,
    captured: Callable[..., Capture],
    picture_in_payload: Callable[..., Any],
    tmp_path: Path,
) -> None:
    reference, assets = picture_in_payload(b"another file", False)
    (name,) = assets
    fake.assets[name] = b"not that one"
    with pytest.raises(AssetError):
        webui.txt2img(captured({"init_images": [reference]}, assets=assets))
    with pytest.raises(FileNotFoundError):
        webui.png_info(tmp_path / "none.png")
    assert fake.bodies("POST", TXT2IMG) == fake.bodies("POST", f"{API}/png-info") == []


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


CAPTURE = Capture.from_payload({"prompt": "a cat", "sampler_name": "Euler a Karras"})
ROUTES: dict[str, tuple[Callable[[WebUI], object], str]] = {
    "txt2img": (lambda w: w.txt2img({}), f"POST {API}/txt2img"),
    "img2img": (lambda w: w.img2img({}), f"POST {API}/img2img"),
    "extra_single_image": (lambda w: w.extra_single_image({}), f"POST {API}/extra-single-image"),
    "extra_batch_images": (lambda w: w.extra_batch_images({}), f"POST {API}/extra-batch-images"),
    "generate": (lambda w: w.generate(CAPTURE), f"POST {API}/txt2img"),
    "post": (lambda w: w.post(f"{API}/img2img", {}), f"POST {API}/img2img"),
    "progress": (lambda w: w.progress(), f"GET {API}/progress"),
    "interrupt": (lambda w: w.interrupt(), f"POST {API}/interrupt"),
    "skip": (lambda w: w.skip(), f"POST {API}/skip"),
    "png_info": (lambda w: w.png_info(b"..."), f"POST {API}/png-info"),
    "interrogate": (lambda w: w.interrogate(b"..."), f"POST {API}/interrogate"),
    "options": (lambda w: w.options(), f"GET {API}/options"),
    "set_options": (lambda w: w.set_options({}), f"POST {API}/options"),
    "cmd_flags": (lambda w: w.cmd_flags(), f"GET {API}/cmd-flags"),
    "memory": (lambda w: w.memory(), f"GET {API}/memory"),
    "models": (lambda w: w.models(), f"GET {API}/sd-models"),
    "vaes": (lambda w: w.vaes(), f"GET {API}/sd-vae"),
    "modules": (lambda w: w.modules(), f"GET {API}/sd-modules"),
    "samplers": (lambda w: w.samplers(), f"GET {API}/samplers"),
    "schedulers": (lambda w: w.schedulers(), f"GET {API}/schedulers"),
    "scripts": (lambda w: w.scripts(), f"GET {API}/scripts"),
    "script_info": (lambda w: w.script_info(), f"GET {API}/script-info"),
    "extensions": (lambda w: w.extensions(), f"GET {API}/extensions"),
    "upscalers": (lambda w: w.upscalers(), f"GET {API}/upscalers"),
    "realesrgan_models": (lambda w: w.realesrgan_models(), f"GET {API}/realesrgan-models"),
    "latent_upscale_modes": (lambda w: w.latent_upscale_modes(), f"GET {API}/latent-upscale-modes"),
    "face_restorers": (lambda w: w.face_restorers(), f"GET {API}/face-restorers"),
    "loras": (lambda w: w.loras(), f"GET {API}/loras"),
    "hypernetworks": (lambda w: w.hypernetworks(), f"GET {API}/hypernetworks"),
    "styles": (lambda w: w.styles(), f"GET {API}/prompt-styles"),
    "embeddings": (lambda w: w.embeddings(), f"GET {API}/embeddings"),
    "schema": (lambda w: w.schema, "GET /openapi.json"),
    "refresh_checkpoints": (lambda w: w.refresh_checkpoints(), f"POST {API}/refresh-checkpoints"),
    "refresh_vae": (lambda w: w.refresh_vae(), f"POST {API}/refresh-vae"),
    "refresh_embeddings": (lambda w: w.refresh_embeddings(), f"POST {API}/refresh-embeddings"),
    "refresh_loras": (lambda w: w.refresh_loras(), f"POST {API}/refresh-loras"),
    "unload_checkpoint": (lambda w: w.unload_checkpoint(), f"POST {API}/unload-checkpoint"),
    "reload_checkpoint": (lambda w: w.reload_checkpoint(), f"POST {API}/reload-checkpoint"),
    "call": (lambda w: w.call("DELETE", "/any"), "DELETE /any"),
    "send": (lambda w: w.send("PUT", "/any", {}), "PUT /any"),
}
"""What each method asks for, of those that ask for one thing."""
SEVERAL: dict[str, Callable[[WebUI], object]] = {
    "check": lambda w: w.check(CAPTURE),
    "migrate": lambda w: w.migrate(CAPTURE),
    "minimal": lambda w: w.minimal(CAPTURE),
    "inventory": lambda w: w.inventory.models,
    "captures": lambda w: w.captures.status(),
}
"""Those that only read, each from several places."""
ELSEWHERE = {"replay", "close"}
"""What tests/companion/test_replay.py holds, and what asks for nothing."""
ANSWERS: dict[str, Any] = {
    "/any": {},
    "/openapi.json": {},
    f"{API}/sd-modules": [],
    f"{API}/png-info": {"info": ""},
    f"{API}/interrogate": {"caption": "a cat"},
    f"{API}/extra-single-image": {"image": ""},
    f"{API}/extra-batch-images": {"images": []},
    f"{EXTENSION}/status": {},
}


@pytest.mark.parametrize("name", ROUTES)
def test_each_method_asks_for_its_own(name: str) -> None:
    call, expected = ROUTES[name]
    session = FakeSession(ANSWERS)
    call(WebUI("http://fake", session=session))
    assert [f"{one.method} {one.path}" for one in session.requests] == [expected]


@pytest.mark.parametrize("name", SEVERAL)
def test_what_looks_a_server_over_changes_nothing(name: str) -> None:
    session = FakeSession(ANSWERS)
    SEVERAL[name](WebUI("http://fake", session=session))
    assert {one.method for one in session.requests} == {"GET"}


def test_every_method_is_among_them() -> None:
    kinds = (FunctionType, functools.cached_property)
    public = {name for name in dir(WebUI) if not name.startswith("_")}
    methods = {name for name in public if isinstance(getattr(WebUI, name), kinds)}
    assert methods == {*ROUTES, *SEVERAL, *ELSEWHERE}


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
