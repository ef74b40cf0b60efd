"""Whether a request is one that was recorded, and what differs if it is not.

The rule. Two requests are the same if they go to the same endpoint and their bodies are equal as
JSON (`1` and `1.0` are, `1` and `true` are not) after this was done to both:

1. A picture (base64 with or without a ``data:`` prefix: PNG, JPEG, WebP, AVIF) stands for its
   pixels, by the format's hash. One of more than `MAX_PIXELS`, or one that cannot be decoded,
   stands for its bytes.
2. What `fields.IGNORED` names is left out: what decides no pixels.
3. A field that is null, or has the API's default (`fields.FIELDS`, `FORKS`, `FILLED`), is left out;
   `sampler_index` stands for a `sampler_name` that is missing or empty; titles of scripts are in
   lower case.
4. Fields of what is off are left out: `subseed` where `subseed_strength` is 0, hires. fix's without
   `enable_hr`, the mask's without a `mask`.

Besides, where the two sides are not alike:

5. A field of the recording's ``template`` (a seed of -1, a wildcard) may be asked for as the user
   had typed it, or as it was resolved.
6. A setting among the recording's ``override_settings`` that the request does not name is the
   server's own state: it matters only if the client has POSTed another value to ``options``.
7. An always-on script of the recording that is off (its first argument is false or null, or every
   unit has ``enabled`` false) need not be named.
8. A checkpoint is the same with and without the hash behind its title.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import codec
from .capture import DEEPEST, IMG2IMG, TXT2IMG, Capture, canonical, inline
from .fields import FIELDS, FILLED, FORKS, IGNORED
from .images import NotAPicture, hashed, opened

MAX_PIXELS = 2**26
"""Pixels beyond which a picture is not decoded: 256 MiB as RGBA."""

_CHECKPOINTS = ("sd_model_checkpoint", "refiner_checkpoint", "hr_checkpoint_name")
_MASKED = ("mask_blur", "mask_round", "inpaint", "latent_mask")  # how the mask's own fields begin
_MAGIC = ("iVBORw0KGgo", "/9j/", "UklGR", "AAAA")  # PNG, JPEG, RIFF (WebP) and ftyp, in base64
_SHORTEST = 40
"""Characters below which a text is no picture: a PNG of one pixel has more."""
_LONGEST = 60
"""Characters that a message shows of a value."""


class TooDeep(ValueError):
    """A body of more than `DEEPEST` levels."""


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


@dataclass(frozen=True)
class Form:
    """A request as the rule sees it: its fields, and apart its settings and always-on scripts."""

    endpoint: str
    fields: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    scripts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """A place where a request is not the recorded one; `ABSENT` is a value that is not there."""

    path: str
    recorded: Any
    sent: Any

    def __str__(self) -> str:
        recorded, sent = shown(self.recorded, self.sent), shown(self.sent, self.recorded)
        return f"{self.path}: recorded {recorded}, sent {sent}"

    def to_dict(self) -> dict[str, str]:
        """A JSON object: `path`, and both values as short texts."""
        return {
            "path": self.path,
            "recorded": shown(self.recorded, self.sent),
            "sent": shown(self.sent, self.recorded),
        }


@dataclass(frozen=True)
class Expected:
    """A recorded request: as it was resolved, and as the user had typed it."""

    resolved: Form
    typed: Form


def expected(capture: Capture) -> Expected:
    """What a capture answers to. Raises AssetError where its payload lacks a picture."""
    resolved = _said(capture.request())
    typed = resolved | _said(inline(capture.template, capture.asset))
    return Expected(_form(capture.endpoint, resolved), _form(capture.endpoint, typed))


def form(endpoint: str, payload: Mapping[str, Any]) -> Form:
    """Steps 1 to 4 of the rule. Raises TooDeep."""
    return _form(endpoint, _said(payload))


def _said(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Steps 1 and 2, of which the first takes time: it decodes pictures."""
    return {name: _plain(value) for name, value in payload.items() if name not in IGNORED}


def _form(endpoint: str, said: Mapping[str, Any]) -> Form:
    """Steps 3 and 4."""
    plain = dict(said)
    settings, scripts = plain.pop("override_settings", None), plain.pop("alwayson_scripts", None)
    if isinstance(plain.get("script_name"), str):
        plain["script_name"] = plain["script_name"].lower()
    if not plain.get("sampler_name") and "sampler_index" in plain:
        plain["sampler_name"] = plain["sampler_index"]
    plain.pop("sampler_index", None)
    telling = {name: value for name, value in plain.items() if not _silent(endpoint, name, value)}
    return Form(
        endpoint,
        _working(endpoint, telling),
        dict(settings) if isinstance(settings, dict) else {},
        {name.lower(): v for name, v in scripts.items()} if isinstance(scripts, dict) else {},
    )


def differences(
    asked: Form, recorded: Expected, options: Mapping[str, Any] | None = None
) -> Iterator[Difference]:
    """Where a request is not the recorded one; none where it is the same by the rule.

    Args:
        options: the settings that the client has changed on the server.
    """
    yield from _fields(asked.fields, recorded)
    yield from _settings(asked.settings, recorded.resolved.settings, options or {})
    yield from _scripts(asked.scripts, recorded.resolved.scripts)


