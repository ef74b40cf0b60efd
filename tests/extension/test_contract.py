"""Requests that nobody would write, made of the description by the hundred, to a running host.

The long form, whose cases are others each time, is marked `soak`:
``python3 tests -m soak tests/extension/test_contract.py``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from json_values import json_values
from payload_capture import openapi
from payload_capture.answers import PREFIX
from payload_capture.routes import ROUTES

from .conftest import SMALL, Host, Start, wait
from .pictures import BASE64, PNG

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(openapi.document(ROUTES))
OPERATIONS: dict[str, Any] = {
    one.definition.raw["operationId"]: one
    for path in SCHEMA
    for one in (SCHEMA[path][method] for method in SCHEMA[path])
}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass
class Known:
    """A host, and what there is on it to ask for in the place of names that nobody has."""

    host: Host
    names: dict[str, list[str]]
    files: list[bytes]
    document: dict[str, Any]


@pytest.fixture(scope="module")
def known(start: Start) -> Iterator[Known]:
    host = start()
    for number in range(3):
        host.generate(prompt=f"known {number}").raise_for_status()
    host.generate("img2img", prompt="known", init_images=[BASE64]).raise_for_status()
    rows = host.json("/captures")["captures"]
    ids = [row["id"] for row in rows]
    url = f"{host.url}{PREFIX}/captures/{ids[0]}/replay"
    job = host.session.post(url, timeout=30).json()["job"]
    wait(lambda: host.json(f"/replays/{job}")["state"] == "done")
    asset = host.latest()["results"][0]["asset"]
    names = {"id": [*ids, "latest"], "n": ["0", "1"], "sha256": [asset], "job": [job]}
    forms = ("json", "bundle", "har", "curl", "postman")
    files = [host.get(f"/captures/{ids[0]}/export?format={form}").content for form in forms]
    files += [PNG, json.dumps(SMALL).encode()]
    yield Known(host, names, files, host.json(f"/captures/{ids[0]}/export"))
    assert host.process.errors() == []
    host.process.stop()


ODD = st.sampled_from(
    [2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, "\ud800", "\x00", "latest"]
)


@st.composite
def altered(draw: Any, document: dict[str, Any]) -> dict[str, Any]:
    """A capture in which some values are others, or gone."""
    made = copy.deepcopy(document) | {"id": f"altered-{draw(st.integers(0, 99))}"}
    for _ in range(draw(st.integers(0, 3))):
        outer, key = draw(places(made))
        if draw(st.booleans()):
            outer[key] = draw(ODD | json_values(leaves=5))
        else:
            del outer[key]
    return made


@st.composite
def places(draw: Any, outer: Any) -> tuple[Any, Any]:
    """Something below a JSON value: what it lies in, and its key there."""
    while True:
        key = draw(st.sampled_from(list(outer if isinstance(outer, dict) else range(len(outer)))))
        inner = outer[key]
        if not (isinstance(inner, (dict, list)) and inner and draw(st.booleans())):
            return outer, key
        outer = inner


@st.composite
def cases(draw: Any, name: str, known: Known) -> Any:
    """A request of an operation: as it is described, or otherwise; now and then of what exists."""
    case = draw(OPERATIONS[name].as_strategy(generation_mode=draw(st.sampled_from(MODES))))
    for place, there in known.names.items():
        if place in (case.path_parameters or {}) and draw(st.booleans()):
            case.path_parameters[place] = draw(st.sampled_from(there))
    if name == "take" and draw(st.booleans()):
        data = draw(st.sampled_from(known.files))
        end = draw(st.sampled_from([len(data), len(data) // 2, len(data) - 3]))
        case.body, case.media_type = data[:end], "application/octet-stream"
    if name in ("take", "check") and draw(st.booleans()):
        case.body = draw(altered(known.document))
        if name == "take":
            case.body = json.dumps(case.body).encode()
    if name == "diff" and draw(st.booleans()):
        case.query = {"a": known.names["id"][0], "b": known.names["id"][1]}
    return case


def ask(case: Any, host: Host) -> None:
    """Send it; the answer must be one of those that are described, and no failure of ours."""
    if case.operation.path.endswith("/events"):  # which has no end
        url, headers = f"{host.url}{PREFIX}/events", dict(case.headers or {})
        with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
            assert answer.status_code in (200, 400, 405)
        return
    response = case.call(base_url=host.url, session=host.session, timeout=60)
    if response.status_code >= 500:
        told = response.json()["error"]
        assert told["code"] == "generation_failed", (case.as_curl_command(), told)
    if response.status_code != 405:
        case.validate_response(response, checks=CHECKS)


def test_every_operation_is_asked() -> None:
    assert len(OPERATIONS) == sum(route.method != "*" for route in ROUTES)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", [15, pytest.param(400, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_request_breaks_it(known: Known, name: str, number: int) -> None:
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        derandomize=number < 100,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(name, known))
    def check(case: Any) -> None:
        ask(case, known.host)

    check()
