"""What a server has, by its own lists: kept for a while, asked again where a name is missing."""

from __future__ import annotations

import difflib
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .errors import (
    InvalidPayload,
    NoAPI,
    NoExtension,
    NotFound,
    ServerError,
    UnexpectedAnswer,
)
from .samplers import Offered

if TYPE_CHECKING:
    from .client import WebUI

T = TypeVar("T")

_UNLISTED = (NoAPI, InvalidPayload, ServerError, UnexpectedAnswer, NoExtension, NotFound)
_HASH = re.compile(r"\[([0-9a-f]{8,64})\]$")
_SHORTEST = 8  # digits of a hash: what the webui showed before v1.0
_LONGEST = 300  # characters of a name; a picture in its place would be compared for minutes
LIFE = 60.0
"""Seconds for which an answer counts; a server that runs for days gets other scripts and models."""

_ALIKE = 0.6  # difflib's ratio, from which one name counts as near another


class Inventory:
    """The names that a server lists. Every answer is None where the server has no such list.

    Args:
        clock: tells seconds, by which an answer older than `LIFE` is asked for anew.
    """

    def __init__(self, webui: WebUI, clock: Callable[[], float] = time.monotonic) -> None:
        self.webui = webui
        self._clock = clock
        self._known: dict[str, tuple[float, Any]] = {}

    def lacks(self, kind: str, name: str) -> bool:
        """Whether the server lists things of this kind, and none of this name."""
        return self._without(kind, name, fresh=False) and self._without(kind, name, fresh=True)

    def nearest(self, kind: str, name: str) -> str | None:
        """The listed name that is most like this one; of checkpoints the one of the same hash."""
        same = self.of_title(name) if kind in ("checkpoints", "refiners") else None
        return same or near(name, self._names(kind) or ())

    def of_hash(self, *hashes: str | None) -> str | None:
        """The title of the checkpoint with one of these hashes, whole or shortened to 8 digits."""
        known = [hash.lower() for hash in hashes if hash and len(hash) >= _SHORTEST]
        for model in (_told(lambda: self.models) or ()) if known else ():
            for there in (model.get("sha256"), model.get("hash"), _bracketed(model.get("title"))):
                if any(_same_hash(one, there) for one in known):
                    return str(model.get("title"))
        return None

    def of_title(self, title: str) -> str | None:
        """The title of the checkpoint whose hash stands in brackets behind this one."""
        return self.of_hash(_bracketed(title))

    def checkpoint(self, name: str) -> Mapping[str, Any] | None:
        """The checkpoint that the server means by this name."""
        models = _told(lambda: self.models) or ()
        return next((model for model in models if name in _spellings(model)), None)

    def arguments(self, tab: str, title: str) -> list[dict[str, Any]] | None:
        """A script's arguments with their labels; `title` in lower case."""
        for script in self._scripts:
            if script.get("name") == title and script.get("is_img2img") is (tab == "img2img"):
                args = script.get("args")
                return [_argument(one) for one in args] if isinstance(args, list) else []
        return None

    def choices(self, tab: str, title: str, place: int) -> list[str] | None:
        """What the argument of a script can be chosen from."""
        args = self.arguments(tab, title)
        told = args[place].get("choices") if args is not None and place < len(args) else None
        return cast("list[str] | None", told)

    def offered(self) -> Offered | None:
        """Samplers and schedulers."""
        samplers, schedulers = self._samplers, self._schedulers
        return None if samplers is None else Offered(samplers, schedulers)

    def forget_samplers(self) -> None:
        """Ask for samplers and schedulers again when they are needed next."""
        for name in ("samplers", "schedulers"):
            self._known.pop(name, None)

    @property
    def extensions(self) -> dict[str, Mapping[str, Any]] | None:
        """By name, with `version` and `enabled`: those that come from a repository, and, where our
        extension tells them, the others that are switched on."""
        listed = self._once("extensions", lambda: _told(self.webui.extensions))
        told = self.facts.get("extensions")
        if listed is None:
            return None
        both = [*(told if isinstance(told, list) else ()), *listed]
        return {str(one.get("name")): one for one in both if isinstance(one, Mapping)}

    @property
    def flags(self) -> Mapping[str, Any]:
        """The command line flags that the server was started with; empty where it does not say."""
        return self._once("flags", lambda: _told(self.webui.cmd_flags)) or {}

    @property
    def host(self) -> dict[str, str]:
        """`webui` and `version`, from the extension if it is there, else from the webui's own
        account of itself (``/internal/sysinfo``, A1111 v1.6.0 on)."""
        if self.facts:
            return {name: str(self.facts.get(name) or "") for name in ("webui", "version")}
        told = self._once("sysinfo", lambda: _told(self._sysinfo))
        return {"version": str(told.get("Version") or "")} if isinstance(told, dict) else {}

    @property
    def status(self) -> Mapping[str, Any] | None:
        """What our extension says of itself; None where it is not there. Raises ReplayError."""
        return self._once("status", self._status)

    @property
    def models(self) -> Sequence[Mapping[str, Any]]:
        """The checkpoints. Raises ReplayError."""
        return self._once("models", self.webui.models)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What our extension says of the host; empty where it is not there or says nothing."""
        host = self._says("host")
        return host if isinstance(host, dict) else {}

    @property
    def frozen(self) -> list[str] | None:
        """The settings in frozen sections; None where our extension is not there to tell them."""
        names = self._says("frozen")
        return names if isinstance(names, list) else None

    @property
    def unlisted(self) -> list[str]:
        """Settings that the server has and does not list, as far as our extension tells them."""
        names = self._says("unlisted")
        return names if isinstance(names, list) else []

    @property
    def _scripts(self) -> Sequence[Mapping[str, Any]]:
        return self._once("scripts", lambda: _told(self.webui.script_info)) or ()

    @property
    def _samplers(self) -> dict[str, str | None] | None:
        listed = self._once("samplers", lambda: _told(self.webui.samplers))
        if listed is None:
            return None
        return {str(one.get("name")): _own_schedule(one) for one in listed}

    @property
    def _schedulers(self) -> dict[str, str] | None:
        listed = self._once("schedulers", lambda: _told(self.webui.schedulers))
        if listed is None:
            return None
        labels = [(one, str(one.get("label") or one.get("name"))) for one in listed]
        return {name: label for one, label in labels for name in _spelt(one)}

    def _without(self, kind: str, name: str, *, fresh: bool) -> bool:
        names = self._names(kind, fresh=fresh)
        return names is not None and name not in names

    def _names(self, kind: str, *, fresh: bool = False) -> set[str] | None:
        key = f"names of {kind}"
        if fresh:
            for name in (key, "models"):
                self._known.pop(name, None)
        return self._once(key, lambda: _told(lambda: set(_LISTS[kind](self))))

    def _once(self, key: str, ask: Callable[[], T]) -> T:
        """What `ask` gave last, if that is not older than `LIFE`; else what it gives now."""
        asked, value = self._known.get(key, (-math.inf, None))
        if self._clock() - asked > LIFE:
            value = ask()
            self._known[key] = (self._clock(), value)
        return cast("T", value)

    def _says(self, name: str) -> Any:
        """What our extension says of itself under a name; None where it says nothing."""
        told = self._once("said", lambda: _told(lambda: self.status))
        return (told or {}).get(name)

    def _status(self) -> Mapping[str, Any] | None:
        try:
            return self.webui.captures.status()
        except NoExtension:
            return None

    def _sysinfo(self) -> Any:
        return self.webui.call("GET", "/internal/sysinfo")


def near(name: str, names: Iterable[str]) -> str | None:
    """The name that is most like this one, or None where none is."""
    others = [one for one in names if one]
    close = difflib.get_close_matches(name, others, 1, _ALIKE) if len(name) <= _LONGEST else []
    return close[0] if close else None


def _told(ask: Callable[[], T]) -> T | None:
    """The answer, or None where this server has no such list: then it will judge itself."""
    try:
        return ask()
    except _UNLISTED:
        return None


def _argument(told: Any) -> dict[str, Any]:
    """One of script-info's arguments, its choices as texts."""
    known = dict(told) if isinstance(told, dict) else {}
    choices = known.get("choices")
    return known | {"choices": list(map(str, choices)) if isinstance(choices, list) else None}


