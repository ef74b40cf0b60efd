"""Make the guide's pictures: ``.venv/a1111/bin/python docs/make_pictures.py``.

The stand-in runs this checkout as its extension; a few generations, and the page as it looks on
the way from a picture to the proof that it came back. The webui's own buttons are emoji, so a font
of these has to be installed (Debian: fonts-noto-color-emoji).
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Callable
from pathlib import Path

import requests
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "companion"), str(ROOT / "companion" / "src")]

import environment  # noqa: E402
from webui_standin import Process  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1400, 900
PROMPTS = (
    "a lighthouse on a cliff, storm, oil painting",
    "a quiet valley at dawn, mist between the hills",
    "an orchard in spring, soft light, film grain",
    "pine trees above a lake, long exposure",
    "dunes in the evening, a caravan far away",
    "a harbour at night, reflections on wet stone",
)
LAST = "the same harbour, at dawn"


def generate(url: str) -> None:
    def sent(endpoint: str, **payload: object) -> list[str]:
        request = {"steps": 20, "cfg_scale": 6.5, **payload}
        answer = requests.post(f"{url}/sdapi/v1/{endpoint}", json=request, timeout=60)
        answer.raise_for_status()
        images: list[str] = answer.json()["images"]
        return images

    for number, prompt in enumerate(PROMPTS):
        images = sent("txt2img", prompt=prompt, seed=40 + number)
    mask = Image.new("L", (512, 512))
    ImageDraw.Draw(mask).ellipse((140, 120, 400, 380), fill=255)
    drawn = io.BytesIO()
    mask.save(drawn, "png")
    given = {"init_images": images, "mask": base64.b64encode(drawn.getvalue()).decode()}
    sent("img2img", prompt=LAST, seed=7, n_iter=2, denoising_strength=0.6, **given)


class Guide:
    """The page, and where its pictures go."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.set_default_timeout(30_000)
        page.goto(f"{url}/")
        page.wait_for_selector("#txt2img_generate")
        page.wait_for_timeout(1500)
        self.open("Payloads")
        self.choose(LAST)

    def open(self, tab: str) -> None:
        self.page.locator("#tabs > .tab-nav button", has_text=tab).first.click()

    def choose(self, prompt: str) -> None:
        self.page.locator(".pc-row", has_text=prompt).first.click()
        self.detail.get_by_role("tree", name="Payload", exact=True).wait_for()

    @property
    def detail(self) -> Locator:
        return self.page.locator(".pc-detail")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def show(self, place: Locator) -> None:
        place.evaluate("(element) => element.scrollIntoView({block: 'start'})")

    def take(self, name: str) -> None:
        self.page.wait_for_timeout(1500)  # pictures come, what moves comes to rest
        self.page.evaluate("scrollTo(0, 0)")
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        shot.quantize(256).save(PICTURES / f"{name}.png", optimize=True)


def gallery(guide: Guide) -> None:
    guide.button("Cards").click()
    guide.take("gallery")
    guide.button("List").click()


def look(guide: Guide) -> None:
    guide.choose(LAST)
    guide.take("look")
    guide.detail.get_by_label("Mask over the picture").check()
    guide.show(guide.detail.get_by_text("Made from"))
    guide.take("mask")


def take(guide: Guide) -> None:
    guide.choose(PROMPTS[0])
    section = guide.detail.locator("details", has_text="Take it along").last
    if not section.evaluate("(element) => element.open"):
        section.locator("summary").first.click()
    guide.show(section)
    section.get_by_role("tab", name="Python", exact=True).click()
    guide.take("take")


def prove(guide: Guide) -> None:
    guide.choose(PROMPTS[1])
    section = guide.detail.get_by_role("region", name="Replay & verify")
    section.get_by_role("button", name="Replay & verify").click()
    section.get_by_text("identical").first.wait_for()
    guide.show(section)
    guide.take("prove")


def compare(guide: Guide) -> None:
    for prompt in (PROMPTS[2], PROMPTS[3]):
        guide.page.locator(".pc-item", has_text=prompt).get_by_role("checkbox").check()
    guide.button("Compare").click()
    guide.page.get_by_role("dialog").get_by_text("prompt", exact=True).first.wait_for()
    guide.take("compare")
    guide.page.keyboard.press("Escape")
    guide.page.keyboard.press("Escape")


def send(guide: Guide) -> None:
    guide.choose(PROMPTS[0])
    guide.detail.get_by_role("button", name="Send to txt2img").click()
    guide.page.locator(".pc-toast", has_text="All set").wait_for()
    guide.take("send")


STEPS: tuple[Callable[[Guide], None], ...] = (gallery, look, take, prove, compare, send)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with (
        Process(extensions={"sd-webui-payload-capture": ROOT}) as host,
        sync_playwright() as driver,
    ):
        generate(host.url)
        path = environment.ensure_chromium()
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        guide = Guide(browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}), host.url)
        for step in STEPS:
            step(guide)
        browser.close()


if __name__ == "__main__":
    main()
