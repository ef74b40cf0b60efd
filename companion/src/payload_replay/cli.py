"""The commands. Thin: each reads its options, calls the library, and shows what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from . import __version__, console, local
from .batch import Outcome
from .commands import fleet as many
from .commands import proof, serve, watch
from .commands import vary as varying
from .commands.check import check
from .commands.export import export
from .commands.importers import import_
from .commands.options import (
    SERVER,
    Auth,
    EndpointOption,
    Json,
    Migrate,
    Seconds,
    Server,
    SourceName,
    Sources,
    connect,
    line,
)
from .commands.unpack import unpack
from .exits import ExitStatus
from .fleet import Fleet
from .source import full, load

app = typer.Typer(
    name="payload-replay",
    help="Send captured generations back to a Stable Diffusion WebUI, and prove the pictures.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with these arguments; its exit code."""
    try:
        app(None if arguments is None else list(arguments), standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitStatus.REFUSED
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    return ExitStatus.IDENTICAL


@app.command("list")
def list_(
    server: Server = SERVER,
    auth: Auth = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    query: Annotated[str | None, typer.Option("--query", "-q", help="Words of the prompt.")] = None,
    endpoint: EndpointOption = None,
    source: Annotated[str | None, typer.Option(help="Only from ui, api or script.")] = None,
    as_json: Json = False,
) -> None:
    """List what the server has captured, newest first.

    Example: payload-replay list --query cat --limit 5
    """
    with console.told():
        captures = connect(server, auth).captures
        rows = captures.list(limit, q=query, endpoint=full(endpoint), source=source)
        if as_json:
            for row in rows:
                line(row)
        else:
            console.list_captures(console.output(), rows)


@app.command()
def show(
    source: SourceName = "latest",
    server: Server = SERVER,
    auth: Auth = None,
    endpoint: EndpointOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The document itself.")] = False,
) -> None:
    """Show what a capture holds.

    Example: payload-replay show latest
    """
    with console.told():
        capture = load(source, connect(server, auth), endpoint)
        if as_json:
            print(capture.to_json())
        else:
            console.show_capture(console.output(), capture)


@app.command()
def replay(
    sources: Sources,
    servers: many.Servers = many.SERVERS,
    auth: Auth = None,
    endpoint: EndpointOption = None,
    sets: varying.Sets = None,
    sweeps: varying.Sweeps = None,
    rows: varying.Rows = None,
    sheet: varying.Sheet = None,
    fetch: varying.Fetch = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder for the pictures that come.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="A folder for report.html: expected, actual, difference, reason."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="A file for JUnit XML: one test case a source.")
    ] = None,
    migrate: Migrate = False,
    slots: many.Slots = 1,
    journal: many.JournalFile = None,
    as_json: Json = False,
    timeout: Seconds = 600,
) -> None:
    """Send captures back and compare the pictures; what is varied is only generated.

    Exits 0 if all are identical, 1 if some differ, 2 if some were refused or the input is wrong,
    3 if a server is unreachable or failing, 130 after Ctrl-C.

    Example: payload-replay replay latest cat.json --out pictures --report proof --junit proof.xml
    Example: payload-replay replay cat.json --sweep steps=10,20,30 --sheet cat.png
    """
    connects = many.clients(servers, auth, timeout)
    with console.told(), many.journal(journal) as noted:
        plan = varying.planned(sources, endpoint, sets, sweeps, rows, fetch)
        contacts = varying.Contacts(sheet, plan)
        fleet = Fleet(connects, slots, out, noted, migrate=migrate)
        names = [job.name for job in plan.jobs]
        with proof.Proven(report, junit, connects, names) as proven, many.stoppable(fleet) as run:
            outcomes = reported(contacts.shown(run.outcomes(plan.jobs)), report_as(as_json))
            done = [proven.kept(outcome) for outcome in outcomes]
        contacts.save()
    if not as_json:
        run.report(done)
    raise typer.Exit(run.status(done))


app.command()(export)
app.command("import")(import_)
app.command()(unpack)
app.command("check")(check)
app.command("serve")(serve.run)
app.command("watch")(watch.run)
app.command("demo")(local.run_demo)
app.command("standin", context_settings=local.PASSED_ON)(local.run_standin)


def report_as(as_json: bool) -> Callable[[Outcome], None]:
    """What to do with each outcome as soon as it is there."""
    if as_json:
        return lambda outcome: line(outcome.to_dict())
    if console.output().is_terminal:
        return lambda outcome: None
    return console.verdict_line


def reported(outcomes: Iterator[Outcome], report: Callable[[Outcome], None]) -> Iterator[Outcome]:
    for outcome in outcomes:
        for change in outcome.replay.changes if outcome.replay else ():
            console.note(f"{outcome.source}: {change}")
        report(outcome)
        yield outcome


def _version(asked: bool) -> None:
    if asked:
        print(f"payload-replay {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Send captured generations back to a Stable Diffusion WebUI, and prove the pictures."""
