"""What the page asks about many captures: pages of a list, its filters, news of it, its export.

A page of the list says its `edition`, which changes with every change of any capture. The page
then waits at the bell: a question that is answered when something happened.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from payload_capture import events, exports, schemas, shapes, view
from payload_capture.schemas import BadParameterError
from payload_capture.store import Filters, NotFoundError, StoreError

if TYPE_CHECKING:
    from payload_capture.service import Service

PAGE = 100
PATIENCE = 20.0
"""Seconds after which the bell answers though nothing happened."""
MAX_EXPORT = 64 * 2**20
"""Bytes of a file that one answer holds."""
MAX_EXPORTED = 10_000
"""Captures of such a file, as many as the API takes by their ids."""
OFFERED = 1000
"""Models and tags that a filter offers."""
_PROCESS = secrets.token_hex(4)

Question = Mapping[str, Any]


def edition(service: Service) -> str:
    """Changes with every change of any capture, and with the process."""
    return f"{_PROCESS}.{service.revision}"


# ---- pages


def captures(service: Service, question: Question) -> dict[str, Any]:
    """The newest captures that the filters let through, and whether the trash holds any; or
    nothing but the edition where nothing changed since `known`."""
    now, last = edition(service), service.events.last
    if question.get("known") == now:
        return {"edition": now}
    page = service.page(PAGE, filters=filters(question))
    return {
        "edition": now,
        "last": last,
        "captures": [view.row(summary) for summary in page.captures],
        "next": page.next,
        "notice": _notice(service),
        "trash": bool(service.page(1, filters=Filters(trashed=True)).captures),
    }


def older(service: Service, question: Question) -> dict[str, Any]:
    """The page after the one that gave the cursor."""
    page = service.page(PAGE, str(question["cursor"]), filters(question))
    return {"captures": [view.row(summary) for summary in page.captures], "next": page.next}


def filters(question: Question) -> Filters:
    """What the question asks for; `mine` is who asks. Raises BadParameterError."""
    given = dict(question.get("filters") or {})
    mine = given.pop("mine", False)
    checked = schemas.checked(given, shapes.FILTER)
    if mine:
        checked = {**checked, "user": question["user"]}
    return Filters(**{**checked, "trashed": bool(question.get("trash"))})


def _notice(service: Service) -> str:
    status = service.status()
    if not status["enabled"]:
        return "Capturing is switched off: see Settings, Payload capture."
    if status["waiting"]:
        return f"{status['waiting']} captures wait in memory: {status['last_failure']}"
    return ""


def choices(service: Service, question: Question) -> dict[str, Any]:
    """What the filters offer; `user` is who asks, "" where the webui has no users."""
    made = {name: values[:OFFERED] for name, values in service.choices().items()}
    return {"choices": made, "user": question["user"] or ""}


# ---- news


async def bell(service: Service, question: Question) -> dict[str, Any]:
    """What happened after the event `last`, as soon as something did or the edition is not `known`.

    `changed` holds rows, `gone` ids; `missed` says that not everything can be told.
    """
    known = question["known"]

    def enough() -> bool:
        return service.closing or edition(service) != known

    told = await events.happened(service.events, int(question["last"]), enough, PATIENCE)
    there = {e.data["id"]: e for e in told.events if e.kind in ("captured", "updated", "deleted")}
    changed = [view.row(event.data) for event in there.values() if event.kind != "deleted"]
    gone = [identity for identity, event in there.items() if event.kind == "deleted"]
    return {"last": told.last, "changed": changed, "gone": gone, "missed": told.missed}


# ---- changes of several at once


def edit(service: Service, question: Question) -> dict[str, Any]:
    """Change titles, notes, tags or stars."""
    changes = schemas.checked(question["changes"], shapes.EDIT)
    return _each(question, lambda identity: service.edit(identity, **changes))


def trash(service: Service, question: Question) -> dict[str, Any]:
    return _each(question, service.trash)


def restore(service: Service, question: Question) -> dict[str, Any]:
    return _each(question, service.restore)


def delete(service: Service, question: Question) -> dict[str, Any]:
    """For good."""
    return _each(question, service.delete)


def _each(question: Question, act: Callable[[str], Any]) -> dict[str, Any]:
    """The ids of those that it was `done` to, and how many are gone. Raises what stops the first.

    What stops a later one is told as `failed`: those before it are done.
    """
    done: list[str] = []
    gone = 0
    failed = ""
    for identity in question["captures"]:
        found, failed = _done(act, identity)
        if failed:
            break
        if found:
            done.append(identity)
        else:
            gone += 1
    if not done and failed:
        raise StoreError(failed)
    if not done and gone:
        raise NotFoundError(question["captures"][0])
    return {"done": done, "gone": gone, "failed": failed}


def _done(act: Callable[[str], Any], identity: str) -> tuple[bool, str]:
    """Whether there is such a capture, and why it was not done to it."""
    try:
        act(identity)
    except NotFoundError:
        return False, ""
    except StoreError as error:
        return True, str(error)
    return True, ""


# ---- export


class TooMuchError(Exception):
    """A selection that no answer holds; says the way out."""


def bundle(service: Service, question: Question) -> dict[str, Any]:
    """The chosen captures as one file, in base64. Raises TooMuchError."""
    form, ids = question["format"], question["captures"]
    if form not in shapes.SELECTIONS:
        known = ", ".join(shapes.SELECTIONS)
        raise BadParameterError("format", f"{form!r} is not one of {known}")
    if len(ids) > MAX_EXPORTED:
        raise TooMuchError(f"{len(ids):,} captures are too many for the page. {_WAY_OUT}")
    write = exports.lines if form == "jsonl" else exports.zipped
    wanted = (service.exported(identity) for identity in ids)
    data = base64.b64encode(_bounded(write(wanted))).decode("ascii")
    return {"name": f"captures.{form}", "file": data}


_WAY_OUT = (
    f"It exports up to {MAX_EXPORTED:,} captures or {MAX_EXPORT >> 20} MB at once: choose fewer, "
    "or let a program ask POST /payload-capture/v1/captures/export, which has no such bound."
)


def _bounded(pieces: Iterable[bytes]) -> bytes:
    made = bytearray()
    for piece in pieces:
        made += piece
        if len(made) > MAX_EXPORT:
            raise TooMuchError(f"These captures are too large for the page. {_WAY_OUT}")
    return bytes(made)
