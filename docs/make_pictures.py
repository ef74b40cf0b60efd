"""Make the README's picture: ``.venv/a1111/bin/python docs/make_pictures.py``.

The stand-in runs this checkout as its extension; a few generations, and the tab as it looks then.
"""

from __future__ import annotations

import sys
from pathlib import Path

import requests
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "companion"), str(ROOT / "companion" / "src")]

import environment  # noqa: E402
from webui_standin import Process  # noqa: E402

PROMPTS = (
    "a lighthouse on a cliff, storm, oil painting",
    "a quiet valley at dawn, mist between the hills",
    "an orchard in spring, soft light, film grain",
    "a harbour at night, reflections on wet stone",
)


def generate(url: str) -> None:
    for number, prompt in enumerate(PROMPTS):
        payload = {"prompt": prompt, "steps": 20, "seed": 40 + number, "cfg_scale": 6.5}
        answer = requests.post(f"{url}/sdapi/v1/txt2img", json=payload, timeout=60).json()
    again = {"init_images": answer["images"], "denoising_strength": 0.6, "seed": 7}
    payload = {"prompt": "the same harbour, at dawn", "steps": 20, "n_iter": 2} | again
    requests.post(f"{url}/sdapi/v1/img2img", json=payload, timeout=60).raise_for_status()


def tab(page: Page, url: str, target: Path) -> None:
    page.goto(url)
    page.wait_for_selector("#txt2img_generate")
    page.locator("#tabs > .tab-nav button", has_text="Payloads").first.click()
    page.get_by_text("the same harbour").first.click()
    page.wait_for_timeout(2500)
    page.screenshot(path=target)


def main() -> None:
    with (
        Process(extensions={"sd-webui-payload-capture": ROOT}) as host,
        sync_playwright() as driver,
    ):
        generate(host.url)
        path = environment.ensure_chromium()
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 960})
        tab(page, host.url, ROOT / "docs" / "payloads-tab.png")
        browser.close()


if __name__ == "__main__":
    main()
