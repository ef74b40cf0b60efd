"""Units of ControlNet in the names of today."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_webui import EXTENSION, FakeWebUI
from payload_replay import Capture, WebUI
from payload_replay.capture import Host, Job, reference
from payload_replay.controlnet import units
from payload_replay.preflight import blocking

pytestmark = pytest.mark.once


def rewritten(
    unit: dict[str, Any], title: str = "ControlNet", **host: str
) -> tuple[dict[str, Any], list[str]]:
    capture = Capture.from_payload({"prompt": ""})
    # Not before, since its references are meant as such.
    capture.payload["alwayson_scripts"] = {title: {"args": [unit]}}
    paths = [change.path.rpartition(".")[2] for change in units(capture, lambda: host)]
    return capture.payload["alwayson_scripts"][title]["args"][0], paths


def test_renamed_fields() -> None:
    unit, paths = rewritten({"input_image": "AAAA", "lowvram": True, "guidance": 0.8, "model": "m"})
    assert unit == {"image": "AAAA", "low_vram": True, "guidance_end": 0.8, "model": "m"}
    assert sorted(paths) == ["guidance", "input_image", "lowvram"]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ({"guessmode": True}, {"control_mode": "ControlNet is more important"}),
        ({"guess_mode": False}, {"control_mode": "Balanced"}),
        ({"control_mode": 1}, {"control_mode": "My prompt is more important"}),
        ({"control_mode": "Prefer Prompt"}, {"control_mode": "My prompt is more important"}),
        ({"resize_mode": 0}, {"resize_mode": "Just Resize"}),
        ({"resize_mode": 1}, {"resize_mode": "Crop and Resize"}),
        ({"resize_mode": 2}, {"resize_mode": "Resize and Fill"}),
        ({"resize_mode": 3}, {"resize_mode": "Just Resize"}),
        ({"hr_option": 1}, {"hr_option": "Low res only"}),
        ({"resize_mode": "Envelope (Outer Fit)"}, {"resize_mode": "Resize and Fill"}),
        ({"resize_mode": "Scale to Fit (Inner Fit)"}, {"resize_mode": "Crop and Resize"}),
    ],
)
def test_numbers_and_old_words(unit: dict[str, Any], expected: dict[str, Any]) -> None:
    assert rewritten(unit)[0] == expected


@pytest.mark.parametrize(
    "unit",
    [
        {"image": "A", "low_vram": False, "resize_mode": "Just Resize", "control_mode": "Balanced"},
        {"input_image": "A", "image": "B"},
        {"guessmode": True, "control_mode": "Balanced"},
        {"resize_mode": 4, "hr_option": 3},
        {"resize_mode": -1, "control_mode": True},
        {"mask": "A", "module": "none"},
        {"mask_image": "A", "module": "None", "control_mode": "My prompt is more important"},
        {"resize_mode": None, "control_mode": [1]},
    ],
)
def test_what_is_left_alone(unit: dict[str, Any]) -> None:
    assert rewritten(dict(unit)) == (unit, [])


A1111, FORGE, REFORGE = "AUTOMATIC1111", "Forge", "reForge"
PROMPT = "My prompt is more important"


@pytest.mark.parametrize(
    ("unit", "webui", "expected"),
    [
        ({"mask": "M", "module": "none"}, FORGE, {"mask_image": "M", "module": "None"}),
        ({"mask": "M", "mask_image": None}, REFORGE, {"mask_image": "M"}),
        ({"mask_image": "M", "module": "None"}, A1111, {"mask": "M", "module": "none"}),
        ({"mask": "M", "module": None}, A1111, {"mask": "M", "module": None}),
        ({"mask": "M", "mask_image": "N"}, FORGE, {"mask": "M", "mask_image": "N"}),
        ({"image": {"image": "A", "mask": "M"}}, FORGE, {"image": "A", "mask_image": "M"}),
        ({"image": {"image": "A", "mask": None}}, FORGE, {"image": "A"}),
        ({"image": ["A", "M"]}, REFORGE, {"image": "A", "mask_image": "M"}),
        ({"image": [{"image": "A"}]}, FORGE, {"image": "A"}),
        ({"image": [{"image": "A"}, {"image": "B"}]}, FORGE, None),
        ({"image": reference("0" * 64)}, FORGE, None),
        (
            {"image": [reference("0" * 64), reference("1" * 64)]},
            FORGE,
            {"image": reference("0" * 64), "mask_image": reference("1" * 64)},
        ),
        ({"image": {"image": "A", "mask": "M"}}, A1111, None),
        ({"control_mode": "Prefer Prompt"}, A1111, {"control_mode": PROMPT}),
        ({"control_mode": "Prefer Prompt"}, FORGE, {"control_mode": PROMPT}),
        ({"control_mode": PROMPT}, REFORGE, None),
        ({"control_mode": "Prefer Prompt"}, REFORGE, {"control_mode": PROMPT}),
        ({"control_mode": 2}, REFORGE, {"control_mode": "ControlNet is more important"}),
        ({"control_mode": "Balanced"}, REFORGE, None),
        ({"control_mode": "mine"}, REFORGE, None),
    ],
)
def test_each_of_the_three_in_its_own_words(
    unit: dict[str, Any], webui: str, expected: dict[str, Any] | None
) -> None:
    assert rewritten(dict(unit), webui=webui)[0] == (unit if expected is None else expected)


@pytest.mark.parametrize(
    ("host", "field"),
    [
        ({"version": "f2.0.1v1.10.1-previous-1-gdfdcbab6"}, "mask_image"),
        ({"version": "f1.0.0v2-v1.10.1RC-latest"}, "mask_image"),
        ({"version": "v1.10.1"}, "mask"),
        ({"webui": A1111, "version": "fork"}, "mask"),
    ],
)
def test_a_server_that_tells_its_version_alone(host: dict[str, str], field: str) -> None:
    assert rewritten({"mask": "M"}, **host)[0] == {field: "M"}


@pytest.mark.parametrize(
    ("unit", "webui", "refused"),
    [
        ({"control_mode": PROMPT}, REFORGE, True),
        ({"control_mode": "Prefer ControlNet", "enabled": True}, REFORGE, True),
        ({"control_mode": 2}, REFORGE, True),
        ({"control_mode": PROMPT, "enabled": False}, REFORGE, False),
        ({"control_mode": "Balanced"}, REFORGE, False),
        ({"control_mode": 0}, REFORGE, False),
        ({"model": "m"}, REFORGE, False),
        ({"control_mode": PROMPT}, A1111, False),
        ({"control_mode": PROMPT}, FORGE, False),
        ({"control_mode": PROMPT}, "", False),
    ],
)
def test_control_modes_that_a_server_does_not_hear_are_refused(
    fake: FakeWebUI, unit: dict[str, Any], webui: str, refused: bool
) -> None:
    fake.lists["scripts"]["txt2img"].append("controlnet")
    fake.answer("GET", f"{EXTENSION}/status", 200, {"host": {"webui": webui}})
    capture = Capture.from_payload(
        {"prompt": "", "alwayson_scripts": {"ControlNet": {"args": [unit]}}}
    )
    reason = blocking(WebUI(fake.url), capture)
    if refused:
        path = "alwayson_scripts.ControlNet.args[0].control_mode"
        expected = f"{path}: reForge's API takes {unit['control_mode']!r} for Balanced"
        assert (reason or "").startswith(expected)
    else:
        assert reason is None


@pytest.mark.parametrize(
    ("source", "webui", "refused"),
    [("api", REFORGE, False), ("ui", REFORGE, True), ("api", A1111, True)],
)
def test_what_was_made_without_a_mode_comes_back_without(
    fake: FakeWebUI, source: Any, webui: str, refused: bool
) -> None:
    fake.lists["scripts"]["txt2img"].append("controlnet")
    fake.answer("GET", f"{EXTENSION}/status", 200, {"host": {"webui": REFORGE}})
    scripts = {"ControlNet": {"args": [{"control_mode": PROMPT}]}}
    capture = Capture.from_payload({"prompt": "", "alwayson_scripts": scripts})
    job, host = Job(source=source), Host(webui=webui)
    reason = blocking(WebUI(fake.url), dataclasses.replace(capture, job=job, host=host))
    assert (reason is not None) == refused


def test_a_server_is_asked_for_units_alone() -> None:
    def never() -> dict[str, str]:
        raise AssertionError("asked")

    assert list(units(Capture.from_payload({"prompt": "a"}), never)) == []


def test_another_script_is_not_touched() -> None:
    assert rewritten({"lowvram": True}, "ADetailer") == ({"lowvram": True}, [])


FIELDS = st.sampled_from(
    [
        *("guessmode", "control_mode", "resize_mode", "hr_option", "module"),
        *("image", "input_image", "mask", "mask_image"),
    ]
)
VALUES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


@given(unit=st.dictionaries(FIELDS, VALUES), webui=st.sampled_from(["", A1111, FORGE, REFORGE]))
def test_twice_is_once(unit: dict[str, Any], webui: str) -> None:
    once, _ = rewritten(unit, webui=webui)
    assert rewritten(dict(once), webui=webui) == (once, [])
