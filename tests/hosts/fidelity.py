"""The table of what comes back on which host, made of what the suite wrote down.

    python3 tests/hosts/fidelity.py FILE... > docs/fidelity.md

A FILE is what ``--fidelity FILE`` collected: a line of JSON for each kind and host. Of two lines
about the same kind and host the later one counts.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NOT_THERE, FAILED = "not there", "failed"
_SIGNS = {"identical": "identical", NOT_THERE: "–"}


@dataclass
class Outcome:
    """What came of one kind on one host."""

    host: str
    kind: str
    group: str
    title: str
    verdict: str
    reason: str = ""

    def say(self, verdict: str, reason: str) -> None:
        self.verdict, self.reason = verdict, reason

    def line(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False) + "\n"


def read(texts: Iterable[str]) -> list[Outcome]:
    """The outcomes of all lines, one for each kind and host."""
    found: dict[tuple[str, str], Outcome] = {}
    for text in texts:
        for line in text.splitlines():
            outcome = Outcome(**json.loads(line))
            found[outcome.host, outcome.kind] = outcome
    return list(found.values())


class Notes:
    """Reasons by number, each said once below the table."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, reason: str) -> str:
        return str(self._numbers.setdefault(reason, len(self._numbers) + 1))

    def lines(self) -> Iterator[str]:
        return (f"{number}. {reason}" for reason, number in self._numbers.items())


def table(outcomes: Sequence[Outcome]) -> str:
    """One row for each kind, one column for each host, and below what did not come back and why."""
    hosts = sorted(dict.fromkeys(outcome.host for outcome in outcomes), key=_is_standin)
    cells = {(outcome.kind, outcome.host): outcome for outcome in outcomes}
    kinds = {o.kind: (o.group, o.title) for o in outcomes}
    notes = Notes()
    lines = [_row("", *hosts), _row("---", *(":-:" for _ in hosts))]
    for group in dict.fromkeys(group for group, _ in kinds.values()):
        lines.append(_row(f"**{group}**", *("" for _ in hosts)))
        for kind, title in ((kind, title) for kind, (of, title) in kinds.items() if of == group):
            row = (_cell(cells.get((kind, host)), notes) for host in hosts)
            lines.append(_row(title, *row))
    return "\n".join([*lines, "", *notes.lines()])


def _is_standin(host: str) -> bool:
    return host.startswith("stand-in")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _cell(outcome: Outcome | None, notes: Notes) -> str:
    if outcome is None:
        return "not run"
    if outcome.verdict in _SIGNS:
        return _SIGNS[outcome.verdict]
    verdict = "**failed**" if outcome.verdict == FAILED else outcome.verdict
    return f"{verdict} ({notes.mark(outcome.reason)})"


def page(outcomes: Sequence[Outcome]) -> str:
    return _PAGE.format(kinds=len({o.kind for o in outcomes}), table=table(outcomes))


_PAGE = """\
# What comes back, on which host

{kinds} kinds of generation, each made as a person makes it on the page (or a program through the
API), captured, and sent back twice: the request unchanged with nothing but an HTTP client, and
through `payload_replay`. *identical* is said of pixels, all of them, with the server's settings the
same afterwards; – where the host does not offer such a thing.

{table}

Made by `tests/hosts` (see [hosts.md](hosts.md)): a run with `--fidelity FILE` adds a line for each
kind and host to FILE, and `python3 tests/hosts/fidelity.py FILE... > docs/fidelity.md` makes this
page of them.
"""


def main(files: Sequence[str]) -> None:
    print(page(read(Path(file).read_text(encoding="utf-8") for file in files)), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
