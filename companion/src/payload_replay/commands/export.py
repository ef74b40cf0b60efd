"""`payload-replay export`: a capture as a document, a program, or a file of another tool."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from payload_replay import console
from payload_replay.errors import BadSource
from payload_replay.exits import ExitStatus
from payload_replay.export import FORMATS, SUFFIXES, zipped
from payload_replay.files import create
from payload_replay.source import load
from payload_replay.vary import varied

from . import vary
from .options import SERVER, Auth, EndpointOption, Json, Server, SourceName, connect, line, write


class Images(str, enum.Enum):
    """Where a program has its pictures."""

    inline = "inline"
    files = "files"


def export(
    source: SourceName = "latest",
    server: Server = SERVER,
    auth: Auth = None,
    endpoint: EndpointOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help=" | ".join(FORMATS))] = "json",
    images: Annotated[
        Images,
        typer.Option(
            help="files: beside the program, which reads them; --out is then a folder, or a zip."
        ),
    ] = Images.inline,
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Without what the server fills in by itself.")
    ] = False,
    sets: vary.Sets = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new file; standard output without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a capture as a document, as a program that sends it, or as a file of another tool.

    A program reads the server's address from WEBUI_URL and, where it needs them, user and password
    from WEBUI_AUTH (USER:PASSWORD); neither stands in it.

    Example: payload-replay export latest --format requests --images files --out cat
    """
    if format not in FORMATS:
        console.complain(f"--format {format}: choose one of {', '.join(FORMATS)}")
        raise typer.Exit(ExitStatus.REFUSED)
    if as_json and out is None:
        console.complain("--json tells what was written: give --out as well")
        raise typer.Exit(ExitStatus.REFUSED)
    with console.told():
        webui = connect(server, auth)
        capture = varied(load(source, webui, endpoint), vary.changes(sets))
        capture = webui.minimal(capture) if minimal else capture
        if images is Images.files:
            files = FORMATS[format].files(capture, webui.captures.asset, webui.url)
            save(files, out)
        else:
            data = FORMATS[format](capture, webui.captures.asset, webui.url)
            files = {str(out): data}
            write(data, out, SUFFIXES[format])
        for warning in capture.warnings:
            console.note(f"not captured: {warning.path}: {warning.reason}")
        if as_json:
            line({"source": source, "format": format, "out": str(out), "files": list(files)})


def save(files: Mapping[str, bytes], out: Path | None) -> None:
    """Into a new folder; as a zip where `out` is named so, or goes to standard output."""
    if out is None or out.suffix.lower() == ".zip":
        write(zipped(files), out, ".zip")
        return
    try:
        out.mkdir(parents=True)
    except FileExistsError as error:
        raise BadSource(f"--out {out}: exists, and is not overwritten: name another") from error
    for name, data in files.items():
        create(out / name, data)
