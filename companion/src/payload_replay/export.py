"""The forms in which a capture leaves: one dict from a name to a function."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping

from . import bundle
from .capture import Asset, Capture, escaped, inline

Fetch = Callable[[str], bytes] | None
Export = Callable[[Capture, Fetch], bytes]


def as_json(capture: Capture, fetch: Fetch = None) -> bytes:
    """The document on its own: pictures of the payload inlined, so that it can be POSTed as it
    stands, and those of the results as `data` in `assets`. Raises AssetError.
    """

    def data(sha256: str) -> bytes:
        return capture.asset(sha256, fetch)

    alone = dataclasses.replace(
        capture,
        payload=escaped(inline(capture.payload, data)),
        template=escaped(inline(capture.template, data)),
        assets={sha: _held(asset, data(sha)) for sha, asset in _shown(capture).items()},
    )
    return alone.to_json().encode()


def as_payload(capture: Capture, fetch: Fetch = None) -> bytes:
    """Nothing but the body to POST. Raises AssetError."""
    return json.dumps(capture.request(fetch), indent=2, ensure_ascii=False).encode()


def as_bundle(capture: Capture, fetch: Fetch = None) -> bytes:
    """A zip with the pictures as files beside the document. Raises AssetError."""
    return bundle.write(capture, fetch)


FORMATS: Mapping[str, Export] = {"json": as_json, "payload": as_payload, "bundle": as_bundle}
SUFFIXES = {"json": ".json", "payload": ".payload.json", "bundle": ".zip"}


def _shown(capture: Capture) -> dict[str, Asset]:
    """The assets that results name: the payload's own are inlined."""
    named = {sha for result in capture.results for sha in (result.asset, result.thumbnail)}
    return {sha: asset for sha, asset in capture.assets.items() if sha in named}


def _held(asset: Asset, data: bytes) -> Asset:
    return dataclasses.replace(asset, data=base64.b64encode(data).decode("ascii"))
