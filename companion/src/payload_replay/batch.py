"""What came of one source among several: an outcome, never a traceback."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import files
from .exits import OF_VERDICT, ExitStatus, of_error
from .images import Picture, suffix
from .replay import Replay


@dataclass(frozen=True)
class Outcome:
    """What came of one source: a replay, the error that kept it from being one, or the `record`
    that an earlier run or `slim` left of either.

    `server` is the address where it was made. `elsewhere` holds what other servers had said before,
    by their addresses; `files` are the pictures that were saved; `index` is the job's place in the
    run.
    """

    source: str
    replay: Replay | None = None
    error: Exception | None = None
    server: str = ""
    record: Mapping[str, Any] | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Path] = ()
    index: int = 0

    @property
    def verdict(self) -> str:
        """The replay's; of an error ``refused`` where the input is wrong, else ``failed``."""
        if self.record is not None:
            return str(self.record["verdict"])
        if self.replay is not None:
            return self.replay.verdict
        return "refused" if self.status is ExitStatus.REFUSED else "failed"

    @property
    def reason(self) -> str:
        if self.record is not None:
            return str(self.record.get("reason", ""))
        reason = self.replay.reason if self.replay is not None else str(self.error)
        if not self.elsewhere or self._made:
            return reason
        said = {**self.elsewhere, self.server: reason}
        return "; ".join(f"{server}: {reason}" for server, reason in said.items())

    @property
    def status(self) -> ExitStatus:
        if self.error is not None:
            return of_error(self.error)
        return OF_VERDICT.get(self.verdict, ExitStatus.FAILED)

    @property
    def made(self) -> int:
        """How many pictures came."""
        if self.record is not None:
            return int(self.record.get("pictures", 0))
        return len(self.replay.pictures) if self.replay is not None else 0

    @property
    def seconds(self) -> float | None:
        """How long the server took; None where nothing was made."""
        if self.record is not None:
            return float(self.record.get("seconds", 0)) if self.made else None
        return self.replay.seconds if self.replay is not None else None

    @property
    def _made(self) -> bool:
        return self.replay is not None and self.replay.verdict != "refused"

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``--json`` prints."""
        found: Mapping[str, Any] = self.record or {}
        if self.replay is not None:
            found = self.replay.to_dict()
        changes = {"changes": found["changes"]} if found.get("changes") else {}
        return changes | {
            "source": self.source,
            "id": found.get("id"),
            "endpoint": found.get("endpoint"),
            "verdict": self.verdict,
            "reason": self.reason,
            "images": found.get("images") or [],
            "seconds": found.get("seconds") or 0.0,
            "server": self.server or None,
        }

    def to_record(self) -> dict[str, Any]:
        """What a journal keeps: `to_dict`, the number of pictures, and where they lie."""
        files = [str(path.absolute()) for path in self.files]
        return {**self.to_dict(), "pictures": self.made, "files": files}

    def slim(self) -> Outcome:
        """The same without its pictures and its error's traceback, which holds the payload: those
        of a thousand replays would fill the memory.
        """
        if self.replay is None:
            error: BaseException | None = self.error
            while error is not None:
                error.__traceback__ = None
                error = error.__cause__ or error.__context__
            return self
        return dataclasses.replace(self, replay=None, elsewhere={}, record=self.to_record())


def save(pictures: Sequence[Picture], folder: Path, stem: str) -> list[Path]:
    """Write pictures as they came; a file that is there already is never touched."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        files.add(folder, f"{stem}-{n}", picture.data, f".{suffix(picture.data)}")
        for n, picture in enumerate(pictures)
    ]
