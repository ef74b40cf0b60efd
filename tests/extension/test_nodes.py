"""A payload as a tree for the page's script, in portions."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from payload_capture import nodes
from payload_capture.capture import Asset, Capture, reference

SHA = "ab" * 32
LABELS = {"Fine Script": ["Enable", "", "Strength"], "X": ["Axis", "Values"]}


def capture(payload: dict[str, Any], **given: Any) -> Capture:
    made: dict[str, Any] = {
        "format": 1,
        "id": "c1",
        "endpoint": "/sdapi/v1/txt2img",
        "payload": payload,
        "assets": {SHA: Asset("image/png", 3000, 64, 48)},
    }
    return Capture(**{**made, **given})


def node(value: Any, **given: Any) -> Any:
    ((_, drawn),) = nodes.tree(capture({"it": value}, **given))["object"]
    return drawn


def fetch(sha256: str) -> bytes:
    return b"bytes of " + sha256[:2].encode()


def png() -> str:
    out = io.BytesIO()
    Image.effect_noise((9, 9), 90).save(out, "png")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [(7.0, "7.0"), (True, "true"), (None, "null"), (2**63 - 1, "9223372036854775807")],
)
def test_values_are_written_as_json_writes_them(value: Any, text: str) -> None:
    assert node(value) == {"value": text}


def test_long_texts_are_cut_and_base64_shorter() -> None:
    assert node("so " * 1000) == {"text": ("so " * 1000)[: nodes.CUT], "length": 3000}
    assert node("Ab3/" * 1000) == {"text": ("Ab3/" * 1000)[: nodes.CUT_DATA], "length": 4000}
    assert node("short") == {"text": "short", "length": 5}


def test_references_become_pictures_and_escaped_keys_their_own() -> None:
    drawn = nodes.tree(capture({"a": [reference(SHA)], "$$asset": "x"}))
    picture = {"picture": SHA, "type": "image/png", "size": [64, 48], "bytes": 3000}
    own = ("$asset", {"text": "x", "length": 1})
    assert drawn == {"object": [("a", {"list": [picture], "length": 1}), own], "length": 2}


@pytest.mark.parametrize("before", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("root", ["payload", "template"])
def test_a_text_that_holds_a_picture_is_a_picture(before: str, root: str) -> None:
    text = before + png()
    kept = capture(**{"payload": {}, root: {"$$args": [text]}})
    ((name, items),) = nodes.tree(kept, root)["object"]
    source = items["list"][0]["picture"]
    assert (name, source) == ("$args", {"capture": "c1", "root": root, "path": ["$args", 0]})
    found = nodes.bytes_at(kept, source["root"], source["path"])
    assert found == ("image/png", base64.b64decode(text.rpartition(",")[2]))


def test_long_lists_come_in_portions() -> None:
    kept = capture({"list": list(range(250)), "table": {f"k{n}": n for n in range(250)}})
    drawn = dict(nodes.tree(kept)["object"])
    assert [drawn[name]["length"] for name in ("list", "table")] == [250, 250]
    assert len(drawn["list"]["list"]) == len(drawn["table"]["object"]) == nodes.PORTION
    assert nodes.portion(kept, "payload", ["list"], 200, 250)[0] == (200, {"value": "200"})
    assert nodes.portion(kept, "payload", ["table"], 99, 101) == [
        ("k99", {"value": "99"}),
        ("k100", {"value": "100"}),
    ]
    assert len(nodes.portion(kept, "payload", ["list"], 0, 250)) == nodes.PORTION
    with pytest.raises(LookupError, match="no list"):
        nodes.portion(kept, "payload", ["list", 0], 0, 9)


def test_a_drawing_ends_where_it_is_long_but_the_first_level_is_whole() -> None:
    kept = capture({f"k{n}": [[n] * 90] * 90 for n in range(90)})
    drawn = nodes.tree(kept)
    assert [key for key, _ in drawn["object"]] == list(kept.payload)
    assert drawn["object"][-1][1] == {"list": [], "length": 90}
    assert json.dumps(drawn).count('"value"') < nodes.BUDGET + nodes.PORTION
    inner = nodes.portion(kept, "payload", ["k89"], 0, 90)
    assert inner[0][1]["length"] == 90


def test_arguments_have_their_labels_and_choices() -> None:
    payload = {
        "alwayson_scripts": {
            "fine script": {"args": [True, 1, 0.5, "more"]},
            "other": {"args": [1]},
        },
        "script_name": "x",
        "script_args": [1, "a"],
    }
    kept = capture(payload, labels=LABELS, choices={"script_args[0]": "Seed"})
    drawn = dict(nodes.tree(kept)["object"])
    fine, other = (
        dict(one["object"])["args"]["list"] for _, one in drawn["alwayson_scripts"]["object"]
    )
    assert [one.get("label") for one in fine] == ["Enable", None, "Strength", None]
    assert other == [{"value": "1"}]
    selected = drawn["script_args"]["list"]
    assert [one["label"] for one in selected] == ["Axis", "Values"]
    assert [one.get("choice") for one in selected] == ["Seed", None]


def test_arguments_within_a_batch_have_them_too() -> None:
    inner = {"alwayson_scripts": {"fine script": {"args": [True]}}}
    kept = capture({"requests": [{"endpoint": "/x", "payload": inner}]}, labels=LABELS)
    path = ["requests", 0, "payload", "alwayson_scripts", "fine script", "args"]
    assert nodes.portion(kept, "payload", path, 0, 1) == [(0, {"value": "true", "label": "Enable"})]


def test_what_stands_at_a_place_is_text_to_copy() -> None:
    kept = capture({"$$a": ["x", reference(SHA)], "b": {"$$c": 7.0}}, template={"seed": -1})
    sent = base64.b64encode(fetch(SHA)).decode()
    for path, text in (
        (["$a", 0], "x"),
        (["$a", 1], sent),
        (["b"], json.dumps({"$c": 7.0}, indent=2)),
        (["b", "$c"], "7.0"),
    ):
        assert nodes.text_at(kept, "payload", path, fetch) == text
    assert nodes.text_at(kept, "template", ["seed"], fetch) == "-1"


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("payload", ["nothing"]),
        ("payload", ["a", 7]),
        ("payload", ["a", "x"]),
        ("payload", [0]),
        ("payload", ["a", 0, 0]),
        ("host", []),
    ],
)
def test_what_is_not_there_is_said(root: str, path: list[Any]) -> None:
    kept = capture({"a": ["x"]})
    with pytest.raises(LookupError):
        nodes.text_at(kept, root, path, fetch)


def test_what_is_no_picture_has_no_bytes() -> None:
    kept = capture({"a": ["x", 1, "iVBORw0KGgo" + "A" * 90]})
    for number in range(3):
        with pytest.raises(LookupError):
            nodes.bytes_at(kept, "payload", ["a", number])


def test_copied_json_survives_half_a_surrogate_pair() -> None:
    assert json.loads(nodes.json_text({"prompt": "\ud83e"})) == {"prompt": "\ud83e"}
    assert "猫" in nodes.json_text({"prompt": "猫"})


def paths(kept: Capture, words: str) -> list[Any]:
    return [hit["path"] for hit in nodes.found(kept, words)["hits"]]


def test_search_finds_keys_labels_and_values() -> None:
    payload = {
        "prompt": "A Fox",
        "seed": 12345,
        "alwayson_scripts": {"fine script": {"args": [True, 1]}},
        "$$fox": [{"inner": None}],
        "init_images": [png(), reference(SHA)],
    }
    kept = capture(payload, labels=LABELS)
    assert paths(kept, "fOX") == [["prompt"], ["$fox"]]
    assert paths(kept, "234") == [["seed"]]
    assert paths(kept, "enable") == [["alwayson_scripts", "fine script", "args", 0]]
    assert paths(kept, "null") == [["$fox", 0, "inner"]]
    assert paths(kept, "true") == [["alwayson_scripts", "fine script", "args", 0]]
    assert paths(kept, "iVBOR") == paths(kept, SHA[:9]) == paths(kept, "(") == []
    assert nodes.found(kept, "inner")["hits"][0]["at"] == [3, 0, 0]


def test_search_shows_what_is_beyond_the_shown_text() -> None:
    kept = capture({"prompt": "word " * 1000 + "needle" + " word" * 1000, "negative": "needle"})
    first, second = nodes.found(kept, "needle")["hits"]
    assert "needle" in first["near"]
    assert len(first["near"]) == 2 * nodes.AROUND + len("needle")
    assert "near" not in second


def test_search_counts_all_and_tells_the_first() -> None:
    told = nodes.found(capture({"long": ["needle"] * 5000}), "needle")
    assert (told["count"], len(told["hits"])) == (5000, nodes.MAX_HITS)


def test_a_request_is_light_or_not() -> None:
    def light(limit: int, **payload: Any) -> bool:
        return nodes.is_light(capture(payload), limit)

    assert light(500, a="x" * 90, b=[1, {"c": None}])
    assert not light(500, a="x" * 900)
    assert not light(500, a=[[0] * 99])
    assert not light(4000, a=[reference(SHA)])
    assert light(5000, a=[reference(SHA)])


def test_of_a_large_payload_little_is_sent() -> None:
    payload = {
        "prompt": "word " * 200_000,
        "init_images": ["iVBORw0KGgo" + "A" * 8_000_000] * 5,
        "long": [list(range(100_000)), [f"w{n}" for n in range(100_000)]],
    }
    assert len(json.dumps(nodes.tree(capture(payload)))) < 50_000
