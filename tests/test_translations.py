"""Each text that the page shows can be translated, and is: the extension's localisation files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from environment import ROOT
from payload_capture.capture import Role
from payload_capture.settings import OWN
from script_tokens import Token, tokens

pytestmark = pytest.mark.once

FILES = sorted((ROOT / "localizations").glob("*.json"))
SCRIPTS = sorted((ROOT / "javascript").rglob("*.js"))
HOLES = re.compile(r"\{(\w+)\}")

FROM_PYTHON = {
    *(set(get_args(Role)) - {"sample"}),
    "Payloads",
    "API payload",
    "Payload capture",
    "Capturing is switched off: see Settings, Payload capture.",
    "Capturing is switched off in Settings, Payload capture.",
    "This job was not captured.",
    "the webui runs without its API: start it with --api",
}
"""Texts that gradio or a question brings, which the webui translates by itself."""

SAME_EVERYWHERE = {
    "use strict",
    *("Enter", "Escape", "ArrowDown", "ArrowLeft", "ArrowRight", "ArrowUp", "Home, End", "Tab"),
    *("Del", "Esc", "Space", "Ctrl + A", "Shift + arrows, Shift + click"),
    *("Content-Type", "Files", "input, textarea, select, img"),
    *("JavaScript", "Node", "Postman", "PowerShell", "Python", "Extras"),
}
"""What looks like words and is none: keys, programs, what the browser calls things."""


def spoken(text: str) -> bool:
    """Whether a literal looks like words for people: a sentence, or what begins with a capital."""
    if text.startswith(("pc-", "payload-capture", " pc-", ".", "#", ":")) or "[" in text:
        return False
    return bool(re.search(r"[A-Za-z],? [A-Za-z]{2,}", text) or re.match(r"[A-Z][a-z]+", text))


def literals() -> Iterator[tuple[str, list[Token], int]]:
    """File, its tokens, and the place of each text among them."""
    for file in SCRIPTS:
        found = tokens(file.read_text(encoding="utf-8"))
        yield from ((file.name, found, place) for place in range(len(found)))


def arguments(found: list[Token], place: int) -> list[list[Token]]:
    """The arguments of the call whose opening bracket stands at `place`."""
    made: list[list[Token]] = [[]]
    depth = 0
    for token in found[place + 1 :]:
        if token.kind == "code" and token.value in "([{":
            depth += 1
        elif token.kind == "code" and token.value in ")]}":
            if depth == 0:
                break
            depth -= 1
        if token == Token("code", ",", token.line) and depth == 0:
            made.append([])
        else:
            made[-1].append(token)
    return made


def calls(name: str) -> Iterator[list[list[Token]]]:
    for _, found, place in literals():
        if found[place].value == name and found[place + 1 : place + 2]:
            opens = found[place + 1]
            if opens.kind == "code" and opens.value == "(" and found[place - 1].value != "function":
                yield arguments(found, place + 1)


def chosen(argument: list[Token]) -> set[str]:
    """The texts that an argument may be: itself, or what a condition chooses."""
    if any(token.kind == "template" for token in argument):
        return set()
    before = [Token("code", "", 0), *argument]
    return {
        token.value
        for last, token in zip(before, argument, strict=False)
        if token.kind == "text" and last.value in ("", "?", ":")
    }


def translated() -> set[str]:
    """Every text that the script asks a translation of."""
    asked = {
        f"{text}|{meaning}" if meaning else text
        for call in calls("t")
        for text in chosen(call[0])
        for meaning in (chosen(call[2]) if len(call) > 2 else [""])
    }
    nouns = {noun for call in calls("count") if len(call) > 1 for noun in chosen(call[1])}
    return asked | {f"{{count}} {noun}{plural}" for noun in nouns for plural in ("", "s")}


def tables() -> Iterator[tuple[str, Token]]:
    """The texts of constants, each with its file: they are translated where they are shown."""
    for file in SCRIPTS:
        found = tokens(file.read_text(encoding="utf-8"))
        for place, token in enumerate(found):
            opens = [each.value for each in found[place + 1 : place + 3]]
            if token.value == "const" and re.fullmatch(r"[A-Z_]+", opens[0]) and opens[1] == "=":
                end = next(n for n in range(place, len(found)) if found[n].value == ";")
                yield from ((file.name, each) for each in found[place:end] if each.kind == "text")


def listed() -> set[str]:
    return {token.value for _, token in tables() if spoken(token.value)} - SAME_EVERYWHERE


def settings() -> set[str]:
    """The texts of the settings page; the webui shows an explanation in brackets."""
    choices = {choice for setting in OWN.values() for choice in setting.choices}
    labels = {setting.label for setting in OWN.values()}
    return choices | labels | {f"({setting.explanation})" for setting in OWN.values()}


def facts() -> set[str]:
    """The labels of what a capture says of its host."""
    source = (ROOT / "extension" / "payload_capture" / "view.py").read_text(encoding="utf-8")
    table = source.split("def facts(")[1].split("\ndef ")[0]
    return set(re.findall(r'^        \("([^"]+)", ', table, re.MULTILINE))


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def dictionary(request: pytest.FixtureRequest) -> dict[str, str]:
    found: dict[str, str] = json.loads(request.param.read_text(encoding="utf-8"))
    return found


def test_the_languages_are_named_as_the_common_translations_are() -> None:
    """The webui merges files of one name (A1111 v1.7.0 on, modules/localization.py)."""
    assert [file.stem for file in FILES] == ["ja_JP", "zh_CN"]


def test_each_text_is_translated_and_none_is_left_over(dictionary: dict[str, str]) -> None:
    needed = translated() | listed() | settings() | facts() | FROM_PYTHON
    assert sorted(needed - set(dictionary)) == []
    assert sorted(set(dictionary) - needed) == []


def test_a_translation_has_the_same_holes(dictionary: dict[str, str]) -> None:
    for text, shown in dictionary.items():
        assert shown.strip() == shown != ""
        assert sorted(HOLES.findall(text)) == sorted(HOLES.findall(shown)), text


def test_a_button_is_named_by_what_it_shows(dictionary: dict[str, str]) -> None:
    """Who speaks to a computer says what can be read (WCAG 2.5.3)."""
    buttons = [call for call in calls("button") if len(call) > 1]
    pairs = [
        (text, label)
        for call in buttons
        for text in chosen_within(call[0])
        for label in chosen_within(call[1])
    ]
    assert len(pairs) > 5
    for text, label in pairs:
        assert label.startswith(text), text
        assert dictionary[text] in dictionary[label], label


def chosen_within(argument: list[Token]) -> set[str]:
    """The texts of the one translation that an argument is."""
    names = [token.value for token in argument[:4]]
    return chosen(argument[4:-1]) if names == ["pc", ".", "t", "("] else set()


def test_no_visible_text_is_outside_of_a_translation() -> None:
    asked = {part for text in translated() for part in text.split("|")}
    known = asked | listed() | SAME_EVERYWHERE
    bare = [
        f"{file}:{found[place].line}: {found[place].value}"
        for file, found, place in literals()
        if found[place].kind == "text"
        and spoken(found[place].value)
        and found[place].value not in known
    ]
    assert bare == []


def test_no_sentence_is_put_together_from_pieces() -> None:
    """Words around a value are one text with a hole: other languages put them otherwise."""
    word = re.compile(r"(?:^| )[A-Za-z]{2,}[:,.]? |[A-Za-z]{2,}[:,.]? ?$|^ ?[A-Za-z]{2,}[ ,.]")
    style = re.compile(r"pc-|payload_capture|px|^(top|left|width): $|_|^POST $")
    pieced = [
        f"{file}:{found[place].line}: {found[place].value!r}"
        for file, found, place in literals()
        if found[place].kind == "template"
        and " " in found[place].value
        and word.search(found[place].value)
        and not style.search(found[place].value)
    ]
    assert pieced == []


def test_what_python_says_is_said_there() -> None:
    sources = (ROOT / "extension" / "payload_capture").glob("*.py")
    code = "".join(file.read_text(encoding="utf-8") for file in sources)
    assert {text for text in FROM_PYTHON if f'"{text}' not in code} <= set(get_args(Role))
    assert {"Checkpoint", "Extensions"} <= facts()
