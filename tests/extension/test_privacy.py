"""What a capture tells about its machine and users, and a capture that does not."""

from __future__ import annotations

import base64
import dataclasses
import getpass
import hashlib
import io
import json
import platform
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from payload_capture import privacy
from payload_capture.capture import Asset, Capture, Caveat, Host, Job, Result, pixel_hash
from payload_capture.privacy import Names

NAMES = Names(("/home/anna/webui", "/home/anna", r"C:\Users\Anna Smith"), ("anna", "annas-pc"))
SHA = "0" * 64


def capture(payload: dict[str, Any], **more: Any) -> Capture:
    return Capture(1, "c1", "/sdapi/v1/txt2img", payload, **more)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("No such file: '/home/anna/webui/models/a b.pt'", "No such file: '…/models/a b.pt'"),
        ("cannot open /mnt/disk two/x/y.png: denied", "cannot open …/y.png: denied"),
        (r"cannot open C:\Users\Anna Smith\x\y.png", r"cannot open …\x\y.png"),
        (r"cannot open D:\my files\y.png!", "cannot open …/y.png!"),
        (r"at \\server\share\a\b.pt", "at …/b.pt"),
        ("POST /sdapi/v1/txt2img answered 500", "POST /sdapi/v1/txt2img answered 500"),
        ("https://example.com/a/b/c", "https://example.com/a/b/c"),
        ("and/or 1/2/3 of <lora:a/b:1>", "and/or 1/2/3 of <lora:a/b:1>"),
        ("Anna on annas-pc; annabel", "… on …; annabel"),
        ("/home/annabel", "…/annabel"),
    ],
)
def test_sentences(text: str, left: str) -> None:
    assert privacy.plain(text, NAMES) == left


@pytest.mark.parametrize(
    "field",
    ["Steps: 2, User: anna, Version: 1", "User: anna, Steps: 2, Version: 1"],
)
def test_infotext_loses_its_user_and_keeps_its_prompt(field: str) -> None:
    told = f"anna in a hat, User: x\nNegative prompt: b\n{field}"
    left = privacy.infotext(told, NAMES)
    assert left == "anna in a hat, User: x\nNegative prompt: b\nSteps: 2, Version: 1"


def test_a_quoted_user_goes_whole() -> None:
    assert privacy.infotext('p\nSteps: 2, User: "a, \\"b", Size: 1x1', NAMES) == (
        "p\nSteps: 2, Size: 1x1"
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/data/a.png", True),
        (r"C:\a.png", True),
        ("c:/a", True),
        (r"\\server\a", True),
        ("/a", False),
        ("a/b", False),
        ("//", False),
        ("/sdapi/v1/txt2img", False),
        ("/a/b\n/c", False),
        ("/ and /", False),
    ],
)
def test_paths(text: str, answer: bool) -> None:
    assert privacy.is_path(text) is answer


def test_what_decides_nothing_goes_and_what_decides_the_picture_is_said() -> None:
    jpeg = "/9j/" + "4AAQ/" * 40
    payload = {
        "prompt": "anna in /home/anna",
        "steps": 2,
        "override_settings": {"forge_additional_modules": ["/home/anna/models/vae.safetensors"]},
        "alwayson_scripts": {"a": {"args": ["/mnt/x/video.mp4", "x /home/anna/y", "Anna", jpeg]}},
        "init_images": [{"$asset": SHA}],
    }
    kept = capture(
        payload,
        template={"prompt": "__wild__"},
        host=Host(settings={"font": "/usr/share/font.ttf"}, facts={"gallery": {"at": "/a/b/c"}}),
        job=Job(
            user="anna", state="failed", error="OSError: /home/anna/webui/a.pt", task="task(1)"
        ),
        assets={SHA: Asset("image/png", 1, 1, 1)},
        warnings=[Caveat("seed", "in /tmp/gradio/x.png", "pixels")],
    )
    clean = privacy.sanitised(kept, NAMES)
    args = clean.payload["alwayson_scripts"]["a"]["args"]
    assert args == ["video.mp4", "x …/y", "Anna", jpeg]
    assert clean.payload["prompt"] == payload["prompt"]
    assert clean.payload["override_settings"] == {"forge_additional_modules": ["vae.safetensors"]}
    assert clean.payload["init_images"] == payload["init_images"]
    assert clean.host.settings == {"font": "…/font.ttf"}
    assert clean.host.facts == {"gallery": {"at": "…/c"}}
    assert (clean.job.user, clean.job.error) == (None, "OSError: …/a.pt")
    said = {(one.path, one.severity) for one in clean.warnings}
    assert said == {
        ("seed", "pixels"),
        ("prompt", "cosmetic"),
        ("alwayson_scripts.a.args[0]", "pixels"),
        ("alwayson_scripts.a.args[1]", "pixels"),
        ("alwayson_scripts.a.args[2]", "cosmetic"),
    }
    assert clean.warnings[0].reason == "in …/x.png"
    assert privacy.sanitised(clean, NAMES) == clean
    assert Capture.from_json(clean.to_json()) == clean


