"""Python values of script arguments and processing objects as JSON.

Webui scripts hold arrays, pictures, enums, dataclasses, pydantic objects, tables and uploads; the
API takes JSON. What JSON cannot say becomes the nearest thing that a script can use, or null, with
a caveat: never a silent loss. Pictures stay `Picture` objects in the tree until the writer's
thread has encoded them: compressing a 1024 x 1024 PNG takes a hundred times as long as copying
its pixels.

This runs on the generation's thread and reads objects of anybody's making. So a value is known by
its type, never by asking the value itself; whatever it raises becomes a caveat; and the number of
values, characters and pixels is bounded. Nothing here imports numpy, pandas, torch or pydantic.
"""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import enum
import io
import itertools
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

from payload_capture import pictures
from payload_capture.capture import Caveat, Severity
from payload_capture.pictures import Picture as Picture

MAX_DEPTH = 32
MAX_ITEMS = 100_000
"""Values that one capture holds; reading as many takes a tenth to half a second."""
MAX_TEXT = 64 << 20
"""Characters that one capture holds."""
MAX_CAVEATS = 100
_MAX_BITS = 1024
"""Bits of the largest integer; Python does not read numbers of thousands of digits back."""

# What a hostile value may raise; what ends the process is not a value's to raise.
_RAISED = (Exception, SystemExit, GeneratorExit)


