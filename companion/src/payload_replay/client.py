"""The client: a webui's HTTP API, sent exactly what it is given.

The seam is `requests.Session`: mount an adapter on one, or pass your own with proxies and
certificates, and nothing else of this package talks to the network.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.auth import HTTPBasicAuth

from . import attachments, codec
from .answers import Reply, parsed, read, translated
from .capture import IMG2IMG, TXT2IMG, Capture
from .errors import ConnectionFailed, InvalidPayload, UnexpectedAnswer

if TYPE_CHECKING:
    from .captures import Captures
    from .preflight import Inventory
    from .replay import Replay

Auth = tuple[str, str]
TimeoutSeconds = float | tuple[float, float] | None
Answer = dict[str, Any]


class WebUI:
    """A running webui.

    Args:
        url: its address, for instance ``http://127.0.0.1:7860``; a path below it is kept.
        auth: user and password of ``--api-auth``, sent as HTTP Basic in UTF-8.
        timeout: seconds to connect and seconds to wait for an answer, or one number for both.
        session: what sends the requests; by default a new `requests.Session`.

    Every method raises a subclass of `payload_replay.ReplayError` when it cannot answer.
    """

    def __init__(
        self,
        url: str,
        auth: Auth | None = None,
        timeout: TimeoutSeconds = (10, 600),
        session: requests.Session | None = None,
    ) -> None:
        self.url, in_url = _split(url)
        self.timeout = timeout
        self.session = session or requests.Session()
        self._owned = session is None
        self._auth = _basic(auth or in_url)

    def __repr__(self) -> str:
        return f"WebUI({self.url!r})"

    def __enter__(self) -> WebUI:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owned:
            self.session.close()

    # ---- generating

    def txt2img(self, payload: Mapping[str, Any]) -> Answer:
        """POST `payload` to ``/sdapi/v1/txt2img``; the answer as it came."""
        return self.post(TXT2IMG, payload)

    def img2img(self, payload: Mapping[str, Any]) -> Answer:
        """POST `payload`, pictures as base64, to ``/sdapi/v1/img2img``; the answer as it came."""
        return self.post(IMG2IMG, payload)

    def post(self, endpoint: str, payload: Mapping[str, Any]) -> Answer:
        """POST exactly `payload`, with nothing added, to any generating endpoint.

        Returns: the answer's JSON object, its pictures still as base64.
        """
        answer = parsed(self.send("POST", endpoint, payload), endpoint, codec.loads_pictures)
        if not isinstance(answer, dict):
            raise UnexpectedAnswer(f"{endpoint} gave a {type(answer).__name__}, not an object")
        if "error" in answer and "images" not in answer:
            words = answer.get("errors") or answer.get("detail") or answer["error"]
            raise UnexpectedAnswer(f"{endpoint} answered 200 with an error inside: {words}")
        return answer

    def replay(
        self,
        capture: Capture | Mapping[str, Any],
        *,
        verify: bool = True,
        fetch: Callable[[str], bytes] | None = None,
    ) -> Replay:
        """Send a capture and compare what comes back with what it holds.

        Args:
            capture: a `Capture`, its document as a dict, or a bare payload.
            verify: False only generates and decodes; the verdict is then ``unverified``.
            fetch: returns an asset's bytes by its sha256, where the capture does not hold
                them; by default this server's own store is asked.

        Returns: the verdict with its reason, and the pictures. A capture that cannot be
            replayed is ``refused``, and nothing is sent.

        Raises:
            ReplayError: the server could not be reached, or failed.
            FormatError: the document is no capture, or lacks a picture.
        """
        from .replay import replay

        return replay(self, capture, verify=verify, fetch=fetch)

    def minimal(self, capture: Capture) -> Capture:
        """The capture with a payload that says only what this server would not fill in itself.

        Sent to this server with its settings as they are, it makes the same pixels.
        """
        from .defaults import of_server
        from .portable import minimal

        payload = minimal(capture.endpoint, capture.payload, of_server(self))
        return dataclasses.replace(capture, payload=payload)

    # ---- what the server has

    def options(self) -> dict[str, Any]:
        """Every setting of the server, by name."""
        return cast("dict[str, Any]", self._get("/sdapi/v1/options", dict))

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Change settings of the server, for everybody; it writes them to its disk."""
        self.call("POST", "/sdapi/v1/options", options)

    def models(self) -> list[dict[str, Any]]:
        """The checkpoints: `title`, `model_name`, `hash`, `sha256` and more of each."""
        return self._list("/sdapi/v1/sd-models")

    def vaes(self) -> list[dict[str, Any]]:
        """The VAEs, each with its `model_name`."""
        return self._list("/sdapi/v1/sd-vae")

    def samplers(self) -> list[dict[str, Any]]:
        """The samplers, each with `name` and `aliases`."""
        return self._list("/sdapi/v1/samplers")

    def schedulers(self) -> list[dict[str, Any]]:
        """The schedulers, each with `name`, `label` and `aliases`; webui 1.9 and later."""
        return self._list("/sdapi/v1/schedulers")

    def scripts(self) -> dict[str, list[str]]:
        """The titles of all scripts, in lower case, under ``txt2img`` and ``img2img``."""
        return cast("dict[str, list[str]]", self._get("/sdapi/v1/scripts", dict))

    def script_info(self) -> list[dict[str, Any]]:
        """Each script's arguments with label, value, range and choices."""
        return self._list("/sdapi/v1/script-info")

    def upscalers(self) -> list[dict[str, Any]]:
        """The upscalers, each with its `name`."""
        return self._list("/sdapi/v1/upscalers")

    def latent_upscale_modes(self) -> list[dict[str, Any]]:
        """The upscalers of hires. fix that work on latents, each with its `name`."""
        return self._list("/sdapi/v1/latent-upscale-modes")

    def loras(self) -> list[dict[str, Any]]:
        """The LoRAs, each with `name` and `alias`; from the webui's built-in extension."""
        return self._list("/sdapi/v1/loras")

    def hypernetworks(self) -> list[dict[str, Any]]:
        """The hypernetworks, each with its `name`."""
        return self._list("/sdapi/v1/hypernetworks")

    def styles(self) -> list[dict[str, Any]]:
        """The prompt styles, each with `name`, `prompt` and `negative_prompt`."""
        return self._list("/sdapi/v1/prompt-styles")

    def embeddings(self) -> dict[str, dict[str, Any]]:
        """The textual inversions by name, those ``loaded`` and those ``skipped`` as unfit."""
        return cast("dict[str, dict[str, Any]]", self._get("/sdapi/v1/embeddings", dict))

    @functools.cached_property
    def captures(self) -> Captures:
        """What the extension captured on this server."""
        from .captures import Captures

        return Captures(self)

    @functools.cached_property
    def inventory(self) -> Inventory:
        """The names that the server lists, remembered."""
        from .preflight import Inventory

        return Inventory(self)

    # ---- requests

    def call(
        self,
        method: str,
        path: str,
        payload: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send one request; its JSON answer, or None where it is empty."""
        return parsed(self.send(method, path, payload, params), path)

    def send(
        self,
        method: str,
        path: str,
        payload: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Send one request; its answer, whatever its status."""
        # The webui gzips base64 at the highest level: 20 ms a megabyte to save a quarter of it.
        headers = {"Accept-Encoding": "identity", "Accept": "application/json, */*"}
        if payload is not None:
            headers["Content-Type"] = "application/json"
        body = None if payload is None else _encoded(payload)

        def request() -> Reply:
            response = self.session.request(
                method,
                self.url + path,
                params=params,
                data=body,
                headers=headers,
                auth=self._auth,
                timeout=self.timeout,
                allow_redirects=False,  # a redirected POST arrives as a GET, without its body
                stream=True,
            )
            return read(response)

        return translated(self.url, request)

    def _get(self, path: str, kind: type) -> Any:
        answer = self.call("GET", path)
        if not isinstance(answer, kind):
            found = type(answer).__name__
            raise UnexpectedAnswer(f"{path} gave a {found}; is this the webui's own address?")
        return answer

    def _list(self, path: str) -> list[dict[str, Any]]:
        return [item for item in self._get(path, list) if isinstance(item, dict)]


def _encoded(payload: Mapping[str, Any]) -> bytes:
    try:
        return codec.dumps(dict(payload), attachments.in_json)
    except (TypeError, ValueError) as error:
        raise InvalidPayload(f"{error}; it cannot be sent as JSON") from error


def _basic(auth: Auth | None) -> HTTPBasicAuth | None:
    if auth is None:
        return None
    user, password = auth
    if ":" in user:
        raise ValueError("a user name of HTTP Basic cannot hold a colon")
    # As bytes, since `requests` would send text as Latin-1.
    return HTTPBasicAuth(user.encode(), password.encode())


def _split(url: str) -> tuple[str, Auth | None]:
    """The address without user and password, so that no message repeats them, and those two."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConnectionFailed(f"{url!r} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ConnectionFailed(f"{url!r} is no address: expected http://HOST:PORT")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", "")), auth
