"""Many replays: on several servers, with servers that fail, crash, lie down and come back, and with
somebody who presses Ctrl-C.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests
from PIL import Image

from fake_webui import API, EXTENSION, NO_ROUTE, Answer, FakeWebUI, Request, png
from payload_replay import Capture, WebUI
from payload_replay.__main__ import main
from payload_replay.batch import Outcome
from payload_replay.capture import IMG2IMG, Asset, AssetError, Job, reference
from payload_replay.errors import ConnectionFailed, Interrupted, Timeout
from payload_replay.exits import ExitStatus
from payload_replay.fleet import Fleet
from payload_replay.journal import Journal
from payload_replay.tasks import Job as Work
from payload_replay.tasks import Source, jobs
from payload_replay.testing import FakeSession

pytestmark = pytest.mark.once

FAR = (0.05, 0.1, 0.2)
"""Pauses before a silent server is asked again, in seconds."""


def until(what: Callable[[], object]) -> None:
    """Waits for what must come to be, a minute at most."""
    late = time.monotonic() + 60
    while not what():
        assert time.monotonic() < late, "it never came"
        time.sleep(0.01)


class Gate:
    """Makes a fake's generations wait until they are let through, and counts who waits."""

    def __init__(self, fake: FakeWebUI) -> None:
        self.open = threading.Event()
        self.waiting = threading.Semaphore(0)
        self.now = self.most = 0
        self._lock = threading.Lock()
        generate = fake.generate

        def held(payload: dict[str, Any]) -> dict[str, Any]:
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            self.waiting.release()
            assert self.open.wait(60)
            with self._lock:
                self.now -= 1
            return generate(payload)

        fake.generate = held


@pytest.fixture
def fakes() -> Iterator[list[FakeWebUI]]:
    with ExitStack() as stack:
        yield [stack.enter_context(FakeWebUI()) for _ in range(3)]


@pytest.fixture
def payloads(tmp_path: Path) -> Callable[[int], list[str]]:
    """Writes bare payloads, each another one."""

    def make(count: int) -> list[str]:
        paths = [tmp_path / f"p{n:03}.json" for n in range(count)]
        for n, path in enumerate(paths):
            path.write_text(json.dumps({"prompt": f"cat {n}", "steps": 1, "seed": n, "width": 8}))
        return [str(path) for path in paths]

    return make


def fleet(*fakes: FakeWebUI | str, **more: Any) -> Fleet:
    urls = [fake if isinstance(fake, str) else fake.url for fake in fakes]
    connect = [functools.partial(WebUI, url, None, 30) for url in urls]
    return Fleet(connect, pauses=more.pop("pauses", FAR), **more)


def made(fake: FakeWebUI) -> list[str]:
    return [body["prompt"] for body in fake.bodies("POST", f"{API}/txt2img")]


def made_by(fakes: list[FakeWebUI]) -> list[str]:
    return [prompt for fake in fakes for prompt in made(fake)]


