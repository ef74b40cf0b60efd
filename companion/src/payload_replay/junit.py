"""Replays as JUnit XML, which continuous integration shows as tests.

One test case a source. It fails where pictures differ, also where they are only close; it is an
error where a replay was refused or the server failed, so that nothing that proves nothing is green;
it is skipped where there was nothing to compare with. So a report without failures and errors and
the exit code 0 go together. The shape is that of Jenkins' and Surefire's schemas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from .batch import Outcome

CLASS = "payload-replay"

_FAILURES = ("close", "different")
_ERRORS = ("refused", "failed")
_SKIPPED = ("unverified",)
# What XML 1.0 cannot hold in any spelling: control characters, halves of surrogate pairs, and the
# two that are no characters.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(outcomes: Sequence[Outcome], server: str = "") -> bytes:
    """The XML, in UTF-8; `server` is the address that they were sent to."""
    suite = _suite(outcomes, server)
    root = ET.Element("testsuites", _counts(outcomes) | {"name": CLASS})
    root.append(suite)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def write(path: Path, outcomes: Sequence[Outcome], server: str = "") -> None:
    """To a file, in place of an older one. Raises OSError."""
    path.write_bytes(render(outcomes, server))


def speakable(text: str) -> str:
    """The text with what XML cannot hold written as ``\\x1b`` or ``\\ud83d``."""
    return _UNSPEAKABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def _suite(outcomes: Sequence[Outcome], server: str) -> ET.Element:
    counted = _counts(outcomes) | {"skipped": str(_number(outcomes, _SKIPPED))}
    suite = ET.Element("testsuite", {"name": CLASS} | counted)
    if server:
        properties = ET.SubElement(suite, "properties")
        ET.SubElement(properties, "property", {"name": "server", "value": speakable(server)})
    for outcome in outcomes:
        suite.append(_case(outcome))
    return suite


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(_number(outcomes, _FAILURES)),
        "errors": str(_number(outcomes, _ERRORS)),
        "time": f"{sum(map(_seconds, outcomes)):.3f}",
    }


def _number(outcomes: Sequence[Outcome], verdicts: Sequence[str]) -> int:
    return sum(outcome.verdict in verdicts for outcome in outcomes)


def _seconds(outcome: Outcome) -> float:
    return outcome.replay.seconds if outcome.replay else 0.0


def _case(outcome: Outcome) -> ET.Element:
    named = {"classname": CLASS, "name": speakable(outcome.source)}
    case = ET.Element("testcase", named | {"time": f"{_seconds(outcome):.3f}"})
    verdict, reason = outcome.verdict, speakable(outcome.reason)
    if verdict in _SKIPPED:
        ET.SubElement(case, "skipped", {"message": reason})
    elif verdict in _FAILURES + _ERRORS:
        kind = "failure" if verdict in _FAILURES else "error"
        ET.SubElement(case, kind, {"message": reason, "type": verdict}).text = reason
    if outcome.replay:
        ET.SubElement(case, "system-out").text = speakable(_told(outcome))
    return case


def _told(outcome: Outcome) -> str:
    """What a reader of a failure wants next: what was sent, and each picture's measure."""
    replay = outcome.replay
    if replay is None:
        return ""
    capture = replay.capture
    lines = [f"capture {capture.id}, {capture.endpoint}", str(capture.payload.get("prompt", ""))]
    lines += [f"rewritten: {change}" for change in replay.changes]
    for image in replay.images:
        measure = f", {image.psnr} dB, SSIM {image.ssim}" if image.psnr is not None else ""
        lines.append(f"seed {image.result.seed}: {image.verdict}{measure}")
    return "\n".join(lines)
