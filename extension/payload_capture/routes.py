"""The HTTP routes under ``/payload-capture/v1``: thin, over `app.Service`.

Every answer but a picture, a file and the events is JSON; every error is
``{"error": {"code", "message", "field"}}`` with the status that fits. A route says in `ROUTES` what
it takes and what it answers: requests are read by that, and ``/openapi.json`` tells it. Bodies and
answers are plain dicts: pydantic 1 and 2 read models differently.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from payload_capture import answers, comparison, exports, imports, openapi, schemas, shapes
from payload_capture.answers import PREFIX, MethodError
from payload_capture.auth import HEADERS, Gate
from payload_capture.capture import FormatError, parse_json
from payload_capture.imports import TooLargeError
from payload_capture.runs import ENDPOINTS, INSIDE
from payload_capture.schemas import BadParameterError, Parameter
from payload_capture.shapes import FORMS, SELECTIONS, Body, Said
from payload_capture.store import Filters, NotFoundError, RevisionError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from payload_capture.app import Service
    from payload_capture.auth import Gate

MAX_RUN = 1 << 30
"""Bytes of a request that generates."""
IN_MEMORY = 8 << 20
"""Bytes of a body above which it lies in a temporary file."""

Given = dict[str, Any]
Handler = Callable[["Service", "Request", Given], Any]


# ---- captures


def captures(service: Service, request: Request, given: Given) -> Any:
    """List captures, newest first."""
    limit, cursor = given.pop("limit", 50), given.pop("cursor", None)
    page = service.page(limit, cursor, _filters(given))
    return {"captures": page.captures, "next": page.next}


def search(service: Service, request: Request, given: Given) -> Any:
    """Search captures by words: each must be there, as the beginning of one."""
    return captures(service, request, given)


def capture(service: Service, request: Request, given: Given) -> Any:
    """One capture, its pictures as references; `latest` is the newest."""
    found = service.get(_id(request))
    return answers.tagged(found.to_dict(), _tag(service.summary(found.id)), request)


def summary(service: Service, request: Request, given: Given) -> Any:
    """One capture as a list shows it, with title, note, tags, star and verdict."""
    found = service.summary(_id(request))
    return answers.tagged(found, _tag(found), request)


def edit(service: Service, request: Request, given: Given) -> Any:
    """Change title, note, tags or star; what is not said stays."""
    identity, wanted = _id(request), request.headers.get("if-match")
    seen = service.summary(identity) if wanted is not None else None
    if seen is not None and not answers.matches(wanted, _tag(seen)):
        raise RevisionError(f"the capture has changed since: it is {_tag(seen)} now; read it again")
    # The store compares once more, under the lock of its transaction.
    found = service.edit(identity, **given["body"], revision=seen and seen["revision"])
    return answers.as_json(found, ETag=_tag(found))


def delete(service: Service, request: Request, given: Given) -> Any:
    """Put a capture into the trash, or remove it for good."""
    if given.get("forever"):
        return {"deleted": service.delete(_id(request))}
    return {"trashed": service.trash(_id(request))}


def restore(service: Service, request: Request, given: Given) -> Any:
    """Take a capture out of the trash."""
    return service.restore(_id(request))


def forget(service: Service, request: Request, given: Given) -> Any:
    """Remove a capture so that nothing of it remains in any file."""
    return {"forgotten": service.forget(_id(request))}


def verify(service: Service, request: Request, given: Given) -> Any:
    """Read the whole store and derive every hash again; nothing is changed."""
    return {"faults": [fault._asdict() for fault in service.verify()]}


def repair(service: Service, request: Request, given: Given) -> Any:
    """Make the store whole again, and say what was dropped for that."""
    return {"dropped": service.repair()}


def request_to_send(service: Service, request: Request, given: Given) -> Any:
    """Exactly what to send to make the pictures again."""
    return service.request(_id(request), given.get("form", FORMS[0]))


def result(service: Service, request: Request, given: Given) -> Any:
    """A picture that the job returned, by its number."""
    number = request.path_params["n"]
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise BadParameterError("n", f"{number!r} is not the number of a result, 0 for the first")
    media_type, data, sha256 = service.result(_id(request), int(number))
    return answers.picture(media_type, data, sha256, request)


def asset(service: Service, request: Request, given: Given) -> Any:
    """A picture's file by the hash of its bytes."""
    sha256 = request.path_params["sha256"]
    return answers.picture(*service.asset(sha256), sha256, request)


