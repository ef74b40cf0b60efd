"""Replays and comparisons on the page, in a real browser on the stand-in."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, FloatRect, Locator, expect

from browsing import local_page
from hosts.webui_page import WebuiPage
from payload_replay.images import hashed, opened

from .conftest import PREFIX, Host, Start
from .page import accordion, arrive, detail, generate, picture, rows, summary, value

HOSTILE = '<img src=x onerror="window.hurt=1">\u202e"\'><script>window.hurt=1</script>'
LONG = "a portrait of an old fisherman, soft light, 85mm, highly detailed"
SECONDS = 0.02
"""What each step takes here: a replay of hundreds of steps can be watched and cancelled."""
NOTED = """
import gradio as gr
from modules import scripts
class Noted(scripts.Script):
    def title(self): return "Noted"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img): return [gr.Textbox(label="Note")]
"""
"""What a real webui may lack: a script that is always in the payload."""
ENDLESS: dict[str, Any] = {"steps": 150, "n_iter": 10}


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    host = start(seconds_per_step=SECONDS, neighbours={"noted": NOTED})
    yield host
    assert host.process.errors() == []
    host.process.stop()


# ---- captures of all kinds


def imported(host: Host, document: dict[str, Any], name: str) -> str:
    """Store a capture under a name of its own: its id."""
    document["id"] = f"{name}-{secrets.token_hex(4)}"
    document["job"] = dict(document["job"], started=f"2026-01-01T00:00:{len(name):02}Z")
    answer = host.session.post(f"{host.url}{PREFIX}/captures", json=document, timeout=30)
    (identity,) = answer.json()["imported"]
    return str(identity)


def another(host: Host, name: str = "changed", **payload: Any) -> str:
    """The newest capture with another payload: the same pictures cannot come of it."""
    document = host.latest()
    document["payload"] |= payload
    return imported(host, document, name)


def made(host: Host, prompt: str = "a fox", **payload: Any) -> str:
    host.generate(prompt=prompt, **payload).raise_for_status()
    return str(host.latest()["id"])


def expected_picture(host: Host) -> Image.Image:
    data = host.get("/captures/latest/results/0").content
    return Image.open(io.BytesIO(data)).convert("RGB")


def with_picture(host: Host, image: Image.Image, name: str) -> str:
    """The newest capture, but another picture is expected of it."""
    out = io.BytesIO()
    image.save(out, "png")
    data = out.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    document = host.latest()
    result = dict(document["results"][0], asset=sha256, sha256=hashed(opened(data)))
    result.pop("thumbnail", None)
    document["results"] = [result]
    document["assets"][sha256] = {
        "media_type": "image/png",
        "size": len(data),
        "width": image.width,
        "height": image.height,
        "data": base64.b64encode(data).decode(),
    }
    return imported(host, document, name)


# ---- what the page shows


def shown(webui: WebuiPage, prompt: str = "") -> Locator:
    """The section of the capture that is chosen, or of the one with this prompt."""
    webui.open("Payloads")
    if prompt:
        rows(webui).filter(has_text=prompt).first.click()
        expect(value(detail(webui), "prompt")).to_have_text(prompt)
    section = detail(webui).get_by_role("region", name="Replay & verify")
    expect(section).to_be_visible()
    return section


def chosen(webui: WebuiPage, identity: str) -> Locator:
    """The section of a capture, by its id."""
    section = shown(webui)
    webui.page.evaluate(
        "(id) => payloadCapture.places.get('tab').view.show(id)",
        identity,
    )
    expect(detail(webui).locator(".pc-section dd", has_text=identity)).to_have_count(1)
    return section


def replay(section: Locator) -> None:
    button = section.get_by_role("button", name="Replay & verify")
    expect(button).to_be_enabled()
    button.click()


def replayed(webui: WebuiPage, identity: str, verdict: str) -> Locator:
    """The section of a capture that was replayed on the page, with this verdict in the end."""
    section = chosen(webui, identity)
    replay(section)
    expect(section.locator(".pc-proof-said .pc-verdict")).to_have_text(verdict)
    return section


def ask(webui: WebuiPage, name: str, **more: Any) -> Any:
    """What the page's own channel answers."""
    code = "([name, more]) => payloadCapture.places.get('tab').channel.ask(name, more)"
    return webui.page.evaluate(code, [name, more])


