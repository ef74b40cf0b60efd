"""`python3 tests`: what it asks pytest for, and how it adds up what pytest says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import runner
from runner import ALL_PASSED, FAILED, NOTHING, USAGE, Outcome

pytestmark = pytest.mark.once

PYTHONS = {"a1111": Path("/a/python"), "forge": Path("/f/python")}


def passing(count: int) -> Outcome:
    return Outcome(ALL_PASSED, Counter(passed=count))


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("===== 3 passed in 0.12s =====", {"passed": 3}),
        (
            "== 1 failed, 2 passed, 1 warning in 61.50s (0:01:01) ==",
            {"failed": 1, "passed": 2, "warnings": 1},
        ),
        ("2 passed, 4 deselected in 1.00s", {"passed": 2, "deselected": 4}),
        ("\x1b[32m=== \x1b[32m\x1b[1m5 passed\x1b[0m\x1b[32m in 0.10s ===\x1b[0m", {"passed": 5}),
        ("=== 1 error in 0.10s ===", {"errors": 1}),
    ],
)
def test_closing_line_is_read(line: str, counts: dict[str, int]) -> None:
    assert runner.counts_in(f"tests/test_a.py ..\n\n{line}\n", ALL_PASSED) == counts


def test_run_without_closing_line_is_an_error() -> None:
    assert runner.counts_in("Fatal Python error: Segmentation fault\n", -11) == {"errors": 1}


def test_run_without_tests_counts_nothing() -> None:
    assert runner.counts_in("==== no tests ran in 0.01s ====", NOTHING) == {}


def test_sum_has_the_form_of_pytests_own_line() -> None:
    outcomes = [passing(3), Outcome(FAILED, Counter(passed=4, failed=1, errors=1, skipped=2))]
    line = runner.closing_line(outcomes, 12.345)
    assert line.strip("=") == " 1 failed, 7 passed, 2 skipped, 1 error in 12.35s "
    assert line.startswith("====")
    assert runner.counts_in(line, FAILED) == {"failed": 1, "passed": 7, "skipped": 2, "errors": 1}


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([passing(1), passing(1)], ALL_PASSED),
        ([passing(1), Outcome(FAILED, Counter(failed=1))], FAILED),
        ([passing(1), Outcome(NOTHING)], ALL_PASSED),
        ([Outcome(ALL_PASSED), Outcome(NOTHING), Outcome(NOTHING)], NOTHING),
        ([Outcome(USAGE, Counter(errors=1)), Outcome(USAGE, Counter(errors=1))], USAGE),
        ([passing(1), Outcome(-11, Counter(errors=1))], FAILED),
        ([Outcome(FAILED, Counter(errors=1)), Outcome(NOTHING)], FAILED),
    ],
)
def test_exit_code(outcomes: list[Outcome], code: int) -> None:
    assert runner.exit_code(outcomes) == code


def test_only_the_first_flavour_runs_what_runs_once() -> None:
    commands = runner.pytest_commands(PYTHONS, ["-k", "seed"], None)
    assert commands["a1111"][3:] == ["-k", "seed"]
    assert commands["forge"][3:] == ["-k", "seed", "-m", "not once"]


def test_what_waits_runs_apart() -> None:
    commands = runner.pytest_commands(PYTHONS, [], None, apart=True)
    assert [command[3:] for command in commands.values()] == [
        ["-m", "not waits"],
        ["-m", "waits"],
        ["-m", "not once and not waits"],
        ["-m", "not once and waits"],
    ]


def test_a_marker_expression_is_kept() -> None:
    commands = runner.pytest_commands(PYTHONS, [], "slow or once")
    assert commands["a1111"][3:] == ["-m", "(slow or once)"]
    assert commands["forge"][3:] == ["-m", "(slow or once) and not once"]


def test_what_is_pytests_goes_to_pytest() -> None:
    chosen, passed_on = runner.parser().parse_known_args(
        ["tests/test_a.py", "--flavour", "forge", "-x", "-k", "a and not b", "--no-lint"]
    )
    assert (chosen.flavour, chosen.no_lint) == (["forge"], True)
    assert passed_on == ["tests/test_a.py", "-x", "-k", "a and not b"]
