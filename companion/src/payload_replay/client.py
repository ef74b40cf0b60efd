"""The client: a webui's HTTP API, sent exactly what it is given.

The seam is `requests.Session` (`payload_replay.connection`); `payload_replay.testing` has a fake.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from PIL import Image

from . import generating, job, records
from .answers import parsed
from .capture import EXTRAS_BATCH, EXTRAS_SINGLE, IMG2IMG, TXT2IMG, Capture, generates
from .connection import Connection
from .errors import BadSource
from .generating import Answer
from .generation import Extras, Generation, caption
from .images import Picture, base64_of
from .job import Cancel, OnProgress
from .retry import always

if TYPE_CHECKING:
    from .captures import Captures
    from .changes import Change
    from .inventory import Inventory
    from .problem import Problem
    from .replay import Replay

Payload = Mapping[str, Any] | Capture
Source = str | bytes | Path | Picture | Image.Image
"""A picture: base64, a file's bytes, its path, one of an answer, or Pillow's."""

R = TypeVar("R", bound=records.Record)


class WebUI(Connection):
    """A running webui: A1111 v1.6 to v1.10, Forge, reForge; SD.Next where its API agrees.

    What a server has no route for is a `NoAPI`: of SD.Next (its modules/api/api.py) the lists of
    latent upscale modes, hypernetworks and RealESRGAN models, and `refresh_embeddings`.

    Args:
        url: its address, for instance ``http://127.0.0.1:7860``; a path below it is kept.
        auth: user and password of ``--api-auth``, sent as HTTP Basic in UTF-8.
        timeout: seconds to connect and seconds to wait for an answer, or one number for both.
        session: what sends the requests, with its proxies, certificates and headers; by default
            a new `requests.Session`.
        login: user and password of ``--gradio-auth``, for the routes of the page; the session
            keeps the cookie. ``/sdapi`` asks for `auth` alone.
        verify: False trusts any certificate, a path names the authority's; None is the session's.
        cert: a client's certificate as a path, or certificate and key.
        retries: how often to send again what was not answered; see `payload_replay.retry.Retry`.
            A generation is sent again only where it cannot have begun. With 0, what reads or sets
            options is still sent a second time after a broken connection.
        backoff: seconds before the first of these, doubled for each further one, 60 at most.
        track: give each generation an id (the field ``force_task_id``, where the server's
            ``/openapi.json`` has it: v1.8 and later, Forge, reForge), the one thing that is ever
            added to a payload. By it progress and cancel mean this job and no other one, and
            `retries` can ask whether a generation whose answer was lost has begun.

    Raises:
        ConnectionFailed: `url` is no address.
        ValueError: a user's name holds a colon, which HTTP Basic cannot say.

    Every method raises a subclass of `payload_replay.ReplayError` when it cannot answer. What is
    wrong with a capture or its pictures is a `payload_replay.capture.FormatError`, a path that
    cannot be read an OSError.
    """

    def __enter__(self) -> WebUI:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- generating

    def txt2img(
        self,
        payload: Payload,
        *,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        every: float = 0.5,
    ) -> Generation:
        """POST `payload`, or a capture's, to ``/sdapi/v1/txt2img``, as it is.

        Args:
            progress: called every so often, in a thread of its own, with a `Progress`: fraction,
                eta, step and preview. What it raises comes out here once the generation is over.
            cancel: once this `threading.Event` is set, the server is told to stop, and nothing
                is sent again.
            every: seconds between two looks at the server.

        Raises:
            Cancelled: it was stopped; `answer` holds what had been made, if the server gave that.

        Progress and cancel mean the server's current job, which may be somebody else's, unless
        the client was made with `track`. KeyboardInterrupt stops the server's job too.
        """
        return Generation.read(self._sent(TXT2IMG, payload, progress, cancel, every), TXT2IMG)

    def img2img(
        self,
        payload: Payload,
        *,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        every: float = 0.5,
    ) -> Generation:
        """POST `payload`, pictures as base64, to ``/sdapi/v1/img2img``; see `txt2img`."""
        return Generation.read(self._sent(IMG2IMG, payload, progress, cancel, every), IMG2IMG)

    def extra_single_image(self, payload: Payload) -> Extras:
        """POST `payload` to ``/sdapi/v1/extra-single-image``: upscale, restore faces."""
        return Extras.read(self._sent(EXTRAS_SINGLE, payload), EXTRAS_SINGLE)

    def extra_batch_images(self, payload: Payload) -> Extras:
        """POST `payload` to ``/sdapi/v1/extra-batch-images``; `images` in the order sent."""
        return Extras.read(self._sent(EXTRAS_BATCH, payload), EXTRAS_BATCH)

    def generate(
        self,
        capture: Capture,
        *,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        every: float = 0.5,
    ) -> Generation:
        """POST a capture's payload to its own endpoint, and compare nothing; see `txt2img`.

        Raises:
            BadSource: the capture names an endpoint that makes no pictures; nothing is sent.
        """
        if not generates(capture.endpoint):
            raise BadSource(f"{capture.endpoint} makes no pictures, so nothing is sent to it")
        sent = self._sent(capture.endpoint, capture, progress, cancel, every)
        return Generation.read(sent, capture.endpoint)

    def post(
        self,
        endpoint: str,
        payload: Mapping[str, Any],
        *,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        every: float = 0.5,
    ) -> Answer:
        """POST `payload` as it is to any generating endpoint; see `txt2img`.

        Returns: the answer's JSON object, its pictures still as base64.
        """
        return generating.post(self, endpoint, payload, progress, cancel, every)

    def replay(
        self,
        capture: Capture | Mapping[str, Any],
        *,
        verify: bool = True,
        migrate: bool = False,
        fetch: Callable[[str], bytes] | None = None,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
    ) -> Replay:
        """Send a capture and compare what comes back with what it holds.

        Args:
            capture: a `Capture`, its document as a dict, or a bare payload.
            verify: False only generates and decodes; the verdict is then ``unverified``.
            migrate: True first rewrites what this server wants said otherwise; see
                `payload_replay.migrate.migrate`.
            fetch: returns an asset's bytes by its sha256, where the capture does not hold
                them; by default this server's own store is asked.
            progress, cancel: see `txt2img`; the settings are put back after a cancel too.

        Returns: the verdict with its reason, and the pictures. A capture that cannot be
            replayed is ``refused``, and nothing is sent.

        Raises:
            ReplayError: the server could not be reached, or failed.
            FormatError: the document is no capture, or lacks a picture.
        """
        from .replay import replay

        post = functools.partial(self.post, progress=progress, cancel=cancel)
        return replay(self, capture, verify=verify, migrate=migrate, fetch=fetch, post=post)

    def check(self, capture: Capture) -> list[Problem]:
        """What stands in the way of replaying this capture here, the gravest first."""
        from .preflight import check

        return check(self, capture)

    def migrate(self, capture: Capture) -> tuple[Capture, list[Change]]:
        """The capture as this server wants it said, and what was rewritten for that."""
        from .migrate import migrate

        return migrate(capture, self)

    def minimal(self, capture: Capture) -> Capture:
        """The capture with a payload that says only what this server would not fill in itself.

        Sent to this server with its settings as they are, it makes the same pixels.
        """
        from .defaults import of_server
        from .portable import minimal

        payload = minimal(capture.endpoint, capture.payload, of_server(self))
        return dataclasses.replace(capture, payload=payload)

    # ---- while it generates

    def progress(self, *, preview: bool = True) -> records.Progress:
        """How far the server's current job is; `preview` False spares it the picture."""
        return job.look(self, pictures=preview, timeout=self.timeout, retry=self.retry)

    def interrupt(self) -> None:
        """Stop the server's current job, whoever's it is; it answers with what it has."""
        self._order("interrupt")

    def skip(self) -> None:
        """End the current picture of the server's job, and go on with the next."""
        self._order("skip")

    # ---- about pictures

    def png_info(self, picture: Source) -> records.PngInfo:
        """What a picture's file says of how it was made."""
        answer = self.call("POST", "/sdapi/v1/png-info", {"image": base64_of(picture)})
        return records.PngInfo.read(answer, "/sdapi/v1/png-info")

    def interrogate(self, picture: Source, model: str = "clip") -> str:
        """Words for what a picture shows, from ``clip`` or ``deepdanbooru``."""
        asked = {"image": base64_of(picture), "model": model}
        return caption(self.call("POST", "/sdapi/v1/interrogate", asked))

    # ---- what the server has

    def options(self) -> dict[str, Any]:
        """Every setting of the server, by name."""
        return cast("dict[str, Any]", self._get("/sdapi/v1/options", dict))

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Change settings of the server, for everybody; it writes them to its disk."""
        path = "/sdapi/v1/options"
        parsed(self.send("POST", path, options, again=always), path)  # the same again is no harm

    def cmd_flags(self) -> dict[str, Any]:
        """The server's command line, by flag; passwords are among it. Forge answers 500."""
        return cast("dict[str, Any]", self._get("/sdapi/v1/cmd-flags", dict))

    def memory(self) -> records.Memory:
        """Memory of the machine and of its graphics card, in bytes."""
        return records.Memory.read(self._get("/sdapi/v1/memory", dict), "/sdapi/v1/memory")

    def models(self) -> list[records.Model]:
        """The checkpoints: `title`, `model_name`, `hash`, `sha256` and more of each."""
        return self._list("/sdapi/v1/sd-models", records.Model)

    def vaes(self) -> list[records.Module]:
        """The VAEs, each with its `model_name`; on Forge see `modules`."""
        return self._list("/sdapi/v1/sd-vae", records.Module)

    def modules(self) -> list[records.Module]:
        """The VAEs and text encoders of Forge, which has no list of VAEs alone."""
        return self._list("/sdapi/v1/sd-modules", records.Module)

    def samplers(self) -> list[records.Sampler]:
        """The samplers, each with `name` and `aliases`."""
        return self._list("/sdapi/v1/samplers", records.Sampler)

    def schedulers(self) -> list[records.Scheduler]:
        """The schedulers, each with `name`, `label` and `aliases`; webui 1.9 and later."""
        return self._list("/sdapi/v1/schedulers", records.Scheduler)

    def scripts(self) -> records.Scripts:
        """The titles of all scripts, in lower case, under ``txt2img`` and ``img2img``."""
        return records.Scripts.read(self._get("/sdapi/v1/scripts", dict), "/sdapi/v1/scripts")

    def script_info(self) -> list[records.Script]:
        """Each script's arguments with label, value, range and choices.

        A1111 v1.6.0 answers 500 where the choices of one are no texts, as it brings some itself.
        """
        return self._list("/sdapi/v1/script-info", records.Script)

    def extensions(self) -> list[records.Extension]:
        """The extensions that came from git, with their commits; webui 1.8 and later."""
        return self._list("/sdapi/v1/extensions", records.Extension)

    def upscalers(self) -> list[records.Upscaler]:
        """The upscalers, each with its `name`."""
        return self._list("/sdapi/v1/upscalers", records.Upscaler)

    def realesrgan_models(self) -> list[records.Upscaler]:
        """The upscalers of that family, with `path` and `scale`."""
        return self._list("/sdapi/v1/realesrgan-models", records.Upscaler)

    def latent_upscale_modes(self) -> list[records.Upscaler]:
        """The upscalers of hires. fix that work on latents, each with its `name`."""
        return self._list("/sdapi/v1/latent-upscale-modes", records.Upscaler)

    def face_restorers(self) -> list[records.Network]:
        """The face restorers, each with its `name`."""
        return self._list("/sdapi/v1/face-restorers", records.Network)

    def loras(self) -> list[records.Lora]:
        """The LoRAs, each with `name` and `alias`; from the webui's built-in extension."""
        return self._list("/sdapi/v1/loras", records.Lora)

    def hypernetworks(self) -> list[records.Network]:
        """The hypernetworks, each with its `name`."""
        return self._list("/sdapi/v1/hypernetworks", records.Network)

    def styles(self) -> list[records.Style]:
        """The prompt styles, each with `name`, `prompt` and `negative_prompt`."""
        return self._list("/sdapi/v1/prompt-styles", records.Style)

    def embeddings(self) -> records.Embeddings:
        """The textual inversions by name, those ``loaded`` and those ``skipped`` as unfit."""
        found = self._get("/sdapi/v1/embeddings", dict)
        return records.Embeddings.read(found, "/sdapi/v1/embeddings")

    @functools.cached_property
    def schema(self) -> Any:
        """What ``/openapi.json`` says of the server's routes, remembered once it has been had."""
        return self.call("GET", "/openapi.json")

    @functools.cached_property
    def captures(self) -> Captures:
        """What the extension captured on this server."""
        from .captures import Captures

        return Captures(self)

    @functools.cached_property
    def inventory(self) -> Inventory:
        """The names that the server lists, remembered."""
        from .inventory import Inventory

        return Inventory(self)

    # ---- orders

    def refresh_checkpoints(self) -> None:
        """Let the server look into its folder of checkpoints again."""
        self._order("refresh-checkpoints")

    def refresh_vae(self) -> None:
        """Let the server look into its folder of VAEs again."""
        self._order("refresh-vae")

    def refresh_embeddings(self) -> None:
        """Let the server look into its folder of textual inversions again; 1.8 and later."""
        self._order("refresh-embeddings")

    def refresh_loras(self) -> None:
        """Let the server look into its folder of LoRAs again."""
        self._order("refresh-loras")

    def unload_checkpoint(self) -> None:
        """Take the model out of the graphics card's memory."""
        self._order("unload-checkpoint")

    def reload_checkpoint(self) -> None:
        """Put the model back into the graphics card's memory."""
        self._order("reload-checkpoint")

    # ---- beneath

    def _sent(
        self,
        endpoint: str,
        payload: Payload,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        every: float = 0.5,
    ) -> Answer:
        if isinstance(payload, Capture):
            payload = self._request_of(payload, endpoint)
        return self.post(endpoint, payload, progress=progress, cancel=cancel, every=every)

    def _request_of(self, capture: Capture, endpoint: str) -> dict[str, Any]:
        if capture.endpoint != endpoint:
            raise BadSource(
                f"this capture goes to {capture.endpoint}, not {endpoint}: use `generate`"
            )
        return capture.request(self.captures.asset)

    def _order(self, name: str) -> None:
        self.call("POST", f"/sdapi/v1/{name}")

    def _list(self, path: str, kind: type[R]) -> list[R]:
        return records.records(kind, self._get(path, list), path)
