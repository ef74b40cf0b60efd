"""A capture with something changed: the same job, other values, and no expected pictures.

A path that does not exist is an error with the nearest one that does: a webui would ignore it
without a word. Only top-level fields of the API and entries of ``override_settings`` can be new.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from . import attachments, fields, paths
from .capture import (
    BATCH,
    Capture,
    FormatError,
    Host,
    Job,
    Origin,
    canonical,
    escaped,
    references,
    referred,
)
from .paths import Step

Change = tuple[Sequence[Step], Any]
DEEPEST = 100
"""Levels of a value that is set; a payload of all may have twice as many."""

_TITLED = ("alwayson_scripts", "scripts")  # below these the keys are titles, in any case
_PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt", "styles")


def with_(self: Capture, /, **changes: Any) -> Capture:
    """The capture with other values in its payload, by path.

    For example ``capture.with_(steps=30, **{"override_settings.CLIP_stop_at_last_layers": 2})``;
    `payload_replay.paths` says how a path is written. A value is anything that JSON has, or a
    `pathlib.Path`, for the picture in that file. What was expected (`results`), when and how it
    was made (`job`) and what was typed in the changed fields do not hold any more and are left
    out; `origin` names the capture that it comes from, and what was changed.

    Raises:
        FormatError: a path that leads nowhere, with the nearest one; a value that JSON has not.
    """
    return varied(self, [(paths.parse(path), value) for path, value in changes.items()])


def varied(capture: Capture, changes: Iterable[Change]) -> Capture:
    """The same with paths that were parsed already, one change after the other."""
    changes = list(changes)
    if not changes:
        return capture
    for steps, value in changes:
        check_depth(value, paths.written(steps))
    payload = _copied(capture.payload)
    done = [_put(capture.endpoint, payload, steps, value) for steps, value in changes]
    return made_of(capture, payload, [paths.written(steps) for steps in done])


def made_of(capture: Capture, payload: dict[str, Any], changed: Sequence[str]) -> Capture:
    """The capture with another `payload`, that differs at the `changed` paths: see `with_`."""
    before = capture.origin or Origin(capture.id)
    paths_ = list(dict.fromkeys([*before.changed, *changed]))
    tops = {str(paths.parse(path)[0]) for path in changed}
    template = {name: v for name, v in capture.template.items() if name not in tops}
    named = {sha for part in (payload, template) for _, sha in references(part)}
    digest = hashlib.sha256(canonical([capture.endpoint, payload])).hexdigest()
    return dataclasses.replace(
        capture,
        id=f"{before.id[:70]}-{digest[:8]}",
        payload=payload,
        template=template,
        results=[],
        resolved={},
        job=Job(),
        host=_host(capture.host, changed),
        assets={sha: asset for sha, asset in capture.assets.items() if sha in named},
        warnings=[one for one in capture.warnings if not _within(one.path, changed)],
        choices={p: name for p, name in capture.choices.items() if not _within(p, changed)},
        origin=Origin(before.id, paths_),
    )


def parsed(text: str, option: str = "--set") -> Change:
    """The change that ``path=value`` says. Raises FormatError."""
    steps, value = paths.assigned(text, option)
    return steps, read_value(steps, value)


def read_value(steps: Sequence[Step], text: str) -> Any:
    """A typed value: JSON, or text where it is none.

    In a field of the API that holds text (a prompt, a sampler's name) only a JSON string in
    quotation marks is read as JSON: the prompt ``7`` is a text.
    """
    try:
        value = read_json(text)
    except (ValueError, RecursionError):
        return text
    check_depth(value, paths.written(steps))
    if is_text(steps) and not isinstance(value, str):
        return text
    return value


def read_json(text: str) -> Any:
    """What a line of strict JSON holds. Raises ValueError, RecursionError."""
    return json.loads(text, parse_constant=_no_json)


def check_depth(value: Any, path: str) -> None:
    """Raises FormatError for a value that nests more than `DEEPEST` levels."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise FormatError(path, f"nests more than {DEEPEST} levels")


def is_text(steps: Sequence[Step]) -> bool:
    """Whether this place is a field of the API that holds text."""
    name = _own(steps)
    return len(name) == 1 and name[0] in fields.TEXT


def _own(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps below the payload of one request of a batch; others as they are."""
    inside = len(steps) > 3 and (steps[0], steps[2]) == ("requests", "payload")
    return steps[3:] if inside and isinstance(steps[1], int) else steps


def _put(endpoint: str, payload: dict[str, Any], steps: Sequence[Step], value: Any) -> list[Step]:
    """Set one value inside `payload`; the steps as they are spelt there."""
    done: list[Step] = []
    own = _own(steps) if endpoint == BATCH else steps
    holder: Any = payload
    for step in steps[: len(steps) - len(own)]:
        holder = holder[_entry(holder, step, done)]
    if done:
        endpoint = _endpoint(payload, done)
    if isinstance(holder, dict) and not _is_there(holder, own[0]):
        _create(endpoint, holder, own, done)
    for step in own[:-1]:
        holder = holder[_entry(holder, step, done)]
    free = len(own) == 1 or (own[0] == "override_settings" and len(own) == 2)
    holder[_last(holder, own[-1], done, free)] = escaped(_json(value, paths.written(steps)))
    return done


def _endpoint(payload: dict[str, Any], done: Sequence[Step]) -> str:
    return str(payload["requests"][done[1]].get("endpoint"))


def _create(
    endpoint: str, holder: dict[str, Any], own: Sequence[Step], done: Sequence[Step]
) -> None:
    """Let a field of the API that the payload does not name be set. Raises FormatError."""
    name = own[0]
    if name not in fields.known(endpoint):
        known = fields.known(endpoint) | {shown(key) for key in holder}
        _nowhere(done, name, f"{endpoint} has no such field", sorted(known))
    if name == "override_settings":
        holder["override_settings"] = {}


def _last(holder: Any, step: Step, done: list[Step], free: bool) -> Any:
    if free and isinstance(holder, dict) and isinstance(step, str):
        done.append(step)
        return _stored(step)
    return _entry(holder, step, done)


def _entry(holder: Any, step: Step, done: list[Step]) -> Any:
    """The key or index of `step` in `holder`, added to `done`. Raises FormatError."""
    where = paths.written(done)
    if referred(holder) is not None:
        raise FormatError(where, "is a picture, with nothing inside that could be changed")
    if isinstance(holder, list) and isinstance(step, int):
        if step >= len(holder):
            raise FormatError(f"{where}[{step}]", f"the list has {len(holder)} entries, from [0]")
        done.append(step)
        return step
    if not isinstance(holder, dict) or isinstance(step, int):
        kind = "a mapping" if isinstance(holder, dict) else "a list"
        kind = kind if isinstance(holder, (dict, list)) else "a single value"
        raise FormatError(paths.written([*done, step]), f"{where or 'the payload'} is {kind}")
    key = _key(holder, step, done)
    done.append(shown(key))
    return key


def _key(holder: dict[str, Any], step: str, done: Sequence[Step]) -> str:
    key = _stored(step)
    if key in holder:
        return key
    alike = [known for known in holder if known.lower() == key.lower()]
    if len(alike) == 1 and done and done[-1] in _TITLED:
        return alike[0]
    _nowhere(done, step, "there is no such place", map(shown, holder))


def _nowhere(done: Sequence[Step], step: Step, reason: str, known: Iterable[str]) -> NoReturn:
    listed = list(known)
    close = difflib.get_close_matches(str(step), listed, 1, 0.5)
    near = [paths.written([*done, name]) for name in close or listed[:20]]
    there = f"the nearest is {near[0]}" if close else f"there are {', '.join(near) or 'none'}"
    raise FormatError(paths.written([*done, step]), f"{reason}; {there}")


def _is_there(holder: dict[str, Any], step: Step) -> bool:
    found = isinstance(step, str) and _stored(step) in holder
    # `"override_settings": null` is as good as none.
    return found and not (step == "override_settings" and holder[step] is None)


def _stored(name: str) -> str:
    """A mapping's key as `capture.escaped` writes it."""
    return f"${name}" if name.startswith("$") else name


def shown(key: str) -> str:
    """A key as it was before `capture.escaped`."""
    return key[1:] if key.startswith("$") else key


def _copied(value: Any) -> Any:
    """A copy without shared parts: what stands at two places changes at one."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _json(value: Any, path: str) -> Any:
    """The value with pictures read from their files. Raises FormatError for what JSON has not."""
    if isinstance(value, Path):
        return attachments.of_path(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _json(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError(path, f"{value} is no number that JSON has")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise FormatError(path, f"a {type(value).__name__} is nothing that JSON has")


def _host(host: Host, changed: Sequence[str]) -> Host:
    """Without what the old prompts named, and the old checkpoint, where others were asked for."""
    names = [str(_own(paths.parse(path))[0]) for path in changed]
    if any(name in _PROMPTS for name in names):
        host = dataclasses.replace(host, embeddings=[], loras=[])
    if any(path.endswith("override_settings.sd_model_checkpoint") for path in changed):
        host = dataclasses.replace(host, checkpoint=None)
    return host


def _within(path: str, changed: Sequence[str]) -> bool:
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in changed)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()


def _no_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not of JSON")
