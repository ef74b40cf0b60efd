"""The likeliest cause comes first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from payload_replay import reasons
from payload_replay.capture import (
    BATCH,
    IMG2IMG,
    UPSCALE,
    Capture,
    Extension,
    Host,
    Job,
    Result,
)
from payload_replay.images import Picture
from payload_replay.verify import Answered, Comparison, Verification

pytestmark = pytest.mark.once

RESULT = Result("0" * 64, 8, 8, "sample", 1, infotext="a\nSteps: 2, Seed: 1, Model: alpha, VAE: x")


def explain(
    made: Capture, found: Verification, host: Any, options: Any = (), parameters: Any = None
) -> str:
    return reasons.explain(made, found, host, dict(options), parameters)


def capture(**fields: Any) -> Capture:
    given = {"id": "cat", "endpoint": "/sdapi/v1/txt2img", "payload": {}} | fields
    return Capture(1, **given)


def answered(text: str = RESULT.infotext, size: tuple[int, int] = (8, 8), format: str = "PNG"):
    image = Image.new("RGB", size)
    image.__dict__["format"] = format
    return Answered(Picture(b"", image, "1" * 64), text, 1)


def pair(*given: Any, **fields: Any) -> Verification:
    return Verification([Comparison(RESULT, answered(*given, **fields), "different")])


def unknown() -> Mapping[str, Any]:
    return {}


def test_missing_pictures_come_first() -> None:
    found = Verification([Comparison(RESULT, None, "different"), *pair("b\nx").images])
    assert explain(capture(), found, unknown).startswith("1 of 2 expected pictures did not come")
    found = dataclasses.replace(found, extra=[answered()])
    assert "expected the seed 1, the server made 1" in explain(capture(), found, unknown)
    said = explain(capture(payload={"send_images": False}), found, unknown)
    assert "send_images: false" in said


def test_lossy_answers() -> None:
    assert "lossy JPEG: set its option samples_format" in explain(
        capture(), pair(format="JPEG"), unknown
    )


def test_another_size() -> None:
    said = explain(capture(), pair(size=(16, 8)), unknown)
    assert said.startswith("the picture is 16x8 instead of 8x8")


def test_fields_the_most_telling_first() -> None:
    text = "b\nSteps: 3, Seed: 1, Model: beta, VAE: x, Hires: 2, Version: v2"
    said = explain(capture(), pair(text), unknown)
    assert said.startswith(
        "the server used Model 'beta' instead of 'alpha', Steps '3' instead of '2', "
        "Prompt 'b' instead of 'a' and 1 more"
    )


def test_a_field_that_is_gone_and_long_values() -> None:
    said = explain(capture(), pair(RESULT.infotext.replace("a\n", "x" * 50 + "\n")), unknown)
    assert f"Prompt '{'x' * 39}…'" in said
    assert "VAE nothing instead of 'x'" in explain(
        capture(), pair("a\nSteps: 2, Seed: 1, Model: alpha"), unknown
    )


def test_a_field_that_was_sent_and_is_not_told_is_no_difference() -> None:
    """A1111 v1.6.0 tells the mask's blur of the page's jobs only."""
    sent = capture(payload={"steps": 2.0})
    untold = pair("a\nSeed: 1, Model: alpha, VAE: x")
    assert "Steps" not in explain(sent, untold, unknown)
    assert "Steps nothing instead of '2'" in explain(capture(payload={"steps": 3}), untold, unknown)
    assert "Steps '4' instead" in explain(
        sent, pair("a\nSteps: 4, Seed: 1, Model: alpha, VAE: x"), unknown
    )


def test_another_host() -> None:
    made = capture(host=Host(webui="A", version="v1", torch="2.1", device="cpu"))
    there = {"webui": "A", "version": "v2", "torch": "", "device": "cuda"}
    said = explain(made, pair(), lambda: there)
    assert said.startswith("the server is another host: version v2 instead of v1, device cuda")


def test_the_host_is_asked_only_if_nothing_else_tells() -> None:
    def asked() -> Mapping[str, Any]:
        pytest.fail("asked")

    explain(capture(), pair(size=(1, 1)), asked)


@pytest.mark.parametrize(
    ("endpoint", "payload"),
    [
        (IMG2IMG, {"init_images": ["x"]}),
        (UPSCALE, {"firstpass_image": "x", "enable_hr": True, "hr_upscaler": "Latent"}),
        (BATCH, {"requests": [{"endpoint": IMG2IMG, "payload": {"init_images": ["x"]}}]}),
    ],
)
def test_what_encodes_a_picture_depends_on_the_job_before(
    endpoint: str, payload: dict[str, Any]
) -> None:
    made = capture(endpoint=endpoint, payload=payload)
    assert "nothing seeds" in explain(made, pair(), unknown)
    on = dataclasses.replace(made, job=Job(repeatable=True))
    assert "switch that on in this server" in explain(on, pair(), unknown)


def test_hires_fix_does_not() -> None:
    made = capture(payload={"enable_hr": True, "hr_upscaler": "Lanczos"})
    assert "nothing that is known" in explain(made, pair(), unknown)


def test_settings_that_no_request_can_set() -> None:
    settings = {"fp8_storage": "Enable", "n_rows": -1, "a": 1, "b": 1, "c": 1}
    made = capture(host=Host(settings=settings))
    said = explain(made, pair(), unknown, {"fp8_storage": "Disable", "n_rows": -1})
    assert said.startswith("host.settings.fp8_storage: was 'Enable', the server has 'Disable'")
    others = dict.fromkeys(settings, 2)
    assert "and 2 more" in explain(made, pair(), unknown, others)


def test_nothing_known() -> None:
    assert explain(capture(), pair(), unknown).startswith("nothing that is known differs")


def test_the_measure_is_told() -> None:
    comparison = Comparison(RESULT, answered(), "close", 52.3, 2, ssim=0.9917)
    said = explain(capture(), Verification([comparison]), unknown)
    assert said.endswith("(52.3 dB, SSIM 0.9917, at most 2 of 255 off)")
    assert explain(capture(), pair(), unknown).endswith("(no stored picture to measure with)")


def test_what_the_server_left_out_explains_the_rest() -> None:
    payload = {
        "prompt": "a",
        "scheduler": "Karras",
        "of_a_newer_version": 7,
        "force_task_id": "task(1)",
        "init_images": ["AAAA"],
        "hr_prompt": "",
    }
    taken = {"prompt": "a", "init_images": None, "steps": 50}
    scheduled = dataclasses.replace(RESULT, infotext=RESULT.infotext + ", Schedule type: Karras")
    found = Verification([Comparison(scheduled, answered(), "different")])
    said = explain(capture(payload=payload), found, unknown, (), taken)
    assert said.startswith(
        "the server left out what it does not know: scheduler 'Karras', of_a_newer_version 7 ("
    )


def test_what_the_server_took_otherwise_comes_after_the_infotext() -> None:
    made, taken = capture(payload={"steps": 2, "cfg_scale": 7}), {"steps": 3, "cfg_scale": 7.0}
    assert explain(made, pair(), unknown, (), taken).startswith("the server took steps as 3 inst")
    other = pair("b\nSteps: 3, Seed: 1, Model: alpha, VAE: x")
    assert explain(made, other, unknown, (), taken).startswith("the server used Steps '3'")


def test_a_field_that_explains_nothing_comes_after_what_differs() -> None:
    made = capture(payload={"not_a_field": 7, "steps": 2})
    other = pair("a\nSteps: 3, Seed: 1, Model: alpha, VAE: x")
    taken = {"steps": 2}
    assert explain(made, other, unknown, (), taken).startswith("the server used Steps '3'")
    alone = explain(made, pair(), unknown, (), taken)
    assert alone.startswith("the server left out what it does not know: not_a_field 7 (")


def test_no_parameters_tell_nothing() -> None:
    made = capture(payload={"steps": 2})
    assert explain(made, pair(), unknown, (), {}).startswith("nothing that is known differs")


def test_an_override_that_decides_no_pixels_explains_none() -> None:
    made = capture(payload={"override_settings": {"api_useragent": "x", "n": 1}})
    said = explain(made, pair(), unknown, {"api_useragent": "y", "n": 2})
    assert said.startswith("nothing that is known differs")


def test_an_extension_that_a_script_is_of() -> None:
    host = Host(extensions=[Extension("sd-webui-controlnet", "1"), Extension("unused", "1")])
    scripts: dict[str, Any] = {"alwayson_scripts": {"ControlNet": {"args": [{}]}}}
    made = capture(host=host, payload=scripts)
    there = {"extensions": [{"name": "sd-webui-controlnet", "version": "2"}]}
    said = explain(made, pair(), lambda: there)
    assert said.startswith(
        "the server is another host: host.extensions.sd-webui-controlnet: was version 1, the "
        "server has 2"
    )
    assert "unused" not in said
