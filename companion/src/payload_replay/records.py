"""What a server lists or tells, typed: frozen dataclasses over the server's own answer.

An attribute is what the field means here; brackets give the server's own words, so that a field
of a newer version or a fork is never out of reach::

    sampler = webui.samplers()[0]
    sampler.name, sampler["options"]

A field that the server leaves out, or gives in another type, is None or empty. Fields and types:
A1111 v1.10.1, modules/api/models.py; what SD.Next names otherwise, its modules/api/models.py.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from PIL import Image

from . import codec
from .errors import UnexpectedAnswer
from .images import opened

T = TypeVar("T")
R = TypeVar("R", bound="Record")


@dataclass(frozen=True, eq=False)
class Record(Mapping[str, Any]):
    """A JSON object of the server. It equals any mapping with the same keys and values."""

    raw: Mapping[str, Any] = dataclasses.field(repr=False)

    @classmethod
    def read(cls: type[R], given: Any, where: str) -> R:
        """The record that `given` is.

        Raises:
            UnexpectedAnswer: it is no object, or lacks the name that it goes by; `where` says
                which one.
        """
        if not isinstance(given, Mapping):
            raise UnexpectedAnswer(f"{where} is a {type(given).__name__}, not an object")
        values = {name: reader(given.get(name)) for name, reader in _readers(cls).items()}
        if (named := _named(cls)) and not isinstance(given.get(named), str):
            raise UnexpectedAnswer(f"{where} has no {named}: {_short(given)}")
        return cls(given, **values)

    def __getitem__(self, key: str) -> Any:
        return self.raw[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)


def records(kind: type[R], given: list[Any], where: str) -> list[R]:
    """Each object of a list as a record; what is no object counts as absent."""
    items = enumerate(given)
    return [kind.read(item, f"{where}[{n}]") for n, item in items if isinstance(item, Mapping)]


@dataclass(frozen=True, eq=False)
class Model(Record):
    """A checkpoint; `hash` is the short one. ``sd-models``."""

    title: str
    model_name: str
    hash: str | None
    sha256: str | None
    filename: str | None
    config: str | None


@dataclass(frozen=True, eq=False)
class Module(Record):
    """A VAE, or on Forge a VAE or text encoder. ``sd-vae``, Forge's ``sd-modules``."""

    model_name: str
    filename: str | None


