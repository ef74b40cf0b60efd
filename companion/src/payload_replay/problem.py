"""One thing that stands in the way of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .capture import Severity

_GRAVEST = ("blocks", "pixels", "cosmetic")


@dataclass(frozen=True)
class Problem:
    """What is missing or different, at which `path` of the capture.

    `severity` is ``blocks`` where a replay would fail or silently make something else, ``pixels``
    where it may give other pixels, ``cosmetic`` where it will not. `nearest` is the name of the
    server that comes closest to what is missing, or None.
    """

    path: str
    reason: str
    severity: Severity = "blocks"
    nearest: str | None = None

    def __str__(self) -> str:
        near = f"; the nearest is {self.nearest!r}" if self.nearest else ""
        return f"{self.path}: {self.reason}{near}"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return _GRAVEST.index(self.severity)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``check --json`` prints."""
        told = {"path": self.path, "reason": self.reason, "severity": self.severity}
        return told | {"nearest": self.nearest}
