"""What a capture tells about a machine and its users, and a capture without it.

Users' names, folders and the machine's name get into a capture by themselves: the page's user, a
path in an error or a script's argument, the user in the infotext. `sanitised` takes them out. What
decides the picture is never changed in silence: a path among the arguments is cut to the file's
name and the capture says so; a prompt stays as it is, and the capture says that it names something.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import getpass
import hashlib
import os
import platform
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from payload_capture.capture import Capture, Caveat, reference, referred
from payload_capture.pictures import encoded_type

Pictures = Literal["all", "needed", "none"]

LEFT_OUT = "…"
"""What stands for a name or a folder."""
SHORTEST = 3
"""Letters of a name that is looked for: "me" is in every second sentence."""
_BY_FILE_NAME = ("forge_additional_modules", "hr_additional_modules")
"""Fields whose paths may be file names as well (Forge dfdcbab6, ``main_entry.modules_change``,
which ``sysinfo.set_config`` calls for what a request overrides)."""
_ENDPOINTS = ("/sdapi/", "/payload-capture/", "/internal/")
_LONGEST_PATH = 1024
# A folder's name may hold spaces, the last part of a path in a sentence may not.
_WORD = r"[^\s\\/:*?\"'<>|,;()\[\]{}]+"
_FOLDER = rf"{_WORD}(?: {_WORD})*"
_PATH = re.compile(
    rf"(?<![\w/\\:.…])(?:[A-Za-z]:[\\/]|\\\\{_FOLDER}\\|/(?={_FOLDER}/))"
    rf"(?:{_FOLDER}[\\/])*[^\s\\/:*?\"'<>|,;]*"
)
_USER_FIELD = re.compile(r"(?:^|, )User: (?:\"(?:[^\"\\]|\\.)*\"|[^,]*)")


class Privacy(NamedTuple):
    """What is kept of a job.

    Args:
        pictures: all of them, those that its request needs, or none but their hashes.
        anonymous: without what tells about this machine and its users.
        blurred: with thumbnails that show no more than shapes.
    """

    pictures: Pictures = "all"
    anonymous: bool = False
    blurred: bool = False


EVERYTHING = Privacy()


class Names(NamedTuple):
    """What tells about a machine and its users.

    Args:
        folders: where the webui and its user's files lie.
        words: the names of users and of the machine.
    """

    folders: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @classmethod
    def of_machine(cls, folders: Iterable[object], users: Iterable[str]) -> Names:
        """Those given, the home folder, the process's user and the machine."""
        try:
            user = getpass.getuser()
        except (OSError, KeyError, ImportError):  # a user id without an entry, as in containers
            user = ""
        machine = platform.node()
        words = {*users, user, machine, machine.partition(".")[0]}
        found = {*map(str, folders), os.path.expanduser("~")} - {"", "/", ".", "~"}
        told = sorted(word for word in words if len(word) >= SHORTEST)
        return cls(tuple(sorted(found, key=len, reverse=True)), tuple(told))

    def told_in(self, text: str) -> bool:
        """Whether a text names one of the folders, or one of the words by itself."""
        return bool(_folders(self.folders).search(text) or _words(self.words).search(text))

    def also(self, user: str | None) -> Names:
        """With the name of one more user."""
        if user is None or len(user) < SHORTEST or user in self.words:
            return self
        return self._replace(words=(*self.words, user))


def sanitised(capture: Capture, names: Names) -> Capture:
    """The capture without what tells about its machine and users; pictures as they are.

    The infotext inside the results' files is another matter: see `renamed`.
    """
    names = names.also(capture.job.user)
    caveats: list[Caveat] = []
    payload = _payload(capture.payload, "", names, caveats)
    caveats += [
        _stays(name)
        for name in ("template", "resolved")
        if any(map(names.told_in, _texts(getattr(capture, name))))
    ]
    error = capture.job.error
    job = dataclasses.replace(capture.job, user=None, error=error and plain(error, names))
    host = dataclasses.replace(
        capture.host,
        settings=_cleaned(capture.host.settings, names),
        facts=_cleaned(capture.host.facts, names),
    )
    kept = [dataclasses.replace(one, reason=plain(one.reason, names)) for one in capture.warnings]
    results = [
        dataclasses.replace(one, infotext=infotext(one.infotext, names)) for one in capture.results
    ]
    return dataclasses.replace(
        capture,
        payload=payload,
        job=job,
        host=host,
        results=results,
        choices=_cleaned(capture.choices, names),
        warnings=[*kept, *(one for one in caveats if one not in kept)],
    )


