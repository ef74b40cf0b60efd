"""The capture format: one JSON document that holds what to send and what came of it.

This file is the format's only definition. The webui extension loads this very file by path under
its own name, so it uses the standard library alone and only dicts, JSON and bytes cross between
the two packages.

Invariants:
* A document that was read and is written again says the same; a key that the format does not know
  is an error, never dropped.
* A picture inside ``payload`` is a reference ``{"$asset": "<sha256 of the file's bytes>"}`` that
  ``assets`` lists. A mapping's own keys that begin with ``$`` are written with one more ``$``.
* ``results[].sha256`` is over decoded pixels (`pixel_hash`), so that another compression of the
  same picture is the same picture.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import hashlib
import json
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, Union

FORMAT = 1
TXT2IMG = "/sdapi/v1/txt2img"
IMG2IMG = "/sdapi/v1/img2img"
EXTRAS_SINGLE = "/sdapi/v1/extra-single-image"
EXTRAS_BATCH = "/sdapi/v1/extra-batch-images"
RUN = "/payload-capture/v1/run/"
"""Below this the extension makes what the standard endpoints cannot express."""
UPSCALE = RUN + "txt2img-upscale"
EXTRAS = RUN + "extras"
BATCH = RUN + "batch"
GENERATING = (TXT2IMG, IMG2IMG, EXTRAS_SINGLE, EXTRAS_BATCH)
REFERENCE = "$asset"

T = TypeVar("T")
Endpoint = str
Role = Literal["sample", "grid", "map"]
Source = Literal["ui", "api", "script"]
State = Literal["ok", "interrupted", "failed"]
Severity = Literal["blocks", "pixels", "cosmetic"]

_SUFFIXES = {"image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}
_SHA256 = {"pattern": "^[0-9a-f]{64}$"}
DEEPEST = 200
"""Levels of JSON that are read; far below where Python's own recursion ends."""
_TOO_DEEP = "not a capture: JSON nested too deeply"


class FormatError(ValueError):
    """A document that is not a capture; `path` names the place in it, such as ``job.state``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class NewerFormatError(FormatError):
    """The document was written by a newer release than this one."""


class AssetError(FormatError):
    """An asset is missing, or its bytes are not those that its hash names."""


@dataclass(frozen=True)
class Asset:
    """A picture's file: `size` in bytes, `width` and `height` in pixels, `data` as base64.

    `data` is None while the bytes lie elsewhere: in a store, or beside the document in a bundle.
    """

    media_type: str
    size: int
    width: int
    height: int
    data: str | None = None

    @property
    def suffix(self) -> str:
        """Of its file's name, without the dot."""
        return _SUFFIXES.get(self.media_type, "png")


@dataclass(frozen=True)
class Result:
    """One picture that the job returned. `asset` and `thumbnail` name entries of `assets`."""

    sha256: str = field(metadata=_SHA256)
    width: int
    height: int
    role: Role
    seed: int | None = None
    subseed: int | None = None
    infotext: str = ""
    asset: str | None = field(default=None, metadata=_SHA256)
    thumbnail: str | None = field(default=None, metadata=_SHA256)


@dataclass(frozen=True)
class Model:
    """A file of weights: the host's `title` for it, its `name`, short `hash` and `sha256`."""

    title: str
    name: str = ""
    hash: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Extension:
    name: str
    version: str = ""


