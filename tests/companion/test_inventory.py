"""What a server lists, asked for once; and by what names it finds a checkpoint."""

from __future__ import annotations

import pytest

from fake_webui import API, CHECKPOINT, EXTENSION, NO_ROUTE, OTHER, FakeWebUI
from payload_replay import WebUI, WrongCredentials
from payload_replay.inventory import LIFE, Inventory, near

pytestmark = pytest.mark.once


def test_by_hash(webui: WebUI) -> None:
    has = webui.inventory
    assert has.of_title("renamed.safetensors [0123456789]") == CHECKPOINT["title"]
    assert has.of_title("renamed.safetensors") is None
    assert has.of_hash(CHECKPOINT["sha256"]) == CHECKPOINT["title"]
    assert has.of_hash("ABCDEFABCD") == OTHER["title"]
    assert has.of_hash(None, "", "0123") is None
    assert has.checkpoint("sub/beta.ckpt") == OTHER
    assert has.checkpoint("gamma") is None


def test_the_nearest_checkpoint_is_the_one_of_the_same_hash(webui: WebUI) -> None:
    assert webui.inventory.lacks("checkpoints", "alpha.safetensor [abcdefabcd]")
    near_one = webui.inventory.nearest("checkpoints", "alpha.safetensor [abcdefabcd]")
    assert near_one == OTHER["title"]


def test_each_list_is_asked_for_once(fake: FakeWebUI, webui: WebUI) -> None:
    has = webui.inventory
    for _ in range(3):
        has.arguments("txt2img", "refiner")
        has.of_title("x [0123456789]")
        assert has.extensions is None
        assert has.flags == {}
        assert has.host == {"webui": "fake", "version": "2"}
        assert has.offered() is not None
    paths = [request.path for request in fake.asked]
    assert len(paths) == len(set(paths)) == 7


def test_an_answer_has_its_time(fake: FakeWebUI, webui: WebUI) -> None:
    now = 0.0
    has = Inventory(webui, lambda: now)
    assert has.arguments("txt2img", "new") is None
    fake.lists["script-info"] = [{"name": "new", "is_img2img": False, "args": []}]
    now = LIFE
    assert has.arguments("txt2img", "new") is None
    now = LIFE + 1
    assert has.arguments("txt2img", "new") == []


def test_embeddings_that_are_listed_by_their_names_alone(fake: FakeWebUI, webui: WebUI) -> None:
    """SD.Next, modules/api/models.py, ResEmbeddings."""
    fake.answer("GET", f"{API}/embeddings", 200, {"loaded": ["easy"], "skipped": ["xl"]})
    assert not webui.inventory.lacks("embeddings", "easy")
    assert not webui.inventory.lacks("embeddings", "xl")
    assert webui.inventory.lacks("embeddings", "hard")


def test_samplers_and_schedulers(fake: FakeWebUI, webui: WebUI) -> None:
    offered = webui.inventory.offered()
    assert offered is not None
    assert set(offered.samplers) == {"Euler a", "DDIM"}
    assert offered.schedulers is not None
    assert offered.schedulers["karras"] == "Karras"
    del fake.lists["schedulers"]
    webui.inventory.forget_samplers()
    older = webui.inventory.offered()
    assert older is not None
    assert older.schedulers is None


def test_arguments_of_any_shape(fake: FakeWebUI, webui: WebUI) -> None:
    fake.lists["script-info"] = [
        {"name": "a", "is_img2img": False, "args": [{"choices": [1, "b"]}, 7, {"choices": "no"}]},
        {"name": "b", "is_img2img": False, "args": None},
    ]
    has = webui.inventory
    assert has.choices("txt2img", "a", 0) == ["1", "b"]
    assert has.choices("txt2img", "a", 1) is has.choices("txt2img", "a", 2) is None
    assert has.choices("txt2img", "a", 9) is None
    assert has.arguments("txt2img", "b") == []
    assert has.arguments("img2img", "a") is None


def test_the_version_without_the_extension(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answers["GET", f"{EXTENSION}/status"] = NO_ROUTE
    fake.answer("GET", "/internal/sysinfo", 200, {"Version": "v1.8.0"})
    assert webui.inventory.host == {"version": "v1.8.0"}


def test_a_server_that_tells_nothing(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answers["GET", f"{EXTENSION}/status"] = NO_ROUTE
    fake.answer("GET", "/internal/sysinfo", 200, b"<html>", "text/html")
    fake.answer("GET", f"{API}/extensions", 500, {"error": "no git"})
    assert webui.inventory.host == {}
    assert webui.inventory.extensions is None


def test_wrong_credentials_are_not_taken_for_a_missing_list(fake: FakeWebUI, webui: WebUI) -> None:
    fake.auth = "me:secret"
    with pytest.raises(WrongCredentials):
        webui.inventory.lacks("checkpoints", "alpha")


def test_near() -> None:
    assert near("alpha.safetensor", ["beta", "alpha.safetensors"]) == "alpha.safetensors"
    assert near("x", ["beta"]) is None
    assert near("a" * 10_000_000, ["a" * 200]) is None


@pytest.mark.parametrize("odd", [None, 7, "text", [7, None, "a"], {"a": 1}, [{"name": {}}]])
def test_lists_of_any_shape(fake: FakeWebUI, webui: WebUI, odd: object) -> None:
    """A server that answers nonsense is a server without that list, or with odd names in it."""
    for name in fake.lists:
        fake.answer("GET", f"{API}/{name}", 200, odd)
    fake.answer("GET", f"{API}/samplers", 200, [{"name": "a", "options": odd}])
    fake.answer("GET", f"{API}/schedulers", 200, [{"name": "b", "aliases": odd}])
    has = webui.inventory
    for kind in ("checkpoints", "schedulers", "embeddings", "styles", "txt2img scripts"):
        has.lacks(kind, "x")
        has.nearest(kind, "x")
    assert has.offered() is not None
    has.arguments("txt2img", "refiner")
    has.of_title("x [0123456789]")
