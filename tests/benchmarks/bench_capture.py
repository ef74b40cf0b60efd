"""What the extension costs its host: per generation, and at start-up.

    python tests/benchmarks/bench_capture.py [--rounds N] [--host-folder DIR --host-args FLAGS]

Two hosts run side by side, one with the extension, and get the same requests in turns, the order
changing each round; so whatever else the machine does meets both. Printed are medians, their
difference and their ratio.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("companion/src", "tests", "tests/hosts")]

import requests  # noqa: E402
from PIL import Image  # noqa: E402

from real_host import RealHost  # noqa: E402
from webui_standin import Process  # noqa: E402

EXTENSION = {"sd-webui-payload-capture": ROOT}
NEIGHBOUR = """\
from modules import script_callbacks

script_callbacks.on_before_ui(lambda: None)
"""
"""What each real webui has a dozen of among its built-in extensions. The first callback of a
process is dear, since the webui looks up who registers it with `inspect.stack`."""
AIMS = {"txt2img": 1.0, "img2img 1024x1024": 5.0, "start-up": 100.0}
"""Milliseconds that the extension may add."""


def picture(mode: str, size: int) -> str:
    out = io.BytesIO()
    Image.effect_noise((size, size), 60).convert(mode).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def jobs() -> dict[str, tuple[str, dict[str, Any]]]:
    small = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64, "seed": 1}
    large = {
        "init_images": [picture("RGB", 1024)],
        "mask": picture("L", 1024),
        "inpaint_full_res": 0,
    }
    return {
        "txt2img": ("/sdapi/v1/txt2img", small),
        "img2img 1024x1024": ("/sdapi/v1/img2img", small | large),
    }


@contextlib.contextmanager
def running(
    options: argparse.Namespace, extensions: Mapping[str, Path]
) -> Iterator[tuple[str, float]]:
    """A host with these extensions, and the seconds it took to answer."""
    with tempfile.TemporaryDirectory() as folder:
        neighbour = Path(folder) / "neighbour"
        (neighbour / "scripts").mkdir(parents=True)
        (neighbour / "scripts" / "neighbour.py").write_text(NEIGHBOUR)
        extensions = {"neighbour": neighbour, **extensions}
        begun = time.perf_counter()
        host: Any
        if options.host_folder:
            flags = options.host_args.split()
            host = RealHost(options.host_folder, extensions, flags, data_dir=Path(folder) / "data")
        else:
            host = Process(extensions=extensions, data_dir=Path(folder) / "data")
        with host:
            yield host.url, time.perf_counter() - begun


def timed(url: str, endpoint: str, payload: dict[str, Any]) -> float:
    begun = time.perf_counter()
    requests.post(url + endpoint, json=payload, timeout=600).raise_for_status()
    elapsed = time.perf_counter() - begun
    return elapsed


def settle(url: str) -> None:
    """Let the writer's thread finish: what it does beside a later job is not that job's cost."""
    requests.get(f"{url}/payload-capture/v1/captures?limit=1", timeout=60)


def generations(options: argparse.Namespace) -> None:
    with running(options, {}) as (bare, _), running(options, EXTENSION) as (full, _):
        for name, (endpoint, payload) in jobs().items():
            times: dict[str, list[float]] = {bare: [], full: []}
            for number in range(-3, options.rounds):
                for url in (bare, full) if number % 2 else (full, bare):
                    elapsed = timed(url, endpoint, payload)
                    settle(full)
                    if number >= 0:
                        times[url].append(elapsed)
            report(name, times[bare], times[full])


def starts(options: argparse.Namespace) -> None:
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(max(3, options.rounds // 3)):
        for extension in (False, True) if number % 2 else (True, False):
            with running(options, EXTENSION if extension else {}) as (_, seconds):
                times[extension].append(seconds)
    report("start-up", times[False], times[True])


def report(name: str, bare: list[float], full: list[float]) -> None:
    one, other = statistics.median(bare) * 1000, statistics.median(full) * 1000
    paired = statistics.median(b - a for a, b in zip(bare, full, strict=True)) * 1000
    aim = f"(aim: under {AIMS[name]:g} ms)"
    print(
        f"{name:20} without {one:8.2f} ms, with {other:8.2f} ms, ratio {other / one:.3f}, "
        f"median of the paired differences {paired:+.2f} ms {aim}",
        flush=True,
    )


def add_host_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host-folder", type=Path)
    parser.add_argument("--host-args", default="")


def main() -> None:
    # Hosts read compiled files, as those of users do, whatever this shell is set to.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    add_host_options(parser)
    options = parser.parse_args()
    generations(options)
    starts(options)


if __name__ == "__main__":
    main()
