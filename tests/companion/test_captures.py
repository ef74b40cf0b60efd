"""The extension's routes, by way of the fake."""

from __future__ import annotations

import pytest

from fake_webui import EXTENSION, NO_ROUTE, FakeWebUI
from payload_replay import (
    AssetError,
    InvalidPayload,
    NoExtension,
    NotFound,
    UnexpectedAnswer,
    WebUI,
)

pytestmark = pytest.mark.once


def test_latest_and_by_id(webui: WebUI, captured) -> None:
    first = captured(id="cat-1")
    second = captured({"seed": 9}, id="cat-2")
    assert webui.captures.latest() == second
    assert webui.captures.get("cat-1") == first


@pytest.mark.parametrize("name", ["unknown", "../status", "a/b?c#d"])
def test_unknown_ids(fake: FakeWebUI, webui: WebUI, name: str) -> None:
    with pytest.raises(NotFound, match="payload-replay list"):
        webui.captures.get(name)
    assert fake.asked[0].path.startswith(f"{EXTENSION}/captures/")


def test_a_webui_without_the_extension(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answers["GET", f"{EXTENSION}/captures/latest"] = NO_ROUTE
    with pytest.raises(NoExtension, match="install the extension"):
        webui.captures.latest()


def test_a_wrong_question(fake: FakeWebUI, webui: WebUI) -> None:
    error = {"code": "invalid", "message": "no such cursor", "field": "cursor"}
    fake.answer("GET", f"{EXTENSION}/captures", 422, {"error": error})
    with pytest.raises(InvalidPayload, match="cursor: no such cursor"):
        list(webui.captures.list(cursor="x"))


@pytest.mark.parametrize(("limit", "count"), [(None, 230), (1, 1), (150, 150), (500, 230)])
def test_list_goes_through_the_pages(
    fake: FakeWebUI, webui: WebUI, limit: int | None, count: int
) -> None:
    fake.captures = {f"c{n}": {} for n in range(230)}
    rows = [row["id"] for row in webui.captures.list(limit)]
    assert rows == [f"c{n}" for n in reversed(range(230))][:count]


def test_list_asks_for_no_page_too_many(fake: FakeWebUI, webui: WebUI) -> None:
    fake.captures = {f"c{n}": {} for n in range(230)}
    assert next(webui.captures.list())["id"] == "c229"
    assert len(fake.asked) == 1


def test_list_passes_the_filters(fake: FakeWebUI, webui: WebUI) -> None:
    list(webui.captures.list(5, q="a cat", endpoint="/sdapi/v1/txt2img", source="ui"))
    assert fake.asked[0].query == {
        "limit": ["5"],
        "q": ["a cat"],
        "endpoint": ["/sdapi/v1/txt2img"],
        "source": ["ui"],
    }


def test_a_cursor_that_turns_in_circles_ends(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("GET", f"{EXTENSION}/captures", body={"captures": [{"id": "a"}], "next": "1"})
    assert len(list(webui.captures.list())) == 2


@pytest.mark.parametrize("body", [{}, [], {"captures": None}])
def test_a_list_that_is_none(fake: FakeWebUI, webui: WebUI, body: object) -> None:
    fake.answer("GET", f"{EXTENSION}/captures", body=body)
    with pytest.raises(UnexpectedAnswer):
        list(webui.captures.list())


def test_request(webui: WebUI, captured) -> None:
    capture = captured()
    assert webui.captures.request() == {
        "method": "POST",
        "endpoint": capture.endpoint,
        "payload": capture.payload,
    }


def test_assets_are_checked(fake: FakeWebUI, webui: WebUI, captured) -> None:
    (name,) = captured().assets
    assert webui.captures.asset(name) == fake.assets[name]
    fake.assets[name] += b"\0"
    with pytest.raises(AssetError, match="changed or damaged"):
        webui.captures.asset(name)
    with pytest.raises(NotFound):
        webui.captures.asset("f" * 64)


def test_a_result_by_its_number(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("GET", f"{EXTENSION}/captures/cat-1/results/0", body=b"PNG", type="image/png")
    assert webui.captures.result("cat-1", 0) == b"PNG"
    fake.answer("GET", f"{EXTENSION}/captures/cat-1/results/0", body=b"", type="image/png")
    with pytest.raises(NotFound, match="empty"):
        webui.captures.result("cat-1", 0)


def test_delete(fake: FakeWebUI, webui: WebUI, captured) -> None:
    captured()
    webui.captures.delete("cat-1")
    assert fake.captures == {}


def test_status(webui: WebUI) -> None:
    assert webui.captures.status()["host"]["webui"] == "fake"
