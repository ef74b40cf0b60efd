"""The extension as a whole in a running host: what it survives, and what it never does."""

from __future__ import annotations

import threading

import requests

from .conftest import Start, wait

RAISES = """
from modules import scripts
class Raises(scripts.Script):
    def title(self): return "Raises"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def process(self, p, *args):
        if "fail" in p.prompt: p.width = "wide"
class Broken(scripts.Script):
    def title(self): return "Breaks off"
    def run(self, p, *args): raise ValueError("the axis is bent")
"""
SABOTEUR = """
import sys
from modules import scripts

def broken(*given):
    raise RuntimeError("no draft today")

class Saboteur(scripts.Script):
    def title(self): return "Saboteur"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def process(self, p, *args): sys.modules["payload_capture.payload"].draft = broken
"""
SLOW = """
import time
from modules import scripts, shared
class Slow(scripts.Script):
    def title(self): return "Slow"
    def show(self, is_img2img): return scripts.AlwaysVisible
    def process_batch(self, p, *args, **kwargs):
        while "slow" in p.prompt and not shared.state.interrupted: time.sleep(0.01)
"""


def test_a_failed_generation_is_a_row_with_the_reason(start: Start) -> None:
    host = start(neighbours={"raises": RAISES})
    answer = host.generate(script_name="Breaks off", script_args=[])
    assert answer.status_code == 500
    (row,) = host.json("/captures")["captures"]
    assert (row["state"], row["error"]) == ("failed", "ValueError: the axis is bent")
    host.process.stop()


def test_a_failure_of_capturing_is_a_row_and_the_generation_goes_on(start: Start) -> None:
    host = start(neighbours={"saboteur": SABOTEUR})
    host.generate().raise_for_status()
    answer = host.generate()
    assert len(answer.json()["images"]) == 1
    row = host.json("/captures")["captures"][0]
    assert "no draft today" in row["failure"]
    assert row["state"] == "ok"
    refused = host.get(f"/captures/{row['id']}/request")
    assert refused.status_code == 409
    assert "no draft today" in refused.json()["error"]["message"]
    assert "no draft today" in host.json("/status")["last_failure"]
    host.process.stop()


def test_an_interrupted_generation_says_so(start: Start) -> None:
    host = start(neighbours={"slow": SLOW})
    job = threading.Thread(target=host.generate, kwargs={"prompt": "slow", "n_iter": 2})
    job.start()
    url = f"{host.url}/sdapi/v1"
    wait(lambda: requests.get(f"{url}/progress", timeout=30).json()["state"]["job_count"] > 0)
    wait(lambda: not requests.post(f"{url}/interrupt", timeout=30).json() and not _busy(url))
    job.join()
    (row,) = host.json("/captures")["captures"]
    assert row["state"] == "interrupted"
    host.process.stop()


def _busy(url: str) -> bool:
    state = requests.get(f"{url}/progress", timeout=30).json()["state"]
    return bool(state["job_count"])


def test_reload_ui_changes_nothing(start: Start) -> None:
    host = start()
    host.generate().raise_for_status()
    for _ in range(2):
        host.process.reload_ui()
        host.generate().raise_for_status()
    assert len(host.json("/captures")["captures"]) == 3
    assert host.process.errors() == []
    host.process.stop()


def test_works_without_a_page(start: Start) -> None:
    host = start("--nowebui")
    host.generate().raise_for_status()
    assert host.latest()["payload"]["prompt"] == "a cat"
    assert host.process.errors() == []
    host.process.stop()


def test_captures_survive_a_restart(start: Start) -> None:
    host = start()
    host.generate().raise_for_status()
    before = host.latest()
    host.process.restart()
    assert host.latest() == before
    host.process.stop()


def test_hostile_neighbours_change_nothing(start: Start) -> None:
    package = "from extension import nothing\n"
    host = start(neighbours={"utils": "x = 1\n", "extension": "import sys\n", "broken": package})
    host.generate().raise_for_status()
    assert host.latest()["payload"]["prompt"] == "a cat"
    host.process.stop()
