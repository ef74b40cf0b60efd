"""Generations that the standard endpoints cannot express: their requests, and in a stand-in."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from PIL import Image

from payload_capture.runs import ENDPOINTS, RunError, run

from .conftest import PREFIX, SMALL, Host, Start

BATCH, EXTRAS = f"{PREFIX}/run/batch", f"{PREFIX}/run/extras"
UPSCALE = f"{PREFIX}/run/txt2img-upscale"


def picture(colour: str = "red", size: int = 8) -> str:
    out = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(out, "png")
    return base64.b64encode(out.getvalue()).decode()


class FakeWebui:
    """The seam: what `host` offers for runs."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.broken_off = False

    def generate(self, endpoint: str, payload: Mapping[str, Any], first: Any = None) -> Any:
        self.asked.append((endpoint, dict(payload), first))
        if payload.get("fails"):
            raise RunError(422, "invalid_request", "no such sampler", "sampler_name")
        seed = payload.get("seed", 0)
        info = {"infotexts": [f"Seed: {seed}"], "all_seeds": [seed], "index_of_first_image": 1}
        return {"images": [f"image {seed}"], "parameters": {"seed": seed}, "info": json.dumps(info)}

    def extras(self, images: Any, scripts: Any, options: Any) -> tuple[list[str], str]:
        self.asked.append((images, scripts, options))
        return [f"{image.size}" for image in images], "<p>done</p>"

    def operations(self) -> dict[str, list[str]]:
        return {"Upscale": ["upscale_by"], "GFPGAN": ["enable"]}

    def known_options(self) -> set[str]:
        return {"ESRGAN_tile"}

    def interrupted(self) -> bool:
        return self.broken_off


@pytest.fixture
def webui() -> FakeWebui:
    return FakeWebui()


def requests_of(*seeds: int, **more: Any) -> dict[str, Any]:
    payloads = [{"seed": seed, **more} for seed in seeds]
    return {"requests": [{"endpoint": "/sdapi/v1/img2img", "payload": p} for p in payloads]}


def test_a_batch_is_answered_as_one_request(webui: FakeWebui) -> None:
    answer = run(webui, BATCH, requests_of(1, 2))
    assert answer["images"] == ["image 1", "image 2"]
    info = json.loads(answer["info"])
    assert (info["all_seeds"], info["infotexts"]) == ([1, 2], ["Seed: 1", "Seed: 2"])
    assert info["index_of_first_image"] == 0


def test_an_interrupted_batch_answers_what_it_has(webui: FakeWebui) -> None:
    webui.broken_off = True
    assert run(webui, BATCH, requests_of(1, 2))["images"] == ["image 1"]


def test_a_batch_names_the_request_that_failed(webui: FakeWebui) -> None:
    with pytest.raises(RunError) as raised:
        run(webui, BATCH, requests_of(1, fails=True))
    assert raised.value.field == "requests[0].payload.sampler_name"


def test_the_upscale_button_takes_its_picture_out_of_the_payload(webui: FakeWebui) -> None:
    run(webui, UPSCALE, {"enable_hr": True, "firstpass_image": picture(), "seed": 3})
    ((endpoint, payload, first),) = webui.asked
    assert (endpoint, payload) == ("/sdapi/v1/txt2img", {"enable_hr": True, "seed": 3})
    assert (first.mode, first.size) == ("RGB", (8, 8))


def test_extras_gets_operations_by_name(webui: FakeWebui) -> None:
    scripts, options = {"Upscale": {"upscale_by": 2}}, {"ESRGAN_tile": 64}
    body = {"images": [picture()], "scripts": scripts, "override_settings": options}
    assert run(webui, EXTRAS, body)["images"] == ["(8, 8)"]
    assert webui.asked[0][1:] == (scripts, options)


ONE = {"images": ["data:image/png;base64," + picture()], "scripts": {}}


@pytest.mark.parametrize(
    ("endpoint", "body", "field"),
    [
        (BATCH, [], None),
        (BATCH, {}, "requests"),
        (BATCH, {"requests": [], "more": 1}, "more"),
        (BATCH, {"requests": []}, "requests"),
        (BATCH, {"requests": [3]}, "requests[0]"),
        (BATCH, {"requests": [{"endpoint": BATCH, "payload": {}}]}, "requests[0].endpoint"),
        (UPSCALE, {"enable_hr": True}, "firstpass_image"),
        (UPSCALE, {"enable_hr": True, "firstpass_image": "####"}, "firstpass_image"),
        (UPSCALE, {"firstpass_image": picture()}, "enable_hr"),
        (EXTRAS, {"images": "x"}, "images"),
        (EXTRAS, {"images": [base64.b64encode(b"no picture").decode()]}, "images[0]"),
        (EXTRAS, ONE | {"scripts": {"Sharpen": {}}}, "scripts.Sharpen"),
        (EXTRAS, ONE | {"scripts": {"Upscale": []}}, "scripts.Upscale"),
        (EXTRAS, ONE | {"scripts": {"Upscale": {"by": 2}}}, "scripts.Upscale.by"),
        (EXTRAS, ONE | {"override_settings": {"tile": 1}}, "override_settings.tile"),
        (EXTRAS, ONE | {"override_settings": [1]}, "override_settings"),
    ],
)
def test_what_is_wrong_is_named(webui: FakeWebui, endpoint: str, body: Any, field: Any) -> None:
    with pytest.raises(RunError) as raised:
        run(webui, endpoint, body)
    assert (raised.value.status, raised.value.field) == (422, field)
    assert webui.asked == []


