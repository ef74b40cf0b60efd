"""The extension under load and over time, in a running stand-in.

Each test has a short form that always runs; the long one is marked `soak`:
``python3 tests -m soak tests/extension/test_endurance.py``.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from payload_capture.capture import Capture
from payload_capture.store import Store
from stored import broken
from webui_standin import Process

from .conftest import PREFIX, SMALL, Host, Start

COUNTS = """
import collections, gc, os, threading
from modules import script_callbacks

def counts():
    gc.collect()
    found = collections.Counter(
        thread.name for thread in threading.enumerate() if thread.name.startswith("payload-capture")
    )
    for one in gc.get_objects():
        kind = type(one)
        if str(kind.__module__).startswith(("payload_capture", "sqlalchemy.engine.base")):
            found[kind.__name__] += 1
    for callbacks in script_callbacks.callback_map.values():
        for callback in callbacks:
            module = str(getattr(callback.callback, "__module__", ""))
            found["callbacks"] += module.startswith("payload_capture")
    for number in os.listdir("/proc/self/fd"):
        try:
            found["files"] += "/payload-capture/" in os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            pass  # the one that listed them
    return found

script_callbacks.on_app_started(
    lambda page, app: app.add_api_route("/tests/counts", counts, methods=["GET"])
)
"""


# ---- generating, reading and deleting at once


def test_generating_reading_and_deleting_at_once(start: Start) -> None:
    host = start()
    crowd = Crowd(host, jobs=6)
    crowd.run(makers=8, readers=8, deleters=2)
    assert crowd.problems == []
    status = host.json("/status")
    assert (status["failures"], status["last_failure"], status["waiting"]) == (0, None, 0)
    left = {row["id"] for row in host.json("/captures", limit=500)["captures"]}
    assert len(left) + len(crowd.deleted) == 8 * 6
    assert left.isdisjoint(crowd.deleted)
    used = {name for identity in left for name in checked_assets(host, identity)}
    folder = host.process.data_dir / "payload-capture" / "assets"
    assert {path.name for path in folder.rglob("*") if path.is_file()} == used
    assert host.process.errors() == []
    host.process.stop()


class Crowd:
    """Clients that generate, read and delete until the last generation came."""

    def __init__(self, host: Host, jobs: int) -> None:
        self._host = host
        self._jobs = jobs
        self._done = threading.Event()
        self.deleted: set[str] = set()
        self.problems: list[str] = []

    def run(self, makers: int, readers: int, deleters: int) -> None:
        making = [self._thread(self._make, number) for number in range(makers)]
        others = [self._thread(self._read, number) for number in range(readers)]
        others += [self._thread(self._delete, number) for number in range(deleters)]
        for thread in making:
            thread.join()
        self._done.set()
        for thread in others:
            thread.join()

    def _thread(self, work: Callable[[int, requests.Session], None], number: int) -> Any:
        def noting() -> None:
            try:
                work(number, requests.Session())
            except Exception as error:
                self.problems.append(f"{work.__name__} {number}: {error!r}")

        thread = threading.Thread(target=noting)
        thread.start()
        return thread

    def _make(self, number: int, session: requests.Session) -> None:
        for job in range(self._jobs):
            # Some pictures are the same, so that their files are shared.
            payload = SMALL | {"prompt": f"client {number % 3}", "seed": job % 2}
            url = f"{self._host.url}/sdapi/v1/txt2img"
            session.post(url, json=payload, timeout=60).raise_for_status()

    def _read(self, number: int, session: requests.Session) -> None:
        while not self._done.is_set():
            for row in self._rows(session):
                answer = self._get(session, f"/captures/{row['id']}")
                if answer.status_code == 404 and row["id"] in self.deleted:
                    continue
                answer.raise_for_status()
                capture = Capture.from_json(answer.content)
                picture = self._get(session, f"/captures/{capture.id}/results/0")
                if picture.status_code != 404 or capture.id not in self.deleted:
                    picture.raise_for_status()

    def _delete(self, number: int, session: requests.Session) -> None:
        while not self._done.wait(0.05):
            if rows := self._rows(session):
                identity = random.Random(len(self.deleted)).choice(rows)["id"]
                self.deleted.add(identity)  # first: it may be gone before the answer is here
                url = f"{self._host.url}{PREFIX}/captures/{identity}?forever=true"
                assert session.delete(url, timeout=60).status_code in (200, 404)

    def _rows(self, session: requests.Session) -> list[dict[str, Any]]:
        answer = self._get(session, "/captures?limit=20")
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()["captures"]
        return rows

    def _get(self, session: requests.Session, path: str) -> requests.Response:
        return session.get(self._host.url + PREFIX + path, timeout=60)


def checked_assets(host: Host, identity: str) -> set[str]:
    """The names of a capture's assets, each read and hashed."""
    document = host.json(f"/captures/{identity}")
    for sha256 in document["assets"]:
        answer = host.get(f"/assets/{sha256}")
        answer.raise_for_status()
        assert hashlib.sha256(answer.content).hexdigest() == sha256
    return set(document["assets"])


