"""Objects that a script keeps behind the page, and the fields of the page that they are made of.

Such as units of ControlNet and tabs of ADetailer: the Generate button is given a state alone, which
an event of the same button makes anew from fields that are no inputs of Generate. The fields are
found by that event, their names by the function that it calls. gradio is not imported here: the
page's blocks are known by their names and attributes, as in `controls`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from payload_capture import controls
from payload_capture.controls import KEEP

Part = Callable[[Mapping[str, Any]], Any]
"""What a field is to show of a unit as the API has it; KEEP where that says nothing of it."""


class Event(NamedTuple):
    """An event of the page: the function that it calls, its inputs and its outputs."""

    call: Any
    inputs: Sequence[Any]
    outputs: Sequence[Any]


class Field(NamedTuple):
    """A component of the page, and what it shows of a unit."""

    component: Any
    name: str
    part: Part


class Unit(NamedTuple):
    """What makes a state, and all fields that follow a capture of it."""

    event: Event
    fields: Sequence[Field]

    @property
    def state(self) -> Any:
        return self.event.outputs[0]

    def made(self, given: Mapping[int, Any]) -> Any:
        """The object that the page makes of its fields, whose values are `given` by identity.

        The page makes it when Generate is pressed, while the job begins already; one that is kept
        before then is there in time.
        """
        known = {id(self.state): copy.copy(self.state.value), **given}
        return self.event.call(*(known[id(one)] for one in self.event.inputs))

    def left_over(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What a unit asks for that no field shows, where it is not what the page would have."""
        usual = _attributes(self.state.value)
        shown = {one.name for one in self.fields}
        others = {name: value for name, value in given.items() if name not in shown}
        return {
            name: value
            for name, value in others.items()
            if (value != _plain(usual[name]) if name in usual else value)
        }


def found(pressed: Iterable[Event], page: Iterable[Event], blocks: Iterable[Any]) -> list[Unit]:
    """The units of a Generate button.

    Args:
        pressed: the events of the button; those that make a state have it as their only output.
        page: all events.
        blocks: all blocks.
    """
    everywhere, all_blocks = list(page), list(blocks)
    made = ((one, _named(one)) for one in pressed if len(one.outputs) == 1)
    return [_unit(one, named, everywhere, all_blocks) for one, named in made if named]


