"""A payload made for another server, rewritten where that is safe: the same thing, said otherwise.

What cannot be said there stays as it is, for `payload_replay.preflight` to name.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .arguments import calls, place
from .capture import Capture
from .changes import Change, put
from .controlnet import units
from .differences import same
from .inventory import Inventory
from .moved import rearranged
from .named import named, overrides
from .resampled import Pair, pairs
from .samplers import OPTION

if TYPE_CHECKING:
    from .client import WebUI

INDEXED: dict[str, tuple[int, ...]] = {
    "x/y/z plot": (0, 3, 6),
    "sd upscale": (2,),
    "poor man's outpainting": (2,),
    "ultimate sd upscale": (8, 10, 13, 14),
}
"""Arguments that are the place of a choice, by the script's title in lower case (A1111 v1.10.1,
``scripts/``, and ``ultimate-upscale.py``). Elsewhere a capture's `choices` tell."""
EMPHASIS = ("enable_emphasis", "emphasis")
"""What v1.6 switches on or off, v1.8 gave names to: on is ``Original``, off ``None`` (A1111 v1.6.0
and v1.8.0, ``modules/sd_hijack_clip.py``)."""
_EMPHASES = {True: "Original", False: "None"}
NEUTRAL: dict[str, Any] = {
    "overlay_inpaint": True,
    "sdxl_clip_l_skip": False,
    "sd3_enable_t5": False,
    "s_min_uncond_all": False,
    "skip_early_cond": 0,
    "sd_noise_schedule": "Default",
    "beta_dist_alpha": 0.6,
    "beta_dist_beta": 0.6,
    "auto_vae_precision_bfloat16": False,
    "postprocessing_disable_in_extras": [],
    "forge_try_reproduce": "None",
}
"""Settings that not every version has, at the value with which it does what those without it do.
Source: ``modules/shared_options.py`` of A1111 v1.6.0, v1.8.0, v1.9.4, v1.10.1 and Forge dfdcbab6.
`use_downcasted_alpha_bar` and `pad_cond_uncond_v0` are not among them: v1.6 does otherwise."""
_OF_REFINER = "refiner_switch_by_sample_steps"  # v1.9; what it says counts with a refiner alone


def migrate(capture: Capture, webui: WebUI) -> tuple[Capture, list[Change]]:
    """The capture as this server wants it said, and what was changed; `capture` stays as it is.

    Rewritten are: samplers and schedulers across v1.9, in both directions; the fields of
    ControlNet's units that were renamed, were numbers, or are other words in the server's own
    (`payload_replay.controlnet`); the arguments of a script that has the same ones in another
    order, told by their labels; the place of a choice among script arguments, where the server has
    that choice elsewhere, or the payload names it; a checkpoint that the server has under another
    title, told by its hash; and overrides of settings that the server does not know, where they
    have another name there (`EMPHASIS`), or say what it does anyway (`NEUTRAL`).

    Raises:
        ReplayError: the server cannot be asked.
    """
    made = dataclasses.replace(
        capture,
        payload=copy.deepcopy(capture.payload),
        choices=dict(capture.choices),
        labels=dict(capture.labels),
    )
    changes = [
        *_weights(webui.inventory, made),
        *_samplings(webui.inventory, made),
        *rearranged(webui.inventory, made),
        *_places(webui.inventory, made),
        *units(made, lambda: webui.inventory.host),
        *_settings(webui, made),
    ]
    return (made, changes) if changes else (capture, [])


def _weights(inventory: Inventory, capture: Capture) -> Iterator[Change]:
    model = capture.host.checkpoint
    payloads = {prefix: payload for prefix, _, payload in capture.requests()}
    for path, kind, name in list(named(capture)):
        if kind not in ("checkpoints", "refiners") or not inventory.lacks(kind, name):
            continue
        pinned = model.sha256 if model and name in (model.title, model.name) else None
        there = inventory.of_hash(pinned) or inventory.of_title(name)
        if there is None:
            continue
        prefix = next(p for p in sorted(payloads, key=len, reverse=True) if path.startswith(p))
        _set(payloads[prefix], path.removeprefix(prefix), there)
        yield Change(path, name, there, "the file of this hash has that title here")


