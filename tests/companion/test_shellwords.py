"""Command lines taken apart as the shells do it."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exported
from payload_replay import FormatError, shellwords

pytestmark = pytest.mark.once

texts = st.text("\"'\\$`^&|<>(){}#; \n\tabJ<-:!x41ä🐈") | st.text()


def words(text: str) -> list[str]:
    (command,) = shellwords.bash(text)
    return list(command.words)


@given(st.lists(texts, min_size=1))
def test_what_shlex_quotes(given_words: list[str]) -> None:
    assert words(shlex.join(["curl", *given_words])) == ["curl", *given_words]


@settings(max_examples=50)
@given(st.text("\"'\\ \nab41x\t$", max_size=12))
def test_what_bash_itself_makes_of_it(text: str) -> None:
    """Whatever bash takes apart without expanding anything, this does likewise.

    The line has an end: of a backslash that nothing follows bash makes now one thing, now another.
    """
    text += "\n"
    program = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))' a {text}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, timeout=30)
    try:
        (command,) = shellwords.bash("curl a " + text)
    except (FormatError, ValueError):
        return
    if done.returncode == 0 and not any(word.unknown for word in command.words):
        assert list(command.words[1:]) == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a $'\x41\u00e4\'\n\101\\' b", ["a", "A\u00e4'\nA\\", "b"]),
        ("a \\\n  b", ["a", "b"]),
        ('a "x\\"y\\$z\\q"', ["a", 'x"y$z\\q']),
        ("a # comment", ["a"]),
        ("a b#c", ["a", "b#c"]),
        ("a ''", ["a", ""]),
        ('a ${X:-http://h}/p ${Y:+--user "$Y"}', ["a", "http://h/p"]),
        ("a > out 2>&1 < in b", ["a", "b"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_redirections_one_after_the_other() -> None:
    assert words("a " + "2>" * 3000 + " b") == ["a"]
    assert words("a 2>1>b c") == ["a", "c"]
    assert words("a 2> 3x>b c") == ["a", "c"]


@pytest.mark.parametrize("text", ["a $X", 'a "$X"', "a `id`", "a $(id)", "a ${X}", "a $1"])
def test_what_only_the_shell_knows(text: str) -> None:
    (command,) = shellwords.bash(text)
    assert command.words[1].unknown in text


def test_here_documents() -> None:
    first, second = shellwords.bash("a <<'J' | b <<-K\nx $Y\nJ\n\ty\n\tK\n")
    assert (first.stdin, second.stdin) == ("x $Y\n", "y\n")
    (third,) = shellwords.bash("c <<< 'text' d")
    assert (third.words, third.stdin) == (["c", "d"], "text\n")
    with pytest.raises(FormatError, match="expands"):
        shellwords.bash("a <<J\n$(id)\nJ\n")


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a $'b", "a $(b", "a ${b", "a `b", "a << "])
def test_no_end(text: str) -> None:
    with pytest.raises(FormatError):
        shellwords.bash(text)


@given(texts)
def test_the_c_runtime_has_two_readers(text: str) -> None:
    line = " ".join(text.split())
    try:
        expected = exported.c_arguments(line)
    except AssertionError:
        with pytest.raises(FormatError):
            list(shellwords.c_arguments(line))
        return
    assert list(shellwords.c_arguments(line)) == expected


def test_cmd_joins_lines_and_undoes_carets() -> None:
    (command,) = shellwords.cmd('curl ^"a^&b^" ^\r\n  "c^d" ^\r\n  ^"x^\r\n\r\ny^"')
    assert command.words == ["curl", "a&b", "c^d", "x\ny"]


@given(texts)
def test_anything_ends_in_words_or_a_clear_error(text: str) -> None:
    for split in (shellwords.bash, shellwords.cmd):
        with contextlib.suppress(FormatError):
            assert all(command.words for command in split(text))


@pytest.mark.parametrize(
    "piece", ["\\", "$'\\a", "'a'", '"\\a"', "^", "^\n", "<<J\n", "$(", "a ", '\\\\"']
)
def test_long_texts_are_read_in_one_go(piece: str) -> None:
    """A reader that goes back over what it has read would not end here before pytest ends it."""
    for split in (shellwords.bash, shellwords.cmd):
        with contextlib.suppress(FormatError):
            assert split("curl " + piece * (200_000 // len(piece)))


@pytest.mark.parametrize("piece", ["a ", "a\n", '"" ', "a;", ">a ", "<<J "])
def test_more_words_than_are_read(piece: str) -> None:
    text = piece * (shellwords.MAX_WORDS + 1)
    with pytest.raises(FormatError, match="more than 100,000 words"):
        shellwords.bash(text)
    if piece != "a;":  # which parts nothing in cmd
        with pytest.raises(FormatError, match="more than 100,000 words"):
            shellwords.cmd(text)


@pytest.mark.parametrize(
    ("piece", "times"), [("\n", 40_000), (";", 40_000), ("$", 400_000), ("^a", 200_000)]
)
def test_what_is_no_word_takes_little_memory(piece: str, times: int) -> None:
    text = "curl " + piece * times
    for split in (shellwords.bash, shellwords.cmd):
        tracemalloc.start()
        split(text)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * len(text)
