"""Pictures that a payload names: where a name is read, and everywhere that it is not."""

from __future__ import annotations

import base64
import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fake_webui import API, Answer, FakeWebUI, png
from payload_replay import Capture, WebUI, attachments
from payload_replay.attachments import given, inlined, of_path, of_url, place
from payload_replay.capture import BATCH, IMG2IMG, escaped
from payload_replay.errors import BadSource
from payload_replay.paths import parse

pytestmark = pytest.mark.once

DATA = png(Image.new("RGB", (4, 4), "red"))
TEXT = base64.b64encode(DATA).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "in"
    inner.mkdir()
    (inner / "a.png").write_bytes(DATA)
    (inner / "words.png").write_text("no picture")
    (tmp_path / "outside.png").write_bytes(DATA)
    return inner


def put_in(payload: dict[str, Any], folder: Path, urls: bool = False) -> dict[str, Any]:
    return inlined(Capture(1, "i", IMG2IMG, escaped(payload)), folder, urls=urls).request()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("init_images[0]", "field"),
        ("images[0]", "field"),
        ("mask", "field"),
        ("image", "field"),
        ("imageList[0].data", "field"),
        ("requests[0].payload.init_images[1]", "field"),
        ("alwayson_scripts.ControlNet.args[0].image", "field"),
        ("alwayson_scripts.ControlNet.args[0].image.mask", "field"),
        ("alwayson_scripts.ControlNet.args[0].images[2]", "field"),
        ("alwayson_scripts.reactor.args[0]", "argument"),
        ("script_args[3]", "argument"),
        ("script_args[3][1]", "argument"),
        ("prompt", None),
        ("styles[0]", None),
        ("imageList[0].name", None),
        ("script_name", None),
        ("alwayson_scripts.adetailer.args[2].ad_prompt", None),
        ("alwayson_scripts.x.args[0].texts[0]", None),
        ("alwayson_scripts.image", None),
        ("override_settings.image", None),
        ("init_images", None),
        ("infotext", None),
    ],
)
def test_places(path: str, expected: str | None) -> None:
    assert place(parse(path)) == expected


def test_names_are_read_where_a_picture_is_expected_and_nowhere_else(folder: Path) -> None:
    unit = {"image": "file:a.png", "ad_prompt": "file:a.png"}
    payload = {
        "init_images": ["file:a.png", "AAAA"],
        "mask": "data:image/png;base64,file:a.png",
        "prompt": "file:a.png",
        "styles": ["file:a.png"],
        "override_settings": {"image": "file:a.png"},
        "script_args": ["file:a.png", "file:file:a.png", "files"],
        "alwayson_scripts": {"file:a.png": {"args": [unit]}},
    }
    assert put_in(payload, folder) == payload | {
        "init_images": [TEXT, "AAAA"],
        "mask": f"data:image/png;base64,{TEXT}",
        "script_args": [TEXT, "file:a.png", "files"],
        "alwayson_scripts": {"file:a.png": {"args": [unit | {"image": TEXT}]}},
    }


def test_in_a_batch(folder: Path) -> None:
    request = {"endpoint": IMG2IMG, "payload": {"init_images": ["file:a.png"]}}
    made = inlined(Capture(1, "i", BATCH, {"requests": [request]}), folder)
    assert made.payload["requests"][0]["payload"] == {"init_images": [TEXT]}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../outside.png", "lies outside of the payload's folder"),
        ("link.png", "lies outside of the payload's folder"),
        ("/etc/passwd", "lies outside of the payload's folder"),
        ("words.png", "is no picture"),
        ("gone.png", "cannot be read"),
        (".", "is no file"),
        ("pipe", "is no file"),
        ("a\0b", "file:"),
        ("x" * 5000, "too long a name"),
    ],
)
def test_what_is_not_read(folder: Path, name: str, said: str) -> None:
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    os.mkfifo(folder / "pipe")
    with pytest.raises(BadSource, match=f"^init_images\\[0\\]: .*{said}"):
        put_in({"init_images": [f"file:{name}"]}, folder)


def test_a_file_that_is_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_BYTES", len(DATA))
    assert of_path(folder / "a.png") == TEXT
    monkeypatch.setattr(attachments, "MAX_BYTES", len(DATA) - 1)
    with pytest.raises(BadSource, match="larger than"):
        of_path(folder / "a.png")


