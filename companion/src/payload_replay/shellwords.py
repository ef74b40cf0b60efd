"""A command line taken apart as bash and as cmd do it, with nothing run and nothing expanded.

Python's `shlex` knows neither ``$'…'`` nor here-documents nor carets. What only a shell could know
(a variable, what a command prints) stays in the text as it is, and marks its word as `unknown`;
``${NAME:-text}`` is its text, since that is what it stands for where nobody set the variable.

Every scan is linear in the text, and holds no more than a few copies of it: words are counted, and
written piece by piece into one buffer each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice

from .capture import FormatError

MAX_WORDS = 100_000
"""Of a whole text; with more it is not read."""


class Word(str):
    """One argument; `unknown` names what in it only a shell could know."""

    unknown: str = ""


@dataclass
class Command:
    """The words of one command, and the here-document or here-string that it reads."""

    words: list[Word] = field(default_factory=list)
    stdin: str | None = None


_PLAIN = re.compile(r"[^\s'\"\\$`|&;<>()]+")
_OPERATOR = re.compile(r"<<<|<<-?|&&|\|\||[|&;()\n]|\d*[<>]+&?")
_NUMBERED = re.compile(r"\d+[<>]+&?")
_IN_DOUBLE = re.compile(r'[^"\\$`]+')
_ANSI = re.compile(r"(?s)[^'\\]+|\\.")
_ESCAPE = re.compile(
    r"(?s)\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))"
)
_LETTERS = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True))
_DEFAULT = re.compile(r"\$\{(\w+):([-+])")
_VARIABLE = re.compile(r"\$(?:\w+|[@*#?$!-])")


def bash(text: str) -> list[Command]:
    """The commands of a bash script, one after the other, whatever joins them.

    Raises:
        FormatError: a quote or a substitution has no end, or there are more than `MAX_WORDS`.
    """
    return _Bash(text.replace("\r\n", "\n")).commands()


def cmd(text: str) -> list[Command]:
    """The commands of a batch file, or of what a browser copies "as cURL (cmd)".

    Raises:
        FormatError: a quote has no end, or there are more than `MAX_WORDS`.
    """
    found: list[Command] = []
    count = 0
    for line in _caret_lines(text.replace("\r\n", "\n")):
        words = [Word(word) for word in islice(c_arguments(line), MAX_WORDS + 1)]
        count = _counted(count, len(words))
        if words:
            found.append(Command(words))
    return found


class _Bash:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.parts: StringIO | None = None
        self.unknown = ""
        self.count = 0
        self.found: list[Command] = [Command()]
        self.waiting: list[tuple[Command, str, bool, bool]] = []

    def commands(self) -> list[Command]:
        while self.at < len(self.text):
            self._step()
        self._end_word()
        return [command for command in self.found if command.words]

    def _step(self) -> None:
        text, at = self.text, self.at
        character = text[at]
        if character in " \t":
            self._end_word()
            self.at += 1
        elif character == "#" and self.parts is None:
            self.at = _until(text, "\n", at)
        elif character == "\\":
            if not text.startswith("\n", at + 1):
                self._add(text[at + 1 : at + 2] or "\\")
            self.at += 2
        elif character in "'\"$`":
            self._quoted(character)
        elif found := self._numbered():
            self._operator(found[0], found.end())
        elif found := _PLAIN.match(text, at):
            self._add(found[0])
            self.at = found.end()
        elif found := _OPERATOR.match(text, at):
            self._operator(found[0], found.end())
        else:
            self._end_word()
            self.at += 1

    def _numbered(self) -> re.Match[str] | None:
        """A redirection with its descriptor, ``2>``; inside a word digits are its own."""
        return _NUMBERED.match(self.text, self.at) if self.parts is None else None

    def _quoted(self, character: str) -> None:
        text, at = self.text, self.at
        if character == "'":
            end = _closing(text, "'", at + 1)
            self._add(text[at + 1 : end])
            self.at = end + 1
        elif text.startswith("$'", at):
            end = at + 2
            while part := _ANSI.match(text, end):
                end = part.end()
            self._add(_ESCAPE.sub(_unescaped, text[at + 2 : end]))
            self.at = _closing(text, "'", end) + 1
        elif character == '"' or text.startswith('$"', at):
            self.at += 1 if character == '"' else 2
            self._double()
        else:
            self._substitution()

    def _double(self) -> None:
        self._add("")
        while not self.text.startswith('"', self.at):
            if self.at >= len(self.text):
                raise FormatError("", 'a command line whose " has no end')
            if found := _IN_DOUBLE.match(self.text, self.at):
                self._add(found[0])
                self.at = found.end()
            elif self.text[self.at] == "\\":
                self._in_double()
            else:
                self._substitution()
        self.at += 1

    def _in_double(self) -> None:
        after = self.text[self.at + 1 : self.at + 2]
        self._add("" if after == "\n" else after if after in '$`"\\' else "\\" + after)
        self.at += 2

    def _substitution(self) -> None:
        text, at = self.text, self.at
        if found := _DEFAULT.match(text, at):
            end = _closing(text, "}", at)
            if found[2] == "-":
                self._add(text[found.end() : end])
            self.at = end + 1
            return
        if text.startswith("${", at):
            end = _closing(text, "}", at) + 1
        elif text.startswith("$(", at):
            end = _closing(text, ")", at) + 1
        elif text[at] == "`":
            end = _closing(text, "`", at + 1) + 1
        else:
            match = _VARIABLE.match(text, at)
            end = match.end() if match else at + 1
            if match is None:
                self._add("$")
                self.at = end
                return
        self.unknown = self.unknown or text[at:end]
        self._add(text[at:end])
        self.at = end

    def _operator(self, operator: str, end: int) -> None:
        self._end_word()
        self.at = end
        if operator in ("<<", "<<-"):
            self._here(operator == "<<-")
        elif operator[-1] in "<>&" and operator not in ("&", "&&"):
            self._redirected(operator)
        else:
            if not self.found[-1].words:  # what ends here is none, and empty lines are many
                self.found.pop()
            self.found.append(Command())
            if operator == "\n":
                self._documents()

    def _here(self, tabs: bool) -> None:
        found = re.compile(r"[ \t]*(['\"]?)([\w.-]+)\1").match(self.text, self.at)
        if not found:
            raise FormatError("", "a command line whose << names no end")
        self.at = found.end()
        self.count = _counted(self.count)
        self.waiting.append((self.found[-1], found[2], bool(found[1]), tabs))

    def _redirected(self, operator: str) -> None:
        """Skip the file, or keep a here-string."""
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        kept, command = self.found[-1].words, self.found[-1]
        command.words = []
        while self.at < len(self.text) and not self.text[self.at].isspace():
            if self.text[self.at] in "|&;<>()" or self._numbered():
                break
            self._step()
        self._end_word()
        if operator == "<<<" and command.words:
            command.stdin = command.words[0] + "\n"
        command.words = kept

    def _documents(self) -> None:
        for command, end, quoted, tabs in self.waiting:
            lines: list[str] = []
            while self.at < len(self.text):
                stop = _until(self.text, "\n", self.at)
                line = self.text[self.at : stop]
                self.at = stop + 1
                if (line.lstrip("\t") if tabs else line) == end:
                    break
                lines.append(line.lstrip("\t") if tabs else line)
            body = "".join(line + "\n" for line in lines)
            if not quoted and (strange := re.search(r"[$`\\]", body)):
                raise FormatError("", f"a here-document in which the shell expands {strange[0]}")
            command.stdin = body
        self.waiting = []

    def _add(self, text: str) -> None:
        if self.parts is None:
            self.parts = StringIO()
        self.parts.write(text)

    def _end_word(self) -> None:
        if self.parts is not None:
            self.count = _counted(self.count)
            word = Word(self.parts.getvalue())
            word.unknown = self.unknown
            self.found[-1].words.append(word)
        self.parts, self.unknown = None, ""


def c_arguments(line: str) -> Iterator[str]:
    """A command line as Microsoft's C runtime splits it: ``\\"`` is a quote, other ``\\`` stay."""
    parts = StringIO()
    started = quoted = False
    for found in re.finditer(r'(\\*)(["\s]|$)|(\\+|[^\s"\\]+)', line):
        slashes, character, plain = found.groups("")
        if plain:
            parts.write(plain)
        elif character == '"':
            parts.write("\\" * (len(slashes) // 2) + ('"' if len(slashes) % 2 else ""))
            quoted ^= not len(slashes) % 2
        else:
            parts.write(slashes + (character if quoted else ""))
        started = started or bool(plain or slashes or character == '"' or quoted)
        if character != '"' and not plain and not quoted and started:
            yield parts.getvalue()
            parts, started = StringIO(), False
    if quoted:
        raise FormatError("", 'a command line whose " has no end')


def _caret_lines(text: str) -> list[str]:
    """Each line of cmd with its carets undone: one at a line's end joins the next to it."""
    lines: list[str] = []
    parts = StringIO()
    quoted = False
    for found in re.finditer(r"(?s)\^(\n?.|\n?$)|([^\^\n\"]+|[\"\n])", text):
        caret, other = found.groups("")
        if other == "\n":
            lines.append(parts.getvalue())
            parts, quoted = StringIO(), False
        elif other:
            quoted ^= other == '"'
            parts.write(other)
        elif quoted:
            parts.write("^" + caret)
        else:
            # ^ and two line ends are how a browser writes one inside a word.
            parts.write(caret[1:] if caret.startswith("\n") and len(caret) > 1 else caret)
    lines.append(parts.getvalue())
    return lines


def _unescaped(found: re.Match[str]) -> str:
    hexadecimal = found[1] or found[2] or found[3]
    if hexadecimal:
        return chr(min(int(hexadecimal, 16), 0x10FFFF))
    if found[4]:
        return chr(int(found[4], 8) & 0xFF)
    if found[5]:
        return chr(ord(found[5]) & 0x1F)
    return _LETTERS.get(found[6], found[6] if found[6] in "\\'\"?" else "\\" + found[6])


def _counted(count: int, more: int = 1) -> int:
    if count + more > MAX_WORDS:
        raise FormatError("", f"a command line of more than {MAX_WORDS:,} words")
    return count + more


def _closing(text: str, character: str, start: int) -> int:
    end = text.find(character, start)
    if end < 0:
        raise FormatError("", f"a command line in which {character} is missing")
    return end


def _until(text: str, character: str, start: int) -> int:
    end = text.find(character, start)
    return len(text) if end < 0 else end
