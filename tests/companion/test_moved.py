"""Script arguments in another version's places."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fake_webui import FakeWebUI
from payload_replay import Capture, WebUI
from payload_replay.capture import BATCH, TXT2IMG
from payload_replay.migrate import migrate
from payload_replay.moved import moved, rearranged

pytestmark = pytest.mark.once

OLD = ["Enabled", "Scale", "Mode", "", "Scale"]
"""As the host showed them where the captures below were made."""


def serve(fake: FakeWebUI, labels: list[str], **values: Any) -> None:
    args = [{"label": label, "value": values.get(label, f"default {label}")} for label in labels]
    told = [{"name": "wide", "is_img2img": tab, "args": args} for tab in (False, True)]
    fake.lists["script-info"] = told
    fake.lists["scripts"] = {"txt2img": ["wide"], "img2img": ["wide"]}


def captured(args: list[Any], always_on: bool = True, **more: Any) -> Capture:
    called = {"alwayson_scripts": {"Wide": {"args": args}}}
    selected = {"script_name": "Wide", "script_args": args}
    capture = Capture.from_payload({"prompt": "", **(called if always_on else selected)})
    return dataclasses.replace(capture, labels={"Wide": OLD}, **more)


def args_of(capture: Capture) -> Any:
    return capture.payload["alwayson_scripts"]["Wide"]["args"]


@pytest.mark.parametrize(
    ("there", "args"),
    [
        (["Enabled", "New", "Scale", "Mode", "", "Scale"], [1, "default New", 2, 3, 4, 5]),
        (["Scale", "", "Mode", "Scale", "Enabled"], [2, 4, 3, 5, 1]),
        (["Mode", "Scale", "Scale", "", "Enabled", ""], None),  # which of two without a label?
        (["Enabled", "Scale", "Mode", ""], None),  # one is not there
        (["Enabled", "Size", "Mode", "", "Scale"], None),  # renamed, or another thing
    ],
)
def test_another_order_is_told_and_undone_where_each_is_there(
    fake: FakeWebUI, webui: WebUI, there: list[str], args: list[Any] | None
) -> None:
    serve(fake, there)
    capture = captured([1, 2, 3, 4, 5])
    (problem,) = moved(webui.inventory, capture)
    assert (problem.path, problem.severity) == ("alwayson_scripts.Wide.args", "pixels")
    assert [one.path for one in webui.check(capture)].count(problem.path) >= 1
    made, changes = migrate(capture, webui)
    assert args_of(capture) == [1, 2, 3, 4, 5]
    if args is None:
        assert changes == []
    else:
        assert args_of(made) == args
        assert changes[0].path == problem.path
        assert made.labels == {"Wide": there}
        assert webui.check(made) == []
        assert migrate(made, webui)[1] == []


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (["New", *OLD], "'Enabled' is the argument 1 instead of 0"),
        (["Enabled", "Size", "Mode", "", "Scale"], "'Scale', 1, is 'Size'"),
        (OLD[:4], "'Scale', 4, is not there"),
    ],
)
def test_what_is_told(fake: FakeWebUI, webui: WebUI, there: list[str], told: str) -> None:
    serve(fake, there)
    (problem,) = moved(webui.inventory, captured([1, 2, 3, 4, 5]))
    assert told in problem.reason


def test_new_arguments_behind_are_filled_in_where_the_server_does_not(
    fake: FakeWebUI, webui: WebUI
) -> None:
    """It fills those of an always-on script; a selectable one's list is taken as it is."""
    serve(fake, [*OLD, "New"])
    assert list(rearranged(webui.inventory, captured([1, 2, 3, 4, 5]))) == []
    made, _ = migrate(captured([1, 2, 3, 4, 5], always_on=False), webui)
    assert made.payload["script_args"] == [1, 2, 3, 4, 5, "default New"]


def test_names_of_choices_follow(fake: FakeWebUI, webui: WebUI) -> None:
    serve(fake, ["Scale", "Enabled", "Mode", "", "Scale"])
    fake.lists["script-info"][0]["args"][1]["choices"] = ["no", "yes"]
    start = "alwayson_scripts.Wide.args"
    names = {f"{start}[0]": "yes", f"{start}[1]": "one", f"{start}[2][0]": "a", "other[0]": "x"}
    made, changes = migrate(captured([1, 2, [0], 4, 5], choices=names), webui)
    assert args_of(made) == [2, 1, [0], 4, 5]
    assert made.choices == {
        f"{start}[1]": "yes", f"{start}[0]": "one", f"{start}[2][0]": "a", "other[0]": "x",
    }  # fmt: skip
    assert len(changes) == 1


@pytest.mark.parametrize("place", ["[7]", "[x]", "", "[1][x]"])
def test_names_of_what_is_no_argument_are_no_error(
    fake: FakeWebUI, webui: WebUI, place: str
) -> None:
    serve(fake, ["New", *OLD])
    names = {f"alwayson_scripts.Wide.args{place}": "n"}
    made, _ = migrate(captured([1, 2, 3, 4, 5], choices=names), webui)
    assert args_of(made) == ["default New", 1, 2, 3, 4, 5]


def test_each_request_of_a_batch(fake: FakeWebUI, webui: WebUI) -> None:
    serve(fake, ["New", *OLD])
    one = {"prompt": "", "alwayson_scripts": {"Wide": {"args": [1, 2, 3, 4, 5]}}}
    inner = [{"endpoint": TXT2IMG, "payload": one}, {"endpoint": TXT2IMG, "payload": dict(one)}]
    capture = Capture.from_payload({"requests": inner}, BATCH)
    capture = dataclasses.replace(capture, labels={"Wide": OLD})
    made, changes = migrate(capture, webui)
    assert len(changes) == 2
    for request in made.payload["requests"]:
        assert args_of(Capture.from_payload(request["payload"])) == ["default New", 1, 2, 3, 4, 5]


def test_the_short_list_of_the_minimal_form(fake: FakeWebUI, webui: WebUI) -> None:
    serve(fake, ["New", *OLD])
    made, _ = migrate(captured([1, 2]), webui)
    assert args_of(made)[:3] == ["default New", 1, 2]


def test_more_arguments_than_labels_tell_nothing(fake: FakeWebUI, webui: WebUI) -> None:
    serve(fake, ["New", *OLD])
    longer = captured([1, 2, 3, 4, 5, 6])
    assert list(moved(webui.inventory, longer)) == []
    assert list(rearranged(webui.inventory, longer)) == []
