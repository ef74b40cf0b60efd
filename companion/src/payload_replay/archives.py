"""A capture as a file of other tools: HAR 1.2 and Postman collection v2.1."""

from __future__ import annotations

import json
from typing import Any

from .capture import Capture
from .posting import Posting, dumps

POSTMAN = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
CREATOR = "payload-replay"
NEVER = "1970-01-01T00:00:00Z"
"""When a request started that was never made: HAR asks for a time."""


def har(posting: Posting, capture: Capture) -> str:
    """An archive of the one request; its response, which was never recorded, has status 0."""
    body = dumps(posting.payload, ascii=True)
    request = {
        "method": "POST",
        "url": posting.server + posting.endpoint,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "queryString": [],
        "postData": {"mimeType": "application/json", "params": [], "text": body},
        "headersSize": -1,
        "bodySize": len(body),
    }
    entry = {
        "startedDateTime": capture.job.started or NEVER,
        "time": 0,
        "request": request,
        "response": _NONE,
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "comment": posting.name,
    }
    creator = {"name": CREATOR, "version": str(capture.format)}
    return _text({"log": {"version": "1.2", "creator": creator, "entries": [entry]}})


_NONE: dict[str, Any] = {
    "status": 0,
    "statusText": "",
    "httpVersion": "HTTP/1.1",
    "cookies": [],
    "headers": [],
    "content": {"size": 0, "mimeType": "x-unknown"},
    "redirectURL": "",
    "headersSize": -1,
    "bodySize": -1,
}


def postman(posting: Posting) -> str:
    """A collection of one request, with variables for the address, the user and the password.

    Postman writes no files: its tab *Visualize* shows the pictures that come.
    """
    # Postman replaces {{name}} anywhere in a body, so a prompt's own braces are escaped.
    body = posting.json().replace("{{", "\\u007b\\u007b")
    url = {
        "raw": "{{server}}" + posting.endpoint,
        "host": ["{{server}}"],
        "path": posting.endpoint.strip("/").split("/"),
    }
    request = {
        "method": "POST",
        "header": [{"key": "Content-Type", "value": "application/json"}],
        "auth": {
            "type": "basic",
            "basic": [_variable("username", "{{user}}"), _variable("password", "{{password}}")],
        },
        "body": {"mode": "raw", "raw": body, "options": {"raw": {"language": "json"}}},
        "url": url,
    }
    show = {"listen": "test", "script": {"type": "text/javascript", "exec": _shown(posting)}}
    variables = {"server": posting.server, "user": "", "password": ""}
    return _text(
        {
            "info": {"name": posting.name, "schema": POSTMAN},
            "item": [{"name": posting.name, "event": [show], "request": request, "response": []}],
            "variable": [_variable(key, value) for key, value in variables.items()],
        }
    )


def _shown(posting: Posting) -> list[str]:
    images = "[pm.response.json().image]" if posting.key == "image" else "pm.response.json().images"
    return [
        "const template = '{{#each images}}<img src=\"data:image/png;base64,{{this}}\">{{/each}}';",
        f"pm.visualizer.set(template, {{ images: {images} }});",
    ]


def _variable(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value, "type": "string"}


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)
