"""The shapes of what requests say, each defined once: read by it, and described by it.

A shape is a JSON Schema of the few words that `fault` knows; `openapi` publishes the very same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "string": ("a string", (str,)),
    "boolean": ("a boolean", (bool,)),
    "integer": ("an integer", (int,)),
    "number": ("a number", (int, float)),
    "object": ("an object", (dict,)),
    "array": ("a list", (list,)),
}
"""What a type is called, and what it is in Python."""


class BadParameterError(ValueError):
    """Something of a request that cannot be used; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Parameter(NamedTuple):
    """One that stands in the address, or in a header. `says` is for the reader of the docs."""

    name: str
    schema: Schema
    says: str
    required: bool = False
    place: str = "query"


def read(given: Mapping[str, str], parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """What a query says, by the parameters' names; those that it leaves out are not among it.

    Raises:
        BadParameterError: one that does not exist, is missing, or does not have its shape.
    """
    known = {one.name: one for one in parameters if one.place == "query"}
    for name in given:
        if name not in known:
            others = ", ".join(known) or "none"
            raise BadParameterError(name, f"no such parameter here; there are: {others}")
    for name, one in known.items():
        if one.required and not given.get(name, "").strip():
            raise BadParameterError(name, f"is missing: {one.says}")
    return {name: parsed(known[name], text) for name, text in given.items() if text != ""}


def parsed(parameter: Parameter, text: str) -> Any:
    """The value that a text stands for. Raises BadParameterError."""
    schema, kind = parameter.schema, parameter.schema["type"]
    value: Any = text
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", text):
        value = int(text)
    if kind == "boolean":
        value = {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if found := next(faults(value, schema), None):
        raise BadParameterError(parameter.name, f"{_short(text)} {found[1]}")
    return value


def checked(value: Any, schema: Schema) -> Any:
    """`value`, a body. Raises BadParameterError with the path of what has another shape."""
    if found := next(faults(value, schema), None):
        path, what = found
        raise BadParameterError(path or "body", what)
    return value


def faults(value: Any, schema: Schema, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of each place where a JSON value is not as the schema says."""
    kind = schema.get("type")
    if kind is not None and not _is(value, kind):
        yield path, f"must be {_TYPES[kind][0]}, not {_short(value)}"
    elif "enum" in schema and value not in schema["enum"]:
        yield path, f"is not one of {', '.join(map(str, schema['enum']))}"
    elif isinstance(value, dict):
        yield from _of_object(value, schema, path)
    elif isinstance(value, list):
        yield from _of_list(value, schema, path)
    elif isinstance(value, str):
        yield from _of_text(value, schema, path)
    elif not isinstance(value, bool) and isinstance(value, (int, float)):
        yield from _of_number(value, schema, path)


def _of_object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _below(path, name), "is missing"
    if len(value) < schema.get("minProperties", 0):
        yield path, f"must say at least one of {', '.join(known)}"
    for name, one in value.items():
        if name in known:
            yield from faults(one, known[name], _below(path, name))
        elif schema.get("additionalProperties", True) is False:
            yield _below(path, name), f"is unknown here; there are: {', '.join(known)}"


def _of_list(value: list[Any], schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not least <= len(value) <= most:
        yield path, f"has {len(value)} items; {least} to {most} are allowed"
    for index, item in enumerate(value):
        yield from faults(item, schema.get("items", {}), f"{path}[{index}]")


def _of_text(value: str, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if len(value) > schema.get("maxLength", len(value)):
        yield path, f"has {len(value)} characters; {schema['maxLength']} are the most"
    if len(value) < schema.get("minLength", 0):
        yield path, "is empty"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield path, f"must be {schema.get('description', 'of the form ' + schema['pattern'])}"
    if schema.get("format") == "date-time" and moment(value) is None:
        yield path, "must be a time such as 2026-11-23T16:15:02Z"


def _of_number(value: float, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if (least is not None and value < least) or (most is not None and value > most):
        yield path, f"must be a number from {least} to {most}"


def moment(text: str) -> datetime | None:
    """The time that ISO 8601 text says, in UTC where it names no zone; None where it is none."""
    try:
        found = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text))
        zoned = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
        return zoned.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind][1])


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _short(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
