"""What the page asks about replays and comparisons, and the answers.

A replay is started by one question and asked about by others, since the page asks one at a time.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from payload_capture import comparison, nodes, view
from payload_capture.capture import Capture, Result
from payload_capture.comparison import Difference, Piece
from payload_capture.outcomes import Outcome, Pair
from payload_capture.replays import NOT_REPLAYABLE, Replay
from payload_capture.runs import RunError
from payload_capture.store import Filters, NotFoundError

if TYPE_CHECKING:
    from payload_capture.service import Service

MOST = 500
"""Differences that are told; beyond, their number is."""
OLDER = 10
"""Captures that are offered to compare with, besides those that were looked at."""
CONTEXT = 160
"""Characters of unchanged text that are shown before and after a change."""
LONGEST = 4000
"""Characters that are shown of a piece that was added or removed."""

Question = Mapping[str, Any]
Answer = dict[str, Any]


# ---- replays


def proof(service: Service, identity: str) -> Answer:
    """What the page shows of a capture's replays: why there can be none, the kept verdict with its
    reason, and the last replay that this process remembers."""
    summary = service.summary(identity)
    last = service.replays.of(identity)
    return {
        "off": service.api_off,
        "verdict": summary["verdict"],
        "reason": summary["reason"],
        "replay": _told(service, last, 0) if last else None,
        "blurred": service.blurs,
    }


def replay(service: Service, question: Question) -> Answer:
    """Start a replay. A capture that cannot be sent is ``refused``, which is an answer as well."""
    try:
        started = service.replay(question["capture"])
    except RunError as error:
        if error.code != NOT_REPLAYABLE:
            raise
        return {"replay": {"state": "refused", "verdict": "refused", "reason": str(error)}}
    return {"replay": _told(service, started, 0)}


def replays(service: Service, question: Question) -> Answer:
    """How replays fare, those that are remembered. `jobs` holds each job with the number of the
    preview that is shown, -1 where none is wanted."""
    told = []
    for job, shown in question["jobs"].items():
        with contextlib.suppress(NotFoundError):  # of a process before this one
            told.append(_told(service, service.replay_status(job), shown))
    return {"replays": told}


def cancel(service: Service, question: Question) -> Answer:
    """Stop a replay, or take it out of the queue."""
    return {"replay": _told(service, service.cancel(question["job"]), 0)}


def actual(service: Service, job: str, number: int) -> tuple[str, bytes]:
    """(media type, bytes) of a picture that came of a replay. Raises NotFoundError."""
    outcome = service.replays.outcome(job)
    if outcome is None or not 0 <= number < len(outcome.pictures):
        raise NotFoundError(f"{job}/{number}")
    return outcome.pictures[number]


def _told(service: Service, one: Replay, shown: int) -> Answer:
    names = "job", "capture", "state", "progress", "verdict", "reason", "notes", "error", "seconds"
    told = {name: getattr(one, name) for name in names}
    number, picture = service.replays.preview(one.job)
    if number > shown >= 0 and not service.blurs:
        told["preview"] = {"number": number, "picture": picture}
    if one.state == "done":
        outcome = service.replays.outcome(one.job)
        told["pictures"] = _pictures(service, one, outcome) if outcome else None
    return told


def _pictures(service: Service, one: Replay, outcome: Outcome) -> list[Answer] | None:
    try:
        results = service.get(one.capture).results
    except NotFoundError:
        return None
    return [_pair(one.job, pair, results) for pair in outcome.pairs]


def _pair(job: str, pair: Pair, results: list[Result]) -> Answer:
    result = results[pair.expected] if pair.expected is not None else None
    return {
        "a": result and result.asset,
        "b": None if pair.actual is None else {"replay": job, "number": pair.actual},
        "same": pair.verdict == "identical",
        "words": _words_of(result) if result else "besides",
        "verdict": pair.verdict,
        "measure": pair.measure,
        "why": pair.why,
    }


def _words_of(result: Result) -> str:
    role = "" if result.role == "sample" else result.role
    seed = "" if result.seed is None else f"seed {result.seed}"
    return " · ".join(filter(None, (role, f"{result.width}×{result.height}", seed)))


# ---- several captures


def summaries(service: Service, question: Question) -> Answer:
    """Captures as a list shows them, without those that are gone; and why none can be replayed."""
    return {"rows": list(_rows(service, question["captures"])), "off": service.api_off}


def neighbours(service: Service, question: Question) -> Answer:
    """What a capture may be compared with: those of `shown` that are left, then the next older
    ones, or the newest where there is none."""
    identity = question["capture"]
    others = [one for one in question["shown"] if one != identity]
    started = service.summary(identity)["started"]
    older = service.page(OLDER, filters=Filters(until=started)).captures
    rows = older or service.page(OLDER + 1).captures
    known = {identity, *others}
    rest = [view.row(row) for row in rows if row["id"] not in known]
    return {"shown": list(_rows(service, others)), "older": rest}


def _rows(service: Service, identities: Iterable[str]) -> Iterator[Answer]:
    for identity in identities:
        with contextlib.suppress(NotFoundError):
            yield view.row(service.summary(identity))


# ---- comparing


def compare(service: Service, question: Question) -> Answer:
    """What differs between captures `a` and `b`, and their pictures beside each other."""
    one, other = service.get(question["a"]), service.get(question["b"])
    found = [d for d in comparison.differences(one, other) if d.keys[0] != "results"]
    a, b = (view.row(service.summary(capture.id)) for capture in (one, other))
    return {
        "a": a,
        "b": b,
        "differences": [_difference(d, one, other) for d in found[:MOST]],
        "more": max(0, len(found) - MOST),
        "pictures": list(_beside(one, other)),
        "blurred": service.blurs,
    }


def _difference(found: Difference, a: Capture, b: Capture) -> Answer:
    group, keys = _group(found.keys)
    told: Answer = {"group": group, "path": comparison.path(keys), "kind": found.kind}
    if found.words:
        return told | {"words": [_shortened(*pair) for pair in _placed(found.words)]}
    start = _first(found.a, found.b)
    if found.kind != "added":
        told["a"] = _node(found.a, a, found.keys, start)
    if found.kind != "removed":
        told["b"] = _node(found.b, b, found.keys, start)
    return told


def _group(keys: tuple[str | int, ...]) -> tuple[str, tuple[str | int, ...]]:
    """The heading below which a difference is shown, and what of its keys is said there."""
    if keys[:2] == ("payload", "override_settings") and len(keys) > 2:
        return "settings", keys[2:]
    if keys[0] in ("endpoint", "payload"):
        return "payload", keys[1:] or keys
    return ("host", keys[1:]) if keys[0] == "host" else ("rest", keys)


def _node(value: Any, capture: Capture, keys: tuple[str | int, ...], start: int) -> Answer:
    """As the tree draws it; of long texts the part that begins to differ."""
    path = [key.removeprefix("$") if isinstance(key, str) else key for key in keys[1:]]
    if isinstance(value, str) and start > CONTEXT:
        value = "…" + value[start - CONTEXT :]
    return nodes.Drawing(capture, "payload").node(value, path)


def _first(a: Any, b: Any) -> int:
    """Where two texts begin to differ; 0 for what is none."""
    if not (isinstance(a, str) and isinstance(b, str)):
        return 0
    pairs = enumerate(zip(a, b, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(a), len(b)))


def _placed(words: tuple[Piece, ...]) -> Iterator[tuple[Piece, bool, bool]]:
    """Each piece, with whether others come before and after it."""
    for number, piece in enumerate(words):
        yield piece, number > 0, number < len(words) - 1


def _shortened(piece: Piece, before: bool, after: bool) -> Piece:
    """A piece without what nobody looks at: the middle of a long one."""
    text = piece["text"]
    if piece["kind"] != "same":
        return piece | {"text": text if len(text) <= LONGEST else text[:LONGEST] + "…"}
    if len(text) <= 2 * CONTEXT:
        return piece
    start = text[:CONTEXT] if before else ""
    end = text[-CONTEXT:] if after else ""
    return piece | {"text": f"{start} … {end}"}


def _beside(a: Capture, b: Capture) -> Iterator[Answer]:
    """Pictures of the same role in their order, beside each other."""
    for role in dict.fromkeys(result.role for result in (*a.results, *b.results)):
        sides = ([one for one in capture.results if one.role == role] for capture in (a, b))
        for one, other in itertools.zip_longest(*sides):
            same = bool(one and other and one.sha256 == other.sha256)
            words = dict.fromkeys(_words_of(result) for result in (one, other) if result)
            yield {
                "a": one and one.asset,
                "b": other and other.asset,
                "same": same,
                "words": " / ".join(words),
                "why": "" if one and other else f"only {'A' if one else 'B'} has this picture",
            }


READING = (replays, summaries, neighbours, compare)
CHANGING = (replay, cancel)
