"""From an infotext to a payload."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payload_replay import FormatError, parameters
from payload_replay.capture import IMG2IMG, TXT2IMG

pytestmark = pytest.mark.once

START = "a cat,\nsitting: <lora:x:1>\nNegative prompt: dog,\nbird\n"
PLAIN = (
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, "
    "Size: 512x768, Model hash: 0123456789, Model: alpha, VAE hash: 735e4c3a44, "
    "VAE: soft.vae.pt, Clip skip: 2, ENSD: 31337, RNG: CPU, Variation seed: 5, "
    "Variation seed strength: 0.25, Seed resize from: 256x256, Version: v1.10.1"
)
HIRES = (
    "Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 1, Size: 512x512, Denoising strength: 0.4, "
    "Hires upscale: 2, Hires steps: 10, Hires upscaler: Latent, Hires sampler: DDIM, "
    'Hires prompt: "a, b: \\"c\\"", Hires resize: 1024x1024, Hires CFG Scale: 3'
)


def test_the_standard_fields() -> None:
    made = parameters.read(START + PLAIN)
    assert (made.endpoint, made.warnings) == (TXT2IMG, [])
    assert made.payload == {
        "prompt": "a cat,\nsitting: <lora:x:1>",
        "negative_prompt": "dog,\nbird",
        "steps": 20,
        "sampler_name": "DPM++ 2M",
        "scheduler": "Karras",
        "cfg_scale": 7.0,
        "seed": 965400086,
        "subseed": 5,
        "subseed_strength": 0.25,
        "width": 512,
        "height": 768,
        "seed_resize_from_w": 256,
        "seed_resize_from_h": 256,
        "override_settings": {
            "sd_vae": "soft.vae.pt",
            "CLIP_stop_at_last_layers": 2,
            "eta_noise_seed_delta": 31337,
            "randn_source": "CPU",
            "sd_model_checkpoint": "0123456789",
        },
    }
    assert made.host.version == "v1.10.1"
    assert made.host.checkpoint is not None
    assert made.host.checkpoint.title == "alpha [0123456789]"


@pytest.mark.parametrize(
    ("said", "sent"),
    [("Use same choices", ["Use same choices"]), ("Built-in", []), ("clip_l", None)],
)
def test_what_forges_second_pass_runs_with(said: str, sent: list[str] | None) -> None:
    made = parameters.read(f"{HIRES}, Hires Module 1: {said}")
    assert made.payload.get("hr_additional_modules") == sent
    assert [said in warning.reason for warning in made.warnings] == [True] * (sent is None)


def test_hires() -> None:
    made = parameters.read(HIRES)
    assert made.endpoint == TXT2IMG
    expected = {
        "enable_hr": True,
        "denoising_strength": 0.4,
        "hr_scale": 2.0,
        "hr_second_pass_steps": 10,
        "hr_upscaler": "Latent",
        "hr_sampler_name": "DDIM",
        "hr_prompt": 'a, b: "c"',
        "hr_resize_x": 1024,
        "hr_resize_y": 1024,
        "hr_cfg": 3.0,
    }
    assert expected.items() <= made.payload.items()


@pytest.mark.parametrize("strength", ["0", "0.0"])
def test_a_strength_of_0_is_that_of_a_request_without_a_picture(strength: str) -> None:
    made = parameters.read(PLAIN + f", Denoising strength: {strength}")
    assert (made.endpoint, made.warnings) == (TXT2IMG, [])


def test_img2img_lacks_its_picture() -> None:
    made = parameters.read(PLAIN + ", Denoising strength: 0.5, Mask blur: 4")
    assert made.endpoint == IMG2IMG
    assert [(w.path, w.severity) for w in made.warnings] == [("init_images", "blocks")]


def test_what_is_left_out_is_said() -> None:
    made = parameters.read(
        PLAIN + ', ControlNet 0: "Module: x, Model: y", Face restoration: GFPGAN'
    )
    (warning,) = made.warnings
    assert "ControlNet 0" in warning.reason
    assert made.payload["restore_faces"] is True
    assert made.payload["override_settings"]["face_restoration_model"] == "GFPGAN"


def test_settings_as_the_page_writes_them() -> None:
    assert parameters.settings_of(["Clip skip: 2", "Model hash: abc", "Other: 1", "x"]) == {
        "CLIP_stop_at_last_layers": 2,
        "sd_model_checkpoint": "abc",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no steps"),
        ("a cat", "no steps"),
        ("Steps: many, Sampler: x, Seed: 1", "^Steps: 'many'"),
        ("Steps: 1, CFG scale: nan, Seed: 1", "^CFG scale: 'nan' is no number"),
        ("Steps: 1, CFG scale: 1e999, Seed: 1", "is no number"),
        ("Steps: 1, Size: 5x, Seed: 1", "^Size: '5x': expected WIDTHxHEIGHT"),
        ("Steps: 1, Tiling: maybe, Seed: 1", "expected True or False"),
        (f"Steps: {'9' * 5000}, Seed: 1, Size: 1x1", "Steps"),
        ("x" * (parameters.MAX_CHARACTERS + 1), "more than"),
    ],
)
def test_what_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        parameters.read(text)


@pytest.mark.parametrize("piece", ["a", " ", "a ", "a:", 'a:"', 'a: "\\",', "a: 1,"])
def test_long_lines_are_read_in_one_go(piece: str) -> None:
    """A reader that goes back over what it has read would not end here before pytest ends it."""
    text = "Steps: 1, Sampler: x, Seed: 1, " + piece * (500_000 // len(piece))
    with contextlib.suppress(FormatError):
        assert parameters.read(text).payload["steps"] == 1


pairs = st.lists(
    st.tuples(
        st.sampled_from([*parameters.FIELDS, *parameters.SETTINGS, "Size", "Model"]),
        st.text("0123456789.x-eTrue") | st.text(max_size=5),
    )
)


@given(st.text(), pairs)
def test_anything_ends_in_a_payload_or_a_clear_error(prompt: str, given_pairs: Any) -> None:
    line = ", ".join(f"{name}: {value}" for name, value in given_pairs)
    with contextlib.suppress(FormatError):
        parameters.read(f"{prompt}\nSteps: 1, Seed: 1, {line}")
