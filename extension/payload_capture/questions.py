"""What the page's script may ask, and the answers.

A question is a JSON object ``{"id": n, "do": name, ...}``; its answer repeats the id and holds
what was asked for, or ``{"error": text}``. They travel through gradio's events and not through
the HTTP routes: with ``--api-auth`` alone the page is open while the routes want a password that
the script does not have.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from payload_capture import view
from payload_capture.auth import Caller, Refused
from payload_capture.capture import FormatError
from payload_capture.store import Filters, NotFoundError, StoreError

if TYPE_CHECKING:
    from payload_capture.app import Service

PAGE = 50
MAX_PAGE = 500
_PROCESS = secrets.token_hex(4)

Question = Mapping[str, Any]


def answer(service: Service, text: str, caller: Caller) -> str:
    """Answer a question of `caller`. Raises nothing: gradio would show the reader no reason."""
    identity: Any = None
    try:
        question = json.loads(text)
        identity = question["id"]
        service.admit_page(caller, reads=question["do"] in _READING)
        made = _ANSWERS[question["do"]](service, question)
    except Exception as error:
        made = {"error": reason(error)}
    return json.dumps({"id": identity, **made})


def of_generation(service: Service, generation_info: str, log: str, caller: Caller) -> str:
    """Which capture belongs to the job whose result and log the page shows.

    A failed job shows no result; `log` is the webui's own HTML about it, which is not handed on.
    """
    if not generation_info:
        return json.dumps({"id": None, "failed": "class='error'" in log or 'class="error"' in log})
    try:
        service.admit_page(caller, reads=True)
        identity = service.of_generation(generation_info)
        missing = "" if identity else _why_missing(service)
    except Exception as error:
        identity, missing = None, reason(error)
    return json.dumps({"id": identity, "failed": False, "missing": missing})


def of_preview(
    service: Service, tab: str, request: Any, args: Sequence[Any], caller: Caller
) -> str:
    """Which capture shows what pressing Generate would send, or why it cannot be told."""
    try:
        service.admit_page(caller, reads=True)
    except Refused as refused:
        return json.dumps({"id": None, "missing": str(refused), "preview": True})
    try:
        return json.dumps({"id": service.preview(tab, request, args), "preview": True})
    except Exception as error:
        missing = f"Generate would fail: {reason(error)}"
        return json.dumps({"id": None, "missing": missing, "preview": True})


def _why_missing(service: Service) -> str:
    status = service.status()
    if not status["enabled"]:
        return "Capturing is switched off in Settings, Payload capture."
    failure = status["last_failure"]
    return "This job was not captured." + (f" The last failure: {failure}" if failure else "")


def captures(service: Service, question: Question) -> dict[str, Any]:
    """The newest captures, those in the trash if it is asked for, and whether there are such; or
    nothing but the edition where nothing changed since `known`."""
    edition = f"{_PROCESS}.{service.revision}"
    if question.get("known") == edition:
        return {"edition": edition}
    limit = min(max(int(question.get("shown", 0)), PAGE), MAX_PAGE)
    page = service.page(limit, filters=_listed(question))
    return {
        "edition": edition,
        "captures": [view.row(summary) for summary in page.captures],
        "next": page.next,
        "notice": _notice(service),
        "trash": bool(service.page(1, filters=Filters(trashed=True)).captures),
    }


def older(service: Service, question: Question) -> dict[str, Any]:
    page = service.page(PAGE, str(question["cursor"]), _listed(question))
    return {"captures": [view.row(summary) for summary in page.captures], "next": page.next}


def _listed(question: Question) -> Filters:
    return Filters(trashed=bool(question.get("trash")))


def _notice(service: Service) -> str:
    status = service.status()
    if not status["enabled"]:
        return "Capturing is switched off: see Settings, Payload capture."
    if status["waiting"]:
        return f"{status['waiting']} captures wait in memory: {status['last_failure']}"
    return ""


def capture(service: Service, question: Question) -> dict[str, Any]:
    return {"capture": view.shown(service.get(question["capture"]))}


def text(service: Service, question: Question) -> dict[str, Any]:
    """A long text of the payload, whole."""
    return {"text": view.text_at(service.get(question["capture"]), question["path"])}


def payload(service: Service, question: Question) -> dict[str, Any]:
    """Exactly what to POST, pictures included."""
    return {"text": view.request_text(service.request(question["capture"])["payload"])}


def document(service: Service, question: Question) -> dict[str, Any]:
    """The capture as a file that is complete in itself, without names of users and folders."""
    return {"text": view.document_text(*service.exported(question["capture"]))}


def thumbnails(service: Service, question: Question) -> dict[str, Any]:
    """Small pictures, in the order of `sources`; "" for one that cannot be had."""
    return {"thumbnails": [_thumbnail(service, source) for source in question["sources"]]}


def picture(service: Service, question: Question) -> dict[str, Any]:
    return {"picture": view.data_uri(*_picture(service, question["source"]))}


def trash(service: Service, question: Question) -> dict[str, Any]:
    return {"trashed": service.trash(question["capture"])}


def restore(service: Service, question: Question) -> dict[str, Any]:
    return {"restored": service.restore(question["capture"])["id"]}


def delete(service: Service, question: Question) -> dict[str, Any]:
    """For good."""
    return {"deleted": service.delete(question["capture"])}


def empty(service: Service, question: Question) -> dict[str, Any]:
    """Delete all that lies in the trash, for good."""
    return {"deleted": service.empty_trash()}


def _picture(service: Service, source: Any) -> tuple[str, bytes]:
    if isinstance(source, str):
        return service.asset(source)
    return view.bytes_at(service.get(source["capture"]), source["path"])


def _thumbnail(service: Service, source: Any) -> str:
    try:
        return view.thumbnail(*_picture(service, source), service.blurs)
    except (StoreError, LookupError):
        return ""


_READING: dict[str, Callable[[Service, Question], dict[str, Any]]] = {
    f.__name__: f for f in (captures, older, capture, text, payload, document, thumbnails, picture)
}
_ANSWERS = {**_READING, **{f.__name__: f for f in (trash, restore, delete, empty)}}


def reason(error: Exception) -> str:
    """An error as the reader is told it."""
    if isinstance(error, NotFoundError):
        return "This capture, or a picture of it, was deleted."
    if isinstance(error, (StoreError, FormatError, Refused)):
        return str(error)
    return f"{type(error).__name__}: {error}"
