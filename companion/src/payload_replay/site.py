"""What a recorded webui answers to each request, whatever carries it."""

from __future__ import annotations

import dataclasses
import json
import math
import threading
from typing import Any, cast
from urllib.parse import urlsplit

from . import __version__, codec, hostlists, infotext, playback
from .captions import FILE, INTERROGATE, Question, question
from .capture import (
    BATCH,
    DEEPEST,
    EXTRAS,
    FORMAT,
    UPSCALE,
    AssetError,
    FormatError,
    Host,
    generates,
    is_too_deep,
)
from .errors import BadSource, ReplayError
from .hostlists import API
from .images import opened
from .listener import JSON, Refused, Reply, encoded, failed, words
from .matching import MAX_PIXELS, Form, form
from .metadata import text_of
from .recorder import Forwarded, Recorder
from .recordings import Near, Recording, Recordings, endpoints

STATUS = "/payload-capture/v1/status"
SHOWN = 8
"""Differences of a recording that a miss shows."""

_RUNS = (UPSCALE, EXTRAS, BATCH)


class Site:
    """What the recorded webui answers, whatever carries it. Every method is safe in any thread."""

    def __init__(self, recordings: Recordings, recorder: Recorder | None, *, always: bool) -> None:
        self.recorder = recorder
        self._recordings = recordings
        self._always = always
        self._options: dict[str, Any] = {}
        self._told: tuple[int, dict[str, Any]] = (-1, {})
        self._lock = threading.Lock()
        self._recording = threading.Lock()

    def respond(self, method: str, target: str, body: bytes = b"") -> Reply:
        """The answer to a request; errors of any kind are answers too, in the webui's shape."""
        try:
            return self._respond(method, target, body)
        except Refused as refused:
            return refused.reply()
        except ReplayError as error:
            return failed(502, type(error).__name__, str(error))
        except Exception as error:
            return failed(500, type(error).__name__, "", f"{error}")

    def _respond(self, method: str, target: str, body: bytes) -> Reply:
        if not target.startswith("/"):  # "@host" would become another server's address
            raise Refused(400, "a path begins with /")
        path = urlsplit(target).path
        if generates(path):
            _only("POST", method)
            return self._generation(path, _object(body))
        if path == INTERROGATE:
            _only("POST", method)
            return self._interrogation(_object(body))
        if path == f"{API}options" and method == "POST":
            return self._set_options(path, _object(body))
        if self.recorder is not None:
            payload = _object(body) if body else None
            return _forwarded(self.recorder.pass_on(method, target, payload))
        return self._known(method, path, body)

    def _known(self, method: str, path: str, body: bytes) -> Reply:
        """What is no generation, without a real server."""
        if path in hostlists.COMMANDS:
            _only("POST", method)
            return _good(hostlists.COMMANDS[path])
        if path == f"{API}png-info":
            _only("POST", method)
            return _good(_png_info(_object(body)))
        lists = self._lists()
        if path not in lists:
            return Reply(404, encoded({"detail": "Not Found"}), note="no such route is recorded")
        _only("GET", method)
        return _good(lists[path])

    def _generation(self, path: str, payload: dict[str, Any]) -> Reply:
        asked = form(path, payload)
        if not self._always and (found := self._find(asked)):
            return self._played(found, payload)
        if self.recorder is not None:
            return self._recorded(self.recorder, asked, payload)
        return self._missed(asked)

    def _recorded(self, recorder: Recorder, asked: Form, payload: dict[str, Any]) -> Reply:
        # One at a time, as the webui itself works: of two equal requests only one is recorded.
        with self._recording:
            if not self._always and (found := self._find(asked)):
                return self._played(found, payload)
            made = recorder.generate(asked.endpoint, payload, dict(self._options))
        return _forwarded(made)

    def _interrogation(self, payload: dict[str, Any]) -> Reply:
        try:
            asked = question(payload)
        except FormatError as error:
            raise Refused(422, str(error)) from error
        if said := self._said(asked):
            return said
        if self.recorder is None:
            return self._never_said(asked)
        with self._recording:
            if said := self._said(asked):
                return said
            made = self.recorder.interrogate(asked, payload)
        told = _forwarded(made)
        return told if made.reason else dataclasses.replace(told, note=f"recorded in {FILE}")

    def _said(self, asked: Question) -> Reply | None:
        known = self._recordings.captions
        caption = None if self._always else known.find(asked)
        if caption is None:
            return None
        return Reply(
            200, encoded({"caption": caption}), file=known.path, note=f"recorded in {FILE}"
        )

    def _never_said(self, asked: Question) -> Reply:
        models = self._recordings.captions.models(asked)
        known = f"there are {len(self._recordings.captions)}, none of this picture"
        if models:
            known = f"of this picture there is one by {', '.join(models)}"
        told = failed(404, "NoRecording", f"no recorded caption by {asked.model}: {known}")
        return dataclasses.replace(told, missed=True)

    def _find(self, asked: Form) -> Recording | None:
        return self._recordings.find(asked, self._options)

    def _played(self, found: Recording, payload: dict[str, Any]) -> Reply:
        try:
            answer = playback.answer(found.capture(), payload)
        except (BadSource, AssetError, FormatError) as error:
            return failed(500, type(error).__name__, f"{found.path} has changed: {error}")
        return Reply(200, encoded(answer), file=found.path, note=f"recorded as {found.bare.id}")

    def _missed(self, asked: Form) -> Reply:
        near = self._recordings.nearest(asked, self._options)
        known = endpoints(self._recordings.all())
        detail = missed(asked, near, known)
        body = words("NoRecording", detail) | {"nearest": [_near(one) for one in near]}
        return Reply(404, encoded(body), note=detail, missed=True)

    def _set_options(self, path: str, options: dict[str, Any]) -> Reply:
        if self.recorder is not None:
            passed = self.recorder.pass_on("POST", path, options)
            if passed.reply.status != 200:
                return _forwarded(passed)
        with self._lock:
            self._options = {**self._options, **options}
        return _good(None)

    def _lists(self) -> dict[str, Any]:
        with self._lock:
            made = self._made_lists() | self._recordings.lists
            options = made[f"{API}options"]
            if isinstance(options, dict):
                made[f"{API}options"] = {**options, **self._options}
        return made | {f"{API}progress": dict(hostlists.IDLE), STATUS: self._status()}

    def _made_lists(self) -> dict[str, Any]:
        captures = [one.bare for one in self._recordings.all()]
        if self._told[0] != len(captures):
            self._told = len(captures), hostlists.told(captures)
        return dict(self._told[1])

    def _status(self) -> dict[str, Any]:
        captures = [one.bare for one in self._recordings.all()]
        host = captures[-1].host if captures else Host()
        return {
            "extension": __version__,
            "format": FORMAT,
            "host": dataclasses.asdict(host),
            "enabled": False,
            "runs": list(_RUNS),
            "captures": len(captures),
        }


