"""Compression and the answers to other origins, where the webui's own middleware has no effect.

Forge adds it to a list that was read before, since gradio's launch has made a request by then,
and throws the stack away that it builds anew (dfdcbab6, ``initialize_util.setup_middleware``);
there ``--cors-allow-origins`` does nothing. A1111 and reForge drop the old stack first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from payload_capture.answers import PREFIX

if TYPE_CHECKING:
    from fastapi import FastAPI

    from payload_capture.auth import Site

MINIMUM = 1000
"""Bytes of an answer below which it is not compressed, as in the webui."""


def complete(app: FastAPI, site: Site) -> None:
    """Put it before our own routes, unless it is there.

    Before ours alone: gradio's streams, compressed, would come late.
    """
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    stack = app.middleware_stack
    if stack is None or any(isinstance(layer, GZipMiddleware) for layer in _layers(stack)):
        return
    before = CORSMiddleware(
        GZipMiddleware(stack, minimum_size=MINIMUM),
        allow_methods=["*"],
        allow_headers=["*"],
        allow_credentials=True,
        allow_origins=site.origins,
        allow_origin_regex=site.origin_pattern or None,
    )

    async def chosen(scope: Any, receive: Any, send: Any) -> None:
        ours = scope["type"] == "http" and PREFIX in scope["path"]
        await (before if ours else stack)(scope, receive, send)

    app.middleware_stack = chosen


def _layers(stack: Any) -> Iterator[Any]:
    while stack is not None:
        yield stack
        stack = getattr(stack, "app", None)
