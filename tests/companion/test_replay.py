"""A replay from end to end against the fake: verdict, reason, and a server left as it was."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from typing import Any

import pytest
from PIL import Image

from fake_webui import API, EXTENSION, NO_ROUTE, FakeWebUI, png
from payload_replay import AssetError, Capture, FormatError, ServerError, UnexpectedAnswer, WebUI
from payload_replay.capture import IMG2IMG, Job
from payload_replay.images import hashed

pytestmark = pytest.mark.once

TXT2IMG = f"{API}/txt2img"
PINNED = {"override_settings": {"CLIP_stop_at_last_layers": 2, "sd_vae": "soft.vae.pt"}}


def test_identical(fake: FakeWebUI, webui: WebUI, captured) -> None:
    capture = captured({"batch_size": 3})
    replay = webui.replay(capture)
    assert (replay.verdict, replay.reason) == (
        "identical",
        "all 3 pictures came back pixel for pixel",
    )
    assert fake.bodies("POST", TXT2IMG) == [capture.payload]
    assert len(replay.images) == len(replay.pictures) == 3
    assert replay.info["all_seeds"] == [7, 8, 9]


def test_its_json(webui: WebUI, captured) -> None:
    capture = captured()
    told = webui.replay(capture).to_dict()
    name = capture.results[0].sha256
    assert told.pop("seconds") >= 0
    assert told == {
        "id": "cat-1",
        "endpoint": TXT2IMG,
        "verdict": "identical",
        "reason": "the picture came back pixel for pixel",
        "images": [{"expected": name, "actual": name, "verdict": "identical"}],
    }


def test_settings_that_the_webui_leaks_are_put_back(
    fake: FakeWebUI, webui: WebUI, captured
) -> None:
    capture, before = captured(PINNED), dict(fake.options)
    replay = webui.replay(capture)
    assert replay.verdict == "identical"
    assert fake.options == before
    assert replay.restored == {"CLIP_stop_at_last_layers": 1.0, "sd_vae": "Automatic"}


def test_they_are_put_back_after_a_failure(fake: FakeWebUI, webui: WebUI, captured) -> None:
    capture, before = captured(PINNED), dict(fake.options)
    fake.fails_with = "no memory"
    with pytest.raises(ServerError, match="no memory"):
        webui.replay(capture)
    assert fake.leaked.keys() == PINNED["override_settings"].keys()
    assert fake.options == before


def test_a_failure_says_as_well_what_could_not_be_put_back(
    fake: FakeWebUI, webui: WebUI, captured
) -> None:
    capture = captured(PINNED)
    fake.fails_with = "no memory"
    fake.answer("POST", f"{API}/options", 500, {"errors": "frozen"})
    with pytest.raises(ServerError, match=r"no memory; and settings could not be put back.*frozen"):
        webui.replay(capture)


def test_settings_that_cannot_be_put_back_are_told(fake: FakeWebUI, webui: WebUI, captured) -> None:
    capture = captured(PINNED)
    fake.answer("POST", f"{API}/options", 500, {"errors": "frozen"})
    replay = webui.replay(capture)
    assert replay.verdict == "identical"
    assert "settings could not be put back" in replay.reason


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_refused_before_anything_is_sent(
    fake: FakeWebUI, webui: WebUI, captured, state: Any
) -> None:
    replay = webui.replay(captured(job=Job(state=state)))
    assert replay.verdict == "refused"
    assert replay.reason.startswith("job.state: ")
    assert fake.bodies("POST", TXT2IMG) == []


def test_different_with_the_reason(fake: FakeWebUI, webui: WebUI, captured) -> None:
    capture = captured()
    fake.options["sd_model_checkpoint"] = "beta.ckpt"
    replay = webui.replay(capture)
    assert replay.verdict == "different"
    assert "Model 'beta' instead of 'alpha'" in replay.reason
    assert "dB" in replay.reason


def test_close(fake: FakeWebUI, webui: WebUI, captured) -> None:
    capture = captured(endpoint=IMG2IMG)
    draw = fake.draw

    def off_by_one(payload: dict[str, Any], seed: int) -> Image.Image:
        return draw(payload, seed).point([min(value + 1, 255) for value in range(256)] * 3)

    fake.draw = off_by_one
    fake.answers[("GET", f"{EXTENSION}/status")] = NO_ROUTE
    replay = webui.replay(capture)
    assert replay.verdict == "close"
    assert "nothing seeds" in replay.reason


def test_a_bare_payload_has_nothing_to_compare_with(webui: WebUI) -> None:
    replay = webui.replay({"prompt": "a cat", "steps": 2})
    assert replay.verdict == "unverified"
    assert len(replay.pictures) == 1


def test_a_payload_that_nests_too_deeply(webui: WebUI) -> None:
    value: Any = 1
    for _ in range(10_000):
        value = [value]
    with pytest.raises(FormatError, match="nested too deeply"):
        webui.replay({"prompt": "a", "steps": value})


def test_without_verification(webui: WebUI, captured) -> None:
    replay = webui.replay(captured(), verify=False)
    assert (replay.verdict, replay.images) == ("unverified", [])
    assert replay.pictures[0].sha256 is None


def test_a_document_as_a_dict(webui: WebUI, captured) -> None:
    assert webui.replay(captured().to_dict()).verdict == "identical"
    with pytest.raises(FormatError):
        webui.replay({"format": 1})


@pytest.mark.parametrize("held", [True, False])
def test_pictures_of_the_payload(
    fake: FakeWebUI, webui: WebUI, captured, picture_in_payload, held: bool
) -> None:
    data = png(Image.new("RGB", (16, 16), "red"))
    place, assets = picture_in_payload(data, held)
    fake.assets[place["$asset"]] = data
    inlined = {"init_images": [base64.b64encode(data).decode()]}
    capture = captured(inlined, endpoint=IMG2IMG)
    payload = capture.payload | {"init_images": [place]}
    capture = dataclasses.replace(capture, payload=payload, assets=capture.assets | assets)
    assert webui.replay(capture).verdict == "identical"
    assert fake.bodies("POST", IMG2IMG)[0]["init_images"] == inlined["init_images"]


def test_a_picture_that_nobody_has(fake: FakeWebUI, webui: WebUI, picture_in_payload) -> None:
    place, assets = picture_in_payload(b"PNG", False)
    capture = Capture(1, "cat", IMG2IMG, {"init_images": [place]}, assets=assets)
    with pytest.raises(AssetError, match="neither the document nor the server"):
        webui.replay(capture)
    with pytest.raises(AssetError, match="changed or damaged"):
        webui.replay(capture, fetch=lambda sha256: b"other bytes")
    assert webui.replay(capture, fetch=lambda sha256: b"PNG").verdict == "unverified"
    assert fake.bodies("POST", IMG2IMG) == [{"init_images": ["UE5H"]}]


def test_a_stored_picture_that_is_not_the_expected_one_measures_nothing(
    fake: FakeWebUI, webui: WebUI, captured
) -> None:
    capture = captured()
    (name,) = capture.assets
    fake.options["eta_noise_seed_delta"] = 1
    assert "dB" in webui.replay(capture).reason
    fake.assets[name] = b"damaged"
    assert "no stored picture" in webui.replay(capture).reason


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"images": None},
        {"images": "AAAA"},
        {"images": [1]},
        {"images": ["no base64!"]},
        {"images": ["AAAA"]},
    ],
)
def test_answers_without_pictures(
    fake: FakeWebUI, webui: WebUI, captured, body: dict[str, Any]
) -> None:
    capture = captured()
    fake.answer("POST", TXT2IMG, body=body)
    with pytest.raises(UnexpectedAnswer):
        webui.replay(capture)


@pytest.mark.parametrize("info", [None, "", "{", "[1]", 7, {"all_seeds": [7]}])
def test_any_info(fake: FakeWebUI, webui: WebUI, captured, info: Any) -> None:
    capture = captured()
    image = fake.draw(capture.payload, 7)
    text = base64.b64encode(png(image)).decode()
    fake.answer("POST", TXT2IMG, body={"images": [text], "info": info})
    assert webui.replay(capture).verdict == "identical"


def test_the_single_picture_of_extras(fake: FakeWebUI, webui: WebUI, captured) -> None:
    endpoint = f"{API}/extra-single-image"
    capture = captured(endpoint=endpoint)
    text = base64.b64encode(png(fake.draw(capture.payload, 7))).decode()
    fake.answer("POST", endpoint, body={"html_info": "", "image": text})
    assert webui.replay(capture).verdict == "identical"


@pytest.mark.parametrize(("quality", "verdict"), [(80, "identical"), (30, "different")])
def test_a_lossy_server(
    fake: FakeWebUI, webui: WebUI, captured, quality: int, verdict: str
) -> None:
    capture = captured()
    buffer = io.BytesIO()
    fake.draw(capture.payload, 7).save(buffer, "JPEG", quality=quality)
    text = base64.b64encode(buffer.getvalue()).decode()
    fake.answer("POST", TXT2IMG, body={"images": [text], "info": json.dumps({"all_seeds": [7]})})
    fake.options["jpeg_quality"] = 80.0
    replay = webui.replay(capture)
    assert replay.verdict == verdict
    assert "lossy JPEG" in replay.reason
    assert "samples_format" in replay.reason
    assert replay.images[0].actual == hashed(replay.pictures[0].image)


def test_samples_are_what_the_webui_counts_as_pictures(webui: WebUI, captured) -> None:
    replay = webui.replay(captured({"batch_size": 2}))
    grid, map_ = (dataclasses.replace(picture) for picture in replay.pictures)
    info = {"index_of_first_image": 1, "all_seeds": [7, 8]}
    pictures = [grid, *replay.pictures, map_]
    assert dataclasses.replace(replay, pictures=pictures, info=info).samples == replay.pictures
    for strange in ({}, {"index_of_first_image": "x", "all_seeds": 1}, {"index_of_first_image": 9}):
        assert dataclasses.replace(replay, pictures=pictures, info=strange).samples == pictures
