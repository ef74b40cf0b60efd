"""Files that are written whole or not at all, by whatever else runs at the same time.

The bytes go to a ``.….part`` beside the file, onto the disk, and get the file's name last; of a
write that fails, on a full disk too, nothing is left. A new file has the mode that the umask gives,
one that is written anew keeps its own, and what a link points to is written, not the link.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

MOST = 10_000
"""Files of one stem in a folder, at most."""


def write(path: Path, data: bytes) -> None:
    """Write a file, in place of an older one. Raises OSError."""
    target = Path(os.path.realpath(path))
    with _part(target.parent, data) as part:
        if target.exists():
            shutil.copymode(target, part)
        os.replace(part, target)


def create(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet, a link included.

    Raises:
        FileExistsError: it is.
        OSError: it cannot be written.
    """
    with _part(path.parent, data) as part:
        _named(part, path)


def add(folder: Path, stem: str, data: bytes, suffix: str = ".json") -> Path:
    """A new file ``{stem}{suffix}`` of a folder, or ``{stem}~2{suffix}`` … where that is taken.

    Raises:
        OSError: it cannot be written.
    """
    with _part(folder, data) as part:
        for count in range(1, MOST):
            path = folder / (f"{stem}{suffix}" if count == 1 else f"{stem}~{count}{suffix}")
            with contextlib.suppress(FileExistsError):
                _named(part, path)
                return path
    raise FileExistsError(f"{folder / stem}{suffix} and {MOST} like it exist")


@contextlib.contextmanager
def _part(folder: Path, data: bytes) -> Iterator[Path]:
    """The bytes in a file without a name of its own, which is gone afterwards."""
    path = folder / f".{secrets.token_hex(8)}.part"
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)


def _named(part: Path, path: Path) -> None:
    """Give the bytes their name. Raises FileExistsError where it is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: first take the name, then fill it
        path.open("xb").close()
        os.replace(part, path)
