"""Several sources replayed one after the other, each ending in an outcome, never in a traceback."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from . import source as sources
from .capture import FormatError
from .client import WebUI
from .errors import ConnectionFailed, NoAPI, ReplayError, WrongCredentials
from .exits import OF_VERDICT, ExitStatus, of_error
from .images import Picture
from .replay import Replay

# What every further source would meet as well, so that none is tried.
_HOPELESS = (ConnectionFailed, WrongCredentials, NoAPI)


@dataclass(frozen=True)
class Outcome:
    """What came of one source: a replay, or the error that kept it from being one."""

    source: str
    replay: Replay | None = None
    error: Exception | None = None

    @property
    def verdict(self) -> str:
        """The replay's; of an error ``refused`` where the input is wrong, else ``failed``."""
        if self.replay is not None:
            return self.replay.verdict
        return "refused" if self.status is ExitStatus.REFUSED else "failed"

    @property
    def reason(self) -> str:
        return self.replay.reason if self.replay is not None else str(self.error)

    @property
    def status(self) -> ExitStatus:
        if self.error is not None:
            return of_error(self.error)
        return OF_VERDICT[self.verdict] if self.replay else ExitStatus.FAILED

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``--json`` prints."""
        if self.replay is not None:
            return {"source": self.source, **self.replay.to_dict()}
        told = {"verdict": self.verdict, "reason": self.reason, "images": [], "seconds": 0.0}
        return {"source": self.source, "id": None, "endpoint": None, **told}


def run(
    names: Sequence[str],
    webui: WebUI,
    endpoint: str | None = None,
    out: Path | None = None,
    stdin: IO[bytes] | None = None,
    *,
    migrate: bool = False,
) -> Iterator[Outcome]:
    """Replay each source; one that fails does not keep the next from being tried.

    Where the server itself cannot be used, the others get the same outcome without being tried.

    Args:
        endpoint: where bare payloads belong.
        out: a folder for the pictures that came.
        migrate: rewrite first what the server wants said otherwise.
    """
    hopeless: Exception | None = None
    for name in names:
        if hopeless:
            yield Outcome(name, error=hopeless)
            continue
        outcome = _one(name, webui, endpoint, out, stdin, migrate)
        yield outcome
        if isinstance(outcome.error, _HOPELESS):
            hopeless = outcome.error


def save(pictures: Sequence[Picture], folder: Path, stem: str) -> list[Path]:
    """Write pictures as they came; a file that is there already is never touched."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_new(folder, f"{stem}-{n}", picture) for n, picture in enumerate(pictures)]


def _one(
    name: str,
    webui: WebUI,
    endpoint: str | None,
    out: Path | None,
    stdin: IO[bytes] | None,
    migrate: bool,
) -> Outcome:
    try:
        replay = webui.replay(sources.load(name, webui, endpoint, stdin), migrate=migrate)
        if out is not None:
            save(replay.pictures, out, replay.capture.id)
    except (ReplayError, FormatError, OSError) as error:
        return Outcome(name, error=error)
    return Outcome(name, replay)


def _new(folder: Path, stem: str, picture: Picture) -> Path:
    suffix = (picture.image.format or "png").lower()
    names = itertools.chain([stem], (f"{stem}~{n}" for n in itertools.count(2)))
    path = next(p for name in names if not (p := folder / f"{name}.{suffix}").exists())
    with path.open("xb") as file:
        file.write(picture.data)
    return path
