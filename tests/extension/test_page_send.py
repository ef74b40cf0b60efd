"""“Send to …” in a real browser on the stand-in: what the page says and shows.

That Generate then makes the same picture, for every kind of generation, is in `tests/hosts`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from hosts.webui_page import WebuiPage

from .conftest import UNCHOSEN, Host, Start
from .page import accordion, deafen, detail, downloaded, drawn, picture, rows

ALL_SET = "All set: Generate makes this picture again."
UNRULY = """
import gradio as gr
from modules import scripts
class Unruly(scripts.Script):
    def title(self): return "Unruly"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img):
        with gr.Accordion("Unruly", open=False):
            size = gr.Slider(0, 10, 0, step=1, label="Size")
            state = gr.State(None)
        size.change(lambda value: min(value, 5), [size], [size], queue=False)
        return [size, state]
"""
"""A script whose page undoes what it is given, and with a state that nobody can fill in."""


TARDY = """
import time
import gradio as gr
from modules import scripts
def changed(value):
    time.sleep(2)
    return min(value, 5)
class Tardy(scripts.Script):
    def title(self): return "Tardy"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img):
        with gr.Accordion("Tardy", open=False):
            size = gr.Slider(0, 10, 0, step=1, label="Size")
        size.change(changed, [size], [size], queue=False)
        return [size]
"""
"""A script whose page undoes what it is given, but later."""
LATENCY = 500
"""Milliseconds by which a webui far away answers later."""


UNITS = """
import enum
import time
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image
from modules import api, script_callbacks, scripts

class Mode(enum.Enum):
    SIMPLE = "simple"
    BATCH = "batch"

@dataclass
class Unit:
    mode: Mode = Mode.SIMPLE
    image: Any = None
    enabled: bool = True
    model: str = "None"
    weight: float = 1.0
    kept: int = 3

SKETCH = {"tool": "sketch"} if gr.__version__.startswith("3.") else {}
def made(mode, image, enabled, model, weight):
    if model == "refused":
        raise ValueError("no such model")
    time.sleep(0.3)  # in which the job has begun
    return Unit(mode, image, enabled, model, weight)

def lightness(given):
    given = api.api.decode_base64_to_image(given) if isinstance(given, str) else given
    return given.convert("L").resize((1, 1)).getpixel((0, 0)) if given else 0

buttons = {}
def drawn(component, **_):
    if str(component.elem_id).endswith("2img_generate"):
        buttons[component.elem_id] = component
script_callbacks.on_after_component(drawn)

class Units(scripts.Script):
    def title(self): return "Units"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img):
        tab = "img2img" if is_img2img else "txt2img"
        with gr.Accordion("Units", open=False, elem_id=f"{tab}_units"):
            fields = [
                gr.State(Mode.SIMPLE),
                gr.Image(label="Picture", type="pil", elem_id=f"{tab}_unit_image", **SKETCH),
                gr.Checkbox(False, label="Enable", elem_id=f"{tab}_unit_enable_checkbox"),
                gr.Dropdown(["None", "tiny", "refused"], value="None", label="Model"),
                gr.Slider(0, 2, 1, step=0.01, label="Weight", elem_id=f"{tab}_unit_weight"),
            ]
            filter = gr.Radio(
                ["All", "tiny"], value="All", elem_id=f"{tab}_unit_type_filter_radio"
            )
            state = gr.State(Unit(enabled=False))
        filter.change(lambda one: None if one == "All" else one, [filter], [fields[3]])
        buttons[f"{tab}_generate"].click(made, fields, [state], queue=False)
        return [state]
    def postprocess_image(self, p, pp, unit):
        unit = Unit(**unit) if isinstance(unit, dict) else unit
        if unit.enabled:
            both = unit.image if isinstance(unit.image, dict) else {"image": unit.image}
            seen = [lightness(both.get(name)) for name in ("image", "mask")]
            ground = Image.new("RGB", pp.image.size, (round(unit.weight * 100), *seen))
            pp.image = Image.blend(pp.image.convert("RGB"), ground, 0.5)
