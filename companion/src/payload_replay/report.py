"""A report of replays: one HTML file that needs nothing else, in the reader's own light or dark."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from .batch import Outcome
from .capture import Capture, FormatError, Result
from .differences import Difference, brief, differences
from .errors import ReplayError
from .images import NotAPicture, opened, png
from .measures import heat_map
from .replay import Replay
from .verify import Comparison

if TYPE_CHECKING:
    from .client import WebUI

Stored = Callable[[Result], "bytes | None"]
Heading = tuple[str, str]
"""A title, and its verdict."""

ROOM = 256 * 2**20
"""Bytes of pictures that a report holds; beyond them it only says so."""
NAME = "report.html"
LEAD = (
    "What each capture holds, what came back when it was sent again, and, where they are not the "
    "same, where they differ: black is the same, the brightest spot is off by the number below it."
)


@dataclass(frozen=True)
class Entry:
    """One replay in the report: what it shows, how it came about, and its expected pictures.

    `stored` returns an expected picture's file, or None where it cannot be had.
    """

    title: str
    origin: str
    outcome: Outcome
    stored: Stored


@dataclass
class _Room:
    """How many bytes of pictures there is room for."""

    left: int = field(default_factory=lambda: ROOM)

    def takes(self, data: bytes) -> bool:
        self.left -= len(data)
        return self.left >= 0


class Report:
    """A report that grows with each entry: on the disk, since many pictures are large together.

    It is a file of `folder` once it is written, in place of an older one; until then it lies there
    without a name.

    Raises:
        OSError: there can be no such file, which is found out at once; or the disk is full.
    """

    def __init__(self, folder: Path, title: str, lead: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / NAME
        self.path.open("ab").close()
        self._title, self._lead = title, lead
        self._sections = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._shown: list[Heading] = []
        self._room = _Room()

    def add(self, entry: Entry) -> None:
        """Another section; nothing of the entry is kept."""
        self._shown.append((entry.title, entry.outcome.verdict))
        for part in _section(entry, len(self._shown), self._room):
            self._sections.write(_bytes(part))

    def write(self) -> Path:
        """Write the file; nothing can be added any more."""
        self._sections.seek(0)
        with self._sections, self.path.open("wb") as file:
            file.write(_bytes(_head(self._title, self._lead, self._shown)))
            shutil.copyfileobj(self._sections, file)
            file.write(_bytes(_END))
        return self.path


def write(folder: Path, title: str, lead: str, entries: Iterable[Entry]) -> Path:
    """The report as a file of this folder, in place of an older one. Raises OSError."""
    report = Report(folder, title, lead)
    for entry in entries:
        report.add(entry)
    return report.write()


def of_outcome(outcome: Outcome, webuis: Sequence[WebUI]) -> Entry:
    """The entry of an outcome; `webuis` are asked for the pictures that its capture only names."""
    capture = outcome.replay.capture if outcome.replay else None
    told = outcome.to_dict()
    made = [f"{told['endpoint']}, capture {told['id']}"] if told["id"] else []
    origin = ", ".join(made + ([f"on {outcome.server}"] if outcome.server else []))

    def stored(result: Result) -> bytes | None:
        return _stored(capture, result, webuis) if capture else None

    return Entry(outcome.source, origin, outcome, stored)


def _bytes(text: str) -> bytes:
    """A prompt may hold half of a surrogate pair, which has no UTF-8."""
    return text.encode("utf-8", "xmlcharrefreplace")


def _stored(capture: Capture, result: Result, webuis: Sequence[WebUI]) -> bytes | None:
    names = filter(None, (result.asset, result.thumbnail))
    found = (_asset(capture, name, webui) for name in names for webui in webuis)
    return next((data for data in found if data is not None), None)


def _asset(capture: Capture, name: str, webui: WebUI) -> bytes | None:
    try:
        return capture.asset(name, webui.captures.asset)
    except (ReplayError, FormatError):
        return None


def _head(title: str, lead: str, shown: Sequence[Heading]) -> str:
    return _HEAD.substitute(title=escape(title), lead=escape(lead), summary=_summary(shown))


def _summary(shown: Sequence[Heading]) -> str:
    if len(shown) < 2:
        return ""
    counts = Counter(verdict for _, verdict in shown)
    said = ", ".join(f'<b class="{escape(v)}">{n} {escape(v)}</b>' for v, n in counts.items())
    items = "".join(
        f'<li><a href="#r{n}">{escape(title)}</a> {_verdict(verdict)}</li>'
        for n, (title, verdict) in enumerate(shown, 1)
    )
    return f"<p>{said}</p>\n<ol>{items}</ol>"


def _verdict(verdict: str) -> str:
    return f'<b class="{escape(verdict)}">{escape(verdict)}</b>'


def _section(entry: Entry, number: int, room: _Room) -> Iterator[str]:
    replay, outcome = entry.outcome.replay, entry.outcome
    yield _ENTRY.substitute(
        number=number,
        title=escape(entry.title),
        origin=escape(entry.origin),
        verdict=_verdict(outcome.verdict),
        reason=escape(outcome.reason),
        seconds=f"; replayed in {outcome.seconds:.2f} s" if outcome.seconds is not None else "",
        prompt=escape(str(replay.capture.payload.get("prompt", ""))) if replay else "",
    )
    yield '<div class="pictures">\n'
    yield from _pictures(entry, room)
    yield "</div>\n"
    if replay:
        yield _changes(replay) + _payload(replay)
    yield "</section>\n"


def _pictures(entry: Entry, room: _Room) -> Iterator[str]:
    """Those that were compared, or else those that came; in words where there is none to show."""
    outcome, replay = entry.outcome, entry.outcome.replay
    if replay is None:
        yield from _of_files(outcome, room) if outcome.made else ()
    elif compared := [*replay.images, *replay.others]:
        yield from (_pair(image, entry.stored, room) for image in compared)
    elif replay.verdict != "refused":
        yield from (_alone(_picture(one.data, "replayed", room)) for one in replay.pictures)
        yield "" if replay.pictures else _alone(_words("no picture came"))


def _of_files(outcome: Outcome, room: _Room) -> Iterator[str]:
    """What an earlier run made, where it saved that."""
    names = (outcome.record or {}).get("files") or []
    if not names:
        yield _alone(_words("made by an earlier run, which saved no pictures (--out does)"))
    yield from (_alone(_earlier(name, room)) for name in names)


def _earlier(name: str, room: _Room) -> str:
    try:
        data = Path(name).read_bytes()
        opened(data)
    except (OSError, NotAPicture) as error:
        return _words(f"made by an earlier run, but {error}")
    return _picture(data, "replayed", room, " by an earlier run")


def _pair(image: Comparison, stored: Stored, room: _Room) -> str:
    came = image.answered.picture.data if image.answered else None
    expected = stored(image.result)
    role = "" if image.result.role == "sample" else f"{image.result.role}, "
    absent = image.answered is None and image.result.role != "sample"
    return _PAIR.substitute(
        seed=escape(f"{role}seed {image.result.seed}"),
        verdict="none" if absent else escape(image.verdict),
        said="not sent, which is usual" if absent else escape(image.verdict),
        measure=_measure(image),
        expected=_picture(expected, "captured", room),
        actual=_picture(came, "replayed", room),
        difference=_difference(image, expected, room),
    )


def _measure(image: Comparison) -> str:
    return f", {image.measure}" if image.measure else ""


def _difference(image: Comparison, expected: bytes | None, room: _Room) -> str:
    if image.verdict == "identical" or image.answered is None or expected is None:
        return ""
    try:
        found = heat_map(opened(expected), image.answered.picture.image)
    except NotAPicture:
        return ""
    if found is None:
        return _words("pictures of two sizes have no difference to show")
    return _picture(png(found[0]), "difference", room, f", at most {found[1]} of 255")


def _picture(data: bytes | None, label: str, room: _Room, more: str = "") -> str:
    if data is None:
        return _words(f"no {label} picture")
    if not room.takes(data):
        return _words(f"the {label} picture is left out: the report is full")
    kind = "png" if data.startswith(b"\x89PNG") else "webp" if data[8:12] == b"WEBP" else "jpeg"
    text = base64.b64encode(data).decode("ascii")
    source = f'src="data:image/{kind};base64,{text}"'
    return f'<span><img alt="{label}" title="{label}" {source}>{label}{more}</span>'


def _words(text: str) -> str:
    return f'<span class="none">{escape(text)}</span>'


def _alone(shown: str) -> str:
    """A picture with which nothing was compared."""
    return f'<figure><div class="row">{shown}</div></figure>\n'


def _changes(replay: Replay) -> str:
    items = "".join(f"<li>{escape(str(change))}</li>" for change in replay.changes)
    return f"<h3>Rewritten for this server</h3>\n<ul>{items}</ul>\n" if items else ""


def _payload(replay: Replay) -> str:
    """What was sent against what the server says that it took."""
    if not replay.parameters:
        return ""
    found = list(differences(replay.capture.payload, replay.parameters))
    told = [one for one in found if one.kind != "added"]
    added = [one for one in found if one.kind == "added"]
    text = "<h3>Payload: sent, and taken by the server</h3>\n"
    text += _table(told) if told else "<p>The server took every field as it was sent.</p>\n"
    if added:
        count = f"Not sent, and filled in by the server: {len(added)}"
        text += f"<details><summary>{count}</summary>{_table(added)}</details>\n"
    return text


def _table(rows: Sequence[Difference]) -> str:
    return _TABLE.substitute(rows="".join(map(_row, rows)))


def _row(one: Difference) -> str:
    kind = "not repeated" if one.withheld else one.kind
    sent = brief(one.sent) if one.kind != "added" else ""
    said = brief(one.said) if one.kind != "removed" else ""
    cells = "".join(f"<td>{escape(text)}</td>" for text in (one.path, sent, said))
    return f'<tr class="{one.kind}"><td>{kind}</td>{cells}</tr>\n'


_END = "</body>\n</html>\n"
_TABLE = Template(
    '<div class="wide"><table><thead><tr><th></th><th>field</th><th>sent</th><th>taken</th></tr>'
    "</thead><tbody>$rows</tbody></table></div>\n"
)
_PAIR = Template(
    '<figure><div class="row">$expected$actual$difference</div>'
    '<figcaption>$seed <b class="$verdict">$said$measure</b></figcaption></figure>\n'
)
_ENTRY = Template(
    """<section id="r$number">
