"""Operations of the Extras tab: each argument decides pixels, and settings their order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from standin_client import Client, decode, encode, pixels

from webui_standin import Process

LANCZOS = {"upscale_enabled": True, "upscaler_1_name": "Lanczos", "upscale_by": 2}
UPSCALE: dict[str, Any] = {
    **LANCZOS,
    "upscale_mode": 0,
    "max_side_length": 0,
    "upscale_to_width": 128,
    "upscale_to_height": 96,
    "upscale_crop": True,
    "upscaler_2_name": "Nearest",
    "upscaler_2_visibility": 0.3,
}
TARGET = {"Upscale": {**UPSCALE, "upscale_mode": 1, "upscaler_1_name": "None"}}
FACES = {
    "GFPGAN": {"enable": True, "gfpgan_visibility": 0.5},
    "CodeFormer": {"enable": True, "codeformer_visibility": 0.5, "codeformer_weight": 0.5},
}
CROP: dict[str, Any] = {
    "enable": True,
    "mindim": 64,
    "maxdim": 192,
    "minarea": 64 * 64,
    "maxarea": 200 * 200,
    "objective": "Maximize area",
    "threshold": 0.4,
}
FOCAL: dict[str, Any] = {
    "enable": True,
    "face_weight": 0.9,
    "entropy_weight": 0.1,
    "edges_weight": 0.1,
    "debug": False,
}
SPLIT: dict[str, Any] = {"enable": True, "split_threshold": 0.7, "overlap_ratio": 0.2}
FLIP: dict[str, Any] = {"enable": True, "option": ["Horizontal"]}
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Upscale", UPSCALE, {"upscale_enabled": False}),
    ("Upscale", UPSCALE, {"upscale_mode": 1}),
    ("Upscale", UPSCALE, {"upscale_by": 3}),
    ("Upscale", UPSCALE, {"max_side_length": 200}),
    ("Upscale", {**UPSCALE, "upscale_mode": 1}, {"upscale_to_width": 192}),
    ("Upscale", {**UPSCALE, "upscale_mode": 1}, {"upscale_to_height": 192}),
    ("Upscale", {**UPSCALE, "upscale_mode": 1}, {"upscale_crop": False}),
    ("Upscale", UPSCALE, {"upscaler_1_name": "ESRGAN_4x"}),
    ("Upscale", UPSCALE, {"upscaler_2_name": "R-ESRGAN 4x+"}),
    ("Upscale", UPSCALE, {"upscaler_2_visibility": 0.6}),
    ("GFPGAN", FACES["GFPGAN"], {"enable": False}),
    ("GFPGAN", FACES["GFPGAN"], {"gfpgan_visibility": 0.7}),
    ("CodeFormer", FACES["CodeFormer"], {"enable": False}),
    ("CodeFormer", FACES["CodeFormer"], {"codeformer_visibility": 0.7}),
    ("CodeFormer", FACES["CodeFormer"], {"codeformer_weight": 0.9}),
    ("Auto focal point crop", FOCAL, {"enable": False}),
    ("Auto focal point crop", FOCAL, {"face_weight": 0.1}),
    ("Auto focal point crop", FOCAL, {"entropy_weight": 0.9}),
    ("Auto focal point crop", FOCAL, {"edges_weight": 0.9}),
    ("Auto focal point crop", FOCAL, {"debug": True}),
]
TRAINING: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Auto-sized crop", CROP, {"enable": False}),
    ("Auto-sized crop", CROP, {"mindim": 72}),
    ("Auto-sized crop", CROP, {"maxdim": 256}),
    ("Auto-sized crop", {**CROP, "objective": "Minimize error"}, {"minarea": 10_000}),
    ("Auto-sized crop", CROP, {"maxarea": 20_000}),
    ("Auto-sized crop", CROP, {"objective": "Minimize error"}),
    ("Auto-sized crop", CROP, {"threshold": 0.05}),
    ("Split oversized images", SPLIT, {"enable": False}),
    ("Split oversized images", SPLIT, {"split_threshold": 0.1}),
    ("Split oversized images", SPLIT, {"overlap_ratio": 0.5}),
    ("Create flipped copies", FLIP, {"enable": False}),
    ("Create flipped copies", FLIP, {"option": ["Vertical"]}),
    ("Create flipped copies", FLIP, {"option": ["Horizontal", "Both"]}),
]


@pytest.fixture(scope="session")
def wide() -> Image.Image:
    """200×96, dark but for a bright spot at the left and an edge at the right."""
    picture = Image.linear_gradient("L").resize((200, 96)).convert("RGB")
    picture.paste((255, 255, 220), (8, 8, 30, 30))
    picture.paste((20, 90, 20), (160, 0, 166, 96))
    return picture


def run(client: Client, picture: Image.Image, operations: Any, **more: Any) -> list[Image.Image]:
    # Upscale looks at the size first, even when it is off: without its values it fails.
    operations = {"Upscale": {**UPSCALE, "upscale_enabled": False}, **operations}
    body = {"image": encode(picture), "operations": operations, **more}
    answer = client.answer("POST", "/probe/extras", json=body)
    assert answer.status_code == 200, answer.text
    return [decode(text) for text in answer.json()["images"]]


def hashes(client: Client, picture: Image.Image, operations: Any) -> list[str]:
    return [pixels(item) for item in run(client, picture, operations)]


def check(client: Client, wide: Image.Image, change: tuple[str, Any, Any]) -> None:
    name, values, changed = change
    plain, other = (
        hashes(client, wide, {**TARGET, name: given}) for given in (values, {**values, **changed})
    )
    assert plain != other
    assert plain == hashes(client, wide, {**TARGET, name: values})


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_argument_changes_the_result(client: Client, wide: Image.Image, change: Any) -> None:
    check(client, wide, change)


@pytest.mark.parametrize("change", TRAINING, ids=str)
def test_argument_of_a_training_operation_changes_the_result(
    client: Client, flavour: str, wide: Image.Image, change: Any
) -> None:
    if flavour == "forge":
        assert hashes(client, wide, {change[0]: change[1]}) == [pixels(wide)], "Forge has none"
    else:
        check(client, wide, change)


def test_flipped_copies(client: Client, flavour: str, picture: Image.Image) -> None:
    option = ["Horizontal", "Vertical", "Both"]
    drawn = run(client, picture, {"Create flipped copies": {"enable": True, "option": option}})
    mirrored = [ImageOps.mirror(picture), ImageOps.flip(picture), picture.rotate(180)]
    expected = [picture] if flavour == "forge" else [picture, *mirrored]
    assert [pixels(item) for item in drawn] == [pixels(item) for item in expected]


def test_copies_go_through_the_later_operations(
    client: Client, flavour: str, wide: Image.Image
) -> None:
    """Flips come after face restoration by default, before it when the settings say so."""
    if flavour == "forge":
        assert len(run(client, wide, {"Create flipped copies": FLIP})) == 1
        return
    operations = {"Create flipped copies": FLIP, "Auto-sized crop": CROP, **FACES}
    late = run(client, wide, operations)
    client.options(postprocessing_operation_order=["Create flipped copies"])
    try:
        early = run(client, wide, operations)
        client.options(postprocessing_disable_in_extras=["Auto-sized crop"])
        without = run(client, wide, operations)
    finally:
        client.options(postprocessing_operation_order=[], postprocessing_disable_in_extras=[])
    assert [len(late), len(early), len(without)] == [2, 2, 2]
    assert pixels(late[0]) == pixels(early[0])
    assert without[0].size == wide.size != early[0].size


def test_caption_is_written_beside_the_picture(
    client: Client, flavour: str, picture: Image.Image, tmp_path: Path
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    picture.save(source / "one.png")
    (target / "one.txt").write_text("before")
    folders = {"mode": 2, "save": True, "input": str(source), "output": str(target)}
    operations = {"Caption": {"enable": True, "option": ["Deepbooru", "BLIP"]}}
    texts = {}
    for action in ("Keep", "Append", "Ignore"):
        client.options(postprocessing_existing_caption_action=action)
        run(client, picture, operations, **folders)
        texts[action] = (target / "one.txt").read_text()
    assert (target / "one.png").exists()
    if flavour == "forge":
        assert set(texts.values()) == {"before"}
        return
    assert texts["Keep"] == "before"
    assert texts["Ignore"].startswith("landscape, ")
    assert texts["Append"] == f"{texts['Ignore']} before"


def test_batch_of_uploads_and_folder(client: Client, picture: Image.Image, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        picture.save(tmp_path / name)
    single = hashes(client, picture, {"GFPGAN": FACES["GFPGAN"]})
    operations = {"GFPGAN": FACES["GFPGAN"]}
    assert [pixels(item) for item in run(client, picture, operations, mode=1)] == single
    folder = run(client, picture, operations, mode=2, input=str(tmp_path))
    assert [pixels(item) for item in folder] == single * 2


def test_page_has_the_webuis_element_ids(client: Client, flavour: str) -> None:
    ids = {item["props"].get("elem_id") for item in client.get("/config")["components"]}
    expected = {
        "extras_image",
        "extras_image_batch",
        "extras_batch_input_dir",
        "extras_batch_output_dir",
        "extras_show_extras_results",
        "extras_upscale",
        "extras_upscaler_1",
        "extras_upscaling_resize",
        "extras_upscale_max_side_length",
        "extras_scale_to_tab",
        "extras_upscaling_crop",
        "extras_gfpgan_visibility",
        "extras_codeformer_weight",
        "postprocess_focal_crop_face_weight",
        "train_process_focal_crop_debug",
    }
    training = {"postprocess_split_threshold", "postprocess_multicrop_objective"}
    assert expected <= ids
    assert (training <= ids) is (flavour != "forge")


def test_operations_in_the_two_other_tabs(picture: Image.Image, tmp_path: Path) -> None:
    names = ["GFPGAN", "Simple Upscale"]
    (tmp_path / "config.json").write_text(json.dumps({"postprocessing_enable_in_main_ui": names}))
    small: dict[str, Any] = {"prompt": "hills", "steps": 1, "width": 64, "height": 64, "seed": 3}
    args = {"simple upscale": {"args": [2, "Lanczos"]}, "gfpgan": {"args": [True, 0.5]}}
    with Process(data_dir=tmp_path, flags=["--nowebui"]) as host:
        client = Client(host)
        plain = client.pictures(small)[0]
        result = client.result("txt2img", {**small, "alwayson_scripts": args})
        assert host.errors() == []
    assert plain.size == (64, 64), "off by default"
    assert decode(result["images"][0]).size == (128, 128)
    assert "GFPGAN visibility: 0.5" in result["info"]
    assert "Postprocess upscaler: Lanczos" in result["info"]


def test_interrogation(client: Client, picture: Image.Image) -> None:
    asked = {"image": encode(picture)}
    assert client.result("interrogate", asked)["caption"].startswith("a landscape with")
    tags = client.result("interrogate", {**asked, "model": "deepdanbooru"})["caption"]
    assert tags.startswith("landscape, ")
    assert client.post("interrogate", {**asked, "model": "blip9"}).status_code == 404