# ---- in a running host


def post(host: Host, endpoint: str, body: Any) -> requests.Response:
    return host.session.post(host.url + endpoint, json=body, timeout=60)


def made(answer: requests.Response) -> list[tuple[tuple[int, int], bytes]]:
    assert answer.ok, answer.text
    images = (Image.open(io.BytesIO(base64.b64decode(t))) for t in answer.json()["images"])
    return [(image.size, image.convert("RGB").tobytes()) for image in images]


def test_a_batch_makes_what_its_requests_make(host: Host) -> None:
    init = {"init_images": [picture("blue", 64)], "denoising_strength": 0.5}
    bodies = [SMALL | init | {"seed": seed} for seed in (5, 6)]
    alone = [made(host.generate("img2img", **body))[0] for body in bodies]
    asked = [{"endpoint": "/sdapi/v1/img2img", "payload": body} for body in bodies]
    answer = post(host, BATCH, {"requests": asked})
    assert made(answer) == alone
    assert json.loads(answer.json()["info"])["all_seeds"] == [5, 6]


def test_the_upscale_route_begins_with_the_given_picture(host: Host) -> None:
    hires: dict[str, Any] = SMALL | {"enable_hr": True, "hr_scale": 2, "denoising_strength": 0.5}
    hires |= {"hr_upscaler": "Lanczos", "hr_additional_modules": ["Use same choices"]}
    red, blue = (
        made(post(host, UPSCALE, hires | {"firstpass_image": picture(colour, 64)}))
        for colour in ("red", "blue")
    )
    assert red[0][0] == (128, 128)
    assert red != blue
    capture = host.latest()
    assert capture["endpoint"] == UPSCALE
    request = host.json(f"/captures/{capture['id']}/request")
    assert made(post(host, request["endpoint"], request["payload"])) == blue
    assert made(host.generate(**hires)) not in (red, blue), "the picture stayed for the next job"


def test_extras_runs_with_settings_that_do_not_stay(host: Host) -> None:
    url = f"{host.url}/sdapi/v1/options"
    before = requests.get(url, timeout=30).json()
    scripts: dict[str, dict[str, Any]] = {"Upscale": {"upscale_enabled": True, "upscale_mode": 0}}
    scripts["Upscale"] |= {"upscale_by": 2}
    scripts["Upscale"] |= {"upscaler_1_name": "Lanczos", "upscaler_2_name": "None"}
    scripts["Upscale"] |= {"upscaler_2_visibility": 0, "max_side_length": 0}
    options = {"ESRGAN_tile": 64}
    body = {"images": [picture(), picture("blue")], "scripts": scripts}
    answer = post(host, EXTRAS, body | {"override_settings": options})
    assert [size for size, _ in made(answer)] == [(16, 16), (16, 16)]
    assert requests.get(url, timeout=30).json() == before
    assert host.latest()["payload"]["override_settings"] == options


def test_every_run_needs_the_api_of_the_webui(start: Start) -> None:
    host = start(api=False)
    body = {"images": [picture()], "scripts": {}}
    answer = post(host, EXTRAS, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "api_off")
    assert "--api" in answer.json()["error"]["message"]
    assert host.json("/status")["runs"] == []
    host.process.stop()


def test_a_host_with_its_api_offers_all_runs(host: Host) -> None:
    assert host.json("/status")["runs"] == list(ENDPOINTS)


@pytest.mark.parametrize(
    ("payload", "status", "said"),
    [
        ({"steps": "many"}, 422, "steps"),
        ({"sampler_name": "Euler a", "script_name": "no such script"}, 422, "script"),
        ({"override_settings": {"no_such_option": 1}}, 500, "no_such_option"),
    ],
)
def test_what_the_webui_refuses_comes_with_its_words(
    host: Host, payload: dict[str, Any], status: int, said: str
) -> None:
    asked = [{"endpoint": "/sdapi/v1/txt2img", "payload": SMALL | payload}]
    answer = post(host, BATCH, {"requests": asked})
    error = answer.json()["error"]
    assert (answer.status_code, error["field"][:11]) == (status, "requests[0]")
    assert said in json.dumps(error)


def test_a_body_that_is_no_json(host: Host) -> None:
    answer = host.session.post(host.url + BATCH, data=b"{", timeout=30)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")