def address(url: str, names: Names) -> str:
    """The address of this webui, in numbers where its name tells about the machine."""
    place = urlsplit(url).netloc
    name = place.partition(":")[0]
    return url.replace(f"//{name}", "//127.0.0.1", 1) if names.told_in(name) else url


def plain(text: str, names: Names) -> str:
    """A sentence, such as an error's: its paths cut to the file's name, without the words."""
    text = _PATH.sub(_cut, _folders(names.folders).sub(LEFT_OUT, text))
    return _words(names.words).sub(LEFT_OUT, text)


def infotext(text: str, names: Names) -> str:
    """An infotext without its user and without the machine's folders; prompts stay."""
    prompts, newline, fields = text.rpartition("\n")
    fields = _USER_FIELD.sub("", _folders(names.folders).sub(LEFT_OUT, fields))
    return prompts + newline + fields.removeprefix(", ")


def _cut(found: re.Match[str]) -> str:
    path = found[0]
    if path.startswith(_ENDPOINTS):
        return path
    return f"{LEFT_OUT}/{_file_name(path)}"


def _file_name(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


@functools.lru_cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{_any(map(re.escape, words))})(?!\w)", re.IGNORECASE)


@functools.lru_cache
def _folders(folders: tuple[str, ...]) -> re.Pattern[str]:
    """Each folder, written with either slash."""
    parts = (re.split(r"[\\/]", folder) for folder in folders)
    written = (r"[\\/]+".join(map(re.escape, names)) for names in parts)
    return re.compile(rf"(?<![\w.…])(?:{_any(written)})(?![\w-])", re.IGNORECASE)


def _any(patterns: Iterable[str]) -> str:
    return "|".join(patterns) or r"(?!)"


def _cleaned(value: Any, names: Names) -> Any:
    """Facts, which decide nothing: all their texts as sentences."""
    if isinstance(value, Mapping):
        return {key: _cleaned(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, names) for item in value]
    return plain(value, names) if isinstance(value, str) else value


def _payload(value: Any, path: str, names: Names, caveats: list[Caveat], field: str = "") -> Any:
    if isinstance(value, dict):
        return {
            key: _payload(item, f"{path}.{key}" if path else key, names, caveats, key)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _payload(item, f"{path}[{index}]", names, caveats, field)
            for index, item in enumerate(value)
        ]
    if not isinstance(value, str) or field == "$asset":
        return value
    if encoded_type(value) is not None:
        return _embedded(value, path, names, caveats)
    return _argument(value, path, names, caveats, field)


def _embedded(text: str, path: str, names: Names, caveats: list[Caveat]) -> str:
    """A picture's file as base64, of which only its texts are changed, as those of results."""
    head, comma, encoded = text.rpartition(",")
    try:
        data = base64.b64decode(encoded)
        if _tells_more(data):
            caveats.append(_told_by_file(path))
            return text
        told = retold(data, lambda one: infotext(one, names)) if _is_png(data) else data
    except (ValueError, IndexError, struct.error):  # no picture
        return text
    return text if told == data else f"{head}{comma}{base64.b64encode(told).decode('ascii')}"


def _is_png(data: bytes) -> bool:
    return data.startswith(b"\x89PNG\r\n\x1a\n")


def _tells_more(data: bytes) -> bool:
    """Whether a file holds EXIF or XMP. By its orientation the webui turns the picture (A1111
    v1.9.4 on, ``images.read``), so it stays. Raises ValueError, struct.error for half a PNG file.
    """
    if _is_png(data):
        return any(kind == b"eXIf" for kind, _ in _chunks(data))
    return any(mark in data for mark in (b"Exif\0\0", b"EXIF", b"http://ns.adobe.com/xap/"))


def is_bare(data: bytes) -> bool:
    """Whether a picture's file tells nothing beside its pixels."""
    try:
        told = (kind in (b"tEXt", b"zTXt", b"iTXt") for kind, _ in _chunks(data))
        return not _tells_more(data) and not (_is_png(data) and any(told))
    except (ValueError, struct.error):  # half a PNG file
        return False


def _argument(text: str, path: str, names: Names, caveats: list[Caveat], field: str) -> str:
    """A text of the payload, of which only what is a place on this machine is taken."""
    if not field.endswith(("prompt", "styles")):
        if is_path(text):
            if field not in _BY_FILE_NAME:
                caveats.append(_incomplete(path))
            return _file_name(text)
        if (short := _folders(names.folders).sub(LEFT_OUT, text)) != text:
            caveats.append(_incomplete(path))
            text = short
    if names.told_in(text):
        caveats.append(_stays(path))
    return text


