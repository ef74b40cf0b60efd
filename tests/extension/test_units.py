"""Objects behind a page, found by the events that make them, and what their fields are to show."""

from __future__ import annotations

import enum
import io
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from payload_capture import units
from payload_capture.controls import KEEP
from payload_capture.units import Event


class Mode(enum.Enum):
    SIMPLE = "simple"


@dataclass
class Unit:
    mode: Mode = Mode.SIMPLE
    enabled: bool = True
    resize: str = "Crop"
    start: float = 0.0
    end: float = 1.0
    image: Any = None


@dataclass
class Kept(Unit):
    """With what no field shows: the events have as many arguments as there are fields."""

    kept: int = 3
    way: Mode = Mode.SIMPLE


class Component(SimpleNamespace):
    def __init__(self, elem_id: str = "", **given: Any) -> None:
        super().__init__(elem_id=elem_id, **given)


class State(Component): ...


class Radio(Component): ...


def a_state(value: Any) -> State:
    return State(value=value)


def a_page(call: Any = Unit, value: Any = None) -> tuple[units.Unit, list[Component]]:
    """A unit whose fields stand in an accordion of its own, and its fields."""
    accordion = Component()
    enabled = Component("txt2img_0_enable_checkbox", parent=accordion)
    resize = Radio(choices=["Just", "Crop", "Fill"])
    fields = [a_state(Mode.SIMPLE), enabled, resize, a_state(0.0), a_state(1.0), Component("image")]
    state = a_state(Unit(enabled=False) if value is None else value)
    switch = Component("switch", accordion=accordion)
    upload = Component("txt2img_0_mask_upload_checkbox")
    other = Component("txt2img_1_mask_upload_checkbox")
    span = Component("range")
    page = [
        Event(lambda both: both, [span], fields[3:5]),
        Event(print, [span], [other]),
        Event(print, [enabled, resize], fields[3:5]),
    ]
    pressed = [Event(print, [enabled], [other]), Event(call, fields, [state])]
    (found,) = units.found(pressed, page, [*fields, switch, upload, other, span])
    return found, fields


def shown(unit: units.Unit, **given: Any) -> dict[str, Any]:
    """What each field is to show, by its name or id."""
    return {one.name or one.component.elem_id: one.part(given) for one in unit.fields}


def names(unit: units.Unit) -> list[str]:
    """What the event's own inputs are called."""
    return [one.name for one in unit.fields if one.component in unit.event.inputs]


def test_fields_are_known_by_what_the_page_calls() -> None:
    unit, fields = a_page()
    assert names(unit) == ["mode", "enabled", "resize", "start", "end", "image"]
    assert [one.component for one in unit.fields][: len(fields)] == fields


def by_place(*args: Any) -> Unit:
    return Unit(*args)


def half_by_name(gallery: Any, mode: Any, *args: Any) -> Unit:
    return Unit(mode, *args)


def tabs(state: dict[str, Any], *args: Any) -> dict[str, Any]:
    return dict(zip(state, args, strict=True))


def test_arguments_without_names_are_the_object_s_attributes() -> None:
    assert names(a_page(by_place)[0]) == ["mode", "enabled", "resize", "start", "end", "image"]
    unit, _ = a_page(half_by_name)
    assert names(unit) == ["gallery", "mode", "enabled", "resize", "start", "end"]


def test_a_dict_is_an_object_too_and_may_be_given_to_its_maker() -> None:
    state, field, other = a_state({"model": "None", "weight": 1.0}), Component(), Component()
    (unit,) = units.found([Event(tabs, [state, field, other], [state])], [], [])
    assert names(unit) == ["model", "weight"]
    assert unit.made({id(field): "tiny", id(other): 0.5}) == {"model": "tiny", "weight": 0.5}
    assert state.value == {"model": "None", "weight": 1.0}


async def promised(enabled: bool) -> Unit:
    return Unit(enabled=enabled)


