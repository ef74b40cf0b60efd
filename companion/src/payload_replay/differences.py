"""What was sent against what the server says that it took: the answer's `parameters`.

A webui echoes the whole request as it read it (A1111 v1.6.0 to v1.10.1, Forge, reForge): with its
defaults filled in, and without the fields that it does not know. Forge leaves out an override of
the checkpoint too where it has none of that name; A1111 v1.10.1 does not show that.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .capture import referred

Kind = Literal["changed", "added", "removed"]

WITHHELD = ("init_images", "mask")
"""Pictures that a webui leaves out of its answer, unless `include_init_images` is sent."""
SHOWN = 120
"""Characters of a value that `brief` keeps."""

_DEEPEST = 100


@dataclass(frozen=True)
class Difference:
    """At `path`: `sent` and `said`, of which the one that is not there is None."""

    path: str
    kind: Kind
    sent: Any = None
    said: Any = None

    @property
    def withheld(self) -> bool:
        """Whether it is a picture that webuis do not repeat."""
        top = self.path.partition("[")[0].partition(".")[0]
        return top in WITHHELD and self.said is None


def differences(sent: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[Difference]:
    """Each place where they differ, the changed first, then the removed, then the added.

    Args:
        sent: the payload; its pictures may be references.
        said: the answer's `parameters`. Empty where there are none, and then nothing differs.
    """
    found = list(_mapping(_unescaped(sent), said, "", _DEEPEST)) if said else []
    order = ("changed", "removed", "added")
    yield from sorted(found, key=lambda one: order.index(one.kind))


def same(sent: Any, said: Any) -> bool:
    """Whether two values say the same: ``7`` and ``7.0`` do, ``1`` and ``true`` do not, wherever
    in a list or mapping they stand. A webui reads a whole number as a float, and repeats it so."""
    if (sha256 := referred(sent)) is not None:
        return isinstance(said, str) and _hash(said) == sha256
    if isinstance(sent, list) and isinstance(said, list):
        return len(sent) == len(said) and all(map(same, sent, said))
    if isinstance(sent, dict) and isinstance(said, dict):
        sent = _unescaped(sent)
        return sent.keys() == said.keys() and all(same(sent[name], said[name]) for name in sent)
    return bool(sent == said) and isinstance(sent, bool) is isinstance(said, bool)


def brief(value: Any) -> str:
    """A value in at most `SHOWN` characters, a picture by its length."""
    if (sha256 := referred(value)) is not None:
        return f"picture {sha256[:12]}…"
    if isinstance(value, str) and len(value) > SHOWN:
        return f"{value[: SHOWN // 2]!r}… ({len(value)} characters)"
    text = repr(value) if not isinstance(value, (list, dict)) else _outline(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _outline(value: list[Any] | dict[str, Any]) -> str:
    """Its beginning; a picture inside costs no more than its first characters."""
    few = 8
    if isinstance(value, list):
        inner = ", ".join(brief(one) for one in value[:few])
        return f"[{inner}{', …' if len(value) > few else ''}]"
    pairs = itertools.islice(value.items(), few)
    inner = ", ".join(f"{name[:SHOWN]}: {brief(one)}" for name, one in pairs)
    return "{" + inner + (", …" if len(value) > few else "") + "}"


def _mapping(
    sent: Mapping[str, Any], said: Mapping[str, Any], path: str, depth: int
) -> Iterator[Difference]:
    for key, value in sent.items():
        if key in said:
            yield from _between(value, said[key], f"{path}{key}", depth)
        else:
            yield Difference(f"{path}{key}", "removed", value)
    for key, value in said.items():
        if key not in sent:
            yield Difference(f"{path}{key}", "added", None, value)


def _between(sent: Any, said: Any, path: str, depth: int) -> Iterator[Difference]:
    if depth and isinstance(sent, dict) and isinstance(said, dict) and referred(sent) is None:
        yield from _mapping(_unescaped(sent), said, f"{path}.", depth - 1)
    elif depth and isinstance(sent, list) and isinstance(said, list) and len(sent) == len(said):
        for index, (one, other) in enumerate(zip(sent, said, strict=True)):
            yield from _between(one, other, f"{path}[{index}]", depth - 1)
    elif said is None and sent is not None:
        yield Difference(path, "removed", sent)
    # Equal is enough: a webui reads 0 as False where its field is a switch (`inpaint_full_res`).
    elif sent != said and not same(sent, said):
        yield Difference(path, "changed", sent, said)


def _unescaped(value: Mapping[str, Any]) -> dict[str, Any]:
    """Without what `payload_replay.capture.escaped` put before a mapping's own dollars."""
    return {name.removeprefix("$"): one for name, one in value.items()}


def _hash(text: str) -> str:
    """The hash of what the base64 holds, with or without ``data:image/png;base64,`` before it."""
    try:
        return hashlib.sha256(base64.b64decode(text.rpartition(",")[2])).hexdigest()
    except (binascii.Error, ValueError):
        return ""