def is_path(text: str) -> bool:
    """Whether a text is an absolute path and nothing else; one of the API's own is none."""
    if not 2 < len(text) < _LONGEST_PATH or "\n" in text or text.startswith(_ENDPOINTS):
        return False
    return bool(re.match(r"[A-Za-z]:[\\/]|\\\\\S|/[^/\s]+/[^/]", text))


def _incomplete(path: str) -> Caveat:
    reason = "a path on the server was cut to the file's name: put one there before sending this"
    return Caveat(path, reason, "pixels")


def _stays(path: str) -> Caveat:
    reason = "names a user, this machine or a folder of it, and stays since it decides the picture"
    return Caveat(path, reason, "cosmetic")


def _told_by_file(path: str) -> Caveat:
    reason = "a picture whose file tells more than pixels (EXIF), which may turn it, and so stays"
    return Caveat(path, reason, "cosmetic")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


# ---- the text inside pictures


def renamed(
    capture: Capture, fetch: Callable[[str], bytes], names: Names
) -> tuple[Capture, Callable[[str], bytes]]:
    """The sanitised capture with the texts inside its pictures' files sanitised as well.

    A file that changes has another hash, and so another name, also where the payload names it.

    Args:
        fetch: returns an asset's bytes by its sha256; one that it raises OSError, LookupError or
            ValueError for keeps its name.

    Returns:
        the capture, and what returns its assets' bytes.
    """
    names = names.also(capture.job.user)
    clean = sanitised(capture, names)
    files: dict[str, bytes] = {}
    moved = dict(_retold(capture, fetch, names, files))
    assets = {
        moved.get(sha256, sha256): dataclasses.replace(
            asset, size=len(files[moved[sha256]]) if sha256 in moved else asset.size
        )
        for sha256, asset in clean.assets.items()
    }
    results = [
        dataclasses.replace(one, asset=moved.get(one.asset or "", one.asset))
        for one in clean.results
    ]
    payload, template = (_pointing(value, moved) for value in (clean.payload, clean.template))
    clean = dataclasses.replace(
        clean, assets=assets, results=results, payload=payload, template=template
    )
    return clean, lambda sha256: files[sha256] if sha256 in files else fetch(sha256)


def _retold(
    capture: Capture, fetch: Callable[[str], bytes], names: Names, files: dict[str, bytes]
) -> Iterator[tuple[str, str]]:
    """Old and new name of each file whose texts change; the new ones into `files`."""
    made = {one.asset for one in capture.results}
    for sha256, asset in capture.assets.items():
        if asset.media_type != "image/png":
            continue
        try:
            data = fetch(sha256)
            if sha256 not in made and _tells_more(data):
                continue  # the webui may turn it by that
            told = retold(data, lambda text: infotext(text, names))
        except (OSError, LookupError, ValueError, struct.error):  # gone, or no whole PNG file
            continue
        if told != data:
            name = hashlib.sha256(told).hexdigest()
            files[name] = told
            yield sha256, name


def _pointing(value: Any, moved: Mapping[str, str]) -> Any:
    """A payload whose references name the files that were made."""
    if (sha256 := referred(value)) is not None:
        return reference(moved.get(sha256, sha256))
    if isinstance(value, dict):
        return {key: _pointing(item, moved) for key, item in value.items()}
    return [_pointing(item, moved) for item in value] if isinstance(value, list) else value


def retold(png: bytes, change: Callable[[str], str]) -> bytes:
    """A PNG file with its texts changed and its pixels byte for byte as they were.

    Texts that are compressed, and EXIF, are left out: the extension writes none.
    """
    made = [png[:8]]
    for kind, body in _chunks(png):
        if kind in (b"zTXt", b"eXIf") or (kind == b"iTXt" and body[body.index(0) + 1]):
            continue
        if kind in (b"iTXt", b"tEXt"):
            head, text = _split_text(kind, body)
            encoding = "utf-8" if kind == b"iTXt" else "latin-1"
            body = head + change(text.decode(encoding)).encode(encoding, "replace")
        crc = zlib.crc32(kind + body)
        made.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc))
    return b"".join(made)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each. Raises struct.error or ValueError where the file is cut short."""
    place = 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if place + 12 + length > len(png):
            raise ValueError("the file is cut short")
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length


def _split_text(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    """A text chunk at its text: behind the keyword, in iTXt two flags, language and translation."""
    place = body.index(0) + 1
    if kind == b"iTXt":
        place = body.index(0, body.index(0, place + 2) + 1) + 1
    return body[:place], body[place:]