def _bracketed(title: Any) -> str | None:
    found = _HASH.search(title.lower()) if isinstance(title, str) else None
    return found[1] if found else None


def _same_hash(one: str, there: Any) -> bool:
    if not isinstance(there, str) or len(there) < _SHORTEST:
        return False
    return one.startswith(there.lower()) or there.lower().startswith(one)


def _checkpoints(has: Inventory) -> Iterator[str]:
    for model in has.models:
        yield from _spellings(model)


def _spellings(model: Mapping[str, Any]) -> set[str]:
    """All names by which the webui finds a checkpoint: title, file, name, hash."""
    title = str(model.get("title") or "")
    file = title.partition(" [")[0]
    stem = file.rpartition("/")[2].rpartition("\\")[2].rpartition(".")[0]
    short = str(model.get("hash") or "")
    names = {title, file, stem, short, f"{stem} [{short}]", f"{file} [{short}]"}
    return names | {str(model.get("model_name") or ""), str(model.get("sha256") or "")}


def _vaes(has: Inventory) -> Iterator[str]:
    yield from ("Automatic", "None")
    yield from (str(vae.get("model_name")) for vae in has.webui.vaes())


def _schedulers(has: Inventory) -> Iterator[str]:
    for scheduler in has.webui.schedulers():
        yield from _spelt(scheduler)


