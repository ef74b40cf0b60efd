"""Files that are written whole or not at all, with the mode and the links that they had."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payload_replay import files as module
from payload_replay.files import add, create, write

pytestmark = pytest.mark.once

WRITERS: list[Callable[[Path, bytes], Any]] = [
    write,
    create,
    lambda path, data: add(path.parent, path.stem, data, path.suffix),
]


@pytest.fixture(params=[False, True], ids=["links", "no links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system with hard links, and on one without."""

    def refuse(*_: Any) -> None:
        raise PermissionError("no links here")

    if request.param:
        monkeypatch.setattr(os, "link", refuse)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("writer", WRITERS)
def test_a_new_file_has_the_mode_that_the_umask_gives(
    writer: Callable[[Path, bytes], Any], tmp_path: Path
) -> None:
    before = os.umask(0o027)
    try:
        writer(tmp_path / "a.json", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").read_bytes() == b"1"
    assert mode(tmp_path / "a.json") == 0o640
    assert names(tmp_path) == ["a.json"]


def test_a_file_that_is_written_anew_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"1")
    path.chmod(0o600)
    write(path, b"2")
    assert (path.read_bytes(), mode(path)) == (b"2", 0o600)


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_points_to_is_written(tmp_path: Path, there: bool) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "a.json", tmp_path / "a.json"
    if there:
        real.write_bytes(b"1")
    link.symlink_to(real)
    write(link, b"2")
    assert link.is_symlink()
    assert real.read_bytes() == b"2"
    assert names(tmp_path / "real") == ["a.json"]


@pytest.mark.usefixtures("links")
def test_no_file_and_no_link_is_replaced_by_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"1")
    (tmp_path / "b.json").symlink_to(tmp_path / "nowhere")
    for name in ("a", "b"):
        with pytest.raises(FileExistsError):
            create(tmp_path / f"{name}.json", b"2")
        assert add(tmp_path, name, b"2").name == f"{name}~2.json"
        assert add(tmp_path, name, b"2").name == f"{name}~3.json"
    assert (tmp_path / "a.json").read_bytes() == b"1"
    assert (tmp_path / "b.json").is_symlink()
    assert len(names(tmp_path)) == 6


@pytest.mark.usefixtures("links")
def test_many_threads_each_write_their_own(tmp_path: Path) -> None:
    work = [threading.Thread(target=add, args=(tmp_path, "a", str(n).encode())) for n in range(8)]
    for one in work:
        one.start()
    for one in work:
        one.join()
    assert {path.read_text() for path in tmp_path.iterdir()} == set("01234567")


def test_so_many_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    add(tmp_path, "a", b"1")
    add(tmp_path, "a", b"1")
    with pytest.raises(FileExistsError, match=r"a\.json and 3 like it"):
        add(tmp_path, "a", b"1")


@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_left_where_the_disk_is_full(
    writer: Callable[[Path, bytes], Any], tmp_path: Path, full_disk
) -> None:
    with full_disk(), pytest.raises(OSError, match="No space left"):
        writer(tmp_path / "a.json", b"1")
    assert names(tmp_path) == []


@pytest.mark.parametrize("writer", WRITERS)
def test_no_such_folder(writer: Callable[[Path, bytes], Any], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        writer(tmp_path / "no" / "a.json", b"1")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError, match="director"):
        write(tmp_path / "a.json", b"1")
    assert names(tmp_path) == ["a.json"]
