"""The page in a real browser: every way to generate, and what the API makes of the same inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page
from standin_client import Client, encode, pixels

from webui_page import WebuiPage

IDS = [
    "txt2img_prompt",
    "txt2img_neg_prompt",
    "txt2img_steps",
    "txt2img_sampling",
    "txt2img_scheduler",
    "txt2img_seed",
    "txt2img_subseed_show",
    "txt2img_subseed",
    "txt2img_subseed_strength",
    "txt2img_seed_resize_from_w",
    "txt2img_width",
    "txt2img_height",
    "txt2img_batch_count",
    "txt2img_batch_size",
    "txt2img_cfg_scale",
    "txt2img_hr",
    "txt2img_hr_upscaler",
    "txt2img_hires_steps",
    "txt2img_denoising_strength",
    "txt2img_hr_scale",
    "txt2img_hr_resize_x",
    "txt2img_hr_resize_y",
    "hr_checkpoint",
    "hr_sampler",
    "hr_scheduler",
    "hires_prompt",
    "hires_neg_prompt",
    "txt2img_enable",
    "txt2img_checkpoint",
    "txt2img_switch_at",
    "txt2img_styles",
    "txt2img_script_container",
    "txt2img_generate",
    "txt2img_interrupt",
    "txt2img_skip",
    "txt2img_upscale",
    "txt2img_gallery",
    "txt2img_gallery_container",
    "generation_info_txt2img",
    "html_info_txt2img",
    "html_log_txt2img",
    "img2img_image",
    "img_inpaint_base",
    "img_inpaint_mask",
    "img2maskimg",
    "mode_img2img",
    "img2img_sketch",
    "inpaint_sketch",
    "img2img_mask_blur",
    "img2img_inpainting_fill",
    "resize_mode",
    "img2img_batch_input_dir",
    "extras_image",
    "extras_generate",
    "pnginfo_image",
    "settings_submit",
    "settings_restart_gradio",
    "setting_sd_model_checkpoint",
    "setting_CLIP_stop_at_last_layers",
    "setting_sd_vae",
    "settings_json",
    "setting_probe_option",
    "quicksettings",
    "footer",
    "tab_txt2img",
    "tab_probe",
    "save_txt2img",
    "txt2img_send_to_img2img",
    "script_list",
]


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    """One page for all tests here: opening it is most of their time."""
    context = browser.new_context(viewport={"width": 1400, "height": 1600})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    yield page
    context.close()
    assert not problems
    outside = [url for url in foreign if not url.startswith(("http://127.0.0.1", "data:", "blob:"))]
    assert not outside, "the page asks other servers"


@pytest.fixture(scope="module")
def opened(page: Page, shared_host: Any) -> WebuiPage:
    return WebuiPage(page, shared_host.url)


@pytest.fixture
def webui(opened: WebuiPage, client: Client) -> WebuiPage:
    """The page, small and fixed, without scripts and hires."""
    for tab in ("img2img", "txt2img"):
        opened.open(tab)
        opened.text(f"{tab}_prompt", "hills")
        for name, value in {"steps": 2, "width": 64, "height": 64, "seed": 3}.items():
            opened.number(f"{tab}_{name}", value)
    opened.choose("txt2img_sampling", "Euler a")
    return opened


FORGE_HIRES = {"hr_cfg": 7, "hr_additional_modules": ["Use same choices"]}
SAME: dict[str, Any] = {
    "prompt": "hills",
    "steps": 2,
    "width": 64,
    "height": 64,
    "seed": 3,
    "sampler_name": "Euler a",
}


def files(tmp_path: Path, **pictures: Image.Image) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.png" for name in pictures}
    for name, picture in pictures.items():
        picture.save(paths[name])
    return paths


def shows(webui: WebuiPage, hashes: list[str]) -> None:
    """The gallery comes to show these pictures; a busy machine paints late."""
    shown: list[str] = []
    for _ in range(40):
        shown = [pixels(picture) for picture in webui.gallery()]
        if shown == hashes:
            return
        webui.page.wait_for_timeout(250)
    assert shown == hashes


def fresh(webui: WebuiPage, before: list[Image.Image]) -> Image.Image:
    """The first picture of the gallery, once it shows others than it showed before."""
    for _ in range(40):
        if (shown := webui.gallery()) and shown != before:
            return shown[0]
        webui.page.wait_for_timeout(250)
    raise AssertionError("the gallery shows nothing new")


def test_element_ids(webui: WebuiPage) -> None:
    found = set(webui.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
    assert set(IDS) - found == set()
    footer = webui.page.locator("#footer").first.inner_text()
    assert "not a diffusion model" in footer


def test_extension_parts_are_on_the_page(webui: WebuiPage) -> None:
    page = webui.page
    assert page.evaluate("[window.probeLoaded, window.probeOption]") == [True, "hello"]
    webui.open("Probe")
    page.wait_for_function("window.probeTab === 'Probe'")
    outline = "getComputedStyle(document.getElementById('probe_tab_text')).outlineColor"
    assert page.evaluate(outline) == "rgb(1, 2, 3)"


def test_generate(webui: WebuiPage, client: Client, flavour: str) -> None:
    webui.generate()
    shows(webui, client.hashes(SAME))
    assert webui.generation_info()["infotexts"][0].startswith("hills\nSteps: 2, Sampler: Euler a")
    assert "Time taken" in webui.page.locator("#html_log_txt2img").first.inner_text()


def test_order_of_a_page_job(webui: WebuiPage, client: Client, flavour: str) -> None:
    webui.number("txt2img_seed", -1)
    webui.generate()
    calls = client.calls()
    assert [call["hook"] for call in calls][:3] == ["setup", "before_process", "process"]
    setup, before, process = calls[:3]
    assert (setup["seed"], setup["sampler"], setup["steps"]) == (-1, None, 50)
    assert (before["seed"], before["sampler"], before["steps"]) == (-1, "Euler a", 2)
    webui.page.wait_for_function(
        "seed => document.querySelector('#generation_info_txt2img textarea').value.includes(seed)",
        arg=f'"all_seeds": [{process["seeds"][0]}]',
    )
    assert before["job"].startswith("task(")
    assert len({call["p"] for call in calls}) == 1
    assert {call["main_thread"] for call in calls} == {flavour != "a1111"}
    webui.page.wait_for_function("localStorage.getItem('txt2img_task_id') === null")


def test_hires_refiner_styles_and_variation(webui: WebuiPage, client: Client, flavour: str) -> None:
    page = webui.page
    webui.accordion("txt2img_hr")
    webui.number("txt2img_hires_steps", 3)
    webui.accordion("txt2img_enable")
    webui.choose("txt2img_checkpoint", "standin-refiner")
    webui.number("txt2img_switch_at", 0.5)
    webui.choose("txt2img_styles", "warm")
    webui.check("txt2img_subseed_show")
    page.wait_for_timeout(300)
    webui.number("txt2img_subseed", 4)
    webui.number("txt2img_subseed_strength", 0.25)
    webui.generate()
    payload = {
        **SAME,
        "styles": ["warm"],
        "enable_hr": True,
        "denoising_strength": 0.7,
        "hr_second_pass_steps": 3,
        "hr_upscaler": "Latent",
        "refiner_checkpoint": "standin-refiner",
        "refiner_switch_at": 0.5,
        "subseed": 4,
        "subseed_strength": 0.25,
    }
    own: dict[str, dict[str, Any]] = {"reforge": {"hr_cfg": 0}, "forge": FORGE_HIRES}
    payload |= own.get(flavour, {})
    shows(webui, client.hashes(payload))
    webui.check("txt2img_subseed_show", False)
    for element in ("txt2img_hr", "txt2img_enable"):
        page.locator(f"#{element}-visible-checkbox").set_checked(False)
    page.locator("#txt2img_styles .token-remove, #txt2img_styles .remove-all").first.click()


def test_upscale_button(webui: WebuiPage, client: Client) -> None:
    webui.generate()
    shows(webui, client.hashes(SAME))
    before = webui.gallery()
    client.calls()
    upscale(webui)
    assert fresh(webui, before).size == (before[0].width * 2, before[0].height * 2)
    calls = client.calls()
    (first,) = (call for call in calls if call["hook"] == "before_process")
    assert first["seed"] == "3", "a text, which is how the webui reads it from the infotext"
    assert first["overrides"] == {"save_images_before_highres_fix": False}
    hooks = [call["hook"] for call in calls]
    assert "before_hr" in hooks
    assert hooks.count("process_before_every_sampling") == 1, "the first pass isn't drawn again"


def upscale(webui: WebuiPage) -> None:
    """Press the ✨ button for the first picture and wait for its result."""
    webui.page.locator("#txt2img_gallery .thumbnails button").first.click()
    webui.page.click("#txt2img_upscale")
    webui.page.wait_for_function(
        "document.querySelector('#html_info_txt2img').innerText.includes('Hires upscale')"
    )
    webui.page.wait_for_timeout(500)


def test_plot(webui: WebuiPage, client: Client) -> None:
    webui.script("X/Y/Z plot")
    webui.choose("script_txt2img_xyz_plot_x_type", "Prompt S/R")
    webui.text("script_txt2img_xyz_plot_x_values", "hills, lakes")
    webui.check("script_txt2img_xyz_plot_include_lone_images")
    webui.generate()
    webui.page.wait_for_function(
        "document.querySelectorAll('#txt2img_gallery .thumbnails img').length === 3"
    )
    info: Any = webui.generation_info()
    assert [text.split("\n")[0] for text in info["infotexts"]] == ["hills", "hills", "lakes"]
    webui.page.wait_for_function(
        "document.querySelectorAll('#txt2img_gallery .thumbnails img').length === 3"
    )
    assert pixels(webui.gallery()[2]) == client.hashes({**SAME, "prompt": "lakes"})[0]
    webui.script("None")


def test_tint_with_an_uploaded_picture(
    webui: WebuiPage, client: Client, tmp_path: Path, picture: Image.Image
) -> None:
    webui.accordion("script_txt2img_tint_enable")
    webui.upload("script_txt2img_tint_picture", files(tmp_path, picture=picture)["picture"])
    webui.generate()
    args = [True, 0.3, "", "Blend", encode(picture)]
    payload = {**SAME, "alwayson_scripts": {"Tint": {"args": args}}}
    shows(webui, client.hashes(payload))
    webui.page.locator("#script_txt2img_tint_enable-visible-checkbox").set_checked(False)


def test_img2img_and_inpaint_upload(
    webui: WebuiPage, client: Client, tmp_path: Path, picture: Image.Image, mask: Image.Image
) -> None:
    paths = files(tmp_path, picture=picture, mask=mask)
    webui.open("img2img")
    webui.upload("img2img_image", paths["picture"])
    webui.generate()
    payload = {**SAME, "sampler_name": "DPM++ 2M", "denoising_strength": 0.75}
    payload |= {"init_images": [encode(picture)]}
    shows(webui, client.hashes(payload))
    webui.mode("Inpaint upload")
    webui.upload("img_inpaint_base", paths["picture"])
    webui.upload("img_inpaint_mask", paths["mask"])
    webui.generate()
    masked = {"mask": encode(mask), "mask_blur": 4, "inpainting_fill": 1, "inpaint_full_res": False}
    shows(webui, client.hashes({**payload, **masked}))


@pytest.mark.parametrize("mode", ["Inpaint", "Inpaint sketch", "Sketch"])
def test_drawing_on_the_picture(
    webui: WebuiPage, client: Client, tmp_path: Path, picture: Image.Image, mode: str
) -> None:
    element = {"Inpaint": "img2maskimg", "Inpaint sketch": "inpaint_sketch"}.get(mode)
    webui.open("img2img")
    webui.mode(mode)
    webui.upload(element or "img2img_sketch", files(tmp_path, picture=picture)["picture"])
    webui.draw(element or "img2img_sketch")
    client.calls()
    before = webui.gallery()
    webui.generate()
    masked = client.calls()[1]["masks"][0] != "NoneType"
    assert masked is (mode != "Sketch")
    if mode == "Inpaint":
        drawn = fresh(webui, before)
        corner = (0, 0, 6, 6)
        assert drawn.crop(corner).tobytes() == picture.crop(corner).tobytes()
        assert drawn.tobytes() != picture.tobytes()


def test_batch_tab(
    webui: WebuiPage, client: Client, flavour: str, tmp_path: Path, picture: Image.Image
) -> None:
    paths = files(tmp_path, one=picture, two=picture.rotate(90))
    webui.open("img2img")
    webui.mode("Batch")
    if flavour == "reforge":
        webui.text("img2img_batch_input_dir", str(tmp_path))
    else:
        chooser = webui.page.locator("#img2img_batch_upload input[type=file]").first
        chooser.set_input_files(list(paths.values()))
    webui.page.wait_for_timeout(800)
    client.calls()
    webui.generate()
    webui.page.wait_for_function(
        "document.querySelectorAll('#img2img_gallery .thumbnails img').length === 2"
    )
    calls = [call for call in client.calls() if call["hook"] == "before_process"]
    assert len(calls) == 2
    assert len({call["p"] for call in calls}) == 1, "the same object for every file"
    webui.mode("img2img")


def test_extras_and_png_info(
    webui: WebuiPage, client: Client, tmp_path: Path, picture: Image.Image
) -> None:
    page = webui.page
    webui.open("Extras")
    webui.tab = "extras"
    webui.upload("extras_image", files(tmp_path, picture=picture)["picture"])
    webui.choose("extras_upscaler_1", "Lanczos")
    webui.generate()
    assert fresh(webui, []).size == (256, 256)
    drawn = tmp_path / "drawn.png"
    drawn.write_bytes(__import__("base64").b64decode(client.result("txt2img", SAME)["images"][0]))
    webui.open("PNG Info")
    webui.upload("pnginfo_image", drawn)
    page.wait_for_function("document.querySelector('#tab_pnginfo').innerText.includes('Euler a')")


def test_settings(webui: WebuiPage, client: Client, flavour: str) -> None:
    page = webui.page
    webui.open("Settings")
    page.locator("#settings > .tab-nav button", has_text="Probe").first.click()
    webui.text("setting_probe_option", "changed")
    page.click("#settings_submit")
    page.wait_for_function(
        "document.querySelector('#settings_result').innerText.includes('probe_option')"
    )
    assert client.get("/sdapi/v1/options")["probe_option"] == "changed"
    page.wait_for_function("opts.probe_option === 'changed'")
    saved = json.loads((client.host.data_dir / "config.json").read_text(encoding="utf-8"))
    written = saved.get("CLIP_stop_at_last_layers")
    assert written == (None if flavour == "reforge" else 1), "Apply writes all but quicksettings"
    forge = flavour == "forge"
    row = "quicksettings .model_selection" if forge else "setting_sd_model_checkpoint"
    webui.choose(row, "standin-tundra")
    info = ""
    for _ in range(20):
        info = client.result("txt2img", SAME)["info"]
        if "Model: standin-tundra" in info:
            break
        page.wait_for_timeout(200)
    assert "Model: standin-tundra" in info
    client.options(sd_model_checkpoint="standin-meadow.safetensors", probe_option="hello")


def test_a_failing_job_shows_its_error(webui: WebuiPage, client: Client, flavour: str) -> None:
    """On Forge the page says something else than the error: the thread of the job kept it."""
    webui.script("Prompts from file or textbox")
    webui.text(
        "script_txt2img_prompts_from_file_or_textbox_prompt_txt", "--seed 1 --steps 0 --prompt x"
    )
    with pytest.raises(AssertionError, match=r"NoneType|division"):
        webui.generate()
    kinds = {error["type"] for error in client.host.errors()}
    assert "ZeroDivisionError" in kinds
    client.host.clear_errors()
    webui.script("None")


def test_reload_ui(webui: WebuiPage, client: Client) -> None:
    """The button runs the scripts again and makes a new app; packages stay as they are."""
    before = client.get("/probe/facts")
    started = client.get("/standin/ready")["starts"]
    webui.page.evaluate("document.getElementById('settings_restart_gradio').click()")
    client.host.wait_until_ready(after=started)
    after = client.get("/probe/facts")
    assert after["loads"] == before["loads"] + 1
    new = after["events"][len(before["events"]) :]
    assert new == ["before_reload", "unloaded", "before_ui"]
    webui.page.wait_for_selector("#txt2img_generate", timeout=30_000)
    client.result("txt2img", SAME)
    assert [call["hook"] for call in client.calls()].count("process") == 1