def matches(asked: Form, recorded: Expected, options: Mapping[str, Any] | None = None) -> bool:
    """Whether the rule takes the request for the recorded one."""
    return (
        asked.endpoint == recorded.resolved.endpoint
        and next(differences(asked, recorded, options), None) is None
    )


def shown(value: Any, other: Any = ABSENT) -> str:
    """A value in at most `_LONGEST` characters, from where it begins to differ from the other."""
    if value is ABSENT:
        return "nothing"
    text = _text(value)
    start = 0
    if len(text) > _LONGEST and other is not ABSENT:
        start = max(0, _common(text, _text(other)) - 10)
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object of {', '.join(map(str, value)) or 'nothing'}"
    return repr(value) if isinstance(value, str) else str(value)


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


# ---- the two sides


def _fields(asked: Mapping[str, Any], recorded: Expected) -> Iterator[Difference]:
    resolved, typed = recorded.resolved.fields, recorded.typed.fields
    for name in dict.fromkeys([*resolved, *typed, *asked]):
        sent = asked.get(name, ABSENT)
        if _equal(name, typed.get(name, ABSENT), sent):
            continue
        yield from _walk(name, resolved.get(name, ABSENT), sent)


def _settings(
    asked: Mapping[str, Any], recorded: Mapping[str, Any], options: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in dict.fromkeys([*recorded, *asked]):
        path = f"override_settings.{name}"
        if name in asked:
            yield from _walk(path, recorded.get(name, ABSENT), asked[name], name)
        elif name in options and not _equal(name, recorded[name], _plain(options[name])):
            yield Difference(f"options.{name}", recorded[name], options[name])


def _scripts(asked: Mapping[str, Any], recorded: Mapping[str, Any]) -> Iterator[Difference]:
    for title in dict.fromkeys([*recorded, *asked]):
        path = f"alwayson_scripts.{title}"
        if title in asked:
            yield from _walk(path, recorded.get(title, ABSENT), asked[title])
        elif not _off(recorded[title]):
            yield Difference(path, recorded[title], ABSENT)


def _walk(path: str, recorded: Any, sent: Any, name: str | None = None) -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(sent, dict):
        for key in dict.fromkeys([*recorded, *sent]):
            yield from _walk(f"{path}.{key}", recorded.get(key, ABSENT), sent.get(key, ABSENT))
    elif isinstance(recorded, list) and isinstance(sent, list):
        for index in range(max(len(recorded), len(sent))):
            yield from _walk(f"{path}[{index}]", _at(recorded, index), _at(sent, index))
    elif not _equal(name or path, recorded, sent):
        yield Difference(path, recorded, sent)


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _equal(name: str, one: Any, other: Any) -> bool:
    if one is ABSENT or other is ABSENT:
        return one is other
    if name in _CHECKPOINTS and isinstance(one, str) and isinstance(other, str):
        return one.partition(" [")[0] == other.partition(" [")[0]
    return one is other or canonical(one) == canonical(other)


def _off(script: Any) -> bool:
    args = script.get("args") if isinstance(script, dict) else None
    if not isinstance(args, list) or not args:
        return isinstance(args, list)
    if all(isinstance(unit, dict) for unit in args):
        return all(unit.get("enabled") is False for unit in args)
    return args[0] is False or args[0] is None


# ---- one side


def _silent(endpoint: str, name: str, value: Any) -> bool:
    """Whether a field says nothing that the server would not do by itself."""
    known = FIELDS.get(endpoint, {})
    if value is None:
        return True
    usual = [given[name] for given in (known, FORKS, FILLED) if name in given]
    return bool(known) and any(_equal(name, _plain(each), value) for each in usual)


def _working(endpoint: str, said: dict[str, Any]) -> dict[str, Any]:
    """Without the fields of what is off."""
    off: list[str] = []
    if "subseed_strength" not in said:
        off.append("subseed")
    if endpoint == TXT2IMG and not said.get("enable_hr"):
        off += [name for name in said if name.startswith(("hr_", "firstphase_"))]
        off.append("denoising_strength")
    if endpoint == IMG2IMG and "mask" not in said:
        off += [name for name in said if name.startswith(_MASKED)]
    return {name: value for name, value in said.items() if name not in off}


def _plain(value: Any, level: int = 0) -> Any:
    """Pictures as their pixels, whole numbers as integers."""
    if level > DEEPEST:
        raise TooDeep(f"JSON of more than {DEEPEST} levels")
    if isinstance(value, str):
        return pictured(value)
    if isinstance(value, dict):
        return {str(key): _plain(item, level + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, level + 1) for item in value]
    if isinstance(value, float):
        return _number(value)
    return value


def _number(value: float) -> Any:
    if not math.isfinite(value):
        return str(value)  # which JSON does not have, though Python reads it
    return int(value) if value.is_integer() else value


def pictured(text: str) -> str:
    """Step 1 of the rule: what stands for a text that is a picture, else the text itself."""
    return _picture(text) or text


def _picture(text: str) -> str | None:
    start = text.partition(",")[2] if text.startswith("data:") else text
    if len(start) < _SHORTEST or not start.startswith(_MAGIC):
        return None
    try:
        data = codec.b64decode(start)
    except ValueError:
        return None
    try:
        image = opened(data, MAX_PIXELS)
    except NotAPicture:
        return f"file of {len(data)} bytes {hashlib.sha256(data).hexdigest()}"
    return f"picture {image.width}x{image.height} {hashed(image)}"
