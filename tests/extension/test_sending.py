"""A capture filled into a form of stand-in components, and the form compared with it."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from payload_capture import sending
from payload_capture.auth import Caller, Refused
from payload_capture.capture import (
    BATCH,
    EXTRAS,
    EXTRAS_BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Capture,
)
from payload_capture.controls import KEEP, Offered
from payload_capture.sending import Form
from payload_capture.wanted import PageScript

CALLER = Caller("POST", {})
PNG = "a" * 64
REFERENCE = {"$asset": PNG}


class Component:
    def __init__(self, label: str = "", **given: Any) -> None:
        self.label = label
        self.__dict__.update(given)


class Checkbox(Component): ...


class Number(Component): ...


class Textbox(Component): ...


class Dropdown(Component): ...


class File(Component): ...


class Gallery(Component): ...


class HTML(Component): ...


class State(Component): ...


class ImageInput(Component): ...


ImageInput.__name__ = "Image"


def made_of(**components: Component | None) -> dict[str, Component | None]:
    return components


FIELDS = {
    "txt2img": made_of(
        prompt=Textbox("Prompt"),
        prompt_styles=Dropdown("Styles", choices=["painted"], multiselect=True),
        width=Number("Width", minimum=64, maximum=2048),
        enable_hr=Checkbox("Hires. fix"),
        hr_upscaler=Dropdown("Upscaler", choices=["Latent", "Lanczos"]),
        hr_sampler_name=Dropdown("Hires sampler", choices=["Use same sampler", "Euler"]),
        override_settings_texts=Dropdown("Override settings", choices=[], multiselect=True),
    ),
    "img2img": made_of(
        mode=None,
        prompt=Textbox("Prompt"),
        init_img=ImageInput("Image"),
        init_img_inpaint=ImageInput("Image"),
        init_mask_inpaint=ImageInput("Mask"),
        selected_scale_tab=Number(),
        img2img_batch_upload=File("Files"),
        override_settings_texts=Dropdown("Override settings", choices=[], multiselect=True),
    ),
    "extras": made_of(
        extras_mode=State(),
        image=ImageInput("Source"),
        image_folder=File("Files"),
    ),
}
SCRIPTS: dict[str, list[tuple[PageScript, list[Component]]]] = {
    "txt2img": [
        (
            PageScript("seed", "builtin", 1, 4, ["seed", "seed_checkbox", "subseed_strength"]),
            [Number("Seed"), Checkbox("Extra"), Number("Strength", minimum=0, maximum=1)],
        ),
        (
            PageScript("refiner", "builtin", 4, 6, ["enable_refiner", "refiner_checkpoint"]),
            [Checkbox("Refiner"), Dropdown("Checkpoint", choices=["tiny"], value="")],
        ),
        (
            PageScript("tint", "always", 6, 8),
            [Checkbox("On", value=False), State("Unit")],
        ),
        (
            PageScript("x/y/z plot", "selected", 8, 9),
            [Dropdown("X type", choices=["Nothing", "Steps"], type="index")],
        ),
    ],
    "img2img": [],
    "extras": [
        (
            PageScript("Upscale", "operation", 0, 3, ["upscale_enabled", "upscale_by", "mode"]),
            [Checkbox("Upscale"), Number("Resize", minimum=1, maximum=8), State()],
        ),
        (PageScript("GFPGAN", "operation", 3, 4, ["gfpgan_visibility"]), [Number("GFPGAN")]),
    ],
}


class Webui:
    """The face of `host` that sending uses."""

    def input_names(self, target: str) -> list[str]:
        return list(FIELDS[target])

    def page_scripts(self, target: str) -> list[PageScript]:
        return [script for script, _ in SCRIPTS[target]]

    def custom_inputs(self, target: str) -> int:
        chooser = target != "extras"
        return chooser + sum(len(components) for _, components in SCRIPTS[target])

    def override_texts(self, options: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        texts = [f"Clip skip: {v}" for n, v in options.items() if n == "clip_skip"]
        return texts, [name for name in options if name not in ("clip_skip", "set")]

    def option_label(self, name: str) -> str:
        return f"The option ({name})"

    def known_options(self) -> set[str]:
        return {"clip_skip", "eta", "set"}

    def field_defaults(self, endpoint: str) -> dict[str, Any]:
        return {"prompt": "", "width": 512, "s_noise": 1.0, "hr_sampler_name": None}

    def flatten(self, picture: Image.Image, colour: str) -> Image.Image:
        ground = Image.new("RGBA", picture.size, colour)
        ground.alpha_composite(picture.convert("RGBA"))
        return ground.convert("RGB")


class Service:
    """The face of `service.Service` that sending uses."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.refused = False
        self.previewed: Any = None
        self.broken: Exception | None = None

    def admit_page(self, caller: Caller, *, reads: bool) -> None:
        assert caller is CALLER
        assert reads
        if self.refused:
            raise Refused(401, "unauthorized", "who are you?")

    def get(self, identity: str) -> Capture:
        assert identity == "c1"
        return self.capture

    def bytes_of(self, sha256: str) -> bytes:
        return fetch(sha256)

    def preview(self, tab: str, request: Any, args: Sequence[Any]) -> str:
        if self.broken:
            raise self.broken
        self.previewed = tab, request, args
        return "draft"


