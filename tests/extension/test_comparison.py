"""What differs between two captures."""

from __future__ import annotations

import dataclasses
from typing import Any

from payload_capture.capture import Capture, Extension, Host, Job, Model, Result
from payload_capture.comparison import MAX_WORDS, compare

LONG = "a portrait of an old fisherman, soft light, 85mm, highly detailed"


def capture(payload: dict[str, Any], **more: Any) -> Capture:
    return Capture(1, "c", "/sdapi/v1/txt2img", payload, **more)


def told(a: dict[str, Any], b: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["path"], one["kind"]) for one in compare(capture(a), capture(b))]


def test_equal_captures_differ_in_nothing() -> None:
    made = capture({"prompt": "x", "list": [{"a": 1}]})
    other = dataclasses.replace(made, id="d", job=Job(started="2026-11-23", user="ann"))
    assert compare(made, other) == []


def test_tells_changed_added_and_removed_by_path() -> None:
    a = {"steps": 20, "gone": 1, "args": [1, {"x": [2]}, 3]}
    b = {"steps": 30, "new": None, "args": [1, {"x": [4]}]}
    assert told(a, b) == [
        ("payload.steps", "changed"),
        ("payload.gone", "removed"),
        ("payload.args[1].x[0]", "changed"),
        ("payload.args[2]", "removed"),
        ("payload.new", "added"),
    ]


def test_true_is_not_one_and_seven_is_seven() -> None:
    assert told({"a": True, "b": 7}, {"a": 1, "b": 7.0}) == [("payload.a", "changed")]


def test_null_is_there() -> None:
    (one,) = compare(capture({"a": None}), capture({}))
    assert one == {"path": "payload.a", "kind": "removed", "a": None}


def test_a_long_text_is_told_word_by_word() -> None:
    (one,) = compare(
        capture({"prompt": LONG}), capture({"prompt": LONG.replace("soft", "hard blue")})
    )
    assert [(w["kind"], w["text"]) for w in one["words"]] == [
        ("same", "a portrait of an old fisherman, "),
        ("removed", "soft"),
        ("added", "hard blue"),
        ("same", " light, 85mm, highly detailed"),
    ]
    assert one["a"] == LONG


def test_a_short_text_is_told_whole() -> None:
    (one,) = compare(capture({"prompt": "cat"}), capture({"prompt": "dog"}))
    assert "words" not in one


def test_a_text_of_very_many_words_is_told_whole() -> None:
    (one,) = compare(capture({"p": "a " * MAX_WORDS}), capture({"p": "b " * MAX_WORDS}))
    assert "words" not in one


def test_another_picture_is_another_hash() -> None:
    a, b = ({"init_images": [{"$asset": sha * 64}]} for sha in "ab")
    (one,) = compare(capture(a), capture(b))
    assert one["path"] == "payload.init_images[0]"
    assert one["a"] == {"$asset": "a" * 64}


def test_compares_hosts_and_pixels() -> None:
    results = [Result(sha * 64, 64, 64, "sample") for sha in "ab"]
    hosts = [Host(checkpoint=Model(name)) for name in ("one", "two")]
    a, b = (
        capture({}, results=[result], host=host)
        for result, host in zip(results, hosts, strict=True)
    )
    paths = [one["path"] for one in compare(a, b)]
    assert paths == ["host.checkpoint.title", "results[0].sha256"]


def test_of_a_very_long_text_only_what_changed_is_cut_into_words() -> None:
    start, end = "a cat, " * MAX_WORDS, ", a dog" * MAX_WORDS
    (one,) = compare(capture({"p": f"{start}red{end}"}), capture({"p": f"{start}blue{end}"}))
    assert [(w["kind"], len(w["text"])) for w in one["words"]] == [
        ("same", len(start)),
        ("removed", 3),
        ("added", 4),
        ("same", len(end)),
    ]
    assert "".join(w["text"] for w in one["words"] if w["kind"] != "added") == one["a"]


def test_a_text_that_only_grew() -> None:
    (one,) = compare(capture({"p": LONG}), capture({"p": f"{LONG}, at dawn"}))
    assert [(w["kind"], w["text"]) for w in one["words"]] == [
        ("same", LONG),
        ("added", ", at dawn"),
    ]


def test_one_more_extension_or_lora_is_one_difference() -> None:
    names = [["a", "b", "c"], ["a", "new", "b", "c"]]
    hosts = [Host(extensions=[Extension(n, "1") for n in some]) for some in names]
    a, b = (capture({}, host=host) for host in hosts)
    assert [(one["path"], one["kind"]) for one in compare(a, b)] == [
        ("host.extensions.new", "added")
    ]
    hosts = [Host(loras=[Model(n) for n in some]) for some in names]
    a, b = (capture({}, host=host) for host in hosts)
    assert [one["path"] for one in compare(a, b)] == ["host.loras.new"]
