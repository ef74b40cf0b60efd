"""A processing object as a payload. Objects here have the shape of A1111 v1.10.1's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from payload_capture.capture import Caveat
from payload_capture.payload import (
    Draft,
    ScriptCall,
    applies,
    became,
    compose,
    draft,
    endpoint,
    extras,
    whole,
)
from payload_capture.values import Picture

ACCEPTED = (
    *("prompt", "seed", "subseed", "steps", "s_tmax", "eta", "enable_hr", "hr_scale", "styles"),
    *("sampler_index", "force_task_id", "mask", "init_images", "mask_blur", "save_images"),
)


def txt2img(**given: Any) -> SimpleNamespace:
    shown = {"prompt": "a cat", "seed": -1, "subseed": -1, "steps": 20, "eta": None, "styles": []}
    shown |= {"s_tmax": float("inf"), "enable_hr": False, "hr_scale": 2.0, "force_task_id": "x"}
    return SimpleNamespace(**(shown | {"override_settings": {}} | given))


def img2img(**given: Any) -> SimpleNamespace:
    picture = Image.new("RGB", (2, 2))
    return txt2img(**({"init_images": [picture], "mask": None, "image_mask": None} | given))


def drafted(p: Any, options: Any = (), scripts: Any = ()) -> Draft:
    return draft(p, ACCEPTED, dict(options), scripts)


def test_holds_the_fields_that_the_api_accepts_and_nothing_of_the_hosts_own() -> None:
    payload = drafted(txt2img()).payload
    assert payload == {
        "prompt": "a cat",
        "seed": -1,
        "subseed": -1,
        "steps": 20,
        "s_tmax": 0.0,
        "enable_hr": False,
        "styles": [],
        "override_settings": {},
        "override_settings_restore_afterwards": True,
        "alwayson_scripts": {},
    }


def test_hires_fields_only_where_they_matter() -> None:
    assert drafted(txt2img(enable_hr=True)).payload["hr_scale"] == 2.0
    scripted = drafted(txt2img(), scripts=[ScriptCall("x/y/z plot", False, [])])
    assert scripted.payload["hr_scale"] == 2.0


def test_pins_options_below_the_jobs_own_overrides() -> None:
    p = txt2img(override_settings={"CLIP_stop_at_last_layers": 3})
    options = {"CLIP_stop_at_last_layers": 1, "sd_vae": "a"}
    pinned = drafted(p, options).payload["override_settings"]
    assert pinned == {"CLIP_stop_at_last_layers": 3, "sd_vae": "a"}


def test_scripts_by_title() -> None:
    calls = [ScriptCall("tint", True, [True, 0.5]), ScriptCall("x/y/z plot", False, [4, "1,2"])]
    payload = drafted(txt2img(), scripts=calls).payload
    assert payload["alwayson_scripts"] == {"tint": {"args": [True, 0.5]}}
    assert (payload["script_name"], payload["script_args"]) == ("x/y/z plot", [4, "1,2"])


LABELS = ["X type", "X values", "Keep -1 for seeds"]


@pytest.mark.parametrize(
    ("args", "seed", "said"),
    [
        ([1, "-1, 5", False], 5, "the axis Seed asks for random seeds"),
        ([1, "-10, 5", False], -1, ""),
        ([0, "-1", False], 5, ""),
        ([0, "", True], -1, "“Keep -1 for seeds” draws a seed for each cell"),
        ([0, "", True], 5, ""),
    ],
)
def test_seeds_that_a_plot_draws_anew_block_a_replay(args: Any, seed: int, said: str) -> None:
    call = ScriptCall("x/y/z plot", False, args, {0: ["Nothing", "Seed"]}, LABELS)
    made = drafted(txt2img(seed=seed), scripts=[call])
    assert [c.reason[: len(said)] for c in made.caveats if c.severity == "blocks"] == (
        [said] if said else []
    )
    assert made.choices == {"script_args[0]": ("Nothing", "Seed")[args[0]]}
    assert made.labels == {"x/y/z plot": LABELS}


LINES = ["Iterate seed every line", "Use same random seed for all lines", "List of prompt inputs"]


@pytest.mark.parametrize(
    ("args", "seed", "blocks"),
    [
        ([False, False, "a cat\na dog"], -1, True),
        ([False, False, "a cat\na dog"], 7, False),
        ([False, False, "a cat\n"], -1, False),
        ([True, False, "a cat\na dog"], -1, False),
        ([False, True, "a cat\na dog"], -1, False),
    ],
)
def test_lines_of_prompts_that_draw_their_seeds_block_a_replay(
    args: Any, seed: int, blocks: bool
) -> None:
    call = ScriptCall("prompts from file or textbox", False, args, {}, LINES)
    caveats = drafted(txt2img(seed=seed), scripts=[call]).caveats
    assert [c.path for c in caveats if c.severity == "blocks"] == ["script_args"] * blocks


def test_an_option_that_an_axis_of_a_plot_sets_is_not_pinned() -> None:
    call = ScriptCall("x/y/z plot", False, [1, "1, 2"], {0: ["Nothing", "Clip skip"]})
    options = {"CLIP_stop_at_last_layers": 1, "sd_vae": "soft"}
    made = drafted(txt2img(), options, [call])
    assert made.payload["override_settings"] == {"sd_vae": "soft"}


def test_a_script_that_the_api_cannot_call_is_said_and_left_out() -> None:
    always = ScriptCall("twin", True, [1], hindrance="another one")
    selected = ScriptCall("plot", False, [1], hindrance="no title")
    made = drafted(txt2img(), scripts=[always, selected])
    assert made.payload["alwayson_scripts"] == {}
    assert "script_name" not in made.payload
    assert [(c.path, c.severity) for c in made.caveats] == [
        ("alwayson_scripts.twin.args", "pixels"),
        ("script_args", "blocks"),
    ]


def test_no_picture_chosen_blocks_a_replay() -> None:
    (caveat,) = drafted(img2img(init_images=[None])).caveats
    assert (caveat.path, caveat.severity) == ("init_images", "blocks")


def test_pictures_of_img2img_are_copies() -> None:
    image, mask = Image.new("RGBA", (2, 2), "red"), Image.new("L", (2, 2), 255)
    made = drafted(img2img(init_images=[image], image_mask=mask))
    assert made.endpoint == "/sdapi/v1/img2img"
    image.paste("blue", (0, 0, 2, 2))
    (init,) = made.payload["init_images"]
    assert isinstance(init, Picture)
    assert init.image.getpixel((0, 0)) == (255, 0, 0, 255)
    assert made.payload["mask"].image.mode == "L"


def test_no_mask_where_there_is_none() -> None:
    assert "mask" not in drafted(img2img()).payload


def test_the_upscale_button_has_a_route_of_its_own() -> None:
    made = drafted(txt2img(firstpass_image=Image.new("RGB", (2, 2)), enable_hr=True))
    assert made.endpoint == "/payload-capture/v1/run/txt2img-upscale"
    assert isinstance(made.payload["firstpass_image"], Picture)
    assert made.caveats == []


def test_several_runs_are_a_batch_and_one_is_itself() -> None:
    one = Draft("/sdapi/v1/img2img", {"seed": 1}, caveats=[Caveat("mask", "lost")])
    two = Draft("/sdapi/v1/img2img", {"seed": 2}, {"seed": -1}, labels={"wide": ["Scale"]})
    assert compose([one]) is one
    made = compose([one, two])
    assert made.endpoint == "/payload-capture/v1/run/batch"
    assert made.payload == {
        "requests": [
            {"endpoint": "/sdapi/v1/img2img", "payload": {"seed": 1}},
            {"endpoint": "/sdapi/v1/img2img", "payload": {"seed": 2}},
        ]
    }
    assert made.template == {"requests": [{}, {"seed": -1}]}
    assert made.labels == {"wide": ["Scale"]}
    assert [caveat.path for caveat in made.caveats] == ["requests[0].payload.mask"]


UPSCALE = {
    "upscale_enabled": True,
    "upscale_mode": 0,
    "upscale_by": 2,
    "max_side_length": 0,
    "upscale_to_width": 512,
    "upscale_to_height": 256,
    "upscale_crop": True,
    "upscaler_1_name": "Lanczos",
    "upscaler_2_name": "None",
    "upscaler_2_visibility": 0,
}
FACES = {
    "GFPGAN": {"enable": False, "gfpgan_visibility": 1},
    "CodeFormer": {"enable": True, "codeformer_visibility": 0.5, "codeformer_weight": 0.25},
}


def ran(scripts: dict[str, Any], options: Any = (), pictures: int = 1) -> Draft:
    made = [extras(None, scripts, dict(options)) for _ in range(pictures)]
    for number, each in enumerate(made):
        each.payload["images"] = [f"picture {number}"]
    return compose(made)


def test_extras_that_the_standard_endpoint_can_say() -> None:
    made = ran({"Upscale": UPSCALE, **FACES, "Caption": {"enabled": False, "option": ["BLIP"]}})
    assert (made.endpoint, made.payload) == (
        "/sdapi/v1/extra-single-image",
        {
            "image": "picture 0",
            "resize_mode": 0,
            "upscaling_resize": 2,
            "upscaling_resize_w": 512,
            "upscaling_resize_h": 256,
            "upscaling_crop": True,
            "upscaler_1": "Lanczos",
            "upscaler_2": "None",
            "extras_upscaler_2_visibility": 0,
            "gfpgan_visibility": 0,
            "codeformer_visibility": 0.5,
            "codeformer_weight": 0.25,
        },
    )


def test_extras_of_several_pictures() -> None:
    made = ran({"Upscale": UPSCALE}, pictures=2)
    assert made.endpoint == "/sdapi/v1/extra-batch-images"
    assert made.payload["imageList"] == [
        {"data": "picture 0", "name": "0.png"},
        {"data": "picture 1", "name": "1.png"},
    ]


def test_extras_without_upscaling_says_so() -> None:
    made = ran({"Upscale": UPSCALE | {"upscale_enabled": False}, **FACES})
    assert made.endpoint == "/sdapi/v1/extra-single-image"
    assert (made.payload["upscaler_1"], made.payload["upscaling_resize"]) == ("None", 1)


@pytest.mark.parametrize(
    ("scripts", "options"),
    [
        ({"Upscale": UPSCALE, "Create flipped copies": {"enable": True, "option": []}}, {}),
        ({"Upscale": UPSCALE | {"max_side_length": 100}}, {}),
        ({"Upscale": UPSCALE | {"an_argument_of_a_later_version": 1}}, {}),
        ({"Upscale": UPSCALE}, {"ESRGAN_tile": 64}),
    ],
)
def test_extras_that_only_our_own_route_can_say(scripts: Any, options: Any) -> None:
    made = ran(scripts, options, pictures=2)
    assert made.endpoint == "/payload-capture/v1/run/extras"
    assert made.payload == {
        "images": ["picture 0", "picture 1"],
        "scripts": scripts,
        "override_settings": options,
    }


def test_face_restoration_of_old_versions_has_no_switch() -> None:
    upscale = {name: v for name, v in UPSCALE.items() if name != "upscale_enabled"}
    made = ran({"Upscale": upscale, "GFPGAN": {"gfpgan_visibility": 0.5}})
    assert made.endpoint == "/sdapi/v1/extra-single-image"
    assert made.payload["gfpgan_visibility"] == 0.5


def test_resolving_keeps_what_was_typed() -> None:
    made = drafted(txt2img(subseed=5))
    made.resolve("seed", 123)
    made.resolve("subseed", 5)
    assert (made.payload["seed"], made.template) == (123, {"seed": -1})


@pytest.mark.parametrize(
    ("resolved", "kept"),
    [
        ({}, {}),
        ({"all_prompts": ["a cat"] * 3}, {}),
        ({"all_prompts": ["a cat, painted"] * 3}, {"prompt": ["a cat, painted"]}),
        ({"all_prompts": ["red", "blue"]}, {"prompt": ["red", "blue"]}),
        ({"all_hr_prompts": ["a cat"]}, {}),  # empty, it is the first pass's
        ({"all_hr_prompts": ["a dog"]}, {"hr_prompt": ["a dog"]}),
    ],
)
def test_what_prompts_became(resolved: dict[str, Any], kept: dict[str, Any]) -> None:
    payload = {"prompt": "a cat", "hr_prompt": ""}
    assert became(txt2img(**resolved), payload) == kept


UNLINKED = [True, *[False] * 10, True, *[False] * 6]
"""Dynamic Prompts' arguments for variants that no seed decides."""


