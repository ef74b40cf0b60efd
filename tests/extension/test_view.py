"""Captures as JSON for the page's script."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from typing import Any

import pytest
from PIL import Image

from payload_capture import view
from payload_capture.capture import Asset, Capture, Host, Job, Model, Result, reference
from payload_capture.store import NotFoundError

SHA = "ab" * 32
OTHER = "cd" * 32


def capture(payload: dict[str, Any], **given: Any) -> Capture:
    asset = Asset("image/png", 3000, 64, 48)
    made: dict[str, Any] = {
        "format": 1,
        "id": "c1",
        "endpoint": "/sdapi/v1/txt2img",
        "payload": payload,
        "assets": {SHA: asset, OTHER: asset},
    }
    return Capture(**{**made, **given})


def node(value: Any) -> Any:
    ((_, drawn),) = view.node({"it": value}, capture({"it": value}), [])["object"]
    return drawn


def png(size: tuple[int, int] = (4, 4)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).save(out, "png")
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [(7.0, "7.0"), (True, "true"), (None, "null"), (2**63 - 1, "9223372036854775807")],
)
def test_values_are_written_as_json_writes_them(value: Any, text: str) -> None:
    assert node(value) == {"value": text}


def test_long_texts_are_cut_and_base64_shorter() -> None:
    assert node("so " * 1000) == {"text": ("so " * 1000)[: view.CUT], "length": 3000}
    assert node("Ab3/" * 1000) == {"text": ("Ab3/" * 1000)[: view.CUT_DATA], "length": 4000}
    assert node("short") == {"text": "short", "length": 5}


def test_references_become_pictures_and_escaped_keys_their_own() -> None:
    drawn = view.node({"a": [reference(SHA)], "$$asset": "x"}, capture({}), [])
    picture = {"picture": SHA, "type": "image/png", "size": [64, 48], "bytes": 3000}
    own = ["$asset", {"text": "x", "length": 1}]
    assert drawn == {"object": [["a", {"list": [picture]}], own]}


@pytest.mark.parametrize("before", ["", "data:image/png;base64,"])
def test_a_text_that_holds_a_picture_is_a_picture(before: str) -> None:
    data = png()
    kept = capture({"$$args": [before + base64.b64encode(data).decode()]})
    drawn = view.node(kept.payload, kept, [])
    ((name, items),) = drawn["object"]
    assert (name, items["list"][0]["type"]) == ("$args", "image/png")
    path = items["list"][0]["picture"]
    assert view.bytes_at(kept, path) == ("image/png", data)


def test_texts_and_pictures_are_found_by_their_path() -> None:
    data = png()
    kept = capture({"$$a": ["x", base64.b64encode(data).decode()], "b": 1})
    assert view.text_at(kept, ["$a", 0]) == "x"
    assert view.bytes_at(kept, ["$a", 1]) == ("image/png", data)
    for path in (["b"], ["$a", 7], ["nothing"]):
        with pytest.raises(LookupError):
            view.text_at(kept, path)
    with pytest.raises(LookupError):
        view.bytes_at(kept, ["$a", 0])


def test_shown_names_what_blocks_and_what_is_known() -> None:
    kept = capture(
        {"seed": 5},
        template={"seed": -1},
        results=[Result("ef" * 32, 64, 48, "sample", 2**40, None, "x" * 9999, SHA, OTHER)],
        host=Host(
            webui="AUTOMATIC1111", version="v1", checkpoint=Model("alpha [12]", "alpha", "12")
        ),
        job=Job(started="2026-11-23T16:15:02+00:00", state="failed", error="boom"),
    )
    shown = view.shown(kept)
    (result,) = shown["results"]
    assert (result["seed"], result["thumbnail"]) == (str(2**40), OTHER)
    assert len(result["infotext"]) == view.INFOTEXT_CUT + 1
    assert ("Checkpoint", "alpha [12]") in shown["facts"]
    assert all(text for _, text in shown["facts"])
    assert shown["template"] == {"object": [["seed", {"value": "-1"}]]}
    assert (shown["state"], shown["error"], shown["blocked"]) == ("failed", "boom", "")
    json.dumps(shown, allow_nan=False)


def test_rows_are_short_and_keep_large_seeds() -> None:
    given = dict.fromkeys(("error", "failure", "model"))
    row = view.row({**given, "prompt": "p" * 10**6, "seed": 2**60})
    assert len(row["prompt"]) == view.ROW_CUT + 1
    assert (row["seed"], row["error"]) == (str(2**60), "")


def test_weight_counts_the_pictures_as_base64() -> None:
    assert view.weight(capture({"a": reference(SHA)})) > 3000 * 4 // 3
    assert view.weight(capture({"a": 1})) == len('{"a":1}')


def test_document_is_complete_or_says_why_not() -> None:
    data = png()
    kept = dataclasses.replace(
        capture({"a": reference(SHA)}),
        results=[Result("ef" * 32, 4, 4, "sample", asset=OTHER)],
    )

    def fetch(sha256: str) -> bytes:
        if sha256 == OTHER:
            raise NotFoundError(sha256)
        return data

    document = json.loads(view.document_text(kept, fetch))
    assert base64.b64decode(document["assets"][SHA]["data"]) == data
    assert document["assets"][OTHER]["data"] is None
    with pytest.raises(NotFoundError):
        view.document_text(capture({"a": reference(OTHER)}), fetch)


def test_texts_survive_half_a_surrogate_pair() -> None:
    assert json.loads(view.request_text({"prompt": "\ud83e"})) == {"prompt": "\ud83e"}
    assert "猫" in view.request_text({"prompt": "猫"})


def test_thumbnails_are_small_pictures_or_nothing() -> None:
    large = png((600, 300))
    uri = view.thumbnail("image/png", large)
    assert uri.startswith("data:image/webp;base64,")
    small = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert small.size == (256, 128)
    assert view.thumbnail("image/png", png()).startswith("data:image/png;base64,")
    assert view.thumbnail("image/png", b"no picture" * 9999) == ""
    assert view.data_uri("text/html", b"<b>").startswith("data:application/octet-stream;")
