"""What several commands share: their options, and how they write what they found."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from payload_replay import console, files
from payload_replay.client import WebUI
from payload_replay.connection import split
from payload_replay.errors import BadSource, ReplayError
from payload_replay.exits import ExitStatus

SERVER = "http://127.0.0.1:7860"

Server = Annotated[
    str, typer.Option("--server", envvar="PAYLOAD_REPLAY_SERVER", help="The webui's address.")
]
Auth = Annotated[
    str | None,
    typer.Option(
        "--auth",
        metavar="USER:PASSWORD",
        envvar="PAYLOAD_REPLAY_AUTH",
        help="As in the webui's --api-auth; the password may hold colons. For every server whose "
        "address names no user of its own.",
    ),
]
Seconds = Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Migrate = Annotated[
    bool,
    typer.Option(
        "--migrate", help="First rewrite what this server wants said otherwise, and say what."
    ),
]
Sources = Annotated[
    list[str],
    typer.Argument(metavar="SOURCE...", help="Files, bundles, - for standard input, ids, latest."),
]
EndpointOption = Annotated[
    str | None,
    typer.Option("--endpoint", help="Where a bare payload belongs: txt2img, img2img or a path."),
]
SourceName = Annotated[
    str,
    typer.Argument(
        help="A capture file, a bundle, a bare payload, - for standard input, an id, latest."
    ),
]


def connect(server: str, auth: str | None, timeout: float = 600) -> WebUI:
    """The client for these options. Raises typer.Exit where they are malformed.

    A user in the address is that server's own, and counts more than `auth`, which may come from the
    environment and is for all servers.
    """
    try:
        given = credentials(auth)
        return WebUI(server, split(server)[1] or given, (10, timeout))
    except (ReplayError, ValueError) as error:
        console.complain(error)
        raise typer.Exit(ExitStatus.REFUSED) from error


def credentials(text: str | None) -> tuple[str, str] | None:
    """User and password; everything after the first colon is the password."""
    if not text:
        return None
    user, colon, password = text.partition(":")
    if not colon:
        raise ValueError("--auth is USER:PASSWORD, with a colon between them")
    return user, password


def line(value: Any) -> None:
    """One JSON object on a line of its own, seen at once at the other end of a pipe."""
    print(json.dumps(value), flush=True)


def write(data: bytes, out: Path | None, suffix: str) -> None:
    """To a new file, or to standard output, where a terminal gets no zip."""
    if out is not None:
        try:
            files.create(out, data)
        except FileExistsError as error:
            raise BadSource(f"--out {out}: exists, and is not overwritten: name another") from error
    elif suffix == ".zip" and sys.stdout.isatty():
        console.complain(f"a bundle is no text: give --out FILE{suffix}, or a pipe")
        raise typer.Exit(ExitStatus.REFUSED)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
