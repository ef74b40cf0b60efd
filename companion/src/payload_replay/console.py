"""What the command line shows: tables on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.progress import TimeRemainingColumn as Remaining
from rich.table import Table
from rich.text import Text

from .batch import Outcome
from .capture import Capture, FormatError
from .captures import Summary
from .errors import ReplayError
from .exits import ExitStatus, of_error

if TYPE_CHECKING:
    from .demo import Shown

STYLES = {
    "identical": "green",
    "close": "yellow",
    "different": "red",
    "refused": "magenta",
    "failed": "bold red",
    "unverified": "cyan",
}


def output() -> Console:
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def errors() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def plain(text: object) -> str:
    """One line without control characters: a prompt must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def shown(value: object, style: str = "", width: int = 0) -> Text:
    """Text as it is, with no markup read into it, cut to `width` characters if it is given."""
    line = plain(value)
    if width and len(line) > width:
        line = line[: width - 1] + "…"
    return Text(line, style=style)


@contextmanager
def told() -> Iterator[None]:
    """Errors of ours end the command with one line and their exit code, never a traceback."""
    try:
        yield
    except (ReplayError, FormatError, OSError) as error:
        complain(error)
        raise typer.Exit(of_error(error)) from error
    except KeyboardInterrupt:
        note("stopped")
        raise typer.Exit(ExitStatus.INTERRUPTED) from None


def complain(message: object) -> None:
    """An error on standard error, in one line."""
    errors().print(Text.assemble(("error: ", "bold red"), plain(message)))


def list_captures(console: Console, rows: Iterable[Summary]) -> None:
    """The summaries: a table, or tab-separated lines in a pipe."""
    names = ("id", "when", "endpoint", "source", "state", "pictures", "seed", "size", "prompt")
    lines = (_cells(row) for row in rows)
    if not console.is_terminal:
        for line in lines:
            tabbed(line)
        return
    table = Table(*names, box=None, header_style="bold")
    for line in lines:
        table.add_row(*(shown(cell, width=60) for cell in line))
    console.print(table)


def show_capture(console: Console, capture: Capture) -> None:
    """What a capture holds, field by field: a table, or tab-separated lines in a pipe."""
    if not console.is_terminal:
        for fact in _facts(capture):
            tabbed(fact)
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in _facts(capture):
        table.add_row(Text(name, style="bold"), shown(value))
    console.print(table)


def note(text: str) -> None:
    """What happens meanwhile, on standard error."""
    errors().print(Text(plain(text)))


def verdicts(outcomes: Sequence[Outcome], console: Console | None = None) -> None:
    """A table of what came of each source; lines in a pipe."""
    console = console or output()
    if not console.is_terminal:
        for outcome in outcomes:
            verdict_line(outcome)
        return
    table = Table("verdict", "source", "pictures", "seconds", "reason", header_style="bold")
    for outcome in outcomes:
        table.add_row(*_verdict(outcome))
    console.print(table)


def verdict_line(outcome: Outcome) -> None:
    """The same as one tab-separated line."""
    tabbed(_verdict(outcome))


def tabbed(cells: Iterable[object]) -> None:
    """One line for other programs, seen at once at the other end of a pipe."""
    print("\t".join(map(plain, cells)), flush=True)


def followed(outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """The outcomes as they come, under a progress bar on standard error if that is a terminal."""
    console = errors()
    if not console.is_terminal:
        yield from outcomes
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn())
    times = (Elapsed(), TextColumn("left"), Remaining())
    with Progress(*columns, MofNCompleteColumn(), *times, console=console) as bar:
        task = bar.add_task("replaying", total=total)
        for outcome in outcomes:
            last = f"{outcome.verdict} {plain(outcome.source)[:40]}"
            bar.update(task, advance=1, description=last)
            yield outcome


def summary(outcomes: Sequence[Outcome], total: int, seconds: float) -> None:
    """How a run went, in a few lines on standard error."""
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    counts = ", ".join(f"{verdicts[name]} {name}" for name in STYLES if verdicts[name])
    note(f"{len(outcomes)} of {total} in {seconds:.1f} s: {counts or 'none'}")
    servers = Counter(outcome.server for outcome in outcomes if outcome.made)
    for server, made in sorted(servers.items() if len(servers) > 1 else ()):
        note(f"{server}: {made}")


def watched(shown: Iterator[Shown]) -> Iterator[Shown]:
    """The demo's kinds as they come, the newest named while the next is made."""
    console = errors()
    if not console.is_terminal:
        yield from shown
        return
    with console.status("making, capturing, replaying …") as status:
        for each in shown:
            status.update(f"{each.kind.title}: {each.outcome.verdict}; the next …")
            yield each


def _verdict(outcome: Outcome) -> tuple[Text, ...]:
    return (
        Text(outcome.verdict, style=STYLES[outcome.verdict]),
        shown(outcome.source),
        Text(str(outcome.made)),
        Text("–" if outcome.seconds is None else f"{outcome.seconds:.1f}"),
        shown(outcome.reason),
    )


def _cells(row: Summary) -> tuple[Any, ...]:
    size = row.get("size") or []
    problem = row.get("failure") or row.get("error")
    return (
        row.get("id", ""),
        str(row.get("started", ""))[:19].replace("T", " "),
        str(row.get("endpoint", "")).rpartition("/")[2],
        row.get("source", ""),
        f"{row.get('state', '')}: {problem}" if problem else row.get("state", ""),
        row.get("pictures", 0),
        "" if row.get("seed") is None else row["seed"],
        "x".join(map(str, size)),
        row.get("prompt", ""),
    )


def _facts(capture: Capture) -> Iterator[tuple[str, Any]]:
    payload, job, host = capture.payload, capture.job, capture.host
    yield "id", capture.id
    yield "endpoint", capture.endpoint
    if capture.origin is not None:
        yield "varied from", f"{capture.origin.id}: {', '.join(capture.origin.changed)}"
    yield "made", f"{job.started} in {job.seconds:.1f} s, from {job.source}, {job.state}"
    if job.error:
        yield "error", job.error
    yield "host", f"{host.webui} {host.version} on {host.device or 'an unknown device'}"
    if host.checkpoint:
        yield "checkpoint", host.checkpoint.title
    for name in sorted(payload):
        if payload[name] not in (None, "", [], {}):
            yield name, payload[name]
    for result in capture.results:
        yield result.role, f"{result.width}x{result.height} seed {result.seed} {result.sha256[:16]}"
    for warning in capture.warnings:
        yield f"warning ({warning.severity})", f"{warning.path}: {warning.reason}"