def test_a_picture_of_100000_pixels_is_only_read(folder: Path) -> None:
    """Its bytes are passed on; nothing decodes them here."""
    wide = png(Image.new("1", (100_000, 1)))
    (folder / "wide.png").write_bytes(wide)
    assert base64.b64decode(of_path(folder / "wide.png")) == wide


def test_what_the_user_gives_may_lie_anywhere(folder: Path) -> None:
    steps = parse("init_images[0]")
    assert given("file:../outside.png", steps, folder) == TEXT
    assert given(f"file:{folder.parent / 'outside.png'}", steps) == TEXT
    assert given(["file:a.png"], parse("init_images"), folder) == [TEXT]
    assert given("file:a.png", parse("prompt"), folder) == "file:a.png"


# The web


def serve(fake: FakeWebUI, *answer: Any, **more: Any) -> str:
    fake.answers["GET", "/a.png"] = Answer(*answer, **more)
    return f"{fake.url}/a.png"


def test_an_address_is_fetched_only_where_it_was_asked_for(fake: FakeWebUI, folder: Path) -> None:
    url = serve(fake, 200, DATA, "image/png")
    payload = {"init_images": [url], "prompt": url, "script_args": [url]}
    assert put_in(payload, folder) == payload
    assert fake.asked == []
    assert put_in(payload, folder, urls=True) == payload | {"init_images": [TEXT]}
    assert len(fake.asked) == 1
    assert given(url, parse("mask")) == TEXT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404, {}), "answers 404"),
        (Answer(200, b"<html>", "image/png"), "is no picture"),
        (Answer(200, DATA, cut=10), "is no picture|cannot be fetched"),
        (Answer(302, b"", headers={"Location": "file:///etc/passwd"}), "cannot be fetched"),
        (Answer(302, b"", headers={"Location": "/a.png"}), "cannot be fetched: TooManyRedirects"),
    ],
)
def test_an_answer_that_is_no_picture(fake: FakeWebUI, answer: Answer, said: str) -> None:
    fake.answers["GET", "/a.png"] = answer
    with pytest.raises(BadSource, match=said):
        of_url(f"{fake.url}/a.png")
    assert len(fake.asked) <= attachments.MAX_REDIRECTS + 1


def test_an_answer_that_never_ends(fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch) -> None:
    url = serve(fake, 200, DATA + bytes(2**20), "image/png")
    monkeypatch.setattr(attachments, "MAX_BYTES", 1000)
    with pytest.raises(BadSource, match="larger than"):
        of_url(url)
    monkeypatch.setattr(attachments, "MAX_SECONDS", 0)
    with pytest.raises(BadSource, match="takes more than 0 s"):
        of_url(url)


def test_no_password_leaves_in_words_or_by_netrc(
    fake: FakeWebUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    url = serve(fake, 404, {})
    with pytest.raises(BadSource) as caught:
        of_url(url.replace("://", "://you:hidden@"))
    assert "hidden" not in str(caught.value)
    assert "Authorization" not in fake.asked[0].headers


# On sending


def test_a_path_in_a_payload(fake: FakeWebUI, webui: WebUI, folder: Path) -> None:
    payload: dict[str, Any] = {"init_images": [folder / "a.png"], "prompt": "a"}
    webui.img2img(payload)
    webui.replay(payload)
    bodies = fake.bodies("POST", f"{API}/img2img")
    assert bodies == 2 * [{"init_images": [TEXT], "prompt": "a"}]


def test_a_captured_document_names_nothing(folder: Path, webui: WebUI) -> None:
    from payload_replay.source import load, named

    bare = folder / "bare.json"
    bare.write_text('{"init_images": ["file:a.png"]}')
    capture = load(str(bare))
    assert capture.payload == {"init_images": [TEXT]}
    document = folder / "capture.json"
    text = dataclasses.replace(capture, payload={"init_images": ["file:a.png"]}).to_json()
    document.write_text(text)
    assert load(str(document)).payload == {"init_images": ["file:a.png"]}
    assert named(str(document)).folder is None
    assert named(str(bare)).folder == folder
