"""The extension as a whole in a running host: what it survives, and what it never does."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import requests

from .conftest import SMALL, Host, Start, wait

KEPT_IN_MEMORY = 32

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


def test_switched_off_it_captures_nothing(host: Host) -> None:
    url = f"{host.url}/sdapi/v1/options"
    before = len(host.json("/captures")["captures"])
    requests.post(url, json={"payload_capture_enabled": False}, timeout=30).raise_for_status()
    host.generate().raise_for_status()
    requests.post(url, json={"payload_capture_enabled": True}, timeout=30).raise_for_status()
    assert len(host.json("/captures")["captures"]) == before


def test_a_random_job_is_captured_with_its_seed_and_what_was_typed(host: Host) -> None:
    answer = host.generate(seed=-1, subseed=-1, subseed_strength=0.5)
    capture = host.latest()
    info = answer.json()["info"]
    assert capture["template"] == {"seed": -1, "subseed": -1}
    assert f'"seed": {capture["payload"]["seed"]}' in info
    assert f'"subseed": {capture["payload"]["subseed"]}' in info


def test_what_the_job_used_is_pinned(host: Host) -> None:
    capture_settings = {"CLIP_stop_at_last_layers": 2}
    host.generate(override_settings=capture_settings).raise_for_status()
    pinned = host.latest()["payload"]["override_settings"]
    assert pinned["CLIP_stop_at_last_layers"] == 2
    assert pinned["sd_model_checkpoint"]
    assert "samples_save" not in pinned


def test_hostile_neighbours_change_nothing(start: Start) -> None:
    package = "from extension import nothing\n"
    host = start(neighbours={"utils": "x = 1\n", "extension": "import sys\n", "broken": package})
    host.generate().raise_for_status()
    assert host.latest()["payload"]["prompt"] == "a cat"
    host.process.stop()


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

def down(page, app):
    store, service = sys.modules["payload_capture.store"], sys.modules["payload_capture.app"]
    service.RETRY = 1e9
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
        return [service._service.writer.flush(), len(attempts)]
    app.add_api_route("/tests/attempts", told, methods=["GET"])

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


def test_many_clients_at_once_lose_nothing(host: Host) -> None:
    before = len(host.json("/captures", limit=500)["captures"])
    prompts = [f"client {n}" for n in range(6)]
    threads = [threading.Thread(target=_send, args=(host.url, prompt)) for prompt in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = host.json("/captures", limit=500)["captures"]
    assert len(rows) == before + len(prompts)
    for row in rows[: len(prompts)]:
        (result,) = host.json(f"/captures/{row['id']}")["results"]
        assert result["infotext"].startswith(row["prompt"])


def _send(url: str, prompt: str) -> None:
    payload = SMALL | {"prompt": prompt, "seed": -1}
    requests.post(f"{url}/sdapi/v1/txt2img", json=payload, timeout=60).raise_for_status()


def test_what_a_request_overrides_is_as_before_though_nobody_ever_saved_it(host: Host) -> None:
    url = f"{host.url}/sdapi/v1/options"
    before = requests.get(url, timeout=30).json()
    overrides = {"CLIP_stop_at_last_layers": 3, "eta_noise_seed_delta": 7}
    host.generate(override_settings=overrides).raise_for_status()
    assert requests.get(url, timeout=30).json() == before
    used = host.latest()["payload"]["override_settings"]
    assert used | overrides == used
