"""Selectable scripts: shapes of their results, and what they do to the processing object."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PIL import Image
from standin_client import Client, encode, pixels

SMALL: dict[str, Any] = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 3}
MATRIX = [False, False, "positive", "comma", 0]


def plot(
    x: tuple[int, str], y: tuple[int, str] = (0, ""), z: tuple[int, str] = (0, ""), **flags: Any
) -> dict[str, Any]:
    axes = [p for kind, text in (x, y, z) for p in (kind, text, list[Any]())]
    names = [
        "draw_legend",
        "lone",
        "sub_grids",
        "no_fixed",
        "vary_x",
        "vary_y",
        "vary_z",
        "margin",
        "csv",
    ]
    values = {**dict.fromkeys(names, False), "margin": 0, "csv": True, **flags}
    return {"script_name": "x/y/z plot", "script_args": [*axes, *values.values()]}


def axis(client: Client, label: str, tab: bool = False) -> int:
    info = client.get("/sdapi/v1/script-info")
    script = next(
        item for item in info if item["name"] == "x/y/z plot" and item["is_img2img"] is tab
    )
    place: int = script["args"][0]["choices"].index(label)
    return place


def test_prompt_matrix(client: Client) -> None:
    payload = {
        **SMALL,
        "prompt": "hills|river|snow",
        "script_name": "Prompt matrix",
        "script_args": MATRIX,
    }
    result = client.result("txt2img", payload)
    info = json.loads(result["info"])
    assert info["all_prompts"] == ["hills", "hills, river", "hills, snow", "hills, river, snow"]
    assert info["all_seeds"] == [3, 3, 3, 3]
    assert info["index_of_first_image"] == 1
    assert len(result["images"]) == len(info["infotexts"]) == 5
    calls = [call for call in client.calls() if call["hook"] == "before_process"]
    assert [call["prompt"] for call in calls] == [info["all_prompts"]], "one call on lists"


def test_prompt_matrix_is_its_single_pictures(client: Client) -> None:
    payload = {**SMALL, "prompt": "hills|river", "script_name": "prompt matrix"}
    args = [True, True, "positive", "space", 0]
    drawn = client.hashes({**payload, "script_args": args})
    assert drawn[2] == client.hashes({**SMALL, "prompt": "river hills", "seed": 4})[0]


@pytest.mark.parametrize(
    "bad", [[False, False, "neither", "comma", 0], [False, False, "positive", "dash", 0]]
)
def test_prompt_matrix_refuses_unknown_words(client: Client, bad: list[Any]) -> None:
    payload = {**SMALL, "script_name": "prompt matrix", "script_args": bad}
    assert client.post("txt2img", payload).json()["error"] == "ValueError"


def test_plot_of_seeds_and_steps(client: Client) -> None:
    chosen = plot((axis(client, "Seed"), "3, 5-6"), (axis(client, "Steps"), "2, 4"), lone=True)
    result = client.result("txt2img", {**SMALL, **chosen})
    info = json.loads(result["info"])
    assert len(result["images"]) == 1 + 6
    assert info["all_seeds"][-6:] == [3, 5, 6, 3, 5, 6]
    assert 'Script: X/Y/Z plot, X Type: Seed, X Values: "3, 5-6"' in info["infotexts"][0]
    calls = [call for call in client.calls() if call["hook"] == "before_process"]
    assert len({call["p"] for call in calls}) > 1, "each cell on a copy"
    assert [call["steps"] for call in calls] == [2, 2, 2, 4, 4, 4]


def test_plot_cells_are_single_pictures(client: Client) -> None:
    chosen = plot((axis(client, "Prompt S/R"), "hills, lakes"), lone=True)
    drawn = client.hashes({**SMALL, **chosen})
    assert drawn[-1] == client.hashes({**SMALL, "prompt": "lakes"})[0]


def test_plot_with_a_costly_axis_and_grids(client: Client) -> None:
    checkpoints = axis(client, "Checkpoint name"), "standin-meadow, standin-tundra"
    chosen = plot(
        (axis(client, "CFG Scale"), "5, 7"),
        checkpoints,
        (axis(client, "Sampler"), "Euler, DDIM"),
        lone=True,
        sub_grids=True,
        draw_legend=True,
    )
    result = client.result("txt2img", {**SMALL, **chosen})
    assert len(result["images"]) == 1 + 2 + 8
    assert "Model: standin-meadow" in client.result("txt2img", SMALL)["info"]
    assert "Z Type: Sampler" in json.loads(result["info"])["infotexts"][0]


def test_plot_that_finds_nothing_is_empty(client: Client) -> None:
    """The real one prints what cells raise, and then fails in its own way."""
    answer = client.post(
        "txt2img", {**SMALL, **plot((axis(client, "Prompt S/R"), "absent, other"))}
    )
    assert answer.status_code == 500
    assert "Prompt S/R did not find absent" in answer.text


def test_prompts_from_file(client: Client) -> None:
    lines = "lakes\n--prompt a wide river --seed 9 --steps 3\n--unknown flag"
    payload = {**SMALL, "script_name": "prompts from file or textbox"}
    result = client.result("txt2img", {**payload, "script_args": [False, False, "start", lines]})
    texts = json.loads(result["info"])["infotexts"]
    assert texts[0].startswith("lakes hills\nSteps: 2")
    assert texts[1].startswith("a wide river hills\nSteps: 3")
    assert "Seed: 9" in texts[1]
    assert len(client.host.errors()) == 1, "a line that can't be read is reported"
    client.host.clear_errors()


def test_prompts_from_file_can_count_the_seed(client: Client) -> None:
    payload = {**SMALL, "seed": -1, "script_name": "prompts from file or textbox"}
    info = client.result("txt2img", {**payload, "script_args": [True, False, "end", "a\nb"]})[
        "info"
    ]
    seeds = [int(text.split("Seed: ")[1].split(",")[0]) for text in json.loads(info)["infotexts"]]
    assert seeds[1] == seeds[0] + 1


def test_sd_upscale(client: Client, picture: Image.Image) -> None:
    payload = {**SMALL, "init_images": [encode(picture)], "denoising_strength": 0.3}
    chosen = {"script_name": "sd upscale", "script_args": ["", 16, "Lanczos", 2.0]}
    (enlarged,) = client.pictures({**payload, **chosen})
    assert enlarged.size == (128, 128)
    calls = [call for call in client.calls() if call["hook"] == "process"]
    assert len(calls) == 9
    assert [call["seeds"][0] for call in calls] == list(range(3, 12))
    assert len({call["p"] for call in calls}) == 1, "all tiles on the same object"
    by_index = {**chosen, "script_args": ["", 16, 1, 2.0]}
    assert [pixels(item) for item in client.pictures({**payload, **by_index})] == [pixels(enlarged)]


def test_loopback(client: Client, picture: Image.Image) -> None:
    payload = {**SMALL, "init_images": [encode(picture)], "denoising_strength": 0.5}
    chosen = {"script_name": "loopback", "script_args": [3, 0.2, "Linear", "None"]}
    drawn = client.pictures({**payload, **chosen})
    assert len(drawn) == 4, "a grid and three loops"
    first = client.hashes({**payload, "inpainting_fill": 0})[0]
    assert pixels(drawn[1]) == first
    described = {**payload, **chosen, "script_args": [1, 0.2, "Linear", "CLIP"]}
    assert "hills, a landscape with" in client.result("img2img", described)["info"]


MK2: list[Any] = ["", 32, 4, ["left", "down"], 1.0, 0.05]
MK2_CHANGES = [
    ["", 72, 4, ["left", "down"], 1.0, 0.05],
    ["", 32, 8, ["left", "down"], 1.0, 0.05],
    ["", 32, 4, ["right", "down"], 1.0, 0.05],
    ["", 32, 4, ["left", "down"], 1.1, 0.05],
    ["", 32, 4, ["left", "down"], 1.0, 0.06],
]


def outpainted(picture: Image.Image, name: str, args: list[Any], **more: Any) -> dict[str, Any]:
    payload = {**SMALL, "init_images": [encode(picture)], "denoising_strength": 0.8}
    return {**payload, "script_name": name, "script_args": args, **more}


def test_outpainting_mk2(client: Client, picture: Image.Image) -> None:
    (drawn,) = client.pictures(outpainted(picture, "outpainting mk2", MK2))
    assert drawn.size == (128, 128)
    kept = drawn.crop((96, 0, 128, 32))
    assert kept.tobytes() == picture.crop((32, 0, 64, 32)).tobytes(), "far from what has grown"
    calls = [call for call in client.calls() if call["hook"] == "process"]
    assert len(calls) == 2, "one job for each side"
    assert len({call["p"] for call in calls}) == 1, "all on the same object"
    assert {tuple(call["seeds"]) for call in calls} == {(3,)}


@pytest.mark.parametrize("args", MK2_CHANGES, ids=str)
def test_outpainting_mk2_argument_changes_the_picture(
    client: Client, picture: Image.Image, args: list[Any]
) -> None:
    plain, changed = (
        client.hashes(outpainted(picture, "outpainting mk2", given)) for given in (MK2, args)
    )
    assert changed != plain


def test_outpainting_mk2_of_a_batch_has_a_grid(client: Client, picture: Image.Image) -> None:
    batch = outpainted(picture, "outpainting mk2", MK2, batch_size=2)
    grid, first, second = client.pictures(batch)
    assert grid.width == 2 * first.width
    assert pixels(first) != pixels(second)


POOR: list[Any] = [32, 4, 0, ["left", "down"]]
POOR_CHANGES = [
    [40, 4, 0, ["left", "down"]],
    [32, 6, 0, ["left", "down"]],
    [32, 4, 2, ["left", "down"]],
    [32, 4, 0, ["left", "up"]],
]


def test_poor_mans_outpainting(client: Client, picture: Image.Image) -> None:
    (drawn,) = client.pictures(outpainted(picture, "poor man's outpainting", POOR))
    assert drawn.size == (128, 128)
    calls = [call for call in client.calls() if call["hook"] == "process"]
    assert [call["seeds"][0] for call in calls] == list(range(3, 3 + len(calls)))
    assert len(calls) == 8, "nine tiles, of which one lies inside the picture"


@pytest.mark.parametrize("args", POOR_CHANGES, ids=str)
def test_poor_mans_outpainting_argument_changes_the_picture(
    client: Client, picture: Image.Image, args: list[Any]
) -> None:
    plain, changed = (
        client.hashes(outpainted(picture, "poor man's outpainting", given))
        for given in (POOR, args)
    )
    assert changed != plain


ALTERNATIVE: list[Any] = ["", True, True, "lake", "mud", True, 3, True, 1.0, 0.0, False]
ALTERNATIVE_CHANGES: list[tuple[int, Any]] = [
    (1, False),
    (2, False),
    (3, "sea"),
    (4, "ice"),
    (5, False),
    (6, 4),
    (7, False),
    (8, 1.5),
    (9, 0.5),
    (10, True),
]


@pytest.mark.parametrize("change", ALTERNATIVE_CHANGES, ids=str)
def test_img2img_alternative_argument_changes_the_picture(
    client: Client, picture: Image.Image, change: tuple[int, Any]
) -> None:
    args = list(ALTERNATIVE)
    args[change[0]] = change[1]
    common = {"sampler_name": "Euler a", "negative_prompt": "fog"}
    plain, changed = (
        client.hashes(outpainted(picture, "img2img alternative test", given, **common))
        for given in (ALTERNATIVE, args)
    )
    assert changed != plain


def test_img2img_alternative_overrides_the_job(client: Client, picture: Image.Image) -> None:
    job = outpainted(picture, "img2img alternative test", ALTERNATIVE, sampler_name="Euler a")
    info = client.result("img2img", job)["info"]
    assert "lake\\nNegative prompt: mud\\nSteps: 3, Sampler: Euler," in info
    assert "Denoising strength: 1.0" in info
    assert "Decode prompt: lake, Decode negative prompt: mud, Decode CFG scale: 1.0" in info


def test_titles_and_arguments_of_img2img_scripts(client: Client) -> None:
    info = client.get("/sdapi/v1/script-info")
    labels = {
        item["name"]: [arg["label"] for arg in item["args"]] for item in info if item["is_img2img"]
    }
    assert labels["outpainting mk2"][1:] == [
        "Pixels to expand",
        "Mask blur",
        "Outpainting direction",
        "Fall-off exponent (lower=higher detail)",
        "Color variation",
    ]
    assert labels["poor man's outpainting"][2] == "Masked content"
    assert len(labels["img2img alternative test"]) == 11
    assert not any(
        item["name"] in ("outpainting mk2", "soft inpainting")
        for item in info
        if not item["is_img2img"]
    )
