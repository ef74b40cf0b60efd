"""A curl command line, read for the body that it POSTs; nothing is run."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import shellwords
from .capture import RUN, FormatError, read_json
from .shells import BLOCK
from .shellwords import Command, Word

MAX_CHARACTERS = 32 * 2**20
"""Of a command line; more is not read."""

# No two parts of these can share a run of blanks, so that none is tried at each of its places.
_STARTS = re.compile(r"(?im)^[^\S\n]*(?:\$ |> )?(?:curl(?:\.exe)?|https?)\s")
# A browser's: the first quote has a caret before it.
_CARETS = re.compile(r'\s*(?=\S)[^\'"\n]*\^"')
_CMD = re.compile(r"(?i)\s*(?:@echo off|(?:(?=\S)[^\n]*\s|(?<=\s))\^\r?\n)")
_BODY = {"-d", "--data", "--data-ascii", "--data-raw", "--data-binary", "--json"}
_NO_JSON = {"-F", "--form", "--data-urlencode", "-G", "--get", "-T", "--upload-file", "-K"}
# Those with an argument, of `curl --help all`; an unknown long option counts as without.
_SHORT = "ACDEHKPQTUXYbcdehmortuwxyz"
_LONG = {
    "user", "header", "request", "url", "output", "user-agent", "cookie", "cookie-jar", "referer",
    "max-time", "connect-timeout", "proxy", "proxy-user", "cacert", "cert", "cert-type", "key",
    "retry", "retry-delay", "retry-max-time", "resolve", "interface", "limit-rate", "write-out",
    "dump-header", "ciphers", "tls-max", "oauth2-bearer", "form", "upload-file", "config",
    "data-urlencode", "range", "max-redirs", "noproxy", "netrc-file", "trace", "unix-socket",
    "data", "data-ascii", "data-raw", "data-binary", "json", "auth",
}  # fmt: skip


def is_command(text: str) -> bool:
    """Whether a line of this text calls curl."""
    return _STARTS.search(text[:20_000]) is not None


def read(text: str, folder: Path | None = None) -> tuple[str, dict[str, Any]]:
    """The endpoint and the payload that a command sends.

    Args:
        text: bash, or cmd as a browser's "Copy as cURL (cmd)" writes it.
        folder: where the files that ``@name`` names may lie; without it none is read.

    Raises:
        FormatError: no curl command, one that POSTs no JSON, or more than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormatError("", f"a command of more than {MAX_CHARACTERS >> 20} Mi characters")
    carets = _CARETS.match(text) is not None
    as_cmd = carets or _CMD.match(text) is not None
    commands = shellwords.cmd(text) if as_cmd else shellwords.bash(text)
    found = [each for each in commands if _program(each) in ("curl", "http", "https")]
    if len(found) != 1:
        raise FormatError("", f"{len(found)} curl commands in this text, where one is expected")
    url, body = _sent(found[0], _Files(folder, found[0].stdin, text))
    return endpoint(url), read_json(_undoubled(body) if carets else body)


def endpoint(url: str) -> str:
    """The API's path in an address, without what a proxy puts before it. Raises FormatError."""
    path = urlsplit(re.sub(r"[\[\]]", "", url)).path
    start = max(path.find("/sdapi/"), path.find(RUN))
    if start < 0:
        raise FormatError("", f"{path or url!r} is no path of the webui's API, /sdapi/v1/…")
    return path[start:]


def _program(command: Command) -> str:
    name = re.split(r"[/\\]", command.words[0])[-1].lower()
    return name.removesuffix(".exe").removeprefix("@")


class _Files:
    """What ``@name`` stands for: the here-document, our own block, or a file that may be read."""

    def __init__(self, folder: Path | None, stdin: str | None, text: str) -> None:
        self.folder, self.stdin, self.text = folder, stdin, text

    def read(self, name: str) -> str:
        if name == "-" and self.stdin is not None:
            return self.stdin
        if BLOCK[0] in self.text:
            return self._block()
        if name == "-":
            raise FormatError(
                "", "the body comes from standard input: put it into a file, as @file"
            )
        if self.folder is None:
            raise FormatError("", f"the body is in {name!r}, which is read only with --files")
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise FormatError("", f"{name!r} is outside the command's own folder: not read")
        try:
            with path.open("rb") as file:
                return file.read(MAX_CHARACTERS).decode()
        except (OSError, ValueError) as error:
            raise FormatError("", f"{name!r} cannot be read: {error}") from error

    def _block(self) -> str:
        if "ReadAllBytes" in self.text.partition(BLOCK[0])[0]:
            raise FormatError("", "its pictures are files beside it: export it with them inside")
        data = self.text.partition(BLOCK[0])[2].partition(BLOCK[1])[0]
        try:
            return base64.b64decode("".join(data.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise FormatError("", f"the block of base64 is damaged: {error}") from error


def _sent(command: Command, files: _Files) -> tuple[str, str]:
    url, method, parts = "", "POST", []
    for option, value in _options(command.words[1:]):
        if option in _NO_JSON:
            raise FormatError("", f"curl's {option} sends no JSON, which the API takes")
        if option in ("-X", "--request"):
            method = value.upper()
        elif option in _BODY:
            parts.append(_body(option, value, files))
        elif option in ("", "--url") and "/" in value and not url:
            url = value
    if _program(command) != "curl" and command.stdin:
        parts.append(command.stdin)
    if not url or not parts or method != "POST":
        raise FormatError("", "this command POSTs nothing: copy the request that generates")
    return url, "&".join(parts)


def _options(words: list[Word]) -> Iterator[tuple[str, Word]]:
    """Each option with its argument; an argument alone has the option ``""``."""
    left = iter(words)
    for word in left:
        if word.startswith("--"):
            yield word, next(left, Word("")) if word[2:] in _LONG else Word("")
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word, left)
        else:
            yield "", word


def _short(word: Word, left: Iterator[Word]) -> Iterator[tuple[str, Word]]:
    for at, letter in enumerate(word[1:], 2):
        if letter in _SHORT or letter == "F":
            rest = Word(word[at:])
            rest.unknown = word.unknown
            yield f"-{letter}", rest or next(left, Word(""))
            return
        yield f"-{letter}", Word("")


def _body(option: str, value: Word, files: _Files) -> str:
    if value.unknown:
        raise FormatError("", f"the body holds {value.unknown}, which only the shell knows")
    if not value.startswith("@") or option == "--data-raw":
        return value
    text = files.read(value[1:])
    # curl takes line ends out of what -d reads from a file.
    return text if option in ("--data-binary", "--json") else re.sub(r"[\r\n]", "", text)


def _undoubled(body: str) -> str:
    """Undo a browser's doubling of backslashes, which cmd and the C runtime leave as it is.

    Chromium writes each backslash twice ("Copy as cURL (cmd)"), though only those before a quote
    count as one; a body in which some other stands alone was not written by it.
    """
    runs = re.findall(r'(\\+)("?)', body)
    if any(len(run) % 2 for run, quote in runs if not quote):
        return body
    return re.sub(r'(\\+)("?)', lambda m: m[0] if m[2] else m[1][::2], body)
