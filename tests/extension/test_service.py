"""What is captured, and what a job leaves as it was, in a running host."""

from __future__ import annotations

import threading

import requests

from .conftest import SMALL, UNCHOSEN, Host, Start


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


def test_a_job_knows_its_checkpoint_where_nobody_has_chosen_one(
    start: Start,
) -> None:
    host = start(neighbours={"unchosen": UNCHOSEN})
    url = f"{host.url}/sdapi/v1"
    assert requests.get(f"{url}/options", timeout=30).json()["sd_model_checkpoint"] is None
    first = requests.get(f"{url}/sd-models", timeout=30).json()[0]["title"]
    host.generate().raise_for_status()
    capture = host.latest()
    assert capture["host"]["checkpoint"]["title"] == first
    assert capture["payload"]["override_settings"]["sd_model_checkpoint"] == first
    assert host.process.errors() == []
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