def verdicts(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(outcome.verdict for outcome in outcomes)


# One server


def test_one_that_fails_does_not_stop_the_next(fake: FakeWebUI, captured) -> None:
    captured(id="good")
    captured(id="broken-off", job=Job(state="interrupted"))
    outcomes = list(fleet(fake).run(jobs(["unknown", "broken-off", "no.json", "good"])))
    assert [outcome.verdict for outcome in outcomes] == 3 * ["refused"] + ["identical"]
    assert [outcome.status for outcome in outcomes] == [2, 2, 2, 0]
    assert [outcome.index for outcome in outcomes] == [0, 1, 2, 3]


def test_what_every_source_would_meet_is_said_of_all_and_asked_once(
    fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answers["GET", f"{API}/options"] = NO_ROUTE
    typed = io.BytesIO(b'{"prompt": "a", "steps": 1}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(typed))
    outcomes = list(fleet(fake).run(jobs(["-", "latest"])))
    assert [outcome.source for outcome in outcomes] == ["-", "latest"]
    for outcome in outcomes:
        assert (outcome.verdict, outcome.status) == ("failed", ExitStatus.FAILED)
        assert "--api" in outcome.reason
    assert len(fake.asked) == 1


def test_a_server_that_fails_once(fake: FakeWebUI, captured) -> None:
    captured()
    fake.answer("POST", f"{API}/txt2img", 500, {"errors": "no memory"})
    first, second = fleet(fake).run(jobs(["latest", "latest"]))
    assert first.status is second.status is ExitStatus.FAILED
    assert first.reason == "the server failed with 500: no memory"


def test_pictures_are_saved_and_nothing_is_overwritten(
    tmp_path: Path, fake: FakeWebUI, captured
) -> None:
    captured({"batch_size": 2})
    out = tmp_path / "new" / "folder"
    for _ in range(2):
        (outcome,) = fleet(fake, out=out).run(jobs(["latest"]))
        assert (outcome.verdict, len(outcome.files)) == ("identical", 2)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["cat-1-0.png", "cat-1-0~2.png", "cat-1-1.png", "cat-1-1~2.png"]


def test_a_folder_that_cannot_be_written(tmp_path: Path, fake: FakeWebUI, captured) -> None:
    captured()
    (tmp_path / "file").write_text("")
    (outcome,) = fleet(fake, out=tmp_path / "file").run(jobs(["latest"]))
    assert (outcome.verdict, outcome.status) == ("refused", ExitStatus.REFUSED)


def test_a_defect_costs_one_job_and_says_its_name(fake: FakeWebUI, captured) -> None:
    captured()

    def broken(named: Any) -> Capture:
        raise ZeroDivisionError("here")

    bad = Work(Source("latest"), "bad", broken)
    first, second = fleet(fake).run([bad, *jobs(["latest"])])
    assert (first.verdict, second.verdict) == ("failed", "identical")
    assert "here" in first.reason


# Several servers


@pytest.mark.parametrize("slots", [1, 2])
def test_the_work_is_shared_and_each_server_has_so_many_at_a_time(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]], slots: int
) -> None:
    gates = [Gate(fake) for fake in fakes]
    outcomes = fleet(*fakes, slots=slots).run(jobs(payloads(12)))
    first = threading.Thread(target=lambda: found.extend(outcomes))
    found: list[Outcome] = []
    first.start()
    for gate in gates:
        for _ in range(slots):
            assert gate.waiting.acquire(timeout=60)
        gate.open.set()
    first.join(60)
    assert verdicts(found) == {"unverified": 12}
    assert [gate.most for gate in gates] == 3 * [slots]
    assert sorted(made_by(fakes)) == sorted(f"cat {n}" for n in range(12))
    assert {outcome.server for outcome in found} == {fake.url for fake in fakes}


def test_a_server_makes_the_next_while_the_last_is_written_down(
    tmp_path: Path, fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    class Slow(Journal):
        def add(self, key: str, record: dict[str, Any]) -> None:
            until(lambda: len(made(fake)) == 2)
            super().add(key, record)

    with Slow(tmp_path / "j") as journal:
        outcomes = list(fleet(fake, journal=journal).run(jobs(payloads(2))))
    assert verdicts(outcomes) == {"unverified": 2}


def test_one_server_answers_in_the_order_of_the_jobs(
    tmp_path: Path, fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    class Slow(Journal):
        def add(self, key: str, record: dict[str, Any]) -> None:
            until(lambda: run.running == 2)
            time.sleep(0.1)
            super().add(key, record)

    with Slow(tmp_path / "j") as journal:
        run = fleet(fake, journal=journal)
        outcomes = list(run.run(jobs([*payloads(1), "no.json"])))
    assert [outcome.index for outcome in outcomes] == [0, 1]


def test_settings_are_put_back_after_the_last_of_several_at_a_time(
    fake: FakeWebUI, tmp_path: Path
) -> None:
    before = dict(fake.options)
    for n in range(4):
        payload = {"prompt": "a", "steps": 1, "override_settings": {"sd_vae": f"{n}.pt"}}
        (tmp_path / f"{n}.json").write_text(json.dumps(payload))
    fake.lists["sd-vae"] = [{"model_name": f"{n}.pt"} for n in range(4)]
    gate = Gate(fake)
    found: list[Outcome] = []
    names = [str(tmp_path / f"{n}.json") for n in range(4)]
    run = fleet(fake, slots=4).run(jobs(names))
    thread = threading.Thread(target=lambda: found.extend(run))
    thread.start()
    for _ in range(4):
        assert gate.waiting.acquire(timeout=60)
    assert fake.bodies("POST", f"{API}/options") == []
    gate.open.set()
    thread.join(60)
    assert verdicts(found) == {"unverified": 4}
    assert fake.options == before
    assert fake.bodies("POST", f"{API}/options") == [{"sd_vae": "Automatic"}]


def test_a_failure_is_tried_elsewhere(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    for fake in fakes[:2]:
        fake.fails_with = "no memory"
    outcomes = list(fleet(*fakes).run(jobs(payloads(6))))
    assert verdicts(outcomes) == {"unverified": 6}
    assert sorted(made(fakes[2])) == [f"cat {n}" for n in range(6)]


def test_a_failure_everywhere_says_what_each_server_said(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    for n, fake in enumerate(fakes):
        fake.fails_with = f"no memory {n}"
    (outcome,) = fleet(*fakes).run(jobs(payloads(1)))
    assert outcome.status is ExitStatus.FAILED
    for n, fake in enumerate(fakes):
        assert f"{fake.url}: the server failed with 500: RuntimeError: no memory {n}" in (
            outcome.reason
        )
        assert made(fake) == ["cat 0"]


def test_what_one_server_lacks_is_made_where_it_is(fakes: list[FakeWebUI], tmp_path: Path) -> None:
    for n in range(6):
        payload = {"prompt": "a", "steps": 1, "sampler_name": "Special", "seed": n}
        (tmp_path / f"{n}.json").write_text(json.dumps(payload))
    fakes[2].lists["samplers"] = [{"name": "Special"}]
    names = [str(tmp_path / f"{n}.json") for n in range(6)]
    outcomes = list(fleet(*fakes).run(jobs(names)))
    assert {outcome.server for outcome in outcomes} == {fakes[2].url}
    assert verdicts(outcomes) == {"unverified": 6}
    fakes[2].lists["samplers"] = []
    (outcome,) = fleet(*fakes).run(jobs(names[:1]))
    assert (outcome.verdict, outcome.status) == ("refused", ExitStatus.REFUSED)
    assert outcome.reason.count("the server has no sampler 'Special'") == 3


def test_a_capture_of_one_server_is_made_on_all(
    fake: FakeWebUI, fakes: list[FakeWebUI], captured
) -> None:
    names = [captured({"seed": n}, id=f"cat-{n}").id for n in range(8)]
    gate = Gate(fake)
    run = fleet(fakes[0], fake).run(jobs(names))
    first = next(run)
    assert gate.waiting.acquire(timeout=60), "its own server works too"
    gate.open.set()
    outcomes = [first, *run]
    assert verdicts(outcomes) == {"identical": 8}
    assert {outcome.server for outcome in outcomes} == {fakes[0].url, fake.url}


def test_an_expected_picture_comes_from_its_own_server(
    fake: FakeWebUI, fakes: list[FakeWebUI], captured
) -> None:
    """To tell how far off it is, which only the stored picture can."""
    captured()
    fakes[0].options["sd_model_checkpoint"] = "beta"
    gate = Gate(fake)
    found: list[Outcome] = []
    run = fleet(fake, fakes[0]).run(jobs(["cat-1", "cat-1"]))
    thread = threading.Thread(target=lambda: found.extend(run))
    thread.start()
    assert gate.waiting.acquire(timeout=60)
    until(lambda: found)
    gate.open.set()
    thread.join(60)
    (elsewhere,) = [outcome for outcome in found if outcome.server == fakes[0].url]
    assert elsewhere.replay is not None
    assert elsewhere.replay.images[0].psnr is not None


PICTURE = png(Image.new("RGB", (8, 8)))
SHA256 = hashlib.sha256(PICTURE).hexdigest()


def needing(folder: Path) -> str:
    """A capture's file that names `PICTURE` without holding it."""
    payload = {"init_images": [reference(SHA256)], "steps": 1}
    assets = {SHA256: Asset("image/png", len(PICTURE), 8, 8)}
    path = folder / "needing.json"
    path.write_text(Capture(1, "needing", IMG2IMG, payload, assets=assets).to_json())
    return str(path)


def test_a_picture_that_one_server_lacks_is_sent_where_it_is(
    fakes: list[FakeWebUI], tmp_path: Path
) -> None:
    fakes[1].assets[SHA256] = PICTURE
    gate = Gate(fakes[1])
    name = needing(tmp_path)
    run = fleet(*fakes[:2]).run(jobs([name, name]))
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.extend(run))
    thread.start()
    until(lambda: fakes[0].bodies_of(f"{EXTENSION}/assets/{SHA256}"))
    gate.open.set()
    thread.join(60)
    assert [(one.verdict, one.server) for one in found] == 2 * [("unverified", fakes[1].url)]
    sent = [body["init_images"] for body in fakes[1].bodies("POST", IMG2IMG)]
    assert sent == 2 * [[base64.b64encode(PICTURE).decode()]]


def test_an_id_that_no_server_has(fakes: list[FakeWebUI]) -> None:
    (outcome,) = fleet(*fakes).run(jobs(["unknown"]))
    assert (outcome.verdict, outcome.status) == ("refused", ExitStatus.REFUSED)


# Servers that go


def test_a_server_that_was_never_there(
    fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    outcomes = list(fleet("http://127.0.0.1:9", fake).run(jobs(payloads(5))))
    assert verdicts(outcomes) == {"unverified": 5}
    assert {outcome.server for outcome in outcomes} == {fake.url}


def test_no_server_at_all(payloads: Callable[[int], list[str]]) -> None:
    outcomes = list(fleet("http://127.0.0.1:9", "http://127.0.0.1:10").run(jobs(payloads(5))))
    assert verdicts(outcomes) == {"failed": 5}
    assert all(isinstance(outcome.error, ConnectionFailed) for outcome in outcomes)


def off() -> tuple[FakeSession, Callable[[], WebUI]]:
    """A host that is switched off, which does not even refuse; what it was asked, and a client."""
    error = requests.ConnectTimeout("off")
    paths = [f"{API}/options", f"{EXTENSION}/captures/cat-1"]
    session = FakeSession(dict.fromkeys(paths, error))
    return session, lambda: WebUI("http://off:7860", session=session)


def test_a_host_that_is_switched_off_is_asked_once(
    fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    session, connect = off()
    outcomes = list(Fleet([connect]).run(jobs(payloads(5))))
    assert verdicts(outcomes) == {"failed": 5}
    assert all(isinstance(outcome.error, Timeout) for outcome in outcomes)
    assert len(session.requests) == 1
    outcomes = list(Fleet([connect, lambda: WebUI(fake.url)]).run(jobs(payloads(5))))
    assert {(one.verdict, one.server) for one in outcomes} == {("unverified", fake.url)}


def test_a_server_that_is_gone_is_asked_for_an_id_last(fake: FakeWebUI, captured) -> None:
    captured()
    session, connect = off()
    gate = Gate(fake)
    run = Fleet([connect, lambda: WebUI(fake.url)])
    outcomes = run.run(jobs(6 * ["cat-1"]))
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.extend(outcomes))
    thread.start()
    assert gate.waiting.acquire(timeout=60)
    until(lambda: run.running == 1 and f"{API}/options" in {one.path for one in session.requests})
    gate.open.set()
    thread.join(60)
    assert verdicts(found) == {"identical": 6}
    asked = [one for one in session.requests if one.path.startswith(EXTENSION)]
    assert len(asked) in (1, 2), "by the first job of each server, and never again"


def test_wrong_credentials_on_one(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    fakes[0].auth = "me:secret"
    outcomes = list(fleet(*fakes[:2]).run(jobs(payloads(4))))
    assert verdicts(outcomes) == {"unverified": 4}
    assert made(fakes[0]) == []
    assert len(fakes[0].asked) == 1, "it is not asked again and again"


class Mortal:
    """A fake whose connections break off while it is `down`."""

    def __init__(self, fake: FakeWebUI) -> None:
        self.down = False
        self.refused = 0
        respond = fake.respond

        def maybe(request: Request) -> Answer:
            if self.down:
                self.refused += 1
                raise ConnectionAbortedError
            return respond(request)

        fake.respond = maybe
        fake._server.handle_error = lambda *_: None


def test_a_server_that_dies_and_comes_back(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    fake, other = fakes[:2]
    mortal, gate = Mortal(fake), Gate(other)
    names = payloads(8)
    run = fleet(fake, other, pauses=(0.05,) * 100).run(jobs(names))
    outcomes = [next(run)]
    mortal.down = True
    until(lambda: mortal.refused >= 3)
    before = len(made(fake))
    mortal.down = False
    until(lambda: len(made(fake)) > before)
    gate.open.set()
    outcomes += run
    assert verdicts(outcomes) == {"unverified": 8}
    assert Counter(outcome.source for outcome in outcomes) == Counter(names)


def test_a_server_that_dies_for_good(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    fake, other = fakes[:2]
    mortal = Mortal(fake)
    run = fleet(fake, other).run(jobs(payloads(8)))
    outcomes = [next(run)]
    mortal.down = True
    outcomes += run
    assert verdicts(outcomes) == {"unverified": 8}


def test_the_only_server_dies(fake: FakeWebUI, payloads: Callable[[int], list[str]]) -> None:
    mortal = Mortal(fake)
    run = fleet(fake).run(jobs(payloads(30)))
    first = next(run)
    mortal.down = True
    rest = list(run)
    assert first.verdict == "unverified"
    assert rest[-1].verdict == "failed"
    assert isinstance(rest[-1].error, ConnectionFailed)
    assert len(rest) == 29
    reads = 2 * (1 + len(FAR))  # each of which is sent twice
    assert mortal.refused <= 1 + reads, "what is left is not tried one by one"


# The journal


def journalled(path: Path, names: list[str], *fakes: FakeWebUI, **more: Any) -> list[Outcome]:
    with Journal(path) as journal:
        return list(fleet(*fakes, journal=journal, **more).run(jobs(names)))


def test_what_is_finished_is_not_made_again(
    tmp_path: Path, fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    names = payloads(3)
    first = journalled(tmp_path / "j", names, fake, out=tmp_path / "out")
    moved = tmp_path / "moved.json"
    Path(names[0]).rename(moved)
    Path(names[1]).write_text('{"prompt": "edited", "steps": 1}')
    again = journalled(tmp_path / "j", [str(moved), *names[1:]], fake)
    assert verdicts(again) == {"unverified": 3}
    assert made(fake) == ["cat 0", "cat 1", "cat 2", "edited"]
    assert again[0].record is not None
    assert again[0].record["files"] == [str(path) for path in first[0].files]
    assert (again[0].made, again[0].to_dict()["server"]) == (1, fake.url)
    assert again[0].to_dict().keys() == first[0].to_dict().keys()


def test_of_equal_ones_as_many_as_were_made(
    tmp_path: Path, fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    (name,) = payloads(1)
    journalled(tmp_path / "j", [name, name], fake)
    assert len(made(fake)) == 2
    journalled(tmp_path / "j", [name, name, name], fake)
    assert len(made(fake)) == 3


def test_a_failure_is_not_finished(
    tmp_path: Path, fake: FakeWebUI, payloads: Callable[[int], list[str]], captured
) -> None:
    names = payloads(1)
    fake.fails_with = "no memory"
    assert verdicts(journalled(tmp_path / "j", names, fake)) == {"failed": 1}
    fake.fails_with = ""
    assert verdicts(journalled(tmp_path / "j", names, fake)) == {"unverified": 1}
    captured()
    fake.options["sd_model_checkpoint"] = "beta"
    assert verdicts(journalled(tmp_path / "j", ["cat-1"], fake)) == {"different": 1}
    (again,) = journalled(tmp_path / "j", ["cat-1"], fake)
    assert (again.verdict, again.status) == ("different", ExitStatus.DIFFERENT)
    assert "Model 'beta'" in again.reason


def test_what_lacked_a_picture_is_made_when_it_is_there(tmp_path: Path, fake: FakeWebUI) -> None:
    names = [needing(tmp_path)]
    (outcome,) = journalled(tmp_path / "j", names, fake)
    assert isinstance(outcome.error, AssetError)
    assert "nor does a server (" in outcome.reason
    fake.assets[SHA256] = PICTURE
    assert verdicts(journalled(tmp_path / "j", names, fake)) == {"unverified": 1}


def test_what_is_migrated_is_another_job(
    tmp_path: Path, fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    names = payloads(1)
    for migrate in (False, True, True, False):
        journalled(tmp_path / "j", names, fake, migrate=migrate)
    assert made(fake) == 2 * ["cat 0"]


# Stopping


def test_stop_finishes_what_runs(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    gates = [Gate(fake) for fake in fakes]
    run = fleet(*fakes)
    outcomes = run.run(jobs(payloads(9)))
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.extend(outcomes))
    thread.start()
    for gate in gates:
        assert gate.waiting.acquire(timeout=60)
    run.stop()
    for gate in gates:
        gate.open.set()
    thread.join(60)
    assert verdicts(found) == {"unverified": 3}


def test_interrupt_tells_the_servers_that_run_something(
    tmp_path: Path, fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    gate = Gate(fakes[0])
    for fake in fakes:
        fake.lists["interrupt"] = {}
    with Journal(tmp_path / "j") as journal:
        run = fleet(*fakes, journal=journal, out=tmp_path / "out")
        outcomes = run.run(jobs(payloads(4)))
        found = [next(outcomes) for _ in range(3)]
        assert gate.waiting.acquire(timeout=60)
        run.interrupt()
        until(lambda: fakes[0].bodies_of(f"{API}/interrupt"))
        gate.open.set()
        found += outcomes
    assert verdicts(found) == {"unverified": 3, "failed": 1}
    assert isinstance(found[-1].error, Interrupted)
    assert found[-1].status is ExitStatus.INTERRUPTED
    assert [len(fake.bodies_of(f"{API}/interrupt")) for fake in fakes] == [1, 0, 0]
    assert len(list((tmp_path / "out").iterdir())) == 3
    with Journal(tmp_path / "j") as journal:
        assert len(journal) == 3


def test_what_was_made_before_the_interrupt_is_told(fake: FakeWebUI, captured) -> None:
    captured()
    fake.options["sd_model_checkpoint"] = "beta"
    comparing, interrupted = threading.Event(), threading.Event()
    respond = fake.respond

    def held(request: Request) -> Answer:
        if request.path.startswith(f"{EXTENSION}/assets/"):
            comparing.set()
            assert interrupted.wait(60)
        return respond(request)

    fake.respond = held
    run = fleet(fake)
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.extend(run.run(jobs(["cat-1"]))))
    thread.start()
    assert comparing.wait(60)
    run.interrupt()
    interrupted.set()
    thread.join(60)
    assert verdicts(found) == {"different": 1}
    assert fake.bodies_of(f"{API}/interrupt") == []


def test_a_reader_that_leaves_stops_the_run(
    fake: FakeWebUI, payloads: Callable[[int], list[str]]
) -> None:
    before = set(threading.enumerate())
    run = fleet(fake).run(jobs(payloads(50)))
    next(run)
    run.close()  # type: ignore[attr-defined]
    until(lambda: set(threading.enumerate()) <= before)
    assert len(made(fake)) < 50


# The command, as a process


@pytest.fixture
def started(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `payload-replay replay` on all fakes, with a journal."""
    running: list[subprocess.Popen[str]] = []

    def start(count: int, *more: str) -> subprocess.Popen[str]:
        servers = [word for fake in fakes for word in ("--server", fake.url)]
        command = [sys.executable, "-m", "payload_replay", "replay", *payloads(count), *servers]
        process = subprocess.Popen(
            [*command, "--journal", str(tmp_path / "j"), *more],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_ctrl_c_once_finishes_what_runs(
    fakes: list[FakeWebUI], started: Callable[..., subprocess.Popen[str]]
) -> None:
    gates = [Gate(fake) for fake in fakes]
    process = started(12)
    for gate in gates:
        assert gate.waiting.acquire(timeout=60)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "finishing the 3 that run" in process.stderr.readline()
    for gate in gates:
        gate.open.set()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [line.split("\t")[0] for line in out.splitlines()] == 3 * ["unverified"]
    assert "3 of 12" in err
    assert "goes on there" in err
    assert [fake.bodies_of(f"{API}/interrupt") for fake in fakes] == [[], [], []]
    # And the same run again makes the other nine.
    again = started(12)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0
    assert len(out.splitlines()) == 12
    assert "3 were finished before" in err
    assert sorted(made_by(fakes)) == sorted(f"cat {n}" for n in range(12))


def test_ctrl_c_twice_interrupts_the_servers(
    fakes: list[FakeWebUI], started: Callable[..., subprocess.Popen[str]]
) -> None:
    gates = [Gate(fake) for fake in fakes]
    for fake in fakes:
        fake.lists["interrupt"] = {}
    process = started(6)
    assert process.stderr is not None
    for gate in gates:
        assert gate.waiting.acquire(timeout=60)
    process.send_signal(signal.SIGINT)
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert "interrupting the servers" in process.stderr.readline()
    until(lambda: all(fake.bodies_of(f"{API}/interrupt") for fake in fakes))
    for gate in gates:
        gate.open.set()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(out.splitlines()) == 3
    assert "was told to interrupt it" in out
    # None of them counts as finished.
    again = started(6)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert len(made_by(fakes)) == 9


def test_ctrl_c_three_times_leaves_at_once(
    fakes: list[FakeWebUI], started: Callable[..., subprocess.Popen[str]]
) -> None:
    gates = [Gate(fake) for fake in fakes]
    process = started(6)
    assert process.stderr is not None
    for gate in gates:
        assert gate.waiting.acquire(timeout=60)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    for gate in gates:
        gate.open.set()


def test_a_killed_run_goes_on(
    fakes: list[FakeWebUI], started: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    gate = Gate(fakes[0])
    process = started(10)
    assert process.stdout is not None
    assert gate.waiting.acquire(timeout=60)
    for _ in range(9):
        process.stdout.readline()
    process.kill()
    process.wait(60)
    gate.open.set()
    done = sum(len(made(fake)) for fake in fakes)
    assert done == 10
    again = started(10)
    out, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert len(out.splitlines()) == 10
    assert sum(len(made(fake)) for fake in fakes) == 11, "only what ran is made again"


def test_a_sweep_on_two_servers_with_all_that_is_written_of_it(
    fakes: list[FakeWebUI],
    payloads: Callable[[int], list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report, xml, noted = tmp_path / "proof", tmp_path / "junit.xml", tmp_path / "j"
    command = ["replay", *payloads(1), "--sweep", "steps=1,2,3", "--sweep", "seed=4,5"]
    command += ["--server", fakes[0].url, "--server", fakes[1].url, "--journal", str(noted)]
    command += ["--report", str(report), "--junit", str(xml)]
    gates = [Gate(fake) for fake in fakes[:2]]
    at_once: list[bool] = []

    def let_through() -> None:
        at_once.extend(gate.waiting.acquire(timeout=30) for gate in gates)
        for gate in gates:
            gate.open.set()

    threading.Thread(target=let_through).start()
    first = [*command, "--sheet", str(tmp_path / "sheet.png"), "--out", str(tmp_path / "out")]
    assert main(first) == 0
    assert at_once == [True, True]
    cells = {f"steps={steps} seed={seed}" for steps in (1, 2, 3) for seed in (4, 5)}
    assert told_by(report, xml) == (cells, 6)
    assert len(list((tmp_path / "out").iterdir())) == 6
    assert Image.open(tmp_path / "sheet.png").width > 3 * 8
    sent = [body for fake in fakes for body in fake.bodies("POST", f"{API}/txt2img")]
    assert sorted((body["steps"], body["seed"]) for body in sent) == [
        (steps, seed) for steps in (1, 2, 3) for seed in (4, 5)
    ]
    capsys.readouterr()
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "6 were finished before" in err
    assert {line.split("\t")[0] for line in out.splitlines()} == {"unverified"}
    assert told_by(report, xml) == (cells, 6), "of what was made before, too"
    assert len(made_by(fakes)) == 6


def told_by(report: Path, xml: Path) -> tuple[set[str], int]:
    """The cells of the sweep that JUnit XML names, and how many of them the report shows."""
    (suite,) = ET.parse(xml).getroot()
    names = {str(case.get("name")).partition(".json ")[2] for case in suite.iter("testcase")}
    text = (report / "report.html").read_text(encoding="utf-8")
    return names, sum(name in text for name in names)


def test_json_and_the_servers_own_credentials(
    fakes: list[FakeWebUI],
    payloads: Callable[[int], list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes[0].auth, fakes[1].auth = "all:of them", "its:own"
    own = fakes[1].url.replace("://", "://its:own@")
    servers = ["--server", fakes[0].url, "--server", own, "--auth", "all:of them"]
    assert main(["replay", *payloads(6), *servers, "--json"]) == 0
    out, err = capsys.readouterr()
    told = [json.loads(line) for line in out.splitlines()]
    assert {one["server"] for one in told} <= {fakes[0].url, fakes[1].url}
    assert "own@" not in out + err
    assert [len(made(fake)) > 0 for fake in fakes[:2]] == [True, True]


def test_the_servers_from_the_environment(
    fakes: list[FakeWebUI],
    payloads: Callable[[int], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", " ".join(fake.url for fake in fakes))
    assert main(["replay", *payloads(6), "--jobs", "2"]) == 0
    _, err = capsys.readouterr()
    assert "6 of 6 in" in err
    assert "6 unverified" in err


def test_the_worst_of_several_servers_decides_the_code(
    fakes: list[FakeWebUI], payloads: Callable[[int], list[str]]
) -> None:
    fakes[0].fails_with = "no memory"
    names = payloads(2)
    servers = ["--server", fakes[0].url]
    assert main(["replay", *names, *servers]) == 3
    assert main(["replay", *names, "--server", "http://127.0.0.1:9", *servers]) == 3
    assert main(["replay", *names, *servers, "--server", fakes[1].url]) == 0
