"""What databases and disks do to a store: other processes, locks, crashes, files that vanish."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payload_capture.database import PATIENCE, Database
from payload_capture.store import Filters, NotFoundError, Store, StoreError
from postgres import Postgres
from stored import broken, make, picture

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
ROUNDS = 200
"""Times that a writer is killed."""


def surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=surroundings(), text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# ---- other processes

ADDING = """
import pathlib, sys
from payload_capture.database import Database
from payload_capture.store import Store
from stored import broken, make, picture
folder, first, url = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] or None
store = Store(folder, url)
# A busy machine may let the one that makes the store wait for longer than users are made to.
store.database = Database(store.database.url, folder, patience=100)
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, first + 20):
    store.add(*make(number, data=picture(7), init=picture(8)))
    if number % 2:
        store.delete(f"c{number - 1}")
store.close()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_several_processes_share_a_new_store(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """They make it at the same moment; pictures that they share are never lost."""
    url = request.getfixturevalue("postgres").database() if kind == "postgresql" else ""
    processes = [run(ADDING, tmp_path / "data", 1000 * n, url) for n in range(4)]
    assert [said(process) for process in processes] == ["ready"] * 4
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(100) for process in processes] == [0] * 4
    store = Store(tmp_path / "data", url or None)
    assert len(store.page(100).captures) == 40
    assert store.counts()["assets"] == 2 + 40, "two pictures that all share, a thumbnail each"
    assert store.verify() == []
    for row in store.page(100).captures:
        store.delete(row["id"])
    assert list(store.assets.names()) == []
    store.close()


LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""


def test_a_lock_that_lasts_longer_than_the_patience_is_said_and_reading_goes_on(
    store: Store,
) -> None:
    store.add(*make(1))
    holder = run(LOCKING, store.folder / "captures.db")
    assert said(holder) == "locked"
    begun = time.monotonic()
    with pytest.raises(StoreError, match="database is locked; another program holds the file"):
        store.add(*make(2))
    assert time.monotonic() - begun >= PATIENCE
    assert [row["id"] for row in store.page().captures] == ["c1"]
    holder.communicate("done\n")
    store.add(*make(2))
    assert store.verify() == []


def test_a_process_that_stands_still_in_its_write_stops_nobody_for_good(either: Store) -> None:
    either.add(*make(1))
    hasty = Store(either.folder, either.database.url)
    hasty.database = Database(hasty.database.url, hasty.folder, patience=0.2)
    with (
        either.database.write(),
        pytest.raises(StoreError, match=r"database is locked; |lock timeout; another program"),
    ):
        hasty.add(*make(2))
    assert [row["id"] for row in hasty.page().captures] == ["c1"]
    hasty.add(*make(2))
    assert hasty.verify() == []
    hasty.close()


def test_a_short_lock_is_waited_for(store: Store) -> None:
    store.add(*make(1))
    holder = run(LOCKING, store.folder / "captures.db")
    assert said(holder) == "locked"
    writer = threading.Thread(target=lambda: store.add(*make(2)))
    writer.start()
    holder.communicate("done\n")
    writer.join()
    assert [row["id"] for row in store.page().captures] == ["c2", "c1"]


def test_threads_write_and_read_at_the_same_time(either: Store) -> None:
    errors: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 10):
                either.add(*make(number, "elephant", data=picture(1)))
                assert either.page(filters=Filters(q="elephant")).captures
                if number % 2:
                    either.delete(f"c{number}")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(either.page(100).captures) == 40
    assert either.verify() == []


# ---- crashes


@pytest.mark.timeout(600)
def test_killed_at_random_moments_at_most_the_one_in_flight_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    command = [sys.executable, str(HERE / "killed.py"), str(folder)]
    pipe = subprocess.PIPE
    parent = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=surroundings(), text=True)
    kept: set[str] = set()
    chance = random.Random(5)
    for round in range(ROUNDS):
        kept = killed(parent, chance, kept)
        check(folder, kept, deep=round % 50 == 49 or round < 3)
        kept = {row["id"] for row in everything(folder)}
    parent.communicate()
    assert len(kept) > ROUNDS / 10


def killed(parent: subprocess.Popen[str], chance: random.Random, kept: set[str]) -> set[str]:
    """Let a child write and kill it; what must be there then."""
    assert parent.stdin is not None
    parent.stdin.write("\n")
    parent.stdin.flush()
    victim = int(said(parent).removeprefix("pid "))
    now = set(kept)

    def hear(line: str) -> None:
        if line != "open":
            (now.add if line[0] == "+" else now.discard)(line[1:])

    if chance.random() < 0.8:  # else while it opens the store, at first while it makes it
        assert said(parent) == "open"
        for _ in range(chance.randrange(4)):  # however busy the machine is, some are kept
            hear(said(parent))
    time.sleep(chance.uniform(0, 0.15))
    os.kill(victim, signal.SIGKILL)
    while (line := said(parent)) != "dead":
        hear(line)
    return now


def everything(folder: Path) -> list[dict[str, Any]]:
    store = Store(folder)
    rows = store.page(100_000).captures
    store.close()
    return rows


