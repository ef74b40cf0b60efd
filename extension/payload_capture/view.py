"""Captures as the page's script draws them: JSON that holds no picture and no endless text.

A value of the payload becomes a node: ``{"object": [[key, node], ...]}``, ``{"list": [...]}``,
``{"text": ..., "length": n}`` (`text` cut), ``{"value": "7.0"}`` for what JSON writes without
quotes, as Python writes it (a script would show 7.0 as 7 and lose the digits of large seeds), or
``{"picture": source, ...}``. A source is what the script sends back to see a picture: the asset's
sha256, or the path of a string that holds one as base64, as API clients put them into arguments.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from payload_capture.capture import (
    BATCH,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    AssetError,
    Capture,
    Extension,
    Model,
    canonical,
    references,
    referred,
)
from payload_capture.pictures import blurred, encoded_type

CUT = 600
"""Characters of a text that are shown until somebody asks for all."""
CUT_DATA = 60
"""The same for text that nobody reads: base64 and the like."""
ROW_CUT = 200
INFOTEXT_CUT = 4000
THUMBNAIL = 256
SMALL = 16 * 1024
"""Bytes of a picture that is its own thumbnail."""

_WORDLESS = re.compile(r"[A-Za-z0-9+/=_-]{120,}")
_SHOWN = frozenset(("image/png", "image/jpeg", "image/webp", "image/gif"))

Path = list[Any]


def row(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the list, from the store's summary."""
    made = dict(summary)
    for name in ("prompt", "error", "failure", "model"):
        made[name] = _cut(made[name] or "", ROW_CUT)
    return made | {"seed": "" if made["seed"] is None else str(made["seed"])}


def shown(capture: Capture) -> dict[str, Any]:
    """A whole capture, without its pictures."""
    job = capture.job
    return {
        "id": capture.id,
        "endpoint": capture.endpoint,
        "state": job.state,
        "error": _cut(job.error or "", INFOTEXT_CUT),
        "started": job.started,
        "seconds": job.seconds,
        "source": job.source,
        "blocked": next((c.reason for c in capture.warnings if c.severity == "blocks"), ""),
        "weight": weight(capture),
        "fits": fits(capture),
        "warnings": [dataclasses.asdict(warning) for warning in capture.warnings],
        "results": [
            {
                "thumbnail": result.thumbnail or result.asset,
                "asset": result.asset,
                "size": [result.width, result.height],
                "role": result.role,
                "seed": "" if result.seed is None else str(result.seed),
                "infotext": _cut(result.infotext, INFOTEXT_CUT),
            }
            for result in capture.results
        ],
        "facts": [fact for fact in facts(capture) if fact[1]],
        "payload": node(capture.payload, capture, []),
        "template": node(capture.template, capture, None) if capture.template else None,
        "resolved": node(capture.resolved, capture, None) if capture.resolved else None,
    }


def fits(capture: Capture) -> dict[str, str] | None:
    """The tab that makes such pictures: `target` as its ids begin, `shown` as it is called; None
    for a capture without any request."""
    requests = capture.payload.get("requests") if capture.endpoint == BATCH else None
    endpoint, payload = capture.endpoint, capture.payload
    if endpoint == BATCH:
        if not requests:
            return None
        endpoint, payload = requests[0]["endpoint"], requests[0]["payload"]
    if endpoint == IMG2IMG:
        return {"target": "img2img", "shown": "inpaint" if payload.get("mask") else "img2img"}
    target = "txt2img" if endpoint in (TXT2IMG, UPSCALE) else "extras"
    return {"target": target, "shown": target}


def facts(capture: Capture) -> list[tuple[str, str]]:
    """What is known of the host and the job, as label and text."""
    host, job = capture.host, capture.job
    return [
        ("Checkpoint", _model(host.checkpoint)),
        ("VAE", _model(host.vae)),
        ("LoRAs", ", ".join(map(_model, host.loras))),
        ("Web UI", f"{host.webui} {host.version}".strip()),
        ("Device", host.device),
        ("Torch", host.torch),
        ("Python", host.python),
        ("Gradio", host.gradio),
        ("Extensions", ", ".join(map(_extension, host.extensions))),
        ("User", job.user or ""),
        ("Task", job.task or ""),
        ("Capture", capture.id),
    ]


def _model(model: Model | None) -> str:
    if model is None:
        return ""
    known = model.hash is None or model.hash in model.title
    return model.title if known else f"{model.title} [{model.hash}]"