def unlinked(*args: Any) -> Draft:
    p = txt2img(prompt="a {red|blue} cat", styles=["painted"])
    return drafted(p, scripts=[ScriptCall("dynamic prompts v2.17.1", True, [*(args or UNLINKED)])])


def test_a_prompt_that_is_drawn_anew_is_sent_as_it_became() -> None:
    made = unlinked()
    made.settle({"prompt": ["a red cat, painted"]}, 1)
    sent = made.payload
    assert (sent["prompt"], sent["styles"]) == ("a red cat, painted", [])
    assert made.template == {"prompt": "a {red|blue} cat", "styles": ["painted"]}
    (call,) = sent["alwayson_scripts"].values()
    assert call["args"] == [False, *UNLINKED[1:]]
    assert made.caveats == []


@pytest.mark.parametrize(
    ("resolved", "pictures"),
    [({"prompt": ["a red cat", "a blue cat"]}, 2), ({}, 0)],
    ids=["several pictures", "a script's own"],
)
def test_prompts_that_are_drawn_anew_are_refused(
    resolved: dict[str, list[str]], pictures: int
) -> None:
    made = unlinked()
    made.settle(resolved, pictures)
    (caveat,) = made.caveats
    assert caveat.severity == "blocks"
    assert caveat.reason == "“Unlink seed from prompt” makes other prompts each time"
    assert made.payload["prompt"] == "a {red|blue} cat"


def test_prompts_that_the_seed_decides_stay_as_they_are() -> None:
    made = unlinked(True, *[False] * 17)
    made.settle({"prompt": ["a red cat", "a blue cat"]}, 2)
    assert (made.payload["prompt"], made.caveats) == ("a {red|blue} cat", [])
    assert made.resolved == {"prompt": ["a red cat", "a blue cat"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), (5.0, 5), ("7", 7), ([9, 10], 9), (None, -1), ("", -1), ([], -1), ("random", -1)],
)
def test_seeds_are_read_as_the_webui_reads_them(value: object, expected: int) -> None:
    assert whole(value) == expected


def test_which_options_apply() -> None:
    assert applies(txt2img(restore_faces=False), False) == ["always", "txt2img"]
    assert applies(img2img(restore_faces=None), False) == ["always", "img2img", "faces"]
    assert applies(txt2img(enable_hr=True, restore_faces=False), False) == [
        "always",
        "txt2img",
        "hires",
    ]
    scripted = ["always", "txt2img", "img2img", "hires", "faces"]
    assert applies(txt2img(), True) == scripted


def test_endpoints() -> None:
    assert endpoint(txt2img()) == "/sdapi/v1/txt2img"
