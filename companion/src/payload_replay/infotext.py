"""The text under a picture, taken apart: ``prompt / Negative prompt: … / Steps: 2, Seed: 1, …``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

PROMPT = "Prompt"
NEGATIVE = "Negative prompt"

_SAMPLING = (("Sampler", "Schedule type"), ("Hires sampler", "Hires schedule type"))
# The label's length is bounded, or a long line without a colon would take its square in time.
_PAIR = re.compile(r'(\w[\w \-/]{0,79}):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_FEWEST = 3  # a last line with fewer pairs is prose with a colon in it


def parse(text: str) -> dict[str, str]:
    """The fields by name, the prompts among them; empty where there is no text."""
    lines = text.strip().split("\n")
    pairs = _PAIR.findall(lines[-1])
    if len(pairs) >= _FEWEST:
        lines.pop()
    else:
        pairs = []
    prompt, negative = _prompts(lines)
    fields = {PROMPT: prompt, NEGATIVE: negative} if text.strip() else {}
    return fields | {name: _unquoted(value.strip()) for name, value in pairs}


def seed(text: str) -> int | None:
    """The seed that the text names, or None."""
    value = parse(text).get("Seed", "")
    return int(value) if re.fullmatch(r"-?\d{1,20}", value) else None


def differences(expected: str, actual: str) -> Iterator[tuple[str, str, str]]:
    """Each (field, expected, actual) whose values differ.

    ``7`` and ``7.0`` are the same, and so are a sampler's name with its schedule, as up to v1.8,
    and the two apart.
    """
    ours, theirs = parse(expected), parse(actual)
    for names in _SAMPLING:
        if _sampling(ours, names) == _sampling(theirs, names):
            ours, theirs = _without(ours, names), _without(theirs, names)
    for name in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(name, ""), theirs.get(name, "")
        if not same(one, other):
            yield name, one, other


def _sampling(fields: dict[str, str], names: tuple[str, str]) -> str:
    sampler, schedule = (fields.get(name, "") for name in names)
    # Since v1.9 the model's own schedule has a name, or two; before, it had none.
    own = schedule.casefold() in ("uniform", "automatic")
    return f"{sampler} {'' if own else schedule}".casefold().strip()


def _without(fields: dict[str, str], names: tuple[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}


def same(one: str, other: str) -> bool:
    """Whether two values say the same: as text, or as numbers."""
    if one == other:
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _prompts(lines: list[str]) -> tuple[str, str]:
    parts: tuple[list[str], list[str]] = ([], [])
    which = 0
    for line in lines:
        line = line.strip()
        if line.startswith(f"{NEGATIVE}:"):
            which, line = 1, line[len(NEGATIVE) + 1 :].strip()
        parts[which].append(line)
    return "\n".join(parts[0]), "\n".join(parts[1])


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    return value