def _attributes(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else getattr(value, "__dict__", {})


def _unit(event: Event, named: list[tuple[str, Any]], page: list[Event], blocks: list[Any]) -> Unit:
    unsaid = _unsaid(event.outputs[0].value)
    fields = [Field(one, name, _item(name, one, unsaid)) for name, one in named]
    fields += _shown_together(named, page, unsaid)
    fields += _beside(dict(named), blocks, unsaid)
    return Unit(event, fields)


def _named(event: Event) -> list[tuple[str, Any]]:
    """The fields that an event makes an object of, by their names; none where it makes none, or
    where most names are none of the object's."""
    state = event.outputs[0]
    if controls.kind(state) != "state":
        return []
    inputs = [one for one in event.inputs if one is not state]
    names = _names(event.call, len(event.inputs) - len(inputs), state.value)
    named = list(zip(names, inputs, strict=False))
    known = [name for name, _ in named if name in _attributes(state.value)]
    return named if len(named) == len(inputs) and 2 * len(known) > len(named) else []


def _names(call: Any, skipped: int, made: Any) -> list[str]:
    """What the function's arguments are called. Of those that have no names of their own, as the
    object's attributes, behind the last that has one (Mikubill's ControlNet v1.1.455 and reForge
    3b56b268: `create_ui_unit`, `create_unit`; ADetailer v25.3.0: `on_generate_click`)."""
    given = _arguments(call)[skipped:]
    names = [one.name for one in given if one.kind is not one.VAR_POSITIONAL]
    if len(names) == len(given):
        return names
    attributes = list(_attributes(made))
    last = max((attributes.index(name) for name in names if name in attributes), default=-1)
    return names + attributes[last + 1 :]


def _arguments(call: Any) -> list[inspect.Parameter]:
    if inspect.iscoroutinefunction(call) or inspect.isgeneratorfunction(call):
        return []  # which make no object when called
    try:
        return list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return []  # no function, or one that does not tell


def _unsaid(made: Any) -> Mapping[str, Any]:
    """What the API takes where a unit does not say it: a unit of Forge is on then, Mikubill's is
    off."""
    return {
        one.name: one.default
        for one in _arguments(type(made))
        if isinstance(one.default, (bool, int, float, str))
    }


def _said(unit: Mapping[str, Any], name: str, unsaid: Mapping[str, Any]) -> Any:
    if unit.get("enabled") is False and name != "enabled":
        return KEEP  # as it was drawn, whatever it is
    return unit.get(name, unsaid.get(name, KEEP))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _item(name: str, component: Any, unsaid: Mapping[str, Any]) -> Part:
    offered = controls.choices(component)
    by_label = getattr(component, "type", None) != "index"

    def of(unit: Mapping[str, Any]) -> Any:
        value = _undrawn(_said(unit, name, unsaid), component)
        if type(value) is int and value not in offered and by_label and 0 <= value < len(offered):
            return offered[value]  # ControlNet's API takes its modes by their numbers, too
        return value

    return of


def _undrawn(value: Any, component: Any) -> Any:
    """A picture alone, where it comes with what a brush drew on it and that is nothing; a sketch
    takes both as they are."""
    if not isinstance(value, Mapping) or value.keys() != {"image", "mask"}:
        return value
    drawn = value["mask"]
    if drawn is None:
        return value["image"]
    may_go = hasattr(drawn, "tobytes") and not controls.is_sketch(component)
    return value["image"] if may_go and controls.is_blank(drawn) else value


def _shown_together(
    named: Iterable[tuple[str, Any]], page: Iterable[Event], unsaid: Mapping[str, Any]
) -> Iterator[Field]:
    """The field that people move where states follow it: the range of two numbers in Forge
    (dfdcbab6, ``lib_controlnet/controlnet_ui/controlnet_ui_group.py``)."""
    names = {id(one): name for name, one in named if controls.kind(one) == "state"}
    for event in page:
        followed = [names.get(id(one), "") for one in event.outputs]
        if len(event.inputs) == 1 and len(followed) > 1 and all(followed):
            yield Field(event.inputs[0], ", ".join(followed), _together(followed, unsaid))


def _together(names: Sequence[str], unsaid: Mapping[str, Any]) -> Part:
    def of(unit: Mapping[str, Any]) -> Any:
        values = [_said(unit, name, unsaid) for name in names]
        return KEEP if KEEP in values else values

    return of


# ---- what stands beside the fields


def _holds(*names: str) -> Part:
    return lambda unit: any(unit.get(name) for name in names)


_BESIDE: dict[str, Part] = {
    "same_img2img_checkbox": _holds("image"),
    "mask_upload_checkbox": _holds("mask_image", "effective_region_mask"),
    "type_filter_radio": lambda unit: "All",
}
"""Switches of ControlNet that no unit keeps, by the end of their ids: what hides the picture and
the mask, and empties them, and what offers some of the preprocessors alone (Forge dfdcbab6, reForge
3b56b268, Mikubill's v1.1.455: ``controlnet_ui_group.py``)."""


def _beside(
    named: Mapping[str, Any], blocks: Sequence[Any], unsaid: Mapping[str, Any]
) -> Iterator[Field]:
    """The switches that go with the fields, and that of the accordion that they stand in."""
    enabled = named.get("enabled")
    begins = str(getattr(enabled, "elem_id", None)).removesuffix("enable_checkbox")
    around = list(_ancestors(enabled))
    for block in blocks:
        part = _BESIDE.get(str(getattr(block, "elem_id", None)).removeprefix(begins))
        if part is not None:
            yield Field(block, "", part)
        elif getattr(block, "accordion", None) in around:
            yield Field(block, "", _item("enabled", block, unsaid))


def _ancestors(block: Any) -> Iterator[Any]:
    while (block := getattr(block, "parent", None)) is not None:
        yield block