def missed(asked: Form, near: list[Near], known: list[str]) -> str:
    """What a miss says: the nearest recordings, and path by path in what they differ."""
    if not near:
        have = f"there are recordings of {', '.join(known)}" if known else "there are none"
        return f"no recording of {asked.endpoint} matches this request: {have}"
    lines = [f"no recording of {asked.endpoint} matches this request; the nearest are:"]
    for one in near:
        lines.append(f"{one.recording.path.name} ({one.recording.bare.id})")
        lines += [f"  {each}" for each in one.differences[:SHOWN]]
        if len(one.differences) > SHOWN:
            lines.append(f"  and {len(one.differences) - SHOWN} more")
    return "\n".join(lines)


def _near(near: Near) -> dict[str, Any]:
    return {
        "id": near.recording.bare.id,
        "file": near.recording.path.name,
        "differences": [one.to_dict() for one in near.differences[:SHOWN]],
        "count": len(near.differences),
    }


def _only(allowed: str, method: str) -> None:
    if method != allowed:
        raise Refused(405, "Method Not Allowed")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body, parse_constant=_not_finite, parse_float=_finite)
    except RecursionError as error:
        raise Refused(422, "the body is no JSON: nested too deeply") from error
    except ValueError as error:
        raise Refused(422, f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refused(422, f"the body must be an object, not a {type(value).__name__}")
    if is_too_deep(value):
        raise Refused(422, f"JSON of more than {DEEPEST} levels")
    return cast("dict[str, Any]", value)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_finite(text)


def _not_finite(text: str) -> float:
    raise ValueError(f"it has no {text[:20]}")


def _png_info(payload: dict[str, Any]) -> dict[str, Any]:
    """The texts of a picture, and the fields of its infotext: A1111 v1.10.1's answer."""
    try:
        image = opened(codec.b64decode(str(payload.get("image") or "")), MAX_PIXELS)
    except ValueError as error:
        raise Refused(500, "Invalid encoded image") from error
    text = text_of(image)
    items = {k: v for k, v in image.info.items() if isinstance(v, (str, int, float))}
    items.pop("parameters", None)
    return {"info": text, "items": items, "parameters": infotext.parse(text)}


def _good(value: Any) -> Reply:
    return Reply(200, encoded(value))


def _forwarded(made: Forwarded) -> Reply:
    kind = made.reply.headers.get("Content-Type", JSON)
    note = f"not recorded: {made.reason}" if made.reason else "from the real server"
    if made.kept:
        note = f"recorded as {made.kept.id}"
    return Reply(made.reply.status, made.reply.body, kind, note=note, lost=made.lost)
