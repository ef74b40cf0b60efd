"""Sets up both flavours and the browser, runs the linters once and pytest in each flavour.

Standard library only: this is what `python3 tests` starts on a bare machine.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import environment

ROOT = environment.ROOT
ALL_PASSED, FAILED, USAGE, NOTHING = 0, 1, 4, 5
"""pytest's own exit codes, used for the whole as well."""
LINTERS = (
    ("ruff", "check", "--output-format", "concise", "."),
    ("ruff", "format", "--check", "--output-format", "concise", "."),
    ("mypy",),
)
ORDER = ("failed", "passed", "skipped", "xfailed", "xpassed", "warnings", "errors")
"""As pytest orders them; without `deselected`, which says nothing about two flavours together."""
CLOSING = re.compile(r"^=*\s*((?:\d+ [a-z ]+(?:, )?)+) in [\d.]+s")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Outcome:
    """What one linter run or one pytest run came to."""

    code: int
    counts: Counter[str] = field(default_factory=Counter)


def main(arguments: Sequence[str]) -> int:
    chosen, passed_on = parser().parse_known_args(arguments)
    flavours = chosen.flavour or list(environment.FLAVOURS)
    started = time.monotonic()
    try:
        pythons = {name: environment.ensure(name, tests=True) for name in flavours}
        environment.ensure_chromium(pythons[flavours[0]])
    except environment.SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    outcomes = [] if chosen.no_lint else [lint(pythons[flavours[0]])]
    commands = pytest_commands(pythons, passed_on, chosen.marker, apart=chosen.parallel)
    outcomes += run_together(commands) if chosen.parallel else run_in_turn(commands, passed_on)
    code = exit_code(outcomes)
    print(closing_line(outcomes, time.monotonic() - started), flush=True)
    return code


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python3 tests",
        description="Every check of the project, in both flavours.",
        epilog="Anything else (paths, -k, -x, ...) goes on to pytest in each flavour.",
        allow_abbrev=False,
    )
    made.add_argument("--flavour", choices=environment.FLAVOURS, action="append")
    made.add_argument("--no-lint", action="store_true", help="without ruff and mypy")
    made.add_argument(
        "--parallel",
        action="store_true",
        help="both flavours at the same time, and what mostly waits for a page beside the rest",
    )
    made.add_argument("-m", dest="marker", metavar="EXPR", help="pytest's -m, in each flavour")
    return made


def lint(python: Path) -> Outcome:
    """Each linter that complains counts as one error."""
    counts: Counter[str] = Counter()
    for linter in LINTERS:
        print(f"---- {' '.join(linter)}", flush=True)
        done = subprocess.run([str(python), "-m", *linter], cwd=ROOT, env=surroundings())
        counts["errors"] += bool(done.returncode)
    return Outcome(FAILED if counts["errors"] else ALL_PASSED, +counts)


def pytest_commands(
    pythons: dict[str, Path], passed_on: list[str], marker: str | None, apart: bool = False
) -> dict[str, list[str]]:
    """The command of each flavour; only the first runs what is marked `once`.

    What is marked `waits` has a command of its own if it is to run `apart`.
    """
    commands: dict[str, list[str]] = {}
    for name, python in pythons.items():
        terms = [f"({marker})"] if marker else []
        if commands:
            terms.append("not once")
        command = [str(python), "-m", "pytest", *passed_on]
        parts = {name: ["not waits"], f"{name}, waiting": ["waits"]} if apart else {name: []}
        for part, term in parts.items():
            chosen = " and ".join(terms + term)
            commands[part] = command + (["-m", chosen] if chosen else [])
    return commands


def run_in_turn(commands: dict[str, list[str]], passed_on: list[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for name, command in commands.items():
        outcomes.append(run_pytest(name, command, sys.stdout.buffer))
        if {"-x", "--exitfirst"} & set(passed_on) and outcomes[-1].code not in (
            ALL_PASSED,
            NOTHING,
        ):
            break
    return outcomes


def run_together(commands: dict[str, list[str]]) -> list[Outcome]:
    """The first one prints as it goes; what the others print is shown when they are through."""
    outcomes: dict[str, Outcome] = {}

    def work(name: str, output: BinaryIO) -> None:
        outcomes[name] = run_pytest(name, commands[name], output)

    first, *others = commands
    with contextlib.ExitStack() as stack:
        outputs = {name: stack.enter_context(tempfile.TemporaryFile()) for name in others}
        threads = [threading.Thread(target=work, args=item) for item in outputs.items()]
        for thread in threads:
            thread.start()
        work(first, sys.stdout.buffer)
        for thread, output in zip(threads, outputs.values(), strict=True):
            thread.join()
            output.seek(0)
            shutil.copyfileobj(output, sys.stdout.buffer)
    return [outcomes.get(name, Outcome(FAILED, Counter(errors=1))) for name in commands]


def run_pytest(name: str, command: list[str], output: BinaryIO) -> Outcome:
    """Run one flavour, copying what it prints; its closing line is what gets counted."""
    heading = f"---- {name}: pytest {' '.join(command[3:])}".rstrip()
    output.write(f"{heading}\n".encode())
    output.flush()
    colour = ["--color=yes"] if output is sys.stdout.buffer and sys.stdout.isatty() else []
    process = subprocess.Popen(
        [*command, *colour],
        cwd=ROOT,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    text, decode = "", codecs.getincrementaldecoder("utf-8")("replace").decode
    try:
        while chunk := os.read(process.stdout.fileno(), 65536):
            output.write(chunk)
            output.flush()
            text = (text + decode(chunk))[-20_000:]
        code = process.wait()
    except KeyboardInterrupt:
        # The terminal has sent it to pytest too, which closes its own browser and servers.
        code = process.wait()
    finally:
        process.stdout.close()
    return Outcome(code, counts_in(text, code))


def counts_in(text: str, code: int) -> Counter[str]:
    """The numbers of pytest's closing line; a run that ended without one is an error."""
    for line in reversed(COLOURS.sub("", text).splitlines()):
        found = CLOSING.match(line.strip())
        if found:
            pairs = (part.split(" ", 1) for part in found[1].split(", "))
            return Counter({plural(word): int(number) for number, word in pairs})
    return Counter() if code in (ALL_PASSED, NOTHING) else Counter(errors=1)


def plural(word: str) -> str:
    return {"warning": "warnings", "error": "errors"}.get(word, word)


def exit_code(outcomes: list[Outcome]) -> int:
    """Failing if any failed; a flavour in which nothing was selected is fine beside another."""
    codes = [outcome.code for outcome in outcomes]
    bad = [code for code in codes if code not in (ALL_PASSED, NOTHING)]
    if bad:
        return bad[0] if set(bad) == {USAGE} else FAILED
    ran_some = any(outcome.counts["passed"] or outcome.counts["xfailed"] for outcome in outcomes)
    return NOTHING if NOTHING in codes and not ran_some else ALL_PASSED


def closing_line(outcomes: list[Outcome], seconds: float) -> str:
    """All runs together, in the form of pytest's own last line."""
    total: Counter[str] = sum((outcome.counts for outcome in outcomes), Counter())
    parts = [f"{total[word]} {singular(word, total[word])}" for word in ORDER if total[word]]
    text = f" {', '.join(parts) or 'no tests ran'} in {seconds:.2f}s "
    return text.center(80, "=") if len(text) < 72 else f"===={text}===="


def singular(word: str, count: int) -> str:
    return word[:-1] if count == 1 and word in ("warnings", "errors") else word


def surroundings() -> dict[str, str]:
    return {**environment.clean_environment(), "COLUMNS": os.environ.get("COLUMNS", "100")}
