"""What components show for a value, with stand-ins for gradio's classes of both generations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from payload_capture import controls
from payload_capture.controls import Offered, Sketched, Unfit


class Component:
    """The attributes that controls read."""

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)


class Checkbox(Component): ...


class InputAccordion(Checkbox): ...


class Slider(Component): ...


class Textbox(Component): ...


class LogicalImage(Textbox): ...


class Dropdown(Component): ...


class CheckboxGroup(Component): ...


class Radio(Component): ...


class File(Component): ...


class State(Component): ...


class HTML(Component): ...


class ImageInput(Component): ...


ImageInput.__name__ = "Image"
RED = Image.new("RGB", (2, 2), "red")
BLACK = Image.new("RGB", (2, 2))
PAIRS = [("Euler a", "Euler a"), ("DPM++ 2M", "DPM++ 2M")]


def keep(picture: Image.Image) -> str:
    return f"{picture.size[0]}.png"


def shown(component: Any, value: Any) -> Any:
    return controls.shown(component, value, keep)


def test_a_subclass_is_what_it_is_made_of() -> None:
    assert controls.kind(InputAccordion()) == "checkbox"
    assert controls.kind(HTML()) == ""


@pytest.mark.parametrize(
    ("component", "value", "expected"),
    [
        (Checkbox(), True, True),
        (Slider(minimum=1, maximum=150), 20, 20),
        (Slider(minimum=None, maximum=None), 1e9, 1e9),
        (Textbox(), 7, "7"),
        (Dropdown(choices=["Euler a", "DPM++ 2M"]), "DPM++ 2M", "DPM++ 2M"),
        (Dropdown(choices=PAIRS), "euler A", "Euler a"),
        (Dropdown(choices=PAIRS, type="index"), 1, "DPM++ 2M"),
        (Radio(choices=["fill", "original"], type="index"), False, "fill"),
        (Dropdown(choices=PAIRS, multiselect=True), ["DPM++ 2M"], ["DPM++ 2M"]),
        (Dropdown(choices=[], multiselect=True), ["Clip skip: 2"], Offered(["Clip skip: 2"])),
        (Dropdown(choices=PAIRS, allow_custom_value=True), "another", "another"),
        (CheckboxGroup(choices=["left", "up"]), ["up"], ["up"]),
        (ImageInput(), RED, "2.png"),
        (ImageInput(tool="sketch"), {"image": RED, "mask": BLACK}, Sketched("2.png", "2.png")),
        (File(), [RED, RED], ["2.png", "2.png"]),
        (State(), 1, 1),
        (LogicalImage(numpy=False), RED, RED),
    ],
)
def test_shows(component: Any, value: Any, expected: Any) -> None:
    assert shown(component, value) == expected


def test_a_canvas_of_numbers_is_given_numbers() -> None:
    assert shown(LogicalImage(numpy=True), RED).shape == (2, 2, 4)


@pytest.mark.parametrize(
    ("component", "value", "code", "words"),
    [
        (Checkbox(), 1, "kind", {"value": 1}),
        (Slider(minimum=1, maximum=150), 200, "range", {"value": 200, "least": 1, "most": 150}),
        (Slider(minimum=1, maximum=None), 0, "range", {"value": 0, "least": 1, "most": "…"}),
        (Slider(minimum=1, maximum=150), float("nan"), "kind", None),
        (Slider(minimum=0, maximum=1), True, "kind", {"value": True}),
        (Textbox(), {"a": 1}, "kind", None),
        (Dropdown(choices=PAIRS), "Heun", "choice", {"value": "Heun"}),
        (Dropdown(choices=PAIRS, type="index"), 2, "choice", {"value": 2}),
        (ImageInput(), "a path", "by_hand", {}),
        (ImageInput(), {"image": RED, "mask": BLACK}, "by_hand", {}),
        (ImageInput(tool="sketch"), {"image": RED, "mask": "a path"}, "by_hand", {}),
        (File(), ["a path"], "by_hand", {}),
        (State(), {"enabled": True}, "by_hand", {}),
        (HTML(), [RED], "by_hand", {}),
        (LogicalImage(numpy=False), "text", "kind", None),
    ],
)
def test_says_why_not(component: Any, value: Any, code: str, words: Any) -> None:
    with pytest.raises(Unfit) as unfit:
        shown(component, value)
    assert unfit.value.code == code
    if words is not None:
        assert unfit.value.words == words


def test_what_is_not_said_is_the_choice_for_it_or_what_was_there() -> None:
    same = Dropdown(choices=["Use same sampler", "Euler"], value="Euler")
    assert controls.unsaid(same) == "Use same sampler"
    assert controls.unsaid(Slider(value=20)) == 20
    assert controls.is_clearable(ImageInput())
    assert not controls.is_clearable(Slider())


def test_the_default_is_a_plain_value() -> None:
    assert controls.default(Slider(value=20)) == 20
    assert controls.default(CheckboxGroup(value=["up"])) == ["up"]
    assert controls.default(State(value=object())) is None


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (0.3, 0.30000001),
        (7, 7.0),
        ("Karras", "karras"),
        ("a\nb", "a\r\nb"),
        ("", None),
        ([], None),
        (False, 0),
        ([1, "a"], (1.0, "a")),
        (RED, RED.convert("RGBA")),
        (RED, np.asarray(RED)),
        ([RED, RED], ["one file", "another"]),
        ({"image": RED, "mask": RED}, {"image": RED, "mask": np.asarray(RED)}),
    ],
)
def test_the_page_gave_the_same(wanted: Any, given: Any) -> None:
    assert controls.same(wanted, given)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (0.3, 0.31),
        ("a", "b"),
        (True, False),
        ("a", None),
        ([1], [1, 2]),
        (RED, None),
        (RED, Image.new("RGB", (2, 2), "blue")),
        ([RED, RED], ["one file"]),
        ({"image": RED, "mask": RED}, {"image": RED, "mask": BLACK}),
        ({"image": RED, "mask": RED}, RED),
    ],
)
def test_the_page_gave_another(wanted: Any, given: Any) -> None:
    assert not controls.same(wanted, given)


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), ([1, "a"], "1, a"), ("x" * 100, "x" * 79 + "…")]
)
def test_a_value_is_told_in_few_words(value: Any, text: str) -> None:
    assert controls.told(value) == text


def test_an_operation_without_a_switch_is_off_at_nought() -> None:
    off: Callable[[Any], Any] = controls.off
    assert off(InputAccordion()) is False
    assert off(Slider()) == 0