def _extension(extension: Extension) -> str:
    return f"{extension.name} {extension.version[:8]}".strip()


# ---- the payload


def node(value: Any, capture: Capture, path: Path | None) -> dict[str, Any]:
    """A value below `path` of the payload (None: elsewhere) as the script draws it."""
    if (sha256 := referred(value)) is not None:
        asset = capture.assets[sha256]
        size = [asset.width, asset.height]
        return {"picture": sha256, "type": asset.media_type, "size": size, "bytes": asset.size}
    if isinstance(value, dict):
        items = ((key.removeprefix("$"), item) for key, item in value.items())
        return {"object": [[key, node(item, capture, _at(path, key))] for key, item in items]}
    if isinstance(value, list):
        return {"list": [node(v, capture, _at(path, i)) for i, v in enumerate(value)]}
    if isinstance(value, str):
        return _text(value, path)
    return {"value": json.dumps(value)}


def _text(value: str, path: Path | None) -> dict[str, Any]:
    if path is not None and (media_type := encoded_type(value)):
        return {"picture": path, "type": media_type, "bytes": len(value) * 3 // 4}
    wordless = len(value) > CUT and _WORDLESS.match(value)
    shown = _cut(value, CUT_DATA if wordless else CUT, "")
    return {"text": shown, "length": len(value)}


def _at(path: Path | None, key: Any) -> Path | None:
    return None if path is None else [*path, key]


def text_at(capture: Capture, path: Iterable[Any]) -> str:
    """The text at `path` of the payload. Raises LookupError."""
    value: Any = capture.payload
    for key in path:
        if isinstance(value, dict):
            value = value["$" + key if key.startswith("$") else key]
        else:
            value = value[key]
    if not isinstance(value, str):
        raise LookupError("there is no text at this place")
    return value


def bytes_at(capture: Capture, path: Iterable[Any]) -> tuple[str, bytes]:
    """(media type, bytes) of the picture that the text at `path` holds. Raises LookupError."""
    text = text_at(capture, path)
    media_type = encoded_type(text)
    if media_type is None:
        raise LookupError("there is no picture at this place")
    try:
        return media_type, base64.b64decode(text.partition(",")[2] or text)
    except binascii.Error as error:
        raise LookupError(f"the text at this place is no base64: {error}") from error


def weight(capture: Capture) -> int:
    """About how many bytes the request has."""
    pictures = (capture.assets[sha256].size for _, sha256 in references(capture.payload))
    return len(canonical(capture.payload)) + sum(pictures) * 4 // 3


# ---- what leaves the page


def request_text(body: Mapping[str, Any]) -> str:
    """The body to POST, as text to paste."""
    return _json(body)


def document_text(capture: Capture, fetch: Callable[[str], bytes]) -> str:
    """The document with its pictures in it: complete without the store.

    Raises:
        Exception: what `fetch` raises for a picture that the payload needs; without one of the
            results' the document can still be replayed, and verified by its hash.
    """
    needed = {sha256 for _, sha256 in references(capture.payload)}
    assets = {}
    for sha256, asset in capture.assets.items():
        try:
            data = base64.b64encode(fetch(sha256)).decode("ascii")
        except (OSError, LookupError, AssetError):
            if sha256 in needed:
                raise
            continue
        assets[sha256] = dataclasses.replace(asset, data=data)
    return _json(dataclasses.replace(capture, assets={**capture.assets, **assets}).to_dict())


def _json(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair; JSON can say it escaped
        return json.dumps(value, indent=2, allow_nan=False)
    return text


# ---- pictures


def data_uri(media_type: str, data: bytes) -> str:
    """A picture as text that a page may show; of what is none it cannot be shown."""
    kind = media_type if media_type in _SHOWN else "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def thumbnail(media_type: str, data: bytes, blur: bool = False) -> str:
    """A small picture as a data URI; "" for what is no picture."""
    if not blur and len(data) <= SMALL and media_type in _SHOWN:
        return data_uri(media_type, data)
    return _reduced(data, blur)


def _reduced(data: bytes, blur: bool) -> str:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.thumbnail((THUMBNAIL, THUMBNAIL))
            out = io.BytesIO()
            small = image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")
            (blurred(small) if blur else small).save(out, "webp", quality=80)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return data_uri("image/webp", out.getvalue())


def _cut(text: str, length: int, mark: str = "…") -> str:
    return text if len(text) <= length else text[:length] + mark
