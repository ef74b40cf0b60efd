"""What waits is stored before the process ends: signals by themselves, and in a stand-in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import pytest
import requests

from payload_capture import shutdown

from .conftest import Host, Start, wait

PROGRAM = """
import os, signal, sys, time
from payload_capture import shutdown

went_on = []

def say(word):
    os.write(1, word.encode() + b"\\n")

def save():
    say("saving")
    while "stuck" in sys.argv:
        time.sleep(0.01)

if "exits" in sys.argv:
    for number in shutdown.SIGNALS:
        signal.signal(number, lambda *_: os._exit(7))
if "goes-on" in sys.argv:
    signal.signal(signal.SIGINT, lambda *_: went_on.append(1))
if "ignores" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
shutdown.before_signals(save)
say("ready")
while True:
    time.sleep(0.01)
    if went_on:  # the handler has returned
        went_on.clear()
        say("goes on")
"""


class Program:
    """A program of its own that is sent signals, and what it says."""

    def __init__(self, *traits: str) -> None:
        command = [sys.executable, "-c", PROGRAM, *traits]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        assert self.child.stdout is not None
        self.out: IO[str] = self.child.stdout
        self.hears("ready")

    def hears(self, word: str) -> None:
        assert self.out.readline().strip() == word

    def ended(self) -> int:
        assert self.out.read() == ""
        self.out.close()
        return self.child.wait()


@pytest.mark.parametrize("number", shutdown.SIGNALS)
def test_a_handler_that_exits_at_once_waits(number: signal.Signals) -> None:
    program = Program("exits")
    program.child.send_signal(number)
    program.hears("saving")
    assert program.ended() == 7


@pytest.mark.parametrize("number", [n for n in shutdown.SIGNALS if n != signal.SIGINT])
def test_a_process_that_has_no_handler_dies_of_the_signal(number: signal.Signals) -> None:
    program = Program()
    program.child.send_signal(number)
    program.hears("saving")
    assert program.ended() == -number


def test_who_goes_on_after_ctrl_c_is_asked_again() -> None:
    program = Program("goes-on")
    for _ in range(2):
        program.child.send_signal(signal.SIGINT)
        program.hears("saving")
        program.hears("goes on")
    program.child.kill()
    program.ended()


def test_what_a_handler_raises_goes_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def before(*_: object) -> None:
        raise KeyboardInterrupt

    saved: list[int] = []
    monkeypatch.setattr(shutdown, "SIGNALS", (signal.SIGUSR1,))
    signal.signal(signal.SIGUSR1, before)
    try:
        shutdown.before_signals(lambda: saved.append(1))
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    assert saved == [1, 1]


@pytest.mark.parametrize("trait", ["exits", "default"])
def test_a_second_signal_does_not_wait(trait: str) -> None:
    program = Program("stuck", trait)
    program.child.send_signal(signal.SIGTERM)
    program.hears("saving")
    program.child.send_signal(signal.SIGTERM)
    assert program.ended() == (7 if trait == "exits" else -signal.SIGTERM)


def test_what_is_ignored_stays_ignored() -> None:
    program = Program("ignores", "goes-on")
    program.child.send_signal(signal.SIGHUP)
    program.child.send_signal(signal.SIGINT)
    program.hears("saving")
    program.hears("goes on")
    program.child.kill()
    program.ended()


def test_another_thread_changes_nothing() -> None:
    before = list(map(signal.getsignal, shutdown.SIGNALS))
    thread = threading.Thread(target=shutdown.before_signals, args=(print,))
    thread.start()
    thread.join()
    assert list(map(signal.getsignal, shutdown.SIGNALS)) == before


# ---- in a stand-in

SLOW = """
import sys, time
from modules import restart, script_callbacks

def slow(page, app):
    store = sys.modules["payload_capture.store"].Store
    add = store.add
    def later(*given):
        time.sleep(0.3)
        return add(*given)
    store.add = later
    sys.modules["payload_capture.service"].LAST_SECONDS = 60
    app.add_api_route("/tests/stop", restart.stop_program, methods=["POST"])

script_callbacks.on_app_started(slow)
"""
STUCK = """
import sys, threading
from modules import script_callbacks

def stuck(page, app):
    sys.modules["payload_capture.service"].LAST_SECONDS = 0.5
    sys.modules["payload_capture.store"].Store.add = lambda *given: threading.Event().wait()

script_callbacks.on_app_started(stuck)
"""
WAITING = 6


@pytest.mark.timeout(900)  # two starts of a stand-in
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, "button"])
def test_jobs_that_wait_for_the_writer_are_stored_at_the_end(
    start: Start, tmp_path: Path, how: signal.Signals | str
) -> None:
    host = start(data_dir=tmp_path, neighbours={"zz_slow": SLOW})
    for number in range(WAITING):
        host.generate(prompt=f"picture {number}").raise_for_status()
    end(host, how)
    host.process.restart()
    rows = host.json("/captures")["captures"]
    assert [row["prompt"] for row in rows] == [f"picture {n}" for n in reversed(range(WAITING))]
    host.process.stop()


def end(host: Host, how: signal.Signals | str) -> None:
    if isinstance(how, signal.Signals):
        os.kill(host.process.pid, how)
    else:
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{host.url}/tests/stop", timeout=60)
    wait(lambda: gone(host.process.pid))


def gone(pid: int) -> bool:
    """Whether a child has ended; it may wait to be asked how (Linux)."""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_store_that_hangs_does_not_keep_the_process(start: Start) -> None:
    host = start(neighbours={"zz_stuck": STUCK})
    host.generate().raise_for_status()
    os.kill(host.process.pid, signal.SIGTERM)
    wait(lambda: gone(host.process.pid))
    wait(lambda: "not everything could be stored before the end" in host.process.log)
    host.process.stop()
