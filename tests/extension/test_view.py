"""Captures as JSON for the page's script."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from payload_capture import view
from payload_capture.capture import (
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Asset,
    Capture,
    Host,
    Job,
    Model,
    Result,
    reference,
)

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


def png(size: tuple[int, int] = (4, 4)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).save(out, "png")
    return out.getvalue()


def test_shown_names_what_blocks_and_what_is_known() -> None:
    kept = capture(
        {"seed": 5},
        template={"seed": -1},
        results=[Result("ef" * 32, 64, 48, "sample", 2**40, None, "x", SHA, OTHER)],
        host=Host(
            webui="AUTOMATIC1111",
            version="v1",
            checkpoint=Model("alpha [12]", "alpha", "12"),
            embeddings=[Model("style")],
            settings={"upcast": True},
            facts={"GPU": {"name": "none"}},
        ),
        job=Job(started="2026-11-23T16:15:02+00:00", state="failed", error="boom"),
    )
    shown = view.shown(kept)
    (result,) = shown["results"]
    assert (result["seed"], result["thumbnail"]) == (str(2**40), OTHER)
    told = dict(shown["facts"])
    assert (told["Checkpoint"], told["Embeddings"]) == ("alpha [12]", "style")
    assert (told["Settings"], told["GPU"]) == ("upcast: true", '{"name": "none"}')
    assert all(told.values())
    assert shown["template"] == {"object": [("seed", {"value": "-1"})], "length": 1}
    assert shown["resolved"]["length"] == 0
    assert (shown["state"], shown["error"], shown["blocked"]) == ("failed", "boom", "")
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize(
    ("endpoint", "payload", "kind", "hires"),
    [
        (TXT2IMG, {"enable_hr": True}, "txt2img", True),
        (IMG2IMG, {"mask": reference(SHA)}, "inpaint", False),
        (IMG2IMG, {}, "img2img", False),
        (UPSCALE, {}, "upscale", False),
    ],
)
def test_the_kind_is_the_gallerys(
    endpoint: str, payload: dict[str, Any], kind: str, hires: bool
) -> None:
    shown = view.shown(capture(payload, endpoint=endpoint))
    assert (shown["kind"], shown["hires"]) == (kind, hires)


def test_inputs_are_the_pictures_that_the_job_began_with() -> None:
    text = base64.b64encode(png((40, 30))).decode()
    kept = capture(
        {
            "init_images": [reference(SHA), text, "no picture"],
            "mask": reference(OTHER),
            "inpainting_mask_invert": 1,
        }
    )
    told = view.inputs(kept)
    place = {"capture": "c1", "root": "payload", "path": ["init_images", 1]}
    assert [node["picture"] for node in told["images"]] == [SHA, place]
    assert (told["mask"]["picture"], told["inverted"]) == (OTHER, True)
    many = view.inputs(capture({"init_images": [reference(SHA)] * 90}))
    assert (len(many["images"]), many["mask"], many["inverted"]) == (view.MAX_INPUTS, None, False)
    assert len(view.inputs(capture({"image": reference(SHA)}))["images"]) == 1


def test_infotexts_are_told_once_and_their_beginning_only() -> None:
    def result(text: str) -> Result:
        return Result("ef" * 32, 4, 4, "sample", infotext=text)

    kept = capture({}, results=[result("one"), result("one"), result("x" * 9999), result("")])
    assert view.infotexts(kept) == {
        "texts": [
            {"result": 0, "text": "one", "length": 3},
            {"result": 2, "text": "x" * view.INFOTEXT_CUT, "length": 9999},
        ],
        "more": 0,
    }
    many = view.infotexts(capture({}, results=[result(str(n)) for n in range(90)]))
    assert (len(many["texts"]), many["more"]) == (view.MAX_INFOTEXTS, 90 - view.MAX_INFOTEXTS)


def test_rows_are_short_and_keep_large_seeds() -> None:
    given = dict.fromkeys(("error", "failure", "model"))
    row = view.row({**given, "prompt": "p" * 10**6, "seed": 2**60})
    assert len(row["prompt"]) == view.ROW_CUT + 1
    assert (row["seed"], row["error"]) == (str(2**60), "")


def test_light_is_what_is_fetched_before_somebody_asks() -> None:
    assert view.shown(capture({"a": reference(SHA)}))["light"]
    heavy = Asset("image/png", view.LIGHT, 64, 48)
    assert not view.shown(capture({"a": reference(SHA)}, assets={SHA: heavy}))["light"]


def test_thumbnails_are_small_pictures_or_nothing() -> None:
    large = png((600, 300))
    uri = view.thumbnail("image/png", large)
    assert uri.startswith("data:image/webp;base64,")
    small = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert small.size == (256, 128)
    assert view.thumbnail("image/png", png()).startswith("data:image/png;base64,")
    assert view.large("image/png", large).startswith("data:image/png;base64,")
    assert view.large("image/png", large, True).startswith("data:image/webp;base64,")
    assert view.large("image/png", b"no picture" * 999_999) == ""
    assert view.thumbnail("image/png", b"no picture" * 9999) == ""
    assert view.data_uri("text/html", b"<b>").startswith("data:application/octet-stream;")
