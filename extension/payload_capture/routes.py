"""The HTTP routes under ``/payload-capture/v1``: thin, over `service.Service`.

Every answer but a picture, a file and the events is JSON; every error is
``{"error": {"code", "message", "field"}}`` with the status that fits. A route says in `ROUTES` what
it takes and what it answers: requests are read by that, and ``/openapi.json`` tells it. Bodies and
answers are plain dicts: pydantic 1 and 2 read models differently.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import io
import itertools
import re
import tempfile
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from payload_capture import answers, comparison, exports, imports, openapi, schemas, shapes
from payload_capture.answers import PREFIX, MethodError
from payload_capture.auth import HEADERS, Gate
from payload_capture.capture import FormatError, parse_json
from payload_capture.imports import TooLargeError
from payload_capture.runs import ENDPOINTS, INSIDE, RunError
from payload_capture.schemas import BadParameterError, Parameter
from payload_capture.shapes import FORMS, SELECTIONS, Body, Said
from payload_capture.store import Filters, NotFoundError, RevisionError

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from payload_capture.auth import Gate
    from payload_capture.service import Service

MAX_RUN = 1 << 30
"""Bytes of a request that generates."""

READ_AT_ONCE = 2
"""Files from elsewhere."""

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
    if seen is not None:
        identity = seen["id"]  # `latest` may be another one by now
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


def empty_trash(service: Service, request: Request, given: Given) -> Any:
    """Remove what lies in the trash for good."""
    return {"deleted": service.empty_trash()}


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
    if request.headers.get("content-type", "").startswith("multipart/"):
        way = "send the file itself as the body, as `curl --data-binary @FILE` does"
        raise BadParameterError("body", f"is a form: {way}")
    made = service.take(given["file"], _endpoint(given.get("endpoint")))
    headers = {}
    if len(made["imported"]) == 1:
        headers["Location"] = _at(request, f"/captures/{made['imported'][0]}")
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
    return answers.download(f"captures.{form}", media_type, _begun(write(wanted)))


def _selected(service: Service, body: Given) -> Iterator[exports.Exported]:
    if "ids" in body:
        ids = dict.fromkeys(service.summary(identity)["id"] for identity in body["ids"])
        return (service.exported(identity) for identity in ids)
    return service.exported_all(_filters(body.get("filter", {})))


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """With the first piece made: what fails by then has a status of its own still."""
    return itertools.chain([next(pieces, b"")], pieces)


# ---- what comes of a capture


def replay(service: Service, request: Request, given: Given) -> Any:
    """Send a capture to this webui again and compare the pictures."""
    job = service.replay(_id(request))
    where = _at(request, f"/replays/{job.job}")
    return answers.as_json(dataclasses.asdict(job), 202, Location=where)


def replay_status(service: Service, request: Request, given: Given) -> Any:
    """How a replay fares, and its verdict in the end."""
    return dataclasses.asdict(service.replay_status(request.path_params["job"]))


def cancel(service: Service, request: Request, given: Given) -> Any:
    """Stop a replay, or take it out of the queue; one that has ended stays as it is."""
    return dataclasses.asdict(service.cancel(request.path_params["job"]))


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
    return service.run(path[path.rindex(PREFIX) :], _json(given["file"].read()))


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
    tagged = said._replace(headers=("ETag",))
    known = Said("known", (), ("ETag",))
    return Route("GET", path, handler, {200: tagged, 304: known}, (shapes.IF_NONE_MATCH,))


ONE = "/captures/{id}"
FILES = tuple(sorted({*exports.MEDIA_TYPES.values(), exports.TEXT}))
JOB = Said("Replay", headers=("Location",))
ROUTES: tuple[Route, ...] = (
    _get("/captures", captures, Said("Page"), *shapes.FILTERS, *shapes.PAGE),
    Route(
        "POST",
        "/captures",
        take,
        {201: Said("Imported", headers=("Location",)), 200: Said("Imported")},
        (shapes.ENDPOINT,),
        Body(
            shapes.FILE,
            "a file of any form that can be read",
            is_checked=False,
            most=imports.MAX_BYTES,
            media_type="application/octet-stream",
            heavy=True,
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
        {200: Said("Summary", headers=("ETag",))},
        (shapes.IF_MATCH,),
        Body(shapes.EDIT, "what is to change"),
        (412, 413),
    ),
    Route("DELETE", ONE, delete, {200: Said("Done")}, (shapes.FOREVER,)),
    _tagged(ONE + "/summary", summary, Said("Summary")),
    Route("POST", ONE + "/restore", restore, {200: Said("Summary")}),
    Route("POST", ONE + "/forget", forget, {200: Said("Done")}),
    Route("DELETE", "/trash", empty_trash, {200: Said("Emptied")}),
    _get(ONE + "/request", request_to_send, Said("Request"), shapes.FORM, errors=(409,)),
    _get(ONE + "/export", export_one, Said("file", FILES), *shapes.EXPORT, errors=(409,)),
    Route("POST", ONE + "/replay", replay, {202: JOB}, errors=(409,)),
    _tagged(ONE + "/results/{n}", result, Said("picture", shapes.PICTURES)),
    _tagged("/assets/{sha256}", asset, Said("picture", shapes.PICTURES)),
    _get("/replays/{job}", replay_status, Said("Replay")),
    Route("DELETE", "/replays/{job}", cancel, {200: Said("Replay")}, errors=(409,)),
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
            heavy=True,
        ),
        (404, 409, 413, 422),
        reads=True,
    ),
    Route("POST", "/store/verify", verify, {200: Said("Verified")}),
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
            Body(shapes.RUN, "see docs/runs.md", is_checked=False, most=MAX_RUN),
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


def _answering(
    route: Route, service: Service, gate: Gate
) -> Callable[[Request], Awaitable[Response]]:
    import anyio.to_thread
    from starlette.responses import Response

    @functools.wraps(route.handler)
    async def guarded(request: Request) -> Response:
        made = await answer(request)
        for name, value in HEADERS.items():
            made.headers[name] = value
        return made

    async def answer(request: Request) -> Response:
        try:
            if not request.scope.get(INSIDE):
                gate.admit(request, reads=route.reads)
            given = _asked(route, request)
            async with _received(request, route.body.most if route.body else 0) as file:
                threads = _readers() if route.body and route.body.heavy else None
                work = functools.partial(handled, request, given, file)
                return await anyio.to_thread.run_sync(work, limiter=threads)
        except Exception as error:
            return answers.failed(error, request)

    def handled(request: Request, given: Given, file: IO[bytes]) -> Response:
        made = route.handler(service, request, given | _sent(route, file))
        return made if isinstance(made, Response) else answers.as_json(made)

    return guarded


_READERS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, CapacityLimiter]
_READERS = weakref.WeakKeyDictionary()


def _readers() -> CapacityLimiter:
    """The threads that read what is heavy: apart from those of the webui, and few."""
    import anyio

    loop = asyncio.get_running_loop()
    if loop not in _READERS:
        _READERS[loop] = anyio.CapacityLimiter(READ_AT_ONCE)
    return _READERS[loop]


# ---- reading requests


def _asked(route: Route, request: Request) -> Given:
    """What a request's address says, as its route describes it."""
    if route.method == "*":
        return {}
    return schemas.read(request.query_params, route.parameters)


