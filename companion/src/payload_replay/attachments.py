"""Pictures that a payload names instead of holding: ``file:cat.png``, or an address of the web.

A webui takes pictures as base64. In a payload of one's own they may stand as ``file:NAME``, from
the payload's folder, or as ``http://…`` and ``https://…``, and are put in when it is sent. That
holds only where a picture is expected: `init_images`, `mask` and their like, fields of script
arguments that are called so, and ``file:`` for a script argument as a whole. A prompt is never read
as a path, a captured document is never searched for names, and what is read must be a picture.

A script argument whose text itself begins with ``file:`` is written ``file:file:…``.
"""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from . import contents, paths
from .capture import Capture
from .errors import BadSource
from .paths import Step

if TYPE_CHECKING:
    import requests

FILE = "file:"
MAX_BYTES = 64 * 2**20
"""Size of one picture's file in bytes beyond which it is not read."""
MAX_SECONDS = 60.0
"""Seconds that fetching one picture may take in all."""
MAX_REDIRECTS = 5

Place = Literal["field", "argument"]
Read = Callable[[str], str]
_NAMED = re.compile(r"(data:[\w/+.;=-]*;base64,)?file:(.+)", re.DOTALL)
_FIELDS = {"mask", "latent_mask", "image", "firstpass_image"}
_LISTS = {"init_images", "images"}
_IN_SCRIPTS = _FIELDS | {"mask_image", "image_fg", "mask_image_fg", "generated_image"}
_IN_SCRIPTS |= {"init_image", "input_image"}


def place(steps: Sequence[Step]) -> Place | None:
    """What a payload holds there: a picture's ``field``, a script's ``argument``, or neither."""
    if len(steps) > 3 and (steps[0], steps[2]) == ("requests", "payload"):
        steps = steps[3:]
    match list(steps):
        case [str(name)] if name in _FIELDS:
            return "field"
        case [str(name), int()] if name in _LISTS:
            return "field"
        case ["imageList", int(), "data"]:
            return "field"
        case ["alwayson_scripts", str(), "args", *inner] | ["script_args", *inner] if inner:
            return _in_script(inner)
    return None


def mapped(value: Any, steps: Sequence[Step], change: Callable[[str, Sequence[Step]], Any]) -> Any:
    """A part of a payload, at `steps` in it, with every text in a picture's place changed."""
    if isinstance(value, str):
        return change(value, steps) if place(steps) else value
    if isinstance(value, dict):
        return {key: mapped(item, [*steps, key], change) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, [*steps, index], change) for index, item in enumerate(value)]
    return value


def inlined(
    capture: Capture, folder: Path, *, urls: bool = False, but: Sequence[Sequence[Step]] = ()
) -> Capture:
    """The capture with the pictures that its payload names put in as base64.

    Args:
        folder: where ``file:`` is looked for; a name that leads out of it is refused.
        urls: also fetch pictures from the web. Off by default, since a payload may come from
            anybody; the webui itself then gets the address, as it stands.
        but: places that hold what `given` returned, where no text is a name any more.

    Raises:
        BadSource: a picture cannot be had, or is none.
    """
    read = _below(folder)

    def put_in(text: str, at: Sequence[Step]) -> str:
        return text if any(_leads(to, at) for to in but) else _put_in(text, at, read, urls)

    return dataclasses.replace(capture, payload=mapped(capture.payload, [], put_in))


def given(value: Any, steps: Sequence[Step], folder: Path | None = None) -> Any:
    """The same for a value that the user gave for the place `steps`: of any folder, or the web.

    Args:
        folder: what a relative name is relative to; by default the current folder.
    """
    return mapped(value, steps, lambda text, at: _put_in(text, at, _anywhere(folder), True))


def of_path(path: Path) -> str:
    """The picture in a file as base64. Raises BadSource."""
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe may never end
        raise BadSource(f"{path}: is no file")
    return _base64(str(path), contents.read(path, MAX_BYTES))


