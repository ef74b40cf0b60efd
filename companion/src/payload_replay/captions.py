"""What a real server said that pictures show: the answers of ``interrogate``, in a folder's file.

They are no captures, for no picture comes back; one answers to the same pixels and the same model.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import contents, files
from .capture import FormatError, read_json
from .errors import BadSource
from .hostlists import API
from .matching import pictured

INTERROGATE = f"{API}interrogate"
FILE = "captions.json"
MODEL = "clip"
"""The model of a request that names none: A1111 v1.10.1, its ``/openapi.json``."""
MAX_BYTES = 64 * 2**20
"""Size of the file beyond which it is not read."""

_LONGEST = 200


@dataclass(frozen=True)
class Question:
    """A picture, as the rule of `matching` has it, and the model that is to say what it shows."""

    picture: str
    model: str


def question(payload: Mapping[str, Any]) -> Question:
    """What a request asks. Raises FormatError."""
    image, model = payload.get("image"), payload.get("model", MODEL)
    for name, value in (("image", image), ("model", model)):
        if not isinstance(value, str):
            raise FormatError(name, f"expected a text, not {type(value).__name__}")
    shown = pictured(str(image))
    if len(shown) > _LONGEST:  # no picture that this package decodes
        shown = f"text {hashlib.sha256(shown.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return Question(shown, str(model))


class Captions:
    """The captions of a folder; every method may be called from any thread.

    Attributes:
        path: their file, which need not be there.
        broken: why what lies there cannot be read; it is left as it is.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.broken = ""
        self._lock = threading.Lock()
        self._known: dict[Question, str] = {}
        try:
            self._known = _read(self.path) if self.path.exists() else {}
        except (FormatError, BadSource) as error:
            self.broken = str(error)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, asked: Question) -> str | None:
        """The answer to a question, if it was recorded."""
        with self._lock:
            return self._known.get(asked)

    def models(self, asked: Question) -> list[str]:
        """The models that said something of the picture."""
        with self._lock:
            return sorted(one.model for one in self._known if one.picture == asked.picture)

    def keep(self, asked: Question, caption: str) -> None:
        """Keep an answer, in place of an older one. Raises OSError."""
        if self.broken:
            raise FileExistsError(f"{self.path} is not overwritten: {self.broken}")
        with self._lock:
            known = self._known | {asked: caption}
            rows = [asdict(one) | {"caption": text} for one, text in known.items()]
            files.write(self.path, json.dumps({"captions": rows}, indent=2).encode())
            self._known = known


def _read(path: Path) -> dict[Question, str]:
    rows = read_json(contents.read(path, MAX_BYTES)).get("captions")
    if not isinstance(rows, list):
        raise FormatError("captions", "missing, or not a list")
    return dict(_row(index, row) for index, row in enumerate(rows))


def _row(index: int, row: Any) -> tuple[Question, str]:
    names = ("picture", "model", "caption")
    values = [row.get(name) if isinstance(row, dict) else None for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str):
            raise FormatError(f"captions[{index}].{name}", "missing, or not a text")
    picture, model, caption = map(str, values)
    return Question(picture, model), caption
