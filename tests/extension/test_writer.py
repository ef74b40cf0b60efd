"""Finished jobs as documents with assets."""

from __future__ import annotations

import base64
import io
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from payload_capture.capture import Capture, Host, Job, pixel_hash
from payload_capture.jobs import UNMARKED, Finished, Output, Run
from payload_capture.payload import Draft
from payload_capture.privacy import Names, Privacy
from payload_capture.values import Picture
from payload_capture.writer import (
    Drafts,
    Writer,
    Written,
    comparable,
    generation_key,
    hash_of,
    new_id,
)

pytestmark = pytest.mark.once


def finished(payload: dict[str, Any] | None = None, *images: Image.Image) -> Finished:
    outputs = [Output(image, "sample", 5, None, "a cat\nSeed: 5") for image in images]
    job = Job(started="2026-11-23T16:15:02.000+00:00", state="ok", source="ui")
    draft = Draft("/sdapi/v1/img2img", {"prompt": "a cat"} if payload is None else payload)
    return Finished(1, job, [Run(1, draft, outputs)], "alpha [12ab]", None, '{"seed": 5}')


def write(done: Finished, told: Callable[[str, list[str]], Host]) -> Written:
    return Drafts(told).finish(done)


def sample(image: Image.Image) -> Output:
    return Output(image, "sample", 5, None, "")


def facts(model: str, prompts: list[str]) -> Host:
    return Host(webui="stand-in", version=f"{model} {prompts}")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_ids_sort_by_time_and_differ() -> None:
    first, second = new_id("2026-11-23T16:15:02+00:00"), new_id("2026-11-23T16:15:02+00:00")
    assert re.fullmatch(r"20261123T161502-[0-9a-f]{8}", first)
    assert first != second


def test_pictures_become_assets_and_the_document_reads_back() -> None:
    init = Image.new("RGBA", (3, 2), (1, 2, 3, 4))
    payload = {"init_images": [Picture(init)], "n": 1}
    written = write(finished(payload, Image.new("RGB", (600, 300), "red")), facts)
    capture = Capture.from_json(written.capture.to_json())
    assert capture == written.capture
    (result,) = capture.results
    assert set(written.files) == set(capture.assets)
    body = capture.request(lambda sha256: written.files[sha256])
    assert body["n"] == 1
    sent = opened(
        capture.asset(capture.payload["init_images"][0]["$asset"], written.files.__getitem__)
    )
    assert (sent.mode, sent.tobytes()) == ("RGBA", init.tobytes())
    assert result.sha256 == pixel_hash(
        "RGB", (600, 300), Image.new("RGB", (600, 300), "red").tobytes()
    )
    assert opened(written.files[result.asset or ""]).info["parameters"] == "a cat\nSeed: 5"
    assert opened(written.files[result.thumbnail or ""]).size == (256, 128)
    assert capture.host.version == "alpha [12ab] []"


def test_a_picture_that_a_client_sent_as_base64_is_an_asset_too() -> None:
    out = io.BytesIO()
    Image.effect_noise((9, 9), 90).save(out, "png")
    plain = base64.b64encode(out.getvalue()).decode()
    sent = {"args": [{"image": plain}, f"data:image/png;base64,{plain}", plain[:-9], "iVBORw0KGgo"]}
    written = write(finished(sent), facts)
    kept = written.capture.payload["args"]
    assert set(kept[0]["image"]) == {"$asset"}
    assert kept[1:] == sent["args"][1:], "what base64 would not give back letter by letter"
    assert list(written.files.values()) == [out.getvalue()]
    assert written.capture.request(written.files.__getitem__) == sent


@pytest.mark.parametrize("where", ["text", "exif"])
def test_a_sent_file_that_tells_more_than_pixels_stays_where_it_is(where: str) -> None:
    out, info, exif = io.BytesIO(), PngInfo(), Image.Exif()
    if where == "text":
        info.add_text("parameters", "made by belinda")
    else:
        exif[0x0112] = 3
    Image.effect_noise((9, 9), 90).save(out, "png", pnginfo=info, exif=exif)
    sent = {"args": [base64.b64encode(out.getvalue()).decode()]}
    written = write(finished(sent), facts)
    assert (written.capture.payload, written.files) == (sent, {})


