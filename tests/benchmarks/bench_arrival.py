"""How soon a capture that the API made is on the page, in a real browser on the stand-in.

    python tests/benchmarks/bench_arrival.py [--rounds N]

From the answer to a generation to its row in the tab, on the screen. Beside it stands the page's
plainest question and its answer, of which an arrival needs one and a half.
"""

from __future__ import annotations

import argparse
import statistics
import time

import requests
from browser import EXTENSION, launched
from playwright.sync_api import Browser, Page

from hosts.webui_page import WebuiPage
from webui_standin import Process

AIM = 300.0
"""Milliseconds, as a median, that an arrival may take."""
NOTE = """() => {
    window.arrived = {};
    const look = () => {
        for (const shown of document.querySelectorAll(".pc-prompt")) {
            window.arrived[shown.textContent] = window.arrived[shown.textContent] || Date.now();
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
ASK = """async () => {
    const begun = performance.now();
    await new payloadCapture.Channel("tab").ask("choices");
    return performance.now() - begun;
}"""


def bench(browser: Browser, rounds: int) -> None:
    with Process(extensions=EXTENSION) as host, browser.new_page() as page:
        arrival(page, host.url, rounds)


def arrival(page: Page, url: str, rounds: int) -> None:
    webui = WebuiPage(page, url)
    webui.open("Payloads")
    page.get_by_text("No captures yet").wait_for()
    page.evaluate(NOTE)
    took, asked = [], []
    for number in range(-3, rounds):
        job = {"prompt": f"job {number}", "steps": 1, "width": 64, "height": 64}
        requests.post(f"{url}/sdapi/v1/txt2img", json=job, timeout=60).raise_for_status()
        ended = time.time() * 1000
        shown = f"window.arrived['job {number}']"
        page.wait_for_function(shown)
        if number >= 0:
            took.append(page.evaluate(shown) - ended)
            asked.append(page.evaluate(ASK))
        page.wait_for_timeout(100)
    one, other = statistics.median(took), statistics.median(asked)
    slow = sorted(took)[int(len(took) * 0.95)]
    print(
        f"arrival: median {one:.0f} ms, p95 {slow:.0f} ms (aim: under {AIM:g} ms);"
        f" a question {other:.0f} ms, ratio {one / other:.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with launched() as browser:
        bench(browser, options.rounds)


if __name__ == "__main__":
    main()
