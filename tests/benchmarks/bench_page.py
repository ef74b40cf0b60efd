"""What the tab adds to the webui's page: bytes of script and style, and time to load it.

    python tests/benchmarks/bench_page.py [--rounds N] [--host-folder DIR --host-args FLAGS]

Two hosts, one with and one without the extension, serve the same page in turns to a real browser.
Measured are the time from the navigation until the page can generate (its button is there, its
settings are read), and the processor's time that the browser's main thread took until a second
after that. The browser's cache is warm, as it is for whoever comes back. One visit differs from the
next by more than is looked for here, so there are many, and the standard error is told.
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
"""Milliseconds until a page can generate, and of its main thread's processor time."""
MEDIAN_S_ERROR = 1.2533
"""A median's standard error, as a multiple of the mean's, where what is measured is scattered
evenly around it (the square root of half of pi)."""
LATER = 1000
"""Milliseconds after which a page has done what it does by itself."""


def weight(root: Path) -> None:
    for kind, files in (
        ("script", sorted((root / "javascript").rglob("*.js"))),
        ("style", sorted((root / "javascript").rglob("*.css"))),
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
        thread.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(f"{self._url}/", wait_until="commit")
        page.wait_for_function("window.ready", timeout=120_000)
        page.wait_for_timeout(LATER)
        metrics = thread.send("Performance.getMetrics")["metrics"]
        computed = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
        ready: float = page.evaluate("window.ready")
        page.close()
        return ready, 1000 * computed


def loads(browser: Browser, options: argparse.Namespace) -> None:
    seen = visits(browser, options)
    for place, what in enumerate((f"until it can generate (aim: under {AIM:g} ms)", "computed")):
        report(what, [(bare[place], full[place]) for bare, full in seen])


def visits(browser: Browser, options: argparse.Namespace) -> list[tuple[Load, Load]]:
    """What each round took without and with the extension."""
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


def report(what: str, seen: list[tuple[float, float]]) -> None:
    without, with_it = (statistics.median(times) for times in zip(*seen, strict=True))
    added = [full - bare for bare, full in seen]
    error = MEDIAN_S_ERROR * statistics.stdev(added) / len(added) ** 0.5
    print(
        f"{what}: without {without:.0f} ms, with {with_it:.0f} ms, ratio {with_it / without:.3f}, "
        f"median of the paired differences {statistics.median(added):+.0f} ms (standard error "
        f"{error:.0f})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    add_host_options(parser)
    options = parser.parse_args()
    weight(ROOT)
    with launched() as browser:
        loads(browser, options)


if __name__ == "__main__":
    main()
