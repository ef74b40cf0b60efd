"""What describing a job's script arguments costs on the generation's thread, by kind of argument.

    python tests/benchmarks/bench_arguments.py [--rounds N]

In turns with copying the pixels of the same pictures, which is the least that has to be done: what
the script does with its pictures later must not change the capture. Printed are medians and the
ratio of the two.
"""

from __future__ import annotations

import argparse
import dataclasses
import enum
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "extension")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from PIL import Image  # noqa: E402

from payload_capture import adapters  # noqa: E402
from payload_capture.values import Encoder, Picture  # noqa: E402

SIDE = 1024
AIM = 10.0
"""Milliseconds that three ControlNet units with a picture of 1024 × 1024 each may take."""


class Mode(enum.Enum):
    BALANCED = "Balanced"


@dataclasses.dataclass
class Unit:
    """The shape of a ControlNet unit (Mikubill/sd-webui-controlnet v1.1.455)."""

    image: Any
    enabled: bool = True
    module: str = "canny"
    model: str = "control_v11p_sd15_canny [d14c016b]"
    weight: float = 1.0
    control_mode: Mode = Mode.BALANCED
    is_ui: bool = True
    input_mode: str = "simple"


def pixels(channels: int = 3) -> Any:
    return np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, channels), np.uint8)


def kinds() -> dict[str, tuple[str, list[Any], list[Any]]]:
    """Name → (script's title, its arguments, the pictures among them)."""
    three = [pixels() for _ in range(3)]
    masks = [np.zeros_like(image) for image in three]
    units = [Unit({"image": i, "mask": m}) for i, m in zip(three, masks, strict=True)]
    drawn = {"background": pixels(4), "layers": [pixels(4)], "composite": pixels(4)}
    regions = [False, 0.4, 0.4, 0.2, 0.2, "", "", "Background", 0.2, -1] * 8
    table = pd.DataFrame([[0.0, 1.0, 0.0, 0.5, 1.0]] * 8)
    picture = Image.fromarray(pixels())
    return {
        "21 scalars, 8 regions": ("tiled diffusion", [True, 96, 4.0] * 7 + regions, []),
        "3 ControlNet units, 1024²": ("controlnet", units, [*three, *masks]),
        "gradio 4 editor, 1024²": ("regional prompter", [drawn], [drawn["composite"]]),
        "a picture, 1024²": ("another", [picture], [pixels()]),
        "a table": ("forge couple", [True, table], []),
    }


def captured(title: str, args: list[Any]) -> Any:
    encoder = Encoder()
    made = adapters.encode_args(title, args, encoder, "args")
    assert not [caveat for caveat in encoder.caveats if caveat.severity == "blocks"]
    return made


def written(value: Any) -> None:
    """Do to the pictures what the writer's thread does once it has compressed them."""
    if isinstance(value, Picture):
        _ = value.image
        value.release()
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            written(one)


def copied(pictures: list[Any]) -> None:
    _ = [picture.copy() for picture in pictures]


def timed(work: Callable[..., Any], *given: Any) -> float:
    begun = time.perf_counter()
    made = work(*given)
    elapsed = (time.perf_counter() - begun) * 1000
    written(made)
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    for name, (title, args, pictures) in kinds().items():
        pairs = [(timed(captured, title, args), timed(copied, pictures)) for _ in range(rounds + 3)]
        one, other = (statistics.median(times[3:]) for times in zip(*pairs, strict=True))
        ratio = f", {one / other:.2f} times copying the pixels" if pictures else ""
        aim = f" (aim: under {AIM:g} ms)" if "ControlNet" in name else ""
        print(f"{name:28} {one:7.3f} ms{ratio}{aim}", flush=True)


if __name__ == "__main__":
    main()
