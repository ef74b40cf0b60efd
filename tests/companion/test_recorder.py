"""From a real server's answer to a capture that brings the same pictures."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from fake_webui import API, CHECKPOINT, EXTENSION, NO_ROUTE, OTHER, FakeWebUI, png
from payload_replay import UnexpectedAnswer, WebUI, playback
from payload_replay.captions import INTERROGATE, Question
from payload_replay.capture import EXTRAS_SINGLE, TXT2IMG, Host, Job
from payload_replay.images import decode
from payload_replay.recorder import Recorder, of_answer, of_pictures, read, renewed, results
from payload_replay.recordings import Recordings

pytestmark = pytest.mark.once

CAT: dict[str, Any] = {"prompt": "a cat", "width": 16, "height": 16, "seed": 7}


@pytest.fixture
def recorder(webui: WebUI, tmp_path: Path) -> Recorder:
    return Recorder(webui, Recordings(tmp_path / "kept", make=True))


def test_what_is_kept_replays(recorder: Recorder, webui: WebUI, tmp_path: Path) -> None:
    made = recorder.generate(TXT2IMG, CAT, {})
    assert made.kept is not None
    (one,) = Recordings(tmp_path / "kept").all()
    capture = one.capture()
    assert capture.payload == CAT
    assert webui.replay(capture).verdict == "identical"
    assert capture.job.source == "api"
    assert [(r.seed, r.role) for r in capture.results] == [(7, "sample")]


def test_the_seed_that_the_server_drew(fake: FakeWebUI) -> None:
    payload = {"prompt": "a cat", "width": 16, "height": 16}
    answer = fake.generate(payload | {"seed": 123})
    answer["info"] = json.dumps(json.loads(answer["info"]) | {"seed": 123, "subseed": 5})
    for sent, typed in (({}, -1), ({"seed": -1}, -1), ({"seed": None}, None)):
        capture = of_answer(TXT2IMG, payload | sent, answer, Host(), Job())
        assert (capture.payload["seed"], capture.template["seed"]) == (123, typed)
    assert of_answer(TXT2IMG, payload | {"seed": 9}, answer, Host(), Job()).template == {
        "subseed": -1
    }


def test_prompts_as_they_became(fake: FakeWebUI) -> None:
    answer = fake.generate(CAT | {"batch_size": 2})
    told = {"all_prompts": ["a red cat", "a cat"], "all_negative_prompts": ["", ""]}
    answer["info"] = json.dumps(json.loads(answer["info"]) | told)
    capture = of_answer(TXT2IMG, CAT, answer, Host(), Job())
    assert capture.resolved == {"prompt": ["a red cat", "a cat"]}
    account = json.loads(playback.answer(capture, {})["info"])
    assert (account["prompt"], account["all_prompts"]) == ("a red cat", told["all_prompts"])


def test_settings_of_the_client_are_pinned(recorder: Recorder) -> None:
    made = recorder.generate(TXT2IMG, CAT | {"override_settings": {"a": 1}}, {"a": 2, "b": 3})
    assert made.kept is not None
    assert made.kept.payload["override_settings"] == {"a": 1, "b": 3}


def test_roles() -> None:
    from PIL import Image

    pictures = decode(
        [base64.b64encode(png(Image.new("RGB", (8, 8), (n, 0, 0)))).decode() for n in range(4)]
    )
    info = {"index_of_first_image": 1, "all_seeds": [5, 6], "infotexts": ["g", "a", "b"]}
    made = results(pictures, info)
    assert [(one.role, one.seed, one.infotext) for one in made] == [
        ("grid", None, "g"),
        ("sample", 5, "a"),
        ("sample", 6, "b"),
        ("map", None, ""),
    ]


def test_extras() -> None:
    from PIL import Image

    picture = base64.b64encode(png(Image.new("RGB", (8, 8)))).decode()
    answer = {"html_info": "", "image": picture}
    capture = of_answer(EXTRAS_SINGLE, {"image": picture}, answer, Host(), Job())
    assert [one.role for one in capture.results] == ["sample"]
    assert capture.payload == {"image": picture}


@pytest.mark.parametrize(
    "answer", [[], None, {"images": []}, {"images": [1]}, {"images": "x"}, {"images": ["x"]}]
)
def test_no_pictures(answer: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        of_answer(TXT2IMG, CAT, answer, Host(), Job())
    with pytest.raises(UnexpectedAnswer):
        of_pictures(TXT2IMG, CAT, [], {}, Host(), Job())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((500, {"error": "E"}), "answered 500"),
        ((200, b"<html>"), "cannot be kept"),
        ((200, {"images": []}), "holds no pictures"),
    ],
)
def test_a_bad_answer_is_passed_on_and_not_kept(
    fake: FakeWebUI, recorder: Recorder, tmp_path: Path, given: Any, reason: str
) -> None:
    fake.answer("POST", TXT2IMG, *given)
    made = recorder.generate(TXT2IMG, CAT, {})
    assert (made.reply.status, made.kept) == (given[0], None)
    assert reason in made.reason
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((200, {"caption": "a cat"}), ""),
        ((404, {"detail": "Model not found"}), "answered 404"),
        ((200, {"caption": None}), "no caption"),
        ((200, b"<html>"), "cannot be kept"),
    ],
)
def test_captions(
    fake: FakeWebUI, recorder: Recorder, tmp_path: Path, given: Any, reason: str
) -> None:
    fake.answer("POST", INTERROGATE, *given)
    made = recorder.interrogate(Question("x", "clip"), {"image": "x"})
    assert reason in made.reason
    assert bool(made.reason) == bool(reason)
    assert made.reply.status == given[0]
    assert len(Recordings(tmp_path / "kept").captions) == (not reason)


def test_lists_are_kept_as_they_pass(recorder: Recorder, fake: FakeWebUI, tmp_path: Path) -> None:
    assert recorder.pass_on("GET", f"{API}/samplers", None).reply.status == 200
    assert recorder.pass_on("GET", f"{API}/nothing", None).reply.status == 404
    fake.answer("GET", f"{API}/upscalers", 200, b"no JSON")
    assert recorder.pass_on("GET", f"{API}/upscalers", None).reply.body == b"no JSON"
    assert list(Recordings(tmp_path / "kept").lists) == [f"{API}/samplers"]


def test_the_host_by_the_extension_or_by_its_models(fake: FakeWebUI, webui: WebUI) -> None:
    assert Recorder(webui, None).host().webui == "fake"  # type: ignore[arg-type]
    fake.answers["GET", f"{EXTENSION}/status"] = NO_ROUTE
    checkpoint = Recorder(webui, None).host().checkpoint  # type: ignore[arg-type]
    assert checkpoint is not None
    assert checkpoint.name == "alpha"
    fake.answer("GET", f"{API}/options", 500, {"error": "E"})
    assert Recorder(webui, None).host() == Host()  # type: ignore[arg-type]


def test_the_host_is_asked_anew_for_each(fake: FakeWebUI, recorder: Recorder) -> None:
    """Its checkpoint may be changed meanwhile, by this client or by another."""
    fake.answers["GET", f"{EXTENSION}/status"] = NO_ROUTE
    names = []
    for title in (CHECKPOINT["title"], OTHER["title"]):
        fake.options["sd_model_checkpoint"] = title
        kept = recorder.generate(TXT2IMG, CAT, {}).kept
        assert kept is not None
        names.append(kept.host.checkpoint and kept.host.checkpoint.name)
    assert names == ["alpha", "sub_beta"]


def test_secrets_among_changed_settings_are_not_pinned(recorder: Recorder) -> None:
    made = recorder.generate(TXT2IMG, CAT, {"civitai_api_key": "s3cret", "sd_vae": "a"})
    assert made.kept is not None
    assert made.kept.payload["override_settings"] == {"sd_vae": "a"}


def test_renewed_expectations(fake: FakeWebUI, folder) -> None:
    before = Recordings(folder()).all()[0].capture()
    pictures, info = read(fake.generate(CAT | {"seed": 8}))
    after = renewed(before, pictures, info)
    assert (after.payload, after.id, after.host) == (before.payload, before.id, before.host)
    assert [one.seed for one in after.results] == [8]
    assert len(after.assets) == 1
    assert after.asset(after.results[0].asset or "") == pictures[0].data
