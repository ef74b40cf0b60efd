"""What stands in the page's script: its literals, without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'")
_PATTERN = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n\[])+/[a-z]*")
_BEFORE_PATTERN = re.compile(r"(?:^|[(,=:\[!&|?{};]|\breturn|=>)\s*$")
_WORD = re.compile(r"[\w$]+|\s+")


class Token(NamedTuple):
    """A piece of a script. `kind` is "text", "template" (the text between two values of a template)
    or "code"; blanks and comments are left out."""

    kind: str
    value: str
    line: int


def tokens(source: str) -> list[Token]:
    """The pieces of a script, with texts joined that are added up from several literals."""
    joined: list[Token] = []
    for token in _pieces(source, 0, len(source)):
        added = len(joined) > 1 and joined[-1].value == "+" and joined[-2].kind == "text"
        if token.kind == "text" and added:
            joined[-2:] = [Token("text", joined[-2].value + token.value, joined[-2].line)]
        else:
            joined.append(token)
    return joined


def _pieces(source: str, at: int, end: int) -> Iterator[Token]:
    while at < end:
        line = source.count("\n", 0, at) + 1
        if found := _COMMENT.match(source, at):
            at = found.end()
        elif found := _STRING.match(source, at):
            yield Token("text", _value(found.group()), line)
            at = found.end()
        elif source[at] == "`":
            close = _closing(source, at)
            yield from _template(source, at + 1, close)
            at = close + 1
        elif source[at] == "/" and _BEFORE_PATTERN.search(source[max(0, at - 20) : at]):
            at = _pattern_end(source, at)
        elif found := _WORD.match(source, at):
            if not found.group().isspace():
                yield Token("code", found.group(), line)
            at = found.end()
        else:
            yield Token("code", source[at], line)
            at += 1


def _value(literal: str) -> str:
    braced = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda m: f"\\U{int(m[1], 16):08x}", literal)
    value: str = ast.literal_eval(braced)
    return value


def _pattern_end(source: str, at: int) -> int:
    found = _PATTERN.match(source, at)
    return found.end() if found else at + 1


def _closing(source: str, at: int) -> int:
    """Where the template that begins at `at` ends."""
    at += 1
    while source[at] != "`":
        if source[at] == "\\":
            at += 2
        elif source.startswith("${", at):
            at = _brace(source, at + 2) + 1
        else:
            at += 1
    return at


def _brace(source: str, at: int) -> int:
    """Where the value of a template that begins at `at` ends."""
    depth = 0
    while depth or source[at] != "}":
        if source[at] == "`":
            at = _closing(source, at)
        elif found := _STRING.match(source, at):
            at = found.end() - 1
        else:
            depth += {"{": 1, "}": -1}.get(source[at], 0)
        at += 1
    return at


def _template(source: str, at: int, end: int) -> Iterator[Token]:
    start = at
    while at < end:
        if source[at] == "\\":
            at += 2
        elif source.startswith("${", at):
            yield Token("template", source[start:at], source.count("\n", 0, start) + 1)
            close = _brace(source, at + 2)
            yield from _pieces(source, at + 2, close)
            at = start = close + 1
        else:
            at += 1
    yield Token("template", source[start:end], source.count("\n", 0, start) + 1)
