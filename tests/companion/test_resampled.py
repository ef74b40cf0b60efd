"""Samplers and schedulers of a payload against a server's lists."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fake_webui import FakeWebUI
from payload_replay import Capture, Problem, WebUI
from payload_replay.capture import Host
from payload_replay.resampled import resampled

pytestmark = pytest.mark.once

NEWER = [{"name": "DPM++ 2M", "options": {"scheduler": "karras"}}, {"name": "Euler"}]
OLDER = [
    {"name": "DPM++ 2M Karras", "options": {"scheduler": "karras"}},
    {"name": "DPM++ 2M", "options": {}},
    {"name": "Euler", "options": {}},
]
V19 = [
    {"name": name, "label": label}
    for name, label in (("automatic", "Automatic"), ("uniform", "Uniform"), ("karras", "Karras"))
]


def made(version: str, **payload: Any) -> Capture:
    capture = Capture.from_payload({"prompt": "a cat"} | payload)
    return dataclasses.replace(capture, host=Host(version=version))


def found(webui: WebUI, capture: Capture) -> list[Problem]:
    return list(resampled(webui.inventory, capture))


@pytest.fixture
def older(fake: FakeWebUI) -> None:
    fake.lists["samplers"] = OLDER
    del fake.lists["schedulers"]


@pytest.fixture
def v19(fake: FakeWebUI) -> None:
    fake.lists |= {"samplers": NEWER, "schedulers": V19}


@pytest.fixture
def v110(fake: FakeWebUI) -> None:
    fake.lists |= {"samplers": NEWER, "schedulers": [*V19, {"name": "align_your_steps"}]}


@pytest.mark.usefixtures("v19")
def test_a_name_with_its_schedule_on_v19(webui: WebUI) -> None:
    (problem,) = found(webui, made("v1.8.0", sampler_name="DPM++ 2M Karras"))
    assert (problem.path, problem.severity, problem.nearest) == (
        "sampler_name",
        "blocks",
        "DPM++ 2M",
    )
    assert "'DPM++ 2M' with the scheduler 'Karras'" in problem.reason


@pytest.mark.usefixtures("v19")
@pytest.mark.parametrize("name", [{}, {"sampler_name": None}, {"sampler_name": ""}])
def test_the_older_field(webui: WebUI, name: dict[str, Any]) -> None:
    (problem,) = found(webui, made("v1.8.0", sampler_index="DPM++ 2M Karras", **name))
    assert (problem.path, problem.severity, problem.nearest) == (
        "sampler_index",
        "blocks",
        "DPM++ 2M",
    )
    assert found(webui, made("v1.8.0", sampler_index="gone", sampler_name="Euler")) == []


@pytest.mark.usefixtures("v110")
def test_v110_splits_it_but_not_for_hires(webui: WebUI) -> None:
    capture = made("v1.8.0", sampler_name="DPM++ 2M Karras", hr_sampler_name="DPM++ 2M Karras")
    (problem,) = found(webui, capture)
    assert (problem.path, problem.severity) == ("hr_sampler_name", "blocks")


@pytest.mark.usefixtures("v110")
def test_a_name_that_was_without_a_schedule(webui: WebUI) -> None:
    (problem,) = found(webui, made("v1.6.0", sampler_name="DPM++ 2M"))
    assert (problem.path, problem.severity) == ("sampler_name", "pixels")
    assert "'DPM++ 2M' with the scheduler 'Uniform'" in problem.reason
    assert found(webui, made("v1.10.1", sampler_name="DPM++ 2M")) == []
    assert found(webui, made("", sampler_name="DPM++ 2M")) == []


@pytest.mark.usefixtures("v110")
def test_the_option_of_old(webui: WebUI) -> None:
    options = {"override_settings": {"k_sched_type": "karras"}}
    (problem,) = found(webui, made("v1.8.0", sampler_name="Euler", **options))
    assert (problem.path, problem.severity) == ("override_settings.k_sched_type", "blocks")
    assert problem.nearest == "Karras"


@pytest.mark.usefixtures("v110")
def test_the_second_pass_had_its_own_schedule(webui: WebUI) -> None:
    capture = made("v1.8.0", sampler_name="DPM++ 2M Karras", hr_sampler_name="Euler")
    (problem,) = found(webui, capture)
    assert (problem.path, problem.severity) == ("hr_sampler_name", "pixels")
    assert "'Euler' with the scheduler 'Automatic'" in problem.reason
    off = made("v1.8.0", sampler_name="Euler", hr_sampler_name="gone", enable_hr=False)
    assert found(webui, off) == []


@pytest.mark.usefixtures("older")
@pytest.mark.parametrize(
    ("fields", "path", "nearest"),
    [
        ({"sampler_name": "DPM++ 2M", "scheduler": "Karras"}, "scheduler", "DPM++ 2M Karras"),
        ({"sampler_name": "DPM++ 2M", "scheduler": "Automatic"}, "scheduler", "DPM++ 2M Karras"),
        ({"sampler_name": "Euler", "scheduler": "Karras"}, "scheduler", "Euler"),
        ({"sampler_name": "Euler", "scheduler": "SGM Uniform"}, "sampler_name", "Euler"),
        ({"sampler_name": "Heun", "scheduler": "Karras"}, "sampler_name", None),
    ],
)
def test_a_schedule_that_v18_would_ignore(
    webui: WebUI, fields: dict[str, str], path: str, nearest: str | None
) -> None:
    (problem,) = found(webui, made("v1.10.1", **fields))
    assert (problem.path, problem.severity) == (path, "blocks")
    if nearest:
        assert problem.nearest == nearest


@pytest.mark.usefixtures("older")
@pytest.mark.parametrize(
    "fields",
    [
        {"sampler_name": "Euler", "scheduler": "Automatic"},
        {"sampler_name": "DPM++ 2M", "scheduler": "Uniform"},
        {"sampler_name": "DPM++ 2M Karras"},
        {"scheduler": "Karras"},
        {"sampler_name": None, "scheduler": 7},
    ],
)
def test_what_changes_nothing_is_not_told(webui: WebUI, fields: dict[str, Any]) -> None:
    assert found(webui, made("v1.10.1" if "scheduler" in fields else "v1.8.0", **fields)) == []


def test_a_sampler_that_was_just_installed(fake: FakeWebUI, webui: WebUI) -> None:
    assert found(webui, made("", sampler_name="New"))
    fake.lists["samplers"].append({"name": "New"})
    assert found(webui, made("", sampler_name="New")) == []
