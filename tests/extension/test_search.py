"""Words of captures, and which queries find them."""

from __future__ import annotations

import pytest

from payload_capture.search import MAX_EXPANDED, MAX_WORD, asked, finds, words_of
from payload_capture.store import Filters, Store
from stored import make

pytestmark = pytest.mark.once

FOUND = [
    ("a red cat, (masterpiece:1.2)", "MASTER", True),
    ("a red cat, (masterpiece:1.2)", "red masterpieces", False),
    ("a red cat", "at", False),
    ("<lora:fluffy_style_v2:0.8>", "fluffy v2", True),
    ("Ｆｕｌｌ ｗｉｄｔｈ", "full", True),
    ("STRASSE", "straße", True),
    ("黒猫の夢を見る", "猫の夢", True),
    ("黒猫の夢を見る", "夢", True),
    ("黒猫の夢を見る", "夢猫", False),
    ("黒猫 masterpiece", "黒猫 master", True),
    ("แมวสีดำ", "สีดำ", True),
    ("काली बिल्ली", "बिल्ली", True),
    ("검은 고양이가", "고양이", True),
    ("a fox 🦊 runs", "🦊", True),
    ("a fox 🦊 runs", "🐱", False),
    ("cat", "c", True),
    ("photographing", "photograph", True),
    ("50% grey", "%", False),
    ("anything", "", True),
]


@pytest.mark.parametrize(("prompt", "q", "found"), FOUND)
def test_what_a_query_finds(prompt: str, q: str, found: bool) -> None:
    assert finds(q, words_of(prompt)) is found


def test_both_databases_find_the_same(either: Store) -> None:
    for number, (prompt, _, _) in enumerate(FOUND):
        either.add(*make(number, prompt))
    for number, (_, q, found) in enumerate(FOUND):
        page = either.page(filters=Filters(q=q))
        assert (f"c{number}" in [row["id"] for row in page.captures]) is found, q


@pytest.mark.parametrize(
    "q",
    [
        '"', "'", "\\", "(", "a AND", "NOT", "NEAR(a b)", "words:", "{a}:", "a*b", "*", "^a", "-a",
        "a & b |", "!a", "<->", ":*", "a'b", "\x00", "\ud800", "a\x00b", "%s %(x)s :x ?", "🦊" * 50,
        "x" * 10_000, "a " * 5000, "é́̂", "ｱ", "ﷺ",
    ],
)  # fmt: skip
def test_no_query_raises(either: Store, q: str) -> None:
    either.add(*make(1, "a cat"))
    either.page(filters=Filters(q=q))


def test_long_words_are_found_by_their_beginning_and_whole(either: Store) -> None:
    long = "x" * (MAX_WORD + 10)
    either.add(*make(1, long))
    assert either.page(filters=Filters(q=long)).captures
    assert not either.page(filters=Filters(q=long[:-20] + "y")).captures


def test_a_beginning_of_more_words_than_are_named_one_by_one(either: Store) -> None:
    words = [f"beginning{number:03}" for number in range(MAX_EXPANDED + 5)]
    for number, word in enumerate(words):
        either.add(*make(number, word))
    found = either.page(500, filters=Filters(q="beginning")).captures
    assert [row["prompt"] for row in found] == words[::-1]
    assert len(either.page(filters=Filters(q="beginning00")).captures) == 10


def test_prompts_model_sampler_title_note_and_tags_are_searched(either: Store) -> None:
    either.add(*make(1, "one", negative_prompt="two", sampler_name="Euler three", styles=["four"]))
    either.edit("c1", title="five", note="six", tags=["seven"])
    for word in ("one", "two", "three", "four", "five", "six", "seven", "alpha"):
        assert either.page(filters=Filters(q=word)).captures, word
    either.edit("c1", note="other", tags=[])
    assert not either.page(filters=Filters(q="six")).captures
    assert not either.page(filters=Filters(q="seven")).captures
    assert either.page(filters=Filters(q="one two five other")).captures


def test_what_was_deleted_is_found_no_more(either: Store) -> None:
    either.add(*make(1, "elephant and cat"))
    either.add(*make(2, "elephant"))
    either.delete("c1")
    assert [row["id"] for row in either.page(filters=Filters(q="eleph")).captures] == ["c2"]
    assert not either.page(filters=Filters(q="cat")).captures


def test_asking_cuts_a_run_into_pairs() -> None:
    assert asked("黒猫の") == ["黒猫", "猫の"]
    assert asked("猫") == ["猫"]
    assert words_of("黒猫") == ["黒猫", "猫"]


def test_a_word_ends_at_no_letter_of_another_alphabet() -> None:
    assert words_of("naïve2ß, x猫y_1é") == ["naïve2ss", "x", "猫", "y", "1é"]
