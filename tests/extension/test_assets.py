"""Where pictures lie: a folder, fsspec's memory, and an S3-compatible server."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from payload_capture.assets import STALE, Assets, Bucket, Folder, at
from payload_capture.store import NotFoundError, Store, StoreError
from stored import make, picture, sha256_of

pytestmark = pytest.mark.once

PLACES = ["folder", "memory", "s3"]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The URL of a bucket of a server on loopback, where s3fs finds it by its usual settings."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    given = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        import s3fs

        s3fs.S3FileSystem(skip_instance_cache=True).mkdir("captures")
        yield "s3://captures"
    server.stop()


@pytest.fixture(params=PLACES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name = uuid.uuid4().hex
    if request.param == "folder":
        return f"file://{tmp_path / name}"
    if request.param == "memory":
        return f"memory://{name}"
    return f"{request.getfixturevalue('s3')}/{name}"


@pytest.fixture
def place(url: str, tmp_path: Path) -> Assets:
    return at(url, tmp_path)


def test_what_is_written_is_there_until_it_is_removed(place: Assets) -> None:
    data = picture(1)
    name = sha256_of(data)
    assert not place.exists(name)
    assert list(place.names()) == []
    place.write(name, data)
    place.write(name, data)
    assert place.exists(name)
    assert place.read(name) == data
    assert list(place.names()) == [name]
    place.remove(name)
    place.remove(name)
    assert not place.exists(name)
    with pytest.raises(FileNotFoundError):
        place.read(name)


def test_a_store_keeps_its_pictures_there(url: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "data", assets=url)
    capture, files = make(1)
    store.add(capture, files)
    store.add(*make(2, data=next(iter(files.values()))))
    assert store.verify() == []
    assert {name: store.asset(name)[1] for name in files} == files
    store.delete("c1")
    assert set(store.assets.names()) == set(make(2, data=next(iter(files.values())))[0].assets)
    store.forget("c2")
    assert list(store.assets.names()) == []
    assert not (tmp_path / "data" / "assets").exists()
    store.close()


def test_another_process_sees_at_once_what_was_written(url: str, tmp_path: Path) -> None:
    one, other = at(url, tmp_path), at(url, tmp_path)
    data = picture(2)
    assert not other.exists(sha256_of(data))
    one.write(sha256_of(data), data)
    assert other.exists(sha256_of(data))
    one.remove(sha256_of(data))
    assert not other.exists(sha256_of(data))


def test_the_default_is_a_folder(tmp_path: Path) -> None:
    assert isinstance(at(None, tmp_path), Folder)
    assert isinstance(at(str(tmp_path), tmp_path), Folder)
    assert isinstance(at("memory://x", tmp_path), Bucket)


def test_a_file_system_whose_package_is_not_installed_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path, assets="gs://bucket")
    with pytest.raises(StoreError, match=r"gs://bucket: .*install it with pip"):
        store.add(*make(1))
    with pytest.raises(StoreError, match=r"Protocol not known|unknown"):
        Store(tmp_path, assets="nonsense://x").add(*make(1))


def test_a_server_that_does_not_answer_is_said(
    tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    store = Store(tmp_path, assets=f"{s3}/gone")
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:9"):
        store.add(*make(1))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(NotFoundError):
        store.get("c1")


def test_what_a_crash_left_half_written_is_swept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    name = "ab" * 32
    folder.write(name, b"whole")
    old, young = (tmp_path / "ab" / f"{name}.{pid}.1.part" for pid in (1, 2))
    for half in (old, young):
        half.write_bytes(b"ha")
    before = time.time() - STALE - 1
    os.utime(old, (before, before))
    assert folder.sweep() == [str(old)]
    assert young.exists()
    assert list(folder.names()) == [name]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    unwritable: Any = object()
    with pytest.raises(TypeError):
        folder.write("ab" * 32, unwritable)
    assert not list((tmp_path / "ab").iterdir())