# ---- in and out


def take(service: Service, request: Request, given: Given) -> Any:
    """Import captures from a file: a capture, bundle, payload, picture, HAR, curl line, or many."""
    with _received(request, imports.MAX_BYTES) as file:
        made = service.take(file, _endpoint(given.get("endpoint")))
    headers = {}
    if len(made["imported"]) == 1:
        headers["Location"] = f"{PREFIX}/captures/{made['imported'][0]}"
    return answers.as_json(made, 201 if made["imported"] else 200, **headers)


def export_one(service: Service, request: Request, given: Given) -> Any:
    """A capture as a file in one of many forms."""
    server = given.get("server") or service.address(_server(request))
    form, beside = given.get("format", "json"), given.get("beside", False)
    found, fetch = service.exported(_id(request))
    return answers.download(*exports.one(found, form, fetch, server, beside))


def export_many(service: Service, request: Request, given: Given) -> Any:
    """A selection of captures as one file, written while it is read."""
    body = given["body"]
    form = body.get("format", SELECTIONS[0])
    if "ids" in body and "filter" in body:
        raise BadParameterError("filter", "give either `ids` or `filter`")
    wanted = _selected(service, body)
    write = exports.lines if form == "jsonl" else exports.zipped
    media_type = {"jsonl": "application/x-ndjson", "zip": "application/zip"}[form]
    return answers.download(f"captures.{form}", media_type, write(wanted))


def _selected(service: Service, body: Given) -> Iterator[exports.Exported]:
    if "ids" in body:
        for identity in body["ids"]:
            service.summary(identity)  # what is missing is said before anything is sent
        return (service.exported(identity) for identity in body["ids"])
    return service.exported_all(_filters(body.get("filter", {})))


# ---- what comes of a capture


def replay(service: Service, request: Request, given: Given) -> Any:
    """Send a capture to this webui again and compare the pictures."""
    job = service.replay(_id(request))
    where = f"{PREFIX}/replays/{job.job}"
    return answers.as_json(dataclasses.asdict(job), 202, Location=where)


def replay_status(service: Service, request: Request, given: Given) -> Any:
    """How a replay fares, and its verdict in the end."""
    return dataclasses.asdict(service.replay_status(request.path_params["job"]))


def diff(service: Service, request: Request, given: Given) -> Any:
    """What differs between two captures."""
    one, other = service.get(given["a"]), service.get(given["b"])
    return {"a": one.id, "b": other.id, "differences": comparison.compare(one, other)}


def check(service: Service, request: Request, given: Given) -> Any:
    """What of a capture this webui lacks; nothing is generated."""
    body = given["body"]
    if isinstance(body.get("id"), str) and body.keys() == {"id"}:
        found = service.get(body["id"])
    else:
        found = imports.single(body)
    problems = service.check(found)
    blocks = any(problem["severity"] == "blocks" for problem in problems)
    return {"replayable": not blocks, "problems": problems}


# ---- the rest


def status(service: Service, request: Request, given: Given) -> Any:
    """Versions, counts, host facts, and how capturing fares."""
    return service.status()


def tags(service: Service, request: Request, given: Given) -> Any:
    """Every tag, with how many captures have it."""
    return {"tags": service.tags()}


def events(service: Service, request: Request, given: Given) -> Any:
    """What happens to captures, as server-sent events."""
    header = request.headers.get("last-event-id")
    last = None if not header else schemas.parsed(shapes.LAST_EVENT, header)
    return answers.events(service.stream(last), empty=request.method == "HEAD")


