"""From an answer of a real server to a capture: what the recording modes of `serve` keep.

The capture holds the payload as it was sent, but with the seed that the server drew; the seed as
it was sent stands in its ``template``.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import codec
from .answers import Reply
from .captions import INTERROGATE, Question
from .capture import (
    Asset,
    Capture,
    FormatError,
    Host,
    Job,
    Model,
    Result,
    Role,
    escaped,
    references,
)
from .client import WebUI
from .errors import ReplayError, UnexpectedAnswer
from .generation import account, caption, span, texts
from .hostlists import API, RECORDED, settings
from .images import Picture, decode
from .named import overrides
from .recordings import Recordings
from .verify import read_answer


@dataclass(frozen=True)
class Forwarded:
    """A real server's answer, and the capture that was kept of it, or why none was.

    `lost` tells that there was something to keep, which could not be written.
    """

    reply: Reply
    kept: Capture | None = None
    reason: str = ""
    lost: bool = False


class Recorder:
    """Sends requests on to a real server, and keeps what comes back."""

    def __init__(self, webui: WebUI, recordings: Recordings) -> None:
        self.webui = webui
        self._recordings = recordings

    def generate(
        self, endpoint: str, payload: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Forwarded:
        """Send a generation on; a good answer is kept, as far as the disk takes it.

        Args:
            options: the settings that the client has changed on the server; the recording pins
                them, so that it answers only while they are so.

        Raises:
            ReplayError: the server gave no answer.
        """
        started, clock = datetime.datetime.now(datetime.timezone.utc), time.perf_counter()
        reply = self.webui.send("POST", endpoint, payload)
        job = Job(
            started.isoformat(timespec="milliseconds"),
            round(time.perf_counter() - clock, 3),
            "api",
        )
        if reply.status != 200:
            return Forwarded(reply, reason=f"the server answered {reply.status}")
        try:
            answer = codec.loads(reply.body)
            capture = of_answer(endpoint, _pinned(payload, options), answer, self.host(), job)
            return Forwarded(reply, self._recordings.add(capture).bare)
        except (ValueError, UnexpectedAnswer, FormatError) as error:
            return Forwarded(reply, reason=f"the answer cannot be kept: {error}")
        except OSError as error:
            return _lost(reply, error)

    def interrogate(self, asked: Question, payload: Mapping[str, Any]) -> Forwarded:
        """Send on what a picture shows; a good answer is kept. Raises ReplayError."""
        reply = self.webui.send("POST", INTERROGATE, payload)
        if reply.status != 200:
            return Forwarded(reply, reason=f"the server answered {reply.status}")
        try:
            self._recordings.captions.keep(asked, caption(codec.loads(reply.body)))
        except (ValueError, UnexpectedAnswer) as error:
            return Forwarded(reply, reason=f"the answer cannot be kept: {error}")
        except OSError as error:
            return _lost(reply, error)
        return Forwarded(reply)

    def pass_on(self, method: str, path: str, payload: Mapping[str, Any] | None) -> Forwarded:
        """Send anything else on; what the server lists is kept. Raises ReplayError."""
        reply = self.webui.send(method, path, payload)
        name = path.partition("?")[0]
        if method != "GET" or reply.status != 200 or name not in RECORDED:
            return Forwarded(reply)
        try:
            self._recordings.keep_list(name, codec.loads(reply.body))
        except ValueError:
            return Forwarded(reply, reason="no JSON, so no list")
        except OSError as error:
            return _lost(reply, error)
        return Forwarded(reply)

    def host(self) -> Host:
        """What the server says of itself now: its model may change at any time, by anybody."""
        return _host(self.webui)


def _lost(reply: Reply, error: OSError) -> Forwarded:
    """An answer that the client gets all the same."""
    return Forwarded(reply, reason=f"it cannot be written: {error}", lost=True)


def of_answer(
    endpoint: str, payload: Mapping[str, Any], answer: Any, host: Host, job: Job
) -> Capture:
    """The capture of a request and what a webui answered to it.

    Raises:
        UnexpectedAnswer: the answer holds no pictures.
    """
    pictures, info = read(answer)
    return of_pictures(endpoint, payload, pictures, info, host, job)


def of_pictures(
    endpoint: str,
    payload: Mapping[str, Any],
    pictures: Sequence[Picture],
    info: Mapping[str, Any],
    host: Host,
    job: Job,
) -> Capture:
    """The capture of a request, the pictures that came, and the webui's account of them.

    Raises:
        UnexpectedAnswer: there is no picture.
    """
    if not pictures:
        raise UnexpectedAnswer("it holds no pictures; was it asked for with send_images false?")
    seeds = _seeds(payload, info)
    stamp = "".join(c for c in job.started[:19] if c.isdigit() or c == "T")
    return Capture(
        1,
        id=f"{stamp or 'recorded'}-{secrets.token_hex(4)}",
        endpoint=endpoint,
        payload=escaped({**payload, **seeds}),
        template={name: payload.get(name, -1) for name in seeds},
        results=results(pictures, info),
        resolved=_resolved(payload, info),
        host=host,
        job=job,
        assets=dict(map(asset, pictures)),
    )


def renewed(capture: Capture, pictures: Sequence[Picture], info: Mapping[str, Any]) -> Capture:
    """The capture with other expected pictures: those that came for it, held inside.

    Seeds that the server drew for them are pinned, or the next replay would draw others.
    """
    named = {sha: one for sha, one in capture.assets.items() if one.data is not None}
    kept = {sha for _, sha in references([capture.payload, capture.template])}
    fresh = of_pictures(capture.endpoint, {}, pictures, info, capture.host, capture.job)
    assets = {sha: one for sha, one in named.items() if sha in kept} | fresh.assets
    missing = {sha: one for sha, one in capture.assets.items() if sha in kept and sha not in assets}
    seeds = _seeds(capture.payload, info)
    typed = {name: capture.payload.get(name, -1) for name in seeds}
    return dataclasses.replace(
        capture,
        payload=capture.payload | seeds,
        template=typed | capture.template,
        results=fresh.results,
        assets=assets | missing,
    )


def read(answer: Any) -> tuple[list[Picture], dict[str, Any]]:
    """The pictures of an answer, decoded, and its info. Raises UnexpectedAnswer."""
    if not isinstance(answer, dict):
        raise UnexpectedAnswer(f"it is a {type(answer).__name__}, not an object")
    return decode(texts(answer)), account(answer)


def results(pictures: Sequence[Picture], info: Mapping[str, Any]) -> list[Result]:
    """The results of pictures: grids come before the samples, and maps after them."""
    first, last = span(info, len(pictures))
    made = []
    for index, one in enumerate(read_answer(pictures, dict(info))):
        role: Role = "grid" if index < first else "sample" if index < last else "map"
        image = one.picture.image
        made.append(
            Result(
                one.picture.sha256 or "",
                *image.size,
                role,
                one.seed,
                infotext=one.infotext,
                asset=asset(one.picture)[0],
            )
        )
    return made


def asset(picture: Picture) -> tuple[str, Asset]:
    """A picture's file as an asset that holds its own bytes, and the name of it."""
    data, image = picture.data, picture.image
    text = base64.b64encode(data).decode("ascii")
    media_type = f"image/{(image.format or 'png').lower()}"
    return hashlib.sha256(data).hexdigest(), Asset(media_type, len(data), *image.size, text)