def of_url(url: str, session: requests.Session | None = None) -> str:
    """The picture at an address of the web as base64. Raises BadSource."""
    import requests
    from urllib3.exceptions import HTTPError

    shown = _without_password(url)
    own = session or requests.Session()
    own.max_redirects = MAX_REDIRECTS
    try:
        return _base64(shown, contents.checked(_fetched(own, url), MAX_BYTES, shown))
    except (requests.RequestException, HTTPError) as error:
        raise BadSource(f"{shown}: cannot be fetched: {type(error).__name__}") from error
    finally:
        if session is None:
            own.close()


def in_json(value: Any) -> str:
    """A `pathlib.Path` in a payload as the picture in that file, for `codec.dumps`."""
    if isinstance(value, Path):
        return of_path(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def with_paths(value: Any) -> Any:
    """A payload whose `pathlib.Path`s are replaced by the pictures in those files."""
    try:
        return _with_paths(value)
    except RecursionError:
        return value  # which is no payload: the reader of the format says so


def _with_paths(value: Any) -> Any:
    if isinstance(value, Path):
        return of_path(value)
    if isinstance(value, dict):
        return {key: _with_paths(item) for key, item in value.items()}
    return [_with_paths(item) for item in value] if isinstance(value, list) else value


def _leads(steps: Sequence[Step], at: Sequence[Step]) -> bool:
    """Whether `at` is at these steps or below them; the titles of scripts in any case."""
    return [str(s).lower() for s in steps] == [str(s).lower() for s in at[: len(steps)]]


def _in_script(inner: Sequence[Step]) -> Place | None:
    last = inner[-1]
    if isinstance(last, int):
        above = next((step for step in reversed(inner) if isinstance(step, str)), None)
        if above is None:
            return "argument"
        return "field" if above in _LISTS | _IN_SCRIPTS else None
    return "field" if last in _IN_SCRIPTS else None


def _put_in(text: str, steps: Sequence[Step], read: Read, urls: bool) -> str:
    if text.startswith(FILE + FILE):
        return text.removeprefix(FILE)
    if named := _NAMED.fullmatch(text) if text.startswith((FILE, "data:")) else None:
        return (named[1] or "") + _placed(steps, lambda: read(named[2]))
    if urls and place(steps) == "field" and text.startswith(("http://", "https://")):
        return _placed(steps, lambda: of_url(text))
    return text


def _placed(steps: Sequence[Step], read: Callable[[], str]) -> str:
    try:
        return read()
    except BadSource as error:
        raise BadSource(f"{paths.written(steps)}: {error}") from error


def _below(folder: Path) -> Read:
    def read(name: str) -> str:
        if len(name) > paths.LONGEST:
            raise BadSource(f"{FILE}{name[:80]}…: too long a name")
        try:
            root = folder.resolve()
            path = (root / name).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise BadSource(f"{FILE}{name}: {error}") from error
        if not path.is_relative_to(root):
            raise BadSource(
                f"{FILE}{name}: lies outside of the payload's folder {root}, and is not read; put "
                "it there, or name it with --set"
            )
        return of_path(path)

    return read


def _anywhere(folder: Path | None) -> Read:
    return lambda name: of_path((folder or Path()) / Path(name).expanduser())


def _base64(name: str, data: bytes) -> str:
    from .images import NotAPicture, suffix

    try:
        suffix(data)
    except NotAPicture as error:
        raise BadSource(f"{name}: is no picture: {error}") from error
    return base64.b64encode(data).decode("ascii")


def _fetched(session: requests.Session, url: str) -> bytes:
    """The body as it is sent: nothing is unpacked, so that a small answer stays small."""
    late = time.monotonic() + MAX_SECONDS
    headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
    found = bytearray()
    with session.get(url, stream=True, timeout=(10, 30), headers=headers, auth=_nobody) as response:
        if response.status_code != 200:
            raise BadSource(f"{_without_password(url)}: answers {response.status_code}")
        # What has come, where urllib3 can say so, lest a slow server be waited for.
        read = getattr(response.raw, "read1", response.raw.read)
        while len(found) <= MAX_BYTES and (piece := read(2**12)):
            found += piece
            if time.monotonic() > late:
                raise BadSource(f"{_without_password(url)}: takes more than {MAX_SECONDS:.0f} s")
    return bytes(found)


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials of this machine's .netrc for an address out of a payload."""
    return request


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
