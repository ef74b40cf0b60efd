"""Kinds whose init image is encoded with noise that no payload carries, nor anything seeds.

The same as kinds of before, but without the option that makes the encoding repeatable: what these
measure is how far the pictures are off. The noise is of the global generator, so a host may by
chance, or because it seeds it after all, bring the same picture.
"""

from __future__ import annotations

from typing import Any

from kinds import KINDS, group

OFF: dict[str, Any] = {
    "options": {"payload_capture_repeatable": False},
    "reset": False,
    "raw": False,
    "verdict": "as it falls",
    "reason": "nothing seeds|pixel for pixel",
}
kind = group("not made repeatable")

for _name, _title in {
    "img2img": "a picture in img2img",
    "inpaint_upload": "an uploaded mask",
    "only_masked": "only masked",
    "sd_upscale": "SD upscale",
    "hires_latent": "hires. fix, Latent",
    "hires_lanczos": "hires. fix, Lanczos",
}.items():
    kind(_title, name=f"unseeded_{_name}", **OFF)(KINDS[_name].arrange)
