"""Version, extensions, weights and settings around a payload."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fake_webui import API, CHECKPOINT, FakeWebUI
from payload_replay import Capture, Problem, WebUI
from payload_replay.capture import Extension, Host, Model
from payload_replay.surroundings import surroundings

pytestmark = pytest.mark.once


def capture(host: Host | None = None, **payload: Any) -> Capture:
    made = Capture.from_payload({"prompt": "a cat"} | payload)
    return dataclasses.replace(made, host=host or Host())


def found(webui: WebUI, made: Capture) -> list[Problem]:
    return list(surroundings(webui.inventory, made, webui.options()))


def override(**options: Any) -> Capture:
    return capture(override_settings=options)


def test_nothing_recorded_asks_for_nothing(fake: FakeWebUI, webui: WebUI) -> None:
    assert found(webui, capture()) == []
    assert [request.path for request in fake.asked] == [f"{API}/options"]


def test_another_version(webui: WebUI) -> None:
    assert [str(problem) for problem in found(webui, capture(Host("fake", "1")))] == [
        "host.version: was 1, the server is 2"
    ]
    assert found(webui, capture(Host("fake", "2"))) == []
    other, version = found(webui, capture(Host("Forge", "1")))
    assert (other.path, other.severity, version.path) == ("host.webui", "pixels", "host.version")


def test_extensions(fake: FakeWebUI, webui: WebUI) -> None:
    fake.lists["extensions"] = [
        {"name": "sd-webui-controlnet", "version": "22222222", "enabled": True},
        {"name": "adetailer", "version": "1", "enabled": False},
        {"name": "same", "version": "abcdef12", "enabled": True},
    ]
    local = {"name": "local", "version": "5"}  # a checkout without a remote is listed by ours alone
    host = {"webui": "fake", "version": "2", "extensions": [local]}
    fake.answer("GET", "/payload-capture/v1/status", 200, {"host": host})
    had = [
        Extension("sd-webui-controlnet", "11111111"),
        Extension("adetailer", "1"),
        Extension("same", "abcdef1234567890"),
        Extension("adetailr", "2"),
        Extension("copied", ""),
        Extension("local", "5"),
    ]
    scripts: dict[str, Any] = {"ControlNet": {"args": [{}]}}
    problems = found(webui, capture(Host(extensions=had), alwayson_scripts=scripts))
    assert [(problem.path, problem.severity) for problem in problems] == [
        ("host.extensions.sd-webui-controlnet", "pixels"),
        ("host.extensions.adetailer", "cosmetic"),
        ("host.extensions.adetailr", "cosmetic"),
    ]
    assert problems[0].reason == "was version 11111111, the server has 22222222"
    assert problems[1].reason == "is switched off on the server"
    assert problems[2].nearest == "adetailer"


def test_a_checkpoint_of_the_same_name_that_is_another_file(webui: WebUI) -> None:
    model = Model("alpha.safetensors", "alpha", None, "f" * 64)
    made = dataclasses.replace(override(sd_model_checkpoint="alpha"), host=Host(checkpoint=model))
    (problem,) = [one for one in found(webui, made) if "sha256" in one.reason]
    assert (problem.path, problem.severity) == (
        "override_settings.sd_model_checkpoint",
        "pixels",
    )
    same = Host(checkpoint=dataclasses.replace(model, sha256=CHECKPOINT["sha256"]))
    assert found(webui, dataclasses.replace(made, host=same)) == []


def test_an_unknown_setting(webui: WebUI) -> None:
    (problem,) = found(webui, override(CLIP_stop_at_last_layer=2))
    assert (problem.severity, problem.nearest) == ("blocks", "CLIP_stop_at_last_layers")
    assert "would answer 500" in problem.reason


def test_a_setting_that_no_request_can_set(fake: FakeWebUI, webui: WebUI) -> None:
    fake.options["api_enable_requests"] = True
    assert found(webui, override(api_enable_requests=True)) == []
    (problem,) = found(webui, override(api_enable_requests=False))
    assert (problem.path, problem.severity) == (
        "override_settings.api_enable_requests",
        "cosmetic",
    )
    assert "silently keep True" in problem.reason


@pytest.mark.parametrize(
    ("flags", "blocked"),
    [
        ({"freeze_settings": True}, True),
        ({"freeze_specific_settings": "a, eta_noise_seed_delta"}, True),
        ({"freeze_specific_settings": "a"}, False),
        ({"freeze_settings": False, "freeze_specific_settings": None}, False),
    ],
)
def test_frozen_settings(
    fake: FakeWebUI, webui: WebUI, flags: dict[str, Any], blocked: bool
) -> None:
    fake.lists["cmd-flags"] = flags
    problems = found(webui, override(eta_noise_seed_delta=5))
    assert [problem.severity for problem in problems] == ["blocks"] * blocked
    assert found(webui, override(eta_noise_seed_delta=0)) == []


@pytest.mark.parametrize(
    ("told", "severities"),
    [
        ({"frozen": ["a", "eta_noise_seed_delta"]}, ["blocks"]),
        ({"frozen": ["a"]}, []),
        ({}, ["pixels"]),
    ],
)
def test_settings_in_frozen_sections(
    fake: FakeWebUI, webui: WebUI, told: dict[str, Any], severities: list[str]
) -> None:
    fake.lists["cmd-flags"] = {"freeze_settings_in_sections": "sampler-params"}
    fake.told = told
    problems = found(webui, override(eta_noise_seed_delta=5))
    assert [problem.severity for problem in problems] == severities
    assert found(webui, override(eta_noise_seed_delta=0)) == []


@pytest.mark.parametrize("unlisted", [True, False])
def test_a_setting_that_the_server_does_not_list(
    fake: FakeWebUI, webui: WebUI, unlisted: bool
) -> None:
    fake.told = {"unlisted": ["lora_functional"] if unlisted else []}
    problems = found(webui, override(lora_functional=True))
    assert [problem.severity for problem in problems] == ["blocks"] * (not unlisted)


def test_a_schedule_for_all_samplers(fake: FakeWebUI, webui: WebUI) -> None:
    fake.options["k_sched_type"] = "karras"
    (problem,) = found(webui, capture(sampler_name="Euler a"))
    assert (problem.path, problem.severity) == ("override_settings.k_sched_type", "pixels")
    pinned = capture(sampler_name="Euler a", override_settings={"k_sched_type": "Automatic"})
    assert found(webui, pinned) == []
    assert found(webui, capture(sampler_index="Euler a")) == [problem]
    assert found(webui, capture()) == []
    fake.options["k_sched_type"] = "Automatic"
    assert found(webui, capture(sampler_name="Euler a")) == []


@pytest.mark.parametrize("kind", ["jpg", "WEBP"])
def test_lossy_answers(fake: FakeWebUI, webui: WebUI, kind: str) -> None:
    fake.options["samples_format"] = kind
    (problem,) = found(webui, capture())
    assert (problem.path, problem.severity) == ("samples_format", "pixels")
