"""What happened, told to callbacks and streams: in this process, and by a running host."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import event_loop
from payload_capture.events import Events, stream

from .conftest import PREFIX, Host, Start, wait


def ids(events: Events, last: int) -> list[str]:
    return [event.data["id"] for event in events.after(last).events]


def test_ids_grow_over_restarts() -> None:
    before = Events(now=lambda: 1000.0)
    last = [before.publish("captured", {"id": str(n)}) for n in range(3)][-1]
    after = Events(now=lambda: 1001.0)
    assert after.publish("captured", {"id": "x"}) > last


def test_what_came_after_an_event() -> None:
    events = Events()
    first = events.publish("captured", {"id": "a"})
    events.publish("deleted", {"id": "a"})
    assert [event.kind for event in events.after(first).events] == ["deleted"]
    assert ids(events, 0) == ["a", "a"]


def test_what_is_forgotten_is_told_to_nobody() -> None:
    events = Events(kept=5)
    before = events.last
    for name in "aba":
        events.publish("captured", {"id": name})
    events.forget("a")
    assert ids(events, 0) == ["b"]
    assert not events.after(before + 1).missed
    for number in range(9):
        events.publish("captured", {"id": str(number)})
    assert ids(events, 0) == ["4", "5", "6", "7", "8"]


def test_only_so_many_are_remembered() -> None:
    events = Events(kept=2)
    first = events.publish("captured", {"id": "a"})
    assert not events.after(first - 1).missed
    for name in "bcd":
        events.publish("captured", {"id": name})
    assert ids(events, 0) == ["c", "d"]
    assert events.after(first).missed
    assert not events.after(first + 1).missed


def test_an_id_of_the_future_is_not_known() -> None:
    events = Events(now=lambda: 1000.0)
    assert events.after(5_000_000) == ([], events.last, True)


def test_a_callback_is_told_until_it_leaves() -> None:
    events = Events()
    told: list[str] = []
    leave = events.subscribe(lambda event: told.append(event.data["id"]))
    events.publish("captured", {"id": "a"})
    leave()
    leave()
    events.publish("captured", {"id": "b"})
    assert told == ["a"]


def test_what_a_callback_raises_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    events = Events()
    told: list[object] = []

    def broken(event: Any) -> None:
        raise RuntimeError("no ears")

    events.subscribe(broken)
    events.subscribe(told.append)
    events.publish("captured", {"id": "a"})
    assert len(told) == 1
    assert "no ears" in capsys.readouterr().err


def collected(events: Events, last: int | None, count: int, **options: Any) -> list[str]:
    """The first pieces of a stream."""

    async def collect() -> list[str]:
        made = []
        running = stream(events, last, lambda: False, **options)
        async for piece in running:
            made.append(piece)
            if len(made) == count:
                break
        await running.aclose()
        return made

    return event_loop.run(collect())


def test_a_stream_begins_after_the_last_event_that_was_seen() -> None:
    events = Events()
    first = events.publish("captured", {"id": "a"})
    second = events.publish("updated", {"id": "a\nb"})
    _, told = collected(events, first, 2)
    assert told == f'id: {second}\nevent: updated\ndata: {{"id": "a\\nb"}}\n\n'


def test_a_stream_says_what_it_cannot_tell_any_more() -> None:
    events = Events(kept=1)
    first = events.publish("captured", {"id": "a"})
    for name in "bc":
        events.publish("captured", {"id": name})
    _, missed, told = collected(events, first - 1, 3)
    assert f"id: {events.last}\nevent: missed" in missed
    assert '"id": "c"' in told


@pytest.mark.parametrize("last", [0, 5_000_000_000_000])
def test_what_is_missed_is_said_once(last: int) -> None:
    """Also where nothing has happened yet in this process."""

    async def collect() -> list[str]:
        running = stream(events, last, lambda: False, heartbeat=0.01)
        return [await running.__anext__() for _ in range(4)]

    events = Events(now=lambda: 1000.0)
    _, missed, *silence = event_loop.run(collect())
    assert "event: missed" in missed
    assert silence == [": still here\n\n"] * 2


def test_a_listener_that_reads_too_slowly_is_told_that_it_missed_something() -> None:
    async def collect() -> list[str]:
        running = stream(events, None, lambda: False)
        made = [await running.__anext__()]
        events.publish("captured", {"id": "a"})
        made.append(await running.__anext__())
        for name in "bcd":  # while it reads
            events.publish("captured", {"id": name})
        return made + [await running.__anext__() for _ in range(3)]

    events = Events(kept=2)
    told = [piece.splitlines()[1:] for piece in event_loop.run(collect())]
    kinds = [lines[0] for lines in told[1:]]
    assert kinds == ["event: captured", "event: missed", "event: captured", "event: captured"]
    assert [lines[1] for lines in told[3:]] == ['data: {"id": "c"}', 'data: {"id": "d"}']


def test_a_silent_stream_says_that_it_is_there() -> None:
    assert collected(Events(), None, 2, heartbeat=0.01)[1].startswith(":")


def test_a_stream_that_ended_leaves_no_listener() -> None:
    events = Events()
    collected(events, None, 1)
    assert events._callbacks == []


def test_a_stream_ends_when_the_server_closes() -> None:
    async def collect() -> list[str]:
        return [piece async for piece in stream(Events(), None, lambda: True)]

    assert len(event_loop.run(collect())) == 1


# ---- in a running host


class Listener:
    """Reads a host's event stream in a thread, until it ends or is closed."""

    def __init__(self, host: Host, **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", host.process.port, timeout=60)
        self.connection.request("GET", f"{PREFIX}/events", headers=headers)
        assert self.connection.sock is not None
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.told: list[tuple[int, str, dict[str, Any]]] = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        with contextlib.suppress(OSError, http.client.HTTPException):
            while line := self.answer.readline():
                name, _, value = line.decode().rstrip().partition(": ")
                if name:
                    fields[name] = value
                elif "event" in fields:
                    data = json.loads(fields["data"])
                    self.told.append((int(fields["id"]), fields["event"], data))
                    fields = {}

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(30)
        self.connection.close()


@pytest.fixture
def listener(host: Host) -> Iterator[Listener]:
    made = Listener(host)
    yield made
    made.close()


def test_a_generation_is_told_at_once(host: Host, listener: Listener) -> None:
    host.generate(prompt="told at once").raise_for_status()
    wait(lambda: listener.told)
    _, kind, data = listener.told[0]
    assert (kind, data["prompt"]) == ("captured", "told at once")
    assert data["id"] == host.latest()["id"]


def test_a_browser_that_takes_gzip_hears_at_once(host: Host) -> None:
    """The webui's compression would keep events back until the stream's end."""
    heard = Listener(host, **{"Accept-Encoding": "gzip"})
    host.generate().raise_for_status()
    wait(lambda: heard.told)
    assert heard.answer.headers["content-type"].startswith("text/event-stream")
    heard.close()


def test_a_listener_that_comes_back_gets_what_it_missed(host: Host, listener: Listener) -> None:
    host.generate(prompt="seen").raise_for_status()
    wait(lambda: listener.told)
    host.generate(prompt="missed").raise_for_status()
    host.latest()
    again = Listener(host, **{"Last-Event-ID": str(listener.told[0][0])})
    wait(lambda: again.told)
    assert again.told[0][2]["prompt"] == "missed"
    again.close()


def test_an_id_that_is_none(host: Host) -> None:
    answer = host.get("/events", headers={"Last-Event-ID": "x"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "Last-Event-ID")


def threads(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))


def test_forty_listeners_hold_no_thread(host: Host) -> None:
    """As many threads would be all that the webui's server has for its other routes."""
    host.generate().raise_for_status()
    host.latest()  # once the thread that writes was begun
    listeners = [Listener(host) for _ in range(40)]
    assert host.json("/status")["enabled"]
    before = threads(host.process.pid)
    for one in listeners:
        one.close()
    host.generate().raise_for_status()
    wait(lambda: host.json("/status")["listeners"] == 0)
    assert threads(host.process.pid) <= before


def test_forgetting_leaves_nothing_for_who_comes_back(host: Host) -> None:
    first = Listener(host)
    host.generate(prompt="before").raise_for_status()
    mine = host.latest()["id"]
    wait(lambda: any(data["id"] == mine for _, _, data in first.told))
    seen = next(number for number, _, data in first.told if data["id"] == mine)
    host.generate(prompt="nobody may know of the zebrafinch").raise_for_status()
    identity = host.latest()["id"]
    url = f"{host.url}{PREFIX}/captures/{identity}"
    requests.patch(url, json={"note": "of the zebrafinch"}, timeout=30).raise_for_status()
    requests.post(f"{url}/forget", timeout=60).raise_for_status()
    again = Listener(host, **{"Last-Event-ID": str(seen)})
    wait(lambda: again.told)
    assert again.told[0][1:] == ("deleted", {"id": identity})
    for one in (first, again):
        one.close()


def test_a_webui_without_a_page_ends_though_somebody_listens(start: Start) -> None:
    host = start("--nowebui")
    listening = Listener(host)
    os.kill(host.process.pid, signal.SIGTERM)
    listening.thread.join(60)
    assert not listening.thread.is_alive()
    status = Path(f"/proc/{host.process.pid}/stat")
    wait(lambda: status.read_text().rpartition(")")[2].split()[0] == "Z")
    host.process.stop()


def test_reload_ui_ends_streams(start: Start) -> None:
    """The webui waits for its connections before it closes, without end on gradio 3."""
    host = start()
    listening = Listener(host)
    host.process.reload_ui()
    listening.thread.join(30)
    assert not listening.thread.is_alive()
    assert host.json("/status")["listeners"] == 0
    heard = Listener(host)
    host.generate().raise_for_status()
    wait(lambda: heard.told)
    heard.close()
    host.process.stop()
