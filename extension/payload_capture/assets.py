"""Where pictures' files lie, named by the sha256 of their bytes.

A folder by default; an object store, or anything else that fsspec knows, by its URL
(``s3://bucket/captures``), for which its package has to be installed in the webui's environment.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from payload_capture.database import StoreError

_NAME = re.compile(r"[0-9a-f]{64}")
STALE = 3600
"""Seconds after which a file that is half written will never be finished."""


class Assets(Protocol):
    """What both kinds of places do. All raise OSError."""

    def where(self, sha256: str) -> str:
        """As a message names it; the whole place for an empty name."""

    def exists(self, sha256: str) -> bool: ...

    def write(self, sha256: str, data: bytes) -> None: ...

    def read(self, sha256: str) -> bytes:
        """Raises FileNotFoundError."""

    def remove(self, sha256: str) -> None:
        """Also what is not there."""

    def names(self) -> Iterator[str]:
        """The sha256 of every file."""

    def sweep(self) -> list[str]:
        """Remove what a crash left half written; what it was."""


def at(url: str | None, folder: Path) -> Assets:
    """The place that a URL or a path names, `folder` where it is None."""
    if url is None:
        return Folder(folder)
    scheme, mark, path = url.partition("://")
    if not mark or scheme in ("file", "local"):
        return Folder(Path(path or url))
    return Bucket(url)


class Folder:
    """A folder of this machine, without fsspec: its files appear by a rename, and it costs less."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def where(self, sha256: str) -> str:
        return str(self._path(sha256) if sha256 else self._folder)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def exists(self, sha256: str) -> bool:
        return self._path(sha256).exists()

    def write(self, sha256: str, data: bytes) -> None:
        path = self._path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f"{sha256}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            half.write_bytes(data)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)

    def read(self, sha256: str) -> bytes:
        return self._path(sha256).read_bytes()

    def remove(self, sha256: str) -> None:
        self._path(sha256).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        return (path.name for path in self._folder.glob("??/*") if _NAME.fullmatch(path.name))

    def sweep(self) -> list[str]:
        begun = time.time() - STALE
        halves = [p for p in self._folder.glob("??/*.part") if p.stat().st_mtime < begun]
        for half in halves:
            half.unlink(missing_ok=True)
        return [str(half) for half in halves]


class Bucket:
    """An object store, or any other file system of fsspec; connected when first used."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._found: tuple[Any, str] | None = None

    def where(self, sha256: str) -> str:
        return f"{self._url}/{sha256[:2]}/{sha256}" if sha256 else self._url

    def exists(self, sha256: str) -> bool:
        with self._spoken() as (system, root):
            return bool(system.exists(_below(root, sha256)))

    def write(self, sha256: str, data: bytes) -> None:
        with self._spoken() as (system, root):
            path = _below(root, sha256)
            try:
                system.pipe_file(path, data)
            except FileNotFoundError:  # a file system with real folders
                system.makedirs(path.rpartition("/")[0], exist_ok=True)
                system.pipe_file(path, data)

    def read(self, sha256: str) -> bytes:
        with self._spoken() as (system, root):
            return bytes(system.cat_file(_below(root, sha256)))

    def remove(self, sha256: str) -> None:
        with self._spoken() as (system, root), contextlib.suppress(FileNotFoundError):
            system.rm_file(_below(root, sha256))

    def names(self) -> Iterator[str]:
        with self._spoken() as (system, root):
            found = [str(path).rpartition("/")[2] for path in system.find(root)]
        return (name for name in found if _NAME.fullmatch(name))

    def sweep(self) -> list[str]:
        return []  # an object appears when all of it was sent

    @contextlib.contextmanager
    def _spoken(self) -> Iterator[tuple[Any, str]]:
        """The file system and its root; what its package raises becomes an OSError."""
        try:
            yield self._connected()
        except ImportError as error:
            raise StoreError(
                f"{self._url}: {error}; install it with pip in the webui's environment"
            ) from error
        except (OSError, StoreError):
            raise
        except Exception as error:
            raise OSError(f"{self._url}: {type(error).__name__}: {error}") from error

    def _connected(self) -> tuple[Any, str]:
        if self._found is None:
            from fsspec.core import url_to_fs

            # Other processes write there too: nothing that was listed once stays true.
            system, root = url_to_fs(self._url, use_listings_cache=False)
            self._found = system, str(root).rstrip("/")
        return self._found


def _below(root: str, sha256: str) -> str:
    return f"{root}/{sha256[:2]}/{sha256}"