@dataclass(frozen=True)
class Host:
    """The webui that made the pictures; enough to name what another one lacks.

    `settings` are options that decide pixels and that no request can set. `facts` are what other
    extensions of the webui add, by a name of their own.
    """

    webui: str = ""
    version: str = ""
    python: str = ""
    torch: str = ""
    gradio: str = ""
    device: str = ""
    checkpoint: Model | None = None
    vae: Model | None = None
    loras: list[Model] = field(default_factory=list)
    embeddings: list[Model] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One user action. `started` is ISO 8601 in UTC, `seconds` its duration.

    `error` says why `state` is ``failed``; `task` is the webui's task id where it has one.
    `repeatable` tells that the host's encoding of init images drew from the job's seed, so that
    img2img can come back bit for bit.
    """

    started: str = ""
    seconds: float = 0.0
    source: Source = "script"
    state: State = "ok"
    user: str | None = None
    task: str | None = None
    error: str | None = None
    repeatable: bool = False


@dataclass(frozen=True)
class Caveat:
    """What the capture could not represent: `path` in the payload, why, and how much it matters."""

    path: str
    reason: str
    severity: Severity = "pixels"


@dataclass(frozen=True)
class Origin:
    """The capture that this one is a variation of, by its `id`, and the paths of the payload that
    were `changed`.
    """

    id: str
    changed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Capture:
    """One generation, as it can be sent again.

    `payload` is what to POST to `endpoint`. `template` holds, for each of the payload's fields
    that the job resolved (a seed of -1, a wildcard), what the user had typed there. `choices`
    names what a number among script arguments stands for, by its place such as
    ``script_args[0]``: the same number can mean something else on another server. `labels` holds,
    for each script that is called, by its title, what the page shows beside each argument, by
    which one is found again that moved in another version of the script. `resolved`
    holds what styles, wildcards and scripts made of the prompts, by field and in the pictures'
    order, where that differs from what the payload says. `origin` is set where this is a
    variation, which has no `results`: nobody has made its pictures yet.
    """

    format: Literal[1]
    id: str = field(metadata={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"})
    endpoint: Endpoint = field(metadata={"pattern": "^(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$"})
    payload: dict[str, Any]
    template: dict[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    host: Host = field(default_factory=Host)
    job: Job = field(default_factory=Job)
    assets: dict[str, Asset] = field(default_factory=dict)
    warnings: list[Caveat] = field(default_factory=list)
    choices: dict[str, str] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    resolved: dict[str, Any] = field(default_factory=dict)
    origin: Origin | None = None

    if typing.TYPE_CHECKING:  # `payload_replay` attaches it; the webui has no use for it

        def with_(self, /, **changes: Any) -> Capture:
            """The capture with other values in its payload, by path; see `payload_replay.vary`."""

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Capture:
        """Read a document of this or an older format, or a bare payload.

        Raises:
            FormatError: naming the place that is wrong, by its subclass what is wrong.
        """
        _check_depth(document)
        capture = _read(cls, _upgraded(document), "")
        _check_assets(capture)
        return capture

    @classmethod
    def from_json(cls, text: str | bytes) -> Capture:
        """Like `from_dict`, from JSON text."""
        return cls.from_dict(read_json(text))

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any], endpoint: str | None = None) -> Capture:
        """Wrap a bare payload: what payload-display copies, or a hand-written dict.

        Raises:
            FormatError: no `endpoint` was given and the payload's fields do not tell it.
        """
        return cls.from_dict(_wrapped(payload, endpoint))

    def to_dict(self) -> dict[str, Any]:
        return typing.cast("dict[str, Any]", _plain(self))

    def to_json(self, indent: int | None = 2) -> str:
        try:
            text = json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)
        except ValueError as error:
            raise FormatError("payload", f"{error}; JSON has no NaN or infinity") from error
        # Half of a surrogate pair, as a browser may send it, has no UTF-8.
        return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)

    def request(self, fetch: Callable[[str], bytes] | None = None) -> dict[str, Any]:
        """The body to POST: the payload with each reference replaced by base64.

        `fetch` returns an asset's bytes by its sha256; without it the document's own are used.

        Raises:
            AssetError: an asset cannot be had, or its bytes do not match its hash.
        """
        return typing.cast(
            "dict[str, Any]", inline(self.payload, lambda sha256: self.asset(sha256, fetch))
        )

    def asset(self, sha256: str, fetch: Callable[[str], bytes] | None = None) -> bytes:
        """An asset's bytes, checked against its hash. Raises AssetError."""
        known = self.assets.get(sha256)
        if known is not None and known.data is not None:
            return _decoded(sha256, known.data)
        if fetch is None:
            raise AssetError(
                f"assets.{sha256}",
                "the bytes are not in the document; export it again as JSON or as a bundle",
            )
        return checked(sha256, fetch(sha256))

    def requests(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Each (path, endpoint, payload) that the webui will run: several in a batch."""
        inner = self.payload.get("requests") if self.endpoint == BATCH else None
        if not isinstance(inner, list):
            yield "", self.endpoint, self.payload
            return
        for index, one in enumerate(inner):
            if isinstance(one, dict) and isinstance(one.get("payload"), dict):
                path = f"requests[{index}].payload."
                yield path, str(one.get("endpoint")), one["payload"]

    @property
    def samples(self) -> list[Result]:
        """The results that a replay must bring back: pictures, not grids or maps."""
        return [result for result in self.results if result.role == "sample"]


def generates(endpoint: str) -> bool:
    """Whether an endpoint makes pictures: a document from a stranger must reach no other.

    Only one name stands below `RUN`, since a client resolves dots in a path.
    """
    return endpoint in GENERATING or bool(re.fullmatch(f"{RUN}[A-Za-z0-9_-]+", endpoint))


def read_json(text: str | bytes) -> dict[str, Any]:
    """Parse JSON text that must be an object. Raises FormatError with line and column."""
    document = parse_json(text)
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise FormatError("", f"not a capture: the document is a {kind}, not an object")
    return document


MAX_VALUES = 2_000_000
"""Values in a JSON text, each of which costs Python some 100 bytes, however short it is written."""


def parse_json(text: str | bytes) -> Any:
    """Parse JSON text of at most `MAX_VALUES` values. Raises FormatError with line and column."""
    if len(text) > MAX_VALUES and _too_many(text):
        raise FormatError("", f"JSON of more than {MAX_VALUES:,} values, which is not read")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise FormatError("", f"not JSON, or cut short: {error.msg} at {where}") from error
    except UnicodeDecodeError as error:
        raise FormatError("", f"not JSON: no UTF-8 text ({error.reason})") from error
    except RecursionError as error:
        raise FormatError("", _TOO_DEEP) from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise FormatError("", f"not JSON that can be read: {error}") from error


def _too_many(text: str | bytes) -> bool:
    """Whether there are more separators than `MAX_VALUES`, those inside strings left out."""
    marks: Any = ",[{" if isinstance(text, str) else (b",", b"[", b"{")
    if sum(map(text.count, marks)) <= MAX_VALUES:
        return False
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    plain = re.sub(rb"(?s)\\.", b"", data)
    if plain.count(b'"') > 4 * MAX_VALUES:
        return True
    outside = plain.split(b'"')[::2]
    return sum(part.count(mark) for part in outside for mark in (b",", b"[", b"{")) > MAX_VALUES


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that hashes and comparisons use."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


OPAQUE = 254
"""The alpha from which a pixel counts as opaque: Forge hides the infotext in the lowest bit of the
alpha channel of what it saves (dfdcbab6, ``modules/stealth_infotext.py``)."""


def pixel_hash(mode: str, size: tuple[int, int], pixels: bytes) -> str:
    """The sha256 of a decoded picture: `mode` as Pillow names it, `pixels` row by row.

    Both sides compare pictures as RGB, or as RGBA where any pixel's alpha is below `OPAQUE`.
    """
    digest = hashlib.sha256(f"{mode} {size[0]}x{size[1]}\n".encode())
    digest.update(pixels)
    return digest.hexdigest()


def reference(sha256: str) -> dict[str, str]:
    """What stands in a payload for the asset of this hash."""
    return {REFERENCE: sha256}


def referred(value: Any) -> str | None:
    """The hash that a payload's value refers to, or None where it is no reference."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get(REFERENCE), str):
        return typing.cast(str, value[REFERENCE])
    return None


def escaped(value: Any) -> Any:
    """Write a JSON value so that none of its own mappings reads as a reference."""
    if isinstance(value, dict):
        return {("$" + k if k.startswith("$") else k): escaped(v) for k, v in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def inline(value: Any, fetch: Callable[[str], bytes]) -> Any:
    """Undo `escaped`, and replace each reference by the base64 of what `fetch` returns for it."""
    if (sha256 := referred(value)) is not None:
        return base64.b64encode(fetch(sha256)).decode("ascii")
    if isinstance(value, dict):
        return {(k[1:] if k.startswith("$") else k): inline(v, fetch) for k, v in value.items()}
    return [inline(item, fetch) for item in value] if isinstance(value, list) else value


def references(value: Any, path: str = "payload") -> Iterator[tuple[str, str]]:
    """Each (path, sha256) of the references below `value`."""
    if (sha256 := referred(value)) is not None:
        yield path, sha256
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)):  # a list may have 100,000 entries that are neither
                yield from references(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from references(item, f"{path}[{index}]")


def checked(sha256: str, data: bytes) -> bytes:
    """`data`, if it is what the hash names. Raises AssetError."""
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise AssetError(
            f"assets.{sha256}",
            f"its bytes have the hash {actual}: the file was changed or damaged; export it again",
        )
    return data


def _decoded(sha256: str, data: str) -> bytes:
    try:
        return checked(sha256, base64.b64decode(data, validate=True))
    except binascii.Error as error:
        raise AssetError(f"assets.{sha256}.data", f"not base64: {error}") from error


def is_too_deep(document: Mapping[str, Any]) -> bool:
    """Whether JSON has more than `DEEPEST` levels."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return False
    return True


def _check_depth(document: Mapping[str, Any]) -> None:
    if is_too_deep(document):
        raise FormatError("", _TOO_DEEP)


_SCALARS = (str, int, float, type(None))


def _children(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, (Mapping, list)):
        return []
    # Of a long list most are scalars, which an abstract class takes ten times as long to refuse.
    inner = (item for item in items if not isinstance(item, _SCALARS))
    return [item for item in inner if isinstance(item, (Mapping, list))]


def _check_assets(capture: Capture) -> None:
    for sha256, asset in capture.assets.items():
        if not re.fullmatch(_SHA256["pattern"], sha256):
            raise FormatError(f"assets.{sha256}", "an asset is named by its sha256 in hexadecimal")
        if asset.data is not None:
            _decoded(sha256, asset.data)
    for path, sha256 in _named(capture):
        if sha256 not in capture.assets:
            raise AssetError(path, f"refers to the asset {sha256}, which `assets` does not list")


def _named(capture: Capture) -> Iterator[tuple[str, str]]:
    yield from references(capture.payload)
    yield from references(capture.template, "template")
    for index, result in enumerate(capture.results):
        for name in ("asset", "thumbnail"):
            if (sha256 := getattr(result, name)) is not None:
                yield f"results[{index}].{name}", sha256


# ---- older formats


def _from_bare(document: dict[str, Any]) -> dict[str, Any]:
    """Format 0 is a bare payload with its endpoint; its mappings have never been escaped."""
    payload, endpoint = document.get("payload"), document.get("endpoint")
    if not isinstance(payload, dict):
        raise FormatError("payload", "missing, or not an object")
    try:
        digest = hashlib.sha256(canonical([endpoint, payload])).hexdigest()
    except (TypeError, ValueError) as error:
        raise FormatError("payload", f"not of JSON: {error}") from error
    return {
        "format": 1,
        "id": f"payload-{digest[:12]}",
        "endpoint": endpoint,
        "payload": escaped(payload),
    }


CONVERTERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {0: _from_bare}
"""Format n → a function that makes format n + 1 of it. One per step, never removed."""


def _upgraded(document: Mapping[str, Any]) -> dict[str, Any]:
    current = dict(document) if "format" in document else _wrapped(document, None)
    while (version := current["format"]) != FORMAT:
        if isinstance(version, bool) or not isinstance(version, int):
            raise FormatError("format", f"{version!r} is not a format version, an integer")
        if version > FORMAT:
            raise NewerFormatError(
                "format",
                f"written in format {version}, this release reads up to {FORMAT}: "
                "upgrade payload-replay (or the extension) and try again",
            )
        if version not in CONVERTERS:
            raise FormatError("format", f"{version} never was a format version")
        current = CONVERTERS[version](current)
    return current


def _wrapped(payload: Mapping[str, Any], endpoint: str | None) -> dict[str, Any]:
    return {"format": 0, "endpoint": endpoint or _guess(payload), "payload": dict(payload)}


def _guess(payload: Mapping[str, Any]) -> str:
    if "init_images" in payload:
        return IMG2IMG
    if {"prompt", "steps", "sampler_name", "width"} & set(payload):
        return TXT2IMG
    raise FormatError(
        "endpoint",
        "this is neither a capture nor a payload whose endpoint its fields tell "
        f"(found {', '.join(sorted(map(str, payload))[:8]) or 'nothing'}); name the endpoint",
    )


# ---- dataclasses <-> JSON


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float)) or not dataclasses.is_dataclass(value):
        return value
    return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}


@functools.cache  # it evaluates every annotation's text
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _read(cls: type[T], value: Any, path: str) -> T:
    """Make the dataclass `cls` of a JSON object; every key must be a field of it."""
    if not isinstance(value, dict):
        raise FormatError(path, f"expected an object, found {_kind(value)}")
    hints = _hints(typing.cast(Any, cls))
    known = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls))}
    if unknown := [key for key in value if key not in known]:
        expected = ", ".join(known)
        raise FormatError(_at(path, unknown[0]), f"unknown key; expected one of {expected}")
    if missing := [name for name, f in known.items() if _required(f) and name not in value]:
        raise FormatError(_at(path, missing[0]), "missing")
    read = {key: _value(hints[key], item, _at(path, key)) for key, item in value.items()}
    for key, item in read.items():
        pattern = known[key].metadata.get("pattern")
        if pattern and item is not None and not re.fullmatch(pattern, item):
            raise FormatError(_at(path, key), f"{item!r} does not match {pattern}")
    return cls(**read)


def _value(hint: Any, value: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _value(next(a for a in arguments if a is not type(None)), value, path)
    if origin is Literal:
        # True == 1 in Python, not in JSON.
        if value in arguments and type(value) is type(arguments[0]):
            return value
        choices = ", ".join(map(repr, arguments))
        raise FormatError(path, f"expected one of {choices}, found {value!r}")
    if origin is list and isinstance(value, list):
        return [_value(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {key: _value(arguments[1], item, _at(path, key)) for key, item in value.items()}
    if dataclasses.is_dataclass(hint):
        return _read(typing.cast(Any, hint), value, path)
    return _scalar(origin or hint, value, path)


def _scalar(kind: type, value: Any, path: str) -> Any:
    accepted = (int, float) if kind is float else (kind,)
    if type(value) in accepted:
        return value
    raise FormatError(path, f"expected {_NAMES[kind]}, found {_kind(value)}")


_NAMES: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else str(key)


def _required(f: dataclasses.Field[Any]) -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


# ---- JSON Schema


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the format, made from the dataclasses above."""
    definitions: dict[str, Any] = {}
    root = _object_schema(Capture, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sd-webui-payload-capture: one captured generation",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _object_schema(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = _hints(cls)
    fields = dataclasses.fields(typing.cast(Any, cls))
    properties = {}
    for f in fields:
        properties[f.name] = _schema(hints[f.name], definitions)
        if "pattern" in f.metadata:
            properties[f.name]["pattern"] = f.metadata["pattern"]
    made: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [f.name for f in fields if _required(f)]:
        made["required"] = required
    return made | {"additionalProperties": False}


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if origin in (Union, types.UnionType):
        inner = _schema(next(a for a in arguments if a is not type(None)), definitions)
        if "type" in inner:
            return inner | {"type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if dataclasses.is_dataclass(hint):
        name = typing.cast(type, hint).__name__
        if name not in definitions:
            definitions[name] = _object_schema(typing.cast(type, hint), definitions)
        return {"$ref": f"#/$defs/{name}"}
    return {"type": _JSON_TYPES[hint]}


_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


if __name__ == "__main__":  # python -m payload_replay.capture > capture.schema.json
    print(json.dumps(schema(), indent=2))
