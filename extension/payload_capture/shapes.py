"""What the routes take and answer: parameters, bodies, answers, by the names of the description."""

from __future__ import annotations

from typing import Any, NamedTuple

from payload_capture.exports import FORMATS
from payload_capture.schemas import Parameter, Schema

FORMS = ("exact", "minimal")
SELECTIONS = ("jsonl", "zip")
SOURCES = ("ui", "api", "script")
KINDS = ("txt2img", "img2img", "inpaint", "extras", "upscale", "batch", "other")
VERDICTS = ("identical", "close", "different", "refused", "unverified")
LATEST = "latest"
"""What stands for the newest capture in the place of an id, so that none may be called so."""
MAX_LIMIT = 500
MAX_JSON = 1 << 20
"""Bytes of a body that asks for something."""
MAX_DOCUMENT = 128 << 20
"""Bytes of a body that holds a capture."""


JSON = ("application/json",)
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/avif")


class Said(NamedTuple):
    """What an answer holds: one of `ANSWERS` as JSON, or a file of one of these media types; and
    the headers that tell more.
    """

    name: str
    media_types: tuple[str, ...] = JSON
    headers: tuple[str, ...] = ()


class Body(NamedTuple):
    """What is sent. JSON that is checked by its schema before the route sees it, of `most` bytes;
    a file, or what is handed on to the webui, is read by the route itself. Of those that are
    `heavy` few are read at a time: one may take a gigabyte of memory.
    """

    schema: Schema
    says: str
    is_checked: bool = True
    most: int = MAX_JSON
    media_type: str = "application/json"
    heavy: bool = False


# ---- parameters

_TEXT = {"type": "string", "maxLength": 1000}
IDENTITY = {"type": "string", "minLength": 1, "maxLength": 200}
_WHEN = {"type": "string", "format": "date-time"}
FILTERS = (
    Parameter("q", _TEXT, "words of prompts, model, sampler, tags, note or title"),
    Parameter("kind", {"type": "string", "enum": list(KINDS)}, "what the job was"),
    Parameter("endpoint", _TEXT, "the path that the request goes to"),
    Parameter("source", {"type": "string", "enum": list(SOURCES)}, "where the job came from"),
    Parameter("user", _TEXT, "who made it"),
    Parameter("since", _WHEN, "started at this time or later"),
    Parameter("until", _WHEN, "started before this time"),
    Parameter("host", _TEXT, "the webui and its version, as lists show it"),
    Parameter("verdict", {"type": "string", "enum": list(VERDICTS)}, "of the last replay"),
    Parameter("starred", {"type": "boolean"}, "with a star, or without"),
    Parameter("tag", {"type": "string", "maxLength": 100}, "with this tag"),
    Parameter("model", _TEXT, "the checkpoint's title"),
    Parameter("trashed", {"type": "boolean"}, "those in the trash; false: those that are not"),
)
PAGE = (
    Parameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "how many, 50 if unsaid"
    ),
    Parameter(
        "cursor",
        {
            "type": "string",
            "pattern": r"^(-?[0-9]{1,18}\.)?[0-9]{1,18}$",
            "description": "`next` of the answer before",
        },
        "where to go on: `next` of the answer before",
    ),
)
SEARCHED = (Parameter("q", _TEXT, "the words to search", required=True), *FILTERS[1:], *PAGE)
LAST_EVENT = Parameter(
    "Last-Event-ID",
    {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    "the last event that was seen; what came after it is told",
    place="header",
)
_TAG = {"type": "string"}
IF_NONE_MATCH = Parameter("If-None-Match", _TAG, "an ETag that is known already", place="header")
IF_MATCH = Parameter("If-Match", _TAG, "change this state and no other", place="header")
FOREVER = Parameter("forever", {"type": "boolean"}, "remove it for good instead")
FORM = Parameter(
    "form", {"type": "string", "enum": list(FORMS)}, "minimal: without what this webui fills in"
)
EXPORT = (
    Parameter("format", {"type": "string", "enum": list(FORMATS)}, "the form; json if unsaid"),
    Parameter("beside", {"type": "boolean"}, "a zip of the program and its pictures as files"),
    Parameter("server", _TEXT, "the address that a program sends to; this webui if unsaid"),
)
ENDPOINT = Parameter("endpoint", _TEXT, "where a bare payload belongs: txt2img, img2img, or a path")
PAIR = tuple(Parameter(name, IDENTITY, "a capture's id", required=True) for name in ("a", "b"))


# ---- bodies


def _object(properties: dict[str, Any], required: tuple[str, ...] = (), **more: Any) -> Schema:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed, **more}


CLOSED: dict[str, Any] = {"additionalProperties": False}
FILTER = _object({one.name: one.schema for one in FILTERS}, **CLOSED)
SELECTION = _object(
    {
        "ids": {"type": "array", "items": IDENTITY, "minItems": 1, "maxItems": 10_000},
        "filter": FILTER,
        "format": {"type": "string", "enum": list(SELECTIONS)},
    },
    minProperties=1,
    **CLOSED,
)
EDIT = _object(
    {
        "title": {"type": "string", "maxLength": 500},
        "note": {"type": "string", "maxLength": 20_000},
        "tags": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 100},
            "maxItems": 100,
        },
        "starred": {"type": "boolean"},
    },
    minProperties=1,
    **CLOSED,
)
CHECKED = _object({"id": {"type": "string"}}, minProperties=1)
RUN: Schema = {"type": "object"}
FILE: Schema = {"type": "string", "format": "binary"}

