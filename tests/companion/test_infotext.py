"""Infotexts as webuis write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay.infotext import differences, parse, same, seed

pytestmark = pytest.mark.once

TEXT = """a cat, <lora:soft:1>
on two lines: really
Negative prompt: ugly
blurry
Steps: 2, Sampler: DPM++ 2M, CFG scale: 7.0, Seed: 965400086, Size: 64x48, \
Lora hashes: "soft: 0123, hard: 4567", Model: my, Script: "say \\"hi\\", x", Version: v1.10.1"""


def test_fields() -> None:
    assert parse(TEXT) == {
        "Prompt": "a cat, <lora:soft:1>\non two lines: really",
        "Negative prompt": "ugly\nblurry",
        "Steps": "2",
        "Sampler": "DPM++ 2M",
        "CFG scale": "7.0",
        "Seed": "965400086",
        "Size": "64x48",
        "Lora hashes": "soft: 0123, hard: 4567",
        "Model": "my",
        "Script": 'say "hi", x',
        "Version": "v1.10.1",
    }
    assert seed(TEXT) == 965400086


def test_a_prompt_alone_is_no_list_of_fields() -> None:
    assert parse("style: soft, mood: dark") == {
        "Prompt": "style: soft, mood: dark",
        "Negative prompt": "",
    }


@pytest.mark.parametrize("text", ["", "  \n", "Steps: 1, Sampler: x, Seed: many", "a\nSeed: 1"])
def test_no_seed(text: str) -> None:
    assert seed(text) is None


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("7", "7.0", True),
        ("a", "a", True),
        ("7", "8", False),
        ("", "0", False),
        ("v1", "v2", False),
    ],
)
def test_values_are_compared_as_numbers_where_they_are(one: str, other: str, alike: bool) -> None:
    assert same(one, other) is alike


def test_differences() -> None:
    other = TEXT.replace("7.0", "7").replace("Model: my", "Model: your").replace("\nblurry", "")
    assert list(differences(TEXT, other)) == [
        ("Negative prompt", "ugly\nblurry", "ugly"),
        ("Model", "my", "your"),
    ]
    assert list(differences(TEXT, TEXT)) == []


@given(st.text())
def test_any_text_is_taken_apart(text: str) -> None:
    assert list(differences(text, text)) == []
    seed(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sampler: DPM++ 2M Karras", "Sampler: DPM++ 2M, Schedule type: Karras"),
        ("Sampler: DPM++ 2M", "Sampler: DPM++ 2M, Schedule type: Uniform"),
        ("Sampler: Euler", "Sampler: Euler, Schedule type: Automatic"),
        ("Sampler: Euler, Schedule type: karras", "Sampler: Euler, Schedule type: Karras"),
        (
            "Sampler: Euler, Hires sampler: DPM2 Karras",
            "Sampler: Euler, Hires sampler: DPM2, Hires schedule type: Karras",
        ),
    ],
)
def test_a_sampler_with_its_schedule_and_apart_are_the_same(one: str, other: str) -> None:
    texts = [f"a\nSteps: 2, {line}, Seed: 1, CFG scale: 7" for line in (one, other)]
    assert list(differences(*texts)) == []


def test_another_schedule_is_told() -> None:
    texts = [
        f"a\nSteps: 2, Sampler: Euler, Schedule type: {s}, Seed: 1" for s in ("Karras", "Beta")
    ]
    assert list(differences(*texts)) == [("Schedule type", "Karras", "Beta")]
