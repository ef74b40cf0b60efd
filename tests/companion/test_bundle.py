"""Bundles, ours and hostile ones."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay import AssetError, Capture, FormatError, bundle
from payload_replay.capture import Asset

pytestmark = pytest.mark.once

DATA = b"a picture"
SHA = hashlib.sha256(DATA).hexdigest()
BARE = Capture(
    1,
    "cat-1",
    "/sdapi/v1/img2img",
    {"init_images": [{"$asset": SHA}]},
    assets={SHA: Asset("image/webp", len(DATA), 1, 1)},
)
HELD = dataclasses.replace(BARE, assets={SHA: Asset("image/webp", 9, 1, 1, "YSBwaWN0dXJl")})


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_round_trip() -> None:
    data = bundle.write(BARE, lambda sha256: DATA)
    assert bundle.is_bundle(data)
    assert bundle.read(data) == HELD
    assert bundle.write(HELD) == data, "the same capture makes the same bytes"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["capture.json", f"assets/{SHA}.webp"]
        assert archive.read(f"assets/{SHA}.webp") == DATA


def test_pictures_may_be_left_out() -> None:
    assert bundle.read(zipped({"capture.json": BARE.to_json().encode()})) == BARE


def test_a_picture_that_cannot_be_had() -> None:
    with pytest.raises(AssetError):
        bundle.write(BARE)
    with pytest.raises(AssetError, match="changed or damaged"):
        bundle.write(BARE, lambda sha256: b"other")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "/etc/passwd",
        "assets/../../x.png",
        f"assets/{SHA}.png/../../x",
        "..\\evil.txt",
        "C:/evil.txt",
        "readme.txt",
        f"{SHA}.png",
        "assets/0.png",
    ],
)
def test_names_that_have_no_place(name: str) -> None:
    data = zipped({"capture.json": BARE.to_json().encode(), name: DATA})
    with pytest.raises(FormatError, match="no place in a bundle"):
        bundle.read(data)


def test_the_same_name_twice() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("capture.json", BARE.to_json())
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("capture.json", BARE.to_json())
    with pytest.raises(FormatError, match="no place"):
        bundle.read(buffer.getvalue())


def test_a_picture_with_other_bytes_than_its_name_says() -> None:
    data = zipped({"capture.json": BARE.to_json().encode(), f"assets/{SHA}.webp": b"evil"})
    with pytest.raises(AssetError, match="changed or damaged"):
        bundle.read(data)


def test_a_picture_that_the_document_does_not_list() -> None:
    data = zipped({"capture.json": BARE.to_json().encode(), f"assets/{64 * '0'}.png": b""})
    with pytest.raises(AssetError, match="does not list"):
        bundle.read(data)


def test_a_bomb_is_read_no_further_than_the_limit() -> None:
    data = zipped({"capture.json": b" " * 2**24})
    assert len(data) < 2**16
    with pytest.raises(FormatError, match="more than is allowed"):
        bundle.read(data, limit=2**20)


def test_a_header_that_lies_about_the_size() -> None:
    data = bytearray(zipped({"capture.json": b" " * 2**24}))
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(FormatError):
        bundle.read(bytes(data), limit=2**20)


def test_too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_FILES", 1)
    with pytest.raises(FormatError, match="a bundle of 2 files"):
        bundle.read(bundle.write(HELD))


def test_no_document() -> None:
    with pytest.raises(FormatError, match=r"capture\.json: the bundle has none"):
        bundle.read(zipped({}))


def test_an_encrypted_one() -> None:
    data = bytearray(bundle.write(HELD))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark) + offset
        data[at] |= 1
    with pytest.raises(FormatError, match="damaged bundle"):
        bundle.read(bytes(data))


@given(st.data())
def test_damage_anywhere_is_a_clear_error(data: st.DataObject) -> None:
    whole = bytearray(bundle.write(HELD))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        read = bundle.read(bytes(whole[:cut]))
    except FormatError:
        return
    assert read.payload == HELD.payload or read.id
