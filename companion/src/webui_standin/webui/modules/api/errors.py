"""The API's answer to an exception. Shape: A1111 v1.10.1, modules/api/api.py."""

import time

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware

from modules import errors


def answer(request, error):
    """A JSON answer with `error`, `detail`, `body` and `errors`; unexpected ones are kept."""
    known = vars(error)
    body = {
        "error": type(error).__name__,
        "detail": known.get("detail", ""),
        "body": known.get("body", ""),
        "errors": str(error),
    }
    if not isinstance(error, HTTPException):
        print(f"API error: {request.method}: {request.url} {body}")
        errors.record_exception()
    headers = known.get("headers") or None
    return JSONResponse(
        status_code=known.get("status_code", 500), content=jsonable_encoder(body), headers=headers
    )


def install(app: FastAPI):
    """Answer all exceptions of an app so, and tell how long each answer took."""

    async def timed(request: Request, call_next):
        start = time.time()
        response = await call_next(request)
        response.headers["X-Process-Time"] = str(round(time.time() - start, 4))
        return response

    async def guarded(request: Request, call_next):
        try:
            return await call_next(request)
        except Exception as error:
            return answer(request, error)

    async def handled(request: Request, error: Exception):
        return answer(request, error)

    # Not add_middleware: it raises once a request has come in, and somebody may already be asking.
    app.user_middleware[:0] = [
        Middleware(BaseHTTPMiddleware, dispatch=call) for call in (guarded, timed)
    ]
    app.exception_handlers.update({Exception: handled, HTTPException: handled})
    app.middleware_stack = None