<h2>$title $verdict</h2>
<p class="origin">$origin$seconds</p>
<p class="reason">$reason</p>
<p class="prompt">$prompt</p>
"""
)
_HEAD = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
:root { color-scheme: light dark; --line: #8886; --good: #177245; --near: #7d5700; --bad: #b3261e;
  --soft: #8881 }
@media (prefers-color-scheme: dark) { :root { --good: #6fcf97; --near: #e5b94e; --bad: #ff8a80 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere }
h3 { font-size: .9rem; margin: .8rem 0 .2rem }
section { border-top: 1px solid var(--line); padding: 1rem 0 }
p { margin: .2rem 0; overflow-wrap: anywhere } a { color: inherit }
ol, ul { margin: .3rem 0; padding-left: 1.6rem; overflow-wrap: anywhere }
.origin, .prompt, figcaption, .none { opacity: .8 }
.prompt, td { font-family: ui-monospace, monospace; font-size: .82rem; overflow-wrap: anywhere }
b.identical { color: var(--good) } b.close, b.unverified { color: var(--near) }
b.different, b.refused, b.failed { color: var(--bad) }
.pictures { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem }
figure { margin: .5rem 0; max-width: 100% } figcaption { font-size: .85rem }
.row { display: flex; gap: .5rem }
.row span { font-size: .8rem; max-width: 18rem; min-width: 0 }
img { display: block; max-width: 100%; border: 1px solid var(--line); box-sizing: border-box }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .6rem .2rem 0; text-align: left;
  vertical-align: top }
td:first-child { font-family: inherit; white-space: nowrap } th { font-size: .8rem }
td:nth-child(n+3) { min-width: 8rem }
tr.changed td:first-child { color: var(--near) } tr.removed td:first-child { color: var(--bad) }
summary { cursor: pointer; margin: .4rem 0 }
</style>
</head>
<body>
<h1>$title</h1>
<p>$lead</p>
$summary
"""
)
