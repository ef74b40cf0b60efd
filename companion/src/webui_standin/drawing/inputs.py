"""Everything that decides a picture, in one value with one hash.

`subject` is what the picture shows (prompts, models), `noise` is its randomness (seeds),
`detail` is all the rest. Each group leads another part of the drawing, and `detail` hashes
the other two as well, so that no input can change without changing pixels.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def canonical(value: Any) -> Any:
    """Reduce a value to JSON in which equal inputs are equal: 7 is 7.0, a tuple is a list."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    return picture_hash(value) if hasattr(value, "tobytes") else repr(value)


def _number(value: float) -> int | str:
    if not math.isfinite(value) or value != int(value):
        return repr(value)
    return int(value)


def picture_hash(picture: Any) -> str:
    """SHA-256 over mode, size and pixels of a PIL picture, or over a numpy array."""
    shape = f"{getattr(picture, 'mode', '')}{getattr(picture, 'size', '')}"
    return hashlib.sha256(shape.encode() + picture.tobytes()).hexdigest()


def digest(value: Any) -> bytes:
    """SHA-256 over the canonical JSON of a value."""
    text = json.dumps(canonical(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True)
class Inputs:
    """The inputs of one picture, before size and init image."""

    subject: Mapping[str, Any] = field(default_factory=dict)
    noise: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)

    def keys(self) -> tuple[bytes, bytes, bytes]:
        """The three keys of the drawing: subject, noise, everything."""
        everything = {"subject": self.subject, "noise": self.noise, "detail": self.detail}
        return digest(self.subject), digest(self.noise), digest(everything)
