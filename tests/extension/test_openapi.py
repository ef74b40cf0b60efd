"""The description of the routes: complete, valid, and what a running host answers."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

from payload_capture import events, exports, openapi, routes, shapes
from payload_capture.answers import PREFIX

from .conftest import SMALL, Host
from .pictures import BASE64

METHODS = {"get", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return openapi.document(routes.ROUTES)


def operations(described: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    paths = described["paths"]
    return {(m, path): one for path, known in paths.items() for m, one in known.items()}


def test_every_route_that_is_mounted_is_described(described: dict[str, Any]) -> None:
    class App:
        def __init__(self) -> None:
            self.mounted: set[tuple[str, str]] = set()

        def add_route(self, path: str, _: Any, methods: list[str], include_in_schema: bool) -> None:
            if include_in_schema:
                self.mounted |= {(method.lower(), path) for method in methods}

    app = App()
    routes.mount(app, None, None)  # type: ignore[arg-type]
    assert app.mounted == set(operations(described))


def test_names_of_operations_are_unique(described: dict[str, Any]) -> None:
    names = [one["operationId"] for one in operations(described).values()]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


def test_everything_is_said_in_words(described: dict[str, Any]) -> None:
    for key, one in operations(described).items():
        assert one["summary"].endswith((".", ".", "…")), key
        assert all(parameter["description"] for parameter in one["parameters"]), key


def test_it_is_a_valid_document(described: dict[str, Any]) -> None:
    """By what OpenAPI 3.1 asks of schemas: JSON Schema 2020-12, with references that lead there."""
    schemas = described["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    named = set(re.findall(r"#/components/schemas/(\w+)", str(described)))
    assert named - schemas.keys() == set()
    assert schemas.keys() - named == {"Origin"} - named


def test_parameters_in_a_path_are_those_of_the_path(described: dict[str, Any]) -> None:
    for (_, path), one in operations(described).items():
        told = {p["name"] for p in one["parameters"] if p["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", path))


def test_every_header_that_is_read_is_described() -> None:
    """Those of conditional requests and of the events."""
    read = set()
    for module in (routes, openapi):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Constant) and node.value in ("if-match", "last-event-id"):
                read.add(node.value)
    told = {p.name.lower() for route in routes.ROUTES for p in route.parameters}
    assert read <= told


def test_the_docs_name_every_route_parameter_and_event(repository: Path) -> None:
    text = (repository / "docs" / "api.md").read_text(encoding="utf-8")
    paths = {route.path for route in routes.ROUTES if route.method != "*"}
    assert {path for path in paths if path not in text} == set()
    names = {one.name for route in routes.ROUTES for one in route.parameters}
    assert {name for name in names if name not in text} == set()
    kinds = (*events.KINDS, events.MISSED, *exports.FORMATS, *shapes.KINDS, *shapes.SELECTIONS)
    assert {kind for kind in kinds if f"`{kind}`" not in text} == set()


# ---- in a running host


class Checked:
    """Sends requests, and holds each answer against the description."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.described = host.json("/openapi.json")
        self.seen: set[tuple[str, str, str]] = set()

    def __call__(self, method: str, path: str, place: str = "", **options: Any) -> Any:
        """`place` is the path as it is described, where that is another one."""
        url = self.host.url + PREFIX + path
        answer = self.host.session.request(method, url, timeout=60, **options)
        place = PREFIX + (place or path)
        told = self.described["paths"][place][method.lower()]["responses"]
        assert str(answer.status_code) in told, (answer.status_code, answer.text)
        headers = told[str(answer.status_code)].get("headers", {})
        needed = [name for name, one in headers.items() if one["required"]]
        assert all(name in answer.headers for name in needed), (needed, answer.headers)
        self._body(told[str(answer.status_code)].get("content", {}), answer)
        self.seen.add((method.lower(), place, str(answer.status_code)))
        return answer

    def _body(self, content: dict[str, Any], answer: requests.Response) -> None:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        assert kind in content or not (content or answer.content), (kind, content)
        if kind == "application/json" and kind in content:
            schema = {**content[kind]["schema"], "components": self.described["components"]}
            jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_real_answers_are_as_described(host: Host) -> None:
    ask = Checked(host)
    host.generate(prompt="described", seed=1).raise_for_status()
    host.generate("img2img", prompt="described", init_images=[BASE64]).raise_for_status()
    host.generate(prompt="broken", script_name="X/Y/Z plot", script_args=[])
    rows = ask("GET", "/captures").json()["captures"]
    identity, other = rows[0]["id"], rows[1]["id"]
    one = "/captures/{id}"
    mine = f"/captures/{identity}"
    for path in ("/status", "/tags", "/openapi.json"):
        ask("GET", path)
    for path in ("/store/verify", "/store/repair"):
        ask("POST", path)
    ask("GET", "/captures?limit=0", "/captures")
    ask("GET", "/search?q=described", "/search")
    ask("GET", "/search")
    tag = ask("GET", mine, one).headers["etag"]
    ask("GET", mine, one, headers={"If-None-Match": tag})
    ask("GET", "/captures/nothing", one)
    ask("GET", f"{mine}/summary", f"{one}/summary")
    ask("PATCH", mine, one, json={"title": "x", "tags": ["a"]}, headers={"If-Match": tag})
    ask("PATCH", mine, one, json={"title": "y"}, headers={"If-Match": tag})
    ask("PATCH", mine, one, json={"title": 3})
    for form in shapes.FORMS:
        ask("GET", f"/captures/{other}/request?form={form}", f"{one}/request")
    for form in exports.FORMATS:
        ask("GET", f"/captures/{other}/export?format={form}", f"{one}/export")
    picture = ask("GET", f"/captures/{other}/results/0", f"{one}/results/{{n}}")
    ask("GET", f"/assets/{picture.headers['etag'][1:-1]}", "/assets/{sha256}")
    ask("GET", f"/diff?a={identity}&b={other}", "/diff")
    ask("POST", "/check", json={"id": other})
    ask("POST", "/check", json=SMALL)
    ask("POST", "/check", json={"id": "nothing"})
    made = ask("POST", f"/captures/{other}/replay", f"{one}/replay").headers["location"]
    ask("GET", made.removeprefix(PREFIX), "/replays/{job}")
    ask("GET", "/replays/nothing", "/replays/{job}")
    ask("DELETE", made.removeprefix(PREFIX), "/replays/{job}")
    ask("DELETE", "/replays/nothing", "/replays/{job}")
    for form in shapes.SELECTIONS:
        kept = ask("POST", "/captures/export", json={"filter": {}, "format": form}).content
        ask("POST", "/captures", data=kept)
    ask("POST", "/captures", json=SMALL)
    ask("POST", "/captures", data=b"nothing")
    ask("DELETE", mine, one)
    ask("POST", f"{mine}/restore", f"{one}/restore")
    ask("POST", f"{mine}/forget", f"{one}/forget")
    ask("DELETE", "/trash")
    ask("DELETE", f"{mine}?forever=1", one)
    ask("POST", "/run/batch", json={"requests": []})
    ask("POST", "/run/extras", json={"images": [BASE64], "scripts": {}})
    ask("POST", "/run/txt2img-upscale", data=b"{")
    ask("POST", "/run/batch", json=_batch())
    ask.host.get("/events", stream=True).close()
    asked = {(method, path) for method, path, _ in ask.seen}
    assert set(operations(ask.described)) - asked == {("get", f"{PREFIX}/events")}


def _batch() -> dict[str, Any]:
    return {"requests": [{"endpoint": "/sdapi/v1/txt2img", "payload": SMALL}]}
