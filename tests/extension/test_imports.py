"""Files from elsewhere, read into captures of the store."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from payload_capture import exports, imports
from payload_capture.capture import Asset, AssetError, FormatError, Job, Result
from payload_capture.imports import Ready, TooLargeError, documents, read
from payload_capture.shapes import MAX_DOCUMENT

from .conftest import PREFIX, SMALL, Host
from .pictures import BASE64, PNG, SHA256
from .test_exports import WHOLE, fetch, lost, out_of

INFOTEXT = "a heron\nSteps: 3, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 8x8"


def only(data: bytes, **given: Any) -> Ready:
    (made,) = read(data, given.get("endpoint"), None, given.get("has", lambda sha256: False))
    return made


def line() -> bytes:
    return next(exports.lines(out_of([WHOLE], fetch)))


# ---- one document


def test_a_document_comes_back_as_it_was() -> None:
    dated = dataclasses.replace(WHOLE, job=Job(started="2026-11-23T16:15:02+00:00"))
    made = only(next(exports.lines(out_of([dated], fetch))))
    assert made == Ready(dated, {SHA256: PNG})


def test_a_capture_exported_as_json_or_bundle_is_the_same_again() -> None:
    for form in ("json", "bundle"):
        made = only(exports.one(WHOLE, form, fetch, "http://x").data)
        assert imports.same(made.capture, WHOLE)
        assert made.files == {SHA256: PNG}


def test_pictures_leave_a_payload_once() -> None:
    """An img2img repeated a thousand times on one picture holds it once."""
    made = only(json.dumps({"init_images": [BASE64, BASE64], "mask": BASE64}).encode())
    assert made.files == {SHA256: PNG}
    assert made.capture.assets == {SHA256: Asset("image/png", len(PNG), 8, 8)}
    assert made.capture.payload["mask"] == {"$asset": SHA256}
    assert made.capture.request(fetch)["init_images"] == [BASE64, BASE64]


def test_what_would_not_come_back_the_same_stays_in_the_payload() -> None:
    no_picture = base64.b64encode(b"x" * 99).decode()
    payload = {"init_images": [f"data:image/png;base64,{BASE64}", BASE64 + "\n", no_picture]}
    made = only(json.dumps(payload).encode())
    assert made.capture.request() == payload
    assert made.files == {}


def test_a_bare_payload_gets_an_id_and_a_time_of_its_own() -> None:
    data = json.dumps(SMALL).encode()
    first, second = only(data).capture, only(data).capture
    assert first.id != second.id
    assert first.job.started
    assert imports.same(first, second)


def test_a_bare_payload_goes_where_it_is_told() -> None:
    assert only(b'{"image": ""}', endpoint="/sdapi/v1/extra-single-image").capture.endpoint == (
        "/sdapi/v1/extra-single-image"
    )


def test_a_picture_that_a_document_calls_a_page_is_a_picture() -> None:
    evil = dataclasses.replace(WHOLE, assets={SHA256: Asset("text/html", 3, 1, 1)})
    made = only(next(exports.lines(out_of([evil], fetch))))
    assert made.capture.assets[SHA256] == Asset("image/png", len(PNG), 8, 8)


def test_a_file_that_is_no_picture_is_refused() -> None:
    page = b"<script>alert(1)</script>"
    sha256 = hashlib.sha256(page).hexdigest()
    evil = dataclasses.replace(
        WHOLE, payload={}, results=[], assets={sha256: Asset("image/png", len(page), 8, 8)}
    )
    with pytest.raises(AssetError, match="no picture"):
        only(next(exports.lines(out_of([evil], lambda name: page))))


def test_a_picture_that_the_payload_needs_and_nobody_has() -> None:
    with pytest.raises(AssetError, match="not in the document"):
        only(next(exports.lines(out_of([WHOLE], lost))))


def test_a_picture_that_the_store_has_need_not_be_sent() -> None:
    made = only(next(exports.lines(out_of([WHOLE], lost))), has=lambda sha256: sha256 == SHA256)
    assert made.capture.assets == WHOLE.assets
    assert made.files == {}


def test_a_results_picture_may_be_lost() -> None:
    """Its pixels can be compared by their hash still."""
    bare = dataclasses.replace(WHOLE, payload={"prompt": "x"})
    made = only(next(exports.lines(out_of([bare], lost))))
    assert made.capture.results == [Result("a" * 64, 8, 8, "sample")]
    assert made.capture.assets == {}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_with_an_infotext(kind: str) -> None:
    out = io.BytesIO()
    image = Image.new("RGB", (8, 8), "blue")
    if kind == "PNG":
        texts = PngInfo()
        texts.add_text("parameters", INFOTEXT)
        image.save(out, kind, pnginfo=texts)
    else:
        exif = Image.Exif()
        exif[0x8769] = {0x9286: b"UNICODE\0" + INFOTEXT.encode("utf-16-be")}
        image.save(out, kind, exif=exif)
    made = only(out.getvalue()).capture
    assert (made.payload["prompt"], made.payload["seed"]) == ("a heron", 5)


def test_a_har_holds_several() -> None:
    har = json.loads(exports.one(WHOLE, "har", fetch, "http://127.0.0.1:7860").data)
    har["log"]["entries"] *= 2
    made = read(json.dumps(har).encode(), None, None, lambda sha256: False)
    assert [imports.same(one.capture, dataclasses.replace(WHOLE, results=[])) for one in made] == [
        True,
        True,
    ]


def test_a_curl_line() -> None:
    made = only(exports.one(WHOLE, "curl", fetch, "http://127.0.0.1:7860").data)
    assert made.capture.request(fetch) == WHOLE.request(fetch)


@pytest.mark.parametrize("data", [b"", b"x", b"[]", b'{"a"', b"\x80\x04]\x94.", b"PK\x05\x06"])
def test_what_is_none_of_these(data: bytes) -> None:
    with pytest.raises(FormatError):
        only(data)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
@pytest.mark.parametrize("place", ["payload", "job"])
def test_a_number_that_json_has_not(number: str, place: str) -> None:
    document = json.loads(line())
    document[place]["seconds"] = "HERE"
    with pytest.raises(FormatError):
        only(json.dumps(document).replace('"HERE"', number).encode())


def test_the_name_of_the_newest_is_no_id() -> None:
    with pytest.raises(FormatError, match="newest") as raised:
        only(next(exports.lines(out_of([dataclasses.replace(WHOLE, id="latest")], fetch))))
    assert raised.value.path == "id"


# ---- several in a file


def split(data: bytes) -> list[bytes]:
    return list(documents(io.BytesIO(data)))


def test_lines_are_read_one_by_one() -> None:
    assert split(line() + b"\r\n" + line()) == [line().rstrip()] * 2


def test_a_document_on_one_line_or_on_many_is_one() -> None:
    pretty = json.dumps({"prompt": "x"}, indent=2).encode()
    for data in (line(), pretty, b'{"prompt": "}\\n{"}\n\n', PNG, b""):
        assert split(data) == [data]


def test_a_zip_of_captures_is_read_one_by_one() -> None:
    data = b"".join(exports.zipped(out_of([WHOLE, dataclasses.replace(WHOLE, id="c2")], fetch)))
    assert [only(one).capture.id for one in split(data)] == ["c1", "c2"]


def test_a_bundle_is_one() -> None:
    data = exports.one(WHOLE, "bundle", fetch, "http://x").data
    assert split(data) == [data]


def test_an_entry_that_unpacks_to_too_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_DOCUMENT", 1000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * 100_000)
    with pytest.raises(TooLargeError):
        split(out.getvalue())


def test_a_zip_that_unpacks_to_too_much_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_UNPACKED", 2500)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.json", b" " * 1000)
    with pytest.raises(TooLargeError, match="unpacks"):
        split(out.getvalue())


def test_a_damaged_zip() -> None:
    with pytest.raises(FormatError, match="damaged"):
        split(b"PK\x03\x04 and nothing more")


# ---- in a running host


def sent(host: Host, data: Any, **params: str) -> requests.Response:
    return host.session.post(f"{host.url}{PREFIX}/captures", data=data, params=params, timeout=120)


def test_an_export_comes_back_after_it_was_deleted(host: Host) -> None:
    host.generate(prompt="comes back", seed=3).raise_for_status()
    host.generate("img2img", init_images=[BASE64], prompt="comes back too").raise_for_status()
    rows = host.json("/captures", q="comes back")["captures"]
    ids = [row["id"] for row in rows]
    before = [host.json(f"/captures/{identity}") for identity in ids]
    for form in ("jsonl", "zip"):
        url = f"{host.url}{PREFIX}/captures/export"
        body = {"ids": ids, "format": form}
        kept = host.session.post(url, json=body, timeout=60).content
        assert sent(host, kept).json() == {"imported": [], "known": ids, "failed": []}
        for identity in ids:
            one = f"{host.url}{PREFIX}/captures/{identity}?forever=1"
            host.session.delete(one, timeout=30).raise_for_status()
        answer = sent(host, kept)
        assert answer.status_code == 201
        assert answer.json() == {"imported": ids, "known": [], "failed": []}
        assert [host.json(f"/captures/{identity}") for identity in ids] == before
        assert host.get(f"/captures/{ids[0]}/results/0").ok


def test_an_import_takes_a_capture_out_of_the_trash(host: Host) -> None:
    host.generate(prompt="thrown away").raise_for_status()
    document = host.latest()
    url = f"{host.url}{PREFIX}/captures/latest"
    assert host.session.delete(url, timeout=30).json() == {"trashed": document["id"]}
    assert sent(host, json.dumps(document)).json()["imported"] == [document["id"]]
    assert host.latest()["id"] == document["id"]


def test_a_payload_is_imported_and_told(host: Host) -> None:
    answer = sent(host, json.dumps(SMALL | {"prompt": "by hand"}))
    assert answer.status_code == 201
    (identity,) = answer.json()["imported"]
    assert answer.headers["location"] == f"{PREFIX}/captures/{identity}"
    assert host.json("/search", q="by hand")["captures"][0]["id"] == identity


def test_another_capture_of_the_same_id(host: Host) -> None:
    host.generate(prompt="the first").raise_for_status()
    document = host.latest()
    document["payload"]["prompt"] = "an impostor"
    answer = sent(host, json.dumps(document))
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "id")


def test_the_same_file_from_many_at_once(host: Host) -> None:
    host.generate(prompt="from many").raise_for_status()
    document = host.latest()
    document["id"] = "from-many"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: sent(host, json.dumps(document)), range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(host.json("/search", q="from many")["captures"]) == 2


def test_two_captures_of_one_id_at_once(host: Host) -> None:
    host.generate(prompt="one id").raise_for_status()
    document = host.latest()
    document["id"] = "one-id"

    def send(number: int) -> requests.Response:
        payload = {**document["payload"], "prompt": f"one id {number}"}
        return sent(host, json.dumps({**document, "payload": payload}))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [422] * 7
    fields = {answer.json()["error"]["field"] for answer in answers if not answer.ok}
    assert fields == {"id"}


def test_numbers_beyond_what_a_database_holds(host: Host) -> None:
    host.generate(prompt="astronomic").raise_for_status()
    document = host.latest()
    document["id"] = "astronomic"
    document["job"]["seconds"] = 10**400
    document["results"][0] |= {"width": 10**30, "height": -(10**30), "seed": 10**30}
    document["payload"]["seed"] = 10**30
    assert sent(host, json.dumps(document)).status_code == 201
    assert host.json("/captures/astronomic")["results"][0]["width"] == 10**30
    assert host.json("/captures/astronomic/summary")["size"] == [None, None]


@pytest.mark.parametrize("started", ["0001-01-01T00:00:00+00:00", "1969-07-20T20:17:40Z"])
def test_old_times_can_be_paged(host: Host, started: str) -> None:
    for number in range(2):
        body = {"format": 1, "id": f"old-{started[:4]}-{number}", "payload": {}}
        body |= {"endpoint": "/sdapi/v1/txt2img", "job": {"started": started}}
        assert sent(host, json.dumps(body)).ok
    asked = {"until": "1970-01-01T00:00:00Z", "limit": 1}
    first = host.json("/captures", **asked)
    assert host.json("/captures", **asked, cursor=first["next"])["captures"]


def test_a_form_is_told_what_to_do(host: Host) -> None:
    url = f"{host.url}{PREFIX}/captures"
    answer = host.session.post(url, files={"file": b"{}"}, timeout=30)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")
    assert "--data-binary" in answer.json()["error"]["message"]


def test_what_cannot_be_read_does_not_stop_the_rest(host: Host) -> None:
    good = json.dumps(SMALL)
    answer = sent(host, f'{good}\n{{"format": 99}}\n{good}\n')
    assert (answer.status_code, len(answer.json()["imported"])) == (201, 2)
    (failure,) = answer.json()["failed"]
    assert (failure["number"], failure["field"]) == (2, "format")


def test_what_came_before_the_damage_is_imported(host: Host) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("a.json", "b.json", "c.json"):
            archive.writestr(name, json.dumps(SMALL | {"prompt": name}))
    data = out.getvalue().replace(b'"prompt": "b.json"', b'"prompt": "X.json"', 1)
    made = sent(host, data).json()
    assert len(made["imported"]) == 1
    ((number, field),) = [(one["number"], one["field"]) for one in made["failed"]]
    assert (number, field) == (2, "b.json")


def test_what_cannot_be_read_is_not_kept(host: Host) -> None:
    """Neither is the memory for a hundred documents needed, but for one of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(100):
            archive.writestr(f"{number}.json", b" " * (4 << 20))
    before = memory(host.process.pid, "VmRSS")
    with open(f"/proc/{host.process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # the peak begins anew
    assert sent(host, out.getvalue()).status_code == 422
    assert memory(host.process.pid, "VmHWM") < before + (200 << 10)


def memory(pid: int, what: str) -> int:
    """Of a process, in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what))


def test_too_much_is_refused_while_it_comes(host: Host) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MAX_DOCUMENT // 2**20 + 2):
            yield b" " * 2**20

    answer = sent(host, endless())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
