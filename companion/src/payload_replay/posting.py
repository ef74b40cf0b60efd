"""What an exported program sends: one endpoint, one payload, and the pictures beside it as files.

Standard library and `capture` alone, as every module that `export` needs: the webui extension can
load them by path.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .capture import EXTRAS_SINGLE, Capture, FormatError

SERVER = "http://127.0.0.1:7860"
"""Where a program sends when ``WEBUI_URL`` does not say."""
URL, AUTH = "WEBUI_URL", "WEBUI_AUTH"
"""The environment variables that every program reads: address, and ``USER:PASSWORD`` if needed."""

_KINDS = {
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "webp": re.compile(rb"(?s)RIFF.{4}WEBP"),
    "avif": re.compile(rb"(?s).{4}ftypavi[fs]"),
}
_SHORTEST = 64  # characters of base64: less is no picture


@dataclass(frozen=True)
class Posting:
    """One request.

    Args:
        name: begins the name of each file that is written; letters, digits, ``._-``.
        endpoint: the path to POST to; letters, digits, ``/_.-``.
        payload: the body. With `files`, a picture's place holds a word that stands for it.
        files: the pictures beside the program, by file name.
        words: the file's name by the word that stands for it.
        server: the address that holds where ``WEBUI_URL`` is not set; never with credentials.
        suffix: of the pictures that come.
    """

    name: str
    endpoint: str
    payload: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    server: str = SERVER
    suffix: str = "png"

    @property
    def key(self) -> str:
        """The answer's key that holds the picture or pictures."""
        return "image" if self.endpoint == EXTRAS_SINGLE else "images"

    def json(self, escape: str = "", *, ascii: bool = False, indent: int | None = 2) -> str:
        """The payload as JSON text.

        Args:
            escape: characters that must not appear, and are written as ``\\uXXXX``: not those of
                JSON's own syntax, but for the backslash and the quote inside a string.
            ascii: write everything beyond ASCII that way too.
        """
        text = dumps(self.payload, ascii=ascii, indent=indent)
        # Both at once: the second half of an escaped backslash escapes no quote after it.
        pairs = {f"\\{c}": f"\\u{ord(c):04x}" for c in '\\"' if c in escape}
        text = re.sub(r"\\.", lambda pair: pairs.get(pair[0], pair[0]), text)
        return text.translate({ord(c): f"\\u{ord(c):04x}" for c in escape if c not in '\\"'})

    def filled(self, text: str, expression: Callable[[str], str]) -> str:
        """`text` with each word that stands for a picture replaced by an expression of its file."""
        for word, name in self.words.items():
            text = text.replace(word, expression(name))
        return text


def of(
    capture: Capture,
    fetch: Callable[[str], bytes] | None = None,
    server: str = SERVER,
    *,
    files: bool = False,
) -> Posting:
    """What sends `capture`; its pictures as base64 within, or beside it as files.

    Raises:
        AssetError: a picture cannot be had.
        FormatError: the payload holds what JSON has not.
    """
    payload = capture.request(fetch)
    text = dumps(payload)
    suffixes = (capture.assets[r.asset].suffix for r in capture.samples if r.asset)
    posting = Posting(
        capture.id,
        capture.endpoint,
        payload,
        server=address(server),
        suffix=next(suffixes, "png"),
    )
    if files:
        outside = _Outside(capture.id, _unused(text + capture.id))
        taken = outside.taken(payload)
        return replace(posting, payload=taken, files=outside.files, words=outside.words)
    return posting


def address(server: str) -> str:
    """A server's address without user and password. Raises FormatError where it is none."""
    found = re.fullmatch(
        r"(https?://)(?:[^/@\s]*@)?([A-Za-z0-9.:\[\]_-]+(?:/[A-Za-z0-9/_.~-]*)?)", server
    )
    if not found:
        raise FormatError("server", f"{_hidden(server)!r} is no address: expected http://HOST:PORT")
    return (found[1] + found[2]).rstrip("/")


def dumps(value: Any, *, ascii: bool = False, indent: int | None = None) -> str:
    """JSON text of exactly this value. Raises FormatError for NaN and infinity."""
    try:
        text = json.dumps(value, ensure_ascii=ascii, indent=indent, allow_nan=False)
    except ValueError as error:
        raise FormatError("payload", f"{error}; JSON has no NaN or infinity") from error
    # Half of a surrogate pair has no UTF-8, DEL is for terminals, and U+2028 ends a line for some.
    return re.sub("[\ud800-\udfff\x7f-\x9f\u2028\u2029]", _as_escape, text)


def picture(text: str) -> tuple[str, bytes, str] | None:
    """The parts of a picture's text: what stands before its base64, its bytes, its suffix.

    None where the text is no picture, or base64 that another encoder would write differently.
    """
    prefix, comma, data = text.partition(",") if text.startswith("data:image/") else ("", "", text)
    found = exact(data)
    suffix = kind(found) if found else None
    return (prefix + comma, found, suffix) if found and suffix else None


def exact(text: str) -> bytes | None:
    """The bytes of a text that is their base64 letter by letter, and as long as any picture's."""
    if len(text) < _SHORTEST:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:  # no base64, or beyond ASCII
        return None
    return data if base64.b64encode(data).decode() == text else None


def kind(data: bytes) -> str | None:
    """The suffix of a file that begins like a picture, of those that a webui saves; else None."""
    return next((suffix for suffix, start in _KINDS.items() if start.match(data)), None)


class _Outside:
    """Takes the pictures out of a payload; the same picture is one file."""

    def __init__(self, name: str, word: str) -> None:
        self.name = name
        self.word = word
        self.files: dict[str, bytes] = {}
        self.words: dict[str, str] = {}

    def taken(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.taken(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.taken(item) for item in value]
        found = picture(value) if isinstance(value, str) else None
        return value if found is None else found[0] + self._word(found[1], found[2])

    def _word(self, data: bytes, suffix: str) -> str:
        name = next((name for name, known in self.files.items() if known == data), None)
        if name is None:
            name = f"{self.name}-input-{len(self.files) + 1}.{suffix}"
            self.files[name] = data
        word = f"{self.word}{list(self.files).index(name)}E"
        self.words[word] = name
        return word


def _unused(text: str) -> str:
    """A word that the text does not hold, and that no language has to quote."""
    word = "PICTURE"
    while word in text:
        word += "X"
    return word


def _as_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _hidden(server: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", server)
