"""From what `requests` gave or raised to a value or an error of ours: the only place that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from . import codec
from .errors import (
    ConnectionFailed,
    ConnectionLost,
    InvalidPayload,
    NoAPI,
    NoExtension,
    NotFound,
    ReplayError,
    ServerError,
    Timeout,
    UnexpectedAnswer,
    WrongCredentials,
)

EXTENSION = "/payload-capture/"
PIECE = 2**20
LIMIT = 2**30
"""Bytes of an answer, at most; 40 pictures of 4096x4096 are fewer."""
_MISSING_ROUTE = "Not Found"  # what FastAPI says of a path that it has no route for
_BROKEN = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
_UNMET = (NewConnectionError, ConnectTimeoutError, ProxyError)
_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
)

T = TypeVar("T")
Loads = Callable[[bytes], Any]


@dataclass(frozen=True)
class Reply:
    """What came back: `authorized` tells whether credentials had been sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    authorized: bool


def read(response: requests.Response) -> Reply:
    """Read an answer to its end, in large pieces: `requests` by itself takes 10 KiB at a time.

    Raises:
        UnexpectedAnswer: it is larger than `LIMIT`.
    """
    # A fake session's answer has its body already, and nothing to read it from.
    body = _body_of(response) if response.raw else response.content
    authorized = "Authorization" in (response.request.headers or {})
    return Reply(response.status_code, response.headers, body, authorized)


def _body_of(response: requests.Response) -> bytes:
    _allow(response, _length(response))
    pieces: list[bytes] = []
    size = 0
    for part in response.iter_content(PIECE):
        pieces.append(part)
        size += len(part)
        _allow(response, size)
    return b"".join(pieces)


def _length(response: requests.Response) -> int:
    """The bytes that are to come; 0 where the server does not say it, or packs what it sends."""
    told = response.headers.get("Content-Length", "")
    plain = "Content-Encoding" not in response.headers
    return int(told[:20]) if plain and told.isdecimal() else 0


def _allow(response: requests.Response, size: int) -> None:
    if size > LIMIT:
        response.close()
        raise UnexpectedAnswer(f"{response.url} answers with more than {LIMIT} bytes")


def translated(where: str, send: Callable[[], T]) -> T:
    """Run `send`; what it raises of `requests` comes out as an error of ours about `where`."""
    try:
        return send()
    except requests.RequestException as error:
        raise _ours(where, error) from error


def _ours(where: str, error: requests.RequestException) -> ReplayError:
    if isinstance(error, requests.ConnectTimeout):
        return Timeout(
            f"no connection to {where} in time ({_root(error)}); is the webui running there?",
            sent=False,
        )
    if isinstance(error, requests.Timeout) or _late(error):
        return Timeout(
            f"{where} did not answer in time ({error}); the server may still be generating: "
            "allow more seconds with `timeout`, or look at the server"
        )
    if isinstance(error, _BROKEN):
        return UnexpectedAnswer(f"{where}: the answer broke off ({error}); try again")
    return _unconnected(where, error)


def _unconnected(where: str, error: requests.RequestException) -> ReplayError:
    if isinstance(error, _ADDRESS):
        return ConnectionFailed(f"{where} cannot be asked: {error}")
    if isinstance(error, requests.exceptions.SSLError):
        return ConnectionFailed(
            f"no TLS with {where} ({_root(error)}); give `verify` its authority's certificate",
            sent=True,  # it may have failed half-way as well
        )
    if _met(error):
        return ConnectionLost(
            f"{where} broke the connection before its answer ({_root(error)}); it may still be "
            "generating: look at the server before you send this again"
        )
    return ConnectionFailed(
        f"nothing answers at {where} ({_root(error)}); is the webui running, is this its port?"
    )


def _late(error: requests.RequestException) -> bool:
    """A body that stops half-way is a ConnectionError to `requests`."""
    return any(isinstance(inner, ReadTimeoutError) for inner in error.args)


def _met(error: requests.RequestException) -> bool:
    """Whether the server may have been reached: yes, unless urllib3 says that it was not."""
    if isinstance(error, requests.exceptions.ProxyError):
        return False
    reasons = [inner.reason for inner in error.args if isinstance(inner, MaxRetryError)]
    return not any(isinstance(reason, _UNMET) for reason in reasons)


