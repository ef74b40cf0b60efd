"""What the tab adds to the webui's page: bytes of script and style, and time to load it.

    python tests/benchmarks/bench_page.py [--rounds N] [--host-folder DIR --host-args FLAGS]

Two hosts, one with and one without the extension, serve the same page in turns to a real browser.
Measured are the time from the navigation until the page can generate (its button is there, its
settings are read), and what the browser's main thread computed until a second after that. The
browser's cache is warm, as it is for whoever comes back.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
from pathlib import Path

from bench_capture import ROOT, add_host_options, running
from browser import launched
from playwright.sync_api import Browser, BrowserContext

AIM = 50.0
"""Milliseconds, as a median, that the tab may add until the page can generate."""
READY = """() => {
    const look = () => {
        const there = document.querySelector("#txt2img_generate");
        if (!window.ready && there && typeof opts === "object" && Object.keys(opts).length) {
            window.ready = performance.now();
        }
        if (!window.ready) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
LATER = 1000
"""Milliseconds after which a page has done what it does by itself."""


def weight(root: Path) -> None:
    for kind, files in (
        ("script", sorted((root / "javascript").rglob("*.js"))),
        ("style", [root / "style.css"]),
    ):
        texts = [file.read_bytes() for file in files]
        packed = sum(len(gzip.compress(text)) for text in texts)
        print(f"{kind}: {sum(map(len, texts)):,} bytes, {packed:,} packed, files: {len(files)}")


class Visitor:
    """Loads a host's page again and again, each time in a new tab of one browser context."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._url = url
        self._context = context

    def visit(self) -> tuple[float, float]:
        """Milliseconds until the page can generate, and that its main thread computed."""
        page = self._context.new_page()
        page.add_init_script(f"({READY})()")
        thread = self._context.new_cdp_session(page)
        thread.send("Performance.enable")
        page.goto(f"{self._url}/", wait_until="commit")
        page.wait_for_function("window.ready", timeout=120_000)
        page.wait_for_timeout(LATER)
        metrics = thread.send("Performance.getMetrics")["metrics"]
        computed = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
        ready: float = page.evaluate("window.ready")
        page.close()
        return ready, 1000 * computed


def loads(browser: Browser, options: argparse.Namespace) -> None:
    with (
        running(options, False) as (bare, _),
        running(options, True) as (full, _),
        browser.new_context() as one,
        browser.new_context() as other,
    ):
        compared(Visitor(one, bare), Visitor(other, full), options.rounds)


def compared(bare: Visitor, full: Visitor, rounds: int) -> None:
    seen: dict[Visitor, list[tuple[float, float]]] = {bare: [], full: []}
    for number in range(-2, rounds):
        for visitor in (bare, full) if number % 2 else (full, bare):
            told = visitor.visit()
            if number >= 0:
                seen[visitor].append(told)
    for place, (what, aim) in enumerate(
        [("until it can generate", f" (aim: under {AIM:g} ms)"), ("computed by the page", "")]
    ):
        one, other = ([told[place] for told in seen[visitor]] for visitor in (bare, full))
        added = statistics.median(b - a for a, b in zip(one, other, strict=True))
        print(
            f"{what}: without {statistics.median(one):.0f} ms, with "
            f"{statistics.median(other):.0f} ms, ratio "
            f"{statistics.median(other) / statistics.median(one):.3f}, median of the paired"
            f" differences {added:+.0f} ms{aim}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    add_host_options(parser)
    options = parser.parse_args()
    weight(ROOT)
    with launched() as browser:
        loads(browser, options)


if __name__ == "__main__":
    main()
