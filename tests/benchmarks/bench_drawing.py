"""What the stand-in's drawing of a picture costs, beside packing the same picture as a PNG.

    python tests/benchmarks/bench_drawing.py [--rounds N]

Packing is what any host does with each picture; the tests draw thousands. In turns, in processor
time; printed are medians and the ratio of the two.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "companion" / "src")]

from PIL import Image  # noqa: E402

from webui_standin import drawing  # noqa: E402

SIDES = (64, 512)
INPUTS = drawing.Inputs({"prompt": "hills"}, {"seed": 1}, {"steps": 20, "cfg_scale": 7.5})


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Milliseconds."""
    start = time.thread_time()
    work(*arguments)
    return (time.thread_time() - start) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    for side in SIDES:
        picture = Image.fromarray(drawing.draw(INPUTS, side, side))
        draws, packs = [], []
        for _ in range(rounds):
            draws.append(timed(drawing.draw, INPUTS, side, side))
            packs.append(timed(picture.save, io.BytesIO(), "PNG"))
        draw, pack = statistics.median(draws), statistics.median(packs)
        print(f"{side}²: drawn in {draw:.1f} ms, packed in {pack:.1f} ms, ratio {draw / pack:.1f}")


if __name__ == "__main__":
    main()