def test_a_picture_named_twice_is_released_once_and_also_when_writing_fails() -> None:
    twice = Picture(Image.new("RGB", (3, 2), (1, 2, 3)))
    written = write(finished({"init_images": [twice, twice], "bad": {1, 2}}), facts)
    assert "TypeError" in (written.failure or "")
    with pytest.raises(AttributeError):
        _ = twice.image


def test_a_picture_that_the_webui_marked_counts_as_it_was_before() -> None:
    image = Image.new("RGB", (3, 2), "red")
    setattr(image, UNMARKED, image.copy())
    image.putalpha(254)
    written = write(finished(None, image), facts)
    (result,) = written.capture.results
    assert result.sha256 == pixel_hash("RGB", (3, 2), Image.new("RGB", (3, 2), "red").tobytes())
    assert opened(written.files[result.asset or ""]).mode == "RGB"


def test_a_sent_picture_keeps_its_16_bits() -> None:
    image = Image.new("I;16", (3, 2), 40_000)
    (data,) = write(finished({"init_images": [Picture(image)]}), facts).files.values()
    assert list(opened(data).getdata()) == [40_000] * 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_sent_picture_keeps_its_mode(mode: str) -> None:
    image = Image.new(mode, (3, 2))
    written = write(finished({"init_images": [Picture(image)]}), facts)
    (data,) = written.files.values()
    assert (opened(data).mode, opened(data).tobytes()) == (mode, image.tobytes())
    assert not written.capture.warnings


def test_a_mode_that_png_lacks_is_sent_as_rgb_and_said() -> None:
    written = write(finished({"mask": Picture(Image.new("CMYK", (3, 2)))}), facts)
    (caveat,) = written.capture.warnings
    assert (caveat.path, caveat.severity) == ("mask", "cosmetic")
    assert "CMYK" in caveat.reason


def test_only_pixels_of_a_sent_picture_are_kept() -> None:
    image = Image.new("P", (2, 2))
    image.info |= {"transparency": 0, "exif": b"Exif\x00\x00place", "parameters": "secret"}
    (data,) = write(finished({"mask": Picture(image)}), facts).files.values()
    assert opened(data).info.get("transparency") == 0
    assert b"secret" not in data
    assert b"place" not in data


def test_what_cannot_be_written_is_a_row_with_its_reason() -> None:
    written = write(finished({"prompt": object()}), facts)
    assert written.failure is not None
    assert "TypeError" in written.failure
    assert [c.severity for c in written.capture.warnings] == ["blocks"]
    assert Capture.from_json(written.capture.to_json()).payload == {}


def test_a_host_that_cannot_tell_its_facts_harms_nothing() -> None:
    def broken(model: str, prompts: list[str]) -> Host:
        raise RuntimeError("no hash")

    written = write(finished(), broken)
    assert written.failure == "host facts: RuntimeError: no hash"
    assert written.capture.payload == {"prompt": "a cat"}
    assert [(c.path, c.severity) for c in written.capture.warnings] == [("host", "cosmetic")]


def test_the_runs_of_a_batch_are_one_document_whose_files_leave_early() -> None:
    kept: dict[str, bytes] = {}
    drafts = Drafts(facts, lambda files: not kept.update(files))
    images = [Image.new("RGB", (2, 2), colour) for colour in ("red", "green", "blue")]
    runs = [
        Run(7, Draft("/sdapi/v1/img2img", {"init_images": [Picture(i)]}), [sample(i)])
        for i in images
    ]
    for run in runs[:-1]:
        drafts.add(run)
    assert len(kept) == 4, "an init image, which is the result as well, and its thumbnail, twice"
    written = drafts.finish(Finished(7, Job(started="2026-11-23T16:15:02+00:00"), runs[-1:], ""))
    assert not set(written.files) & set(kept)
    capture = Capture.from_json(written.capture.to_json())
    assert capture.endpoint == "/payload-capture/v1/run/batch"
    assert len(capture.results) == 3
    body = capture.request((kept | written.files).__getitem__)
    sent = [base64.b64decode(r["payload"]["init_images"][0]) for r in body["requests"]]
    assert [opened(data).getpixel((0, 0)) for data in sent] == [
        image.getpixel((0, 0)) for image in images
    ]


def test_files_that_nobody_could_store_stay_with_the_document() -> None:
    drafts = Drafts(facts, lambda files: False)
    for colour in ("red", "green"):
        image = Image.new("RGB", (2, 2), colour)
        drafts.add(Run(7, Draft("/sdapi/v1/img2img", {"init_images": [Picture(image)]})))
    written = drafts.finish(Finished(7, Job(started="2026-11-23T16:15:02+00:00"), [], ""))
    assert set(written.files) == set(written.capture.assets)


