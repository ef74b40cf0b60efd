"""The report holds everything itself, and nothing of a prompt becomes markup."""

from __future__ import annotations

import base64
import dataclasses
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from fake_webui import FakeWebUI
from payload_replay import BadSource, Capture, WebUI, report
from payload_replay.batch import Outcome
from payload_replay.capture import Result
from payload_replay.images import opened
from payload_replay.report import Entry, of_outcome, write

pytestmark = pytest.mark.once

EVIL = "<script>alert(1)</script> $title \" ' & ${x}"


def render(title: str, lead: str, entries: list[Entry]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder), title, lead, entries).read_text("utf-8")


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


@pytest.fixture
def differing(fake: FakeWebUI, webui: WebUI, captured) -> Outcome:
    """Of two pictures, and of a server that leaves a field out and fills others in."""
    capture = captured({"prompt": "a cat", "batch_size": 2, "scheduler": "Karras"})
    generate = fake.generate

    def taken(payload: dict[str, object]) -> dict[str, object]:
        answer = generate(payload)
        parameters = {k: v for k, v in payload.items() if k != "scheduler"}
        return answer | {"parameters": parameters | {"steps": 3, "eta": None}}

    fake.generate = taken
    fake.options["eta_noise_seed_delta"] = 1
    return Outcome("cat.json", webui.replay(capture))


def test_expected_actual_and_where_they_differ(webui: WebUI, differing: Outcome) -> None:
    text = render("A", "B", [of_outcome(differing, [webui])])
    sources = Tags(text).sources
    assert len(sources) == 6
    maps = [opened(base64.b64decode(source.partition(",")[2])) for source in sources[2::3]]
    assert all(image.size == (16, 16) and image.mode == "RGB" for image in maps)
    assert max(high for _, high in maps[0].getextrema()) == 255
    assert re.search(r"difference, at most \d+ of 255", text)
    assert re.search(r"different, [\d.]+ dB, SSIM -?0\.\d+", text)
    assert "/sdapi/v1/txt2img, capture cat-1" in text


def test_a_picture_is_asked_for_at_each_server(webui: WebUI, captured) -> None:
    outcome = Outcome("x", webui.replay(captured()))
    with FakeWebUI() as empty, WebUI(empty.url) as other:
        for webuis, pictures in (([other], 1), ([other, webui], 2)):
            text = render("A", "B", [of_outcome(outcome, webuis)])
            assert len(Tags(text).sources) == pictures


def test_identical_pictures_have_no_map(webui: WebUI, captured) -> None:
    text = render("A", "B", [of_outcome(Outcome("x", webui.replay(captured())), [webui])])
    assert len(Tags(text).sources) == 2
    assert "difference" not in text.partition("<section")[2]


def test_what_was_not_compared_shows_what_came(webui: WebUI) -> None:
    bare = Outcome("bare.json", webui.replay({"prompt": "a", "batch_size": 2}))
    text = render("A", "B", [of_outcome(bare, [webui])])
    assert bare.replay is not None
    assert [base64.b64decode(one.partition(",")[2]) for one in Tags(text).sources] == [
        picture.data for picture in bare.replay.pictures
    ]
    assert "captured picture" not in text
    none = dataclasses.replace(bare, replay=dataclasses.replace(bare.replay, pictures=[]))
    assert "no picture came" in render("A", "B", [of_outcome(none, [webui])])


def test_an_earlier_run_that_saved_nothing(webui: WebUI, outcome: Outcome) -> None:
    text = render("A", "B", [of_outcome(outcome.slim(), [webui])])
    assert "made by an earlier run, which saved no pictures" in text


def test_a_file_that_is_no_picture_is_not_shown(webui: WebUI, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not to be embedded")
    record = {"verdict": "identical", "pictures": 1, "files": [str(tmp_path / "secret")]}
    text = render("A", "B", [of_outcome(Outcome("x", record=record), [webui])])
    assert "made by an earlier run, but" in text
    assert Tags(text).sources == []


def test_what_was_sent_and_what_was_taken(webui: WebUI, differing: Outcome) -> None:
    text = render("A", "B", [of_outcome(differing, [webui])])
    rows = re.findall(r'<tr class="(\w+)"><td>([\w ]+)</td><td>(\w+)</td>', text)
    assert rows == [
        ("changed", "changed", "steps"),
        ("removed", "removed", "scheduler"),
        ("added", "added", "eta"),
    ]
    assert "filled in by the server: 1<" in text


def test_what_was_rewritten(fake: FakeWebUI, webui: WebUI) -> None:
    payload = {"prompt": "a", "override_settings": {"sd_model_checkpoint": "x [0123456789]"}}
    done = Outcome("x", webui.replay(Capture.from_payload(payload), migrate=True))
    text = render("A", "B", [of_outcome(done, [webui])])
    assert "Rewritten for this server" in text
    assert "the file of this hash has that title here" in text


def test_several_are_listed_first(webui: WebUI, outcome: Outcome) -> None:
    lost = Outcome("y", error=BadSource("no such file"))
    text = render("A", "B", [of_outcome(outcome, [webui]), of_outcome(lost, [webui])])
    assert '<b class="identical">1 identical</b>, <b class="refused">1 refused</b>' in text
    assert 'href="#r2"' in text
    assert 'id="r2"' in text


def test_a_report_has_an_end(
    webui: WebUI, differing: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "ROOM", 1000)
    text = render("A", "B", [of_outcome(differing, [webui])])
    assert len(Tags(text).sources) == 1
    assert "is left out: the report is full" in text


def test_half_a_surrogate_pair_is_written(webui: WebUI, tmp_path: Path) -> None:
    lost = Outcome("x \ud83d y", error=BadSource("\ud83d"))
    path = write(tmp_path / "deep", "A", "B", [of_outcome(lost, [webui])])
    assert "x &#55357; y" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 800])
def test_the_page_fits(
    browser: Browser, webui: WebUI, differing: Outcome, tmp_path: Path, scheme: Any, width: int
) -> None:
    """Nothing is wider than the window, no request leaves it, and text stands out from the page."""
    lost = Outcome("y" * 300, error=BadSource("no such file " * 40))
    entries = [of_outcome(one, [webui]) for one in (differing, lost)]
    path = write(tmp_path, "Replayed", report.LEAD, entries)
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.click("summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth)") is True
    dark = page.evaluate("getComputedStyle(document.body).color") == "rgb(255, 255, 255)"
    assert dark is (scheme == "dark")
    context.close()