def specification(service: Service, request: Request, given: Given) -> Any:
    """This description."""
    return openapi.document(ROUTES, request.scope.get("root_path", ""))


def run(service: Service, request: Request, given: Given) -> Any:
    """Generate what no standard endpoint can express."""
    path: str = request.scope["path"]  # the URL's would be read with the host that was given
    with _received(request, MAX_RUN) as file:
        return service.run(path[path.rindex(PREFIX) :], _json(file.read()))


def unknown(service: Service, request: Request, given: Given) -> Any:
    """Whatever there is no route for."""
    if methods := _methods_of(request.scope["path"]):
        raise MethodError(request.method, methods)
    raise NotFoundError(f"the route {request.method} {request.scope['path']}")


# ---- the table


class Route(NamedTuple):
    """What a route takes and answers. `answers` are those of success, `errors` further statuses;
    `reads` says of a POST that it changes nothing.

    Every route may answer 400, 401, 403 and 503, and those with an id in their path 404.
    """

    method: str
    path: str
    handler: Handler
    answers: dict[int, Said]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    errors: tuple[int, ...] = ()
    reads: bool | None = None


def _get(path: str, handler: Handler, said: Said, *parameters: Parameter, **more: Any) -> Route:
    return Route("GET", path, handler, {200: said}, parameters, **more)


def _tagged(path: str, handler: Handler, said: Said) -> Route:
    """One that answers 304 where the client has it already."""
    known = (shapes.IF_NONE_MATCH,)
    return Route("GET", path, handler, {200: said, 304: Said("known")}, known)


ONE = "/captures/{id}"
ROUTES: tuple[Route, ...] = (
    _get("/captures", captures, Said("Page"), *shapes.FILTERS, *shapes.PAGE),
    Route(
        "POST",
        "/captures",
        take,
        {201: Said("Imported"), 200: Said("Imported")},
        (shapes.ENDPOINT,),
        Body(
            shapes.FILE,
            "a file of any form that can be read",
            is_checked=False,
            media_type="application/octet-stream",
        ),
        (413, 422),
    ),
    Route(
        "POST",
        "/captures/export",
        export_many,
        {200: Said("captures", ("application/x-ndjson", "application/zip"))},
        (),
        Body(shapes.SELECTION, "which captures, by ids or by a filter"),
        (404, 413),
        reads=True,
    ),
    _get("/search", search, Said("Page"), *shapes.SEARCHED),
    _tagged(ONE, capture, Said("Capture")),
    Route(
        "PATCH",
        ONE,
        edit,
        {200: Said("Summary")},
        (shapes.IF_MATCH,),
        Body(shapes.EDIT, "what is to change"),
        (412, 413),
    ),
    Route("DELETE", ONE, delete, {200: Said("Done")}, (shapes.FOREVER,)),
    _tagged(ONE + "/summary", summary, Said("Summary")),
    Route("POST", ONE + "/restore", restore, {200: Said("Summary")}),
    Route("POST", ONE + "/forget", forget, {200: Said("Done")}),
    _get(ONE + "/request", request_to_send, Said("Request"), shapes.FORM, errors=(409,)),
    _get(ONE + "/export", export_one, Said("file", ("*/*",)), *shapes.EXPORT, errors=(409,)),
    Route("POST", ONE + "/replay", replay, {202: Said("Replay")}, errors=(409,)),
    _tagged(ONE + "/results/{n}", result, Said("picture", ("image/*",))),
    _tagged("/assets/{sha256}", asset, Said("picture", ("image/*",))),
    _get("/replays/{job}", replay_status, Said("Replay")),
    _get("/diff", diff, Said("Diff"), *shapes.PAIR, errors=(404,)),
    Route(
        "POST",
        "/check",
        check,
        {200: Said("Check")},
        (),
        Body(
            shapes.CHECKED,
            "a capture, a bare payload, or the id of a capture",
            most=shapes.MAX_DOCUMENT,
        ),
        (404, 409, 413, 422),
        reads=True,
    ),
    Route("POST", "/store/verify", verify, {200: Said("Verified")}, reads=True),
    Route("POST", "/store/repair", repair, {200: Said("Repaired")}),
    _get("/tags", tags, Said("Tags")),
    _get("/events", events, Said("events", ("text/event-stream",)), shapes.LAST_EVENT),
    _get("/status", status, Said("Status")),
    _get("/openapi.json", specification, Said("OpenAPI")),
    *(
        Route(
            "POST",
            endpoint.removeprefix(PREFIX),
            run,
            {200: Said("Generated")},
            (),
            Body(shapes.RUN, "see docs/runs.md", is_checked=False),
            (404, 409, 413, 422, 500),
        )
        for endpoint in ENDPOINTS
    ),
    Route("*", "/{rest:path}", unknown, {}),
)
EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def _methods_of(path: str) -> list[str]:
    """The methods of the routes that a path belongs to."""
    from starlette.routing import compile_path

    known = ((route.method, compile_path(PREFIX + route.path)[0]) for route in ROUTES)
    here = path[path.rindex(PREFIX) :] if PREFIX in path else path
    return [method for method, pattern in known if method != "*" and pattern.match(here)]


