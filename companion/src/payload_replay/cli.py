"""The commands. Thin: each reads its options, calls the library, and shows what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from . import __version__, console, local
from .batch import Outcome
from .commands import fleet as many
from .commands import vary as varying
from .commands.options import (
    SERVER,
    Auth,
    EndpointOption,
    Json,
    Seconds,
    Server,
    SourceName,
    connect,
    line,
    write,
)
from .commands.unpack import unpack
from .exits import ExitStatus
from .export import FORMATS, SUFFIXES
from .fleet import Fleet
from .source import full, load
from .vary import varied

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
def export(
    source: SourceName = "latest",
    server: Server = SERVER,
    auth: Auth = None,
    endpoint: EndpointOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help=" | ".join(FORMATS))] = "json",
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Without what the server fills in by itself.")
    ] = False,
    sets: varying.Sets = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new file; standard output without it.")
    ] = None,
) -> None:
    """Write a capture to a file: json (self-contained), payload (the body alone), or bundle (zip).

    Example: payload-replay export latest --format bundle --out cat.zip
    """
    if format not in FORMATS:
        console.complain(f"--format {format}: choose one of {', '.join(FORMATS)}")
        raise typer.Exit(ExitStatus.REFUSED)
    with console.told():
        webui = connect(server, auth)
        capture = varied(load(source, webui, endpoint), varying.changes(sets))
        capture = webui.minimal(capture) if minimal else capture
        data = FORMATS[format](capture, webui.captures.asset)
        write(data, out, SUFFIXES[format])


@app.command()
def replay(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...", help="Files, bundles, - for standard input, ids, latest."
        ),
    ],
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
    slots: many.Slots = 1,
    journal: many.JournalFile = None,
    as_json: Json = False,
    timeout: Seconds = 600,
) -> None:
    """Send captures back and compare the pictures; what is varied is only generated.

    Exits 0 if all are identical, 1 if some differ, 2 if some were refused or the input is wrong,
    3 if a server is unreachable or failing, 130 after Ctrl-C.

    Example: payload-replay replay latest cat.json --out pictures
    Example: payload-replay replay cat.json --sweep steps=10,20,30 --sheet cat.png
    """
    connects = many.clients(servers, auth, timeout)
    with console.told(), many.journal(journal) as noted:
        plan = varying.planned(sources, endpoint, sets, sweeps, rows, fetch)
        contacts = varying.Contacts(sheet, plan)
        with many.stoppable(Fleet(connects, slots, out, noted)) as run:
            outcomes = contacts.shown(run.outcomes(plan.jobs))
            done = [outcome.slim() for outcome in reported(outcomes, report_as(as_json))]
        contacts.save()
    if not as_json:
        run.report(done)
    raise typer.Exit(run.status(done))


app.command()(unpack)
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
