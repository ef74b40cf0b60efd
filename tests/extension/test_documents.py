"""Captures as rows, and documents compressed."""

from __future__ import annotations

import dataclasses
import json
import zlib

import pytest

from payload_capture import documents
from payload_capture.capture import BATCH, EXTRAS, EXTRAS_SINGLE, IMG2IMG, TXT2IMG, UPSCALE, Model
from payload_capture.documents import dictionary, kind_of, milliseconds, pack, row, text, unpack
from stored import HOST, STARTED, make

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("endpoint", "payload", "kind"),
    [
        (TXT2IMG, {}, "txt2img"),
        (IMG2IMG, {"mask": None}, "img2img"),
        (IMG2IMG, {"mask": {"$asset": "0" * 64}}, "inpaint"),
        (EXTRAS_SINGLE, {}, "extras"),
        (EXTRAS, {}, "extras"),
        (UPSCALE, {}, "upscale"),
        (BATCH, {"mask": "x"}, "batch"),
        ("/other/one", {}, "other"),
    ],
)
def test_kinds(endpoint: str, payload: dict[str, object], kind: str) -> None:
    assert kind_of(endpoint, payload) == kind
    assert kind in documents.KINDS


def test_a_document_comes_back_by_its_row_and_dictionary() -> None:
    capture, _ = make(1, "half \ud800 of a pair, \x00, 猫, " + "long " * 1000)
    shared = dictionary(make(2, "another")[0])
    kept = pack(text(capture), shared, row(capture, None))
    assert json.loads(unpack(kept, shared, row(capture, None))) == capture.to_dict()
    assert len(kept) < 700


def test_the_text_is_that_of_the_plain_dict_and_of_json_alone() -> None:
    capture, _ = make(1, "猫", host=HOST, seed=1.5)
    assert text(capture) == json.dumps(capture.to_dict(), separators=(",", ":")).encode()
    for value, error in ((float("nan"), ValueError), (object(), TypeError)):
        with pytest.raises(error):
            text(dataclasses.replace(capture, payload={"seed": value}))


def test_a_document_that_was_damaged_is_no_document() -> None:
    capture, _ = make(1)
    kept = pack(text(capture), b"", row(capture, None))
    with pytest.raises((zlib.error, ValueError)):
        json.loads(unpack(kept[:-9] + b"wrong", b"", row(capture, None)))


def test_a_dictionary_holds_nothing_that_was_typed() -> None:
    host = dataclasses.replace(HOST, loras=[Model("a secret lora")])
    capture, _ = make(
        1,
        "a secret prompt",
        host=host,
        job={"user": "secret user", "task": "secret task"},
        seed=123456789,
        negative_prompt="secret too",
        alwayson_scripts={"ADetailer": {"args": [True, {"ad_prompt": "secret face"}]}},
        override_settings={
            "sd_model_checkpoint": "alpha.safetensors",
            "sd_lora": "secret lora",
            "outdir_samples": "/secret/folder",
        },
    )
    made = dictionary(capture)
    assert b"secret" not in made
    assert b"123456789" not in made
    assert b"alpha.safetensors" in made
    assert b"ad_prompt" in made


def test_times() -> None:
    assert milliseconds(STARTED) == milliseconds("2026-11-23T18:15:02+02:00")
    assert milliseconds("2026-11-23T16:15:02Z") == milliseconds("2026-11-23T16:15:02")
    assert milliseconds("") > milliseconds("2020-01-01T00:00:00Z")
    for edge in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert milliseconds(edge) > milliseconds("2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "when", [STARTED, "2026-11-23T16:15:02Z", "1969-12-31T23:59:59.999+00:00", "", "never"]
)
def test_a_list_says_when_it_was_as_the_document_does(when: str) -> None:
    capture, _ = make(1, job={"started": when})
    made = row(capture, None)
    assert documents.started(made) == documents.summary(capture, None)["started"] == when
    assert (made["started"] is None) is when.endswith("+00:00")


def test_a_row_takes_what_a_stranger_wrote() -> None:
    capture, _ = make(1, seed=2**70, width="wide", height=2**40, prompt="x")
    capture = dataclasses.replace(capture, results=[])
    made = row(capture, "nul \x00")
    assert (made["seed"], made["width"], made["height"]) == (None, None, None)
    assert made["failure"] == "nul "
