"""Captures as files."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import io
import json
import sqlite3
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest
import requests

from payload_capture import exports
from payload_capture.capture import Asset, AssetError, Capture, Result
from payload_replay import bundle

from .conftest import PREFIX, Host
from .pictures import PNG, SHA256

WHOLE = Capture(
    1,
    "c1",
    "/sdapi/v1/img2img",
    {"prompt": "fox", "init_images": [{"$asset": SHA256}]},
    results=[Result("a" * 64, 8, 8, "sample", asset=SHA256)],
    assets={SHA256: Asset("image/png", len(PNG), 8, 8)},
)


def fetch(sha256: str) -> bytes:
    return PNG


def lost(sha256: str) -> bytes:
    raise AssetError(f"assets.{sha256}", "is gone")


def out_of(captures: list[Capture], read: exports.Fetch) -> Iterator[exports.Exported]:
    return ((capture, read) for capture in captures)


@pytest.mark.parametrize("form", exports.FORMATS)
def test_every_form_is_a_file_with_a_name_of_its_own(form: str) -> None:
    made = exports.one(WHOLE, form, fetch, "http://127.0.0.1:7860")
    assert made.name.startswith("c1")
    assert made.data
    assert made.media_type in (*exports.MEDIA_TYPES.values(), "text/plain")


def test_a_program_with_its_pictures_beside_it() -> None:
    made = exports.one(WHOLE, "curl", fetch, "http://127.0.0.1:7860", beside=True)
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        assert archive.namelist() == ["c1.sh", "c1-input-1.png"]
        assert archive.read("c1-input-1.png") == PNG


def test_lines_are_documents_that_hold_their_pictures() -> None:
    (first, second) = exports.lines(out_of([WHOLE, dataclasses.replace(WHOLE, id="c2")], fetch))
    assert first.endswith(b"}\n")
    assert first.count(b"\n") == 1
    read = Capture.from_json(first)
    assert read.asset(SHA256) == PNG
    assert Capture.from_json(second).id == "c2"


def test_a_zip_holds_a_bundle_of_each() -> None:
    data = b"".join(exports.zipped(out_of([WHOLE, dataclasses.replace(WHOLE, id="c2")], fetch)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["c1.zip", "c2.zip"]
        assert bundle.read(archive.read("c2.zip")).asset(SHA256) == PNG


def test_a_lost_picture_costs_no_other_capture() -> None:
    (line,) = exports.lines(out_of([WHOLE], lost))
    assert Capture.from_json(line).assets[SHA256].data is None
    data = b"".join(exports.zipped(out_of([WHOLE], lost)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert Capture.from_json(archive.read("c1.json")) == WHOLE


@pytest.mark.parametrize("write", [exports.lines, exports.zipped], ids=["jsonl", "zip"])
def test_memory_does_not_grow_with_the_selection(write: object) -> None:
    big = base64.b64decode(base64.b64encode(PNG)) + bytes(200_000)

    def many(count: int) -> Iterator[exports.Exported]:
        each = (dataclasses.replace(WHOLE, id=f"c{n}") for n in range(count))
        return ((capture, lambda sha256: big) for capture in each)

    peaks = []
    for count in (4, 64):
        tracemalloc.start()
        for _ in write(many(count)):  # type: ignore[operator]
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000


# ---- in a running host


def exported(host: Host, **body: object) -> requests.Response:
    url = f"{host.url}{PREFIX}/captures/export"
    return host.session.post(url, json=body, timeout=60)


def test_exports_a_selection(host: Host) -> None:
    for number in range(3):
        host.generate(prompt=f"weasel {number}").raise_for_status()
    rows = host.json("/captures", q="weasel")["captures"]
    chosen = [rows[2]["id"], rows[0]["id"]]
    lines = exported(host, ids=chosen).content.splitlines()
    assert [json.loads(line)["id"] for line in lines] == chosen
    found = exported(host, filter={"q": "weasel"}, format="zip")
    assert found.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(found.content)) as archive:
        assert archive.namelist() == [f"{row['id']}.zip" for row in rows]


def test_what_is_named_twice_is_exported_once(host: Host) -> None:
    host.generate(prompt="named twice").raise_for_status()
    identity = host.latest()["id"]
    found = exported(host, ids=[identity, "latest", identity], format="zip")
    with zipfile.ZipFile(io.BytesIO(found.content)) as archive:
        assert archive.namelist() == [f"{identity}.zip"]


def test_a_damaged_document_costs_no_other_capture(host: Host) -> None:
    for number in range(3):
        host.generate(prompt=f"stoat {number}").raise_for_status()
    rows = host.json("/captures", q="stoat")["captures"]
    (path,) = host.process.data_dir.rglob("captures.db")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        find = "SELECT seq FROM captures WHERE id = ?"
        where = f"UPDATE documents SET packed = x'00' WHERE capture = ({find})"
        assert database.execute(where, [rows[1]["id"]]).rowcount == 1
    lines = exported(host, filter={"q": "stoat"}).content.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [rows[0]["id"], rows[2]["id"]]
    assert "left out of an export" in host.json("/status")["last_failure"]
    url = f"{host.url}{PREFIX}/captures/{rows[1]['id']}?forever=1"
    host.session.delete(url, timeout=30).raise_for_status()


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "body"),
        ({"ids": []}, 400, "ids"),
        ({"ids": ["nothing"]}, 404, None),
        ({"filter": {"colour": "red"}}, 400, "filter.colour"),
        ({"ids": ["x"], "filter": {}}, 400, "filter"),
        ({"filter": {}, "format": "rar"}, 400, "format"),
    ],
)
def test_a_selection_that_cannot_be_had(
    host: Host, body: dict[str, object], status: int, field: str | None
) -> None:
    answer = exported(host, **body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


def test_exports_one_for_this_webui(host: Host) -> None:
    host.generate(prompt="for curl").raise_for_status()
    identity = host.latest()["id"]
    answer = host.get(f"/captures/{identity}/export", params={"format": "curl"})
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{identity}.sh"
    assert host.url in answer.text
    assert "for curl" in answer.text
    other = host.get(
        f"/captures/{identity}/export", params={"format": "curl", "server": "http://box.lan:1"}
    )
    assert "http://box.lan:1" in other.text
