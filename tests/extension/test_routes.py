"""The routes over real sockets, and who they let in."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
import requests
from PIL import Image

from payload_capture.capture import Capture, pixel_hash
from payload_capture.routes import FORMS, PREFIX, ROUTES

from .conftest import Host, Start


@pytest.fixture(scope="module")
def captured(host: Host) -> Capture:
    host.generate(prompt="a first fox", seed=7).raise_for_status()
    host.generate(prompt="second <b>fox</b> \ud83e\udd8a", seed=-1).raise_for_status()
    return Capture.from_dict(host.latest())


def error(answer: requests.Response) -> tuple[int, str, Any]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"], body["error"]["field"]


def test_lists_newest_first_with_what_a_list_shows(host: Host, captured: Capture) -> None:
    listed = host.json("/captures")
    assert [c["prompt"][:8] for c in listed["captures"][:2]] == ["second <", "a first "]
    first = listed["captures"][0]
    assert first["id"] == captured.id
    assert (first["source"], first["state"], first["size"]) == ("api", "ok", [64, 64])
    assert first["seed"] == captured.payload["seed"] >= 0
    assert listed["next"] is None


def test_pages(host: Host, captured: Capture) -> None:
    page = host.json("/captures", limit=1)
    (following,) = host.json("/captures", limit=1, cursor=page["next"])["captures"]
    assert [page["captures"][0]["id"], following["prompt"]] == [captured.id, "a first fox"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "SECOND"}, 1),
        ({"q": "%"}, 0),
        ({"endpoint": "/sdapi/v1/txt2img"}, 2),
        ({"endpoint": "/sdapi/v1/img2img"}, 0),
        ({"source": "api"}, 2),
        ({"source": "ui"}, 0),
    ],
)
def test_filters(host: Host, captured: Capture, query: dict[str, str], found: int) -> None:
    assert len(host.json("/captures", **query)["captures"]) == found


def test_the_request_sent_unchanged_makes_the_same_picture(host: Host, captured: Capture) -> None:
    sent = host.json("/captures/latest/request")
    assert (sent["method"], sent["endpoint"]) == ("POST", "/sdapi/v1/txt2img")
    answer = requests.post(host.url + sent["endpoint"], json=sent["payload"], timeout=60)
    (picture,) = (Image.open(io.BytesIO(base64.b64decode(i))) for i in answer.json()["images"])
    kept = host.get(f"/captures/{captured.id}/results/0")
    assert kept.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(kept.content)).tobytes() == picture.tobytes()


def test_pictures_by_hash(host: Host, captured: Capture) -> None:
    for sha256, asset in captured.assets.items():
        answer = host.get(f"/assets/{sha256}")
        assert answer.headers["content-type"] == asset.media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert len(answer.content) == asset.size


def test_img2img_pictures_are_inlined(host: Host) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(out, "PNG")
    picture = base64.b64encode(out.getvalue()).decode()
    host.generate("img2img", init_images=[picture], mask=picture).raise_for_status()
    document = host.latest()
    (init,) = document["payload"]["init_images"]
    assert set(init) == {"$asset"}
    payload = host.json("/captures/latest/request")["payload"]
    for text in (*payload["init_images"], payload["mask"]):
        sent = Image.open(io.BytesIO(base64.b64decode(text)))
        assert sent.getpixel((3, 3)) == (255, 165, 0)


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        ("/captures/nothing", 404, "not_found", "id"),
        ("/captures/nothing/request", 404, "not_found", "id"),
        ("/captures/latest/results/99", 404, "not_found", "id"),
        ("/captures/latest/results/x", 400, "bad_parameter", "n"),
        ("/assets/" + "0" * 64, 404, "not_found", "sha256"),
        ("/assets/..%2f..%2fconfig.json", 404, "not_found", None),
        ("/captures?limit=0", 400, "bad_parameter", "limit"),
        ("/captures?limit=x", 400, "bad_parameter", "limit"),
        ("/captures?cursor=1;2", 400, "bad_parameter", "cursor"),
        ("/captures?source=page", 400, "bad_parameter", "source"),
        ("/nothing", 404, "not_found", None),
    ],
)
def test_errors_have_one_shape(
    host: Host, captured: Capture, path: str, status: int, code: str, field: str | None
) -> None:
    assert error(host.get(path)) == (status, code, field)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS"])
def test_a_method_that_a_route_has_not(host: Host, method: str) -> None:
    answer = requests.request(method, f"{host.url}{PREFIX}/status", timeout=30)
    assert error(answer) == (405, "method_not_allowed", None)
    assert answer.headers["allow"] == "GET"


def test_a_get_of_a_run(host: Host) -> None:
    assert error(host.get("/run/batch"))[:2] == (405, "method_not_allowed")


def test_deletes(host: Host) -> None:
    host.generate(prompt="to be deleted").raise_for_status()
    identity = host.latest()["id"]
    url = f"{host.url}{PREFIX}/captures/{identity}"
    foreign = requests.delete(url, headers={"Origin": "http://evil.example"}, timeout=30)
    assert error(foreign) == (403, "cross_site", None)
    assert requests.delete(url, timeout=30).json() == {"deleted": identity}
    assert error(requests.delete(url, timeout=30)) == (404, "not_found", "id")


def test_status(host: Host, captured: Capture, flavour: str) -> None:
    status = host.json("/status")
    assert status["host"]["webui"] == {"a1111": "AUTOMATIC1111", "forge": "Forge"}[flavour]
    assert (status["format"], status["failures"], status["last_failure"]) == (1, 0, None)
    assert status["captures"] >= 2
    assert status["bytes"] > 0


def test_frozen_sections_are_told(start: Start) -> None:
    """The webui tells its flags, not which setting is in which section."""
    frozen = start("--freeze-settings-in-sections", "sampler-params, ui").json("/status")["frozen"]
    assert "eta_noise_seed_delta" in frozen
    assert "sd_vae" not in frozen


def test_settings_that_the_webui_does_not_list_are_told(host: Host) -> None:
    listed = requests.get(f"{host.url}/sdapi/v1/options", timeout=30).json()
    assert set(host.json("/status")["unlisted"]).isdisjoint(listed)


# ---- credentials

API = ("--api-auth", "ann:secret,bob:pw")
PAGE = ("--gradio-auth", "eve:geheim:1")


@pytest.fixture(scope="module", params=["open", "api", "page", "both"])
def guarded(request: pytest.FixtureRequest, start: Start) -> Any:
    flags = {"open": (), "api": API, "page": PAGE, "both": (*API, *PAGE)}[request.param]
    host = start(*flags)
    yield request.param, host
    host.process.stop()


def walk(host: Host, session: requests.Session, **options: Any) -> set[int]:
    """The status of every route there is."""
    answers = set()
    for method, path, _ in ROUTES:
        for name in ("id", "n", "sha256", "rest:path"):
            path = path.replace(f"{{{name}}}", "0")
        verb = "GET" if method == "*" else method
        answer = session.request(verb, host.url + PREFIX + path, timeout=30, **options)
        answers.add(answer.status_code)
    return answers


@pytest.mark.parametrize(
    ("auth", "lets_in"),
    [
        (None, {"open"}),
        (("ann", "secret"), {"open", "api", "both"}),
        (("bob", "pw"), {"open", "api", "both"}),
        (("ann", "wrong"), {"open"}),
        (("eve", "geheim:1"), {"open", "page", "both"}),
        (("nobody", ""), {"open"}),
    ],
)
def test_every_route_asks(guarded: tuple[str, Host], auth: Any, lets_in: set[str]) -> None:
    state, host = guarded
    answers = walk(host, requests.Session(), auth=auth)
    assert (401 not in answers) if state in lets_in else (answers == {401})


def test_the_pages_login_is_enough(guarded: tuple[str, Host]) -> None:
    state, host = guarded
    session = requests.Session()
    login = {"username": "eve", "password": "geheim:1"}
    session.post(f"{host.url}/login", data=login, timeout=30)
    answers = walk(host, session)
    assert (401 not in answers) if state != "api" else (answers == {401})


def test_a_refusal_says_how(guarded: tuple[str, Host]) -> None:
    state, host = guarded
    answer = requests.get(f"{host.url}{PREFIX}/status", timeout=30)
    if state == "open":
        assert answer.ok
    else:
        assert error(answer) == (401, "unauthorized", None)
        assert answer.headers["www-authenticate"] == "Basic"


def test_the_minimal_form_says_less_and_makes_the_same_picture(host: Host) -> None:
    given = {"prompt": "a red fox", "seed": 9, "steps": 3, "width": 64, "height": 64}
    given["override_settings"] = {"CLIP_stop_at_last_layers": 2}
    options = f"{host.url}/sdapi/v1/options"
    host.session.post(f"{host.url}/sdapi/v1/txt2img", json=given, timeout=60).raise_for_status()
    # The webui does not put an override back that it never had saved.
    host.session.post(options, json={"CLIP_stop_at_last_layers": 1}, timeout=30).raise_for_status()
    capture = host.latest()
    asked = {form: host.json("/captures/latest/request", form=form) for form in FORMS}
    exact, short = (asked[form]["payload"] for form in FORMS)
    assert len(short) < len(exact)
    assert short["override_settings"] == {"CLIP_stop_at_last_layers": 2}
    assert "alwayson_scripts" not in short
    for payload in (exact, short):
        answer = host.session.post(f"{host.url}/sdapi/v1/txt2img", json=payload, timeout=60)
        (image,) = (Image.open(io.BytesIO(base64.b64decode(i))) for i in answer.json()["images"])
        pixels = pixel_hash("RGB", image.size, image.convert("RGB").tobytes())
        assert pixels == capture["results"][0]["sha256"]


def test_a_form_that_does_not_exist(host: Host, captured: Capture) -> None:
    answer = host.get("/captures/latest/request", params={"form": "short"})
    assert error(answer) == (400, "bad_parameter", "form")
