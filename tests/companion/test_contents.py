"""Files read whole, up to a size."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from payload_replay import contents
from payload_replay.errors import BadSource

pytestmark = pytest.mark.once

MOST = 2 * 2**20


def test_what_is_no_larger_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(MOST * b"x")
    assert contents.read(path, MOST) == MOST * b"x"
    assert contents.bounded(io.BytesIO(b""), MOST, "a") == b""


def test_what_is_larger_is_refused_and_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes((MOST + 1) * b"x")
    with pytest.raises(BadSource, match=f"{path}: larger than 2 MiB, which is not read"):
        contents.read(path, MOST)
    endless = io.BytesIO(3 * MOST * b"x")
    with pytest.raises(BadSource, match="standard input: larger than 2 MiB"):
        contents.bounded(endless, MOST, "standard input")
    assert endless.tell() == MOST + 1


@pytest.mark.parametrize(
    ("name", "said"), [("gone", "No such file"), (".", "Is a directory"), ("a\0b", "null")]
)
def test_what_cannot_be_read(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(BadSource, match=f"cannot be read: .*{said}"):
        contents.read(tmp_path / name, MOST)
