"""Which hooks a script gets, in which order, and what the processing object says then."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image
from standin_client import Client, encode

SMALL: dict[str, Any] = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 3}
ORDER = [
    "setup",
    "before_process",
    "process",
    "before_process_batch",
    "after_extra_networks_activate",
    "process_batch",
    "process_before_every_sampling",
    "post_sample",
    "postprocess_batch",
    "postprocess_batch_list",
    "postprocess_image",
    "postprocess_maskoverlay",
    "postprocess_image_after_composite",
    "postprocess",
]
METHODS = [
    "title",
    "ui",
    "show",
    "run",
    "setup",
    "before_process",
    "process",
    "before_process_batch",
    "after_extra_networks_activate",
    "process_before_every_sampling",
    "process_batch",
    "postprocess_batch",
    "postprocess_batch_list",
    "on_mask_blend",
    "post_sample",
    "postprocess_image",
    "postprocess_maskoverlay",
    "postprocess_image_after_composite",
    "postprocess",
    "before_component",
    "after_component",
    "on_before_component",
    "on_after_component",
    "describe",
    "elem_id",
    "before_hr",
]


def hooks(client: Client) -> list[str]:
    return [call["hook"] for call in client.calls()]


def test_script_has_the_webuis_methods(client: Client) -> None:
    assert sorted(client.get("/probe/facts")["methods"]) == sorted(METHODS)
    assert len(METHODS) == 26


def test_order_of_an_api_job(client: Client) -> None:
    client.result("txt2img", SMALL)
    assert hooks(client) == ORDER


def test_before_process_is_first_to_see_a_complete_api_job(client: Client) -> None:
    client.result("txt2img", {**SMALL, "seed": -1, "sampler_name": "Euler"})
    calls = {call["hook"]: call for call in client.calls()}
    assert calls["before_process"]["seed"] == -1
    assert calls["before_process"]["seeds"] is None
    assert calls["before_process"]["job"] == "scripts_txt2img"
    assert len(calls["process"]["seeds"]) == 1
    assert calls["process"]["s_tmax"] == "inf"
    assert len({call["p"] for call in calls.values()}) == 1


def test_batches_and_hires_call_their_hooks_again(client: Client) -> None:
    hires = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.5, "n_iter": 2}
    client.result("txt2img", {**SMALL, **hires, "hr_additional_modules": []})
    found = hooks(client)
    batch = [
        *ORDER[3:7],
        "after_extra_networks_activate",
        "before_hr",
        "process_before_every_sampling",
        *ORDER[7:13],
    ]
    assert found == [*ORDER[:3], *batch, *batch, "postprocess"]


def test_inpainting_blends_and_hides_its_mask(
    client: Client, picture: Image.Image, mask: Image.Image
) -> None:
    payload = {**SMALL, "init_images": [encode(picture)], "mask": encode(mask)}
    client.result("img2img", payload)
    calls = client.calls()
    assert [call["hook"] for call in calls].count("on_mask_blend") == 2, (
        "while sampling and at the end"
    )
    first = next(call for call in calls if call["hook"] == "before_process")
    assert first["masks"] == ["Image", "NoneType"], "the mask is p.image_mask, not p.mask"


def test_scripts_that_the_payload_leaves_out_get_their_defaults(
    client: Client, flavour: str
) -> None:
    client.result("txt2img", SMALL)
    assert client.calls()[0]["args"] == ["True", "None" if flavour == "forge" else ""]
    named = {"alwayson_scripts": {"Probe": {"args": [False, "given"]}}}
    client.result("txt2img", {**SMALL, **named})
    assert client.calls()[0]["args"] == ["False", "given"]


@pytest.mark.parametrize("hook", ["setup", "process", "postprocess_image", "postprocess"])
def test_what_hooks_raise_is_swallowed_and_kept(client: Client, hook: str) -> None:
    failing = {"alwayson_scripts": {"probe": {"args": [True, f"fail in {hook}"]}}}
    client.result("txt2img", {**SMALL, **failing})
    (error,) = client.host.errors()
    assert error["type"] == "ValueError"
    assert error["message"] == f"asked to fail in {hook}"
    assert "probe.py" in error["traceback"]
    client.host.clear_errors()


def test_loading_rule(client: Client, flavour: str) -> None:
    facts = client.get("/probe/facts")
    assert facts["loads"] == 1
    assert facts["in_sys_modules"] is False
    assert facts["basedir"].endswith("extensions/probe")
    assert facts["root_on_path"] is (flavour != "a1111")
    assert set(facts["seen"]) == {"generation_info_txt2img", "generation_info_img2img"}
    assert facts["events"][0] in ("model", "before_ui")
    assert "before_ui" in facts["events"]


def test_install_and_preload_are_run(client: Client) -> None:
    assert "probe install True" in client.host.log
    assert client.get("/sdapi/v1/cmd-flags")["probe_flag"] == "given"


def test_saved_pictures_are_announced(client: Client) -> None:
    before = len(client.get("/probe/facts")["saved"])
    client.result("txt2img", {**SMALL, "save_images": True, "n_iter": 2})
    saved = client.get("/probe/facts")["saved"][before:]
    assert [name.rsplit("/", 1)[1].split("-")[0] for name in saved][2:] == ["grid"]
    assert all(Image.open(name).info["parameters"].startswith("hills") for name in saved)
