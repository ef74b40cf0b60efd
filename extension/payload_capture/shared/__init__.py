"""What the companion's sources give to the extension: exporters, importers, the replay's proof.

A package whose modules lie in the companion's folder and import each other relatively. They are
loaded from there under this name, so that a client of another version in the same environment
changes nothing here, and the companion's own ``__init__`` is never run. Each is imported where it
is first used: none is needed to capture.
"""

from __future__ import annotations

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[3] / "companion" / "src" / "payload_replay")]
