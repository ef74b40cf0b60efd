"""What the tab adds to the webui's page: bytes of script and style, and time to load it.

    python tests/benchmarks/bench_page.py [--rounds N] [--host-folder DIR --host-args FLAGS]

Three hosts serve the same page in turns to a real browser: one without the extension, one with no
more of it than its settings on the webui's own page, one with all. Measured are the time from the
navigation until the page can generate (its button is there, its settings are read), and the
processor's time that the browser's main thread took until a second after that. The browser's cache
is warm, as it is for whoever comes back. One visit differs from the next by more than is looked for
here, so there are many, and the standard error is told. How many functions the page's scripts call
is hardly scattered, so a few visits more count that.

The tab may add 50 ms until the page can generate.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import itertools
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bench_capture import EXTENSION, ROOT, add_host_options, running
from browser import launched
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

SETTINGS = f"""\
import sys

sys.path.insert(0, {str(ROOT / "extension")!r})
from payload_capture import host, settings

host.add_options(("payload_capture", "Payload capture"), settings.OWN)
"""
"""An extension that has our settings and nothing else."""
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
Seen = TypeVar("Seen")
Load = tuple[float, float]
"""Milliseconds until a page can generate, and of its main thread's processor time."""
MEDIAN_S_ERROR = 1.2533
"""A median's standard error, as a multiple of the mean's, where what is measured is scattered
evenly around it (the square root of half of pi)."""
LATER = 1000
"""Milliseconds after which a page has done what it does by itself."""
CALLS = 6
"""Rounds that count calls."""
WARM = 2
"""Visits that fill the caches before anything is measured."""


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
        with self._loaded(("Performance.enable", {"timeDomain": "threadTicks"})) as (page, session):
            page.wait_for_timeout(LATER)
            metrics = session.send("Performance.getMetrics")["metrics"]
            computed = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
            return page.evaluate("window.ready"), 1000 * computed

    def calls(self) -> int:
        """How often the page's scripts call a function until it can generate."""
        counting = ("Profiler.startPreciseCoverage", {"callCount": True, "detailed": False})
        with self._loaded(("Profiler.enable", {}), counting) as (_, session):
            scripts = session.send("Profiler.takePreciseCoverage")["result"]
            functions = [function for script in scripts for function in script["functions"]]
            return sum(span["count"] for function in functions for span in function["ranges"])

    @contextlib.contextmanager
    def _loaded(self, *commands: tuple[str, dict[str, Any]]) -> Iterator[tuple[Page, CDPSession]]:
        with self._context.new_page() as page:
            page.add_init_script(f"({READY})()")
            session = self._context.new_cdp_session(page)
            for command, how in commands:
                session.send(command, how)
            page.goto(f"{self._url}/", wait_until="commit")
            page.wait_for_function("window.ready", timeout=120_000)
            yield page, session


def loads(browser: Browser, options: argparse.Namespace) -> None:
    with visitors(browser, options) as three:
        times = rounds(three, Visitor.visit, options.rounds)
        calls = rounds(three, Visitor.calls, min(CALLS, options.rounds))
    for place, what in enumerate(("ms until it can generate", "ms computed")):
        tell(what, [[load[place] for load in loads] for loads in times])
    tell("function calls until it can generate", calls)


@contextlib.contextmanager
def visitors(browser: Browser, options: argparse.Namespace) -> Iterator[list[Visitor]]:
    """Of a host without the extension, of one with its settings alone, of one with all."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "scripts").mkdir()
        (folder / "scripts" / "listed.py").write_text(SETTINGS)
        three = []
        for extensions in ({}, {"listed": folder}, EXTENSION):
            url, _ = stack.enter_context(running(options, extensions))
            context = stack.enter_context(browser.new_context())
            three.append(Visitor(context, url))
        yield three


def rounds(
    three: Sequence[Visitor], measure: Callable[[Visitor], Seen], number: int
) -> list[list[Seen]]:
    """What each of the three saw, each going first, second and third in turn."""
    seen: list[list[Seen]] = [[], [], []]
    orders = list(itertools.permutations(zip(three, seen, strict=True)))
    for visitor, _ in orders[0] * WARM:
        measure(visitor)
    for order in itertools.islice(itertools.cycle(orders), number):
        for visitor, found in order:
            found.append(measure(visitor))
    return seen


def tell(what: str, seen: Sequence[Sequence[float]]) -> None:
    bare, listed, full = seen
    compare(f"{what}, the tab", listed, full)
    compare(f"{what}, its settings", bare, listed)
    compare(f"{what}, both", bare, full)


def compare(what: str, fewer: Sequence[float], more: Sequence[float]) -> None:
    without, with_it = statistics.median(fewer), statistics.median(more)
    added = [full - bare for bare, full in zip(fewer, more, strict=True)]
    error = MEDIAN_S_ERROR * statistics.stdev(added) / len(added) ** 0.5
    print(
        f"{what}: without {without:,.0f}, with {with_it:,.0f}, ratio {with_it / without:.3f}, "
        f"median of the paired differences {statistics.median(added):+,.0f} (standard error "
        f"{error:,.0f})",
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
