"""The description of the routes in OpenAPI 3.1, made of the table by which they are served."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from payload_capture import __version__, capture
from payload_capture.answers import PREFIX
from payload_capture.schemas import Parameter
from payload_capture.shapes import ANSWERS, Body, Said

if TYPE_CHECKING:
    from payload_capture.routes import Route

_INFO = {
    "title": "Payload capture",
    "version": __version__,
    "description": "Captures of a stable-diffusion-webui's generations as API payloads. Every "
    "route asks for the webui's own credentials. See docs/api.md.",
}
_BASIC = {"type": "http", "scheme": "basic", "description": "--api-auth or --gradio-auth"}
_COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "name": "access-token",
    "description": "the page's login; gradio 4 adds to the name",
}
_ALWAYS = (400, 401, 403, 503)
_STATUS = {
    200: "as asked",
    201: "imported",
    202: "queued; ask for its status where Location says",
    304: "what the client has is still so",
    400: "a parameter or the body cannot be used; `field` names it",
    401: "the webui's user and password are missing or wrong",
    403: "a page of another site may not do this",
    404: "there is none of that name",
    409: "this capture, or this webui, cannot do that; the message says why",
    412: "it has changed since If-Match was read",
    413: "too large",
    422: "what was sent cannot be read, or the webui refuses it",
    500: "the webui failed at the generation; the message says at what",
    503: "the store cannot be used just now; the message says why and what to do",
}
_HEADERS = {
    name: {"description": says, "schema": {"type": "string"}, "required": name == "ETag"}
    for name, says in {
        "ETag": "the state, for If-None-Match and If-Match",
        "Location": "where it is to be had; of an import only where one capture came",
        "WWW-Authenticate": "HTTP Basic",
    }.items()
}
_IN_PATH = {
    "id": "a capture's id, or `latest`",
    "n": "the number of a result, 0 for the first",
    "sha256": "the hash of the file's bytes",
    "job": "as the replay's start answered",
}


def document(routes: Iterable[Route], root_path: str = "") -> dict[str, Any]:
    """The description of these routes, below the path at which a proxy shows the webui."""
    paths: dict[str, Any] = {}
    for route in routes:
        if route.method != "*":
            paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": root_path or "/"}],
        "paths": paths,
        "security": [{"basic": []}, {"cookie": []}, {}],
        "components": {
            "schemas": {**_of_format(), **ANSWERS},
            "securitySchemes": {"basic": _BASIC, "cookie": _COOKIE},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", route.path)
    errors = [*_ALWAYS, *route.errors, *([404] if names else [])]
    made: dict[str, Any] = {
        "operationId": _name(route),
        "summary": _summary(route),
        "parameters": [*map(_in_path, names), *map(_parameter, route.parameters)],
        "responses": {
            **{str(status): _answer(status, said) for status, said in route.answers.items()},
            **{str(status): _answer(status, Said("Error")) for status in sorted(set(errors))},
        },
    }
    if route.body is not None:
        made["requestBody"] = _body(route.body)
    return made


def _name(route: Route) -> str:
    """One name for each operation, for clients that are generated."""
    name: str = route.handler.__name__
    return name + "_" + route.path.rpartition("/")[2].replace("-", "_") if name == "run" else name


def _summary(route: Route) -> str:
    return (route.handler.__doc__ or "").strip().partition("\n")[0]


def _in_path(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": schema,
        "description": _IN_PATH[name],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "schema": dict(parameter.schema),
        "description": parameter.says,
    }


def _body(body: Body) -> dict[str, Any]:
    content = {body.media_type: {"schema": dict(body.schema)}}
    return {"required": True, "description": body.says, "content": content}


def _answer(status: int, said: Said) -> dict[str, Any]:
    made: dict[str, Any] = {"description": _STATUS[status]}
    if said.media_types:
        made["content"] = {kind: {"schema": _schema(said, kind)} for kind in said.media_types}
    if names := (*said.headers, *(("WWW-Authenticate",) if status == 401 else ())):
        made["headers"] = {name: _HEADERS[name] for name in names}
    return made


def _schema(said: Said, media_type: str) -> dict[str, Any]:
    if media_type.startswith("text/"):
        return {"type": "string"}
    if media_type != "application/json":
        return {"type": "string", "format": "binary"}
    named = said.name in ANSWERS or said.name == "Capture"
    return {"$ref": f"#/components/schemas/{said.name}"} if named else {}


def _of_format() -> dict[str, Any]:
    """The capture's own schemas, where OpenAPI looks for them."""
    made = capture.schema()
    named = made.pop("$defs")
    made.pop("$schema")
    text = json.dumps({"Capture": made, **named})
    found: dict[str, Any] = json.loads(text.replace("#/$defs/", "#/components/schemas/"))
    return found
