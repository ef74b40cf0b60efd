"""Each endpoint of a webui through the client, on a stand-in of either flavour."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from payload_replay import Cancelled, InvalidPayload, NoAPI, Progress, WebUI, WrongCredentials
from payload_replay.page import Page
from webui_standin import Process
from webui_standin.flavour import is_forge

API_USER, PAGE_USER = ("me", "secret"), ("page", "door")
PAYLOAD = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 7}
SLOW = {**PAYLOAD, "steps": 150, "n_iter": 60}
"""45 seconds unless it is stopped."""


@pytest.fixture(scope="module")
def host() -> Iterator[Process]:
    flags = ["--api-auth", ":".join(API_USER), "--gradio-auth", ":".join(PAGE_USER)]
    flags += ["--seconds-per-step", "0.005"]
    with Process(flags=flags) as process:
        yield process
        assert process.errors() == []


@pytest.fixture(scope="module")
def webui(host: Process) -> Iterator[WebUI]:
    with WebUI(host.url, API_USER, timeout=60, login=PAGE_USER) as client:
        yield client


@pytest.fixture(scope="module")
def picture(webui: WebUI) -> bytes:
    return webui.txt2img(PAYLOAD).images[0].data


def test_txt2img(webui: WebUI) -> None:
    made = webui.txt2img({**PAYLOAD, "batch_size": 2})
    assert [one.image.size for one in made.images] == [(64, 64)] * 2
    assert made.seeds == [7, 8]
    assert made.parameters["prompt"] == "hills"
    assert "Seed: 8" in made.infotexts[1]


def test_img2img(webui: WebUI, picture: bytes) -> None:
    init = base64.b64encode(picture).decode()
    made = webui.img2img({**PAYLOAD, "init_images": [init], "denoising_strength": 0.5})
    assert made.images[0].image.size == (64, 64)


def test_extras(webui: WebUI, picture: bytes) -> None:
    text = base64.b64encode(picture).decode()
    wanted = {"upscaler_1": "Lanczos", "upscaling_resize": 2}
    one = webui.extra_single_image({**wanted, "image": text})
    assert [each.image.size for each in one.images] == [(128, 128)]
    files = [{"data": text, "name": "a.png"}, {"data": text, "name": "b.png"}]
    several = webui.extra_batch_images({**wanted, "imageList": files})
    assert [each.image.size for each in several.images] == [(128, 128)] * 2
    assert several.html_info is not None


def test_png_info(webui: WebUI, picture: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture)
    with Image.open(io.BytesIO(picture)) as opened:
        info = opened.info["parameters"]
    for source in (picture, tmp_path / "a.png", base64.b64encode(picture).decode()):
        told = webui.png_info(source)
        assert told.info == info
        assert str(told.parameters["Seed"]) == "7"
    assert webui.png_info(Image.new("RGB", (8, 8))).info == ""


@pytest.mark.parametrize("model", ["clip", "deepdanbooru"])
def test_interrogate(webui: WebUI, picture: bytes, model: str) -> None:
    assert webui.interrogate(picture, model)


def test_interrogate_by_nobody(webui: WebUI, picture: bytes) -> None:
    with pytest.raises(InvalidPayload, match="Model not found"):
        webui.interrogate(picture, "nobody")


def test_options(webui: WebUI) -> None:
    before = webui.options()["CLIP_stop_at_last_layers"]
    webui.set_options({"CLIP_stop_at_last_layers": 2})
    assert webui.options()["CLIP_stop_at_last_layers"] == 2
    webui.set_options({"CLIP_stop_at_last_layers": int(before)})


NAMED = {
    "models": "title",
    "samplers": "name",
    "schedulers": "name",
    "script_info": "name",
    "upscalers": "name",
    "realesrgan_models": "name",
    "latent_upscale_modes": "name",
    "loras": "name",
    "hypernetworks": "name",
    "styles": "name",
}


@pytest.mark.parametrize("method", NAMED)
def test_lists(webui: WebUI, method: str) -> None:
    found = getattr(webui, method)()
    assert found
    for item in found:
        assert getattr(item, NAMED[method]) == item[NAMED[method]]


def test_vaes_or_modules(webui: WebUI) -> None:
    there, absent = (webui.vaes, webui.modules)
    if is_forge():
        there, absent = absent, there
    assert all(one.model_name for one in there())
    with pytest.raises(NoAPI):
        absent()


def test_script_arguments(webui: WebUI) -> None:
    plots = [one for one in webui.script_info() if one.name == "x/y/z plot"]
    assert {one.is_img2img for one in plots} == {True, False}
    assert plots[0].args[0].label == "X type"
    assert "Nothing" in plots[0].args[0].choices
    assert "x/y/z plot" in webui.scripts().txt2img


def test_the_rest(webui: WebUI) -> None:
    assert webui.embeddings().loaded.keys() == webui.embeddings()["loaded"].keys()
    assert webui.cmd_flags()["api"] is True
    assert "total" in webui.memory().ram
    assert (webui.extensions(), webui.face_restorers()) == ([], [])
    idle = webui.progress()
    assert (idle.fraction, idle.job_count, idle.preview) == (0.0, 0, None)


@pytest.mark.parametrize(
    "order",
    [
        "refresh_checkpoints",
        "refresh_vae",
        "refresh_embeddings",
        "refresh_loras",
        "unload_checkpoint",
        "reload_checkpoint",
        "interrupt",
        "skip",
    ],
)
def test_orders(webui: WebUI, order: str) -> None:
    getattr(webui, order)()


@pytest.mark.parametrize("track", [False, True])
def test_progress_and_cancel(host: Process, track: bool) -> None:
    webui = WebUI(host.url, API_USER, track=track, login=PAGE_USER)
    cancel, seen = threading.Event(), list[Progress]()

    def tell(progress: Progress) -> None:
        seen.append(progress)
        if progress.fraction > 0 and not progress.queued:
            cancel.set()

    with pytest.raises(Cancelled) as raised:
        webui.txt2img(SLOW, progress=tell, cancel=cancel, every=0.02)
    answer: dict[str, Any] = raised.value.answer or {}
    assert len(answer["images"]) < 60
    assert 0 < seen[-1].fraction < 1
    assert (answer["parameters"]["force_task_id"] is not None) is track


def test_the_task_id_is_known_to_either_flavour(host: Process) -> None:
    made = WebUI(host.url, API_USER, track=True, login=PAGE_USER).txt2img(PAYLOAD)
    assert made.parameters["force_task_id"].startswith("task(")
    plain = WebUI(host.url, API_USER, login=PAGE_USER).txt2img(PAYLOAD)
    assert plain.parameters["force_task_id"] is None
    assert plain.images[0].image.tobytes() == made.images[0].image.tobytes()


def test_the_page_asks_for_its_own_login(host: Process, webui: WebUI) -> None:
    assert "components" in webui.call("GET", "/config")
    with pytest.raises(WrongCredentials):
        WebUI(host.url, API_USER).call("GET", "/config")
    with pytest.raises(WrongCredentials, match="--gradio-auth"):
        WebUI(host.url, login=("page", "wrong")).call("GET", "/config")


def test_the_page_through_the_clients_session(host: Process, webui: WebUI) -> None:
    webui.call("GET", "/config")
    shown = Page(host.url, session=webui.session).generate("txt2img", {"txt2img_prompt": "hills"})
    assert shown
