"""HAR and Postman; test_export sends what they hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay import Capture, archives, posting
from payload_replay.capture import TXT2IMG, Job

pytestmark = pytest.mark.once


@given(st.dictionaries(st.text('{}a$\\"'), st.text('{}a$\\"') | st.just({})))
def test_postman_finds_no_variable_in_a_body(payload: dict[str, Any]) -> None:
    made = archives.postman(posting.of(Capture.from_payload(payload, TXT2IMG)))
    raw = json.loads(made)["item"][0]["request"]["body"]["raw"]
    assert json.loads(raw) == payload
    assert not re.search("{{.*}}", raw, re.DOTALL)


def test_har_says_when() -> None:
    job = Job("2026-01-02T03:04:05Z")
    capture = Capture(1, "a", TXT2IMG, {}, job=job)
    for each, time in ((capture, job.started), (Capture(1, "a", TXT2IMG, {}), archives.NEVER)):
        (entry,) = json.loads(archives.har(posting.of(each), each))["log"]["entries"]
        assert entry["startedDateTime"] == time
