"""How long `WebUI.replay` takes, beside the bare `requests.post` that one would write by hand.

    python tests/benchmarks/bench_replay.py [--rounds 20] [--processes 5]

Both get the same canned answer from a server in another process, parse it and decode its pictures
with Pillow. They alternate within one run, so that what else the machine does hits both. The bare
one opens a connection each time, as `requests.post` does; the replay also reads the server's
settings before and after. How a process came to lie in memory moves either by a fifth for as long
as it lives, so the rounds are spread over several, and what counts is the median of their ratios.
Exits with 1 where one misses its aim; the aims need the package's extra `fast`.
"""

from __future__ import annotations

import argparse
import base64
import gc
import io
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import requests
from PIL import Image, ImageFilter

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "companion" / "src")]

from fake_webui import API, FakeWebUI  # noqa: E402
from payload_replay import Capture, WebUI, codec  # noqa: E402
from payload_replay.capture import Result  # noqa: E402
from payload_replay.images import hashed  # noqa: E402

TXT2IMG = f"{API}/txt2img"


@dataclass(frozen=True)
class Case:
    """How many pictures of which size, and the ratios that are aimed at."""

    name: str
    count: int
    size: int
    plain: float
    verified: float


CASES = (Case("one 512x512", 1, 512, 1.0, 1.1), Case("four 1024x1024", 4, 1024, 0.7, 0.85))


def picture(size: int, seed: int) -> Image.Image:
    """Soft noise: its PNG is about as large as a photograph's, 1.2 to 1.3 bytes a pixel."""
    noise = Image.effect_noise((size, size), 40).filter(ImageFilter.GaussianBlur(1.5))
    return Image.merge("RGB", [noise.rotate(90 * (seed + n)) for n in range(3)])


def answer(case: Case) -> tuple[dict[str, Any], list[Result]]:
    images, results = [], []
    for seed in range(case.count):
        image, buffer = picture(case.size, seed), io.BytesIO()
        image.save(buffer, "PNG")
        images.append(base64.b64encode(buffer.getvalue()).decode())
        results.append(Result(hashed(image), case.size, case.size, "sample", seed))
    info = '{"all_seeds": [0, 1, 2, 3], "infotexts": [], "index_of_first_image": 0}'
    return {"images": images, "parameters": {}, "info": info}, results


def serve(body: dict[str, Any], pipe: Connection) -> None:
    with FakeWebUI() as fake:
        fake.answer("POST", TXT2IMG, body=codec.dumps(body))
        # As many settings as a webui with a few extensions lists.
        fake.options |= {f"setting_{n}": "a value" for n in range(400)}
        pipe.send(fake.url)
        pipe.recv()


@contextmanager
def server(body: dict[str, Any]) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=serve, args=(body, theirs), daemon=True)
    child.start()
    yield ours.recv()
    ours.send(None)
    child.join(5)


def bare(url: str, payload: dict[str, Any]) -> list[Image.Image]:
    """What everybody writes."""
    return decoded(requests.post(url + TXT2IMG, json=payload, timeout=60))


def decoded(response: requests.Response) -> list[Image.Image]:
    response.raise_for_status()
    images = []
    for text in response.json()["images"]:
        image = Image.open(io.BytesIO(base64.b64decode(text)))
        image.load()
        images.append(image)
    return images


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measured(case: Case, rounds: int) -> dict[str, float]:
    """The medians in seconds of each way, alternating."""
    body, results = answer(case)
    capture = Capture(1, "bench", TXT2IMG, {"prompt": "a cat"}, results=results)
    with server(body) as url, WebUI(url) as webui:
        assert webui.replay(capture).verdict == "identical"
        ways: dict[str, Callable[[], object]] = {
            "bare": lambda: bare(url, capture.payload),
            "plain": lambda: webui.replay(capture, verify=False),
            "verified": lambda: webui.replay(capture),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        gc.disable()
        for number in range(rounds):
            names = list(ways)
            for name in names[number % 3 :] + names[: number % 3]:
                taken[name].append(seconds(ways[name]))
            gc.collect()
        gc.enable()
    return {name: statistics.median(times) for name, times in taken.items()}


def middle(runs: list[dict[str, float]], name: str) -> float:
    return statistics.median(times[name] for times in runs)


def apart(case: Case, rounds: int) -> dict[str, float]:
    """`measured`, in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measured, case, rounds).result()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="in each process")
    parser.add_argument("--processes", type=int, default=5, help="one after the other")
    asked = parser.parse_args()
    libraries = [name for name in ("orjson", "pybase64") if getattr(codec, name)]
    print(f"with {', '.join(libraries) or 'the standard library alone'}; ", end="")
    print(f"medians of {asked.processes} times {asked.rounds}")
    missed = 0
    for case in CASES:
        runs = [apart(case, asked.rounds) for _ in range(asked.processes)]
        print(f"{case.name}: bare requests {middle(runs, 'bare') * 1000:.1f} ms")
        for name, aim in (("plain", case.plain), ("verified", case.verified)):
            ratios = sorted(times[name] / times["bare"] for times in runs)
            ratio = statistics.median(ratios)
            missed += ratio > aim
            print(f"  replay, {name:<8} {middle(runs, name) * 1000:6.1f} ms  {ratio:.2f}", end=" ")
            print(f"({ratios[0]:.2f} to {ratios[-1]:.2f}; aim {aim})")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
