"""What a call costs through `WebUI`, beside bare requests and the package ``webuiapi``.

    python -m pip install webuiapi    # in an environment of its own; without it, it is left out
    python tests/benchmarks/bench_client.py [--rounds 30]

All get the same canned answers from a server in another process and decode the pictures with
Pillow, taking turns within one run. ``bare`` opens a connection each time, as `requests.post` does;
``session`` keeps one, and is what a careful hand would write. Three things are measured: the
smallest call there is, generations of one and of four pictures, and how far the memory of a fresh
process rises over such a
generation (on Linux). Exits with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import multiprocessing
import statistics
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from bench_replay import CASES, TXT2IMG, Case, answer, decoded, seconds, server

from fake_webui import API
from payload_replay import WebUI

Way = Callable[[], object]
PAYLOAD = {"prompt": "a cat"}
AIMS = {"one 512x512": ("bare", 1.0), "four 1024x1024": ("webuiapi", 0.65)}
WAYS = ("bare", "session", "webuiapi", "WebUI")


def rival(url: str) -> Any:
    """A client of webuiapi; None where it is not installed."""
    try:
        webuiapi = importlib.import_module("webuiapi")
    except ImportError:
        return None
    parts = urlsplit(url)
    return webuiapi.WebUIApi(host=parts.hostname, port=parts.port)


def generating(url: str) -> dict[str, Way]:
    """How each of them generates, and decodes what it gets."""
    session, webui, other = requests.Session(), WebUI(url), rival(url)
    ways: dict[str, Way] = {
        "bare": lambda: decoded(requests.post(url + TXT2IMG, json=PAYLOAD, timeout=60)),
        "session": lambda: decoded(session.post(url + TXT2IMG, json=PAYLOAD, timeout=60)),
        "WebUI": lambda: webui.txt2img(PAYLOAD).images,
    }
    if other is not None:
        ways["webuiapi"] = lambda: [image.load() for image in other.txt2img(prompt="a cat").images]
    return ways


def asking(url: str) -> dict[str, Way]:
    """The smallest call: a list of two samplers."""
    path = f"{API}/samplers"
    session, webui, other = requests.Session(), WebUI(url), rival(url)
    ways: dict[str, Way] = {
        "bare": lambda: requests.get(url + path, timeout=60).json(),
        "session": lambda: session.get(url + path, timeout=60).json(),
        "WebUI": webui.samplers,
    }
    if other is not None:
        ways["webuiapi"] = other.get_samplers
    return ways


def medians(ways: dict[str, Way], rounds: int) -> dict[str, float]:
    """Seconds of each way, taking turns."""
    names = list(ways)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for way in ways.values():
        way()
    gc.disable()
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(seconds(ways[name]))
        gc.collect()
    gc.enable()
    return {name: statistics.median(times) for name, times in taken.items()}


def peak(url: str, name: str, pipe: Connection) -> None:
    """How many KiB the memory of this process rises over one generation."""
    ways = generating(url)
    if name not in ways:
        pipe.send(None)
        return
    before = highest()
    ways[name]()
    pipe.send(highest() - before)


def highest() -> int:
    """KiB that this process has had at most; `getrusage` would count its parent's as well."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])


def risen(url: str, name: str) -> int | None:
    ours, theirs = multiprocessing.Pipe()
    # Started anew, so that nothing of another way is in its memory.
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=peak, args=(url, name, theirs))
    child.start()
    found: int | None = ours.recv()
    child.join(10)
    return found


def shown(times: dict[str, float]) -> str:
    own = times["WebUI"]
    parts = [f"{name} {times[name] * 1000:.2f} ms" for name in WAYS if name in times]
    ratios = [f"{own / times[name]:.2f} of {name}" for name in times if name != "WebUI"]
    return f"{', '.join(parts)}\n  WebUI takes {', '.join(ratios)}"


def measured(case: Case, rounds: int) -> bool:
    """Print what a case takes; whether its aim is met."""
    body, _ = answer(case)
    with server(body) as url:
        times = medians(generating(url), rounds)
        print(f"{case.name}: {shown(times)}")
        rises = {name: risen(url, name) for name in WAYS}
        told = [f"{name} {kib / 1024:.0f} MiB" for name, kib in rises.items() if kib is not None]
        print(f"  memory rises by {', '.join(told)}")
    against, aim = AIMS[case.name]
    return against not in times or times["WebUI"] / times[against] <= aim


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with server({"images": []}) as url:
        print(f"a small call: {shown(medians(asking(url), rounds * 5))}")
    met = [measured(case, rounds) for case in CASES]
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
