"""The commands that need no webui, since they start the stand-in: `demo` and `standin`."""

from __future__ import annotations

import contextlib
import time
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from . import console, demo, report
from .batch import Outcome
from .errors import BadSource, ServerError
from .exits import ExitStatus

Flavour = Annotated[
    str | None,
    typer.Option("--flavour", help="a1111, reforge or forge: whose page and API."),
]
TITLE = "Captured, replayed, compared"
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def run_demo(
    flavour: Flavour = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the report.")] = Path(
        "demo-report"
    ),
    port: Annotated[int, typer.Option(help="Of the stand-in; 0 is any free one.")] = 0,
    serve: Annotated[
        bool, typer.Option("--serve", help="Leave the page open until Ctrl-C.")
    ] = False,
) -> None:
    """Make pictures on a stand-in webui, capture them, replay them, and report.

    Exits 0 only if every picture came back identical.

    Example: payload-replay demo --serve
    """
    with console.told():
        standin = ready(flavour)
        extension = demo.checkout()
        try:
            with demo.host(extension, port, flavour) as host:
                status = shown(host, out)
                if serve:
                    leave_open(host.url)
        except standin.StartupError as error:
            raise ServerError(500, "the stand-in did not start", str(error)) from error
    raise typer.Exit(status)


def run_standin(context: typer.Context, flavour: Flavour = None) -> None:
    """Start a webui without a GPU; every other option is one of the webui's own.

    Its pictures are drawn, not diffused: it is for trying things out, and for tests.

    Example: payload-replay standin --port 7860 --api --extensions DIR
    """
    with console.told():
        standin = ready(flavour)
    named = any(flag.partition("=")[0] == "--port" for flag in context.args)
    flags = context.args if named else ["--port", "7860", *context.args]
    raise typer.Exit(standin.main(flags, flavour))


def ready(flavour: str | None) -> Any:
    """The stand-in's package, if it can run here and is of this flavour. Raises BadSource."""
    try:
        import webui_standin

        here = webui_standin.flavours_here()
    except ImportError as error:
        raise BadSource(
            f"the stand-in is not installed here ({error}): in a checkout, run `python3 "
            "companion demo`, or pip install './companion[cli,standin]'"
        ) from error
    if flavour is not None and flavour not in webui_standin.FLAVOURS:
        known = ", ".join(webui_standin.FLAVOURS)
        raise BadSource(f"--flavour {flavour}: choose one of {known}")
    if flavour not in (None, *here):
        raise BadSource(
            f"this environment's gradio makes the flavour {' or '.join(here)}; in a checkout, "
            f"`python3 companion demo --flavour {flavour}` makes an environment for the other"
        )
    return webui_standin


def shown(host: Any, out: Path) -> ExitStatus:
    """Run every kind, show and write what came of it; the exit code."""
    console.note(f"a stand-in webui runs at {host.url}")
    done = list(console.watched(demo.run(host.url)))
    outcomes = [each.outcome for each in done]
    console.verdicts(outcomes)
    control = demo.control(host.url)
    path = write(out, [each.entry for each in done])
    identical = sum(outcome.verdict == "identical" for outcome in outcomes)
    console.note(f"{identical} of {len(outcomes)} identical; the last one sent again with another")
    console.note(f"seed, to show that the comparison can fail: {control.verdict}")
    console.note(f"report: {path}")
    return judged(outcomes, control, host.errors())


def write(folder: Path, entries: list[report.Entry]) -> Path:
    """The report as a file of this folder."""
    return report.write(folder, TITLE, demo.LEAD, entries)


def judged(
    outcomes: list[Outcome], control: Outcome, swallowed: list[dict[str, str]]
) -> ExitStatus:
    """The exit code: a comparison that cannot fail, or a hidden error, proves nothing."""
    if control.verdict != "different":
        console.complain(f"another seed was not told apart, but {control.verdict}")
        return ExitStatus.FAILED
    if swallowed:
        first = f"{swallowed[0].get('type')}: {swallowed[0].get('message')}"
        console.complain(f"{len(swallowed)} errors that a webui swallows; the first: {first}")
        return ExitStatus.FAILED
    return max(outcome.status for outcome in outcomes)


def leave_open(url: str) -> None:
    """Open the page, and wait for Ctrl-C."""
    console.note(f"the page stays open at {url} until Ctrl-C")
    webbrowser.open(url)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