# ---- Reload UI


@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [4, pytest.param(50, marks=pytest.mark.soak)])
def test_reload_ui_leaves_nothing_behind(start: Start, repository: Path, times: int) -> None:
    example = Path(__file__).parent / "example_extension"
    host = start(neighbours={"counts": COUNTS}, folders={"gallery-notes": example})
    settled = [generate_and_reload(host) for _ in range(2)][-1]
    for _ in range(times - 2):
        generate_and_reload(host)
    assert generate_and_reload(host) == settled
    assert settled["callbacks"] > 0
    assert settled["payload-capture-subscriber-gallery-notes"] == 1
    assert len(host.json("/captures", limit=500)["captures"]) == times + 1
    assert host.process.errors() == []
    host.process.stop()


def generate_and_reload(host: Host) -> dict[str, int]:
    """What there is of ours once a generation was written after Reload UI."""
    host.process.reload_ui()
    host.generate().raise_for_status()
    host.latest()
    counts: dict[str, int] = requests.get(f"{host.url}/tests/counts", timeout=60).json()
    del counts["Event"]  # what happened, kept for listeners: one more with each generation
    return counts


# ---- the end, in the middle of a write


@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [2, pytest.param(40, marks=pytest.mark.soak)])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_webui_ends_in_the_middle_of_a_write(
    start: Start, tmp_path: Path, how: signal.Signals, times: int
) -> None:
    """SIGINT is Ctrl+C, at which the webui exits at once (A1111, ``initialize_util.py``).

    Every job that was answered is stored, except where the process is killed.
    """
    host = start(data_dir=tmp_path)
    chance = random.Random(times)
    stored: set[str] = set()
    finished = 0
    for _ in range(times):
        answered = end_while_generating(host.process, how, chance.uniform(0.5, 2))
        finished += answered
        assert intact(tmp_path / "payload-capture" / "captures.db")
        host.process.restart()
        found = every_id(host)
        for identity in found - stored:
            checked_assets(host, identity)
        assert stored <= found
        assert how == signal.SIGKILL or len(found - stored) >= answered
        stored = found
    assert 0 < len(stored) <= finished + times
    host.generate(prompt="and on").raise_for_status()
    assert host.latest()["payload"]["prompt"] == "and on"
    host.process.stop()
    store = Store(tmp_path / "payload-capture")
    assert broken(store) == []
    store.close()


def every_id(host: Host) -> set[str]:
    found, cursor = set(), None
    while True:
        page = host.json("/captures", limit=500, cursor=cursor)
        found |= {row["id"] for row in page["captures"]}
        if (cursor := page["next"]) is None:
            return found


def end_while_generating(process: Process, how: signal.Signals, seconds: float) -> int:
    """Signal the process while pictures are made and written; how many were answered."""
    answered, pid = begin(process), process.pid
    timer = threading.Timer(seconds, lambda: os.kill(pid, how))
    timer.start()
    try:
        while True:
            payload = SMALL | {"width": 128, "height": 128, "seed": -1, "steps": 1}
            url = f"{process.url}/sdapi/v1/txt2img"
            requests.post(url, json=payload, timeout=60).raise_for_status()
            answered += 1
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return answered
    finally:
        timer.join()


def begin(process: Process) -> int:
    """Make a picture and wait until it is stored, so that the end comes while there is a store."""
    requests.post(f"{process.url}/sdapi/v1/txt2img", json=SMALL, timeout=60).raise_for_status()
    requests.get(f"{process.url}{PREFIX}/captures/latest", timeout=60).raise_for_status()
    return 1


def intact(path: Path) -> bool:
    if not path.exists():
        return True  # ended before the first write
    with sqlite3.connect(path) as plain:
        return plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# ---- memory

ROOM = 10 << 20
"""Bytes by which the process may grow while it captures."""


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("number", [400, pytest.param(10_000, marks=pytest.mark.soak)])
def test_memory_does_not_grow_with_the_number_of_captures(start: Start, number: int) -> None:
    host = start()
    generate_many(host, 300)
    before = resident(host.process)
    generate_many(host, number)
    grown = resident(host.process) - before
    print(f"{number} generations: {grown / 2**20:.1f} MiB")
    assert grown < ROOM
    host.process.stop()


def generate_many(host: Host, number: int) -> None:
    for n in range(number):
        host.generate(prompt=f"picture {n}", seed=n, steps=1).raise_for_status()
    host.latest()


def resident(process: Process) -> int:
    """Bytes of memory that the process has (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) << 10
