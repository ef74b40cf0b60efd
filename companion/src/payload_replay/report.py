"""A report of replays: one HTML file that needs nothing else, in the reader's own light or dark."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from .batch import Outcome
from .capture import Result
from .verify import Comparison

Stored = Callable[[Result], "bytes | None"]


@dataclass(frozen=True)
class Entry:
    """One replay in the report: what it shows, how it came about, and its expected pictures.

    `stored` returns an expected picture's file, or None where it cannot be had.
    """

    title: str
    origin: str
    outcome: Outcome
    stored: Stored


def render(title: str, lead: str, entries: Sequence[Entry]) -> str:
    """The report as HTML."""
    return _PAGE.substitute(
        title=escape(title), lead=escape(lead), entries="\n".join(map(_entry, entries))
    )


def _entry(entry: Entry) -> str:
    replay, outcome = entry.outcome.replay, entry.outcome
    images = [*replay.images, *replay.others] if replay else []
    return _ENTRY.substitute(
        title=escape(entry.title),
        origin=escape(entry.origin),
        verdict=escape(outcome.verdict),
        reason=escape(outcome.reason),
        seconds=f"; replayed in {replay.seconds:.2f} s" if replay else "",
        prompt=escape(str(replay.capture.payload.get("prompt", ""))) if replay else "",
        pictures="\n".join(_pair(image, entry.stored) for image in images),
    )


def _pair(image: Comparison, stored: Stored) -> str:
    came = image.answered.picture.data if image.answered else None
    role = "" if image.result.role == "sample" else f"{image.result.role}, "
    seed = f"{role}seed {image.result.seed}"
    absent = image.answered is None and image.result.role != "sample"
    return _PAIR.substitute(
        seed=escape(seed),
        verdict="none" if absent else escape(image.verdict),
        said="not sent, which is usual" if absent else escape(image.verdict),
        measure=f", {image.psnr} dB" if image.psnr is not None else "",
        expected=_picture(stored(image.result), "captured"),
        actual=_picture(came, "replayed"),
    )


def _picture(data: bytes | None, label: str) -> str:
    if data is None:
        return f'<span class="none">no {label} picture</span>'
    kind = "png" if data.startswith(b"\x89PNG") else "webp" if data[8:12] == b"WEBP" else "jpeg"
    text = base64.b64encode(data).decode("ascii")
    return f'<img alt="{label}" title="{label}" src="data:image/{kind};base64,{text}">'


_PAIR = Template(
    "<figure>$expected$actual"
    '<figcaption>$seed <b class="$verdict">$said$measure</b></figcaption></figure>'
)
_ENTRY = Template(
    """<section>
<h2>$title <b class="$verdict">$verdict</b></h2>
<p class="origin">$origin$seconds</p>
<p>$reason</p>
<p class="prompt">$prompt</p>
<div class="pictures">
$pictures
</div>
</section>"""
)
_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
:root { color-scheme: light dark; --line: #8884; --good: #177245; --near: #8a6100; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --good: #6fcf97; --near: #e5b94e; --bad: #ff8a80 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.05rem; margin: 0 }
section { border-top: 1px solid var(--line); padding: 1rem 0 }
p { margin: .2rem 0 } .origin, .prompt, figcaption, .none { opacity: .75 }
.prompt { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere }
b.identical { color: var(--good) } b.close, b.unverified { color: var(--near) }
b.different, b.refused, b.failed { color: var(--bad) }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: .5rem 0 } figcaption { font-size: .85rem }
img { display: inline-block; max-width: 18rem; margin-right: 4px; vertical-align: top }
</style>
</head>
<body>
<h1>$title</h1>
<p>$lead</p>
$entries
</body>
</html>
"""
)
