"""What was rewritten in a payload, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .differences import SHOWN, brief


@dataclass(frozen=True)
class Change:
    """At `path`: what the payload said before, says now (None: nothing), and why."""

    path: str
    before: Any
    after: Any
    reason: str

    def __str__(self) -> str:
        before, after = ("nothing" if v is None else brief(v) for v in (self.before, self.after))
        return f"{self.path}: {before} became {after}, since {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``--json`` prints: of a picture or a long text only an outline."""
        told = {"path": self.path, "before": _short(self.before), "after": _short(self.after)}
        return told | {"reason": self.reason}


def _short(value: Any) -> Any:
    small = len(value) <= SHOWN if isinstance(value, str) else not isinstance(value, (list, dict))
    return value if small else brief(value)


def put(values: dict[str, Any], prefix: str, field: str, value: Any, why: str) -> Iterator[Change]:
    """Set a field, or take it away for None; nothing where it is so already."""
    before = values.get(field)
    if before == value:
        return
    if value is None:
        del values[field]
    else:
        values[field] = value
    yield Change(prefix + field, before, value, why)
