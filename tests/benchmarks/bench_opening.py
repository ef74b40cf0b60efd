"""How long the page takes from the press on a capture to its payload on screen.

    python tests/benchmarks/bench_opening.py [--rounds N]

A capture of 50 MB (pictures as init images and within an argument, a prompt of 1 MB,
lists of 100,000 entries) and a small one are opened in turns in a real browser on a stand-in.
Measured is the time from the click to the first frame with the tree of the payload, and the
longest task of the page meanwhile and in the second after it, as the browser tells it (of 50 ms
and more; 0 where there was none).
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import requests
from browser import EXTENSION, launched
from PIL import Image
from playwright.sync_api import Browser, Page

from hosts.webui_page import WebuiPage
from webui_standin import Process

AIM = 200.0
"""Milliseconds at the median."""
SIDE = 1600
"""Pixels of a picture of noise: some 7.5 MB as PNG, 10 MB as base64."""
ENTRIES = 100_000
SCRIPT = """
import gradio as gr
from modules import scripts
class Fine(scripts.Script):
    def title(self): return "Fine Detail"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def ui(self, is_img2img): return [gr.JSON(value=[], label="Points", visible=False)]
"""
TASKS = """() => {
    window.tasks = [];
    const note = (list) => list.getEntries().forEach((one) => window.tasks.push(one.duration));
    new PerformanceObserver(note).observe({type: "longtask"});
}"""
OPEN = """async ([number, words]) => {
    const detail = document.querySelector(".pc-detail");
    const before = detail.querySelector(".pc-tree");
    window.tasks.length = 0;
    const begun = performance.now();
    document.querySelectorAll(".pc-row")[number].click();
    await new Promise((done, fail) => {
        setTimeout(() => fail(new Error(`${words} is not on screen`)), 60000);
        const watch = new MutationObserver(() => {
            const tree = detail.querySelector(".pc-tree");
            if (!tree || tree === before || !tree.textContent.includes(words)) return;
            watch.disconnect();
            requestAnimationFrame(() => setTimeout(done)); // after the frame that shows it
        });
        watch.observe(detail, {childList: true, subtree: true});
    });
    return performance.now() - begun;
}"""


def picture() -> str:
    out = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), os.urandom(3 * SIDE * SIDE)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def heavy() -> dict[str, Any]:
    """A request of some 50 MB."""
    unit: dict[str, Any] = {name: picture() for name in ("image", "mask", "region")}
    unit["points"] = list(range(ENTRIES))
    return {
        "prompt": "a heavy fox " + "word " * 200_000,
        "init_images": [picture()],
        "mask": picture(),
        "denoising_strength": 0.5,
        "alwayson_scripts": {
            "fine detail": {"args": [[unit, [f"entry {n}" for n in range(ENTRIES)]]]}
        },
    }


def generate(url: str, endpoint: str, payload: dict[str, Any]) -> int:
    """Make a capture: the bytes of its request."""
    small = {"steps": 1, "width": 64, "height": 64, "seed": 1}
    answer = requests.post(f"{url}/sdapi/v1/{endpoint}", json=small | payload, timeout=120)
    answer.raise_for_status()
    requests.get(f"{url}/payload-capture/v1/captures/latest", timeout=120).raise_for_status()
    return len(answer.request.body or b"")


def bench(browser: Browser, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "scripts" / "fine.py"
        script.parent.mkdir()
        script.write_text(SCRIPT)
        extensions = {**EXTENSION, "fine": Path(folder)}
        with Process(extensions=extensions) as host, browser.new_page() as page:
            opening(page, host.url, rounds)


def opening(page: Page, url: str, rounds: int) -> None:
    size = generate(url, "img2img", heavy())
    generate(url, "txt2img", {"prompt": "a light fox"})
    webui = WebuiPage(page, url)
    webui.open("Payloads")
    page.wait_for_selector(".pc-tree")
    page.evaluate(TASKS)
    opened = {"heavy": (1, "a heavy fox"), "small": (0, "a light fox")}  # which is shown by itself
    times: dict[str, list[float]] = {name: [] for name in opened}
    tasks: dict[str, list[float]] = {name: [] for name in opened}
    for _ in range(rounds):
        for name, choice in opened.items():
            times[name].append(page.evaluate(OPEN, choice))
            page.wait_for_timeout(1000)
            tasks[name].append(max(page.evaluate("window.tasks"), default=0.0))
            page.wait_for_timeout(2000)
    report("opening, small", times["small"], tasks["small"])
    report(f"opening, heavy ({size / 1e6:.0f} MB)", times["heavy"], tasks["heavy"])


def report(name: str, times: list[float], tasks: list[float]) -> None:
    p95 = sorted(times)[int(0.95 * (len(times) - 1))]
    print(
        f"  {name:24} median {statistics.median(times):6.0f} ms, p95 {p95:6.0f} ms "
        f"(aim {AIM:.0f}); longest task {max(tasks):4.0f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with launched() as browser:
        bench(browser, options.rounds)


if __name__ == "__main__":
    main()
