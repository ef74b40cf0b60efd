"""What was kept elsewhere, read as captures: whatever it is, its bytes tell.

=================  ==============================================================================
zip                a bundle
picture            PNG, JPEG, WebP, AVIF with an infotext: through the server's parser where one is
                   there, else the standard fields; a PNG is also what a replay must bring back,
                   and its pixels may hold the text
JSON               a capture, what ``…/request`` answers, a bare payload (payload-display's copy),
                   HAR, a Postman collection, agent-scheduler's export
text               a curl or HTTPie command line (bash, or cmd), an infotext
=================  ==============================================================================

Everything is hostile until proven otherwise. Nothing is run, unpickled or fetched; no file but the
source is opened, unless `folder` names where a command's ``@file`` may lie. `source.MAX_BYTES`
bounds a file, `capture.MAX_VALUES` what is parsed of it, `bundle.MAX_BYTES` what it unpacks to, and
Pillow's limit (179 million pixels, 0.7 GB) a picture that is decoded. Memory at its peak, measured:
4 times the file, 9 times where its text is beyond Latin-1, and 0.5 GB for two million values.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import bundle, curl, har, metadata, parameters, scheduler, stealth
from .capture import Asset, Capture, Caveat, FormatError, Result, parse_json
from .images import NotAPicture, hashed, opened
from .infotext import seed
from .named import SAME
from .parameters import Remade

Ask = Callable[[bytes], Mapping[str, Any] | None]
"""From a picture's file to what ``/sdapi/v1/png-info`` answers, or None where nobody is there."""

PLACEHOLDER = "base64image placeholder"
"""What payload-display's copy holds in place of a picture (2d3332d, ``api_payload_display.py``)."""
_FAILED = {"Exception", "Traceback"}  # what it copies where it failed itself
_MARKED = "the lowest bits of the picture's colours hold its infotext: a replay is close at best"
_NOTHING = (
    "this is no capture, payload, bundle, picture with an infotext, HAR, Postman collection, "
    "agent-scheduler export or curl command"
)


class Found(NamedTuple):
    """The captures in a file, at least one, in its order; `is_payload` where the file is nothing
    but a payload or a request, so that it may name pictures as `attachments` says.
    """

    captures: list[Capture]
    is_payload: bool = False


def read(
    data: bytes,
    endpoint: str | None = None,
    ask: Ask | None = None,
    folder: Path | None = None,
) -> Found:
    """What a file's bytes hold.

    Args:
        endpoint: the path where a bare payload belongs.
        ask: asks a server for its reading of a picture.
        folder: where files named by a command line may be read.

    Raises:
        FormatError: it is nothing of the above, or damaged.
    """
    if bundle.is_bundle(data):
        return Found([bundle.read(data)])
    if metadata.is_picture(data):
        return Found([_of_picture(data, ask)])
    text = _text(data)
    if isinstance(text, bytes):
        return _of_json(parse_json(text), endpoint)
    if parameters.is_infotext(text):  # first: a prompt's line may begin with "curl"
        return Found([_remade(parameters.read(text))])
    if curl.is_command(text):
        where, payload = curl.read(text, folder)
        return Found([_bare(payload, where)])
    raise FormatError("", _NOTHING)


def one(captures: list[Capture], number: int | None = None) -> Capture:
    """The capture with this number, counted from 1, or the only one.

    Raises:
        FormatError: there are several, which it lists, or not as many.
    """
    if number is None and len(captures) == 1:
        return captures[0]
    if number is not None and 1 <= number <= len(captures):
        return captures[number - 1]
    listed = "; ".join(_listed(captures))
    raise FormatError("", f"holds {len(captures)} requests, pick one as SOURCE#N: {listed}")


def _listed(captures: list[Capture]) -> Iterator[str]:
    for number, capture in enumerate(captures[:20], 1):
        prompt = " ".join(str(capture.payload.get("prompt", "")).split())
        yield f"#{number} {capture.endpoint.rpartition('/')[2]} {prompt[:40]!r}"
    if len(captures) > 20:
        yield "…"


