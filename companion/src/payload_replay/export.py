"""The forms in which a capture leaves: one dict from a name to a format.

Credentials are in none of them: a program reads its server's address and, if that asks for them,
user and password from the environment (`posting.URL`, `posting.AUTH`).

This module and all that it imports need the standard library alone, and import each other
relatively: the webui extension can load them as a package of its own.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import archives, bundle, posting, programs, shells
from .capture import Asset, Capture, FormatError, escaped, inline
from .posting import SERVER, Posting

Fetch = Callable[[str], bytes] | None
Program = Callable[[Posting, Capture], str]


@dataclass(frozen=True)
class Format:
    """One form. `title` says what it is; a file of it ends with `suffix`.

    Either `document` makes the bytes, or `program` the text of something that sends the payload;
    with `beside` that can read its pictures from files beside it.
    """

    title: str
    suffix: str
    document: Callable[[Capture, Fetch], bytes] | None = None
    program: Program | None = None
    beside: bool = False

    def __call__(self, capture: Capture, fetch: Fetch = None, server: str = SERVER) -> bytes:
        """The capture in this form, with its pictures inside.

        Args:
            fetch: returns an asset's bytes by its sha256, where the capture does not hold them.
            server: the address that a program sends to when its environment does not say.

        Raises:
            AssetError: a picture cannot be had.
            FormatError: the payload holds what JSON has not, or the address is none.
        """
        if self.document:
            return self.document(capture, fetch)
        return self._text(posting.of(capture, fetch, server), capture)

    def files(
        self, capture: Capture, fetch: Fetch = None, server: str = SERVER
    ) -> dict[str, bytes]:
        """The program and the pictures beside it, by file name, the program first.

        Raises:
            AssetError: a picture cannot be had.
            FormatError: as above, or this form has no pictures beside it.
        """
        if not self.beside:
            able = ", ".join(name for name, each in FORMATS.items() if each.beside)
            raise FormatError(
                "images", f"{self.title} holds its pictures itself; these can: {able}"
            )
        made = posting.of(capture, fetch, server, files=True)
        return {self.name(capture): self._text(made, capture), **made.files}

    def name(self, capture: Capture) -> str:
        """The name of the file; a test's is one that pytest collects and Python imports."""
        if self.suffix == "_test.py":
            return re.sub(r"\W", "_", capture.id) + self.suffix
        return capture.id + self.suffix

    def _text(self, made: Posting, capture: Capture) -> bytes:
        assert self.program is not None
        return self.program(made, capture).encode()


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
    return posting.dumps(capture.request(fetch), indent=2).encode()


def as_bundle(capture: Capture, fetch: Fetch = None) -> bytes:
    """A zip with the pictures as files beside the document. Raises AssetError."""
    return bundle.write(capture, fetch)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A program and its pictures as one zip; the same files make the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            bundle.add(archive, name, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _alone(program: Callable[[Posting], str]) -> Program:
    return lambda posting, capture: program(posting)


FORMATS: Mapping[str, Format] = {
    "json": Format("the document", ".json", as_json),
    "payload": Format("the body to POST", ".payload.json", as_payload),
    "bundle": Format("a zip of document and pictures", ".zip", as_bundle),
    "curl": Format("curl for bash", ".sh", program=_alone(shells.curl), beside=True),
    "curl-cmd": Format("curl for cmd", ".cmd", program=_alone(shells.curl_cmd), beside=True),
    "powershell": Format("PowerShell", ".ps1", program=_alone(shells.powershell), beside=True),
    "httpie": Format("HTTPie", ".http.sh", program=_alone(shells.httpie), beside=True),
    "requests": Format("requests", ".requests.py", program=_alone(programs.requests), beside=True),
    "python": Format("this package", ".py", program=_alone(programs.package), beside=True),
    "fetch": Format("JavaScript's fetch", ".js", program=_alone(programs.fetch), beside=True),
    "node": Format("Node's fetch", ".mjs", program=_alone(programs.node), beside=True),
    "har": Format("HAR 1.2", ".har", program=archives.har),
    "postman": Format("Postman v2.1", ".postman.json", program=_alone(archives.postman)),
    "pytest": Format("pytest", "_test.py", program=programs.pytest, beside=True),
}
SUFFIXES: Mapping[str, str] = {name: each.suffix for name, each in FORMATS.items()}


def _shown(capture: Capture) -> dict[str, Asset]:
    """The assets that results name: the payload's own are inlined."""
    named = {sha for result in capture.results for sha in (result.asset, result.thumbnail)}
    return {sha: asset for sha, asset in capture.assets.items() if sha in named}


def _held(asset: Asset, data: bytes) -> Asset:
    return dataclasses.replace(asset, data=base64.b64encode(data).decode("ascii"))