def test_a_capture_that_tells_nothing_stays_as_it_is() -> None:
    kept = capture({"prompt": "a cat", "sampler_name": "Euler a"}, job=Job(started="2026"))
    assert privacy.sanitised(kept, NAMES) == kept


def test_the_page_user_is_looked_for_as_well() -> None:
    clean = privacy.sanitised(capture({"styles": ["by zoe"]}, job=Job(user="zoe")), Names())
    assert [one.path for one in clean.warnings] == ["styles[0]"]


def test_this_machines_names() -> None:
    names = Names.of_machine(("/srv/webui", "/", ""), ("zoe", "me"))
    assert set(names.folders) == {"/srv/webui", str(Path.home())}
    found = {name for name in ("zoe", getpass.getuser(), platform.node()) if len(name) > 2}
    assert found <= set(names.words)
    assert not {"me", ""} & set(names.words)
    assert not Names().told_in("anything at /a/b")


def png(text: str, mode: str = "itxt") -> bytes:
    out, info = io.BytesIO(), PngInfo()
    if mode == "text":
        info.add_text("parameters", text)
    else:
        info.add_itxt("parameters", text, zip=mode == "zip")
    Image.new("RGB", (3, 2), "red").save(out, "PNG", pnginfo=info)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "left"), [("itxt", "ü\nSteps: 1"), ("text", "ü\nSteps: 1"), ("zip", None)]
)
def test_a_files_text_changes_and_its_pixels_do_not(mode: str, left: str | None) -> None:
    data = png("ü\nSteps: 1, User: anna", mode)
    told = privacy.retold(data, lambda text: privacy.infotext(text, NAMES))
    image = Image.open(io.BytesIO(told))
    image.load()
    assert image.info.get("parameters") == left
    assert b"anna" not in told
    assert image.tobytes() == Image.open(io.BytesIO(data)).tobytes()
    assert privacy.retold(told, str) == told


def embedded(data: bytes, prefix: str = "") -> str:
    return prefix + base64.b64encode(data).decode()


def in_argument(text: str) -> Capture:
    payload = {"alwayson_scripts": {"a": {"args": [{"image": text}]}}}
    return privacy.sanitised(capture(payload), NAMES)


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_a_png_file_among_arguments_loses_the_user_in_its_texts(prefix: str) -> None:
    clean = in_argument(embedded(png("a\nUser: anna, Steps: 1"), prefix))
    (argument,) = clean.payload["alwayson_scripts"]["a"]["args"]
    assert argument["image"].startswith(prefix)
    data = base64.b64decode(argument["image"].removeprefix(prefix))
    assert Image.open(io.BytesIO(data)).info["parameters"] == "a\nSteps: 1"
    assert clean.warnings == []


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP"])
def test_exif_among_arguments_may_turn_the_picture_and_is_said(form: str) -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "anna"
    Image.effect_noise((64, 64), 60).convert("RGB").save(out, form, exif=exif)
    text = embedded(out.getvalue())
    clean = in_argument(text)
    assert clean.payload["alwayson_scripts"]["a"]["args"] == [{"image": text}]
    ((path, severity),) = {(one.path, one.severity) for one in clean.warnings}
    assert (path, severity) == ("alwayson_scripts.a.args[0].image", "cosmetic")
    assert "EXIF" in clean.warnings[0].reason


@pytest.mark.parametrize(
    "text",
    [
        embedded(png("a\nSteps: 1")),
        embedded(png("a\nUser: anna")[:50]),
        "iVBORw0KGgo" + "x" * 90,
        "iVBORw0KGgo" + "é" * 90,
        "/9j/" + "4AAQ/" * 40,
    ],
)
def test_what_tells_nothing_or_is_no_picture_stays_among_arguments(text: str) -> None:
    clean = in_argument(text)
    assert clean.payload["alwayson_scripts"]["a"]["args"] == [{"image": text}]


