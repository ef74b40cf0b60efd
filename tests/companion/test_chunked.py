"""Bodies in chunks: whole, cut, endless, and none at all."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay import chunked as module
from payload_replay.chunked import Malformed, TooLarge, read

pytestmark = pytest.mark.once


def sent(*chunks: bytes, end: bytes = b"\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks) + b"0\r\n" + end


@given(st.lists(st.binary(min_size=1, max_size=50)), st.binary(max_size=9))
def test_what_was_sent_comes_out_and_nothing_after_it_is_read(
    chunks: list[bytes], after: bytes
) -> None:
    file = io.BytesIO(sent(*chunks) + after)
    assert read(file, 10_000) == b"".join(chunks)
    assert file.read() == after


def test_extensions_and_trailers_are_dropped() -> None:
    file = io.BytesIO(b'2;a="b"\r\nhi\r\n1 \n!\n0\r\nDigest: x\r\nX: y\r\n\r\nnext')
    assert read(file, 3) == b"hi!"
    assert file.read() == b"next"


def test_the_limit() -> None:
    assert read(io.BytesIO(sent(b"12", b"34")), 4) == b"1234"
    with pytest.raises(TooLarge, match="3 bytes is the most"):
        read(io.BytesIO(sent(b"12", b"34")), 3)
    with pytest.raises(TooLarge):
        read(io.BytesIO(b"FFFFFFFFFFFFFFF\r\n"), 2**27)


@given(st.integers(0, 22))
def test_a_body_that_ends_half_way(length: int) -> None:
    whole = sent(b"12345", b"67890")
    assert len(whole) == 25
    with pytest.raises(EOFError):
        read(io.BytesIO(whole[:length]), 100)


@pytest.mark.parametrize(
    "data",
    [
        *(b"\r\n", b"x\r\n", b"-1\r\n", b"0x1\r\n", b"1_0\r\n", b"+1\r\n", b" 1\r\n"),
        b"1\r\n12\r\n0\r\n\r\n",
        b"F" * 16 + b"\r\n",
        b"1;" + b"x" * module.MAX_LINE,
        b"0\r\n" + b"a: b\r\n" * module.MAX_TRAILERS + b"\r\n",
    ],
    ids=lambda data: str(data[:12]),
)
def test_bytes_that_are_no_chunks(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(io.BytesIO(data), 1000)


def test_too_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHUNKS", 3)
    assert read(io.BytesIO(sent(b"1", b"2")), 10) == b"12"
    with pytest.raises(Malformed, match="more than 3 chunks"):
        read(io.BytesIO(sent(b"1", b"2", b"3")), 10)


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(EOFError, Malformed, TooLarge):
        assert len(read(io.BytesIO(data), 20)) <= 20
