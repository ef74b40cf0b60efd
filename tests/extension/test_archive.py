"""Captures in the store and those that wait for it, for which it takes a running host."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import requests

from payload_capture.archive import KEPT_IN_MEMORY, Archive
from payload_capture.capture import TXT2IMG, Capture
from payload_capture.store import Store

from .conftest import Start


def test_whatever_is_removed_changes_the_edition(store: Store) -> None:
    archive = Archive(store, lambda: None)
    store.add(Capture(1, "c1", TXT2IMG, {"prompt": "a cat"}), {})
    archive.trash("c1")
    before, last = archive.revision, archive.events.last
    assert archive.empty_trash() == 1
    assert archive.revision == before + 1
    assert archive.events.last == last + 1
    assert archive.empty_trash() == 0
    assert archive.revision == before + 1


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "payload-capture").mkdir()
    return tmp_path


def test_a_corrupt_store_loses_nothing_until_it_is_mended(start: Start, data: Path) -> None:
    path = data / "payload-capture" / "captures.db"
    path.write_bytes(b"this is no database" * 100)
    host = start(data_dir=data)
    host.generate(seed=-1).raise_for_status()
    assert host.latest()["payload"]["prompt"] == "a cat"
    status = host.json("/status")
    assert status["waiting"] == 1
    assert "damaged: move it away" in status["last_failure"]
    identity = host.latest()["id"]
    for fits, others in (({"q": "A Cat"}, {"q": "dog"}), ({"source": "api"}, {"source": "ui"})):
        assert len(host.json("/captures", **fits)["captures"]) == 1
        assert host.get("/captures", params=others).status_code == 503
    path.unlink()
    assert host.json("/captures")["captures"][0]["id"] == identity
    assert host.json("/status")["waiting"] == 0
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT id FROM captures").fetchone() == (identity,)
    host.process.stop()


DOWN = """
import sys
from modules import script_callbacks

attempts = []

def down(page, api):
    store, app = sys.modules["payload_capture.store"], sys.modules["payload_capture.app"]
    sys.modules["payload_capture.archive"].RETRY = 1e9
    add = store.Store.add
    def refused(self, capture, *more):
        attempts.append(capture.id)
        if "down" in capture.payload["prompt"]:
            raise store.StoreError("the server is down")
        if "strange" in capture.payload["prompt"]:
            raise OverflowError("too large")
        return add(self, capture, *more)
    store.Store.add = refused
    def told():
        return [app._service.writer.flush(), len(attempts)]
    api.add_api_route("/tests/attempts", told, methods=["GET"])

script_callbacks.on_app_started(down)
"""


def test_a_store_that_is_down_is_not_waited_for_at_each_job(start: Start) -> None:
    host = start(neighbours={"zz_down": DOWN})
    for number in range(KEPT_IN_MEMORY + 3):
        host.generate(prompt=f"down {number}").raise_for_status()
    told = requests.get(f"{host.url}/tests/attempts", timeout=60).json()
    assert told == [True, 1]
    assert host.json("/status")["waiting"] == KEPT_IN_MEMORY
    assert "was dropped" in host.json("/status")["last_failure"]
    host.process.stop()


def test_one_that_no_store_takes_keeps_back_no_others(start: Start) -> None:
    host = start(neighbours={"zz_down": DOWN})
    for prompt in ("strange", "plain"):
        host.generate(prompt=prompt).raise_for_status()
    assert [row["prompt"] for row in host.json("/captures")["captures"]] == ["plain"]
    assert "was dropped: OverflowError: too large" in host.json("/status")["last_failure"]
    host.process.stop()
