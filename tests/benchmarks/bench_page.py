"""What the tab adds to the webui's page: bytes of script and style, and time to load it.

    python tests/benchmarks/bench_page.py [--pairs N] [--rounds N] [--host-folder DIR --host-args …]

Two hosts, one with and one without the extension, serve the same page in turns to a real browser.
Two processes of the same host differ by as much as is looked for here, so several pairs of them are
started. Measured are the time from the navigation until the page can generate (its button is there,
its settings are read), and what the browser's main thread computed until a second after that. The
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
Load = tuple[float, float]
"""Milliseconds until a page can generate, and that its main thread computed."""
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

    def visit(self) -> Load:
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
    pairs = [seen_by_a_pair(browser, options) for _ in range(options.pairs)]
    for place, what in enumerate((f"until it can generate (aim: under {AIM:g} ms)", "computed")):
        report(what, [[(bare[place], full[place]) for bare, full in seen] for seen in pairs])


def seen_by_a_pair(browser: Browser, options: argparse.Namespace) -> list[tuple[Load, Load]]:
    """What each round took without and with the extension, in two fresh hosts."""
    seen = []
    with (
        running(options, False) as (one, _),
        running(options, True) as (other, _),
        browser.new_context() as context,
        browser.new_context() as another,
    ):
        bare, full = Visitor(context, one), Visitor(another, other)
        for number in range(-2, options.rounds):
            first, second = (bare, full) if number % 2 else (full, bare)
            told = {first: first.visit(), second: second.visit()}
            if number >= 0:
                seen.append((told[bare], told[full]))
    return seen


def report(what: str, pairs: list[list[tuple[float, float]]]) -> None:
    without, with_it = zip(*(one for pair in pairs for one in pair), strict=True)
    added = [statistics.median(full - bare for bare, full in pair) for pair in pairs]
    print(
        f"{what}: without {statistics.median(without):.0f} ms, with "
        f"{statistics.median(with_it):.0f} ms, ratio "
        f"{statistics.median(with_it) / statistics.median(without):.3f}, medians of the paired "
        f"differences {', '.join(f'{one:+.0f}' for one in added)}, their mean "
        f"{statistics.mean(added):+.0f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=6)
    add_host_options(parser)
    options = parser.parse_args()
    weight(ROOT)
    with launched() as browser:
        loads(browser, options)


if __name__ == "__main__":
    main()
