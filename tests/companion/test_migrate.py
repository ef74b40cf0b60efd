"""A payload rewritten for another server, and what was said of it."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_webui import CHECKPOINT, EXTENSION, OTHER, FakeWebUI
from payload_replay import Capture, WebUI
from payload_replay.capture import BATCH, Host, Model
from payload_replay.migrate import migrate

from .test_resampled import NEWER, OLDER, V19

pytestmark = pytest.mark.once


PINNED = {"override_settings": {"k_sched_type": "Automatic"}}


def made(version: str = "", **payload: Any) -> Capture:
    capture = Capture.from_payload({"prompt": "a cat"} | payload)
    return dataclasses.replace(capture, host=Host(version=version))


@pytest.fixture
def newer(fake: FakeWebUI) -> None:
    fake.lists |= {"samplers": NEWER, "schedulers": V19}


@pytest.fixture
def older(fake: FakeWebUI) -> None:
    fake.lists["samplers"] = OLDER
    del fake.lists["schedulers"]
    fake.options["k_sched_type"] = "Automatic"


@pytest.mark.usefixtures("newer")
def test_a_sampler_in_the_older_field(webui: WebUI) -> None:
    there, changes = migrate(made("v1.8.0", sampler_index="DPM++ 2M Karras"), webui)
    assert there.payload == {
        "prompt": "a cat",
        "sampler_index": "DPM++ 2M",
        "scheduler": "Karras",
    }
    assert [change.path for change in changes] == ["sampler_index", "scheduler"]


@pytest.mark.usefixtures("newer")
def test_a_sampler_of_v18_on_v19(webui: WebUI) -> None:
    old = {"k_sched_type": "Automatic", "eta_noise_seed_delta": 0}
    capture = made(
        "v1.8.0",
        sampler_name="DPM++ 2M Karras",
        hr_sampler_name="Euler",
        enable_hr=True,
        override_settings=old,
    )
    before = copy.deepcopy(capture)
    there, changes = migrate(capture, webui)
    assert capture == before
    assert there.payload == {
        "prompt": "a cat",
        "sampler_name": "DPM++ 2M",
        "scheduler": "Karras",
        "hr_sampler_name": "Euler",
        "hr_scheduler": "Automatic",
        "enable_hr": True,
        "override_settings": {"eta_noise_seed_delta": 0},
    }
    assert {change.path for change in changes} == {
        "sampler_name",
        "scheduler",
        "hr_scheduler",
        "override_settings.k_sched_type",
    }
    assert all("schedules have a field on this server" in change.reason for change in changes)
    assert [p.path for p in webui.check(there)] == ["host.version"]
    assert migrate(there, webui) == (there, [])


@pytest.mark.usefixtures("older")
@pytest.mark.parametrize(
    ("fields", "there"),
    [
        (("DPM++ 2M", "Karras"), {"sampler_name": "DPM++ 2M Karras"} | PINNED),
        (("DPM++ 2M", "Automatic"), {"sampler_name": "DPM++ 2M Karras"} | PINNED),
        (("DPM++ 2M", "Uniform"), {"sampler_name": "DPM++ 2M"} | PINNED),
        (("Euler", "Automatic"), {"sampler_name": "Euler"} | PINNED),
        (("Euler", "SGM Uniform"), None),
        (
            ("Euler", "Karras"),
            {"sampler_name": "Euler", "override_settings": {"k_sched_type": "karras"}},
        ),
    ],
)
def test_a_sampler_of_v110_on_v18(
    webui: WebUI, fields: tuple[str, str], there: dict[str, Any] | None
) -> None:
    capture = made("v1.10.1", sampler_name=fields[0], scheduler=fields[1])
    got, changes = migrate(capture, webui)
    if there is None:
        assert "sampler_name" not in {change.path for change in changes}
        assert got.payload["sampler_name"] == fields[0]
    else:
        assert got.payload == {"prompt": "a cat"} | there
        assert [p.path for p in webui.check(got)] == ["host.version"]
        assert migrate(got, webui) == (got, [])


@pytest.mark.usefixtures("older")
def test_passes_that_one_option_cannot_serve_stay_as_they_are(webui: WebUI) -> None:
    capture = made("v1.10.1", sampler_name="Euler", scheduler="Karras", hr_sampler_name="DPM++ 2M")
    assert migrate(capture, webui) == (capture, [])
    assert [p for p in webui.check(capture) if p.severity == "blocks"]


@pytest.mark.usefixtures("newer")
def test_each_request_of_a_batch(webui: WebUI) -> None:
    inner = [
        {"endpoint": "/sdapi/v1/txt2img", "payload": {"sampler_name": name}}
        for name in ("Euler", "DPM++ 2M Karras")
    ]
    there, changes = migrate(Capture.from_payload({"requests": inner}, BATCH), webui)
    assert [change.path for change in changes] == [
        "requests[1].payload.sampler_name",
        "requests[1].payload.scheduler",
    ]
    assert there.payload["requests"][1]["payload"] == {
        "sampler_name": "DPM++ 2M",
        "scheduler": "Karras",
    }


def test_a_checkpoint_by_its_hash(webui: WebUI) -> None:
    names = {"sd_model_checkpoint": "renamed.safetensors [0123456789]"}
    capture = made(override_settings=names, refiner_checkpoint="moved/beta.ckpt [abcdefabcd]")
    there, changes = migrate(capture, webui)
    assert there.payload["override_settings"]["sd_model_checkpoint"] == CHECKPOINT["title"]
    assert there.payload["refiner_checkpoint"] == OTHER["title"]
    assert len(changes) == 2


def test_a_checkpoint_by_the_hash_that_the_capture_knows(webui: WebUI) -> None:
    model = Model("renamed.safetensors", "renamed", None, CHECKPOINT["sha256"])
    capture = made(override_settings={"sd_model_checkpoint": "renamed.safetensors"})
    capture = dataclasses.replace(capture, host=Host(checkpoint=model))
    there, _ = migrate(capture, webui)
    assert there.payload["override_settings"]["sd_model_checkpoint"] == CHECKPOINT["title"]


def test_what_is_there_or_unknown_stays(webui: WebUI) -> None:
    for name in ("alpha", "gamma.ckpt", "gamma.ckpt [ffffffffff]"):
        capture = made(override_settings={"sd_model_checkpoint": name})
        assert migrate(capture, webui) == (capture, [])


def test_the_place_of_a_choice(webui: WebUI) -> None:
    payload = {"prompt": "a", "script_name": "X/Y/Z plot", "script_args": [2]}
    capture = dataclasses.replace(Capture.from_payload(payload), choices={"script_args[0]": "Seed"})
    there, (change,) = migrate(capture, webui)
    assert there.payload["script_args"] == [1]
    assert (change.path, change.before, change.after) == ("script_args[0]", 2, 1)
    assert "the place of 'Seed'" in change.reason
    assert webui.check(there) == []


def test_a_name_where_the_script_takes_a_place(webui: WebUI) -> None:
    payload = {"prompt": "a", "script_name": "X/Y/Z plot", "script_args": ["Steps"]}
    there, _ = migrate(Capture.from_payload(payload), webui)
    assert there.payload["script_args"] == [2]
    unknown = Capture.from_payload(payload | {"script_args": ["Nonsense"]})
    assert migrate(unknown, webui) == (unknown, [])


@pytest.mark.parametrize(
    ("payload", "left"),
    [
        ({"override_settings": {"overlay_inpaint": True}}, {}),
        ({"override_settings": {"overlay_inpaint": False}}, {"overlay_inpaint": False}),
        ({"override_settings": {"skip_early_cond": 0.0, "sd3_enable_t5": False}}, {}),
        ({"override_settings": {"sd3_enable_t5": 0}}, {"sd3_enable_t5": 0}),
        ({"override_settings": {"refiner_switch_by_sample_steps": False}}, {}),
        (
            {
                "override_settings": {"refiner_switch_by_sample_steps": False},
                "refiner_checkpoint": "alpha",
            },
            {"refiner_switch_by_sample_steps": False},
        ),
    ],
)
def test_settings_that_say_what_the_server_does_anyway(
    webui: WebUI, payload: dict[str, Any], left: dict[str, Any]
) -> None:
    assert migrate(made(**payload), webui)[0].payload["override_settings"] == left


def test_a_setting_that_the_server_has_stays(fake: FakeWebUI, webui: WebUI) -> None:
    fake.options["emphasis"] = "No norm"
    capture = made(override_settings={"emphasis": "Original"})
    assert migrate(capture, webui) == (capture, [])


@pytest.mark.parametrize(
    ("given", "there", "has"),
    [
        ({"enable_emphasis": True}, {"emphasis": "Original"}, "emphasis"),
        ({"enable_emphasis": False}, {"emphasis": "None"}, "emphasis"),
        ({"enable_emphasis": True, "emphasis": "No norm"}, {"emphasis": "No norm"}, "emphasis"),
        ({"emphasis": "Original"}, {"enable_emphasis": True}, "enable_emphasis"),
        ({"emphasis": "None"}, {"enable_emphasis": False}, "enable_emphasis"),
        ({"emphasis": "No norm"}, {"emphasis": "No norm"}, "enable_emphasis"),
        ({"emphasis": ["Original"]}, {"emphasis": ["Original"]}, "enable_emphasis"),
    ],
)
def test_emphasis_by_its_two_settings(
    fake: FakeWebUI, webui: WebUI, given: dict[str, Any], there: dict[str, Any], has: str
) -> None:
    fake.options[has] = "whatever"
    assert migrate(made(override_settings=given), webui)[0].payload["override_settings"] == there


JSON = st.recursive(
    st.none() | st.integers(-3, 3) | st.sampled_from(["Seed", "Euler a Karras", "karras"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=5,
)
FIELDS = [
    "sampler_name",
    "scheduler",
    "hr_sampler_name",
    "hr_scheduler",
    "override_settings",
    "script_name",
    "script_args",
    "alwayson_scripts",
    "refiner_checkpoint",
    "styles",
]


def test_controlnet_in_the_words_of_the_servers_own(fake: FakeWebUI, webui: WebUI) -> None:
    fake.answer("GET", f"{EXTENSION}/status", 200, {"host": {"webui": "Forge", "version": "f2"}})
    unit = {"image": "AAAA", "mask": "BBBB", "module": "none"}
    given = made(alwayson_scripts={"ControlNet": {"args": [unit]}})
    there, changes = migrate(given, webui)
    (after,) = there.payload["alwayson_scripts"]["ControlNet"]["args"]
    assert after == {"image": "AAAA", "mask_image": "BBBB", "module": "None"}
    assert [change.path for change in changes] == [
        "alwayson_scripts.ControlNet.args[0].mask",
        "alwayson_scripts.ControlNet.args[0].module",
    ]
    assert "'mask_image'" in changes[0].reason


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    payload=st.dictionaries(st.sampled_from(FIELDS), JSON), version=st.sampled_from(["", "v1.8"])
)
def test_a_payload_of_any_shape(webui: WebUI, payload: dict[str, Any], version: str) -> None:
    """Nothing raises, the original stays, and a second time there is nothing left to do."""
    capture = made(version, **payload)
    before = copy.deepcopy(capture)
    there, _ = migrate(capture, webui)
    assert capture == before
    webui.check(there)
    assert migrate(there, webui)[1] == []
