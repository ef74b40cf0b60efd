"""Files read whole, up to a size: what is larger is refused, and not read to its end."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from .errors import BadSource


def read(path: Path, most: int) -> bytes:
    """What a file of at most `most` bytes holds.

    Raises:
        BadSource: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            return bounded(file, most, path)
    except OSError as error:
        raise BadSource(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a name with a null character
        raise BadSource(f"{path}: cannot be read: {error}") from error


def bounded(file: IO[bytes], most: int, name: object) -> bytes:
    """What is left in an open file called `name`. Raises BadSource beyond `most` bytes, OSError."""
    return checked(file.read(most + 1), most, name)


def checked(data: bytes, most: int, name: object) -> bytes:
    """`data`, if it is of at most `most` bytes. Raises BadSource."""
    if len(data) > most:
        raise BadSource(f"{name}: larger than {most >> 20} MiB, which is not read")
    return data