def _sent(route: Route, file: IO[bytes]) -> Given:
    """What its body says."""
    if route.body is None:
        return {}
    if not route.body.is_checked:
        return {"file": file}
    return {"body": schemas.checked(_json(file.read()), route.body.schema)}


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


def _at(request: Request, path: str) -> str:
    """Where the client finds a route, below the path at which a proxy shows the webui."""
    return f"{request.scope.get('root_path', '')}{PREFIX}{path}"


@contextlib.asynccontextmanager
async def _received(request: Request, most: int) -> AsyncIterator[IO[bytes]]:
    """The request's body, of at most so many bytes; 0 for a request that has none.

    Awaited before a thread is taken: a slow client must hold none of the few that the webui has.

    Raises:
        TooLargeError: it has more; the rest is not read.
        RunError: it broke off, or there is no room for it.
    """
    with _room(most) as file:
        if most:
            await _write(file, request, most)
        file.seek(0)
        yield file


def _room(most: int) -> IO[bytes]:
    """In memory for what cannot be large, else a file of the system's temporary folder."""
    if most <= shapes.MAX_JSON:
        return io.BytesIO()
    try:  # not a SpooledTemporaryFile, in which Python 3.10 reads no zip
        return tempfile.TemporaryFile()
    except OSError as error:
        raise _no_room(error) from error


async def _write(file: IO[bytes], request: Request, most: int) -> None:
    from starlette.requests import ClientDisconnect

    size = _number(request.headers.get("content-length"))
    try:
        if size <= most:
            size = 0
            async for piece in request.stream():
                if (size := size + len(piece)) > most:
                    break
                file.write(piece)
    except ClientDisconnect as error:
        raise RunError(400, "broken_off", "the client went away before all was sent") from error
    except OSError as error:
        raise _no_room(error) from error
    if size > most:
        raise TooLargeError(f"more than {most >> 20} MiB, which are the most here")


def _no_room(error: OSError) -> RunError:
    return RunError(503, "no_room", f"what was sent could not be kept for reading: {error}")


def _number(said: str | None) -> int:
    return int(said) if said and re.fullmatch("[0-9]{1,18}", said) else 0


def _json(data: bytes) -> Any:
    try:
        return parse_json(data)
    except FormatError as error:
        raise BadParameterError("body", error.reason) from error
