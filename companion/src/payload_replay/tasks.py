"""What a fleet is to do: jobs, and the sources that they are made of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import blame
from . import source as sources
from .capture import Capture
from .client import WebUI
from .errors import NoExtension, NotFound, ReplayError
from .source import Named


class Source:
    """A source that is loaded when it is first needed, and let go after the last of its jobs.

    Args:
        name: what `payload_replay.source.load` takes.
        endpoint: where a bare payload belongs.
        jobs: how many jobs are made of it.
    """

    def __init__(self, name: str, endpoint: str | None = None, jobs: int = 1) -> None:
        self.name = name
        self._jobs = jobs
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._loaded: tuple[Named, WebUI | None] | None = None

    def load(self, webuis: Sequence[WebUI]) -> tuple[Named, WebUI | None]:
        """What it holds, and the server that it comes from. Raises ReplayError, FormatError."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._asked(webuis)
            return self._loaded

    def done(self) -> None:
        """One of its jobs is finished."""
        with self._lock:
            self._jobs -= 1
            if self._jobs <= 0:
                self._loaded = None

    def _asked(self, webuis: Sequence[WebUI]) -> tuple[Named, WebUI | None]:
        """An id is asked of one server after the other; ``latest`` is the newest of the first one
        that has any.
        """
        missed: list[ReplayError] = []
        for webui in webuis:
            found = self._of(webui)
            if isinstance(found, Named):
                return found, None if found.folder is not None else webui
            missed.append(found)
        # What a server says counts more than that another one says nothing.
        raise min(missed, key=blame.is_hopeless)

    def _of(self, webui: WebUI) -> Named | ReplayError:
        try:
            return sources.named(self.name, webui, self._endpoint)
        except ReplayError as error:
            if isinstance(error, (NotFound, NoExtension)) or blame.is_hopeless(error):
                return error
            raise


@dataclass(frozen=True)
class Job:
    """One replay: a source, and what is made of it before it is sent."""

    source: Source
    name: str
    make: Callable[[Named], Capture] = Named.inlined
    index: int = 0


def jobs(names: Iterable[str], endpoint: str | None = None) -> Iterator[Job]:
    """A job for each source as it is."""
    for index, name in enumerate(names):
        yield Job(Source(name, endpoint), name, index=index)