def test_the_text_of_extras_is_kept_under_its_own_name() -> None:
    image = Image.new("RGB", (2, 2))
    image.info |= {"parameters": "a cat", "postprocessing": "Postprocess upscale by: 2"}
    output = Output(image, "sample", None, None, "Postprocess upscale by: 2")
    draft = Draft("/payload-capture/v1/run/extras", {"images": [], "scripts": {}})
    written = write(Finished(1, finished().job, [Run(1, draft, [output])], ""), facts)
    (result,) = written.capture.results
    kept = opened(written.files[result.asset or ""]).info
    assert (kept["parameters"], kept["postprocessing"]) == ("a cat", "Postprocess upscale by: 2")


# ---- what may be kept


def private(privacy: Privacy, done: Finished, names: Names | None = None) -> Written:
    return Drafts(facts, privacy=lambda: privacy, names=lambda: names or Names()).finish(done)


def test_only_what_a_request_needs() -> None:
    payload = {"init_images": [Picture(Image.new("RGB", (3, 2), "blue"))]}
    written = private(Privacy("needed"), finished(payload, Image.new("RGB", (3, 2), "red")))
    (result,) = written.capture.results
    assert (result.asset, result.thumbnail) == (None, None)
    assert result.sha256 == hash_of(Image.new("RGB", (3, 2), "red"))
    assert set(written.files) == {written.capture.payload["init_images"][0]["$asset"]}
    assert written.capture.warnings == []


def test_no_picture_but_its_hash() -> None:
    blue = Image.new("RGB", (3, 2), "blue")
    out = io.BytesIO()
    Image.effect_noise((64, 64), 9).save(out, "PNG")
    sent = base64.b64encode(out.getvalue()).decode()
    payload = {"init_images": [Picture(blue)], "alwayson_scripts": {"a": {"args": [sent, "text"]}}}
    written = private(Privacy("none"), finished(payload, Image.new("RGB", (3, 2), "red")))
    capture = Capture.from_json(written.capture.to_json())
    assert (written.files, capture.assets) == ({}, {})
    assert capture.payload["init_images"] == [None]
    assert capture.payload["alwayson_scripts"]["a"]["args"] == [None, "text"]
    assert [(w.path, w.severity) for w in capture.warnings] == [
        ("init_images[0]", "blocks"),
        ("alwayson_scripts.a.args[0]", "blocks"),
    ]
    assert hash_of(blue) in capture.warnings[0].reason


def test_blurred_thumbnails_show_no_edges() -> None:
    sharp = Image.new("L", (64, 64))
    sharp.paste(255, (0, 0, 32, 64))
    for blur in (False, True):
        written = private(Privacy(blurred=blur), finished({}, sharp))
        (result,) = written.capture.results
        shown = opened(written.files[result.thumbnail or ""]).convert("L")
        levels = [shown.getpixel((x, 32)) for x in (30, 33)]
        assert (levels[0] - levels[1] < 100) is blur


def test_names_and_folders_reach_no_file() -> None:
    names = Names(("/home/anna",), ("anna", "annas-pc"))
    run = Run(1, Draft("/sdapi/v1/txt2img", {"prompt": "a cat", "path": "/home/anna/x.mp4"}))
    image = Image.new("RGB", (2, 2))
    image.info["postprocessing"] = "Scale: 2, User: anna"
    run.outputs = [Output(image, "sample", 1, None, "a cat\nSteps: 1, User: anna, Size: 2x2")]
    job = Job(started="2026-11-23T16:15:02+00:00", user="anna", error="OSError: /home/anna/y")
    done = Finished(1, job, [run], "", "host: OSError: annas-pc is down at /home/anna/z")
    written = private(Privacy(anonymous=True), done, names)
    everything = written.capture.to_json().encode() + b"".join(written.files.values())
    everything += (written.failure or "").encode()
    assert b"anna" not in everything
    assert written.capture.results[0].infotext == "a cat\nSteps: 1, Size: 2x2"
    assert written.capture.payload == {"prompt": "a cat", "path": "x.mp4"}
    assert "anna" in private(Privacy(), done, names).capture.to_json()


