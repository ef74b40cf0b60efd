"""What other extensions may call: by itself, and used by one in a running stand-in."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import payload_capture
from payload_capture import interface
from payload_capture.interface import Registry

from .conftest import Host, Start, wait

EXAMPLE = Path(__file__).parent / "example_extension"


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()
    yield registry
    registry.forget()


def threads() -> list[str]:
    names = (thread.name for thread in threading.enumerate())
    return [name for name in names if name.startswith("payload-capture-subscriber")]


def test_captures_come_in_order_off_the_writers_thread(registry: Registry) -> None:
    got: list[tuple[int, str]] = []
    registry.subscribe("a", lambda d: got.append((d["n"], threading.current_thread().name)))
    for number in range(50):
        registry.publish(json.dumps({"n": number}))
    wait(lambda: len(got) == 50)
    assert got == [(n, "payload-capture-subscriber-a") for n in range(50)]


def test_a_slow_one_delays_nobody_and_a_failing_one_is_said(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    go, got, failed = threading.Event(), [], threading.Event()

    def fails(document: Any) -> None:
        failed.set()
        raise ValueError("no such album")

    registry.subscribe("slow", lambda d: bool(go.wait(30)))  # type: ignore[arg-type]
    registry.subscribe("fails", fails)
    registry.subscribe("exits", lambda d: sys.exit("enough"))
    registry.subscribe("quick", lambda d: got.append(d))
    registry.publish("{}")
    registry.publish("{}")
    wait(lambda: len(got) == 2)
    assert failed.wait(30)
    said: list[str] = []

    def hears(words: str) -> bool:
        said.append(capsys.readouterr().err)
        return words in "".join(said)

    wait(lambda: hears("fails failed at a capture: ValueError"))
    exits = "exits failed at a capture: SystemExit: enough"
    wait(lambda: hears(exits) and "".join(said).count(exits) == 2)
    go.set()


def test_each_gets_a_document_of_its_own(registry: Registry) -> None:
    got: list[dict[str, Any]] = []
    for name in "ab":
        registry.subscribe(name, got.append)
    registry.publish('{"id": "c1"}')
    wait(lambda: len(got) == 2)
    assert got[0] is not got[1]


def test_what_waits_for_a_slow_one_has_an_end(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    go, got = threading.Event(), []

    def slow(document: dict[str, Any]) -> None:
        go.wait(30)
        got.append(document["n"])

    registry.subscribe("slow", slow)
    registry.publish('{"n": -1}')
    wait(lambda: registry._subscriptions["slow"]._queue.empty())  # it is being answered
    for number in range(interface.WAITING + 5):
        registry.publish(json.dumps({"n": number}))
    go.set()
    wait(lambda: got and got[-1] == interface.WAITING + 4)
    assert got == [-1, *range(5, interface.WAITING + 5)]
    assert capsys.readouterr().err.count("slow is too slow") == 5


def test_subscriptions_end(registry: Registry) -> None:
    got: list[str] = []
    first = registry.subscribe("a", lambda d: got.append("first"))
    registry.subscribe("a", lambda d: got.append("second"))
    registry.publish("{}")
    wait(lambda: got == ["second"])
    first()  # of the one that was replaced already
    registry.publish("{}")
    wait(lambda: got == ["second"] * 2)
    registry.forget()
    registry.publish("{}")
    wait(lambda: threads() == [])
    assert got == ["second"] * 2


def test_an_ended_one_is_called_no_more(registry: Registry) -> None:
    go, got = threading.Event(), []

    def slow(document: Any) -> None:
        got.append(document)
        go.wait(30)

    end = registry.subscribe("slow", slow)
    registry.publish("{}")
    registry.publish("{}")
    wait(lambda: got)
    end()
    go.set()
    wait(lambda: threads() == [])
    assert len(got) == 1


def test_facts_are_asked_each_time_and_failures_stand_in_their_place(registry: Registry) -> None:
    numbers = iter(range(9))
    registry.add_fact("counts", lambda: next(numbers))
    registry.add_fact("fails", lambda: 1 / 0)
    registry.add_fact("no-json", lambda: {1, 2})
    registry.add_fact("nan", lambda: float("nan"))
    registry.add_fact("exits", lambda: sys.exit("enough"))
    assert registry.facts()["counts"] == 0
    made = registry.facts()
    assert made["counts"] == 1
    assert made["fails"] == {"failed": "ZeroDivisionError: division by zero"}
    assert made["exits"] == {"failed": "SystemExit: enough"}
    assert [set(made[name]) for name in ("no-json", "nan")] == [{"failed"}] * 2
    registry.forget()
    assert registry.facts() == {}


def test_before_the_extension_has_started_there_is_nothing_to_read() -> None:
    assert interface.registry.service is None
    with pytest.raises(RuntimeError, match="on_app_started"):
        interface.latest()


def test_what_is_offered() -> None:
    offered = {"INTERFACE", "add_host_fact", "asset", "latest", "register_adapter", "subscribe"}
    assert offered <= set(payload_capture.__all__)
    assert payload_capture.INTERFACE == 1
    assert all(getattr(payload_capture, name) is getattr(interface, name) for name in offered)


# ---- the example extension


@pytest.fixture(scope="module")
def host(start: Start) -> Iterator[Host]:
    host = start(folders={"gallery-notes": EXAMPLE})
    yield host
    assert host.process.errors() == []
    host.process.stop()


def notes(host: Host, **query: str) -> dict[str, Any]:
    answer = requests.get(f"{host.url}/gallery-notes", params=query, timeout=30)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def test_an_extension_uses_all_of_it(host: Host) -> None:
    assert notes(host) == {"seen": [], "latest": None, "bytes": 0}
    frame = {"frame": {"args": [1]}}
    host.generate(alwayson_scripts=frame).raise_for_status()
    capture = host.latest()
    assert capture["host"]["facts"] == {"gallery-notes": {"album": "holidays"}}
    assert capture["payload"]["alwayson_scripts"]["frame"]["args"] == ["gold"]
    wait(lambda: notes(host)["seen"] == [capture["id"]])
    told = notes(host)
    assert told["latest"] == capture["id"]
    assert told["bytes"] == capture["assets"][capture["results"][0]["asset"]]["size"]
    assert notes(host, user="nobody")["latest"] is None


def test_its_failure_is_said_and_harms_nothing(host: Host) -> None:
    before = len(notes(host)["seen"])
    host.generate(prompt="fail").raise_for_status()
    host.generate(prompt="go on").raise_for_status()
    wait(lambda: len(notes(host)["seen"]) == before + 1)
    said = "gallery-notes failed at a capture: ValueError: gallery-notes does not like this prompt"
    wait(lambda: said in host.process.log)
    assert host.json("/status")["failures"] == 0


def test_reload_ui_doubles_nothing(host: Host) -> None:
    for _ in range(2):
        host.process.reload_ui()
    assert notes(host)["seen"] == [], "its script file was not run again"
    host.generate().raise_for_status()
    wait(lambda: notes(host)["seen"])
    host.generate(prompt="another").raise_for_status()
    wait(lambda: len(notes(host)["seen"]) > 1)
    assert len(notes(host)["seen"]) == 2


def test_the_guide_shows_the_example(repository: Path) -> None:
    guide = (repository / "docs" / "extending.md").read_text(encoding="utf-8")
    source = next(EXAMPLE.rglob("*.py")).read_text(encoding="utf-8")
    assert source.partition('"""\n\n')[2].strip() in guide
    assert "payload_capture" in sys.modules
