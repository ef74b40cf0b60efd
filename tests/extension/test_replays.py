"""Captures sent back to the webui that made them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from payload_capture.capture import Capture, Job
from payload_capture.replays import Replay, Replays
from payload_capture.runs import RunError
from payload_capture.shared.errors import Cancelled
from payload_capture.shared.replay import Replay as Made

from .conftest import PREFIX, Host, Start, wait
from .pictures import BASE64

CAPTURE = Capture(1, "c1", "/sdapi/v1/txt2img", {"prompt": "fox"})


class Looked(dict[str, Any]):
    """What a webui says of a job that runs."""

    @property
    def fraction(self) -> float:
        return float(self["fraction"])


class FakeWebui:
    """The seam: what a replay needs of the client; `gate` holds it up."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.tasks: list[str | None] = []
        self.preview: str | None = None
        self.inventory = SimpleNamespace(lacks=lambda *_: False, arguments=lambda *_: None)
        self.inventory.offered = lambda: None

    def replay(self, capture: Capture, *, fetch: Any, progress: Any, cancel: Any) -> Any:
        progress(Looked(fraction=0.5, live_preview=self.preview))
        self.tasks.append(capture.payload.get("force_task_id"))
        while not self.gate.wait(0.01):
            if cancel is not None and cancel.is_set():
                raise Cancelled("the generation was stopped as asked")
        if "fail" in capture.payload["prompt"]:
            raise ConnectionError("the webui is gone")
        return Made("identical", "it came", capture, seconds=0.25)


@pytest.fixture
def webui() -> FakeWebui:
    return FakeWebui()


def replays(webui: FakeWebui, ended: list[Replay], **given: Any) -> Replays:
    return Replays(lambda: webui, lambda sha256: b"", ended.append, **given)  # type: ignore[arg-type,return-value]


def test_one_after_the_other(webui: FakeWebui) -> None:
    ended: list[Replay] = []
    running = replays(webui, ended)
    first, second = running.start(CAPTURE), running.start(CAPTURE)
    wait(lambda: running.get(first.job).progress == 0.5)
    assert [running.get(one.job).state for one in (first, second)] == ["running", "queued"]
    webui.gate.set()
    wait(lambda: running.get(second.job).state == "done")
    done = running.get(first.job)
    assert (done.verdict, done.reason, done.seconds) == ("identical", "it came", 0.25)
    assert [one.job for one in ended] == [first.job, second.job]
    wait(lambda: running._thread is None)


def test_what_the_picture_looks_like_so_far_is_there_while_it_runs(webui: FakeWebui) -> None:
    webui.preview = f"data:image/png;base64,{BASE64}"
    running = replays(webui, [])
    first, second = running.start(CAPTURE), running.start(CAPTURE)
    wait(lambda: running.preview(first.job)[0])
    assert running.preview(first.job) == (1, webui.preview)
    assert running.preview(second.job) == (0, "")
    webui.preview = BASE64  # as the API's own route says it
    webui.gate.set()
    wait(lambda: running.get(second.job).state == "done")
    assert running.preview(first.job) == running.preview(second.job) == (0, "")


def test_the_last_replay_of_a_capture(webui: FakeWebui) -> None:
    webui.gate.set()
    running = replays(webui, [])
    assert running.of(CAPTURE.id) is None
    jobs = [running.start(CAPTURE).job for _ in range(2)]
    wait(lambda: running.get(jobs[1]).state == "done")
    last = running.of(CAPTURE.id)
    assert last is not None
    assert last.job == jobs[1]
    assert running.outcome(jobs[0]) is not None
    assert running.outcome("nothing") is None


def test_a_replay_that_fails_says_why(webui: FakeWebui) -> None:
    webui.gate.set()
    running = replays(webui, [])
    job = running.start(Capture(1, "c2", CAPTURE.endpoint, {"prompt": "fail"})).job
    wait(lambda: running.get(job).state == "failed")
    assert running.get(job).error == "the webui is gone"
    assert running.get(job).verdict is None


