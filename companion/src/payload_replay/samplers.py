"""Samplers and schedulers before and after v1.9, which made two fields of one.

Up to v1.8 a sampler's name held its schedule (``DPM++ 2M Karras``) and the option ``k_sched_type``
could set another. Since v1.9 the schedule is the field `scheduler`, where ``Automatic`` is the
sampler's own: ``DPM++ 2M`` alone is Karras since v1.9, and was not before.

Sources: A1111 v1.6.0, v1.8.0, v1.9.4, v1.10.1, Forge dfdcbab6 and reForge 3b56b268,
``modules/sd_samplers*.py``, ``modules/sd_schedulers.py`` and ``modules/api/api.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

OPTION = "k_sched_type"
"""The option of v1.8 and older that sets the schedule of all samplers that have one."""

AUTOMATIC_MEANS = {
    "DPM++ 2M": "karras",
    "DPM++ SDE": "karras",
    "DPM++ 2M SDE": "exponential",
    "DPM++ 2M SDE Heun": "exponential",
    "DPM++ 2S a": "karras",
    "DPM++ 3M SDE": "exponential",
    "DPM2": "karras",
    "DPM2 a": "karras",
    "Restart": "karras",
}
"""What ``Automatic`` is since v1.9, by the sampler; of all others the model's own schedule."""

AUTOMATIC = "Automatic"
_ALWAYS_KARRAS = "Restart"  # before v1.9 too
_UNSCHEDULED = ("DDIM", "DDIM CFG++", "PLMS", "UniPC")
"""They go by timesteps: no schedule touches them in any version."""
_OF_OPTION = ("karras", "exponential", "polyexponential")
_OWN = ("", "automatic")
SPLITS = "align_your_steps"
"""A scheduler that came with v1.10, which takes ``DPM++ 2M Karras`` as `sampler_name` again; v1.9
answers 404. No version takes it as `hr_sampler_name` since v1.9."""


@dataclass(frozen=True)
class Offered:
    """What a server lists.

    `samplers` are its names with the schedule of their own, if any. `schedulers` are all spellings
    with their label; None where the server has no such list, as up to v1.8.
    """

    samplers: Mapping[str, str | None]
    schedulers: Mapping[str, str] | None = None

    @property
    def splits(self) -> bool:
        """Whether `sampler_name` may hold the schedule although there is a field for it."""
        return self.schedulers is not None and SPLITS in self.schedulers


@dataclass(frozen=True)
class Sampling:
    """A sampler's name, its `scheduler` field, and the option `k_sched_type`; None where absent."""

    sampler: str
    scheduler: str | None = None
    option: str | None = None

    @property
    def opted(self) -> str | None:
        """The option where it says something: not the schedule that a sampler has by itself."""
        return self.option if (self.option or "").lower() not in _OWN else None


def unscheduled(version: str) -> bool | None:
    """Whether a webui of this version knows no scheduler; None where the version does not tell.

    Forge and reForge name the version that they descend from: ``f2.0.1v1.10.1-…``.
    """
    found = re.search(r"v1\.(\d{1,3})(?!\d)", version)
    return int(found[1]) < 9 if found else None


def suited(made: Sampling, older: bool | None, offered: Offered) -> Sampling | None:
    """The same sampling as a server wants it said, or None where the server has no such.

    Args:
        made: what the payload says.
        older: whether it was made for v1.8 or older; None where that is not known, and then what
            it leaves open stays open.

    Said for v1.8, the option is there unless it does not matter: the server may be set otherwise,
    and it shows that the payload was made for such a version.
    """
    if offered.schedulers is None:
        return _joined(made, older, offered)
    return _split(made, older, offered, offered.schedulers)


def _split(
    made: Sampling, older: bool | None, offered: Offered, schedulers: Mapping[str, str]
) -> Sampling | None:
    sampler, suffix = made.sampler, None
    if sampler not in offered.samplers:
        found = _parts(sampler, offered, schedulers)
        if found is None:
            return None
        sampler, suffix = found
    # v1.10 takes the schedule from the name only where the field is not given.
    label = (None if older else made.scheduler) or suffix
    if made.opted and sampler not in _UNSCHEDULED:
        label = schedulers.get(made.opted)
        return Sampling(sampler, label) if label else None
    if older and suffix is None and sampler in AUTOMATIC_MEANS and sampler != _ALWAYS_KARRAS:
        label = schedulers.get("uniform")
    return Sampling(sampler, label)


def _parts(name: str, offered: Offered, schedulers: Mapping[str, str]) -> tuple[str, str] | None:
    for spelling in sorted(schedulers, key=len, reverse=True):
        base = name.removesuffix(f" {spelling}")
        if base != name and base in offered.samplers:
            return base, schedulers[spelling]
    return None


def _joined(made: Sampling, older: bool | None, offered: Offered) -> Sampling | None:
    names, sampler = offered.samplers, made.sampler
    if sampler in _UNSCHEDULED and sampler in names:
        return Sampling(sampler, None, made.option)
    if older or (older is None and not made.scheduler):
        return Sampling(sampler, None, made.option) if sampler in names else None
    wanted = _wanted(made, names)
    for name in (sampler, f"{sampler} {wanted.capitalize()}"):
        if name in names and _schedule(name, names) == wanted:
            return Sampling(name, None, AUTOMATIC)
    if sampler in names and wanted in _OF_OPTION:
        return Sampling(sampler, None, wanted)
    return None


def _wanted(made: Sampling, names: Mapping[str, str | None]) -> str:
    """The schedule's name, "" for the model's own."""
    name = (made.scheduler or "").lower().replace(" ", "_")
    if name in _OWN:
        return AUTOMATIC_MEANS.get(made.sampler) or _schedule(made.sampler, names)
    return "" if name == "uniform" else name


def _schedule(name: str, names: Mapping[str, str | None]) -> str:
    """The schedule that a name of v1.8 stands for."""
    told = names.get(name)
    last = name.rpartition(" ")[2].lower()
    return told or (last if last in _OF_OPTION else "")
