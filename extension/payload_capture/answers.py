"""What routes answer with: JSON, pictures, files, errors."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from payload_capture.auth import CHALLENGE, Refused
from payload_capture.capture import AssetError, FormatError
from payload_capture.imports import TooLargeError
from payload_capture.pages import CursorError
from payload_capture.records import TagError
from payload_capture.runs import RunError
from payload_capture.schemas import BadParameterError
from payload_capture.store import NotFoundError, RevisionError, StoreError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PREFIX = "/payload-capture/v1"

AS_IS = {"Content-Encoding": "identity"}
"""Keeps the webui's compression off (starlette, GZipMiddleware): it would hold events back until
the stream ends, and squeezes pictures, which are compressed, at 20 ms a megabyte."""


class MethodError(Exception):
    """A route that exists, asked by a method that it does not have; `allowed` are those it has."""

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not for this route; it has {', '.join(allowed)}")
        self.allowed = allowed


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    """`value` as JSON in ASCII, which any text can be written in."""
    from starlette.responses import Response

    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(json.dumps(value), status, named, "application/json")


def tagged(value: Any, tag: str, request: Request) -> Response:
    """JSON with its ETag, or 304 where the client has that already."""
    from starlette.responses import Response

    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(json.dumps(value), headers=headers, media_type="application/json")


def matches(header: str | None, tag: str) -> bool:
    """Whether an If-Match or If-None-Match names this state. A proxy may have made it weak."""
    if header is None:
        return False
    return header.strip() == "*" or tag in re.findall(r'"[^"]*"', header)


def picture(media_type: str, data: bytes, sha256: str, request: Request) -> Response:
    """A picture's file, which its hash names: it never changes, and is never run as a page."""
    from starlette.responses import Response

    headers = {
        "ETag": f'"{sha256}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers={**headers, **AS_IS})


def download(name: str, media_type: str, data: bytes | Iterator[bytes]) -> Response:
    """A file to save, whole or as it is made."""
    from starlette.responses import Response, StreamingResponse

    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
    }
    if media_type == "application/zip":
        headers |= AS_IS
    if isinstance(data, bytes):
        return Response(data, media_type=media_type, headers=headers)
    return StreamingResponse(data, media_type=media_type, headers=headers)


def events(stream: AsyncGenerator[str, None], *, empty: bool = False) -> Response:
    """Server-sent events; a proxy must not collect them. For HEAD it is `empty`."""
    from starlette.responses import Response, StreamingResponse

    class Stream(StreamingResponse):
        async def __call__(self, *asked: Any) -> None:
            # A client that goes while it is written to leaves the stream where it is.
            try:
                await super().__call__(*asked)
            finally:
                await stream.aclose()

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", **AS_IS}
    if empty:
        return Response(media_type="text/event-stream", headers=headers)
    return Stream(stream, media_type="text/event-stream", headers=headers)


# ---- errors


def failed(error: Exception, request: Request) -> Response:
    """The one shape of every error, with the status that fits."""
    status, code, message, field = explained(error, request)
    if code == "internal":
        traceback.print_exception(type(error), error, error.__traceback__)
    headers = {}
    if status == 401:
        headers["WWW_Authenticate"] = CHALLENGE
    if isinstance(error, MethodError):
        headers["Allow"] = ", ".join(error.allowed)
    body = {"error": {"code": code, "message": message, "field": field}}
    return as_json(body, status, **headers)


def explained(error: Exception, request: Request) -> tuple[int, str, str, str | None]:
    """(status, code, message, field) of an exception."""
    if isinstance(error, RunError):
        return error.status, error.code, str(error), error.field
    if isinstance(error, Refused):
        return error.status, error.code, str(error), None
    if isinstance(error, MethodError):
        return 405, "method_not_allowed", str(error), None
    if isinstance(error, BadParameterError):
        return 400, "bad_parameter", f"{error.field}: {error}", error.field
    if isinstance(error, CursorError):
        return 400, "bad_parameter", str(error), "cursor"
    if isinstance(error, TagError):
        return 400, "bad_parameter", str(error), "tags"
    if isinstance(error, RevisionError):
        return 412, "changed", str(error), "If-Match"
    if isinstance(error, TooLargeError):
        return 413, "too_large", str(error), "body"
    if isinstance(error, NotFoundError):
        named = ["n"] if "/results/" in error.args[0] else ["job", "sha256", "id"]
        field = next((name for name in named if name in request.path_params), None)
        return 404, "not_found", _not_found(error.args[0], field), field
    if isinstance(error, FormatError):
        return _of_format(error, request)
    if isinstance(error, StoreError):
        return 503, "store_unavailable", str(error), None
    return 500, "internal", f"{type(error).__name__}: {error}", None


def _of_format(error: FormatError, request: Request) -> tuple[int, str, str, str | None]:
    """What was sent is at fault, or a capture that is kept and cannot be used for this."""
    sent = "id" not in request.path_params
    status, code = (422, "invalid_document") if sent else (409, "not_replayable")
    if isinstance(error, AssetError) and not sent:
        code = "picture_missing"
    return status, code, str(error), error.path or None


def _not_found(what: str, field: str | None) -> str:
    if what == "latest":
        return "no captures yet: generate a picture first"
    if field == "job":
        return f"no replay {what!r}; it may have ended long ago: its capture keeps the verdict"
    if field == "sha256":
        return f"no asset {what!r}"
    if field == "n":
        identity, _, number = what.partition("/results/")
        return f"the capture {identity!r} has no picture {number}; its `results` list them"
    if field == "id" or re.fullmatch(r"[A-Za-z0-9._-]{1,80}", what):
        return f"no capture {what!r}; GET {PREFIX}/captures lists them"
    return f"{what} does not exist"
