"""The HTTP routes under ``/payload-capture/v1``: thin, over `app.Service`.

Every answer but a picture is JSON; every error is ``{"error": {"code", "message", "field"}}``
with the status that fits. Bodies and answers are plain dicts: pydantic 1 and 2 read models
differently.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from payload_capture.auth import CHALLENGE, HEADERS, Gate, Refused
from payload_capture.capture import FormatError
from payload_capture.runs import ENDPOINTS, RunError
from payload_capture.store import NotFoundError, StoreError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from payload_capture.app import Service

PREFIX = "/payload-capture/v1"
MAX_LIMIT = 500
FORMS = ("exact", "minimal")


class BadParameterError(ValueError):
    """A query parameter that cannot be used; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class MethodError(Exception):
    """A route that exists, asked by a method that it does not have; `allowed` are those it has."""

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not for this route; it has {', '.join(allowed)}")
        self.allowed = allowed


Handler = Callable[["Service", "Request"], Any]


def captures(service: Service, request: Request) -> Any:
    query = request.query_params
    page = service.page(
        limit=_limit(query.get("limit")),
        cursor=_cursor(query.get("cursor")),
        q=query.get("q"),
        endpoint=query.get("endpoint"),
        source=_source(query.get("source")),
    )
    return {"captures": page.captures, "next": page.next}


def capture(service: Service, request: Request) -> Any:
    return service.get(request.path_params["id"]).to_dict()


def request_to_send(service: Service, request: Request) -> Any:
    form = request.query_params.get("form", FORMS[0])
    if form not in FORMS:
        raise BadParameterError("form", f"{form!r} is not one of {', '.join(FORMS)}")
    return service.request(request.path_params["id"], form)


def result(service: Service, request: Request) -> Any:
    number = request.path_params["n"]
    if not number.isdecimal():
        raise BadParameterError("n", f"{number!r} is not the number of a result, 0 for the first")
    return _picture(*service.result(request.path_params["id"], int(number)))


def asset(service: Service, request: Request) -> Any:
    return _picture(*service.asset(request.path_params["sha256"]))


def delete(service: Service, request: Request) -> Any:
    identity = request.path_params["id"]
    service.delete(identity)
    return {"deleted": identity}


def status(service: Service, request: Request) -> Any:
    return service.status()


def run(service: Service, request: Request) -> Any:
    return service.run(request.url.path[request.url.path.rindex(PREFIX) :], _body(request))


def unknown(service: Service, request: Request) -> Any:
    if methods := _methods_of(request.url.path):
        raise MethodError(request.method, methods)
    raise NotFoundError(f"the route {request.method} {request.url.path}")


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/captures", captures),
    ("GET", "/captures/{id}", capture),
    ("GET", "/captures/{id}/request", request_to_send),
    ("GET", "/captures/{id}/results/{n}", result),
    ("GET", "/assets/{sha256}", asset),
    ("DELETE", "/captures/{id}", delete),
    ("GET", "/status", status),
    *(("POST", endpoint.removeprefix(PREFIX), run) for endpoint in ENDPOINTS),
    ("*", "/{rest:path}", unknown),
)


def _methods_of(path: str) -> list[str]:
    """The methods of the routes that a path belongs to."""
    from starlette.routing import compile_path

    known = ((method, compile_path(PREFIX + route)[0]) for method, route, _ in ROUTES)
    here = path[path.rindex(PREFIX) :] if PREFIX in path else path
    return [method for method, pattern in known if method != "*" and pattern.match(here)]


def mount(app: FastAPI, service: Service, gate: Gate) -> None:
    """Add the routes to the webui's app; each asks `gate` first."""
    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    for method, path, handler in ROUTES:
        app.add_route(
            PREFIX + path,
            _answering(handler, service, gate),
            methods=every if method == "*" else [method],
            include_in_schema=method != "*",
        )


def _answering(handler: Handler, service: Service, gate: Gate) -> Callable[[Request], Response]:
    from starlette.responses import JSONResponse, Response

    @functools.wraps(handler)
    def guarded(request: Request) -> Response:
        made = answer(request)
        for name, value in HEADERS.items():
            made.headers[name] = value
        return made

    def answer(request: Request) -> Response:
        try:
            gate.admit(request)
            made = handler(service, request)
        except Exception as error:
            known, code, message, field = _explained(error, request)
            headers = {"WWW-Authenticate": CHALLENGE} if known == 401 else {}
            if isinstance(error, MethodError):
                headers["Allow"] = ", ".join(error.allowed)
            body = {"error": {"code": code, "message": message, "field": field}}
            return JSONResponse(body, known, headers)
        if isinstance(made, Response):
            return made
        return Response(json.dumps(made), media_type="application/json")  # ASCII: any str

    return guarded


def _explained(error: Exception, request: Request) -> tuple[int, str, str, str | None]:
    """(status, code, message, field) of an exception."""
    if isinstance(error, RunError):
        return error.status, error.code, str(error), error.field
    if isinstance(error, Refused):
        return error.status, error.code, str(error), None
    if isinstance(error, MethodError):
        return 405, "method_not_allowed", str(error), None
    if isinstance(error, BadParameterError):
        return 400, "bad_parameter", str(error), error.field
    if isinstance(error, NotFoundError):
        field = next((n for n in ("id", "sha256") if n in request.path_params), None)
        return 404, "not_found", _not_found(error.args[0], field), field
    if isinstance(error, FormatError):
        return 409, "not_replayable", str(error), error.path or None
    if isinstance(error, StoreError):
        return 503, "store_unavailable", str(error), None
    return 500, "internal", f"{type(error).__name__}: {error}", None


def _not_found(what: str, field: str | None) -> str:
    if what == "latest":
        return "no captures yet: generate a picture first"
    if field == "id":
        return f"no capture {what!r}; GET {PREFIX}/captures lists them"
    return f"no asset {what!r}" if field == "sha256" else f"{what} does not exist"


def _picture(media_type: str, data: bytes) -> Response:
    from starlette.responses import Response

    # The name is the content's hash, so it never changes; and it is never run as a page.
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(data, media_type=media_type, headers=headers)


def _body(request: Request) -> Any:
    """The request's JSON; read from the thread that answers it."""
    import anyio.from_thread

    try:
        return json.loads(anyio.from_thread.run(request.body))
    except (ValueError, RecursionError) as error:
        raise BadParameterError("body", f"not JSON: {error}") from error


def _limit(given: str | None) -> int:
    if given is None:
        return 50
    if not given.isdecimal() or not 1 <= int(given) <= MAX_LIMIT:
        raise BadParameterError("limit", f"{given!r} is not a number from 1 to {MAX_LIMIT}")
    return int(given)


def _cursor(given: str | None) -> str | None:
    if given is not None and not re.fullmatch(r"\d{1,18}", given):
        raise BadParameterError("cursor", f"{given!r} is no cursor: give `next` of the last answer")
    return given


def _source(given: str | None) -> str | None:
    if given not in (None, "", "ui", "api", "script"):
        raise BadParameterError("source", f"{given!r} is not one of ui, api, script")
    return given
