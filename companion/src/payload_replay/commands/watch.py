"""`payload-replay watch`: follow new captures as they are made."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from payload_replay import console
from payload_replay.capture import FormatError
from payload_replay.captures import Summary
from payload_replay.client import WebUI
from payload_replay.commands.options import SERVER, Auth, Json, Seconds, Server, connect, line
from payload_replay.errors import InvalidPayload, NotFound
from payload_replay.watch import Polling, Watch, arguments, executed, fetched, saved

Exec = Annotated[
    str | None,
    typer.Option(
        "--exec",
        metavar="CMD",
        help="Run for each capture, without a shell; {} is its JSON file, which comes last if "
        "there is none. PAYLOAD_CAPTURE_ID, _FILE, _SEED and more are in its environment.",
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="A folder for each capture's JSON file.")
]
Since = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Begin with what was made after this capture; or latest."),
]
Interval = Annotated[float, typer.Option(min=0.05, help="Seconds between two looks.")]
Count = Annotated[int | None, typer.Option(min=1, help="End after so many captures.")]


def run(
    server: Server = SERVER,
    auth: Auth = None,
    command: Exec = None,
    out: Out = None,
    since: Since = None,
    count: Count = None,
    interval: Interval = 1.0,
    timeout: Seconds = 60,
    as_json: Json = False,
) -> None:
    """Follow new captures as they are made, until Ctrl-C (exit code 130).

    A command that fails is told on standard error and does not end the watch; nor does a server
    that restarts.

    Example: payload-replay watch --out captures --exec "python3 look.py {}"
    """
    with console.told():
        words = arguments(command) if command is not None else None
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        webui = connect(server, auth, timeout)
        watch = Watch(webui, since, bell=Polling(interval), note=console.note)
        with tempfile.TemporaryDirectory(prefix="payload-replay-") as folder:
            for row in itertools.islice(watch, count):
                _handle(webui, watch, row, words, out, Path(folder), as_json)


def _handle(
    webui: WebUI,
    watch: Watch,
    row: Summary,
    words: list[str] | None,
    out: Path | None,
    temporary: Path,
    as_json: bool,
) -> None:
    """Save, run and tell one capture; what goes wrong with it is told as well."""
    file, error = None, None
    if words is not None or out is not None:
        try:
            data = watch.patiently(lambda: fetched(webui, row["id"]))
            file = saved(out or temporary, row["id"], data)
        except (NotFound, InvalidPayload, FormatError, OSError) as problem:
            error = f"{row['id']} cannot be had: {problem}"
    if file is not None and words is not None:
        error = executed(words, file, row, webui.url)
    if file is not None and out is None:
        file.unlink(missing_ok=True)
        file = None
    _tell(row, file, error, as_json)


def _tell(row: Summary, file: Path | None, error: str | None, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {**row, "file": str(file) if file else None, "problem": error}
        line(told)
        return
    when = str(row.get("started", ""))[:19].replace("T", " ")
    endpoint = str(row.get("endpoint", "")).rpartition("/")[2]
    cells = (row["id"], when, endpoint, row.get("state"), row.get("seed"), row.get("prompt"))
    console.tabbed(("" if cell is None else cell) for cell in cells)
    if error is not None:
        console.complain(error)
