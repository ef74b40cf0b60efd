"""Scrolling through a large store's captures in the tab, by real wheel events.

    python tests/benchmarks/bench_gallery.py [--captures N] [--seconds S]

The captures are made straight in the store, most of them as copies of rows, as the store's
benchmark makes them. A page then turns the wheel until the oldest is there or the time is up,
waiting only for animation frames, and counts tasks of over 50 ms (PerformanceObserver) while it
scrolls, and how long frames took. The same wheel over a list of a thousandth of the captures tells
what the machine itself can do.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import tempfile
import time
from pathlib import Path

import bench_store
from browser import EXTENSION, launched
from playwright.sync_api import Browser, Page

from hosts.webui_page import WebuiPage
from payload_capture.store import Store
from webui_standin import Process

DISTINCT = 200
"""Captures whose prompts differ."""
WRITTEN = 2000
"""Captures that are not copies of rows."""
TURN = 1200
"""Pixels of one turn of the wheel, more than a page's height: nobody scrolls faster by hand."""
WATCH = """() => {
    window.tasks = [];
    window.frames = [];
    const note = (list) => list.getEntries().forEach((one) => window.tasks.push(one.duration));
    new PerformanceObserver(note).observe({entryTypes: ["longtask"]});
    let before = performance.now();
    const frame = (now) => {
        window.frames.push(now - before);
        before = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""
LOADED = "Number((document.querySelector('.pc-item') || {ariaSetSize: 0}).ariaSetSize)"
"""Rows that the page knows."""


class Scrolled:
    """What came of scrolling: rows that were loaded, seconds, long tasks and frames in ms."""

    def __init__(self, page: Page, loaded: int, seconds: float) -> None:
        self.loaded, self.seconds = loaded, seconds
        self.tasks: list[float] = page.evaluate("window.tasks")
        self.frames: list[float] = page.evaluate("window.frames")
        self.elements: int = page.evaluate("document.querySelectorAll('.pc-list *').length")

    def report(self) -> None:
        frames = sorted(self.frames)
        longest, slow = max(self.tasks, default=0), frames[int(len(frames) * 0.99)]
        print(
            f"{self.loaded:9,} captures in {self.seconds:5.1f} s:"
            f" {len(self.tasks)} tasks over 50 ms (longest {longest:.0f} ms, aim: none);"
            f" frames: median {statistics.median(frames):.1f} ms, p99 {slow:.1f} ms;"
            f" {self.elements} elements in the list",
            flush=True,
        )


def fill(folder: Path, count: int) -> None:
    store, chance = Store(folder / "payload-capture"), random.Random(4)
    model, prompts = bench_store.model(), bench_store.Prompts(chance)
    known = [bench_store.varied(model, n, prompts, chance) for n in range(min(DISTINCT, count))]
    bench_store.fill(store, known, count, WRITTEN, chance)
    store.close()


def scrolled(page: Page, url: str, count: int, limit: float) -> Scrolled:
    webui = WebuiPage(page, url)
    webui.open("Payloads")
    page.wait_for_function(f"{LOADED} > 0")
    box = page.locator(".pc-left").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 200)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    begun = time.perf_counter()
    loaded = 0
    for number in itertools.count():
        page.mouse.wheel(0, TURN)
        page.evaluate("() => new Promise(requestAnimationFrame)")
        if number % 20 == 0:
            loaded = page.evaluate(LOADED)
            end = page.evaluate(
                "(() => { const e = document.querySelector('.pc-left');"
                " return e.scrollTop + e.clientHeight >= e.scrollHeight - 2 })()"
            )
            if (loaded >= count and end) or time.perf_counter() - begun > limit:
                break
    return Scrolled(page, loaded, time.perf_counter() - begun)


def bench(browser: Browser, count: int, limit: float) -> Scrolled:
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), count)
        with (
            Process(extensions=EXTENSION, data_dir=Path(folder)) as host,
            browser.new_page(viewport={"width": 1400, "height": 900}) as page,
        ):
            made = scrolled(page, host.url, count, limit)
    made.report()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captures", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    with launched() as browser:
        few = bench(browser, max(100, options.captures // 1000), options.seconds)
        many = bench(browser, options.captures, options.seconds)
    ratio = statistics.median(many.frames) / statistics.median(few.frames)
    print(f"median frame, many / few: {ratio:.2f}")


if __name__ == "__main__":
    main()