def _samplings(inventory: Inventory, capture: Capture) -> Iterator[Change]:
    found = list(pairs(inventory, capture))
    for prefix in dict.fromkeys(pair.prefix for pair in found):
        mine = [pair for pair in found if pair.prefix == prefix]
        # One option sets the schedule of both passes; where they want two there is no way.
        options = {pair.here.option for pair in mine if pair.here} - {None}
        if all(pair.here for pair in mine) and len(options) < 2:
            yield from _resampled(inventory, mine, next(iter(options), None))


def _resampled(inventory: Inventory, mine: list[Pair], option: str | None) -> Iterator[Change]:
    offered = inventory.offered()
    older = offered is not None and offered.schedulers is None
    why = "schedules are part of the sampler's name" if older else "schedules have a field"
    for pair in mine:
        if pair.here is None or pair.same:
            continue
        name, scheduler = pair.fields
        wanted: dict[str, Any] = {name: pair.here.sampler, scheduler: pair.here.scheduler}
        if name not in pair.payload and pair.here.sampler == pair.made.sampler:
            del wanted[name]  # the second pass goes on taking the first one's
        for field, value in wanted.items():
            yield from put(pair.payload, pair.prefix, field, value, f"{why} on this server")
    # Where it says nothing it is an unknown setting all the same, from v1.9 on.
    if not older or not all(pair.same for pair in mine):
        yield from _optioned(mine[0], option, f"{why} on this server")


def _optioned(pair: Pair, option: str | None, why: str) -> Iterator[Change]:
    """The option that set the schedule up to v1.8, which later ones do not know."""
    settings = overrides(pair.payload)
    yield from put(settings, f"{pair.prefix}override_settings.", OPTION, option, why)
    if settings:
        pair.payload["override_settings"] = settings


def _places(inventory: Inventory, capture: Capture) -> Iterator[Change]:
    """The place that a recorded or written name has among the server's choices."""
    named_at = dict(capture.choices)
    for call in calls(capture):
        for index in INDEXED.get(call.title.lower(), ()):
            if index < len(call.args) and isinstance(call.args[index], str):
                named_at.setdefault(f"{call.path}[{index}]", call.args[index])
    for path, name in named_at.items():
        spot = place(capture, path)
        choices = spot and inventory.choices(spot.call.tab, spot.call.title.lower(), spot.index)
        if not spot or not choices or choices.count(name) != 1:
            continue
        try:
            before = spot.value
        except (LookupError, TypeError):
            continue
        after = choices.index(name)
        if before != after and type(before) in (int, str):
            spot.put(after)
            yield Change(path, before, after, f"that is the place of {name!r} here")


def _set(payload: dict[str, Any], path: str, value: Any) -> None:
    names = path.split(".")
    for name in names[:-1]:
        payload = payload[name]
    payload[names[-1]] = value


def _settings(webui: WebUI, capture: Capture) -> Iterator[Change]:
    overridden = [one for one in capture.requests() if overrides(one[2])]
    options = webui.options() if overridden else {}
    for prefix, _, payload in overridden:
        settings = overrides(payload)
        yield from _emphasis(settings, options, f"{prefix}override_settings.")
        for name in [one for one in settings if one not in options]:
            if _neutral(name, settings[name], payload):
                why = "the server has no such setting and does so anyway"
                yield from put(settings, f"{prefix}override_settings.", name, None, why)


def _emphasis(settings: dict[str, Any], options: dict[str, Any], prefix: str) -> Iterator[Change]:
    switch, names = EMPHASIS
    why = "the server says that by another setting"
    if isinstance(on := settings.get(switch), bool) and switch not in options and names in options:
        yield from put(settings, prefix, switch, None, why)
        if names not in settings:
            yield from put(settings, prefix, names, _EMPHASES[on], why)
    how = settings.get(names)
    if how in ("Original", "None") and names not in options and switch in options:
        yield from put(settings, prefix, names, None, why)
        if switch not in settings:
            yield from put(settings, prefix, switch, how == "Original", why)


def _neutral(name: str, value: Any, payload: dict[str, Any]) -> bool:
    if name == _OF_REFINER:
        return not payload.get("refiner_checkpoint")
    return name in NEUTRAL and same(value, NEUTRAL[name])