def break_off(webui: WebuiPage, host: Host) -> None:
    """After a press of Cancel: where the API's jobs have no names (A1111 v1.6.0), the page asks for
    Interrupt while this one runs.
    """
    schemas = host.session.get(f"{host.url}/openapi.json", timeout=30).json()["components"][
        "schemas"
    ]
    if "force_task_id" in schemas["StableDiffusionProcessingTxt2Img"]["properties"]:
        return
    toast = webui.page.locator(".pc-toast > span").last
    expect(toast).to_contain_text("cannot be told which of its jobs to stop: press Interrupt")
    host.session.post(f"{host.url}/sdapi/v1/interrupt", timeout=30).raise_for_status()


def at(handle: Locator) -> int:
    return int(handle.get_attribute("aria-valuenow") or -1)


# ---- replay & verify


def test_the_same_picture_comes_back(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    section = shown(webui)
    replay(section)
    expect(section.locator(".pc-proof-said")).to_contain_text("The same picture came back.")
    expect(section).to_contain_text("the picture came back pixel for pixel")
    expect(detail(webui).locator(".pc-header .pc-verdict")).to_have_text("identical")
    (proven,) = clean.json("/captures", verdict="identical")["captures"]
    assert proven["prompt"] == "a fox"
    pictures = section.locator(".pc-slider img")
    expect(pictures).to_have_count(2)
    for place in range(2):
        assert pictures.nth(place).evaluate("one => one.naturalWidth") == 64


def test_the_verdict_is_there_when_the_capture_is_shown_again(
    webui: WebuiPage, clean: Host
) -> None:
    identity = made(clean, "to be proven")
    replayed(webui, identity, "identical")
    made(clean, "another one")
    shown(webui, "another one")
    section = chosen(webui, identity)
    expect(section.locator(".pc-proof-said .pc-verdict")).to_have_text("identical")
    expect(section.locator(".pc-slider img")).to_have_count(2)


def test_a_replay_shows_how_far_it_is_and_what_it_looks_like(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    section = chosen(webui, another(clean, **ENDLESS))
    replay(section)
    preview = section.get_by_role("img", name="The picture so far")
    expect(preview).to_have_attribute("src", re.compile("^data:image/"))
    bar = section.get_by_role("progressbar", name="How far the replay is")
    before = bar.evaluate("one => one.value")
    webui.page.wait_for_function(
        "([one, before]) => one.value > before", arg=[bar.element_handle(), before]
    )
    expect(section).to_contain_text("It runs.")
    assert section.locator(".pc-progress .pc-note").inner_text().endswith("%")
    expect(section.get_by_role("button", name="Cancel")).to_be_focused()
    webui.page.keyboard.press("Enter")
    break_off(webui, clean)
    expect(section).to_contain_text("The replay was cancelled")
    expect(section.get_by_role("button", name="Replay & verify")).to_be_focused()
    expect(bar).to_be_hidden()
    expect(detail(webui).locator(".pc-verdict")).to_have_count(0)


def test_the_page_answers_while_a_replay_runs(webui: WebuiPage, clean: Host) -> None:
    made(clean, "what came before")
    identity = another(clean, prompt="endless", **ENDLESS)
    section = chosen(webui, identity)
    replay(section)
    expect(section).to_contain_text("It runs.")
    shown(webui, "what came before")
    section = chosen(webui, identity)
    expect(section).to_contain_text("It runs.")
    section.get_by_role("button", name="Cancel").click()
    break_off(webui, clean)
    expect(section).to_contain_text("The replay was cancelled")


def test_what_nobody_sees_asks_nothing(webui: WebuiPage, clean: Host) -> None:
    made(clean, "what came before")
    section = chosen(webui, another(clean, prompt="endless", **ENDLESS))
    replay(section)
    expect(section).to_contain_text("It runs.")
    shown(webui, "what came before")
    webui.page.evaluate(
        """() => {
            const channel = payloadCapture.places.get("tab").channel;
            const ask = channel.ask;
            window.asked = [];
            channel.ask = function (name, ...more) {
                window.asked.push(name);
                return ask.call(this, name, ...more);
            };
        }"""
    )
    webui.page.wait_for_timeout(2500)
    assert "replays" not in webui.page.evaluate("window.asked")
    section = shown(webui, "endless")
    webui.page.wait_for_function("window.asked.includes('replays')")
    section.get_by_role("button", name="Cancel").click()
    break_off(webui, clean)
    expect(section).to_contain_text("The replay was cancelled")


def test_another_picture_is_told_with_the_reason(webui: WebuiPage, clean: Host) -> None:
    made(clean, seed=5)
    section = replayed(webui, another(clean, seed=6), "different")
    expect(section).to_contain_text("Another picture came back.")
    expect(section.locator(".pc-proof-said .pc-why")).to_contain_text("Seed")
    expect(section.locator(".pc-pair-body")).to_contain_text("the seed is 6 instead of 5")
    expect(section.locator(".pc-pair summary")).to_contain_text("dB, SSIM")
    expect(detail(webui).locator(".pc-header .pc-verdict")).to_have_class(
        "pc-badge pc-verdict pc-bad"
    )


def test_almost_the_same_picture_is_close(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    image = expected_picture(clean)
    image.putpixel((3, 4), tuple(255 - one for one in image.getpixel((3, 4))))
    section = replayed(webui, with_picture(clean, image, "close"), "close")
    expect(section).to_contain_text("Almost the same picture came back.")


def test_what_cannot_be_sent_is_refused_with_the_reason(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    gone = {"sd_model_checkpoint": "gone.safetensors"}
    section = replayed(webui, another(clean, override_settings=gone), "refused")
    expect(section).to_contain_text("It was not sent.")
    expect(section).to_contain_text("no checkpoint")
    expect(detail(webui).locator(".pc-header .pc-verdict")).to_have_text("refused")


def test_a_replay_that_fails_says_why(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    section = chosen(webui, another(clean, width=-8))
    replay(section)
    expect(section.locator(".pc-proof-said .pc-bad")).to_contain_text("The replay failed:")
    expect(section.get_by_role("button", name="Replay & verify")).to_be_enabled()


def test_every_result_has_its_picture_or_the_reason(webui: WebuiPage, clean: Host) -> None:
    made(clean, batch_size=3, seed=5)
    document = clean.latest()
    samples = [result for result in document["results"] if result["role"] == "sample"]
    for result, seed in zip(samples[1:], (50, 60), strict=True):
        result |= {"seed": seed, "sha256": f"{seed}" * 32, "infotext": ""}
    document["payload"]["batch_size"] = 2
    section = replayed(webui, imported(clean, document, "fewer"), "different")
    pairs = section.locator(".pc-pair")
    expect(pairs).to_have_count(len(document["results"]) + 1)
    place = document["results"].index(samples[1])
    missing = pairs.nth(place)
    if not missing.evaluate("one => one.open"):
        missing.locator("summary").click()
    expect(missing).to_contain_text("no picture with the seed 50 came, but with 6")
    expect(missing.locator("figcaption")).to_have_text("Expected")
    pairs.last.locator("summary").click()
    expect(pairs.last).to_contain_text("nobody expected this picture")
    expect(pairs.last.locator("figcaption")).to_have_text("Actual")


def test_a_hostile_reason_is_text(webui: WebuiPage, clean: Host) -> None:
    made(clean, prompt=HOSTILE)
    shown(webui)
    identity = another(clean, "hostile", prompt=f"{HOSTILE} again", seed=6)
    section = replayed(webui, identity, "different")
    expect(section).to_contain_text("onerror")
    section.get_by_role("button", name="Compare with…").click()
    dialog = webui.page.get_by_role("dialog", name="Compare")
    expect(dialog.locator(".pc-words del").first).to_have_text(" again")
    webui.page.keyboard.press("Escape")
    assert webui.page.evaluate("window.hurt") is None


# ---- expected and actual


def test_the_border_moves_by_keys(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    section = replayed(webui, another(clean, seed=6), "different")
    handle = section.get_by_role("slider", name="Border between Expected and Actual")
    expect(handle).to_have_attribute("aria-valuetext", "50 % Expected")
    webui.page.evaluate(
        """() => {
            window.keys = 0;
            document.addEventListener("keydown", () => window.keys++, {once: false});
        }"""
    )
    handle.focus()
    for key, now in (
        ("ArrowLeft", 49),
        ("Shift+ArrowRight", 59),
        ("PageDown", 49),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 100),
    ):
        handle.press(key)
        assert at(handle) == now
    assert webui.page.evaluate("window.keys") == 1  # Shift alone; the webui hears no arrows
    handle.press("Home")
    over = section.locator(".pc-slider .pc-over")
    assert over.evaluate("one => getComputedStyle(one).clipPath") == "inset(0px 100% 0px 0px)"


def border(webui: WebuiPage, clean: Host) -> tuple[Locator, FloatRect]:
    """The slider's handle, and where its pictures are, once two of them differ."""
    made(clean)
    section = replayed(webui, another(clean, seed=6), "different")
    stage = section.locator(".pc-slider")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    return section.get_by_role("slider"), box


def test_the_border_is_dragged(webui: WebuiPage, clean: Host) -> None:
    handle, box = border(webui, clean)
    mouse = webui.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 4, box["y"] + 30, steps=4)
    assert at(handle) == 25
    mouse.move(box["x"] - 50, box["y"] + 30)
    assert at(handle) == 0
    mouse.up()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    assert at(handle) == 0
    expect(handle).to_be_focused()


def test_the_border_follows_a_finger(webui: WebuiPage, clean: Host) -> None:
    handle, box = border(webui, clean)
    client = webui.page.context.new_cdp_session(webui.page)
    client.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    finger = [
        ("touchStart", 0.5),
        ("touchMove", 0.6),
        ("touchMove", 0.75),
    ]
    for kind, part in finger:
        point = {"x": box["x"] + box["width"] * part, "y": box["y"] + 40}
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    client.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    expect(handle).to_have_attribute("aria-valuenow", "75")


def pixels_of(canvas: Locator) -> Image.Image:
    uri = canvas.evaluate("one => one.toDataURL()")
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")


def test_the_difference_is_counted_and_drawn(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    came = expected_picture(clean)
    image = came.copy()
    for place, step in (((3, 4), 2), ((10, 20), 3)):
        red, green, blue = came.getpixel(place)
        image.putpixel(place, (red + step if red < 128 else red - step, green, blue))
    section = replayed(webui, with_picture(clean, image, "faint"), "close")
    section.get_by_role("button", name="Difference").click()
    shown = section.locator(".pc-difference")
    words = "2 of 4,096 pixels differ (<0.1 %), the largest difference is 3 of 255."
    expect(shown).to_contain_text(words)
    canvas = shown.get_by_role("img", name="What differs, amplified")
    expect(canvas).to_have_attribute("data-factor", "64")
    drawn = ImageChops.difference(came, image).point(lambda one: min(255, one * 64))
    assert pixels_of(canvas).tobytes() == drawn.tobytes()
    shown.get_by_role("combobox", name="Amplified").select_option("1")
    expect(canvas).to_have_attribute("data-factor", "1")
    assert pixels_of(canvas).tobytes() == ImageChops.difference(came, image).tobytes()
    section.get_by_role("button", name="Slider").click()
    expect(section.get_by_role("slider")).to_be_visible()


def test_of_equal_pictures_no_pixel_differs(webui: WebuiPage, clean: Host) -> None:
    section = replayed(webui, made(clean), "identical")
    section.get_by_role("button", name="Difference").click()
    expect(section).to_contain_text("No pixel differs.")
    expect(section.get_by_role("button", name="Difference")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_pictures_of_two_sizes_have_no_pixels_in_common(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    section = replayed(webui, another(clean, width=128), "different")
    section.get_by_role("button", name="Difference").click()
    expect(section).to_contain_text("The sizes differ, 64×64 and 128×64")


# ---- several


def prove(webui: WebuiPage, *identities: str) -> Locator:
    webui.open("Payloads")
    code = "(ids) => void payloadCapture.prove(payloadCapture.places.get('tab').channel, ids)"
    webui.page.evaluate(code, list(identities))
    dialog = webui.page.get_by_role("dialog", name="Replay & verify")
    expect(dialog).to_be_visible()
    return dialog


def test_several_are_replayed_one_after_the_other(webui: WebuiPage, clean: Host) -> None:
    good = made(clean, "the first")
    bad = another(clean, "bad", seed=99)
    gone = another(clean, "gone", override_settings={"sd_model_checkpoint": "gone.ckpt"})
    dialog = prove(webui, good, bad, gone, "deleted meanwhile")
    items = dialog.get_by_role("list", name="Replays").get_by_role("listitem")
    expect(items).to_have_count(3)
    for place, verdict in enumerate(("identical", "different", "refused")):
        expect(items.nth(place).locator(".pc-verdict")).to_have_text(verdict)
    expect(items.nth(1)).to_contain_text("Seed")
    expect(summary(dialog)).to_have_text("3 of 3 done · 1 identical · 1 different · 1 refused")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_disabled()
    webui.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_several_are_cancelled_together(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    slow = [another(clean, "x" * n, **ENDLESS) for n in range(1, 13)]
    dialog = prove(webui, *slow)
    items = dialog.get_by_role("list", name="Replays").get_by_role("listitem")
    expect(items.first).to_contain_text("%")
    dialog.get_by_role("button", name="Cancel").click()
    break_off(webui, clean)
    expect(summary(dialog)).to_have_text("12 of 12 done · 12 cancelled")
    assert all(row["verdict"] is None for row in clean.json("/captures")["captures"])
    webui.page.keyboard.press("Escape")


LATE = """() => {
    const {channel} = payloadCapture.places.get("tab");
    const ask = channel.ask.bind(channel);
    let number = 0;
    channel.ask = async (name, ...more) => {
        const answer = await ask(name, ...more);
        if (name === "replay" && ++number === 2) {
            window.second = answer.replay.job;
            await new Promise((go) => (window.answer = go));
        }
        return answer;
    };
}"""
"""The answer to the second replay that is asked for comes when `answer()` is called."""


def test_one_that_was_on_its_way_is_cancelled_with_the_others(
    webui: WebuiPage, clean: Host
) -> None:
    made(clean)
    slow = [another(clean, "x" * n, **ENDLESS) for n in (1, 2)]
    webui.open("Payloads")
    webui.page.evaluate(LATE)
    dialog = prove(webui, *slow)
    webui.page.wait_for_function("window.answer !== undefined")
    dialog.get_by_role("button", name="Cancel").click()
    expect(summary(dialog)).to_contain_text("cancelled")
    webui.page.evaluate("window.answer()")
    break_off(webui, clean)
    expect(summary(dialog)).to_have_text("2 of 2 done · 2 cancelled")
    second = webui.page.evaluate("window.second")
    assert clean.json(f"/replays/{second}")["state"] == "cancelled"
    webui.page.keyboard.press("Escape")


def test_a_dialog_that_is_closed_says_that_replays_go_on(webui: WebuiPage, clean: Host) -> None:
    made(clean)
    identity = another(clean, **ENDLESS)
    dialog = prove(webui, identity)
    expect(dialog).to_contain_text("%")
    dialog.get_by_role("button", name="Close", exact=True).click()
    expect(webui.page.get_by_text("Replays that go on: 1")).to_be_visible()
    section = chosen(webui, identity)
    expect(section).to_contain_text("It runs.")
    section.get_by_role("button", name="Cancel").click()
    break_off(webui, clean)
    expect(section).to_contain_text("The replay was cancelled")


# ---- comparing


def compare(webui: WebuiPage, a: str, b: str | None) -> Locator:
    webui.open("Payloads")
    code = "([a, b]) => void payloadCapture.compare(payloadCapture.places.get('tab').channel, a, b)"
    webui.page.evaluate(code, [a, b])
    dialog = webui.page.get_by_role("dialog", name="Compare")
    expect(dialog).to_be_visible()
    return dialog


def differences(dialog: Locator, title: str) -> Locator:
    return dialog.get_by_role("list", name=title, exact=True).locator(":scope > .pc-diff")


def test_any_two_are_compared(webui: WebuiPage, clean: Host) -> None:
    a = made(clean, LONG, seed=1, s_noise=0.9)
    made(clean, LONG.replace("soft", "hard blue"), seed=2, steps=3, eta=0.5)
    document = clean.latest()
    document["payload"].pop("s_noise", None)  # which A1111 v1.6.0 fills in
    b = imported(clean, document, "without")
    dialog = compare(webui, a, b)
    prompt = differences(dialog, "Payload").filter(has_text="prompt")
    expect(prompt.locator("del")).to_have_text("soft")
    expect(prompt.locator("ins")).to_have_text("hard blue")
    seed = differences(dialog, "Payload").filter(has=webui.page.locator("code:text-is('seed')"))
    expect(seed).to_contain_text("changed")
    expect(seed.locator("del")).to_have_text("1")
    expect(seed.locator("ins")).to_have_text("2")
    eta = differences(dialog, "Payload").filter(has=webui.page.locator("code:text-is('eta')"))
    expect(eta).to_contain_text("only in B")
    noise = differences(dialog, "Payload").filter(has_text="s_noise")
    expect(noise).to_contain_text("only in A")
    expect(dialog.get_by_role("slider", name="Border between A and B")).to_be_visible()
    dialog.get_by_role("button", name="Difference").click()
    expect(dialog).to_contain_text("of 4,096 pixels differ")


def test_settings_and_host_facts_that_differ(webui: WebuiPage, clean: Host) -> None:
    a = made(clean, override_settings={"CLIP_stop_at_last_layers": 2})
    document = clean.latest()
    document["payload"]["override_settings"]["CLIP_stop_at_last_layers"] = 1
    document["host"]["version"] = "v0.1"
    dialog = compare(webui, a, imported(clean, document, "older"))
    setting = differences(dialog, "Settings").filter(has_text="CLIP_stop_at_last_layers")
    expect(setting.locator("del")).to_have_text("2")
    fact = differences(dialog, "Made with").filter(has_text="version")
    after = """one => {
        const copy = one.cloneNode(true);
        copy.querySelectorAll("del").forEach((gone) => gone.remove());
        return copy.textContent;
    }"""
    assert "v0.1" in fact.evaluate(after)  # as a whole or word by word
    expect(dialog).to_contain_text("the same pixels")


def test_pictures_of_a_payload_are_thumbnails(webui: WebuiPage, clean: Host) -> None:
    ids = []
    for colour in ("teal", "orange"):
        clean.generate("img2img", init_images=[picture(colour=colour)]).raise_for_status()
        ids.append(clean.latest()["id"])
    dialog = compare(webui, *ids)
    entry = differences(dialog, "Payload").filter(has_text="init_images[0]")
    thumbnails = entry.locator("img[src^='data:image/']")
    entry.scroll_into_view_if_needed()
    expect(thumbnails).to_have_count(2)
    entry.get_by_role("button", name="Open init_images[0], A").click()
    full = webui.page.locator(".pc-full[src^='blob:']")
    expect(full).to_be_visible()
    webui.page.keyboard.press("Escape")
    expect(full).to_be_hidden()
    expect(dialog).to_be_visible()


def test_equal_captures_differ_in_nothing(webui: WebuiPage, clean: Host) -> None:
    a = made(clean)
    dialog = compare(webui, a, imported(clean, clean.latest(), "same"))
    expect(dialog).to_contain_text("Nothing differs in the payload")
    expect(dialog).to_contain_text("the same pixels")


def test_compare_with_the_one_shown_before_or_an_older_one(webui: WebuiPage, clean: Host) -> None:
    for prompt in ("the oldest", "the middle one", "the newest"):
        made(clean, prompt)
    shown(webui, "the newest")
    section = shown(webui, "the middle one")
    section.get_by_role("button", name="Compare with…").click()
    dialog = webui.page.get_by_role("dialog", name="Compare")
    choice = dialog.get_by_role("combobox", name="B, the capture to compare with")
    expect(choice.locator("option:checked")).to_contain_text("the newest")
    expect(differences(dialog, "Payload").locator("ins").first).to_have_text("the newest")
    choice.select_option(label=choice.locator("option", has_text="the oldest").inner_text())
    expect(differences(dialog, "Payload").locator("ins").first).to_have_text("the oldest")
    expect(dialog.locator(".pc-compared").first).to_contain_text("the middle one")


def test_the_next_older_one_is_compared_where_none_was_shown(webui: WebuiPage, clean: Host) -> None:
    made(clean, "the older one")
    b = made(clean, "the newer one")
    dialog = compare(webui, b, None)
    expect(dialog.locator("option:checked")).to_contain_text("the older one")


def test_one_alone_has_nothing_to_be_compared_with(webui: WebuiPage, clean: Host) -> None:
    dialog = compare(webui, made(clean), None)
    expect(dialog).to_contain_text("There is no other capture to compare with yet.")


# ---- dialogs


def test_a_dialog_keeps_the_focus_and_gives_it_back(webui: WebuiPage, clean: Host) -> None:
    made(clean, "one")
    made(clean, "two")
    section = shown(webui, "two")
    opener = section.get_by_role("button", name="Compare with…")
    opener.focus()
    opener.press("Enter")
    dialog = webui.page.get_by_role("dialog", name="Compare")
    expect(dialog.locator(".pc-diff").first).to_be_visible()
    close = dialog.get_by_role("button", name="Close", exact=True)
    last = dialog.get_by_role("slider")
    expect(last).to_be_visible()
    close.focus()
    webui.page.keyboard.press("Shift+Tab")
    expect(last).to_be_focused()
    webui.page.keyboard.press("Tab")
    expect(close).to_be_focused()
    inside = "document.hasFocus() && document.activeElement.matches('dialog *')"
    for _ in range(12):
        webui.page.keyboard.press("Tab")
        assert webui.page.evaluate(inside)
    webui.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_webuis_keys_do_nothing_in_a_dialog(webui: WebuiPage, clean: Host) -> None:
    made(clean, "one")
    dialog = compare(webui, made(clean, "two"), None)
    expect(dialog.locator(".pc-diff").first).to_be_visible()
    webui.page.evaluate(
        """() => {
            window.heard = [];
            document.addEventListener("keydown", (event) => window.heard.push(event.key));
        }"""
    )
    dialog.get_by_role("combobox").focus()
    webui.page.keyboard.press("Control+Enter")
    webui.page.keyboard.press("r")
    webui.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert webui.page.evaluate("window.heard") == []
    webui.page.locator("body").press("x")  # the browser gives the focus back a little later
    assert webui.page.evaluate("window.heard") == ["x"]


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_page(webui: WebuiPage, clean: Host, width: int) -> None:
    a = made(clean, "x" * 400, width=512)
    section = replayed(webui, another(clean, seed=7, prompt="y" * 300), "different")
    webui.page.set_viewport_size({"width": width, "height": 900})
    expect(section.get_by_role("slider")).to_be_visible()
    fits = "one => one.scrollWidth <= one.clientWidth"
    assert detail(webui).evaluate(fits)
    dialog = compare(webui, a, None)
    expect(dialog.locator(".pc-diff").first).to_be_visible()
    assert dialog.evaluate(fits)
    assert dialog.evaluate("one => one.getBoundingClientRect().width <= innerWidth")


# ---- without the webui's API


@pytest.fixture(scope="module")
def silent(start: Start) -> Iterator[Host]:
    """A webui that was started without `--api`, with one capture."""
    host = start(api=False)
    body = {"prompt": "from elsewhere", "steps": 2}
    host.session.post(f"{host.url}{PREFIX}/captures", json=body, timeout=30).raise_for_status()
    yield host
    assert host.process.errors() == []
    host.process.stop()


def test_without_the_api_the_button_says_how_to_switch_it_on(
    silent: Host, browser: Browser
) -> None:
    with local_page(browser) as page:
        webui = WebuiPage(page, silent.url)
        section = shown(webui)
        button = section.get_by_role("button", name="Replay & verify")
        expect(button).to_be_disabled()
        sentence = section.locator(f"#{button.get_attribute('aria-describedby')}")
        expect(sentence).to_contain_text("the webui runs without its API: start it with --api")
        expect(sentence).to_contain_text("COMMANDLINE_ARGS")
        expect(section.get_by_role("button", name="Compare with…")).to_be_enabled()
        (row,) = silent.json("/captures")["captures"]
        dialog = prove(webui, row["id"])
        expect(summary(dialog)).to_contain_text("start it with --api")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_disabled()


# ---- before generating


@pytest.fixture
def preview(webui: WebuiPage) -> Locator:
    """The accordion of txt2img, with what would be sent in it."""
    place = accordion(webui)
    webui.text("txt2img_prompt", "not yet drawn")
    asker(place).click()
    expect(value(place, "prompt")).to_have_text("not yet drawn")
    return place


def asker(place: Locator) -> Locator:
    return place.get_by_role("button", name="What would be sent")


def fold(place: Locator, name: str) -> Locator:
    return place.locator(f"[role=treeitem]:has(> .pc-head > .pc-key:text-is('{name}'))")


def test_what_would_be_sent_stays_unfolded_when_it_is_asked_for_again(
    webui: WebuiPage, preview: Locator
) -> None:
    scripts = fold(preview, "alwayson_scripts")
    scripts.locator(":scope > .pc-head").click()
    inner = scripts.get_by_role("treeitem").first
    inner.locator(":scope > .pc-head").click()
    expect(inner).to_have_attribute("aria-expanded", "true")
    name = inner.locator(":scope > .pc-head > .pc-key").inner_text()
    webui.text("txt2img_prompt", "drawn anew")
    asker(preview).click()
    expect(value(preview, "prompt")).to_have_text("drawn anew")
    expect(fold(preview, name)).to_have_attribute("aria-expanded", "true")
    expect(fold(preview, "alwayson_scripts")).to_have_attribute("aria-expanded", "true")


def test_that_the_page_changed_since_is_said(webui: WebuiPage, preview: Locator) -> None:
    notice = preview.get_by_text("The page has changed since")
    look = "payloadCapture.places.get('txt2img').look()"
    webui.page.evaluate(look)
    expect(notice).to_have_count(0)
    webui.number("txt2img_seed", 77)
    expect(notice).to_be_visible()
    asker(preview).click()
    expect(value(preview, "seed")).to_have_text("77")
    webui.page.evaluate(look)
    expect(notice).to_have_count(0)
    webui.number("txt2img_seed", 78)
    expect(notice).to_be_visible()
    webui.number("txt2img_seed", 77)  # as it is shown
    expect(notice).to_have_count(0)


def test_a_job_takes_the_place_of_what_would_be_sent(
    webui: WebuiPage, clean: Host, preview: Locator
) -> None:
    generate(webui, "now drawn", seed=3)
    arrive(webui, clean, 1)
    expect(value(preview, "prompt")).to_have_text("now drawn")
    webui.number("txt2img_seed", 4)
    webui.page.evaluate("payloadCapture.places.get('txt2img').look()")
    expect(preview.get_by_text("The page has changed since")).to_have_count(0)
