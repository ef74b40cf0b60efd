"""A capture as a folder: its payload as text to read and edit, its pictures as files beside it.

``payload.json`` holds the request (method, endpoint, payload), with ``file:NAME`` where a picture
was; `payload_replay.source` takes it back, and what is sent then is what would have been sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from . import attachments, images, paths, posting
from .attachments import FILE
from .capture import Capture
from .errors import BadSource
from .files import create
from .paths import Step

DOCUMENT = "payload.json"
_PREFIX = re.compile(r"data:[\w/+.;=-]*;base64,")


def unpack(
    capture: Capture, folder: Path, fetch: Callable[[str], bytes] | None = None
) -> list[Path]:
    """Write the folder; the files, `payload.json` first.

    What is base64 but not of a picture, or spelt so that a file would not give the same text back,
    stays in the payload.

    Args:
        folder: made where there is none; else it must be empty.
        fetch: returns an asset's bytes by its sha256, where the capture does not hold them.

    Raises:
        BadSource: the folder holds something already.
        AssetError: a picture cannot be had.
    """
    found = _Files()
    payload = attachments.mapped(capture.request(fetch), [], found.named)
    request = {"method": "POST", "endpoint": capture.endpoint, "payload": payload}
    text = json.dumps(request, indent=2, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BadSource(f"{folder}: is not empty, and nothing is overwritten: name another")
    files = {DOCUMENT: text.encode("utf-8", "surrogatepass"), **found.files}
    for name, data in files.items():
        create(folder / name, data)
    return [folder / name for name in files]


class _Files:
    """The pictures of a payload by the names of their files; equal ones are one file."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._names: dict[bytes, str] = {}

    def named(self, text: str, steps: Sequence[Step]) -> str:
        """What stands in the payload for a text in a picture's place."""
        if text.startswith(FILE):
            return FILE + text
        match = _PREFIX.match(text)
        prefix = match[0] if match else ""
        picture = _picture(text[len(prefix) :])
        if picture is None:
            return text
        return f"{prefix}{FILE}{self._name(*picture, steps)}"

    def _name(self, data: bytes, suffix: str, steps: Sequence[Step]) -> str:
        if data not in self._names:
            stem = re.sub(r"[^A-Za-z0-9_]+", "-", paths.written(steps)).strip("-")[-60:]
            names = [f"{stem}.{suffix}", *(f"{stem}-{n}.{suffix}" for n in range(2, 10_000))]
            taken = {name.lower() for name in self.files}
            self._names[data] = next(name for name in names if name.lower() not in taken)
            self.files[self._names[data]] = data
        return self._names[data]


def _picture(text: str) -> tuple[bytes, str] | None:
    """The bytes of a picture and its suffix; None for a text that a file would not give back."""
    data = posting.exact(text)
    # A file that is too large would not be read back.
    if data is None or len(data) > attachments.MAX_BYTES:
        return None
    try:
        return data, images.suffix(data)
    except images.NotAPicture:
        return None
