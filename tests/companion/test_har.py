"""Requests out of recordings."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from json_values import json_values
from payload_replay import FormatError, har
from payload_replay.capture import IMG2IMG, TXT2IMG, UPSCALE

pytestmark = pytest.mark.once

KEYS = ["log", "entries", "request", "postData", "text", "url", "method", "item", "body", "raw"]
keys = st.sampled_from(KEYS) | st.text(max_size=4)
texts = st.sampled_from(["POST", "http://h" + TXT2IMG, "{}", "raw"]) | st.text(max_size=8)


def entry(path: str, body: Any, method: str = "POST") -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"request": {"method": method, "url": f"http://h{path}", "postData": {"text": text}}}


def archive(*entries: Any) -> dict[str, Any]:
    return {"log": {"entries": list(entries)}}


def test_only_what_generates() -> None:
    document = archive(
        entry("/sdapi/v1/options", {"a": 1}),
        entry("/run/predict", {"data": []}),
        entry(TXT2IMG, {"prompt": "one"}),
        entry("/sd" + IMG2IMG + "?a=b", {"prompt": "two"}),
        entry(TXT2IMG, {}, "OPTIONS"),
        entry(UPSCALE, {"prompt": "three"}),
        {"request": None},
        None,
        {},
        {"request": {"method": "POST", "url": 7}},
    )
    assert har.requests(document) == [
        (TXT2IMG, {"prompt": "one"}),
        (IMG2IMG, {"prompt": "two"}),
        (UPSCALE, {"prompt": "three"}),
    ]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (archive(), "no request in it generates"),
        (archive(entry("/run/predict", {})), "the webui's own page"),
        (archive(entry(TXT2IMG, "{")), r"log.entries\[0\].request.postData.text: not JSON"),
        (archive(entry(TXT2IMG, "[" * 10_000)), "nested too deeply"),
        (archive({"request": {"method": "POST", "url": TXT2IMG}}), "left the body out"),
        ({"log": {"entries": 7}}, "expected a list"),
    ],
)
def test_what_cannot_be_read(document: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        har.requests(document)


def test_collections_with_folders() -> None:
    def item(path: str, text: str) -> dict[str, Any]:
        body = {"mode": "raw", "raw": text}
        return {
            "name": "x",
            "request": {"method": "POST", "url": "{{server}}" + path, "body": body},
        }

    inner = {"item": [item(TXT2IMG, '{"a": 1}'), item("/other", "{}")]}
    items: list[Any] = [inner, item(IMG2IMG, '{"b": 2}'), None, {"request": []}]
    document: dict[str, Any] = {"info": {}, "item": items}
    assert har.requests(document) == [(TXT2IMG, {"a": 1}), (IMG2IMG, {"b": 2})]
    with pytest.raises(FormatError, match=r"item\[0\].request.body: not JSON"):
        har.requests({"info": {}, "item": [item(TXT2IMG, "")]})


def test_folders_nested_deeper_than_python_recurses() -> None:
    folder: dict[str, Any] = {"item": []}
    for _ in range(5000):
        folder = {"item": [folder]}
    with pytest.raises(FormatError, match="no request"):
        har.requests({"info": {}, "item": [folder]})


@given(json_values(texts, keys, st.nothing(), most=4, leaves=12), st.booleans())
def test_anything_ends_in_payloads_or_a_clear_error(value: Any, postman: bool) -> None:
    document = {"info": {}, "item": [value]} if postman else {"log": {"entries": [value]}}
    with contextlib.suppress(FormatError):
        assert har.requests(document)