def fetch(sha256: str) -> bytes:
    assert sha256 == PNG
    data = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(data, "PNG")
    return data.getvalue()


def form(target: str, task: bool = True, more: Mapping[str, Any] | None = None) -> Form:
    chooser = [] if target == "extras" else [Dropdown("Script", choices=["None", "X/Y/Z plot"])]
    for one in chooser:
        one.__dict__["type"] = "index"
    custom = [one for _, components in SCRIPTS[target] for one in components]
    first: list[Any] = [None] if task else []
    return Form(Webui(), target, [*first, *FIELDS[target].values(), *chooser, *custom], more)


def capture(endpoint: str, **payload: Any) -> Capture:
    return Capture(1, "c1", endpoint, payload)


def tinted(*args: Any) -> dict[str, Any]:
    return {"alwayson_scripts": {"tint": {"args": list(args)}}}


def filled(target: str, endpoint: str, **payload: Any) -> tuple[dict[str, Any], list[Any]]:
    """What each input is given, by its label, and what could not be set, as (name, code)."""
    one = form(target)
    made = one.fill(capture(endpoint, **payload), fetch)
    values = {i.label(): made.values[id(i)] for i in one.inputs if id(i) in made.values}
    return values, [(unset.name, unset.code) for unset in made.unset]


def test_fields_are_known_by_the_names_of_arguments() -> None:
    given, unset = filled("txt2img", TXT2IMG, prompt="a cat", width=96, styles=["painted"], seed=7)
    assert unset == []
    assert given["Prompt"] == "a cat"
    assert given["Width"] == 96
    assert given["Styles"] == ["painted"]
    assert given["Seed"] == 7
    assert given["Extra"] is False
    assert given["Refiner"] is False
    assert given["Script"] == "None"


def test_a_silent_field_is_what_the_api_would_take() -> None:
    given, _ = filled("txt2img", TXT2IMG)
    assert given["Width"] == 512


def test_hires_fields_count_where_the_capture_has_them() -> None:
    given, _ = filled("txt2img", TXT2IMG, enable_hr=False)
    assert "Upscaler" not in given
    given, _ = filled("txt2img", TXT2IMG, enable_hr=True)  # as a program may ask for it
    assert given["Hires sampler"] == "Use same sampler"
    hires = {"enable_hr": True, "hr_upscaler": "Lanczos"}  # the sampler is that of the first pass
    given, _ = filled("txt2img", TXT2IMG, **hires)
    assert (given["Upscaler"], given["Hires sampler"]) == ("Lanczos", "Use same sampler")


def test_a_variation_opens_the_extra_seeds() -> None:
    given, _ = filled("txt2img", TXT2IMG, subseed=5, subseed_strength=0.3)
    assert (given["Extra"], given["Strength"]) == (True, 0.3)


def test_a_refiner_is_switched_on() -> None:
    given, _ = filled("txt2img", TXT2IMG, refiner_checkpoint="Tiny")
    assert (given["Refiner"], given["Checkpoint"]) == (True, "tiny")


