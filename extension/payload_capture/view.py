"""Captures as the page's script draws them: JSON that holds no picture and no endless text."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Mapping
from typing import Any

from payload_capture import nodes
from payload_capture.capture import (
    BATCH,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Capture,
    Extension,
    Model,
    Result,
)
from payload_capture.documents import kind_of
from payload_capture.pictures import blurred

ROW_CUT = 200
INFOTEXT_CUT = 4000
MAX_INFOTEXTS = 20
LIGHT = 4 << 20
"""Bytes of a request that the script fetches before somebody asks for it."""
MAX_INPUTS = 20
"""Pictures that a job began with, of which the tree has all."""
THUMBNAIL = 256
LARGE = 1024
"""The longer side of a picture that is shown large, in pixels."""
SMALL = 16 * 1024
"""Bytes of a picture that is its own thumbnail."""
BEARABLE = 1 << 20
"""The same of one that is shown large."""

_SHOWN = frozenset(("image/png", "image/jpeg", "image/webp", "image/gif"))


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
        "kind": kind_of(capture.endpoint, capture.payload),
        "hires": bool(capture.payload.get("enable_hr")),
        "state": job.state,
        "error": _cut(job.error or "", INFOTEXT_CUT),
        "started": job.started,
        "seconds": job.seconds,
        "source": job.source,
        "blocked": next((c.reason for c in capture.warnings if c.severity == "blocks"), ""),
        "light": nodes.is_light(capture, LIGHT),
        "fits": fits(capture),
        "warnings": [dataclasses.asdict(warning) for warning in capture.warnings],
        "results": [_result(result) for result in capture.results],
        "inputs": inputs(capture),
        "infotexts": infotexts(capture),
        "facts": [fact for fact in facts(capture) if fact[1]],
        **{root: nodes.tree(capture, root) for root in nodes.ROOTS},
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "thumbnail": result.thumbnail or result.asset,
        "asset": result.asset,
        "size": [result.width, result.height],
        "role": result.role,
        "seed": "" if result.seed is None else str(result.seed),
    }


def inputs(capture: Capture) -> dict[str, Any]:
    """The pictures that the job began with, the mask, and whether that marks what is kept."""
    payload = capture.payload
    many = payload.get("init_images")
    count = len(many) if isinstance(many, list) else 0
    places: list[nodes.Path] = [["init_images", number] for number in range(min(count, MAX_INPUTS))]
    drawn = (_pictured(capture, place) for place in [*places, ["image"]])
    return {
        "images": [node for node in drawn if node],
        "mask": _pictured(capture, ["mask"]),
        "inverted": bool(payload.get("inpainting_mask_invert")),
    }


def _pictured(capture: Capture, path: list[Any]) -> nodes.Node | None:
    """The picture at a place of the payload, if there is one."""
    try:
        node = nodes.Drawing(capture, "payload").node(
            nodes.value_at(capture, "payload", path), path
        )
    except LookupError:
        return None
    return node if "picture" in node else None


def infotexts(capture: Capture) -> dict[str, Any]:
    """What the pictures tell of themselves, each text once, and how many more there are."""
    first: dict[str, int] = {}
    for number, result in enumerate(capture.results):
        if result.infotext:
            first.setdefault(result.infotext, number)
    texts = [
        {"result": number, "text": text[:INFOTEXT_CUT], "length": len(text)}
        for text, number in list(first.items())[:MAX_INFOTEXTS]
    ]
    return {"texts": texts, "more": len(first) - len(texts)}


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
        ("Embeddings", ", ".join(map(_model, host.embeddings))),
        ("Web UI", f"{host.webui} {host.version}".strip()),
        ("Device", host.device),
        ("Torch", host.torch),
        ("Python", host.python),
        ("Gradio", host.gradio),
        ("Extensions", ", ".join(map(_extension, host.extensions))),
        ("Settings", ", ".join(f"{name}: {_told(v)}" for name, v in host.settings.items())),
        *((name, _told(value)) for name, value in host.facts.items()),
        ("User", job.user or ""),
        ("Task", job.task or ""),
        ("Capture", capture.id),
    ]


def _told(value: Any) -> str:
    return _cut(value if isinstance(value, str) else json.dumps(value), INFOTEXT_CUT)


def _model(model: Model | None) -> str:
    if model is None:
        return ""
    known = model.hash is None or model.hash in model.title
    return model.title if known else f"{model.title} [{model.hash}]"


def _extension(extension: Extension) -> str:
    return f"{extension.name} {extension.version[:8]}".strip()


# ---- pictures


def data_uri(media_type: str, data: bytes) -> str:
    """A picture as text that a page may show; of what is none it cannot be shown."""
    kind = media_type if media_type in _SHOWN else "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def thumbnail(media_type: str, data: bytes, blur: bool = False) -> str:
    """A small picture as a data URI; "" for what is no picture."""
    return _reduced(media_type, data, blur, THUMBNAIL, SMALL)


def large(media_type: str, data: bytes, blur: bool = False) -> str:
    """The same, to be looked at."""
    return _reduced(media_type, data, blur, LARGE, BEARABLE)


def _reduced(media_type: str, data: bytes, blur: bool, side: int, small: int) -> str:
    """A picture of `side` pixels at most; one of `small` bytes at most stays as it is."""
    from PIL import Image

    if not blur and len(data) <= small and media_type in _SHOWN:
        return data_uri(media_type, data)
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.thumbnail((side, side))
            out = io.BytesIO()
            reduced = image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")
            (blurred(reduced) if blur else reduced).save(out, "webp", quality=80)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return data_uri("image/webp", out.getvalue())


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"
