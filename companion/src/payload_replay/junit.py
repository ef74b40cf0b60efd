"""Replays as JUnit XML, which continuous integration shows as tests.

One test case a source. It fails where pictures differ, also where they are only close; it is an
error where a replay was refused or the server failed, so that nothing that proves nothing is green;
it is skipped where there was nothing to compare with, and where a run was stopped before it. So a
report without failures and errors and the exit code 0 go together, but for a run that was stopped,
which exits 130. The shape is that of Jenkins' and Surefire's schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from . import files
from .batch import Outcome
from .replay import Replay

CLASS = "payload-replay"

_FAILURES = ("close", "different")
_ERRORS = ("refused", "failed")
NOT_RUN = "not run"
"""The verdict of a job that a stopped run did not begin."""
_SKIPPED = ("unverified", NOT_RUN)
# What XML 1.0 cannot hold in any spelling: control characters, halves of surrogate pairs, and the
# two that are no characters.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """What a test case says of an outcome: texts alone, where the outcome may hold pictures."""

    source: str
    verdict: str
    reason: str
    seconds: float
    told: str


def case(outcome: Outcome) -> Case:
    """The test case of an outcome."""
    told = "\n".join(_told(outcome))
    return Case(outcome.source, outcome.verdict, outcome.reason, outcome.seconds or 0.0, told)


def render(cases: Sequence[Case], servers: Sequence[str] = ()) -> bytes:
    """The XML, in UTF-8; `servers` are the addresses that they were sent to."""
    suite = _suite(cases, servers)
    root = ET.Element("testsuites", _counts(cases) | {"name": CLASS})
    root.append(suite)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def write(path: Path, cases: Sequence[Case], servers: Sequence[str] = ()) -> None:
    """To a file, in place of an older one. Raises OSError."""
    files.write(path, render(cases, servers))


def speakable(text: str) -> str:
    """The text with what XML cannot hold written as ``\\x1b`` or ``\\ud83d``."""
    return _UNSPEAKABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def _suite(cases: Sequence[Case], servers: Sequence[str]) -> ET.Element:
    counted = _counts(cases) | {"skipped": str(_number(cases, _SKIPPED))}
    suite = ET.Element("testsuite", {"name": CLASS} | counted)
    properties = ET.SubElement(suite, "properties") if servers else suite
    for server in servers:
        ET.SubElement(properties, "property", {"name": "server", "value": speakable(server)})
    suite.extend(map(_element, cases))
    return suite


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(_number(cases, _FAILURES)),
        "errors": str(_number(cases, _ERRORS)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _number(cases: Sequence[Case], verdicts: Sequence[str]) -> int:
    return sum(case.verdict in verdicts for case in cases)


def _element(case: Case) -> ET.Element:
    named = {"classname": CLASS, "name": speakable(case.source)}
    element = ET.Element("testcase", named | {"time": f"{case.seconds:.3f}"})
    verdict, reason = case.verdict, speakable(case.reason)
    if verdict in _SKIPPED:
        ET.SubElement(element, "skipped", {"message": reason})
    elif verdict in _FAILURES + _ERRORS:
        kind = "failure" if verdict in _FAILURES else "error"
        ET.SubElement(element, kind, {"message": reason, "type": verdict}).text = reason
    if case.told:
        ET.SubElement(element, "system-out").text = speakable(case.told)
    return element


def _told(outcome: Outcome) -> Iterator[str]:
    """What a reader of a failure wants next: where and what was sent, each picture's measure."""
    if outcome.server:
        yield f"server {outcome.server}"
    if outcome.replay:
        yield from _of_replay(outcome.replay)
    elif outcome.record:
        yield from _of_record(outcome.record)


def _of_replay(replay: Replay) -> Iterator[str]:
    capture = replay.capture
    yield f"capture {capture.id}, {capture.endpoint}"
    yield str(capture.payload.get("prompt", ""))
    yield from (f"rewritten: {change}" for change in replay.changes)
    for image in replay.images:
        measure = f", {image.measure}" if image.measure else ""
        yield f"seed {image.result.seed}: {image.verdict}{measure}"


def _of_record(record: Mapping[str, Any]) -> Iterator[str]:
    """Of an earlier run, which noted neither prompt nor seeds."""
    if record.get("id"):
        yield f"capture {record['id']}, {record.get('endpoint')}; made by an earlier run"
    for image in record.get("images") or []:
        yield f"{image.get('expected')}: {image.get('verdict')}"
