"""A process that writes until it is killed, and is born fast: for `test_database`.

    python killed.py FOLDER

reads a line from its input for each child that it is to fork; a child says its process id, opens
the store in FOLDER, says so, adds and deletes captures, and prints the id of each as soon as the
store has kept it. The child speaks alone until it is dead, so nothing overtakes its id.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import sqlalchemy.dialects.sqlite  # noqa: F401 (what a child would load)

from payload_capture import tables  # noqa: F401
from payload_capture.store import Store
from stored import make


def say(line: str) -> None:
    """All of it or nothing, whenever the process is killed: an unbuffered print writes twice."""
    os.write(1, f"{line}\n".encode())


def write(folder: Path, round: int) -> None:
    say(f"pid {os.getpid()}")
    store = Store(folder)
    store.page(1)
    say("open")
    for step in range(1_000_000):
        number = round * 1000 + step
        store.add(*make(number, f"round {round} elephant{step}"))
        say(f"+c{number}")
        if step % 3 == 2:
            store.delete(f"c{number - 1}")
            say(f"-c{number - 1}")


def main() -> None:
    folder = Path(sys.argv[1])
    for round, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            write(folder, round)
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