# ---- answers


def _or_null(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


_STRING, _INTEGER = {"type": "string"}, {"type": "integer"}
_STRINGS = {"type": "array", "items": _STRING}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _whole(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object with all of these, and no others unless that is said."""
    made = _object(properties, tuple(properties), **more)
    return {**CLOSED, **made}


SUMMARY = _whole(
    {
        "id": _STRING,
        "endpoint": _STRING,
        "kind": {"type": "string", "enum": list(KINDS)},
        "started": _STRING,
        "seconds": {"type": "number"},
        "source": {"type": "string", "enum": list(SOURCES)},
        "state": {"type": "string", "enum": ["ok", "interrupted", "failed"]},
        "user": _or_null("string"),
        "prompt": _STRING,
        "seed": _or_null("integer"),
        "model": _STRING,
        "size": {"type": "array", "items": _or_null("integer"), "minItems": 2, "maxItems": 2},
        "pictures": _INTEGER,
        "warnings": _INTEGER,
        "error": _or_null("string"),
        "failure": _or_null("string"),
        "thumbnail": _or_null("string"),
        "title": _STRING,
        "note": _STRING,
        "tags": _STRINGS,
        "starred": {"type": "boolean"},
        "trashed": _or_null("string", description="since when it is in the trash"),
        "verdict": _or_null("string", description="of its last replay"),
        "reason": _or_null("string", description="of the verdict, in words"),
        "revision": {"type": "integer", "description": "grows with each change"},
    }
)
_IMAGE = _object(
    {
        "expected": _STRING,
        "actual": _or_null("string"),
        "verdict": {"type": "string", "enum": ["identical", "close", "different"]},
        "psnr": {"type": "number"},
        "ssim": {"type": "number"},
        "largest": _INTEGER,
    },
    ("expected", "actual", "verdict"),
)
REPLAY = _whole(
    {
        "job": _STRING,
        "capture": _STRING,
        "state": {"type": "string", "enum": ["queued", "running", "done", "failed", "cancelled"]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "verdict": {"enum": [*VERDICTS, None]},
        "reason": _or_null("string"),
        "images": {"type": "array", "items": _IMAGE},
        "notes": _STRINGS,
        "error": _or_null("string"),
        "asked": _STRING,
        "seconds": _or_null("number"),
    }
)
_PIECE = _whole({"kind": {"enum": ["same", "removed", "added"]}, "text": _STRING})
_DIFFERENCE = _object(
    {
        "path": _STRING,
        "kind": {"enum": ["changed", "added", "removed"]},
        "a": {},
        "b": {},
        "words": {"type": "array", "items": _PIECE},
    },
    ("path", "kind"),
    **CLOSED,
)
_PROBLEM = _whole(
    {
        "path": _STRING,
        "reason": _STRING,
        "severity": {"enum": ["blocks", "pixels", "cosmetic"]},
        "nearest": _or_null("string"),
    }
)
_FAILURE = _whole({"number": _INTEGER, "message": _STRING, "field": _or_null("string")})
ANSWERS: dict[str, Schema] = {
    "Error": _whole(
        {"error": _whole({"code": _STRING, "message": _STRING, "field": _or_null("string")})}
    ),
    "Summary": SUMMARY,
    "Page": _whole(
        {
            "captures": {"type": "array", "items": _ref("Summary")},
            "next": _or_null("string", description="the cursor of the next page"),
        }
    ),
    "Imported": _whole(
        {
            "imported": _STRINGS,
            "known": _STRINGS,
            "failed": {"type": "array", "items": _FAILURE},
        }
    ),
    "Done": _object(
        dict.fromkeys(("deleted", "trashed", "forgotten"), _STRING), minProperties=1, **CLOSED
    ),
    "Request": _whole({"method": {"enum": ["POST"]}, "endpoint": _STRING, "payload": RUN}),
    "Replay": REPLAY,
    "Diff": _whole(
        {"a": _STRING, "b": _STRING, "differences": {"type": "array", "items": _DIFFERENCE}}
    ),
    "Check": _whole(
        {"replayable": {"type": "boolean"}, "problems": {"type": "array", "items": _PROBLEM}}
    ),
    "Verified": _whole(
        {"faults": {"type": "array", "items": _whole({"path": _STRING, "reason": _STRING})}}
    ),
    "Repaired": _whole({"dropped": _STRINGS}),
    "Emptied": _whole({"deleted": _INTEGER}),
    "Tags": _whole({"tags": {"type": "object", "additionalProperties": _INTEGER}}),
    "Status": _whole(
        {
            "extension": _STRING,
            "format": _INTEGER,
            "host": _ref("Host"),
            "enabled": {"type": "boolean"},
            "runs": _STRINGS,
            **{name: _or_null("integer") for name in ("captures", "assets", "bytes")},
            "waiting": _INTEGER,
            "failures": _INTEGER,
            "last_failure": _or_null("string"),
            "listeners": _INTEGER,
            "warning": _or_null("string", description="who can get in, where that may be anybody"),
            "frozen": {**_STRINGS, "description": "settings that the command line froze"},
            "unlisted": {**_STRINGS, "description": "settings that /sdapi/v1/options leaves out"},
        }
    ),
    "Generated": _whole(
        {"images": _STRINGS, "parameters": RUN, "info": _STRING}, additionalProperties=True
    ),
    "OpenAPI": {"type": "object"},
}
"""With those of the capture's own format, which `openapi` adds."""