def _text(data: bytes) -> bytes | str:
    """JSON as bytes, other text as a string. Windows' editors and PowerShell write UTF-16."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    data = data.removeprefix(b"\xef\xbb\xbf")
    start = data[:200].lstrip()[:1]
    if start in (b"{", b"[", b"") or (not start.isalpha() and start not in b"#@$>:"):
        return data
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return text if curl.is_command(text) or parameters.is_infotext(text) else data


# ---- JSON


def _of_json(document: Any, endpoint: str | None) -> Found:
    if isinstance(document, list) and scheduler.is_export(document):
        return Found([_remade(task) for task in scheduler.read(document)])
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise FormatError("", f"not a capture: the document is a {kind}, not an object")
    if "format" in document:
        return Found([Capture.from_dict(document)])
    if har.is_har(document) or har.is_postman(document):
        return Found([_bare(payload, path) for path, payload in har.requests(document)])
    if _is_request(document):
        made = _bare(document["payload"], endpoint or document["endpoint"])
        return Found([made], is_payload=True)
    return Found([_bare(document, endpoint)], is_payload=True)


def _is_request(document: Mapping[str, Any]) -> bool:
    """What ``…/captures/{id}/request`` answers, saved to a file."""
    return (
        document.keys() == {"method", "endpoint", "payload"}
        and isinstance(document["payload"], dict)
        and isinstance(document["endpoint"], str)
    )


def _bare(payload: Mapping[str, Any], endpoint: str | None) -> Capture:
    if payload.keys() == _FAILED:
        raise FormatError("", f"payload-display failed: {str(payload['Exception'])[:200]}")
    capture = Capture.from_payload(payload, endpoint)
    caveats = [_placeholder(path) for path in _placeholders(capture.payload)]
    return dataclasses.replace(capture, warnings=caveats)


def _placeholder(path: str) -> Caveat:
    reason = "payload-display copied no picture here; put the picture's base64 in its place"
    return Caveat(path, reason, "blocks")


def _placeholders(value: Any, path: str = "") -> Iterator[str]:
    if value == PLACEHOLDER:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _placeholders(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _placeholders(item, f"{path}[{index}]")


def _remade(found: Remade) -> Capture:
    capture = _bare(found.payload, found.endpoint)
    warnings = [*capture.warnings, *found.warnings]
    return dataclasses.replace(capture, host=found.host, warnings=warnings)


# ---- pictures


def _of_picture(data: bytes, ask: Ask | None) -> Capture:
    told = (ask(data) if ask else None) or {}
    text = told.get("info")
    text = text if isinstance(text, str) and text.strip() else metadata.infotext(data)
    fields = told.get("parameters")
    fields = _told(fields) if isinstance(fields, dict) else {}
    capture = _remade(parameters.read(text, fields))
    return _expecting(capture, data, text) if data.startswith(b"\x89PNG") else capture


def _told(fields: Mapping[str, Any]) -> dict[str, str]:
    """What the server reads out of a text, as far as it is a standard field that says something."""
    known = parameters.FIELDS.keys() | parameters.SETTINGS.keys()
    silent = ("", None, *SAME)
    return {k: str(v) for k, v in fields.items() if k in known and v not in silent}


def _expecting(capture: Capture, data: bytes, text: str) -> Capture:
    """With the picture as what a replay must bring back, unless its size says that it is a grid."""
    try:
        image = opened(data)
    except NotAPicture as error:
        raise FormatError("", f"a picture that cannot be read: {error}") from error
    width, height = image.size
    payload = capture.payload
    if not payload.get("enable_hr") and image.size != (payload.get("width"), payload.get("height")):
        return capture
    if stealth.in_colours(image):
        capture.warnings.append(Caveat("results", _MARKED, "pixels"))
    name = hashlib.sha256(data).hexdigest()
    asset = Asset("image/png", len(data), width, height, base64.b64encode(data).decode())
    result = Result(hashed(image), width, height, "sample", seed(text), None, text, name)
    return dataclasses.replace(capture, results=[result], assets={name: asset})