"""
"""A script that is given an object, which Generate makes of the page's fields, as ControlNet's."""


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    host = start(neighbours={"unruly": UNRULY, "tardy": TARDY, "units": UNITS})
    yield host
    assert host.process.errors() == []
    host.process.stop()


def send(webui: WebuiPage, tab: str) -> Locator:
    """Press the button of the newest capture. Returns what the page says then."""
    webui.open("Payloads")
    rows(webui).first.click()
    drawn(webui)
    button = detail(webui).get_by_role("button", name=f"Send to {tab}")
    button.click()
    toast = webui.page.locator(".pc-toast > span").last
    expect(toast).to_be_visible(timeout=60_000)
    return toast


def chosen_tab(webui: WebuiPage) -> Locator:
    return webui.page.locator("#tabs > .tab-nav > button.selected")


def value(webui: WebuiPage, element: str, kind: str) -> Locator:
    return webui.page.locator(f"#{element} {kind}").first


def test_txt2img_is_shown_and_filled(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="a fox", seed=7, cfg_scale=4.5, n_iter=2).raise_for_status()
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    expect(chosen_tab(webui)).to_have_text("txt2img", ignore_case=True)
    expect(value(webui, "txt2img_prompt", "textarea")).to_have_value("a fox")
    expect(value(webui, "txt2img_seed", "input")).to_have_value("7")
    expect(value(webui, "txt2img_cfg_scale", "input[type=number]")).to_have_value("4.5")
    expect(value(webui, "txt2img_batch_count", "input[type=number]")).to_have_value("2")


def test_settings_stand_in_their_dropdown(webui: WebuiPage, clean: Host) -> None:
    options = {"CLIP_stop_at_last_layers": 2}
    clean.generate(override_settings=options).raise_for_status()
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    dropdown = webui.page.locator("#txt2img_override_settings")
    expect(dropdown).to_be_visible()
    expect(dropdown.locator(".token")).to_contain_text("Clip skip: 2")


def test_where_no_checkpoint_is_chosen_the_first_is_set(start: Start, page: Page) -> None:
    host = start(neighbours={"unchosen": UNCHOSEN})
    host.generate().raise_for_status()
    assert host.latest()["payload"]["override_settings"]["sd_model_checkpoint"]
    webui = WebuiPage(page, host.url)
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    expect(page.locator("#txt2img_override_settings")).to_be_hidden()
    host.process.stop()


def send_a_plain_one(webui: WebuiPage, clean: Host) -> None:
    """Make another capture and send it to the page that is filled in already."""
    webui.page.locator(".pc-toast button").last.click()
    clean.generate(prompt="a plain fox").raise_for_status()
    webui.open("txt2img")
    webui.open("Payloads")
    expect(rows(webui)).to_have_count(2)
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)


def test_the_next_one_leaves_nothing_of_the_one_before(webui: WebuiPage, clean: Host) -> None:
    hires: dict[str, Any] = {
        "enable_hr": True,
        "hr_scale": 2,
        "denoising_strength": 0.6,
        "hr_additional_modules": [],  # without which Forge answers 500
        "subseed": 5,
        "subseed_strength": 0.4,
    }
    options = {"CLIP_stop_at_last_layers": 2}
    clean.generate(**hires, override_settings=options).raise_for_status()
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    send_a_plain_one(webui, clean)
    expect(value(webui, "txt2img_subseed_show", "input")).not_to_be_checked()
    expect(webui.page.locator("#txt2img_override_settings")).to_be_hidden()
    expect(webui.page.locator("#txt2img_hr > .label-wrap")).not_to_have_class("open")


def test_img2img_shows_the_picture(webui: WebuiPage, clean: Host) -> None:
    clean.generate("img2img", init_images=[picture()]).raise_for_status()
    expect(send(webui, "img2img")).to_have_text(ALL_SET)
    expect(chosen_tab(webui)).to_have_text("img2img", ignore_case=True)
    expect(webui.page.locator("#img2img_image img").first).to_be_visible()


def test_inpaint_goes_into_the_upload_of_a_mask(webui: WebuiPage, clean: Host) -> None:
    pictures: dict[str, Any] = {"init_images": [picture()], "mask": picture(colour="white")}
    clean.generate("img2img", **pictures, mask_blur=9).raise_for_status()
    expect(send(webui, "inpaint")).to_have_text(ALL_SET)
    mode = webui.page.locator("#mode_img2img > .tab-nav > button.selected")
    expect(mode).to_have_text("Inpaint upload")
    for element in ("img_inpaint_base", "img_inpaint_mask"):
        expect(webui.page.locator(f"#{element} img").first).to_be_visible()
    expect(value(webui, "img2img_mask_blur", "input[type=number]")).to_have_value("9")


def test_extras_shows_the_picture_and_the_size(webui: WebuiPage, clean: Host) -> None:
    sizes: dict[str, Any] = {"resize_mode": 1, "upscaling_resize_w": 128, "upscaling_resize_h": 96}
    body = {"image": picture(), "upscaler_1": "Lanczos", **sizes}
    clean.generate("extra-single-image", **body).raise_for_status()
    expect(send(webui, "Extras")).to_have_text(ALL_SET)
    expect(chosen_tab(webui)).to_have_text("Extras", ignore_case=True)
    expect(webui.page.locator("#extras_image img").first).to_be_visible()
    expect(webui.page.locator("#extras_resize_mode > .tab-nav > .selected")).to_have_text(
        "Scale to"
    )
    expect(value(webui, "extras_upscaling_resize_w", "input[type=number]")).to_have_value("128")


def test_what_cannot_be_set_is_listed(webui: WebuiPage, clean: Host) -> None:
    clean.pretend(batch_size=1000, s_noise=1.01, width=56)
    said = send(webui, "txt2img")
    expect(said).to_contain_text("Filled in, but this could not be set:")
    expect(said).to_contain_text("Width: 56 is not between 64 and 2048")
    most = webui.page.locator("#txt2img_batch_size input[type=range]").get_attribute("max")
    expect(said).to_contain_text(f"Batch size: 1000 is not between 1 and {most}")
    expect(chosen_tab(webui)).to_have_text("txt2img", ignore_case=True)


def test_what_the_page_undoes_is_listed(webui: WebuiPage, clean: Host) -> None:
    scripts = {"unruly": {"args": [9, {"enabled": True}]}}
    clean.generate(alwayson_scripts=scripts).raise_for_status()
    said = send(webui, "txt2img")
    expect(said).to_contain_text("unruly: Size: the page shows 5 instead of 9")
    expect(said).to_contain_text("cannot be filled in from here: set it by hand")


def test_what_the_page_undoes_late_is_listed_where_all_is_slow(
    webui: WebuiPage, clean: Host
) -> None:
    clean.generate(alwayson_scripts={"tardy": {"args": [9]}}).raise_for_status()
    network = webui.page.context.new_cdp_session(webui.page)
    limits = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", {**limits, "latency": LATENCY})
    try:
        said = send(webui, "txt2img")
        expect(said).to_contain_text("tardy: Size: the page shows 5 instead of 9")
    finally:
        network.send("Network.emulateNetworkConditions", {**limits, "latency": 0})


def units(**fields: Any) -> dict[str, Any]:
    return {"alwayson_scripts": {"Units": {"args": [fields]}}}


def test_a_unit_is_filled_in_field_by_field(webui: WebuiPage, clean: Host) -> None:
    clean.generate(**units(image=picture(), model="tiny", weight=1.23)).raise_for_status()
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    expect(value(webui, "txt2img_unit_enable_checkbox", "input")).to_be_checked()
    generates_the_same(webui, clean)


def generates_the_same(webui: WebuiPage, clean: Host) -> None:
    before = clean.latest()
    webui.open("txt2img")
    webui.generate()
    assert clean.latest()["id"] != before["id"]
    again, first = (one["results"][0]["sha256"] for one in (clean.latest(), before))
    assert again == first


def test_what_a_brush_drew_goes_into_the_sketch_that_takes_it(
    webui: WebuiPage, clean: Host, flavour: str
) -> None:
    both = {"image": picture(), "mask": picture()}
    clean.generate(**units(image=both)).raise_for_status()
    said = send(webui, "txt2img")
    if flavour == "a1111":
        expect(said).to_have_text(ALL_SET)
        generates_the_same(webui, clean)
    else:  # gradio 4 has another component for that
        expect(said).to_contain_text("units [0]: Picture: cannot be filled in from here")


def test_what_would_be_sent_has_units_as_the_page_shows_them(webui: WebuiPage, clean: Host) -> None:
    clean.generate(**units(model="tiny", weight=1.23)).raise_for_status()
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    webui.page.locator("#txt2img_units .label-wrap").click()
    webui.number("txt2img_unit_weight", 0.5)
    place = accordion(webui)
    place.get_by_role("button", name="What would be sent").click()
    _, text = downloaded(webui.page, place.get_by_role("button", name="Download payload"))
    (unit,) = json.loads(text)["alwayson_scripts"]["units"]["args"]
    assert (unit["enabled"], unit["model"], unit["weight"]) == (True, "tiny", 0.5)


def test_a_unit_that_the_next_one_has_not_is_off_and_empty(webui: WebuiPage, clean: Host) -> None:
    clean.generate(**units(image=picture(), weight=1.23)).raise_for_status()
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    expect(webui.page.locator("#txt2img_unit_image img")).to_have_count(1)
    send_a_plain_one(webui, clean)
    expect(value(webui, "txt2img_unit_enable_checkbox", "input")).not_to_be_checked()
    expect(value(webui, "txt2img_unit_weight", "input[type=number]")).to_have_value("1")
    expect(webui.page.locator("#txt2img_unit_image img")).to_have_count(0)


def test_what_of_a_unit_has_no_field_is_listed(webui: WebuiPage, clean: Host) -> None:
    clean.generate(**units(model="gone", kept=5)).raise_for_status()
    said = send(webui, "txt2img")
    expect(said).to_contain_text("units [0]: Model: gone is not offered here")
    expect(said).to_contain_text("units [0]: kept: 5, for which only the API has a field")


def test_a_unit_that_its_script_refuses_is_told(webui: WebuiPage, clean: Host) -> None:
    clean.generate(**units(model="refused")).raise_for_status()
    said = send(webui, "txt2img")
    expect(said).to_contain_text(
        "units [0]: its own script refuses these values: ValueError: no such model"
    )


def test_hostile_text_stays_text(webui: WebuiPage, clean: Host) -> None:
    prompt = "<img src=x onerror='window.hurt=1'>\n\"quoted\" \u202e back"
    clean.generate(prompt=prompt).raise_for_status()
    expect(send(webui, "txt2img")).to_have_text(ALL_SET)
    expect(value(webui, "txt2img_prompt", "textarea")).to_have_value(prompt)
    assert webui.page.evaluate("window.hurt") is None


def test_a_capture_that_is_gone_is_told(webui: WebuiPage, clean: Host) -> None:
    clean.generate().raise_for_status()
    webui.open("Payloads")
    rows(webui).first.click()
    button = detail(webui).get_by_role("button", name="Send to txt2img")
    expect(button).to_be_visible()
    deafen(webui)
    where = f"{clean.url}/payload-capture/v1/captures/{clean.latest()['id']}"
    clean.session.delete(where, params={"forever": 1}).raise_for_status()
    button.click()
    said = webui.page.locator(".pc-toast > span").last
    expect(said).to_have_text("Not sent: This capture, or a picture of it, was deleted.")


def test_the_button_is_pressed_by_keys(webui: WebuiPage, clean: Host) -> None:
    clean.generate(prompt="by keys").raise_for_status()
    webui.open("Payloads")
    rows(webui).first.click()
    button = detail(webui).get_by_role("button", name="Send to txt2img")
    button.focus()
    webui.page.keyboard.press("Enter")
    expect(webui.page.locator(".pc-toast > span").last).to_have_text(ALL_SET)
    expect(value(webui, "txt2img_prompt", "textarea")).to_have_value("by keys")
