"""A processing object as a payload. Objects here have the shape of A1111 v1.10.1's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from payload_capture.payload import Draft, ScriptCall, applies, draft, endpoint, whole
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


def test_a_first_pass_picture_blocks_replay_by_name() -> None:
    made = drafted(txt2img(firstpass_image=Image.new("RGB", (2, 2))))
    assert [(c.path, c.severity) for c in made.caveats] == [("firstpass_image", "blocks")]


def test_resolving_keeps_what_was_typed() -> None:
    made = drafted(txt2img(subseed=5))
    made.resolve("seed", 123)
    made.resolve("subseed", 5)
    assert (made.payload["seed"], made.template) == (123, {"seed": -1})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), (5.0, 5), ("7", 7), ([9, 10], 9), (None, -1), ("", -1), ([], -1), ("random", -1)],
)
def test_seeds_are_read_as_the_webui_reads_them(value: object, expected: int) -> None:
    assert whole(value) == expected


def test_which_options_apply() -> None:
    assert applies(txt2img(restore_faces=False), False) == ["always"]
    assert applies(img2img(restore_faces=None), False) == ["always", "img2img", "faces"]
    assert applies(txt2img(enable_hr=True, restore_faces=False), False) == ["always", "hires"]
    assert applies(txt2img(), True) == ["always", "img2img", "hires", "faces"]


def test_endpoints() -> None:
    assert endpoint(txt2img()) == "/sdapi/v1/txt2img"
