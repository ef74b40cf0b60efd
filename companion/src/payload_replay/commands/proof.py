"""What `replay` leaves behind as proof: the report, and JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from payload_replay import console, junit, report
from payload_replay.batch import Outcome
from payload_replay.client import WebUI

TITLE = "Replayed and compared"


class Proven:
    """The report into `folder` and JUnit XML into `xml`, where they are wanted.

    Raises:
        OSError: one of them cannot be written; found out before anything is generated.
    """

    def __init__(self, folder: Path | None, xml: Path | None) -> None:
        self._folder, self._xml = folder, xml
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / report.NAME).open("ab").close()
        if xml is not None:
            xml.open("ab").close()

    def kept(self, outcome: Outcome) -> Outcome:
        """The outcome, with its pictures only where they will be shown."""
        return outcome if self._folder or self._xml else outcome.slim()

    def write(self, outcomes: Sequence[Outcome], webui: WebUI) -> None:
        """Write both, in place of older ones. Raises OSError.

        `webui` is asked for the pictures that a capture only names.
        """
        if self._folder is not None:
            entries = report.of_outcomes(outcomes, webui)
            written = report.write(self._folder, TITLE, report.LEAD, entries)
            console.note(f"report: {written}")
        if self._xml is not None:
            junit.write(self._xml, outcomes, webui.url)
