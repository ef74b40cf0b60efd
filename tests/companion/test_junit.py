"""JUnit XML in the shape that Jenkins and Surefire read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_webui import FakeWebUI
from payload_replay import BadSource, ServerError, WebUI
from payload_replay.batch import Outcome
from payload_replay.capture import Job
from payload_replay.junit import NOT_RUN, case, render, speakable, write

pytestmark = pytest.mark.once

EVIL = "\x00\x1b[31m</testsuite>]]>&\"'\ud800 \ufffe 🐈 \x7f"

# Of the two schemas, Jenkins' junit-10.xsd and Surefire's surefire-test-report.xsd: for each
# element its attributes (True: needed) and, in their order, the elements that it may hold.
SHAPE: dict[str, tuple[dict[str, bool], tuple[str, ...]]] = {
    "testsuites": (
        {"name": False, "time": False, "tests": False, "failures": False, "errors": False},
        ("testsuite",),
    ),
    "testsuite": (
        dict.fromkeys(("name", "tests", "failures", "errors", "skipped", "time"), True),
        ("properties", "testcase"),
    ),
    "properties": ({}, ("property",)),
    "property": ({"name": True, "value": True}, ()),
    "testcase": (
        {"name": True, "classname": True, "time": True},
        ("skipped", "error", "failure", "system-out"),
    ),
    "skipped": ({"message": False}, ()),
    "error": ({"message": False, "type": True}, ()),
    "failure": ({"message": False, "type": True}, ()),
    "system-out": ({}, ()),
}
COUNTS = ("tests", "failures", "errors", "skipped")


def rendered(*outcomes: Outcome, servers: Sequence[str] = ()) -> bytes:
    return render([case(outcome) for outcome in outcomes], servers)


def valid(data: bytes) -> ET.Element:
    """The root, if it is of that shape and counts what it holds."""
    root = ET.fromstring(data)
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = SHAPE[element.tag]
        assert element.attrib.keys() <= attributes.keys()
        assert {name for name, needed in attributes.items() if needed} <= element.attrib.keys()
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places)
        assert float(element.get("time", "0")) >= 0
    for suite in root.iter("testsuite"):
        held = [
            len(suite.findall(path)) for path in ("testcase", "*/failure", "*/error", "*/skipped")
        ]
        assert [int(suite.get(name, "")) for name in COUNTS] == held
    return root


@pytest.fixture
def outcomes(fake: FakeWebUI, webui: WebUI, captured) -> list[Outcome]:
    same = Outcome("same.json", webui.replay(captured()))
    bare = Outcome("bare.json", webui.replay({"prompt": "a", "steps": 2}))
    stopped = Outcome("stopped.json", webui.replay(captured(job=Job(state="interrupted"))))
    capture = captured({"prompt": EVIL.replace("\ud800", "")})
    fake.options["eta_noise_seed_delta"] = 5
    other = Outcome("other.json", webui.replay(capture))
    lost = Outcome("lost.json", error=BadSource("there is no such file"))
    broken = Outcome("broken.json", error=ServerError(500, "no memory"))
    return [same, bare, stopped, other, lost, broken]


def test_each_verdict(outcomes: list[Outcome]) -> None:
    root = valid(rendered(*outcomes, servers=["http://127.0.0.1:7860"]))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    kinds = {name: [child.tag for child in case] for name, case in cases.items()}
    assert kinds == {
        "same.json": ["system-out"],
        "bare.json": ["skipped", "system-out"],
        "stopped.json": ["error", "system-out"],
        "other.json": ["failure", "system-out"],
        "lost.json": ["error"],
        "broken.json": ["error"],
    }
    failure = cases["other.json"].find("failure")
    assert failure is not None
    assert failure.get("type") == "different"
    assert "dB, SSIM" in (failure.get("message") or "")
    assert "seed 7: different" in (cases["other.json"].findtext("system-out") or "")
    assert cases["lost.json"].find("error[@type='refused']") is not None
    assert cases["broken.json"].find("error[@type='failed']") is not None
    (server,) = root.iter("property")
    assert server.get("value") == "http://127.0.0.1:7860"


def test_green_and_exit_code_0_go_together(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        root = valid(rendered(outcome))
        green = not [*root.iter("failure"), *root.iter("error")]
        assert green is (outcome.status == 0)


def test_what_xml_cannot_hold_survives(outcomes: list[Outcome]) -> None:
    evil = Outcome(EVIL, error=BadSource(EVIL))
    (case,) = valid(rendered(evil)).iter("testcase")
    assert case.get("name") == speakable(EVIL)
    assert "\\x00\\x1b[31m</testsuite>]]>&\"'\\ud800 \\ufffe 🐈" in speakable(EVIL)
    said = valid(rendered(*outcomes)).findtext(".//testcase[@name='other.json']/system-out") or ""
    assert "\\x1b[31m</testsuite>]]>" in said
    assert "🐈" in said


@given(text=st.text())
def test_any_text(text: str) -> None:
    (case,) = valid(rendered(Outcome(text, error=BadSource(text)))).iter("testcase")
    assert case.get("name") == speakable(text)


def test_an_older_file_is_replaced(tmp_path: Path, outcomes: list[Outcome]) -> None:
    path = tmp_path / "junit.xml"
    path.write_text("older" * 10_000)
    write(path, [case(outcome) for outcome in outcomes])
    assert path.read_bytes() == rendered(*outcomes)


def test_what_an_earlier_run_made_has_its_seconds_and_server(outcomes: list[Outcome]) -> None:
    other = dataclasses.replace(outcomes[3], server="http://127.0.0.1:7861").slim()
    (element,) = valid(rendered(other)).iter("testcase")
    assert float(element.get("time", "")) == pytest.approx(other.seconds, abs=0.001)
    assert float(element.get("time", "")) > 0
    lines = (element.findtext("system-out") or "").splitlines()
    assert lines[0] == "server http://127.0.0.1:7861"
    assert lines[1].endswith("/sdapi/v1/txt2img; made by an earlier run")
    assert lines[2].endswith(": different")


def test_a_case_holds_no_pictures(outcomes: list[Outcome]) -> None:
    assert all(isinstance(value, (str, float)) for value in vars(case(outcomes[0])).values())


def test_a_job_that_was_not_begun_is_skipped() -> None:
    left = Outcome("left.json", record={"verdict": NOT_RUN, "reason": "stopped"})
    (element,) = valid(rendered(left)).iter("testcase")
    assert [child.tag for child in element] == ["skipped"]
