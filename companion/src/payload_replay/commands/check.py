"""The command `check`: what stands in the way of a replay, without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from rich.text import Text

from payload_replay import console, preflight
from payload_replay.capture import Capture, FormatError
from payload_replay.changes import Change
from payload_replay.client import WebUI
from payload_replay.errors import ReplayError
from payload_replay.exits import ExitStatus, of_error
from payload_replay.migrate import migrate as migrated
from payload_replay.problem import Problem
from payload_replay.source import load

from .options import SERVER, Auth, EndpointOption, Json, Migrate, Server, Sources, connect, line

STYLES = {"blocks": "bold red", "pixels": "yellow", "cosmetic": "cyan"}


def check(
    sources: Sources,
    server: Server = SERVER,
    auth: Auth = None,
    endpoint: EndpointOption = None,
    migrate: Migrate = False,
    as_json: Json = False,
) -> None:
    """Say what this server lacks or has otherwise, before anything is sent.

    Exits 0 if nothing blocks a replay, 2 if something does or the input is wrong, 3 if the server
    is unreachable or failing.

    Example: payload-replay check latest cat.json --server http://127.0.0.1:7860
    """
    webui = connect(server, auth)
    with console.told():
        found = [_one(name, webui, endpoint, migrate, as_json) for name in sources]
    raise typer.Exit(max(found))


def _one(name: str, webui: WebUI, endpoint: str | None, migrate: bool, as_json: bool) -> ExitStatus:
    try:
        capture = load(name, webui, endpoint)
        capture, changes = migrated(capture, webui) if migrate else (capture, [])
        problems = preflight.check(webui, capture, webui.inventory)
    except (ReplayError, FormatError, OSError) as error:
        return _failed(name, error, as_json)
    blocked = any(problem.severity == "blocks" for problem in problems)
    if as_json:
        line(_told(name, capture, changes, problems, blocked))
    else:
        _show(name, changes, problems)
    return ExitStatus.REFUSED if blocked else ExitStatus.IDENTICAL


def _failed(name: str, error: Exception, as_json: bool) -> ExitStatus:
    if as_json:
        told = {"source": name, "id": None, "endpoint": None, "blocks": True}
        line(told | {"changes": [], "problems": [], "error": str(error)})
    else:
        console.complain(f"{name}: {error}")
    return of_error(error)


def _told(
    name: str,
    capture: Capture,
    changes: Sequence[Change],
    problems: Sequence[Problem],
    blocked: bool,
) -> dict[str, Any]:
    """The JSON object of one source."""
    return {
        "source": name,
        "id": capture.id,
        "endpoint": capture.endpoint,
        "blocks": blocked,
        "changes": [change.to_dict() for change in changes],
        "problems": [problem.to_dict() for problem in problems],
    }


def _show(name: str, changes: Sequence[Change], problems: Sequence[Problem]) -> None:
    """Tab-separated: source, severity, problem."""
    rows = [("changed", "cyan", str(change)) for change in changes]
    rows += [(one.severity, STYLES[one.severity], str(one)) for one in problems]
    if not problems:
        rows.append(("ready", "green", "nothing is known to stand in the way"))
    for word, style, text in rows:
        if console.output().is_terminal:
            shown = Text.assemble((f"{word:<9}", style), console.plain(f"{name}  {text}"))
            console.output().print(shown)
        else:
            console.tabbed((name, word, text))
