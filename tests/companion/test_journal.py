"""The journal: what is finished stays finished, whenever the power goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from payload_replay import FormatError
from payload_replay.capture import TXT2IMG, Capture, Result
from payload_replay.errors import BadSource
from payload_replay.journal import Journal, key

pytestmark = pytest.mark.once

RECORD: dict[str, Any] = {"verdict": "identical", "source": "a.json", "images": []}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def written(path: Path, count: int = 2) -> bytes:
    with Journal(path) as journal:
        for n in range(count):
            journal.add(f"key{n}", RECORD)
    return path.read_bytes()


def finished(path: Path) -> int:
    with Journal(path) as journal:
        return len(journal)


def test_what_is_added_is_there_next_time(path: Path) -> None:
    written(path)
    with Journal(path) as journal:
        assert len(journal) == 2
        assert journal.take("key0") == {"key": "key0", **RECORD}
        assert journal.take("key0") is None, "each is given once"
        assert journal.take("other") is None
        journal.add("key0", RECORD)
        assert journal.take("key0") is None, "what this run finished is not its own past"
    with Journal(path) as journal:
        assert [journal.take("key0") is not None for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_torn_at_any_byte(path: Path, count: int) -> None:
    whole = written(path, count)
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with Journal(path) as journal:
            assert len(journal) == max(0, whole[:end].count(b"\n") - 1)
            journal.add("more", RECORD)
        assert finished(path) == max(0, whole[:end].count(b"\n") - 1) + 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{}\n", "line 1: no journal of this program"),
        (b'{"prompt": "a"}', "line 1: no journal of this program"),
        (b"a,b\n1,2\n", "line 1: no JSON"),
        (b"\xff\xfe\n", "line 1: no JSON"),
        (b"[" * 100_000 + b"\n", "line 1: no JSON"),
        (b"FIRST[1]\n", "line 2: no record"),
        (b'FIRST{"key": 1, "verdict": "identical"}\n', "line 2: no record"),
        (b'FIRST{"key": "a"}\n', "line 2: no record"),
        (b'FIRST{"key"\n{"key": "a", "verdict": "identical"}\n', "line 2: no JSON"),
    ],
)
def test_another_file_is_refused_and_left_alone(path: Path, data: bytes, said: str) -> None:
    data = data.replace(b"FIRST", written(path, 0))
    path.write_bytes(data)
    with pytest.raises(BadSource, match=said):
        Journal(path)
    assert path.read_bytes() == data


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone" / "run.jsonl"):
        with pytest.raises(BadSource, match="--journal"):
            Journal(path)


def test_one_run_at_a_time(path: Path) -> None:
    with Journal(path), pytest.raises(BadSource, match="another run is writing it"):
        Journal(path)
    assert finished(path) == 0


def test_from_several_threads(path: Path) -> None:
    def work(journal: Journal, name: int) -> None:
        for n in range(20):
            journal.add(f"{name}-{n}", RECORD)

    with Journal(path) as journal:
        threads = [threading.Thread(target=work, args=(journal, n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert finished(path) == 160


def test_what_is_finished_is_told_while_the_disk_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path)
    syncing, synced = threading.Event(), threading.Event()
    found: list[Any] = []

    def slow(handle: int) -> None:
        syncing.set()
        assert synced.wait(60)

    with Journal(path) as journal:
        monkeypatch.setattr(os, "fsync", slow)
        adding = threading.Thread(target=journal.add, args=("other", RECORD))
        taking = threading.Thread(target=lambda: found.append(journal.take("key0")))
        adding.start()
        assert syncing.wait(60)
        taking.start()
        taking.join(30)
        assert found == [{"key": "key0", **RECORD}]
        synced.set()
        adding.join(60)
    assert finished(path) == 3


def test_a_killed_process_leaves_what_it_had_finished(path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from payload_replay.journal import Journal\n"
        f"journal = Journal(Path({str(path)!r}))\n"
        "journal.add('a', {'verdict': 'identical'}); os.kill(os.getpid(), 9)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert finished(path) == 1
    assert json.loads(path.read_text().splitlines()[1])["key"] == "a"


def test_the_key_is_the_content() -> None:
    one = Capture(1, "a", TXT2IMG, {"prompt": "a", "steps": 2})
    same = Capture(1, "b", TXT2IMG, {"steps": 2, "prompt": "a"})
    result = Result(64 * "a", 1, 1, "sample")
    others = [
        one.with_(steps=3),
        Capture(1, "a", "/other", one.payload),
        Capture(1, "a", TXT2IMG, one.payload, results=[result]),
    ]
    assert key(one) == key(same)
    assert len({key(one, migrate=True), *(key(each) for each in [one, *others])}) == 5
    assert key(one, migrate=True) == key(same, migrate=True)
    with pytest.raises(FormatError, match="not of JSON"):
        key(Capture(1, "a", TXT2IMG, {"steps": float("nan")}))
