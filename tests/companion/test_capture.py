"""The format: what is read is what was written, and every mistake is named with its place."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from json_values import json_values
from payload_replay import capture as module
from payload_replay.capture import (
    CONVERTERS,
    FORMAT,
    IMG2IMG,
    TXT2IMG,
    Asset,
    AssetError,
    Capture,
    Caveat,
    Extension,
    FormatError,
    Host,
    Job,
    Model,
    NewerFormatError,
    Result,
    canonical,
    checked,
    escaped,
    inline,
    pixel_hash,
    read_json,
    reference,
    references,
    referred,
    schema,
)

pytestmark = pytest.mark.once

SCHEMA = Path(module.__file__).with_name("capture.schema.json")
VALIDATOR = jsonschema.Draft202012Validator(schema())
MINIMAL: dict[str, Any] = {"format": 1, "id": "cat-1", "endpoint": TXT2IMG, "payload": {}}

JSON = json_values(keys=st.text() | st.sampled_from(["$asset", "$$asset", "$"]), most=3, leaves=12)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
SECONDS = st.floats(0, 1e6)


def strict(cls: type, **given: Any) -> st.SearchStrategy[Any]:
    """Any value of a dataclass, from its own type hints."""
    return st.builds(cls, **given)


MODELS = strict(Model)
HOSTS = strict(
    Host,
    checkpoint=st.none() | MODELS,
    loras=st.lists(MODELS, max_size=2),
    extensions=st.lists(strict(Extension), max_size=2),
)
RESULTS = strict(
    Result, sha256=HASHES, asset=st.none(), thumbnail=st.none(), seed=st.none() | st.integers()
)


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    """Documents with everything in them, their assets in part held and in part elsewhere."""
    files = draw(st.lists(st.binary(max_size=20), max_size=3, unique=True))
    assets = {}
    for data in files:
        text = base64.b64encode(data).decode() if draw(st.booleans()) else None
        name = hashlib.sha256(data).hexdigest()
        assets[name] = Asset(
            "image/png", len(data), *draw(st.tuples(st.integers(), st.integers())), text
        )
    pictures = [reference(name) for name in assets]
    results = draw(st.lists(RESULTS, max_size=2))
    if assets:
        results = [dataclasses.replace(r, asset=next(iter(assets))) for r in results]
    return Capture(
        1,
        draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", fullmatch=True)),
        draw(st.sampled_from([TXT2IMG, IMG2IMG, "/payload-capture/v1/run/x"])),
        escaped(draw(OBJECTS)) | {"init_images": pictures},
        escaped(draw(OBJECTS)),
        results,
        draw(HOSTS),
        draw(strict(Job, seconds=SECONDS)),
        assets,
        draw(st.lists(strict(Caveat), max_size=2)),
        draw(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=2)),
        draw(st.dictionaries(st.text(max_size=9), st.lists(st.text(max_size=9), max_size=2))),
        draw(OBJECTS),
    )


@given(captures())
def test_round_trip(capture: Capture) -> None:
    document = capture.to_dict()
    assert Capture.from_dict(document) == capture
    assert Capture.from_json(capture.to_json()) == capture
    assert Capture.from_json(capture.to_json(indent=None).encode()).to_dict() == document
    VALIDATOR.validate(json.loads(capture.to_json()))


@settings(max_examples=50)
@given(captures(), st.data())
def test_a_key_too_many_anywhere_is_an_error_that_names_it(
    capture: Capture, data: st.DataObject
) -> None:
    document = json.loads(capture.to_json())
    places = [("", document), ("host", document["host"]), ("job", document["job"])]
    places += [(f"results[{n}]", result) for n, result in enumerate(document["results"])]
    path, place = data.draw(st.sampled_from(places))
    place["sead"] = 1
    with pytest.raises(FormatError, match="unknown key; expected one of") as raised:
        Capture.from_dict(document)
    assert raised.value.path == (f"{path}.sead" if path else "sead")
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


@given(JSON)
def test_escaping_is_undone_and_leaves_no_reference(value: Any) -> None:
    def none(sha256: str) -> bytes:
        raise AssertionError(sha256)

    assert inline(escaped(value), none) == value
    assert list(references(escaped(value))) == []


@given(OBJECTS)
def test_a_bare_payload_is_sent_as_it_is(payload: dict[str, Any]) -> None:
    capture = Capture.from_payload(payload, TXT2IMG)
    assert capture.request() == payload
    assert Capture.from_json(capture.to_json()).request() == payload


@given(st.text() | st.binary())
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    with pytest.raises(FormatError):
        Capture.from_json(text)


@given(captures(), st.data())
def test_a_document_cut_short_is_refused(capture: Capture, data: st.DataObject) -> None:
    text = capture.to_json()
    with pytest.raises(FormatError, match="cut short"):
        Capture.from_json(text[: data.draw(st.integers(0, len(text) - 1))])


@given(captures(), JSON, st.data())
def test_a_value_of_another_kind_never_crashes(
    capture: Capture, value: Any, data: st.DataObject
) -> None:
    document = json.loads(capture.to_json())
    document[data.draw(st.sampled_from(sorted(document)))] = value
    try:
        read = Capture.from_dict(document)
    except FormatError:
        return
    assert read.to_dict()["format"] == FORMAT


# ---- strict reading


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "id: expected a string, found null"),
        ({"id": "../x"}, "id: '../x' does not match"),
        ({"id": "cat\n"}, "id: 'cat\\n' does not match"),
        ({"endpoint": "http://evil/"}, "endpoint: 'http://evil/' does not match"),
        ({"endpoint": "/run/../options"}, "endpoint: '/run/../options' does not match"),
        ({"endpoint": "/run//evil"}, "endpoint: '/run//evil' does not match"),
        ({"payload": []}, "payload: expected an object, found a list"),
        ({"results": {}}, "results: expected a list, found an object"),
        ({"results": [{}]}, "results[0].sha256: missing"),
        ({"job": {"state": "done"}}, "job.state: expected one of 'ok', 'interrupted', 'failed'"),
        ({"job": {"seconds": "1"}}, "job.seconds: expected a number, found a string"),
        ({"job": {"seconds": True}}, "job.seconds: expected a number, found true or false"),
        ({"host": {"loras": [1]}}, "host.loras[0]: expected an object, found an integer"),
        ({"host": {"checkpoint": {}}}, "host.checkpoint.title: missing"),
        ({"format": True}, "format: expected one of 1, found True"),
        ({"format": "1"}, "format: '1' is not a format version"),
        ({"format": -1}, "format: -1 never was a format version"),
        ({"colour": 1}, "colour: unknown key; expected one of format, id, endpoint"),
        ({"warnings": [{"path": "a", "reason": "b", "severity": "bad"}]}, "warnings[0].severity"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as raised:
        Capture.from_dict(MINIMAL | change)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("name", ["id", "endpoint", "payload"])
def test_what_is_missing_is_named(name: str) -> None:
    document = {key: value for key, value in MINIMAL.items() if key != name}
    with pytest.raises(FormatError, match=f"^{name}: missing"):
        Capture.from_dict(document)


def test_an_integer_is_a_number() -> None:
    assert Capture.from_dict(MINIMAL | {"job": {"seconds": 2}}).job.seconds == 2


@pytest.mark.parametrize(
    "text",
    ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000, '{"format":1,"payload":' + "[" * 10_000],
)
def test_nesting_of_10_000_levels(text: str) -> None:
    with pytest.raises(FormatError):
        Capture.from_json(text)


@pytest.mark.parametrize("depth", [201, 400, 900, 5000])
def test_nesting_below_what_json_itself_refuses(depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    with pytest.raises(FormatError, match="nested too deeply"):
        Capture.from_dict(MINIMAL | {"payload": {"x": value}})


def test_nesting_that_is_allowed_is_sent() -> None:
    value: Any = 1
    for _ in range(90):
        value = {"$a": [value]}
    capture = Capture.from_payload({"x": value}, TXT2IMG)
    assert Capture.from_json(capture.to_json()).request() == {"x": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON, or cut short: Expecting value at line 1 column 1"),
        ('{"a":\n 1', "not JSON, or cut short: .* at line 2"),
        (b'{"\xff": 1}', "no UTF-8 text"),
        ("[1]", "the document is a list, not an object"),
        ("null", "the document is a NoneType"),
        ("9" * 5000, "not"),
    ],
)
def test_text_that_is_no_document(text: str | bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_json(text)


def test_numbers_that_json_lacks() -> None:
    capture = Capture(1, "cat", TXT2IMG, {"s_tmax": math.inf})
    with pytest.raises(FormatError, match="JSON has no NaN or infinity"):
        capture.to_json()
    with pytest.raises(FormatError, match="payload: not of JSON"):
        Capture.from_json('{"prompt": "a", "s_tmax": Infinity}')
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical(math.nan)


def test_half_of_a_surrogate_pair() -> None:
    capture = Capture.from_payload({"prompt": "\ud83d ä \U0001f600 \udc00"}, TXT2IMG)
    text = capture.to_json().encode()
    assert "ä \U0001f600".encode() in text
    assert Capture.from_json(text) == capture


# ---- versions


def test_a_newer_format_says_what_to_do() -> None:
    with pytest.raises(NewerFormatError, match=r"format 2, this release reads up to 1: upgrade"):
        Capture.from_dict(MINIMAL | {"format": 2})
    with pytest.raises(NewerFormatError):
        Capture.from_dict({"format": 99, "anything": "else"})


def test_there_is_a_converter_from_every_older_format() -> None:
    assert list(CONVERTERS) == list(range(FORMAT))


@pytest.mark.parametrize(
    ("payload", "endpoint"),
    [
        ({"prompt": "a"}, TXT2IMG),
        ({"steps": 1}, TXT2IMG),
        ({"prompt": "a", "init_images": []}, IMG2IMG),
    ],
)
def test_a_bare_payload_tells_its_endpoint(payload: dict[str, Any], endpoint: str) -> None:
    capture = Capture.from_dict(payload)
    assert (capture.endpoint, capture.payload) == (endpoint, payload)
    assert capture.id == Capture.from_payload(payload, endpoint).id
    assert capture.id != Capture.from_payload(payload, "/else").id


@pytest.mark.parametrize("payload", [{}, {"image": "x"}])
def test_a_bare_payload_that_does_not(payload: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="name the endpoint"):
        Capture.from_dict(payload)


def test_format_0_without_a_payload() -> None:
    with pytest.raises(FormatError, match="payload: missing, or not an object"):
        Capture.from_dict({"format": 0, "endpoint": TXT2IMG})


def test_format_0_without_an_endpoint() -> None:
    with pytest.raises(FormatError, match=r"^endpoint: "):
        Capture.from_dict({"format": 0, "payload": {"prompt": "a"}})


# ---- assets

DATA = b"a picture"
SHA = hashlib.sha256(DATA).hexdigest()
HELD = Asset("image/png", 9, 1, 1, base64.b64encode(DATA).decode())
ELSEWHERE = Asset("image/png", 9, 1, 1)


def with_asset(asset: Asset) -> Capture:
    payload = {"init_images": [reference(SHA)], "own": {"$$asset": "x"}}
    return Capture(1, "cat", IMG2IMG, payload, assets={SHA: asset})


def test_references_are_inlined() -> None:
    expected = {"init_images": [HELD.data], "own": {"$asset": "x"}}
    assert with_asset(HELD).request() == expected
    assert with_asset(ELSEWHERE).request(lambda sha256: DATA) == expected


def test_bytes_that_are_elsewhere() -> None:
    with pytest.raises(AssetError, match="export it again"):
        with_asset(ELSEWHERE).request()


def test_other_bytes_than_the_hash_says() -> None:
    with pytest.raises(AssetError, match=r"assets\.[0-9a-f]{64}: its bytes have the hash"):
        with_asset(ELSEWHERE).request(lambda sha256: b"other")
    for data, message in (("AAAA", "changed or damaged"), ("A", "not base64")):
        document = with_asset(dataclasses.replace(HELD, data=data)).to_dict()
        with pytest.raises(AssetError, match=message):
            Capture.from_dict(document)
    with pytest.raises(AssetError):
        checked(SHA, b"")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"payload": {"a": [{"b": {"$asset": SHA}}]}}, "payload.a[0].b"),
        ({"template": {"x": {"$asset": SHA}}}, "template.x"),
        (
            {"results": [{"sha256": SHA, "width": 1, "height": 1, "role": "grid", "asset": SHA}]},
            "results[0].asset",
        ),
    ],
)
def test_references_to_nothing(change: dict[str, Any], path: str) -> None:
    with pytest.raises(AssetError, match="does not list") as raised:
        Capture.from_dict(MINIMAL | change)
    assert raised.value.path == path


def test_an_asset_is_named_by_its_hash() -> None:
    document = MINIMAL | {"assets": {"../../x": dataclasses.asdict(HELD)}}
    with pytest.raises(FormatError, match="named by its sha256"):
        Capture.from_dict(document)


@pytest.mark.parametrize("value", [{"$asset": 1}, {"$asset": SHA, "b": 1}, {"a": SHA}, SHA, None])
def test_what_is_no_reference(value: Any) -> None:
    assert referred(value) is None


def test_samples() -> None:
    results = [Result(SHA, 1, 1, role) for role in ("grid", "sample", "map", "sample")]
    assert Capture(1, "cat", TXT2IMG, {}, results=results).samples == [results[1], results[3]]


def test_pixel_hash_tells_mode_size_and_pixels() -> None:
    hashes = {
        pixel_hash(mode, size, pixels)
        for mode in ("RGB", "RGBA")
        for size in ((2, 1), (1, 2))
        for pixels in (b"\0" * 6, b"\1" * 6)
    }
    assert len(hashes) == 8
    expected = hashlib.sha256(b"RGB 1x2\n" + b"\0" * 6).hexdigest()
    assert pixel_hash("RGB", (1, 2), b"\0" * 6) == expected


# ---- schema


def test_the_schema_that_is_published_is_the_one_that_is_made() -> None:
    made = json.dumps(schema(), indent=2) + "\n"
    assert SCHEMA.read_text(encoding="utf-8") == made, (
        f"run: python -m payload_replay.capture > {SCHEMA.name}"
    )


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    VALIDATOR.validate(MINIMAL)
