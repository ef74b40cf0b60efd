"""What stands before the routes where the webui's own middleware has no effect.

How a host answers, of either flavour, is in `test_routes`: large JSON, other origins.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from payload_capture import middleware
from payload_capture.answers import PREFIX
from payload_capture.auth import Site

OURS, OTHER = f"{PREFIX}/large", "/large"
FRIEND = "http://friend.example"


def app_with(*given: Any) -> FastAPI:
    """An app that has answered a request, as gradio's has when the webui adds its middleware."""
    app = FastAPI()
    for one in given:
        app.add_middleware(one)
    for path in (OURS, OTHER):
        app.add_route(path, lambda request: Response("x" * 5000))
    TestClient(app).get(OTHER)
    return app


def test_only_our_routes_get_what_is_missing() -> None:
    app = app_with()
    middleware.complete(app, Site(origins=(FRIEND,)))
    client = TestClient(app, headers={"Accept-Encoding": "gzip", "Origin": FRIEND})
    ours, other = client.get(OURS), client.get(OTHER)
    assert ours.headers["content-encoding"] == "gzip"
    assert ours.headers["access-control-allow-origin"] == FRIEND
    assert not {"content-encoding", "access-control-allow-origin"} & set(other.headers)


def test_a_host_that_has_it_is_left_alone() -> None:
    app = app_with(GZipMiddleware)
    before = app.middleware_stack
    middleware.complete(app, Site())
    assert app.middleware_stack is before


def test_a_stack_that_is_not_built_yet_will_have_it() -> None:
    app = FastAPI()
    middleware.complete(app, Site())
    assert app.middleware_stack is None