def _pinned(payload: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    if not options:
        return dict(payload)
    return {**payload, "override_settings": {**settings(options), **overrides(payload)}}


def _seeds(payload: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, int]:
    """The seeds that the server drew itself, by field."""
    open_ = [name for name in ("seed", "subseed") if payload.get(name, -1) in (-1, None)]
    return {name: info[name] for name in open_ if type(info.get(name)) is int}


def _resolved(payload: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, list[str]]:
    """What styles, wildcards and scripts made of the prompts, where the answer tells it."""
    made = {}
    for name in ("prompt", "negative_prompt"):
        told = info.get(f"all_{name}s")
        if isinstance(told, list) and any(text != (payload.get(name) or "") for text in told):
            made[name] = [str(text) for text in told]
    return made


def _host(webui: WebUI) -> Host:
    """By the extension's account where the server has it, else by its list of checkpoints."""
    try:
        return _told(webui.captures.status().get("host"))
    except (ReplayError, FormatError):
        pass
    try:
        chosen = str(webui.options().get("sd_model_checkpoint"))
        for model in webui.models():
            if model.get("title") == chosen:
                return Host(checkpoint=_model(model))
    except ReplayError:
        pass  # the recording is as good without: nothing of it is sent
    return Host()


def _told(facts: Any) -> Host:
    """What the extension's status says, read by the format's own rules. Raises FormatError."""
    document = {"format": 1, "id": "host", "endpoint": f"{API}txt2img", "payload": {}}
    return Capture.from_dict(document | {"host": facts}).host


def _model(listed: Mapping[str, Any]) -> Model:
    said = {k: v for k, v in listed.items() if isinstance(v, str)}
    return Model(
        said.get("title", ""),
        said.get("model_name", ""),
        said.get("hash"),
        said.get("sha256"),
    )