def test_scripts_get_their_arguments() -> None:
    scripts = {"Tint": {"args": [True]}}
    given, unset = filled("txt2img", TXT2IMG, alwayson_scripts=scripts)
    assert (given["tint: On"], unset) == (True, [])
    given, unset = filled("txt2img", TXT2IMG, script_name="X/Y/Z plot", script_args=[1])
    assert (given["Script"], given["x/y/z plot: X type"], unset) == ("X/Y/Z plot", "Steps", [])


def test_a_script_that_the_capture_does_not_name_is_as_it_was_drawn() -> None:
    given, _ = filled("txt2img", TXT2IMG, alwayson_scripts={})
    assert given["tint: On"] is False


@pytest.mark.parametrize(
    ("payload", "unset"),
    [
        ({"width": 4096}, ("Width", "range")),
        ({"hr_upscaler": "ESRGAN"}, ("Upscaler", "choice")),
        ({"styles": ["gone"]}, ("Styles", "choice")),
        ({"script_name": "gone"}, ("Script", "choice")),
        (tinted(True, {"enabled": True}), ("tint: Unit", "by_hand")),
        ({"override_settings": {"deep": [1]}}, ("The option (deep)", "setting")),
        ({"eta": 0.5}, ("The option (eta)", "setting")),
        ({"s_noise": 1.1}, ("s_noise", "no_field")),
    ],
)
def test_says_what_cannot_be_set(payload: dict[str, Any], unset: tuple[str, str]) -> None:
    assert filled("txt2img", TXT2IMG, **payload)[1] == [unset]


@pytest.mark.parametrize(
    "payload",
    [
        tinted(False, {"enabled": False}),
        tinted(False, None),
        {"override_settings": {"set": 1}},
        {"s_noise": 1.0},
        {"mask_blur_x": 4, "send_images": True},
    ],
)
def test_does_not_speak_of_what_changes_nothing(payload: dict[str, Any]) -> None:
    assert filled("txt2img", TXT2IMG, **payload)[1] == []


def test_a_script_s_picture_is_taken_out_where_the_capture_has_none() -> None:
    one = form("txt2img")
    tint = next(i for i in one.inputs if i.label() == "tint: On")
    picture = dataclasses.replace(tint, component=ImageInput("Picture"), place=1)
    one.inputs[one.inputs.index(tint)] = picture
    made = one.fill(capture(TXT2IMG, **tinted(False, None)), fetch)
    assert made.values[id(picture)] is None


def test_files_of_the_batch_tab_are_one_request_each() -> None:
    requests: list[dict[str, Any]] = [
        {"endpoint": IMG2IMG, "payload": {"prompt": text, "init_images": [REFERENCE]}}
        for text in ("one", "one")
    ]
    given, unset = filled("img2img", BATCH, requests=requests)
    assert (len(given["Files"]), unset) == (2, [])
    panels = form("img2img").fill(capture(BATCH, requests=requests), fetch).panels
    assert "img2img_batch_tab" in panels
    assert "img2img_img2img_tab" not in panels
    requests[1]["payload"]["prompt"] = "two"
    assert filled("img2img", BATCH, requests=requests)[1] == [("", "more")]


def test_settings_go_into_the_dropdown_for_them() -> None:
    given, unset = filled("txt2img", TXT2IMG, override_settings={"clip_skip": 2, "set": 1})
    assert (given["Override settings"], unset) == (Offered(["Clip skip: 2"]), [])


def test_the_picture_of_img2img_comes_as_a_file() -> None:
    one = form("img2img")
    made = one.fill(capture(IMG2IMG, init_images=[REFERENCE]), fetch)
    assert made.panels[-2:] == ["img2img_img2img_tab", "img2img_tab_resize_to"]
    (file,) = (made.values[id(i)] for i in one.inputs if i.name == "init_img")
    with Image.open(Path(file)) as picture:
        assert picture.getpixel((0, 0)) == (255, 0, 0, 0)


