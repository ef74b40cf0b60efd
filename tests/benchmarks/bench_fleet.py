"""How well many replays use several servers: the time that the servers need, by the time it took.

    python tests/benchmarks/bench_fleet.py [--replays 1000] [--seconds 1] [--servers 1 4 16]

Each server is a fake one that sleeps for so many seconds and answers with a picture, all of them in
one other process. Every replay reads its capture from a file, looks at the server's settings before
and after, compares the picture, and is written to a journal. Exits with 1 where an efficiency is
below 0.95.
"""

from __future__ import annotations

import argparse
import base64
import functools
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "companion" / "src")]

from fake_webui import API, FakeWebUI, png  # noqa: E402
from payload_replay import Capture, WebUI  # noqa: E402
from payload_replay.capture import TXT2IMG, Result  # noqa: E402
from payload_replay.fleet import Fleet  # noqa: E402
from payload_replay.images import hashed  # noqa: E402
from payload_replay.journal import Journal  # noqa: E402
from payload_replay.tasks import jobs  # noqa: E402

AIM = 0.95
IMAGE = Image.effect_noise((64, 64), 40).convert("RGB")


def serve(count: int, seconds: float, pipe: Connection) -> None:
    info = '{"all_seeds": [7], "infotexts": [""], "index_of_first_image": 0}'
    body = {"images": [base64.b64encode(png(IMAGE)).decode()], "parameters": {}, "info": info}
    with ExitStack() as stack:
        fakes = [stack.enter_context(FakeWebUI()) for _ in range(count)]
        for fake in fakes:
            fake.answer("POST", f"{API}/txt2img", body=body, delay=seconds)
        pipe.send([fake.url for fake in fakes])
        pipe.recv()


@contextmanager
def servers(count: int, seconds: float) -> Iterator[list[str]]:
    """So many fakes in a process of their own; their addresses."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(count, seconds, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join()


def captures(folder: Path, count: int) -> list[str]:
    """So many capture files, each another payload with the same expected picture."""
    result = Result(hashed(IMAGE), *IMAGE.size, "sample", 7)
    paths = [folder / f"{n:05}.json" for n in range(count)]
    for n, path in enumerate(paths):
        payload = {"prompt": f"cat {n}", "seed": 7, "steps": 20, "width": 64, "height": 64}
        path.write_text(Capture(1, f"cat-{n}", TXT2IMG, payload, results=[result]).to_json())
    return [str(path) for path in paths]


def measured(urls: list[str], names: list[str], journal: Path) -> float:
    """Seconds that the run took."""
    connect = [functools.partial(WebUI, url) for url in urls]
    started = time.perf_counter()
    with Journal(journal) as noted:
        for outcome in Fleet(connect, journal=noted).run(jobs(names)):
            assert outcome.verdict == "identical", outcome.reason
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 4, 16])
    options = parser.parse_args()
    missed = False
    for count in options.servers:
        with servers(count, options.seconds) as urls, tempfile.TemporaryDirectory() as folder:
            names = captures(Path(folder), options.replays)
            took = measured(urls, names, Path(folder) / "journal")
        # No schedule is faster: the last round may not need every server.
        ideal = -(-options.replays // count) * options.seconds
        efficiency = ideal / took
        missed |= efficiency < AIM
        print(
            f"{options.replays} replays on {count:2} servers: {took:7.1f} s, "
            f"at best {ideal:.1f} s: efficiency {efficiency:.3f} (aim {AIM})",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
