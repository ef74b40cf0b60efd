"""What stands in the way of a replay, found before anything is sent.

A webui ignores an unknown checkpoint, VAE, sampler or scheduler without a word and generates with
what it has: only asking first tells a missing file from a broken promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .arguments import shifted, short, unfit
from .capture import RUN, Capture, generates
from .controlnet import unheard
from .inventory import Inventory
from .moved import moved
from .named import named
from .problem import Problem
from .resampled import resampled
from .surroundings import surroundings

if TYPE_CHECKING:
    from .client import WebUI

SHOWN = 8
"""Problems that a refusal names; `check` lists all."""


def check(webui: WebUI, capture: Capture, inventory: Inventory | None = None) -> list[Problem]:
    """Everything known to stand in the way, the gravest first.

    Args:
        inventory: what is known of the server; by default it is asked anew, since whoever asks may
            have changed something.
    """
    inventory = inventory or Inventory(webui)
    found = list(obstacles(inventory, capture))
    found += moved(inventory, capture)
    found += unfit(inventory, capture)
    found += surroundings(inventory, capture, webui.options())
    return sorted(found, key=lambda problem: problem.rank)


def blocking(webui: WebUI, capture: Capture) -> str | None:
    """Everything for which this capture must not be sent to this server, or None."""
    found = [str(one) for one in obstacles(webui.inventory, capture) if one.severity == "blocks"]
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "; ".join([*found[:SHOWN], *more]) or None


def obstacles(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """Problems that a replay is refused for, and what comes with them; a server is asked only for
    the lists that they need."""
    yield from recorded(capture)
    yield from _routes(inventory, capture)
    yield from missing(inventory, capture)
    yield from resampled(inventory, capture)
    yield from shifted(inventory, capture)
    yield from short(inventory, capture)
    yield from unheard(inventory, capture)


def recorded(capture: Capture) -> Iterator[Problem]:
    """What can be told without a server."""
    endpoint = capture.endpoint
    if not generates(endpoint):
        yield Problem("endpoint", f"{endpoint} makes no pictures, so nothing is sent to it")
    if capture.job.state == "failed":
        why = capture.job.error or "without a word why"
        yield Problem("job.state", f"the captured generation failed ({why}); repair and redo it")
    if capture.job.state == "interrupted":
        yield Problem(
            "job.state",
            "the captured generation was interrupted, its pictures are of a broken-off run; "
            "let it finish and capture it again",
        )
    for warning in capture.warnings:
        yield Problem(warning.path, warning.reason, warning.severity)


def _routes(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """What only a server with the extension can make."""
    if not capture.endpoint.startswith(RUN):
        return
    status = inventory.status
    if status is None:
        yield Problem("endpoint", f"{capture.endpoint} is the extension's, which is not installed")
        return
    offered = status.get("runs")
    if capture.endpoint not in (offered or ()):
        reason = "which needs --api" if offered == [] else "which this release does not have"
        yield Problem("endpoint", f"{capture.endpoint} is the extension's, {reason}")


def missing(inventory: Inventory, capture: Capture) -> Iterator[Problem]:
    """What the payload names and the server does not list."""
    for path, kind, name in named(capture):
        if inventory.lacks(kind, name):
            reason = f"the server has no {_NOUNS[kind]} {name!r}"
            yield Problem(path, reason, "blocks", inventory.nearest(kind, name))


_NOUNS = {
    "checkpoints": "checkpoint (and would silently use another)",
    "vaes": "VAE (and would silently use none)",
    "schedulers": "scheduler",
    "refiners": "checkpoint",
    "upscalers": "upscaler",
    "styles": "style (and would silently leave it out)",
    "LoRAs": "LoRA (and would silently leave it out)",
    "hypernetworks": "hypernetwork (and would silently leave it out)",
    "embeddings": "embedding (and would silently read its name as a word)",
    "txt2img scripts": "txt2img script",
    "img2img scripts": "img2img script",
}
