"""How a new capture gets into the tables."""

from __future__ import annotations

import dataclasses
import os

import pytest

from payload_capture.store import ConflictError, Store
from stored import make, picture, sha256_of

pytestmark = pytest.mark.once


def test_assets_are_listed_as_the_capture_says(either: Store) -> None:
    capture, files = make(1, init=picture(7))
    either.add(capture, files)
    assert len(files) == 3
    for name, asset in capture.assets.items():
        assert either.asset(name) == (asset.media_type, files[name])
    assert either.counts() == {"captures": 1, "assets": 3, "bytes": sum(map(len, files.values()))}


def test_the_same_capture_again_is_kept_once_and_another_of_its_id_refused(either: Store) -> None:
    made = make(1)
    either.add(*made)
    either.edit("c1", title="edited")
    either.add(*made)
    assert [row["title"] for row in either.page().captures] == ["edited"]
    other = dataclasses.replace(made[0], payload={"prompt": "another"})
    with pytest.raises(ConflictError, match="another capture with the id c1"):
        either.add(other, made[1])
    assert either.get("c1") == made[0]


def test_a_capture_of_very_many_pictures(either: Store) -> None:
    capture, files = make(1)
    many = {sha256_of(data): data for data in (os.urandom(20) for _ in range(1200))}
    asset = next(iter(capture.assets.values()))
    assets = capture.assets | {name: dataclasses.replace(asset, size=20) for name in many}
    either.keep(many)
    either.add(dataclasses.replace(capture, assets=assets), files)
    assert either.counts()["assets"] == 1202
    either.delete("c1")
    assert either.counts() == {"captures": 0, "assets": 0, "bytes": 0}
    assert list(either.assets.names()) == []