def test_a_mask_goes_into_the_upload_and_the_picture_on_its_ground() -> None:
    one = form("img2img")
    options = {"img2img_background_color": "#0000ff", "set": 1}
    payload = {"init_images": [REFERENCE], "mask": REFERENCE}
    made = one.fill(capture(IMG2IMG, override_settings=options, **payload), fetch)
    assert "img2img_inpaint_upload_tab" in made.panels
    (file,) = (made.values[id(i)] for i in one.inputs if i.name == "init_img_inpaint")
    with Image.open(Path(file)) as picture:
        assert picture.getpixel((0, 0)) == (0, 0, 255)


def test_several_init_images_are_more_than_the_page_takes() -> None:
    _, unset = filled("img2img", IMG2IMG, init_images=[REFERENCE, REFERENCE])
    assert unset == [("init_images", "more_pictures")]


def test_of_several_requests_the_first_is_filled_in() -> None:
    requests = [{"endpoint": TXT2IMG, "payload": {"prompt": text}} for text in ("one", "two")]
    given, unset = filled("txt2img", BATCH, requests=requests)
    assert (given["Prompt"], unset) == ("one", [("", "more")])


def test_an_upscaling_begins_with_the_picture_in_the_gallery() -> None:
    upscaled = capture(UPSCALE, firstpass_image=REFERENCE, seed=7)
    more = {"gallery": Gallery(), "generation_info": Textbox()}
    one = form("txt2img", more=more)
    made = one.fill(upscaled, fetch)
    gallery, info = (made.values[id(i)] for i in one.inputs[-2:])
    assert len(gallery) == 1
    assert "Seed: 7," in json.loads(info)["infotexts"][0]
    assert (made.button, made.unset) == ("upscale", [])


def test_where_there_is_no_such_button_the_first_picture_is_told() -> None:
    made = form("txt2img").fill(capture(UPSCALE, firstpass_image=REFERENCE), fetch)
    assert [unset.code for unset in made.unset] == ["first_picture"]
    assert made.button == "generate"


def test_extras_of_one_picture() -> None:
    scripts = {"Upscale": {"upscale_enabled": True, "upscale_by": 2, "mode": 1}}
    given, unset = filled("extras", EXTRAS, images=[REFERENCE], scripts=scripts)
    assert unset == []
    assert given["Source"].endswith(".png")
    assert given["extras_mode"] == 0
    assert given["Upscale: Resize"] == 2
    assert given["GFPGAN: GFPGAN"] == 0


def test_extras_of_several_pictures_and_a_standard_request() -> None:
    listed = [{"data": REFERENCE, "name": name} for name in ("1.png", "2.png")]
    given, unset = filled("extras", EXTRAS_BATCH, imageList=listed, upscaling_resize=3)
    assert len(given["Files"]) == 2
    assert (given["extras_mode"], given["Upscale: Resize"]) == (1, 3)
    assert unset == [("CodeFormer", "missing")]


def test_extras_has_no_field_for_settings() -> None:
    one = {"images": [REFERENCE], "override_settings": {"clip_skip": 2, "deep": 1, "set": 1}}
    unset = filled("extras", EXTRAS, **one)[1]
    assert unset == [("The option (clip_skip)", "setting"), ("The option (deep)", "setting")]


def test_inputs_without_a_task_are_known_too() -> None:
    assert [one.name for one in form("extras", task=False).inputs][:2] == ["extras_mode", "image"]


# ---- what the page gives back


def given_back(one: Form, made: sending.Filled) -> list[Any]:
    """As gradio would read what it was given."""
    back = []
    for i in one.inputs:
        value = made.values.get(id(i))
        if isinstance(value, Offered):
            value = value.values
        elif getattr(i.component, "type", None) == "index":
            value = i.component.choices.index(value) if value is not None else 0
        elif isinstance(value, str) and value.endswith(".png"):
            value = Image.open(value)
        back.append(value)
    return back


def test_what_came_back_is_compared() -> None:
    one, sent = form("txt2img"), capture(TXT2IMG, prompt="a cat", seed=7)
    back = given_back(one, one.fill(sent, fetch))
    assert one.check(sent, fetch, back) == []
    (place,) = (n for n, i in enumerate(one.inputs) if i.name == "seed")
    back[place] = 8
    (unset,) = one.check(sent, fetch, back)
    assert unset == ("Seed", "differs", {"value": "8", "wanted": "7"})


