"""What the page's script may ask, and the answers.

A question is a JSON object ``{"id": n, "do": name, ...}``; its answer repeats the id and holds
what was asked for, or ``{"error": text}``. They travel through gradio's events and not through
the HTTP routes: with ``--api-auth`` alone the page is open while the routes want a password that
the script does not have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from payload_capture import listing, nodes, proving, view
from payload_capture.auth import Caller, Refused
from payload_capture.capture import FormatError
from payload_capture.imports import TooLargeError
from payload_capture.listing import TooMuchError
from payload_capture.records import TagError
from payload_capture.runs import RunError
from payload_capture.schemas import BadParameterError
from payload_capture.store import NotFoundError, StoreError
from payload_capture.taking import export, upload

if TYPE_CHECKING:
    from payload_capture.service import Service

Question = Mapping[str, Any]


def answer(service: Service, text: str, caller: Caller) -> str:
    """Answer a question of `caller`. Raises nothing: gradio would show the reader no reason."""
    identity: Any = None
    try:
        question = _question(text, caller)
        identity = question["id"]
        service.admit_page(caller, reads=question["do"] in _READING)
        made = _ANSWERS[question["do"]](service, question)
    except Exception as error:
        made = {"error": reason(error)}
    return json.dumps({"id": identity, **made})


async def ring(service: Service, text: str, caller: Caller) -> str:
    """Answer the bell's question when something happened. Raises nothing, holds no thread."""
    identity: Any = None
    try:
        question = _question(text, caller)
        identity = question["id"]
        service.admit_page(caller, reads=True)
        made = await listing.bell(service, question)
    except Exception as error:
        made = {"error": reason(error)}
    return json.dumps({"id": identity, **made})


def _question(text: str, caller: Caller) -> Question:
    """With the `user` who asks, whatever the page says of it."""
    return {**json.loads(text), "user": caller.user}


def generation(service: Service, question: Question) -> dict[str, Any]:
    """Which capture belongs to the job whose result the page shows, by what the webui tells of it,
    or why there is none."""
    found = service.of_generation(question["info"])
    return {"capture": found, "missing": "" if found else _why_missing(service)}


def _why_missing(service: Service) -> str:
    status = service.status()
    if not status["enabled"]:
        return "Capturing is switched off in Settings, Payload capture."
    failure = status["last_failure"]
    return "This job was not captured." + (f" The last failure: {failure}" if failure else "")


def capture(service: Service, question: Question) -> dict[str, Any]:
    found = service.get(question["capture"])
    row = service.summary(found.id)
    edited = {name: row[name] for name in ("title", "note", "tags", "starred", "trashed")}
    more = {"edited": edited, "proof": proving.proof(service, found.id)}
    return {"capture": view.shown(found) | more}


def branch(service: Service, question: Question) -> dict[str, Any]:
    """A part of a list or an object that the tree does not have yet."""
    place = question["root"], question["path"]
    found = service.get(question["capture"])
    start, stop = int(question["start"]), int(question["stop"])
    return {"entries": nodes.portion(found, *place, start, stop)}


def find(service: Service, question: Question) -> dict[str, Any]:
    """Where the payload says something."""
    return nodes.found(service.get(question["capture"]), str(question["words"]))


def text(service: Service, question: Question) -> dict[str, Any]:
    """A value of the tree as text: a long text whole, all else as JSON with its pictures."""
    found = service.get(question["capture"])
    return {"text": nodes.text_at(found, question["root"], question["path"], service.bytes_of)}


def infotext(service: Service, question: Question) -> dict[str, Any]:
    """What a picture tells of itself, whole."""
    return {"text": service.get(question["capture"]).results[int(question["result"])].infotext}


def payload(service: Service, question: Question) -> dict[str, Any]:
    """Exactly what to POST, pictures included."""
    return {"text": nodes.json_text(service.request(question["capture"])["payload"])}


def thumbnails(service: Service, question: Question) -> dict[str, Any]:
    """Small pictures, in the order of `sources`; "" for one that cannot be had."""
    return {"thumbnails": [_thumbnail(service, source) for source in question["sources"]]}


def large(service: Service, question: Question) -> dict[str, Any]:
    """A picture to look at, not larger than a page shows; "" where it cannot be had."""
    return {"picture": _small(service, question["source"], view.large)}


def picture(service: Service, question: Question) -> dict[str, Any]:
    return {"picture": view.data_uri(*_picture(service, question["source"]))}


def empty(service: Service, question: Question) -> dict[str, Any]:
    """Delete all that lies in the trash, for good."""
    return {"deleted": service.empty_trash()}


def _picture(service: Service, source: Any) -> tuple[str, bytes]:
    if isinstance(source, str):
        return service.asset(source)
    if "replay" in source:
        return proving.actual(service, source["replay"], source["number"])
    return nodes.bytes_at(service.get(source["capture"]), source["root"], source["path"])


def _thumbnail(service: Service, source: Any) -> str:
    return _small(service, source, view.thumbnail)


def _small(service: Service, source: Any, reduce: Callable[[str, bytes, bool], str]) -> str:
    try:
        return reduce(*_picture(service, source), service.blurs)
    except (StoreError, LookupError):
        return ""


_READING: dict[str, Callable[[Service, Question], dict[str, Any]]] = {
    f.__name__: f
    for f in (
        *(listing.captures, listing.older, listing.choices, listing.bundle),
        *(generation, capture, branch, find, text, infotext, payload),
        *(thumbnails, large, picture, export),
        *proving.READING,
    )
}
_CHANGING = (
    listing.edit,
    listing.trash,
    listing.restore,
    listing.delete,
    empty,
    upload,
    *proving.CHANGING,
)
_ANSWERS = {**_READING, **{f.__name__: f for f in _CHANGING}}


_TOLD = (StoreError, FormatError, Refused, TagError, TooMuchError, TooLargeError, RunError)
"""What says itself, in words for the reader, what is wrong."""


def reason(error: Exception) -> str:
    """An error as the reader is told it."""
    if isinstance(error, NotFoundError):
        return "This capture, or a picture of it, was deleted."
    if isinstance(error, BadParameterError):
        return f"{error.field}: {error}"
    if isinstance(error, _TOLD):
        return str(error)
    return f"{type(error).__name__}: {error}"
