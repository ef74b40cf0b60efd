"""`payload-replay unpack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from payload_replay import console
from payload_replay.source import load
from payload_replay.unpack import unpack as unpacked

from .options import SERVER, Auth, EndpointOption, Server, SourceName, connect, line


def unpack(
    source: SourceName,
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or an empty folder.")],
    server: Server = SERVER,
    auth: Auth = None,
    endpoint: EndpointOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The files as one JSON object.")] = False,
) -> None:
    """Write a capture's payload as a file to edit, and its pictures as files beside it.

    `payload-replay replay DIR/payload.json` sends it again.

    Example: payload-replay unpack latest --out cat
    """
    with console.told():
        webui = connect(server, auth)
        files = unpacked(load(source, webui, endpoint), out, webui.captures.asset)
        if as_json:
            line({"files": [str(path) for path in files]})
            return
        for path in files:
            console.tabbed([path])
