"""JSON and base64, by the fastest library that is installed (extra ``fast``)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import importlib
import json
from collections.abc import Callable
from typing import Any


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


orjson = _optional("orjson")
pybase64 = _optional("pybase64")


def dumps(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """JSON of exactly this value; what is not of JSON by `default`.

    The standard library's, always: orjson writes NaN as null, which is another payload.

    Raises:
        ValueError: the value holds NaN or infinity, or nests too deeply.
        TypeError: the value is not of JSON.
    """
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"), default=default)
    except RecursionError as error:
        raise ValueError("nested too deeply for JSON") from error
    return text.encode("ascii")


def loads_pictures(data: bytes) -> Any:
    """Parse JSON that is pictures for the most part. Raises ValueError.

    Not for documents: orjson makes a float of an integer beyond 64 bits.
    """
    if orjson is not None:
        with contextlib.suppress(ValueError):
            return orjson.loads(data)  # which refuses NaN, where the standard library does not
    return loads(data)


def loads(data: bytes) -> Any:
    """Parse JSON, exactly. Raises ValueError."""
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def b64decode(text: str) -> bytes:
    """Undo base64, with or without a ``data:`` prefix. Raises ValueError."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        if pybase64 is not None:
            return bytes(pybase64.b64decode(text, validate=True))
        # Without `validate`, which costs a pass of its own: what is decoded is looked at next.
        return base64.b64decode(text)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