@pytest.mark.parametrize(
    "event",
    [
        Event(Unit, [Component()], [Component()]),
        Event(Unit, [Component()], [a_state(None)]),
        Event(Unit, [Component()], [a_state(3)]),
        Event(None, [Component()], [a_state(Unit())]),
        Event(lambda one: one, [Component(), Component()], [a_state(Unit())]),
        Event(lambda a, b: Unit(), [Component(), Component()], [a_state(Unit())]),
        Event(promised, [Component()], [a_state(Unit())]),
        Event(Unit, [Component()], [a_state(Unit()), a_state(Unit())]),
    ],
)
def test_nothing_else_is_a_unit(event: Event) -> None:
    assert units.found([event], [], []) == []


def test_a_field_shows_what_the_unit_says() -> None:
    unit, _ = a_page()
    made = shown(unit, resize="Fill", start=0.25, end=0.5)
    assert made["resize"] == "Fill"
    assert made["start, end"] == [0.25, 0.5]
    assert made["image"] is KEEP
    assert shown(unit, end=0.5)["start, end"] == [0.0, 0.5]


def test_a_choice_by_its_number_is_the_choice() -> None:
    unit, _ = a_page()
    assert shown(unit, resize=2)["resize"] == "Fill"
    assert shown(unit, resize=3)["resize"] == 3
    assert shown(unit, resize=-1)["resize"] == -1
    assert shown(unit, start=-1)["start"] == -1


def test_a_number_stays_one_where_the_page_gives_numbers() -> None:
    field, state = Radio(choices=["Just", "Crop"], type="index"), a_state({"resize": 0})
    (unit,) = units.found([Event(lambda resize: {"resize": resize}, [field], [state])], [], [])
    assert shown(unit, resize=1)["resize"] == 1


def test_what_a_unit_does_not_say_is_what_the_api_takes() -> None:
    unit, _ = a_page()
    assert shown(unit)["resize"] == "Crop"
    assert shown(unit, enabled=False)["resize"] is KEEP


def test_a_unit_that_says_nothing_is_on_where_the_api_takes_it_for_on() -> None:
    unit, _ = a_page()
    assert shown(unit)["enabled"] is True
    assert shown(unit)["switch"] is True
    assert shown(unit, enabled=False)["switch"] is False


def test_what_hides_a_picture_follows_it() -> None:
    unit, _ = a_page()
    assert shown(unit, mask_image="…")["txt2img_0_mask_upload_checkbox"] is True
    assert shown(unit)["txt2img_0_mask_upload_checkbox"] is False
    assert "txt2img_1_mask_upload_checkbox" not in shown(unit)


def drawn(lightness: int) -> Image.Image:
    return Image.new("L", (4, 4), lightness)


def test_a_picture_on_which_nothing_was_drawn_is_the_picture() -> None:
    unit, _ = a_page()
    picture = Image.new("RGB", (4, 4), "red")
    assert shown(unit, image={"image": picture, "mask": drawn(0)})["image"] is picture
    assert shown(unit, image={"image": picture, "mask": None})["image"] is picture
    for mask in (drawn(255), "a/file.png"):
        both = {"image": picture, "mask": mask}
        assert shown(unit, image=both)["image"] is both


def test_a_sketch_shows_what_was_drawn_even_nothing() -> None:
    unit, fields = a_page()
    fields[5].tool = "sketch"
    both = {"image": Image.new("RGB", (4, 4), "red"), "mask": drawn(0)}
    assert shown(unit, image=both)["image"] is both
    assert shown(unit, image=both | {"mask": None})["image"] is both["image"]


def test_what_no_field_shows_is_left_over() -> None:
    unit, _ = a_page(half_by_name)
    assert unit.left_over({"resize": "Fill", "image": None, "extra": 5}) == {"extra": 5}
    assert unit.left_over({"image": "…"}) == {"image": "…"}
    unit, _ = a_page(lambda mode, enabled, resize, *rest: Unit(), Kept())
    assert unit.left_over({"kept": 0}) == {"kept": 0}
    assert unit.left_over({"kept": 3, "way": "simple"}) == {}


def test_makes_what_the_page_would_make() -> None:
    unit, fields = a_page()
    values = [Mode.SIMPLE, True, "Fill", 0.25, 0.5, io.BytesIO()]
    given = {id(one): value for one, value in zip(fields, values, strict=True)}
    assert unit.made(given) == Unit(*values)  # type: ignore[arg-type]
