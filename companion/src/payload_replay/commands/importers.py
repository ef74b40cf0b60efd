"""`payload-replay import`: whatever was kept elsewhere, written as capture files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from payload_replay import console, files
from payload_replay.capture import Capture, FormatError
from payload_replay.client import WebUI
from payload_replay.errors import ReplayError
from payload_replay.exits import ExitStatus, of_error
from payload_replay.source import load_all

from .options import SERVER, Auth, EndpointOption, Json, Server, connect, line


def import_(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Pictures, HAR, curl commands, payloads, captures, bundles, queue exports; - "
            "for standard input; FILE#N for the Nth request in one.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder for the captures.")],
    server: Server = SERVER,
    auth: Auth = None,
    endpoint: EndpointOption = None,
    files: Annotated[
        bool,
        typer.Option("--files", help="Read what a curl command names by @, below its own folder."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write each request in the sources as a capture file of its own.

    Nothing in them is run or unpickled. What could not be taken over is said of each, and stands in
    its `warnings`. A picture's infotext is read by the server where one answers.

    Example: payload-replay import cat.png session.har -o captures
    """
    webui = connect(server, auth)
    written = [write_all(source, webui, endpoint, out, files, as_json) for source in sources]
    raise typer.Exit(max(written))


def write_all(
    source: str, webui: WebUI, endpoint: str | None, out: Path, files: bool, as_json: bool
) -> ExitStatus:
    """Write what one source holds, or say why not: the others are still written."""
    try:
        for capture in load_all(source, webui, endpoint, files=files):
            tell(source, capture, save(capture, out), as_json)
    except (ReplayError, FormatError, OSError) as error:
        if as_json:
            line({"source": source, "file": None, "warnings": [], "error": str(error)})
        else:
            console.complain(error)
        return of_error(error)
    return ExitStatus.IDENTICAL


def save(capture: Capture, folder: Path) -> Path:
    """As a new file of this folder, whose name is the capture's id."""
    folder.mkdir(parents=True, exist_ok=True)
    return files.add(folder, capture.id, capture.to_json().encode())


def tell(source: str, capture: Capture, path: Path, as_json: bool) -> None:
    warnings = [dataclasses.asdict(warning) for warning in capture.warnings]
    if as_json:
        told: dict[str, Any] = {"source": source, "file": str(path)}
        line({**told, "warnings": warnings, "error": None})
        return
    print(path)
    for warning in capture.warnings:
        console.note(f"{path.name}: {warning.path}: {warning.reason} ({warning.severity})")
