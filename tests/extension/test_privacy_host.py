"""The privacy settings in a running stand-in: what must not be kept is in no file."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from hosts.webui_page import WebuiPage

from .conftest import Host, Start

SCRIPT = """
import gradio as gr
from modules import scripts

class Reads(scripts.Script):
    def title(self): return "Reads"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img): return [gr.Textbox(label="File")]
    def process(self, p, *args):
        if "fail" in p.prompt: raise OSError(f"no such file: {args[0]}")

class Runs(scripts.Script):
    def title(self): return "Runs"
    def run(self, p, *args): raise OSError("no such file: /mnt/zanzibar/model.pt")
"""
SECRET = "zanzibar"


@pytest.fixture
def private(start: Start) -> Iterator[Host]:
    """Of each test's own: a database keeps the bytes of what was deleted from it."""
    host = start("--gradio-auth", f"{SECRET}:pw", neighbours={"reads": SCRIPT})
    host.session.auth = (SECRET, "pw")
    yield host
    host.process.stop()


def change(host: Host, **settings: Any) -> None:
    given = {f"payload_capture_{name}": value for name, value in settings.items()}
    url = f"{host.url}/sdapi/v1/options"
    requests.post(url, json=given, timeout=30).raise_for_status()
    told = requests.get(url, timeout=30).json()
    assert {name: told[name] for name in given} == given


def everything(host: Host) -> bytes:
    """All that there is: the bytes of all files, and all that the routes answer."""
    rows = host.json("/captures", limit=500)["captures"]
    told = [json.dumps(rows).encode()]
    for row in rows:
        document = host.get(f"/captures/{row['id']}")
        told.append(document.content)
        told += [host.get(f"/assets/{sha256}").content for sha256 in document.json()["assets"]]
    folder = host.process.data_dir / "payload-capture"
    return b"\n".join([*told, *(p.read_bytes() for p in folder.rglob("*") if p.is_file())])


def files(host: Host) -> list[Path]:
    folder = host.process.data_dir / "payload-capture" / "assets"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_names_and_folders(private: Host) -> None:
    for anonymous, folder in ((True, "…"), (False, f"/mnt/{SECRET}")):
        change(private, anonymous=anonymous)
        reads = {"reads": {"args": [f"/mnt/{SECRET}/poses.txt"]}}
        private.generate(alwayson_scripts=reads).raise_for_status()
        assert private.generate(script_name="Runs", script_args=[]).status_code == 500
        rows = private.json("/captures", limit=2)["captures"]
        assert (SECRET.encode() in everything(private)) is not anonymous
        failed, made = (private.json(f"/captures/{row['id']}") for row in rows)
        assert failed["job"]["error"] == f"OSError: no such file: {folder}/model.pt"
        (argument,) = made["payload"]["alwayson_scripts"]["reads"]["args"]
        assert argument == ("poses.txt" if anonymous else f"/mnt/{SECRET}/poses.txt")
        said = [w["path"] for w in made["warnings"] if "cut to the file's name" in w["reason"]]
        assert said == (["alwayson_scripts.reads.args[0]"] if anonymous else [])


def logged_in(page: Page, host: Host) -> WebuiPage:
    session = requests.Session()
    login = {"username": SECRET, "password": "pw"}
    session.post(f"{host.url}/login", data=login, timeout=30).raise_for_status()
    cookies = [{"name": c.name, "value": c.value, "url": host.url} for c in session.cookies]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    return WebuiPage(page, host.url)


def test_who_pressed_generate_and_what_is_downloaded(private: Host, page: Page) -> None:
    url = f"{private.url}/sdapi/v1/options"
    requests.post(url, json={"add_user_name_to_info": True}, timeout=30).raise_for_status()
    webui = logged_in(page, private)
    for anonymous in (True, False):
        change(private, anonymous=anonymous)
        webui.text("txt2img_prompt", f"a fox {anonymous}")
        webui.number("txt2img_steps", 2)
        webui.generate()
        capture = private.latest()
        assert capture["payload"]["prompt"] == f"a fox {anonymous}"
        assert capture["job"]["user"] == (None if anonymous else SECRET)
        assert (f"User: {SECRET}" in capture["results"][0]["infotext"]) is not anonymous
        assert (SECRET.encode() in everything(private)) is not anonymous
    text = downloaded(webui)
    assert SECRET not in text
    assert "a fox" in text
    for asset in json.loads(text)["assets"].values():
        assert SECRET.encode() not in base64.b64decode(asset["data"])


def downloaded(webui: WebuiPage) -> str:
    webui.open("Payloads")
    place = webui.page.locator('[data-place="tab"]')
    place.get_by_role("tab", name="Capture", exact=True).click()
    button = place.get_by_role("button", name="Download", exact=True)
    expect(button).to_be_visible()
    with webui.page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_text("utf-8")


def picture() -> str:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 60).convert("RGB").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_pictures(private: Host) -> None:
    for kept, number in (("none", 0), ("needed", 1), ("all", 3)):
        change(private, pictures=kept)
        answer = private.generate("img2img", init_images=[picture()], denoising_strength=0.5)
        answer.raise_for_status()
        capture = private.latest()
        assert len(capture["assets"]) == number
        assert set(capture["assets"]) <= {path.name for path in files(private)}
        assert len(capture["results"][0]["sha256"]) == 64
        request = private.get("/captures/latest/request")
        assert request.status_code == (409 if kept == "none" else 200)
        if kept == "none":
            assert "the picture was not kept" in request.json()["error"]["message"]
            assert files(private) == []
            for mark in (b"\x89PNG", b"WEBP", b"iVBORw0KGgo"):
                assert mark not in everything(private)


def test_blurred_thumbnails(private: Host) -> None:
    spread = []
    for blurred in (False, True):
        change(private, blurred=blurred)
        private.generate(seed=1, width=256, height=256).raise_for_status()
        thumbnail = private.latest()["results"][0]["thumbnail"]
        image = Image.open(io.BytesIO(private.get(f"/assets/{thumbnail}").content)).convert("L")
        steps = [abs(a - b) for a, b in zip(image.tobytes(), image.tobytes()[1:], strict=False)]
        spread.append(sum(steps) / len(steps))
    assert spread[1] < spread[0] / 3


def test_sources(private: Host) -> None:
    change(private, **{"from": ["page", "extensions"]})
    private.generate().raise_for_status()
    assert private.json("/captures")["captures"] == []
    change(private, **{"from": ["API"]})
    private.generate().raise_for_status()
    assert [row["source"] for row in private.json("/captures")["captures"]] == ["api"]
    change(private, **{"from": []})
    private.generate().raise_for_status()
    assert len(private.json("/captures")["captures"]) == 1