def test_rather_nothing_than_a_name() -> None:
    broken: Any = Names((), (7,))  # type: ignore[arg-type]
    written = private(Privacy(anonymous=True), finished({"prompt": "anna"}), broken)
    assert written.failure == "leaving out names failed: TypeError"
    assert "anna" not in written.capture.to_json()
    assert [one.severity for one in written.capture.warnings] == ["blocks"]


def test_pictures_are_compared_without_an_alpha_that_says_nothing() -> None:
    opaque, clear = Image.new("RGBA", (1, 1), (1, 2, 3, 255)), Image.new("RGBA", (1, 1))
    assert comparable(opaque).mode == "RGB"
    opaque.putalpha(254)  # Forge's hidden infotext
    assert comparable(opaque).mode == "RGB"
    assert comparable(clear).mode == "RGBA"
    assert comparable(Image.new("L", (1, 1))).mode == "RGB"


def test_generation_keys() -> None:
    assert generation_key(" ") == ""
    assert generation_key('{"seed": 1}') != generation_key('{"seed": 2}')
    assert generation_key("\ud800")


def name_of(item: Run | Finished) -> str:
    assert isinstance(item, Finished)
    return item.model


def no(reason: str) -> None:
    raise AssertionError(reason)


def test_one_that_cannot_be_stored_is_told_and_the_next_is_stored() -> None:
    seen: list[str] = []
    told: list[str] = []

    def handle(item: Any) -> None:
        if name_of(item) == "1":
            raise KeyError("strange")
        seen.append(name_of(item))

    writer = Writer(handle, told.append)
    for number in range(3):
        writer.put(Finished(1, Job(), [], str(number)))
    assert writer.flush()
    assert seen == ["0", "2"]
    assert told == ["a job could not be stored: KeyError: 'strange'"]


def test_nothing_that_is_raised_ends_the_thread() -> None:
    def handle(item: Any) -> None:
        raise SystemExit("an extension's fact")

    told: list[str] = []
    writer = Writer(handle, told.append)
    for _ in range(2):
        writer.put(Finished(1, Job(), [], ""))
    assert writer.flush()
    assert told == ["a job could not be stored: SystemExit: an extension's fact"] * 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_all_the_same_is_replaced() -> None:
    def say(reason: str) -> None:
        raise BrokenPipeError("nobody reads the console")

    seen: list[str] = []

    def handle(item: Any) -> None:
        seen.append(name_of(item))
        if len(seen) == 1:
            raise KeyError("strange")

    writer = Writer(handle, say)
    writer.put(Finished(1, Job(), [], "0"))
    thread = writer._thread
    assert thread is not None
    thread.join()
    writer.put(Finished(1, Job(), [], "1"))
    assert writer.flush()
    assert seen == ["0", "1"]


def test_at_the_end_nothing_pauses_and_the_last_word_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    seen: list[str] = []
    monkeypatch.setattr("payload_capture.writer.time.sleep", pauses.append)
    go = threading.Event()

    def handle(item: Any) -> None:
        go.wait(30)
        seen.append(name_of(item))

    writer = Writer(handle, no)
    for number in range(3):
        writer.put(Finished(1, Job(), [], str(number)))
    assert not writer.finish(lambda: seen.append("last"), 0)
    go.set()
    assert writer.finish(lambda: seen.append("very last"), 30)
    assert seen == ["0", "1", "2", "last", "very last"]
    assert len(pauses) <= 1, "the first, before anybody said that the end is near"
    writer.put(Finished(1, Job(), [], "while it ends"))
    assert seen[-1] == "while it ends", "it was not waited for"


def test_writes_in_order_off_the_callers_thread() -> None:
    seen: list[tuple[str, str]] = []
    writer = Writer(lambda f: seen.append((name_of(f), threading.current_thread().name)), no)
    assert writer.flush(), "a writer that never wrote has nothing to wait for"
    for number in range(3):
        writer.put(Finished(1, Job(), [], str(number)))
    assert writer.flush()
    assert seen == [(str(n), "payload-capture-writer") for n in range(3)]


def test_flush_gives_up_on_a_slow_write() -> None:
    go = threading.Event()
    writer = Writer(lambda f: bool(go.wait(10)), no)  # type: ignore[arg-type]
    writer.put(Finished(1, Job(), [], ""))
    assert not writer.flush(0.05)
    go.set()
    assert writer.flush()
