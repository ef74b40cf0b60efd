"""`payload-replay serve`: a recorded webui for the tests of an API client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from payload_replay import console
from payload_replay.commands.options import Auth, Json, Seconds, connect, line
from payload_replay.serve import MODES, Event, Recorded

PORT = 7861

Folder = Annotated[Path, typer.Argument(help="Captures: JSON files and bundles.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 is any free one.")]
Host = Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")]
ModeOption = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(MODES),
        help="As in vcrpy: none never asks a real server, once records into an empty folder only, "
        "new records what was not recorded, all records everything. "
        "Default: once with --record-from, else none.",
    ),
]
RecordFrom = Annotated[
    str | None, typer.Option("--record-from", metavar="URL", help="The real webui.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse a folder with files that are of no use.")
]


def run(
    folder: Folder,
    port: Port = PORT,
    host: Host = "127.0.0.1",
    mode: ModeOption = None,
    record_from: RecordFrom = None,
    auth: Auth = None,
    timeout: Seconds = 600,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Answer /sdapi/v1 from captures: a recorded webui for the tests of an API client.

    A request that was not recorded gets a 404 that lists the nearest recordings and what differs.
    Exits 2 if it cannot serve, 130 on Ctrl-C.

    Example: payload-replay serve captures/ --port 7861
    """
    with console.told():
        real = connect(record_from, auth, timeout) if record_from else None
        recorded = Recorded(
            folder,
            mode=mode,
            record_from=real,
            host=host,
            port=port,
            strict=strict,
            told=_shown(as_json),
        )
        for broken in recorded.broken:
            console.note(f"skipped {broken.path}: {broken.reason}")
        _ready(recorded, as_json)
        try:
            recorded.run()
        finally:
            if recorded.lost:
                console.complain(f"{recorded.lost} answers could not be written into {folder}")


def _ready(recorded: Recorded, as_json: bool) -> None:
    count, skipped = len(recorded.recordings.all()), len(recorded.broken)
    if as_json:
        told = {"url": recorded.url, "mode": recorded.mode, "recording": recorded.recording}
        line(told | {"recordings": count, "skipped": skipped})
        return
    what = "recording" if recorded.recording else "not recording"
    print(
        f"{recorded.url} answers from {count} recordings (mode {recorded.mode}, {what})",
        flush=True,
    )


def _shown(as_json: bool) -> Callable[[Event], None]:
    """What to do with each request: one line, whole even where several come at once."""
    lock = threading.Lock()

    def show(event: Event) -> None:
        with lock:
            if as_json:
                line(event.to_dict())
            else:
                console.tabbed((event.status, event.method, event.path, event.note))

    return show