def test_what_the_listener_raises_is_said(
    webui: FakeWebui, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(replay: Replay) -> None:
        raise RuntimeError("no ears")

    webui.gate.set()
    running = Replays(lambda: webui, lambda sha256: b"", broken)  # type: ignore[arg-type,return-value]
    job = running.start(CAPTURE).job
    wait(lambda: running.get(job).state == "done")
    assert "no ears" in capsys.readouterr().err


def test_only_so_many_are_remembered(webui: FakeWebui) -> None:
    webui.gate.set()
    running = replays(webui, [], kept=2)
    jobs = []
    for _ in range(4):
        jobs.append(running.start(CAPTURE).job)
        wait(lambda: running.get(jobs[-1]).state == "done")
    with pytest.raises(KeyError):
        running.get(jobs[0])
    assert running.get(jobs[-2]).state == "done"


def test_what_cannot_be_sent_is_refused(webui: FakeWebui) -> None:
    failed = Capture(1, "c1", CAPTURE.endpoint, {}, job=Job(state="failed", error="no memory"))
    with pytest.raises(RunError, match="no memory") as raised:
        replays(webui, []).start(failed)
    assert (raised.value.status, raised.value.code) == (409, "not_replayable")


def names_jobs(endpoint: str) -> bool:
    return True


def test_one_that_waits_is_cancelled_at_once(webui: FakeWebui) -> None:
    ended: list[Replay] = []
    running = replays(webui, ended)
    first, second, third = (running.start(CAPTURE) for _ in range(3))
    cancelled = running.cancel(second.job)
    assert (cancelled.state, cancelled.verdict) == ("cancelled", None)
    assert ended == [cancelled]
    webui.gate.set()
    wait(lambda: running.get(third.job).state == "done")
    assert [one.job for one in ended] == [second.job, first.job, third.job]
    assert running.cancel(first.job) == running.get(first.job)


def test_one_that_runs_is_stopped_by_its_name(webui: FakeWebui) -> None:
    ended: list[Replay] = []
    running = replays(webui, ended, takes_task=names_jobs)
    first, second = running.start(CAPTURE), running.start(CAPTURE)
    wait(lambda: webui.tasks)
    running.cancel(first.job)
    wait(lambda: running.get(first.job).state == "cancelled")
    assert running.get(first.job).error == "the generation was stopped as asked"
    webui.gate.set()
    wait(lambda: running.get(second.job).state == "done")
    assert webui.tasks == [f"task({one.job})" for one in (first, second)]


def test_one_that_runs_without_a_name_is_not_stopped(webui: FakeWebui) -> None:
    """The webui would stop whatever it is at, which may be somebody else's job."""
    running = replays(webui, [])
    job = running.start(CAPTURE).job
    wait(lambda: webui.tasks)
    with pytest.raises(RunError, match="which of its jobs") as raised:
        running.cancel(job)
    assert raised.value.status == 409
    webui.gate.set()
    wait(lambda: running.get(job).state == "done")
    assert webui.tasks == [None]


def test_half_a_generation_has_no_verdict(webui: FakeWebui) -> None:
    webui.gate.set()
    asked: list[str] = []

    def interrupted(replay: Replay, capture: Capture) -> bool:
        asked.append(replay.task)
        return capture.id == CAPTURE.id

    running = replays(webui, [], takes_task=names_jobs, interrupted=interrupted)
    job = running.start(CAPTURE).job
    wait(lambda: running.get(job).state == "cancelled")
    assert asked == [f"task({job})"]
    assert running.get(job).verdict is None


# ---- in a running host


def replayed(host: Host, identity: str) -> dict[str, Any]:
    """What came of a replay in the end."""
    url = f"{host.url}{PREFIX}/captures/{identity}/replay"
    answer = host.session.post(url, timeout=60)
    assert answer.status_code == 202, answer.text
    where = host.url + answer.headers["location"]

    def ended() -> Any:
        told = host.session.get(where, timeout=30).json()
        return told if told["state"] in ("done", "failed") else None

    made: dict[str, Any] = wait(ended)
    return made


def test_a_replay_brings_the_same_picture_back(host: Host) -> None:
    host.generate(prompt="once more", seed=11).raise_for_status()
    capture = host.latest()
    done = replayed(host, capture["id"])
    assert (done["verdict"], done["error"]) == ("identical", None)
    assert done["reason"] == "the picture came back pixel for pixel"
    assert done["images"][0]["actual"] == capture["results"][0]["sha256"]
    row = host.json(f"/captures/{capture['id']}/summary")
    assert (row["verdict"], row["reason"]) == ("identical", done["reason"])
    found = host.json("/captures", verdict="identical")["captures"]
    assert [row["id"] for row in found] == [capture["id"]]


def test_another_picture_is_told_with_the_reason(host: Host) -> None:
    host.generate("img2img", init_images=[BASE64], prompt="twice").raise_for_status()
    document = host.latest()
    document["id"] += "-changed"
    document["payload"]["seed"] += 1
    sent = host.session.post(f"{host.url}{PREFIX}/captures", json=document, timeout=30)
    (identity,) = sent.json()["imported"]
    done = replayed(host, identity)
    assert done["verdict"] == "different"
    assert "Seed" in done["reason"]
    assert host.json(f"/captures/{identity}/summary")["verdict"] == "different"


def test_a_capture_whose_model_is_not_here_is_refused_at_once(host: Host) -> None:
    body = {"prompt": "x", "steps": 2, "override_settings": {"sd_model_checkpoint": "gone.ckpt"}}
    sent = host.session.post(f"{host.url}{PREFIX}/captures", json=body, timeout=30)
    (identity,) = sent.json()["imported"]
    answer = host.session.post(f"{host.url}{PREFIX}/captures/{identity}/replay", timeout=30)
    assert answer.status_code == 409
    reason = answer.json()["error"]["message"]
    assert "no checkpoint" in reason
    row = host.json(f"/captures/{identity}/summary")
    assert (row["verdict"], row["reason"]) == ("refused", reason)
    checked = host.session.post(f"{host.url}{PREFIX}/check", json={"id": identity}, timeout=30)
    assert checked.json()["replayable"] is False
    assert checked.json()["problems"][0]["path"] == "override_settings.sd_model_checkpoint"


def test_a_payload_can_be_checked_before_it_is_sent(host: Host) -> None:
    before = host.json("/status")["captures"]
    good = {"prompt": "x", "steps": 2, "sampler_name": "Euler"}
    for body, replayable in ((good, True), (good | {"script_name": "no such"}, False)):
        answer = host.session.post(f"{host.url}{PREFIX}/check", json=body, timeout=30)
        assert answer.json()["replayable"] is replayable, answer.text
    assert host.json("/status")["captures"] == before


@pytest.mark.parametrize("body", [{"id": "nothing"}, {"x": 1}, {"format": 99}])
def test_what_cannot_be_checked(host: Host, body: dict[str, Any]) -> None:
    answer = host.session.post(f"{host.url}{PREFIX}/check", json=body, timeout=30)
    assert answer.status_code == (404 if "id" in body else 422)


def test_a_replay_needs_the_webuis_api(start: Start) -> None:
    host = start(api=False)
    body = {"prompt": "x", "steps": 2}
    sent = host.session.post(f"{host.url}{PREFIX}/captures", json=body, timeout=30)
    (identity,) = sent.json()["imported"]
    for path in (f"/captures/{identity}/replay", "/check"):
        answer = host.session.post(host.url + PREFIX + path, json=body, timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "api_off")
    host.process.stop()


def test_a_replay_behind_passwords(start: Start) -> None:
    host = start("--api-auth", "ann:pa:ss", "--gradio-auth", "eve:x")
    host.session.auth = ("ann", "pa:ss")
    host.generate(prompt="guarded").raise_for_status()
    assert replayed(host, host.latest()["id"])["verdict"] == "identical"
    refused = requests.post(f"{host.url}{PREFIX}/captures/x/replay", timeout=30)
    assert refused.status_code == 401
    host.process.stop()


@pytest.fixture(scope="module")
def slow(start: Start) -> Iterator[Host]:
    """A host whose every step takes long enough to be stopped."""
    host = start(seconds_per_step=0.05)
    host.generate(prompt="to be stopped", steps=2).raise_for_status()
    yield host
    assert host.process.errors() == []
    host.process.stop()


def _short(host: Host) -> str:
    """The id of what the host made first."""
    identity: str = host.json("/captures", limit=500)["captures"][-1]["id"]
    return identity


def begun(host: Host) -> str:
    """The job of a replay that the webui is at, and that would go on for a minute."""
    document = host.json(f"/captures/{_short(host)}")
    document["id"] = f"long-{secrets.token_hex(4)}"
    document["payload"]["steps"] = 150
    document["payload"]["n_iter"] = 8
    sent = host.session.post(f"{host.url}{PREFIX}/captures", json=document, timeout=30)
    url = f"{host.url}{PREFIX}/captures/{sent.json()['imported'][0]}/replay"
    job: str = host.session.post(url, timeout=30).json()["job"]
    wait(lambda: host.json(f"/replays/{job}")["progress"] > 0)
    return job


def interrupt(host: Host) -> None:
    host.session.post(f"{host.url}/sdapi/v1/interrupt", timeout=30).raise_for_status()


def test_a_replay_that_runs_is_cancelled(slow: Host) -> None:
    job = begun(slow)
    url = f"{slow.url}{PREFIX}/replays/{job}"
    assert slow.session.delete(url, timeout=30).json()["job"] == job
    wait(lambda: slow.json(f"/replays/{job}")["state"] == "cancelled")
    told = slow.json(f"/replays/{job}")
    assert (told["verdict"], told["error"]) == (None, "the generation was stopped as asked")
    assert slow.json(f"/captures/{told['capture']}/summary")["verdict"] is None


def test_a_replay_that_somebody_interrupts_has_no_verdict(slow: Host) -> None:
    job = begun(slow)
    interrupt(slow)
    slow.session.post(f"{slow.url}/sdapi/v1/skip", timeout=30).raise_for_status()
    wait(lambda: slow.json(f"/replays/{job}")["state"] == "cancelled")
    told = slow.json(f"/replays/{job}")
    assert "interrupted" in told["error"]
    assert slow.json(f"/captures/{told['capture']}/summary")["verdict"] is None


NAMELESS = """
import sys
host = sys.modules["payload_capture.host"]
fields = host.accepted_fields
host.accepted_fields = lambda endpoint: set(fields(endpoint)) - {"force_task_id"}
host.task = lambda: None
"""
"""The API's jobs have no names, as in A1111 v1.6.0 (``modules/api/api.py``)."""


def test_where_jobs_have_no_names_the_page_interrupts_them(start: Start) -> None:
    host = start(seconds_per_step=0.05, neighbours={"zz-nameless": NAMELESS})
    host.generate(prompt="to be interrupted", steps=20).raise_for_status()
    job = begun(host)
    refused = host.session.delete(f"{host.url}{PREFIX}/replays/{job}", timeout=30)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_told_apart")
    interrupt(host)
    wait(lambda: host.json(f"/replays/{job}")["state"] == "cancelled")
    told = host.json(f"/replays/{job}")
    assert told["verdict"] is None
    assert "interrupted" in told["error"]
    other = threading.Thread(
        target=host.generate, kwargs={"prompt": "to be interrupted", "steps": 20, "n_iter": 8}
    )
    other.start()
    wait(lambda: host.session.get(f"{host.url}/sdapi/v1/progress", timeout=30).json()["progress"])
    interrupt(host)
    other.join()
    assert host.latest()["job"]["state"] == "interrupted"
    assert replayed(host, _short(host))["verdict"] == "identical"  # which was asked after that
    assert host.process.errors() == []
    host.process.stop()


def test_replays_run_in_the_order_in_which_they_were_asked(slow: Host) -> None:
    first = begun(slow)
    url = f"{slow.url}{PREFIX}"
    later = [
        slow.session.post(f"{url}/captures/{_short(slow)}/replay", timeout=30).json()["job"]
        for _ in range(3)
    ]
    assert {slow.json(f"/replays/{job}")["state"] for job in later} == {"queued"}
    slow.session.delete(f"{url}/replays/{later[1]}", timeout=30).raise_for_status()
    slow.session.delete(f"{url}/replays/{first}", timeout=30).raise_for_status()
    wait(lambda: slow.json(f"/replays/{later[2]}")["state"] == "done")
    states = [slow.json(f"/replays/{job}")["state"] for job in (first, *later)]
    assert states == ["cancelled", "done", "cancelled", "done"]


def test_no_such_replay(slow: Host) -> None:
    answer = slow.session.delete(f"{slow.url}{PREFIX}/replays/nothing", timeout=30)
    assert (answer.status_code, answer.json()["error"]["field"]) == (404, "job")
