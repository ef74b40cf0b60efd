"""Jobs, and sources that are loaded when they are needed and let go when they are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_webui import EXTENSION, FakeWebUI
from payload_replay import WebUI
from payload_replay.errors import BadSource, NotFound, WrongCredentials
from payload_replay.fleet import Fleet
from payload_replay.tasks import Job, Source, jobs

pytestmark = pytest.mark.once


@pytest.fixture
def other() -> Iterator[WebUI]:
    """A webui that has captured nothing."""
    with FakeWebUI() as fake, WebUI(fake.url) as client:
        yield client


@pytest.fixture
def nobody() -> Iterator[WebUI]:
    with WebUI("http://127.0.0.1:9") as client:
        yield client


def test_a_job_for_each_name() -> None:
    made = list(jobs(["a.json", "latest"], "img2img"))
    assert [(job.name, job.source.name, job.index) for job in made] == [
        ("a.json", "a.json", 0),
        ("latest", "latest", 1),
    ]


def test_a_source_of_several_jobs_is_loaded_once(fake: FakeWebUI, captured) -> None:
    captured()
    source = Source("latest", jobs=3)
    work = [Job(source, str(n), index=n) for n in range(3)]
    outcomes = list(Fleet([lambda: WebUI(fake.url)]).run(work))
    assert [outcome.verdict for outcome in outcomes] == 3 * ["identical"]
    assert [one.path for one in fake.asked].count(f"{EXTENSION}/captures/latest") == 1


def test_it_is_let_go_after_its_last_job(fake: FakeWebUI, webui: WebUI, captured) -> None:
    captured()
    source = Source("latest", jobs=2)
    first, _ = source.load([webui])
    source.done()
    assert source.load([webui])[0] is first
    source.done()
    assert source.load([webui])[0] is not first


def test_an_id_is_asked_of_one_server_after_the_other(
    webui: WebUI, other: WebUI, nobody: WebUI, captured
) -> None:
    capture = captured()
    found, home = Source("cat-1").load([nobody, other, webui])
    assert (found.capture, home) == (capture, webui)
    _, home = Source("latest").load([other, webui])
    assert home is webui


def test_a_payload_of_ones_own_comes_from_no_server(tmp_path: Path, webui: WebUI) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"prompt": "a", "steps": 1}))
    found, home = Source(str(path)).load([webui])
    assert (found.folder, home) == (tmp_path, None)


def test_what_a_server_says_counts_more_than_silence(
    fake: FakeWebUI, webui: WebUI, nobody: WebUI, other: WebUI
) -> None:
    for order in ([nobody, other], [other, nobody]):
        with pytest.raises(NotFound):
            Source("unknown").load(order)
    fake.auth = "me:secret"
    with pytest.raises(NotFound):
        Source("unknown").load([webui, other])
    with pytest.raises(WrongCredentials):
        Source("unknown").load([webui, nobody])
    with pytest.raises(BadSource, match="no such file"):
        Source("gone.json").load([webui, other])
