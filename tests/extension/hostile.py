"""Captures whose every field holds one text."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from payload_capture.capture import Caveat, Extension, Model
from payload_capture.capture import Host as Facts
from payload_capture.exports import held
from stored import STARTED, make, picture

from .conftest import PREFIX, Host


def hostile(name: str, text: str, *, state: str = "ok") -> tuple[Any, dict[str, bytes]]:
    """A capture whose every text is this one."""
    capture, files = make(
        len(name),
        prompt=text,
        init=picture(1000 + len(name)),
        job={
            "started": STARTED,
            "state": state,
            "user": text,
            "task": text,
            "error": text if state == "failed" else None,
        },
        host=Facts(
            webui=text,
            version=text,
            python=text,
            torch=text,
            gradio=text,
            device=text,
            checkpoint=Model(text, text, text),
            vae=Model(text),
            loras=[Model(text)],
            extensions=[Extension(text, text)],
            settings={text: text},
            facts={text: text},
        ),
        negative_prompt=text,
        sampler_name=text,
        styles=[text],
        override_settings={text: text},
        alwayson_scripts={text: {"args": [text, {text: [text]}, False]}},
    )
    warnings = [Caveat(text, text, kind) for kind in ("blocks", "pixels", "cosmetic")]
    return dataclasses.replace(
        capture,
        id=f"{name}-{state}",
        template={"prompt": text, "seed": -1},
        resolved={"prompt": text},
        choices={text: text},
        labels={text: [text, text, text]},
        warnings=warnings if state == "ok" else warnings[1:],
        results=[dataclasses.replace(one, infotext=text) for one in capture.results],
    ), files


def put(host: Host, *captures: tuple[Any, dict[str, bytes]]) -> None:
    documents = [held(capture, files.__getitem__).to_dict() for capture, files in captures]
    body = "\n".join(json.dumps(document) for document in documents).encode()
    answer = host.session.post(f"{host.url}{PREFIX}/captures", data=body, timeout=60)
    assert answer.status_code == 201, answer.text
