"""Proving that a store is whole, making it whole again, and leaving nothing of what was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from payload_capture.store import Store


class Fault(NamedTuple):
    """What is wrong: `path` names a capture, a file or the database, `reason` what of it."""

    path: str
    reason: str


def verify(store: Store) -> list[Fault]:
    """Read everything and derive every hash again."""
    raise NotImplementedError


def repair(store: Store) -> list[str]:
    """Make the store whole again; what was dropped for that."""
    raise NotImplementedError


def scrub(store: Store) -> None:
    """Leave nothing of deleted rows in any file of the database."""
    raise NotImplementedError
