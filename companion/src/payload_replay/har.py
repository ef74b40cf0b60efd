"""Requests that other tools recorded or keep: HAR 1.2 and Postman collections v2.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .capture import RUN, FormatError, generates, read_json
from .curl import endpoint

_NONE = (
    "no request in it generates through the API (POST to /sdapi/v1/txt2img, img2img, …); what the "
    "webui's own page sends is no payload: the extension captures that"
)


def is_har(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("log"), dict) and "entries" in document["log"]


def is_postman(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("info"), dict) and isinstance(document.get("item"), list)


def requests(document: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The (endpoint, payload) of each request that generates, in the file's order.

    Raises:
        FormatError: there is none, or the body of one is no JSON object.
    """
    entries = document["log"]["entries"] if is_har(document) else None
    if is_har(document) and not isinstance(entries, list):
        raise FormatError("log.entries", "expected a list")
    found = _of_har(entries) if entries is not None else _of_postman(document)
    made = [(path, _payload(where, body)) for where, path, body in found]
    if not made:
        raise FormatError("log.entries" if is_har(document) else "item", _NONE)
    return made


def _of_har(entries: list[Any]) -> Iterator[tuple[str, str, Any]]:
    for index, entry in enumerate(entries):
        request = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(request, dict) or request.get("method") != "POST":
            continue
        if path := _generating(request.get("url")):
            data = request.get("postData")
            text = data.get("text") if isinstance(data, dict) else None
            yield f"log.entries[{index}].request.postData.text", path, text


def _of_postman(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Folders hold items as well; they are walked without recursion."""
    waiting = [(f"item[{n}]", item) for n, item in enumerate(document["item"])][::-1]
    while waiting:
        where, item = waiting.pop()
        if not isinstance(item, dict):
            continue
        inner = item.get("item")
        if isinstance(inner, list):
            waiting += [(f"{where}.item[{n}]", each) for n, each in enumerate(inner)][::-1]
        request = item.get("request")
        url = request.get("url") if isinstance(request, dict) else None
        raw = url.get("raw") if isinstance(url, dict) else url
        if path := _generating(raw):
            body = request.get("body") if isinstance(request, dict) else None
            yield f"{where}.request.body", path, body.get("raw") if isinstance(body, dict) else None


def _generating(url: Any) -> str | None:
    if not isinstance(url, str) or ("/sdapi/" not in url and RUN not in url):
        return None
    try:
        path = endpoint(re.sub(r"^{{\w+}}", "", url))
    except (FormatError, ValueError):
        return None
    return path if generates(path) else None


def _payload(where: str, text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        raise FormatError(where, "the recording left the body out; record with bodies")
    try:
        return read_json(text)
    except FormatError as error:
        raise FormatError(where, error.reason) from error