class Encoder:
    """Turns the values of one capture into JSON; `caveats` collects what could not be said.

    `uploads` False leaves paths alone: those of an API request were not made by the page, and no
    request may have a file read.
    """

    def __init__(self, uploads: bool = True) -> None:
        self.caveats: list[Caveat] = []
        self._folder = upload_folder() if uploads else None
        self._items = MAX_ITEMS
        self._text = MAX_TEXT
        self._pixels = pictures.MAX_BYTES
        self._open: set[int] = set()

    def encode(self, value: Any, path: str, depth: int = 0) -> Any:
        """`value` as JSON, with `Picture` objects where pictures stand. Never raises."""
        try:
            return self._encode(value, path, depth)
        except _RAISED as error:
            return self.lost(path, f"{type(value).__name__} raised {_told(error)} when it was read")

    def lost(self, path: str, reason: str) -> Any:
        """Null, with a caveat that says why."""
        self.warn(path, f"{reason}; sent as null")
        return None

    def warn(self, path: str, reason: str, severity: Severity = "pixels") -> None:
        """Note what is not as it was on the page. `path` is that of the place in the payload."""
        if len(self.caveats) < MAX_CAVEATS:
            self.caveats.append(Caveat(path, reason, severity))
        elif len(self.caveats) == MAX_CAVEATS:
            self.caveats.append(Caveat(path, f"more than {MAX_CAVEATS} caveats; no more listed"))

    def attributes(
        self, value: Any, names: Iterable[str], path: str, depth: int = 0
    ) -> dict[str, Any]:
        """A mapping of these attributes; one that raises is null, the others stay."""
        return {name: self._attribute(value, name, f"{path}.{name}", depth) for name in names}

    def _attribute(self, value: Any, name: str, path: str, depth: int) -> Any:
        try:
            item = getattr(value, name)
        except _RAISED as error:
            return self.lost(path, f"reading it raised {_told(error)}")
        return self.encode(item, path, depth + 1)

    def upload(self, name: str, path: str) -> Any:
        """The picture in a file that the page uploaded; null with a caveat for any other file."""
        shown = os.path.basename(name)
        try:
            image = pictures.of_file(name)
        except _RAISED as error:
            away = "put it into a folder of the server and give its path there"
            return self.lost(path, f"an upload, {shown}, is no picture: {_told(error)}; {away}")
        self.warn(path, f"an upload, {shown}, was sent as the picture instead of its path")
        return self._picture(image, "", path)

    def is_upload(self, name: str) -> bool:
        """Whether this is a file in the folder that the page uploads to."""
        if self._folder is None or len(name) > 4096 or not name.startswith(self._folder):
            return False
        within = os.path.realpath(name).startswith(os.path.realpath(self._folder) + os.sep)
        return within and os.path.isfile(name)

    def _encode(self, value: Any, path: str, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if depth > MAX_DEPTH:
            return self.lost(path, f"nested more than {MAX_DEPTH} levels deep")
        if not self._afford(1):
            return self.lost(path, f"a capture holds {MAX_ITEMS} values at most")
        if id(value) in self._open:
            return self.lost(path, "it contains itself")
        for known, convert in _KINDS:
            if known(kind):
                return self._convert(convert, value, path, depth)
        return self.lost(path, f"a {kind.__module__}.{kind.__name__} is not JSON")

    def _convert(self, convert: Convert, value: Any, path: str, depth: int) -> Any:
        self._open.add(id(value))
        try:
            return convert(self, value, path, depth)
        finally:
            self._open.discard(id(value))

    def _afford(self, items: int) -> bool:
        if items > self._items:
            return False
        self._items -= items
        return True

    # ---- one method per kind of value

    def number(self, value: float, path: str, depth: int) -> Any:
        plain = float.__float__(value)
        if math.isfinite(plain):
            return plain
        if math.isnan(plain):
            return self.lost(path, "nan is not JSON")
        largest = math.copysign(sys.float_info.max, plain)
        self.warn(path, f"{plain} is not JSON; sent as {largest}")
        return largest

    def whole(self, value: int, path: str, depth: int) -> Any:
        plain = int.__int__(value)
        if plain.bit_length() > _MAX_BITS:
            return self.lost(path, f"an integer of {plain.bit_length()} bits")
        return plain

    def text(self, value: str, path: str, depth: int) -> Any:
        plain = str.__str__(value)
        if len(plain) > self._text:
            return self.lost(path, f"a text of {len(plain)} characters is too long for a capture")
        self._text -= len(plain)
        return self.upload(plain, path) if self.is_upload(plain) else plain

    def octets(self, value: Any, path: str, depth: int) -> Any:
        size = memoryview(value).nbytes
        if size > self._text:
            return self.lost(path, f"{size} bytes are too many for a capture")
        self._text -= size
        return base64.b64encode(value).decode()

    def image(self, value: Any, path: str, depth: int) -> Any:
        if pictures.raw_size(value) > self._pixels:
            return self.lost(path, f"a picture of {value.width} x {value.height} is too large")
        try:
            image, change = pictures.of_image(value)
        except pictures.NotPortableError as error:
            return self.lost(path, str(error))
        return self._picture(image, change, path)

    def _picture(self, image: Any, change: str, path: str) -> Any:
        if pictures.raw_size(image) > self._pixels:
            return self.lost(path, f"a picture of {image.width} x {image.height} is too large")
        self._pixels -= pictures.raw_size(image)
        if change:
            self.warn(path, change)
        return Picture(image)

    def mapping(self, value: Mapping[Any, Any], path: str, depth: int) -> Any:
        if len(value) > self._items:
            return self.lost(path, f"a mapping of {len(value)} keys is too large for a capture")
        if self._is_file(value):
            return self._file(value, path)
        made: dict[str, Any] = {}
        for key, item in itertools.islice(value.items(), self._items + 1):
            name = str(key.value if isinstance(key, enum.Enum) else key)
            # The format's own escape: a key of the script's must not read as a reference.
            escaped = "$" + name if name.startswith("$") else name
            if escaped in made:
                self.warn(f"{path}.{name}", "two keys are the same in JSON; the first was sent")
                continue
            made[escaped] = self.encode(item, f"{path}.{name}", depth + 1)
        return made

    def _is_file(self, value: Mapping[Any, Any]) -> bool:
        name = value.get("name")
        return "is_file" in value and type(name) is str and self.is_upload(name)

    def _file(self, value: Mapping[Any, Any], path: str) -> Any:
        # How gradio 3.41 itself says a file by content (components/base.py, FileSerializable).
        name = value["name"]
        data = self.upload(name, f"{path}.data")
        return {"name": os.path.basename(name), "data": data, "is_file": False}

    def sequence(self, value: Any, path: str, depth: int) -> Any:
        if len(value) > self._items:
            return self.lost(path, f"a list of {len(value)} items is too long for a capture")
        items = itertools.islice(value, self._items + 1)
        return [self.encode(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(items)]

    def unordered(self, value: Set[Any], path: str, depth: int) -> Any:
        """A set, in an order that does not depend on the process."""
        if len(value) > self._items:
            return self.lost(path, f"a set of {len(value)} items is too large for a capture")
        return self.sequence(sorted(value, key=repr), path, depth)

    def dataclass(self, value: Any, path: str, depth: int) -> Any:
        return self.attributes(value, (f.name for f in dataclasses.fields(value)), path, depth)

    def model(self, value: Any, path: str, depth: int) -> Any:
        """A pydantic object of version 1 or 2, with the fields that its class lets in unnamed."""
        declared = getattr(type(value), "model_fields", None) or type(value).__fields__
        return self.attributes(value, dict.fromkeys([*declared, *_unnamed(value)]), path, depth)

    def file(self, value: Any, path: str, depth: int) -> Any:
        """A file object; gradio 3's `gr.File` gives `tempfile._TemporaryFileWrapper`."""
        name = value.name
        if isinstance(name, str) and self.is_upload(name):
            return self.upload(name, path)
        return self.lost(path, f"a file, {os.path.basename(str(name))}, is not JSON")

    def array(self, value: Any, path: str, depth: int) -> Any:
        if value.ndim == 0:
            item = value.item()
            return self.encode(float(item) if type(item) is type(value) else item, path, depth + 1)
        if pictures.is_shaped(value.shape) and value.nbytes > max(self._pixels, 8 * self._items):
            return self.lost(path, f"{_described(value)} is too large for a capture")
        if (made := pictures.of_array(value)) is not None:
            return self._picture(*made, path)
        if value.dtype.name == "uint8" and value.ndim == 4 and pictures.is_shaped(value.shape[1:]):
            return self.sequence(value, path, depth)
        return self._numbers(value, path, depth)

    def _numbers(self, value: Any, path: str, depth: int) -> Any:
        if value.size > self._items:
            return self.lost(path, f"{_described(value)} is no picture and too large for a capture")
        kind = value.dtype.kind
        if kind in "biu" or (kind == "f" and _all_finite(value)):
            self._afford(value.size)
            return (value.astype("float64") if kind == "f" else value).tolist()
        plain = value.astype("float64") if kind == "f" else value
        return self.encode(plain.tolist(), path, depth + 1)

    def tensor(self, value: Any, path: str, depth: int) -> Any:
        """A torch tensor, as the array of its values."""
        return self.array(value.detach().cpu().numpy(), path, depth)

    def table(self, value: Any, path: str, depth: int) -> Any:
        """A pandas DataFrame: its rows, which is what an API's `gr.Dataframe` takes."""
        if value.size > self._items:
            return self.lost(path, f"a table of {value.size} cells is too large for a capture")
        return self.encode(value.values.tolist(), path, depth + 1)


Convert = Callable[[Encoder, Any, str, int], Any]


def upload_folder() -> str:
    """Where gradio puts what a page uploads (3.41.2 and 4.40.0, routes.py and utils.py)."""
    named = os.environ.get("GRADIO_TEMP_DIR")
    return named or os.path.join(tempfile.gettempdir(), "gradio")


def _told(error: BaseException) -> str:
    try:
        return repr(error)[:200]
    except _RAISED:
        return type(error).__name__


def _described(array: Any) -> str:
    shape = " x ".join(str(length) for length in array.shape)
    return f"an array of {shape} {array.dtype.name}"


def _all_finite(array: Any) -> bool:
    return bool(((array == array) & (abs(array) != math.inf)).all())


def _unnamed(model: Any) -> Iterable[str]:
    extra = getattr(model, "__pydantic_extra__", None)
    return extra if isinstance(extra, dict) else vars(model)


def _of(*kinds: type) -> Callable[[type], bool]:
    return lambda kind: issubclass(kind, kinds)


def _named(package: str, *names: str) -> Callable[[type], bool]:
    """Tells the classes of a package that need not be installed."""

    def known(kind: type) -> bool:
        return any(
            base.__name__ in names and base.__module__.partition(".")[0] == package
            for base in kind.__mro__
        )

    return known


def _is_model(kind: type) -> bool:
    fields = (getattr(kind, name, None) for name in ("model_fields", "__fields__"))
    return any(isinstance(found, Mapping) for found in fields)


# Ordered: the first whose test holds converts. An enum may be a str, a pydantic model a mapping.
_KINDS: tuple[tuple[Callable[[type], bool], Convert], ...] = (
    (_of(enum.Enum), lambda e, v, p, d: e.encode(v.value, p, d + 1)),
    (_of(str), Encoder.text),
    (_of(int), Encoder.whole),
    (_of(float), Encoder.number),
    (_named("PIL", "Image"), Encoder.image),
    (_of(bytes, bytearray, memoryview), Encoder.octets),
    (_is_model, Encoder.model),
    (_of(Mapping), Encoder.mapping),
    (dataclasses.is_dataclass, Encoder.dataclass),
    (_of(list, tuple, range, collections.deque, collections.UserList), Encoder.sequence),
    (_of(Set), Encoder.unordered),
    (_named("numpy", "ndarray", "generic"), Encoder.array),
    (_named("torch", "Tensor"), Encoder.tensor),
    (_named("pandas", "DataFrame"), Encoder.table),
    (_named("pandas", "Series", "Index"), lambda e, v, p, d: e.encode(v.tolist(), p, d + 1)),
    (_named("tempfile", "_TemporaryFileWrapper"), Encoder.file),
    (_of(io.IOBase), Encoder.file),
    (_of(os.PathLike), lambda e, v, p, d: e.encode(os.fspath(v), p, d + 1)),
    (_of(datetime.date, datetime.time), lambda e, v, p, d: v.isoformat()),
)
