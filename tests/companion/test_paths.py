"""Places in a payload: what is written is what is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay import FormatError
from payload_replay.paths import LONGEST, assigned, parse, written

pytestmark = pytest.mark.once

STEPS = st.lists(st.text(min_size=1, max_size=20) | st.integers(0, 999_999_999), min_size=1).map(
    lambda steps: ["first", *steps]
)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("steps", ["steps"]),
        ("override_settings.sd_vae", ["override_settings", "sd_vae"]),
        ("alwayson_scripts.ControlNet.args[0].weight", "alwayson_scripts ControlNet args 0 weight"),
        ("alwayson_scripts.x/y/z plot.args[0]", ["alwayson_scripts", "x/y/z plot", "args", 0]),
        ('scripts["A.B [v=1]"].args', ["scripts", "A.B [v=1]", "args"]),
        (r'["say \"a\""][0][1]', ['say "a"', 0, 1]),
    ],
)
def test_paths(path: str, steps: list[str | int] | str) -> None:
    if isinstance(steps, str):
        steps = [int(step) if step.isdigit() else step for step in steps.split()]
    assert parse(path) == steps
    assert written(steps) == path


@pytest.mark.parametrize(
    "path",
    ["", ".", "a.", "a..b", "a[", "a[]", "a[-1]", "a[x]", "[0]", 'a["b]', r'a["\x"]', "a=b", "a]"],
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(FormatError, match=r"no path from its character \d"):
        parse(path)


def test_longer_than_any_path() -> None:
    assert parse("a" * LONGEST)
    with pytest.raises(FormatError):
        parse("a" * (LONGEST + 1))


def test_assigned() -> None:
    assert assigned("prompt=a=b", "--set") == (["prompt"], "a=b")
    assert assigned('x["a=b"]==', "--set") == (["x", "a=b"], "=")
    assert assigned("a=", "--set") == (["a"], "")
    for text in ("steps", "=30", "a[0", ""):
        with pytest.raises(FormatError, match=r"--set.*PATH=VALUE"):
            assigned(text, "--set")


@given(STEPS)
def test_what_is_written_is_read(steps: list[str | int]) -> None:
    if len(written(steps)) < LONGEST / 2:
        assert parse(written(steps)) == steps


@given(st.text())
def test_any_text_is_a_path_or_an_error_of_ours(text: str) -> None:
    try:
        steps = parse(text)
    except FormatError:
        return
    assert parse(written(steps)) == steps