def _spelt(scheduler: Mapping[str, Any]) -> list[str]:
    """All names by which the webui finds a scheduler."""
    aliases = scheduler.get("aliases")
    more = aliases if isinstance(aliases, list) else []
    return [str(name) for name in (scheduler.get("name"), scheduler.get("label"), *more) if name]


def _own_schedule(sampler: Mapping[str, Any]) -> str | None:
    options = sampler.get("options")
    told = options.get("scheduler") if isinstance(options, dict) else None
    return told if isinstance(told, str) else None


def _titles(tab: str) -> Callable[[Inventory], Iterable[str]]:
    return lambda has: [str(title).lower() for title in has.webui.scripts().get(tab) or ()]


def _upscalers(has: Inventory) -> Iterator[str]:
    yield "None"
    yield from _names(has.webui.upscalers())
    yield from _names(has.webui.latent_upscale_modes())


def _loras(has: Inventory) -> Iterator[str]:
    for lora in has.webui.loras():
        yield from (str(lora.get("name")), str(lora.get("alias")))


def _hypernetworks(has: Inventory) -> Iterator[str]:
    yield from _names(has.webui.hypernetworks())


def _styles(has: Inventory) -> Iterator[str]:
    yield from _names(has.webui.styles())


def _embeddings(has: Inventory) -> Iterator[str]:
    listed = has.webui.embeddings()
    yield from (*listed.loaded, *listed.skipped)


def _refiners(has: Inventory) -> Iterator[str]:
    yield from ("None", "none")
    yield from _checkpoints(has)


def _names(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from (str(item.get("name")) for item in items)


_LISTS: dict[str, Callable[[Inventory], Iterable[str]]] = {
    "checkpoints": _checkpoints,
    "vaes": _vaes,
    "schedulers": _schedulers,
    "refiners": _refiners,
    "upscalers": _upscalers,
    "styles": _styles,
    "LoRAs": _loras,
    "hypernetworks": _hypernetworks,
    "embeddings": _embeddings,
    "txt2img scripts": _titles("txt2img"),
    "img2img scripts": _titles("img2img"),
}
