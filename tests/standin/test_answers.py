"""Status codes and shapes of the API, as measured on AUTOMATIC1111 v1.10.1."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PIL import Image
from standin_client import Client, decode, encode

SMALL: dict[str, Any] = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 3}

SILENT: list[dict[str, Any]] = [
    {"sampler_name": "no such sampler"},
    {"sampler_name": "euler a"},
    {"sampler_name": "k_euler_a"},
    {"scheduler": "no such schedule"},
    {"styles": ["no such style"]},
    {"override_settings": {"sd_model_checkpoint": "no such checkpoint"}},
    {"override_settings": {"sd_vae": "no such VAE"}},
    {"no_such_field": 1},
    {"script_args": [1, 2, 3]},
]
UNPROCESSABLE: list[dict[str, Any]] = [
    {"script_name": "no such script"},
    {"script_name": "None"},
    {"script_name": "Tint"},
    {"alwayson_scripts": {"no such script": {"args": []}}},
    {"alwayson_scripts": {"Prompt matrix": {"args": []}}},
    {"prompt": ["a", "list"]},
    {"seed": [1, 2]},
]
FAILING: list[tuple[dict[str, Any], str]] = [
    ({"override_settings": {"no_such_option": 1}}, "KeyError"),
    ({"override_settings": {"CLIP_stop_at_last_layers": "2"}}, "TypeError"),
    ({"steps": 0}, "ZeroDivisionError"),
    ({"script_name": "Prompt matrix", "script_args": [True]}, "ValueError"),
    ({"refiner_checkpoint": "nothing", "refiner_switch_at": 0.5}, "Exception"),
    ({"enable_hr": True, "hr_checkpoint_name": "nothing"}, "Exception"),
    ({"enable_hr": True, "hr_upscaler": "nothing"}, "Exception"),
    ({"enable_hr": True}, "TypeError"),
]


@pytest.mark.parametrize("change", SILENT, ids=str)
def test_silent(client: Client, change: dict[str, Any]) -> None:
    result = client.result("txt2img", {**SMALL, **change})
    assert set(result) == {"images", "parameters", "info"}
    if "sampler_name" in change:
        assert "Sampler: DPM++ 2M, Schedule type: Karras" in result["info"]


@pytest.mark.parametrize("change", UNPROCESSABLE, ids=str)
def test_unprocessable(client: Client, change: dict[str, Any]) -> None:
    answer = client.post("txt2img", {**SMALL, **change})
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(("change", "error"), FAILING, ids=str)
def test_failing(client: Client, change: dict[str, Any], error: str) -> None:
    answer = client.post("txt2img", {**SMALL, "hr_additional_modules": [], **change})
    assert answer.status_code == 500
    assert answer.json().keys() == {"error", "detail", "body", "errors"}
    assert answer.json()["error"] == error
    # As in the real program, what a failed job overrode stays.
    client.options(CLIP_stop_at_last_layers=1)


def test_forge_needs_hires_modules(client: Client, flavour: str) -> None:
    answer = client.post("txt2img", {**SMALL, "enable_hr": True, "denoising_strength": 0.7})
    assert answer.status_code == (500 if flavour == "forge" else 200)


def test_img2img_without_pictures(client: Client) -> None:
    assert client.post("img2img", SMALL).status_code == 404
    assert client.post("img2img", {**SMALL, "init_images": []}).status_code == 500
    answer = client.post("img2img", {**SMALL, "init_images": ["no base64"]})
    assert (answer.status_code, answer.json()["detail"]) == (500, "Invalid encoded image")


def test_urls_are_not_fetched(client: Client) -> None:
    answer = client.post("img2img", {**SMALL, "init_images": ["http://127.0.0.1:1/a.png"]})
    assert answer.status_code == 501


def test_no_grid_unless_saved(client: Client) -> None:
    batch = {**SMALL, "n_iter": 2}
    assert len(client.pictures(batch)) == 2
    saved = client.pictures({**batch, "save_images": True})
    assert [picture.size for picture in saved] == [(128, 64), (64, 64), (64, 64)]


def test_pictures_can_be_left_out(client: Client) -> None:
    result = client.result("txt2img", {**SMALL, "send_images": False})
    assert result["images"] == []


def test_parameters_echo_the_request(client: Client, picture: Image.Image) -> None:
    payload = {**SMALL, "init_images": [encode(picture)]}
    parameters = client.result("img2img", payload)["parameters"]
    assert parameters["prompt"] == "hills"
    assert parameters["init_images"] is None
    echoed = client.result("img2img", {**payload, "include_init_images": True})["parameters"]
    assert echoed["init_images"] == payload["init_images"]


@pytest.mark.parametrize(("name", "kind"), [("jpg", "JPEG"), ("webp", "WEBP")])
def test_samples_format(client: Client, name: str, kind: str) -> None:
    """Lossy whatever the job overrides: it is encoded when the overrides are over."""
    exact = client.pictures(SMALL)[0]
    client.options(samples_format=name)
    try:
        lossy = {**SMALL, "override_settings": {"samples_format": "png"}}
        drawn = client.pictures(lossy)[0]
        info = client.result("png-info", {"image": client.result("txt2img", lossy)["images"][0]})
    finally:
        client.options(samples_format="png")
    assert drawn.format == kind
    assert drawn.convert("RGB").tobytes() != exact.tobytes()
    assert info["info"].startswith("hills\nSteps: 2"), "in the EXIF data"


def test_override_of_samples_format_is_too_late(client: Client) -> None:
    drawn = client.pictures({**SMALL, "override_settings": {"samples_format": "jpg"}})[0]
    assert drawn.format == "PNG"


def test_grids(client: Client) -> None:
    """The API makes one only if it saves; the settings may want none, or one of one picture."""
    several = {**SMALL, "batch_size": 2}
    assert len(client.pictures(several)) == 2
    saved = {**several, "save_images": True}
    result = client.result("txt2img", saved)
    assert [len(result["images"]), json.loads(result["info"])["index_of_first_image"]] == [3, 1]
    assert decode(result["images"][0]).size == (128, 64)
    tables: list[tuple[dict[str, Any], int]] = [
        ({"return_grid": False}, 2),
        ({"grid_only_if_multiple": False}, 3),
        ({"n_rows": 2}, 3),
    ]
    for settings, count in tables:
        client.options(**settings)
        try:
            pictures = client.pictures(saved)
            alone = client.pictures({**SMALL, "save_images": True})
        finally:
            client.options(return_grid=True, grid_only_if_multiple=True, n_rows=-1)
        assert len(pictures) == count
        assert len(alone) == (2 if "grid_only_if_multiple" in settings else 1)
        assert (pictures[0].size == (64, 128)) is ("n_rows" in settings)


def test_first_pass_and_uncorrected_pictures_are_saved(
    client: Client, picture: Image.Image
) -> None:
    def saved() -> set[str]:
        folder = client.host.data_dir / "outputs"
        return {file.name for file in folder.rglob("*.png")} if folder.exists() else set()

    hires = {"enable_hr": True, "denoising_strength": 0.5, "hr_additional_modules": []}
    jobs: list[dict[str, Any]] = [
        {**hires, "override_settings": {"save_images_before_highres_fix": True}},
        {
            "init_images": [encode(picture)],
            "override_settings": {
                "save_images_before_color_correction": True,
                "img2img_color_correction": True,
            },
        },
    ]
    for job, suffix in zip(jobs, ("before-highres-fix", "before-color-correction"), strict=True):
        before = saved()
        client.pictures({**SMALL, **job, "save_images": True})
        assert sum(suffix in name for name in saved() - before) == 1
    client.options(
        save_images_before_highres_fix=False,
        save_images_before_color_correction=False,
        img2img_color_correction=False,
    )


def test_infotext_field_fills_what_is_missing(client: Client) -> None:
    text = (
        "lakes\nNegative prompt: fog\n"
        "Steps: 3, Sampler: Euler a, CFG scale: 5, Seed: 77, Size: 64x64, Clip skip: 2"
    )
    info = client.result("txt2img", {"infotext": text, "steps": 2})["info"]
    for part in (
        "lakes",
        "Steps: 2",
        "Sampler: Euler a",
        "CFG scale: 5",
        "Seed: 77",
        "Clip skip: 2",
    ):
        assert part in info, part
    client.options(CLIP_stop_at_last_layers=1)


def test_png_info(client: Client) -> None:
    text = client.result("txt2img", SMALL)["images"][0]
    answer = client.result("png-info", {"image": text})
    assert answer["info"] == decode(text).info["parameters"]
    assert answer["parameters"]["Seed"] == "3"
    assert (answer["parameters"]["Size-1"], answer["parameters"]["Prompt"]) == ("64", "hills")


def test_extras(client: Client, picture: Image.Image) -> None:
    single = {"image": encode(picture), "upscaler_1": "Lanczos", "upscaling_resize": 2}
    enlarged = decode(client.result("extra-single-image", single)["image"])
    assert enlarged.size == (128, 128)
    assert enlarged.info["postprocessing"].startswith("Postprocess upscale by: 2")
    files = [{"data": encode(picture), "name": f"{place}.png"} for place in range(2)]
    several = {"imageList": files, "upscaler_1": "Nearest", "resize_mode": 1}
    several |= {"upscaling_resize_w": 96, "upscaling_resize_h": 80}
    answer = client.result("extra-batch-images", several)
    assert [decode(text).size for text in answer["images"]] == [(96, 80)] * 2
    assert client.post("extra-single-image", {**single, "upscaling_resize": 0}).status_code == 422


def test_every_extras_input_decides_pixels(client: Client, picture: Image.Image) -> None:
    base = {"image": encode(picture), "upscaler_1": "Lanczos", "upscaling_resize": 2}
    changes: list[dict[str, Any]] = [
        {},
        {"upscaler_1": "ESRGAN_4x"},
        {"upscaling_resize": 3},
        {"upscaler_2": "Nearest", "extras_upscaler_2_visibility": 0.5},
        {"gfpgan_visibility": 0.5},
        {"codeformer_visibility": 0.5},
        {"codeformer_visibility": 0.5, "codeformer_weight": 1},
    ]
    answers = [client.result("extra-single-image", {**base, **change}) for change in changes]
    assert len({decode(answer["image"]).tobytes() for answer in answers}) == len(changes)


LISTS = {
    "samplers": {"name", "aliases", "options"},
    "schedulers": {"name", "label", "aliases", "default_rho", "need_inner_model"},
    "upscalers": {"name", "model_name", "model_path", "model_url", "scale"},
    "latent-upscale-modes": {"name"},
    "sd-models": {"title", "model_name", "hash", "sha256", "filename", "config"},
    "prompt-styles": {"name", "prompt", "negative_prompt"},
    "script-info": {"name", "is_alwayson", "is_img2img", "args"},
    "realesrgan-models": {"name", "path", "scale"},
}


@pytest.mark.parametrize(("path", "keys"), LISTS.items(), ids=LISTS)
def test_lists(client: Client, path: str, keys: set[str]) -> None:
    items = client.get(f"/sdapi/v1/{path}")
    assert items
    assert all(item.keys() == keys for item in items)


OTHERS = [
    "hypernetworks",
    "face-restorers",
    "embeddings",
    "memory",
    "extensions",
    "progress",
    "cmd-flags",
    "loras",
]


@pytest.mark.parametrize("path", OTHERS)
def test_other_routes(client: Client, path: str) -> None:
    assert client.answer("GET", f"/sdapi/v1/{path}").status_code == 200


def test_vaes(client: Client, flavour: str) -> None:
    path = "sd-modules" if flavour == "forge" else "sd-vae"
    names = [item["model_name"] for item in client.get(f"/sdapi/v1/{path}")]
    assert names == ["standin-soft.safetensors", "standin-vivid.safetensors"]


def test_scripts(client: Client) -> None:
    lists = client.get("/sdapi/v1/scripts")
    ours = [name for name in lists["txt2img"] if name not in ("seed", "sampler", "refiner")]
    assert ours[:2] == ["prompt matrix", "prompts from file or textbox"]
    assert ours[2:] == ["tint", "x/y/z plot", "probe"]
    assert {"tint", "probe", "seed", "sampler", "refiner"} <= set(lists["img2img"])
    assert {"sd upscale", "loopback"} <= set(lists["img2img"]) - set(lists["txt2img"])
    info = {item["name"]: item for item in client.get("/sdapi/v1/script-info")}
    assert [arg["label"] for arg in info["seed"]["args"]][:3] == ["Seed", "Extra", "Variation seed"]
    assert info["tint"]["args"][1]["maximum"] == 1
    assert info["tint"]["args"][3]["choices"] == ["Blend", "Border", "Stripes"]


def test_progress_when_idle(client: Client) -> None:
    idle = client.get("/sdapi/v1/progress")
    assert (idle["progress"], idle["eta_relative"], idle["state"]["job_count"]) == (0, 0, 0)


@pytest.mark.parametrize("path", ["interrupt", "skip", "refresh-checkpoints", "refresh-vae"])
def test_commands(client: Client, path: str) -> None:
    assert client.post(path, None).status_code == 200


def test_an_interrupt_before_a_job_doesnt_stop_it(client: Client) -> None:
    client.post("interrupt", None)
    assert len(client.pictures({**SMALL, "n_iter": 2})) == 2


NOT_BUILT = ["create/embedding", "train/hypernetwork", "server-kill"]


@pytest.mark.parametrize("path", NOT_BUILT)
def test_what_isnt_built_says_so(client: Client, path: str) -> None:
    answer = client.post(path, {})
    assert answer.status_code == 501
    assert path in answer.json()["detail"]


def test_page_routes_that_arent_built_say_so(client: Client) -> None:
    answer = client.answer("GET", "/sd_extra_networks/thumb?filename=x")
    assert (answer.status_code, "not built" in answer.text) == (501, True)


def test_internal_routes(client: Client) -> None:
    assert client.get("/internal/ping") == {}
    payload = {**SMALL, "force_task_id": "task(known)"}
    client.result("txt2img", payload)
    answer = client.answer("POST", "/internal/progress", json={"id_task": "task(known)"})
    assert answer.json()["completed"] is True
    assert client.get("/internal/pending-tasks").keys() == {"size", "tasks"}
    assert "probe_option" in client.answer("GET", "/internal/sysinfo").text


def test_an_extensions_own_route_fails_like_the_webuis(client: Client) -> None:
    answer = client.answer("GET", "/probe/fail")
    assert answer.status_code == 500
    assert answer.json()["error"] == "ZeroDivisionError"