def check(folder: Path, expected: set[str], deep: bool) -> None:
    store = Store(folder)
    found = {row["id"] for row in store.page(100_000).captures}
    assert len(found ^ expected) <= 1, (found - expected, expected - found)
    if deep:
        assert broken(store) == []
        store.repair()
        assert store.verify() == []
    store.close()


# ---- files that vanish, and those that cannot be written


def test_a_database_that_is_deleted_while_it_runs_is_begun_anew(store: Store) -> None:
    store.add(*make(1))
    for path in store.folder.glob("captures.db*"):
        path.unlink()
    store.add(*make(2))
    assert [row["id"] for row in store.page().captures] == ["c2"]
    assert len(store.repair()) == 2, "the pictures of the first one"
    store.close()
    assert Store(store.folder).get("c2").id == "c2"


def test_a_database_whose_file_alone_is_deleted_or_replaced(store: Store, tmp_path: Path) -> None:
    store.add(*make(1))
    (store.folder / "captures.db").unlink()
    store.add(*make(2))
    other = Store(tmp_path / "other")
    other.add(*make(3))
    other.close()
    for path in store.folder.glob("captures.db*"):
        path.unlink()
    (tmp_path / "other" / "captures.db").rename(store.folder / "captures.db")
    assert [row["id"] for row in store.page().captures] == ["c3"]


def test_the_whole_folder_is_deleted_while_it_runs(store: Store) -> None:
    store.add(*make(1))
    subprocess.run(["rm", "-r", store.folder], check=True)
    store.add(*make(2))
    assert store.verify() == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MiB."""
    assert os.geteuid() == 0, "this test mounts a small tmpfs: run it as root"
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_disk_is_said_and_reading_goes_on_while_it_is_open(disk: Path) -> None:
    store = Store(disk)
    store.add(*make(1))
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreError, match=r"(?i)read-?only.*writable"):
        store.add(*make(2))
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    store.add(*make(2))
    assert [row["id"] for row in store.page().captures] == ["c2", "c1"]
    store.close()


def test_a_full_disk_is_said_and_what_was_there_stays(disk: Path) -> None:
    store = Store(disk)
    store.add(*make(1))
    capture, files = make(2)
    with pytest.raises(StoreError, match="No space left on device; free space"):
        store.add(capture, {**files, "ab" * 32: os.urandom(4_000_000)})
    assert [row["id"] for row in store.page().captures] == ["c1"]
    assert not list(disk.rglob("*.part"))
    store.close()


def fill(store: Store, kept: list[str]) -> None:
    for number in range(1000):
        store.add(*make(number, prompt=os.urandom(20_000).hex()))
        kept.append(f"c{number}")


def test_a_database_that_fills_the_disk_keeps_what_it_has(disk: Path, tmp_path: Path) -> None:
    """The pictures lie elsewhere, so that it is SQLite that finds the disk full."""
    store = Store(disk, assets=str(tmp_path / "assets"))
    kept: list[str] = []
    with pytest.raises(StoreError, match=r"full; free space"):
        fill(store, kept)
    assert kept
    assert [row["id"] for row in store.page(1000).captures] == kept[::-1]
    faults = [fault.reason for fault in store.verify()]
    assert set(faults) <= {"no capture names it"}
    subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
    store.delete(kept[0])
    store.add(*make(1000))
    assert [row["id"] for row in store.page(1000).captures] == ["c1000", *kept[:0:-1]]
    store.close()


# ---- PostgreSQL


def test_a_server_that_is_stopped_and_started_again(tmp_path: Path) -> None:
    server = Postgres()
    try:
        store = Store(tmp_path, server.database())
        store.add(*make(1))
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreError, match="is the database server running"):
                store.add(*make(2))
        with pytest.raises(StoreError):
            store.page()
        server.start()
        store.add(*make(2))
        assert [row["id"] for row in store.page().captures] == ["c2", "c1"]
        assert store.verify() == []
        store.close()
    finally:
        server.close()


def test_a_server_that_never_was_is_said_without_its_password(tmp_path: Path) -> None:
    store = Store(tmp_path, "postgresql+psycopg://ann:secret@127.0.0.1:9/captures")
    with pytest.raises(StoreError, match="is the database server running") as raised:
        store.page()
    assert "secret" not in str(raised.value)


def test_a_url_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database URL"):
        Store(tmp_path, "captures.db").page()
    with pytest.raises(StoreError, match=r"load plugin.*pip"):
        Store(tmp_path, "nonsense://x").page()


def empty_and_fail(store: Store) -> None:
    from payload_capture import tables

    with store.database.write() as connection:
        connection.execute(tables.captures.delete())
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing(either: Store) -> None:
    either.add(*make(1))
    with pytest.raises(ZeroDivisionError):
        empty_and_fail(either)
    assert either.get("c1").id == "c1"
    either.add(*make(2))


def test_nothing_is_opened_before_it_is_used(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'x' / 'captures.db'}", tmp_path / "x").close()
    assert not (tmp_path / "x").exists()
    with pytest.raises(NotFoundError):
        Store(tmp_path / "x").get("c1")
    assert (tmp_path / "x" / "captures.db").exists()