def parsed(reply: Reply, path: str, loads: Loads = codec.loads) -> Any:
    """The JSON that a good answer holds. Raises a `ReplayError` for any other answer."""
    if not 200 <= reply.status < 300:
        raise failure(reply, path)
    return _json(reply, path, loads)


def failure(reply: Reply, path: str) -> ReplayError:
    """The error that an answer's status and words stand for."""
    status = reply.status
    if status in (401, 403):
        return _credentials(reply)
    if status >= 500:
        return ServerError(status, *_words(reply))
    if path.startswith(EXTENSION):
        return _of_extension(reply, path)
    if status in (404, 405) and _words(reply)[1] in (_MISSING_ROUTE, "Method Not Allowed", ""):
        return NoAPI(
            f"the server has no {path}: start the webui with --api "
            "(or its version does not know this route)"
        )
    if status in (400, 404, 413, 422):
        return InvalidPayload(*_complaint(reply))
    return _unexpected(reply, path, f"status {status}")


def _of_extension(reply: Reply, path: str) -> ReplayError:
    message, field = _complaint(reply)
    if reply.status != 404:
        return InvalidPayload(message, field)
    if "error" not in _body(reply) and _words(reply)[1:] in (("", ""), (_MISSING_ROUTE, "")):
        return NoExtension(
            f"the server has no {path}: install the extension sd-webui-payload-capture there, "
            "or wait if it has just started"
        )
    return NotFound(f"{message}; `payload-replay list` shows what there is")


def _credentials(reply: Reply) -> WrongCredentials:
    sent = reply.authorized
    return WrongCredentials(
        "the server refuses this user and password; compare them with its --api-auth"
        if sent
        else "the server asks for a user and password: give `auth` (--auth USER:PASSWORD)"
    )


def _json(reply: Reply, path: str, loads: Loads) -> Any:
    if not reply.body:
        return None
    try:
        return loads(reply.body)
    except ValueError as error:
        raise _unexpected(reply, path, f"no JSON ({error})") from error


def _unexpected(reply: Reply, path: str, what: str) -> UnexpectedAnswer:
    if target := reply.headers.get("Location"):
        return UnexpectedAnswer(f"{path} is elsewhere: the server points to {target}; use that")
    kind = reply.headers.get("Content-Type", "no content type")
    start = " ".join(reply.body[:200].decode("utf-8", "replace").split())[:80]
    return UnexpectedAnswer(
        f"{path} gave {what}, {kind}: {start!r}; is this the webui's own address, "
        "with no login page or proxy before it?"
    )


def _body(reply: Reply) -> dict[str, Any]:
    try:
        body = codec.loads(reply.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(reply: Reply) -> tuple[str, str, str]:
    """The webui's `error`, `detail` and `errors`; the extension's error object as one."""
    body = _body(reply)
    if isinstance(body.get("error"), dict):
        return str(body["error"].get("message", "")), "", ""
    error, detail, errors = (body.get(key) or "" for key in ("error", "detail", "errors"))
    return str(error), str(detail), str(errors)


def _complaint(reply: Reply) -> tuple[str, str | None]:
    """What a refusal says, and the field that it names: a string, a list, or our own object."""
    body = _body(reply)
    if isinstance(body.get("error"), dict):
        return str(body["error"].get("message", "")), body["error"].get("field")
    detail = body.get("detail") or body.get("errors") or ""
    if isinstance(detail, list):
        return _listed(detail)
    return str(detail) or f"status {reply.status}", None


def _listed(detail: list[Any]) -> tuple[str, str | None]:
    items = [item for item in detail if isinstance(item, dict)]
    fields = [".".join(map(str, _location(item))) for item in items]
    if not items:
        return str(detail), None
    said = [f"{f}: {item.get('msg')}" for f, item in zip(fields[1:], items[1:], strict=True)]
    return "; ".join([str(items[0].get("msg")), *said]), fields[0] or None


def _location(item: dict[str, Any]) -> list[Any]:
    location = item.get("loc")
    parts = list(location) if isinstance(location, list) else []
    return parts[1:] if parts[:1] == ["body"] else parts


def _root(error: BaseException) -> str:
    """The innermost reason: `requests` wraps urllib3, which wraps the operating system."""
    seen: set[int] = set()
    # An error that is raised twice may be among its own reasons.
    while (inner := error.__cause__ or error.__context__) is not None and id(inner) not in seen:
        seen.add(id(inner))
        error = inner
    return str(error)
