"""A request's body that comes in chunks: RFC 9112, section 7.1."""

from __future__ import annotations

import re
from io import BufferedIOBase

MAX_LINE = 4096
"""Bytes of a chunk's first line and of a trailer's, at most."""
MAX_CHUNKS = 1_000_000
MAX_TRAILERS = 100

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class Malformed(ValueError):
    """Bytes that are no chunks."""


class TooLarge(ValueError):
    """A body beyond its limit."""


def read(file: BufferedIOBase, limit: int) -> bytes:
    """The body, with its trailer read and dropped.

    Args:
        limit: bytes at most.

    Raises:
        EOFError: it ends half-way.
        Malformed: it is none, or has more chunks or trailers than any client sends.
        TooLarge: see `limit`; nothing beyond it was read.
    """
    body = bytearray()
    for _ in range(MAX_CHUNKS):
        size = _size(_line(file))
        if size == 0:
            _skip_trailers(file)
            return bytes(body)
        if len(body) + size > limit:
            raise TooLarge(f"a body of {limit} bytes is the most")
        body += exactly(file, size)
        if _line(file):
            raise Malformed("a chunk is longer than it says")
    raise Malformed(f"more than {MAX_CHUNKS} chunks")


def _size(line: bytes) -> int:
    found = _SIZE.fullmatch(line)
    if found is None:
        raise Malformed(f"{line[:20]!r} is no size of a chunk")
    return int(found[1], 16)


def _line(file: BufferedIOBase) -> bytes:
    line = file.readline(MAX_LINE)
    if not line.endswith(b"\n"):
        raise Malformed("a line of a chunk without an end") if len(line) == MAX_LINE else EOFError
    return line[:-1].removesuffix(b"\r")


def exactly(file: BufferedIOBase, size: int) -> bytes:
    """So many bytes. Raises EOFError."""
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _skip_trailers(file: BufferedIOBase) -> None:
    for _ in range(MAX_TRAILERS):
        if not _line(file):
            return
    raise Malformed(f"more than {MAX_TRAILERS} trailers")