def test_a_picture_that_came_back_otherwise_is_told() -> None:
    one, sent = form("img2img"), capture(IMG2IMG, init_images=[REFERENCE])
    back = given_back(one, one.fill(sent, fetch))
    assert one.check(sent, fetch, back) == []
    back = [Image.new("RGB", (8, 8)) if isinstance(v, Image.Image) else v for v in back]
    (unset,) = one.check(sent, fetch, back)
    assert unset.words == {"value": "a picture", "wanted": "a picture"}


# ---- what the page's script asks


def test_inputs_that_are_others_than_the_webui_s_are_refused() -> None:
    with pytest.raises(ValueError, match="extras has 2 inputs before the scripts', not 3"):
        Form(Webui(), "extras", [None] * 6)


def test_a_note_of_a_script_need_not_be_set() -> None:
    one = form("txt2img")
    note = next(i for i in one.inputs if i.label() == "tint: Unit")
    shown = dataclasses.replace(note, component=HTML("", value="<p>a note</p>"))
    one.inputs[one.inputs.index(note)] = shown
    assert one.fill(capture(TXT2IMG, **tinted(False, "<p>a note</p>")), fetch).unset == []


def test_the_answer_names_the_panels_and_the_question() -> None:
    one = form("txt2img")
    service: Any = Service(capture(TXT2IMG, width=4096))
    told, values, states = answer(service, one, "fill")
    assert len(values) == len(one.settable)
    assert states == []
    assert told == {
        "id": 3,
        "panels": ["tab_txt2img", "txt2img_settings"],
        "button": "generate",
        "unset": [
            {
                "name": "Width",
                "code": "range",
                "words": {"value": "4096", "least": "64", "most": "2048"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("{}", "KeyError: 'id'"),
        ('{"id": 3}', "KeyError: 'do'"),
        ('{"id": 3, "do": "exit"}', "KeyError: 'exit'"),
        ('{"id": 3, "do": "fill"}', "KeyError: 'capture'"),
    ],
)
def test_what_is_no_question_sets_nothing_and_is_told(text: str, told: str) -> None:
    one = form("img2img")
    service: Any = Service(capture(IMG2IMG))
    made = sending.answer(service, one, text, [], None, CALLER)
    assert set(made.values) == {KEEP}
    assert made.told["error"] == told


@pytest.mark.parametrize("name", ["fill", "check"])
def test_a_failure_sets_nothing_and_is_told(name: str) -> None:
    one = form("img2img")
    service: Any = Service(capture(IMG2IMG))
    made = answer(service, one, name)
    assert set(made.values) == {KEEP}
    assert made.told["error"]


@pytest.mark.parametrize("name", ["fill", "check", "preview"])
def test_a_stranger_is_refused(name: str) -> None:
    service: Any = Service(capture(TXT2IMG))
    service.refused = True
    assert answer(service, form("txt2img"), name).told == {"id": 3, "error": "who are you?"}


def test_the_standard_request_without_a_picture_is_refused() -> None:
    one = form("extras")
    service: Any = Service(capture(EXTRAS_SINGLE, image=None))
    assert "payload.image" in answer(service, one, "fill").told["error"]


def test_what_generate_would_send_are_its_own_inputs_in_their_order() -> None:
    one = form("txt2img", more={"gallery": Gallery()})
    service: Any = Service(capture(TXT2IMG))
    given = [f"value {place}" for place in range(len(one.inputs))]
    made = sending.answer(service, one, '{"id": 3, "do": "preview"}', given, "request", CALLER)
    assert made.told == {"id": 3, "capture": "draft"}
    assert service.previewed == ("txt2img", "request", ["", *given[1:-1]])


def test_why_generate_would_fail_is_told() -> None:
    one = form("txt2img")
    service: Any = Service(capture(TXT2IMG))
    service.broken = RuntimeError("no picture")
    made = sending.answer(service, one, '{"id": 3, "do": "preview"}', one.inputs, None, CALLER)
    assert made.told == {"id": 3, "fails": "RuntimeError: no picture"}


def answer(service: Any, one: Form, name: str) -> sending.Answer:
    question = json.dumps({"id": 3, "do": name, "capture": "c1"})
    return sending.answer(service, one, question, [], None, CALLER)
