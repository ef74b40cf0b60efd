"""Script arguments: where they lie, how many a server takes, and what cannot be one."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_webui import FakeWebUI
from json_values import json_values
from payload_replay import Capture, Problem, WebUI
from payload_replay.arguments import calls, place, shifted, short, unfit
from payload_replay.capture import BATCH, IMG2IMG
from payload_replay.testing import FakeSession

pytestmark = pytest.mark.once

WIDE = {
    "name": "wide",
    "is_img2img": False,
    "args": [
        {"label": "On", "value": False},
        {"label": "Strength", "value": 0.5, "minimum": 0, "maximum": 1},
        {"label": "Mode", "value": "soft", "choices": ["soft", "hard"]},
        {"label": "Text", "value": ""},
    ],
}


@pytest.fixture(autouse=True)
def wide(fake: FakeWebUI) -> None:
    fake.lists["script-info"].append(WIDE)


def called(args: Any, **fields: Any) -> Capture:
    return Capture.from_payload(
        {"prompt": "", "alwayson_scripts": {"Wide": {"args": args}}, **fields}
    )


def found(webui: WebUI, capture: Capture) -> list[Problem]:
    return list(unfit(webui.inventory, capture))


def test_calls_of_a_batch() -> None:
    payload = {
        "script_name": "S",
        "script_args": [1],
        "alwayson_scripts": {"W": {"args": [2]}, "N": {}},
    }
    inner = [{"endpoint": IMG2IMG, "payload": payload}]
    made = list(calls(Capture.from_payload({"requests": inner}, BATCH)))
    assert [(call.path, call.tab, call.title, call.args, call.always_on) for call in made] == [
        ("requests[0].payload.script_args", "img2img", "S", [1], False),
        ("requests[0].payload.alwayson_scripts.W.args", "img2img", "W", [2], True),
    ]


def test_a_place_is_read_and_changed() -> None:
    capture = called([True, [1, 2]])
    spot = place(capture, "alwayson_scripts.Wide.args[1][1]")
    assert spot is not None
    assert spot.value == 2
    spot.put(7)
    assert capture.payload["alwayson_scripts"]["Wide"]["args"] == [True, [1, 7]]


@pytest.mark.parametrize(
    "path", ["", "prompt", "script_args[0]", "script_args[-1]", "script_args[" + "9" * 5000 + "]"]
)
def test_paths_that_name_no_argument(path: str) -> None:
    assert place(called([1]), path) is None


def test_fitting_arguments(webui: WebUI) -> None:
    assert found(webui, called([True, 0.5, "hard", "anything"])) == []
    assert found(webui, called([True, 1, 1, None])) == []
    unknown = Capture.from_payload({"prompt": "", "alwayson_scripts": {"Other": {"args": [1]}}})
    assert found(webui, unknown) == []


def test_too_many_are_ignored(webui: WebUI) -> None:
    (problem,) = found(webui, called([True, 0.5, "hard", "", 9, "x"]))
    assert (problem.path, problem.severity) == ("alwayson_scripts.Wide.args", "pixels")
    assert problem.reason == ("holds 6 arguments, the server's script takes 4; it ignores 9, 'x'")


def test_too_few(webui: WebUI) -> None:
    (problem,) = found(webui, called([True]))
    assert problem.severity == "cosmetic"
    assert "takes 4; not sent: 'Strength', 'Mode', 'Text'; it fills them in" in problem.reason
    assert list(short(webui.inventory, called([True]))) == []


def test_too_few_of_a_selected_script(webui: WebUI) -> None:
    capture = Capture.from_payload({"prompt": "", "script_name": "Wide", "script_args": [True]})
    assert found(webui, capture) == []
    (problem,) = short(webui.inventory, capture)
    assert (problem.path, problem.severity) == ("script_args", "blocks")
    assert "takes 4; not sent: 'Strength', 'Mode', 'Text'; it would fail" in problem.reason


@pytest.mark.parametrize(
    ("args", "index", "said", "nearest"),
    [
        (
            ["yes", 0.5, "hard", ""],
            0,
            "'yes' is no 'On' of the server: it takes true or false",
            None,
        ),
        ([True, 7, "hard", ""], 1, "7 is no 'Strength' of the server: it goes from 0 to 1", None),
        ([True, "hard", "hard", ""], 1, "it takes a number from 0 to 1", None),
        ([True, 0.5, "harder", ""], 2, "it has 'soft', 'hard'", "hard"),
    ],
)
def test_arguments_that_an_input_cannot_have_had(
    webui: WebUI, args: list[Any], index: int, said: str, nearest: str | None
) -> None:
    (problem,) = found(webui, called(args))
    assert problem.path == f"alwayson_scripts.Wide.args[{index}]"
    assert said in problem.reason
    assert (problem.severity, problem.nearest) == ("pixels", nearest)


def test_a_picture_in_the_wrong_place_is_told_shortly(webui: WebUI) -> None:
    (problem,) = found(webui, called([True, "iVBOR" * 100_000, "hard", ""]))
    assert len(str(problem)) < 200


def test_shifted_names_the_nearest(fake: FakeWebUI, webui: WebUI) -> None:
    capture = dataclasses.replace(
        called([True, 0.5, 0, ""]), choices={"alwayson_scripts.Wide.args[2]": "Hard"}
    )
    (problem,) = shifted(webui.inventory, capture)
    assert problem.nearest == "hard"
    assert "stands for 'Hard' where it was captured, for 'soft' here" in problem.reason


JSON = json_values(st.text(max_size=5), st.text(max_size=3), leaves=6)
ARGUMENT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("label", "value", "minimum", "maximum", "choices"), JSON),
)


@given(args=st.lists(JSON, max_size=6), told=st.lists(ARGUMENT, max_size=6))
def test_arguments_of_any_shape(args: list[Any], told: list[Any]) -> None:
    info = [{"name": "wide", "is_img2img": False, "args": told}]
    session = FakeSession({"GET /sdapi/v1/script-info": info})
    with WebUI("http://unused", session=session) as webui:
        list(unfit(webui.inventory, called(args)))


def test_ranges_beyond_every_float(fake: FakeWebUI, webui: WebUI) -> None:
    low = {"label": "n", "minimum": 10**400, "maximum": 10**401}
    fake.lists["script-info"] = [{"name": "wide", "is_img2img": False, "args": [low]}]
    (problem,) = found(webui, called([1]))
    assert len(str(problem)) < 200