def mount(app: FastAPI, service: Service, gate: Gate) -> None:
    """Add the routes to the webui's app; each asks `gate` first."""
    for route in ROUTES:
        app.add_route(
            PREFIX + route.path,
            _answering(route, service, gate),
            methods=EVERY if route.method == "*" else [route.method],
            include_in_schema=route.method != "*",
        )


def _answering(route: Route, service: Service, gate: Gate) -> Callable[[Request], Response]:
    from starlette.responses import Response

    @functools.wraps(route.handler)
    def guarded(request: Request) -> Response:
        made = answer(request)
        for name, value in HEADERS.items():
            made.headers[name] = value
        return made

    def answer(request: Request) -> Response:
        try:
            if not request.scope.get(INSIDE):
                gate.admit(request, reads=route.reads)
            made = route.handler(service, request, _given(route, request))
        except Exception as error:
            return answers.failed(error, request)
        return made if isinstance(made, Response) else answers.as_json(made)

    return guarded


# ---- reading requests


def _given(route: Route, request: Request) -> Given:
    """What a request says, as its route describes it."""
    if route.method == "*":
        return {}
    given = schemas.read(request.query_params, route.parameters)
    if route.body is not None and route.body.is_checked:
        with _received(request, route.body.most) as file:
            given["body"] = schemas.checked(_json(file.read()), route.body.schema)
    return given


def _id(request: Request) -> str:
    identity: str = request.path_params["id"]
    return identity


def _tag(summary: Given) -> str:
    return f'"{summary["id"]}.{summary["revision"]}"'


def _filters(given: Given) -> Filters:
    times = {name: schemas.moment(given[name]) for name in ("since", "until") if name in given}
    return Filters(**given | {name: time.isoformat() for name, time in times.items() if time})


def _endpoint(given: str | None) -> str | None:
    return f"/sdapi/v1/{given}" if given in ("txt2img", "img2img") else given


def _server(request: Request) -> str:
    """This webui as the client sees it."""
    return str(request.base_url).rstrip("/")


def _received(request: Request, most: int) -> IO[bytes]:
    """The request's body in a temporary file, in memory while it is small.

    Called in the thread that answers; the server's loop reads.

    Raises:
        TooLargeError: it has more than `most` bytes; the rest is not read.
    """
    import tempfile

    import anyio.from_thread

    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it

    async def receive() -> None:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise TooLargeError(f"more than {most >> 20} MiB, which are the most here")
            file.write(piece)

    try:
        anyio.from_thread.run(receive)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _json(data: bytes) -> Any:
    try:
        return parse_json(data)
    except FormatError as error:
        raise BadParameterError("body", error.reason) from error
