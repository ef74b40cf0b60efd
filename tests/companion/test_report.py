"""The report holds everything itself, and nothing of a prompt becomes markup."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest

from fake_webui import FakeWebUI
from payload_replay import BadSource, WebUI
from payload_replay.batch import Outcome
from payload_replay.capture import Result
from payload_replay.report import Entry, render

pytestmark = pytest.mark.once

EVIL = "<script>alert(1)</script> $title \" ' & ${x}"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.fixture
def outcome(webui: WebUI, captured) -> Outcome:
    return Outcome("latest", webui.replay(captured({"prompt": EVIL, "batch_size": 2})))


def test_pictures_are_inside(outcome: Outcome) -> None:
    text = render("A", "B", [Entry("C", "D", outcome, lambda result: b"RIFF1234WEBP")])
    sources = Tags(text).sources
    assert len(sources) == 4
    assert [source.partition(";")[0] for source in sources] == [
        "data:image/webp",
        "data:image/png",
    ] * 2
    assert outcome.replay is not None
    assert base64.b64decode(sources[1].partition(",")[2]) == outcome.replay.pictures[0].data


def test_nothing_is_loaded_from_elsewhere(outcome: Outcome) -> None:
    text = render("A", "B", [Entry("C", "D", outcome, lambda result: None)])
    assert "http" not in text
    assert not re.search(r"url\(|@import|<script|<link", text)
    assert "prefers-color-scheme: dark" in text


def test_no_text_becomes_markup(outcome: Outcome) -> None:
    plain = render("a", "b", [Entry("c", "d", outcome, lambda result: None)])
    evil = render(EVIL, EVIL, [Entry(EVIL, EVIL, outcome, lambda result: None)])
    assert Tags(evil).tags == Tags(plain).tags
    assert "script" not in Tags(evil).tags
    assert "$title" in evil


def test_errors_and_missing_pictures(fake: FakeWebUI, webui: WebUI, captured) -> None:
    capture = captured()
    fake.options["eta_noise_seed_delta"] = 1
    grid = Result("0" * 64, 8, 8, "grid", 7)
    capture.results.append(grid)
    entries = [
        Entry("a", "b", Outcome("x", webui.replay(capture)), lambda result: None),
        Entry("c", "d", Outcome("y", error=BadSource("no such file")), lambda result: None),
    ]
    text = render("A", "B", entries)
    assert "no such file" in text
    assert "no captured picture" in text
    assert "not sent, which is usual" in text
    assert re.search(r"different, \d+\.\d dB", text)
