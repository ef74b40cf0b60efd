"""A recorded generation as the webui's own answer: its pictures, parameters and info."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from . import infotext
from .capture import EXTRAS, EXTRAS_BATCH, EXTRAS_SINGLE, RUN, Capture, Result
from .fields import FIELDS
from .named import overrides

Answer = dict[str, Any]

_PICTURES = ("init_images", "mask", "images", "image", "firstpass_image")


def answer(capture: Capture, asked: Mapping[str, Any]) -> Answer:
    """What the webui answered, or would have.

    Args:
        capture: with its pictures' bytes.
        asked: the body of the request, of which ``send_images`` and ``include_init_images`` count.

    Raises:
        AssetError: a picture's bytes are missing.
    """
    shown = answered(capture)
    images = [base64.b64encode(capture.asset(one.asset or "")).decode("ascii") for one in shown]
    if capture.endpoint == EXTRAS_SINGLE:
        return {"html_info": "", "image": images[0]}
    if capture.endpoint == EXTRAS_BATCH:
        return {"html_info": "", "images": images}
    told = {"html_info": ""} if capture.endpoint == EXTRAS else info(capture, shown)
    return {
        "images": [] if asked.get("send_images") is False else images,
        "parameters": parameters(capture.endpoint, asked),
        "info": json.dumps(told),
    }


def answered(capture: Capture) -> list[Result]:
    """The pictures that the API would answer with: the page's grid of a plain batch is not one."""
    plain = capture.job.source == "ui" and not capture.payload.get("script_name")
    kept = [one for one in capture.results if not (plain and one.role == "grid")]
    return kept or list(capture.results)


def parameters(endpoint: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The request with the API's defaults; its pictures only where they were asked for.

    A1111 v1.10.1, ``modules/api/api.py``: img2img's are null unless ``include_init_images``.
    """
    made = {**FIELDS.get(endpoint, {}), **asked}
    if endpoint.startswith(RUN):
        return {name: value for name, value in made.items() if name not in _PICTURES}
    if not asked.get("include_init_images"):
        made |= {name: None for name in ("init_images", "mask") if name in made}
    return made


def info(capture: Capture, shown: list[Result]) -> dict[str, Any]:
    """The account of a generation: A1111 v1.10.1, ``modules/processing.py``, `Processed.js`."""
    payload, host = capture.payload, capture.host
    samples = [one for one in shown if one.role == "sample"] or shown
    prompts = _texts(capture, "prompt", len(samples))
    negative = _texts(capture, "negative_prompt", len(samples))
    seeds = [_first(one.seed, payload.get("seed"), -1) for one in samples]
    subseed = _first(payload.get("subseed"), -1)
    subseeds = [_first(one.subseed, _plus(subseed, n)) for n, one in enumerate(samples)]
    texts = [one.infotext for one in shown]
    fields = infotext.parse(samples[0].infotext)
    settings = overrides(payload)
    return {
        "prompt": prompts[0],
        "all_prompts": prompts,
        "negative_prompt": negative[0],
        "all_negative_prompts": negative,
        "seed": seeds[0],
        "all_seeds": seeds,
        "subseed": subseeds[0],
        "all_subseeds": subseeds,
        "subseed_strength": payload.get("subseed_strength", 0),
        "width": payload.get("width", samples[0].width),
        "height": payload.get("height", samples[0].height),
        "sampler_name": payload.get("sampler_name") or fields.get("Sampler"),
        "cfg_scale": payload.get("cfg_scale", 7.0),
        "steps": payload.get("steps", 50),
        "batch_size": payload.get("batch_size", 1),
        "restore_faces": bool(payload.get("restore_faces")),
        "face_restoration_model": fields.get("Face restoration"),
        "sd_model_name": host.checkpoint.name if host.checkpoint else fields.get("Model"),
        "sd_model_hash": host.checkpoint.hash if host.checkpoint else fields.get("Model hash"),
        "sd_vae_name": host.vae.name if host.vae else None,
        "sd_vae_hash": host.vae.hash if host.vae else None,
        "seed_resize_from_w": payload.get("seed_resize_from_w", -1),
        "seed_resize_from_h": payload.get("seed_resize_from_h", -1),
        "denoising_strength": payload.get(
            "denoising_strength", FIELDS.get(capture.endpoint, {}).get("denoising_strength")
        ),
        "extra_generation_params": {},
        "index_of_first_image": next((n for n, one in enumerate(shown) if one in samples), 0),
        "infotexts": texts,
        "styles": payload.get("styles") or [],
        "job_timestamp": "".join(c for c in capture.job.started[:19] if c.isdigit()) or "0",
        "clip_skip": settings.get("CLIP_stop_at_last_layers", 1),
        "is_using_inpainting_conditioning": False,
        "version": fields.get("Version") or host.version,
    }


def _texts(capture: Capture, name: str, count: int) -> list[str]:
    """The prompt of each picture, as styles and wildcards made it."""
    resolved = capture.resolved.get(name)
    if isinstance(resolved, list) and len(resolved) == count:
        return [str(text) for text in resolved]
    return [str(capture.payload.get(name) or "")] * count


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _plus(seed: Any, count: int) -> Any:
    """The seed of a later picture, where the document has a number there."""
    return seed + count if type(seed) is int else seed