@dataclass(frozen=True, eq=False)
class Sampler(Record):
    """A sampler; SD.Next gives no aliases. ``samplers``."""

    name: str
    aliases: tuple[str, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Scheduler(Record):
    """A schedule; SD.Next gives `name` and `options` alone. ``schedulers``, v1.9 and later."""

    name: str
    label: str | None
    aliases: tuple[str, ...]
    default_rho: float | None
    need_inner_model: bool | None


@dataclass(frozen=True, eq=False)
class Upscaler(Record):
    """An upscaler, of any kind. ``upscalers``, ``realesrgan-models``, ``latent-upscale-modes``."""

    name: str
    model_name: str | None
    model_path: str | None
    model_url: str | None
    scale: float | None
    path: str | None


@dataclass(frozen=True, eq=False)
class Lora(Record):
    """A LoRA with the metadata of its file. ``loras``, of the webui's built-in extension."""

    name: str
    alias: str | None
    path: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Network(Record):
    """A hypernetwork or a face restorer. ``hypernetworks``, ``face-restorers``.

    A1111 gives `path` of the one and `cmd_dir` of the other, SD.Next `path` of both.
    """

    name: str
    path: str | None
    cmd_dir: str | None


@dataclass(frozen=True, eq=False)
class Style(Record):
    """A prompt style. ``prompt-styles``."""

    name: str
    prompt: str | None
    negative_prompt: str | None


@dataclass(frozen=True, eq=False)
class Embedding(Record):
    """A textual inversion: `vectors` of length `shape`."""

    step: int | None
    sd_checkpoint: str | None
    sd_checkpoint_name: str | None
    shape: int | None
    vectors: int | None


@dataclass(frozen=True, eq=False)
class Embeddings(Record):
    """The textual inversions by name, in use and unfit for the model. ``embeddings``.

    SD.Next lists their names alone.
    """

    @functools.cached_property
    def loaded(self) -> dict[str, Embedding]:
        return _by_name(self.get("loaded"), "embeddings.loaded")

    @functools.cached_property
    def skipped(self) -> dict[str, Embedding]:
        return _by_name(self.get("skipped"), "embeddings.skipped")


@dataclass(frozen=True, eq=False)
class Scripts(Record):
    """The titles of the scripts of either tab, in lower case. ``scripts``."""

    txt2img: tuple[str, ...]
    img2img: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Argument(Record):
    """One argument of a script; `value` is the server's default."""

    label: str | None
    value: Any
    minimum: Any
    maximum: Any
    step: Any
    choices: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Script(Record):
    """A script in one of the tabs. ``script-info``."""

    name: str
    is_alwayson: bool | None
    is_img2img: bool | None

    @functools.cached_property
    def args(self) -> list[Argument]:
        given = self.get("args")
        return records(Argument, given if isinstance(given, list) else [], f"{self.name}.args")


@dataclass(frozen=True, eq=False)
class Extension(Record):
    """An extension that came from a git repository. ``extensions``, v1.8 and later."""

    name: str
    remote: str | None
    branch: str | None
    commit_hash: str | None
    version: str | None
    commit_date: str | int | None
    enabled: bool | None


@dataclass(frozen=True, eq=False)
class Memory(Record):
    """Memory in bytes, or why it is not known, under ``error``. ``memory``."""

    ram: Mapping[str, Any]
    cuda: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class PngInfo(Record):
    """What a picture says of itself: its infotext, and that one's fields by name.

    ``png-info``; `parameters` is empty before v1.8. `others` are the items of the file besides.
    """

    info: str
    parameters: Mapping[str, Any]

    @property
    def others(self) -> Mapping[str, Any]:
        given = self.get("items")  # as an attribute, that is the mapping's own method
        return given if isinstance(given, Mapping) else {}


@dataclass(frozen=True, eq=False)
class Progress(Record):
    """How far a job is: the server's current one, or the one that was asked for by its id.

    ``progress``, and the page's ``/internal/progress``. `textinfo` is what the page shows below
    its bar. What a server does not tell is None: SD.Next and the page's route tell less.
    """

    textinfo: str | None

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return _number(self.get("progress")) or 0.0

    @property
    def eta(self) -> float | None:
        """The seconds that it will still take, as the server guesses."""
        return _number(self.get("eta_relative", self.get("eta")))

    @property
    def queued(self) -> bool:
        """Whether the job waits for others; only known of a job that was asked for by its id."""
        return self.get("queued") is True

    @property
    def job(self) -> str | None:
        return self._state("job", str)

    @property
    def step(self) -> int | None:
        return self._state("sampling_step", int)

    @property
    def steps(self) -> int | None:
        return self._state("sampling_steps", int)

    @property
    def job_no(self) -> int | None:
        """Which of `job_count` parts the job is at, counted from 0."""
        return self._state("job_no", int)

    @property
    def job_count(self) -> int | None:
        return self._state("job_count", int)

    @property
    def interrupted(self) -> bool:
        """Whether the job was told to stop."""
        state = self.get("state")
        return isinstance(state, Mapping) and bool(state.get("interrupted"))

    @functools.cached_property
    def preview(self) -> Image.Image | None:
        """What the picture looks like so far, where the server sends one and it can be read."""
        text = self.get("current_image") or self.get("live_preview")
        if not isinstance(text, str):
            return None
        try:
            return opened(codec.b64decode(text))
        except ValueError:
            return None

    def _state(self, name: str, kind: type[T]) -> T | None:
        state = self.get("state")
        found = state.get(name) if isinstance(state, Mapping) else None
        return found if isinstance(found, kind) else None


def _number(given: Any) -> float | None:
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    return float(given) if number and math.isfinite(given) else None


def _by_name(given: Any, where: str) -> dict[str, Embedding]:
    if isinstance(given, list):
        given = {name: {} for name in given if isinstance(name, str)}
    found = given if isinstance(given, Mapping) else {}
    return {
        name: Embedding.read(item if isinstance(item, Mapping) else {}, f"{where}.{name}")
        for name, item in found.items()
    }


def _short(given: Mapping[str, Any]) -> str:
    text = repr(dict(given))
    return text if len(text) < 80 else f"{text[:80]}…"


def _named(kind: type[Record]) -> str | None:
    """The field by which a record goes: its first, where that is a text which must be there."""
    first = dataclasses.fields(kind)[1:2]
    return first[0].name if first and _hints(kind)[first[0].name] is str else None


@functools.cache
def _hints(kind: type[Record]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@functools.cache
def _readers(kind: type[Record]) -> dict[str, Callable[[Any], Any]]:
    hints = _hints(kind)
    return {field.name: _READERS[hints[field.name]] for field in dataclasses.fields(kind)[1:]}


def _of(*kinds: type, otherwise: Any = None) -> Callable[[Any], Any]:
    """A reader of values of these types; True is no number."""

    def read(given: Any) -> Any:
        fits = isinstance(given, kinds) and (bool in kinds or not isinstance(given, bool))
        return given if fits else otherwise

    return read


def _texts(given: Any) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, list) else ()


_READERS: dict[Any, Callable[[Any], Any]] = {
    Any: lambda given: given,
    str: _of(str, otherwise=""),
    str | None: _of(str),
    str | int | None: _of(str, int),
    bool | None: _of(bool),
    int | None: _of(int),
    float | None: _of(int, float),
    tuple[str, ...]: _texts,
    Mapping[str, Any]: _of(dict, otherwise={}),
}
