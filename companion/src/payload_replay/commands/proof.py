"""What `replay` leaves behind as proof: the report, and JUnit XML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from payload_replay import console, junit
from payload_replay.batch import Outcome
from payload_replay.client import WebUI
from payload_replay.report import LEAD, Report, of_outcome

TITLE = "Replayed and compared"
_LEFT = "the run ended before this was begun"


class Proven:
    """The report into `folder` and JUnit XML into `xml`, where they are wanted, of a whole run.

    Both are written when the context ends, however it ends, in place of older ones: what was not
    begun by then stands there as ``not run``. Of an outcome nothing large is kept in memory.

    Args:
        connects: for each server, what makes a client of it; they are asked for the pictures that
            a capture only names.
        names: the run's jobs, in their order.

    Raises:
        OSError: one of them cannot be written; found out before anything is generated.
    """

    def __init__(
        self,
        folder: Path | None,
        xml: Path | None,
        connects: Sequence[Callable[[], WebUI]],
        names: Sequence[str],
    ) -> None:
        self._report = Report(folder, TITLE, LEAD) if folder is not None else None
        self._xml = xml
        self._webuis = [connect() for connect in connects]
        self._left = dict(enumerate(names))
        self._cases: list[junit.Case] = []
        if xml is not None:
            xml.open("ab").close()

    def __enter__(self) -> Proven:
        return self

    def __exit__(self, *_: object) -> None:
        for index, name in list(self._left.items()):
            record = {"verdict": junit.NOT_RUN, "reason": _LEFT}
            self.kept(Outcome(name, record=record, index=index))
        if self._report is not None:
            console.note(f"report: {self._report.write()}")
        if self._xml is not None:
            junit.write(self._xml, self._cases, [webui.url for webui in self._webuis])

    def kept(self, outcome: Outcome) -> Outcome:
        """The outcome without its pictures, which are in the report by then."""
        self._left.pop(outcome.index, None)
        if self._report is not None:
            self._report.add(of_outcome(outcome, self._webuis))
        if self._xml is not None:
            self._cases.append(junit.case(outcome))
        return outcome.slim()
