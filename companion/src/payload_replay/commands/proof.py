"""What `replay` leaves behind as proof: the report, and JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from payload_replay import console, junit, report
from payload_replay.batch import Outcome
from payload_replay.client import WebUI

TITLE = "Replayed and compared"


def prepare(folder: Path | None, xml: Path | None) -> None:
    """Find out before anything is generated whether both can be written. Raises OSError."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / report.NAME).open("ab").close()
    if xml is not None:
        xml.open("ab").close()


def keep(outcomes: Sequence[Outcome], webui: WebUI, folder: Path | None, xml: Path | None) -> None:
    """Write both, in place of older ones. Raises OSError."""
    if folder is not None:
        entries = report.of_outcomes(outcomes, webui)
        console.note(f"report: {report.write(folder, TITLE, report.LEAD, entries)}")
    if xml is not None:
        junit.write(xml, outcomes, webui.url)