def test_a_sent_picture_that_was_imported_loses_the_user_too() -> None:
    data = png("a\nUser: anna, Steps: 1")
    sha256 = hashlib.sha256(data).hexdigest()
    reference = {"$asset": sha256}
    kept = capture(
        {"init_images": [reference], "mask": {"deep": reference}},
        template={"mask": reference},
        assets={sha256: Asset("image/png", len(data), 3, 2)},
    )
    clean, fetch = privacy.renamed(kept, lambda _: data, NAMES)
    ((name, asset),) = clean.assets.items()
    assert name != sha256
    assert clean.payload == {"init_images": [{"$asset": name}], "mask": {"deep": {"$asset": name}}}
    assert clean.template == {"mask": {"$asset": name}}
    assert (hashlib.sha256(fetch(name)).hexdigest(), len(fetch(name))) == (name, asset.size)
    assert b"anna" not in fetch(name)
    assert Capture.from_json(clean.to_json()) == clean


def test_a_sent_picture_that_its_file_may_turn_stays() -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (3, 2)).save(out, "PNG", exif=exif)
    sha256 = hashlib.sha256(out.getvalue()).hexdigest()
    assets = {sha256: Asset("image/png", len(out.getvalue()), 3, 2)}
    kept = capture({"init_images": [{"$asset": sha256}]}, assets=assets)
    assert privacy.renamed(kept, lambda _: out.getvalue(), NAMES)[0] == kept


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://annas-pc:7860", "http://127.0.0.1:7860"),
        ("https://Annas-PC.lan/sub", "https://127.0.0.1/sub"),
        ("http://192.168.1.5:7860", "http://192.168.1.5:7860"),
        ("http://pc:7860", "http://pc:7860"),
    ],
)
def test_the_address_of_a_program(url: str, shown: str) -> None:
    assert privacy.address(url, NAMES) == shown


@pytest.mark.parametrize("data", [b"", b"GIF89a", png("a\nUser: anna")[:40], b"\x89PNG" * 20])
def test_what_is_no_whole_file_stays(data: bytes) -> None:
    results = [Result(SHA, 3, 2, "sample", asset=SHA)]
    kept = capture({}, results=results, assets={SHA: Asset("image/png", 9, 3, 2)})
    clean, fetch = privacy.renamed(kept, lambda sha256: data, NAMES)
    assert (clean, fetch(SHA)) == (kept, data)


def test_a_file_that_changes_gets_the_name_of_its_new_bytes() -> None:
    files = [png(text) for text in ("a\nUser: anna, Steps: 1", "b\nSteps: 1")]
    names = [hashlib.sha256(data).hexdigest() for data in files]
    pixels = pixel_hash("RGB", (3, 2), Image.new("RGB", (3, 2), "red").tobytes())
    results = [Result(pixels, 3, 2, "sample", asset=name) for name in (*names, SHA)]
    assets = {name: Asset("image/png", 9, 3, 2) for name in (*names, SHA)}
    stored = dict(zip(names, files, strict=True))
    kept = capture({}, results=results, assets=assets)
    clean, fetch = privacy.renamed(kept, stored.__getitem__, NAMES)
    first, second, gone = (result.asset or "" for result in clean.results)
    assert (second, gone) == (names[1], SHA)
    assert first not in stored
    assert hashlib.sha256(fetch(first)).hexdigest() == first
    assert clean.assets[first].size == len(fetch(first))
    assert fetch(second) == files[1]
    assert set(clean.assets) == {first, second, gone}
    assert b"anna" not in json.dumps(clean.to_dict()).encode() + fetch(first)
    assert dataclasses.replace(kept, results=[], assets={}) == dataclasses.replace(
        clean, results=[], assets={}
    )


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_bare_file_tells_nothing_beside_its_pixels(form: str) -> None:
    def file(**given: Any) -> bytes:
        out = io.BytesIO()
        Image.new("RGB", (4, 4)).save(out, form, **given)
        return out.getvalue()

    exif = Image.Exif()
    exif[0x0112] = 3
    assert privacy.is_bare(file())
    assert not privacy.is_bare(file(exif=exif))
    if form == "png":
        info = PngInfo()
        info.add_itxt("parameters", "belinda", zip=True)
        assert not privacy.is_bare(file(pnginfo=info))
        assert not privacy.is_bare(file()[:-6])
