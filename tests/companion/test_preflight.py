"""What is refused before anything is sent, and what is not."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from fake_webui import API, CHECKPOINT, EXTENSION, NO_ROUTE, Answer, FakeWebUI
from payload_replay import Capture, WebUI
from payload_replay.capture import IMG2IMG, Caveat, Host, Job, Model
from payload_replay.preflight import blocking, check, obstacles

pytestmark = pytest.mark.once


def bare(**payload: Any) -> Capture:
    return Capture.from_payload({"prompt": "a cat"} | payload)


def override(**options: Any) -> Capture:
    return bare(override_settings=options)


@pytest.mark.parametrize(
    "name",
    [
        *CHECKPOINT.values(),
        "alpha.safetensors",
        "alpha [0123456789]",
        "beta",
        "sub/beta.ckpt",
        "sub/beta.ckpt [abcdefabcd]",
    ],
)
def test_checkpoints_by_each_of_their_names(webui: WebUI, name: str) -> None:
    assert blocking(webui, override(sd_model_checkpoint=name)) is None


@pytest.mark.parametrize("name", ["alph", "gamma.ckpt", "Alpha", "beta.ckpt"])
def test_an_unknown_checkpoint(webui: WebUI, name: str) -> None:
    reason = blocking(webui, override(sd_model_checkpoint=name))
    assert reason is not None
    assert reason.startswith("override_settings.sd_model_checkpoint: the server has no checkpoint")
    assert "silently use another" in reason


def test_the_nearest_is_named(webui: WebUI) -> None:
    reason = blocking(webui, override(sd_model_checkpoint="alpha.safetensor"))
    assert "the nearest is 'alpha.safetensors'" in (reason or "")


@pytest.mark.parametrize(
    "payload",
    [
        {"sampler_name": "Euler a"},
        {"sampler_name": "Euler a Karras"},
        {"sampler_name": "Euler a karras", "scheduler": "Karras"},
        {"hr_sampler_name": "Use same sampler", "hr_scheduler": "Use same scheduler"},
        {"sampler_name": None, "scheduler": ""},
        {"script_name": "X/Y/Z plot", "alwayson_scripts": {"Refiner": {"args": []}}},
        {"script_name": "", "alwayson_scripts": {}},
        {"override_settings": {"sd_vae": "soft.vae.pt"}},
        {"override_settings": {"sd_vae": "Automatic"}},
        {"override_settings": {"sd_vae": None, "sd_model_checkpoint": ""}},
        {"override_settings": None, "alwayson_scripts": None},
    ],
)
def test_what_is_there(webui: WebUI, payload: dict[str, Any]) -> None:
    assert blocking(webui, bare(**payload)) is None


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"sampler_name": "k_euler_a"}, "sampler_name"),
        ({"sampler_name": "euler a"}, "sampler_name"),
        ({"hr_sampler_name": "None"}, "hr_sampler_name"),
        ({"scheduler": "Beta"}, "scheduler"),
        ({"script_name": "Loopback"}, "script_name"),
        ({"alwayson_scripts": {"ControlNet": {"args": []}}}, "alwayson_scripts.ControlNet"),
        ({"override_settings": {"sd_vae": "hard.pt"}}, "override_settings.sd_vae"),
    ],
)
def test_what_is_missing(webui: WebUI, payload: dict[str, Any], path: str) -> None:
    assert (blocking(webui, bare(**payload)) or "").startswith(f"{path}: the server has no ")


def test_each_tab_has_its_own_scripts(webui: WebUI) -> None:
    capture = Capture.from_payload({"script_name": "Loopback"}, IMG2IMG)
    assert blocking(webui, capture) is None


@pytest.mark.parametrize("path", ["sd-models", "sd-vae", "samplers", "schedulers", "scripts"])
@pytest.mark.parametrize("status", [404, 500])
def test_a_server_that_does_not_list_is_left_to_judge(
    fake: FakeWebUI, webui: WebUI, path: str, status: int
) -> None:
    fake.lists = {}
    fake.answer("GET", f"{API}/{path}", status, NO_ROUTE.body)
    payload = {"sampler_name": "x", "scheduler": "x", "script_name": "x"}
    settings = {"sd_model_checkpoint": "x", "sd_vae": "x"}
    assert blocking(webui, bare(**payload, override_settings=settings)) is None


def test_an_older_webui_without_schedulers(fake: FakeWebUI, webui: WebUI) -> None:
    del fake.lists["schedulers"]
    assert blocking(webui, bare(sampler_name="DDIM", scheduler="Karras")) is None
    assert "sampler" in (blocking(webui, bare(sampler_name="DDIM Karras")) or "")


def test_lists_are_remembered_and_asked_again_on_a_miss(fake: FakeWebUI, webui: WebUI) -> None:
    capture = override(sd_model_checkpoint="new.ckpt")
    assert blocking(webui, capture) is not None
    fake.lists["sd-models"].append({"title": "new.ckpt"})
    asked = len(fake.asked)
    assert blocking(webui, capture) is None
    assert len(fake.asked) == asked + 1
    assert blocking(webui, capture) is None
    assert len(fake.asked) == asked + 1
    fake.lists["sd-models"].pop()


def test_a_check_asks_anew(fake: FakeWebUI, webui: WebUI) -> None:
    one = {"name": "x/y/z plot", "is_img2img": False}
    fake.lists["script-info"] = [one | {"args": [{"label": "X", "minimum": 0, "maximum": 5}]}]
    capture = bare(script_name="X/Y/Z plot", script_args=[7])
    assert [problem.path for problem in check(webui, capture)] == ["script_args[0]"]
    fake.lists["script-info"] = [one | {"args": [{"label": "X", "minimum": 0, "maximum": 9}]}]
    assert check(webui, capture) == []


def test_too_few_arguments_of_a_selected_script(fake: FakeWebUI, webui: WebUI) -> None:
    args = [{"label": "X"}, {"label": "Y"}]
    fake.lists["script-info"] = [{"name": "x/y/z plot", "is_img2img": False, "args": args}]
    (problem,) = check(webui, bare(script_name="X/Y/Z plot", script_args=[1]))
    assert (problem.path, problem.severity) == ("script_args", "blocks")
    assert blocking(webui, bare(script_name="X/Y/Z plot", script_args=[1])) == str(problem)
    assert check(webui, bare(script_name="X/Y/Z plot", script_args=[1, 2])) == []


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (Job(state="interrupted"), "broken-off run"),
        (Job(state="failed", error="out of memory"), r"failed \(out of memory\)"),
        (Job(state="failed"), "without a word why"),
    ],
)
def test_jobs_that_did_not_end_well(webui: WebUI, captured, job: Job, words: str) -> None:
    assert re.search(words, blocking(webui, captured(job=job)) or "")


def test_warnings_block_by_their_severity(webui: WebUI, captured) -> None:
    soft = captured(warnings=[Caveat("a", "cosmetic", "cosmetic"), Caveat("b", "odd", "pixels")])
    assert blocking(webui, soft) is None
    assert [problem.path for problem in obstacles(webui.inventory, soft)] == ["a", "b"]
    hard = captured(warnings=[Caveat("script_args[3]", "a tensor", "blocks")])
    assert blocking(webui, hard) == "script_args[3]: a tensor"


@pytest.mark.parametrize(
    "endpoint",
    [f"{API}/options", f"{API}/server-kill", "/payload-capture/v1/runaway", f"{API}/txt2img/x"],
)
def test_a_document_cannot_reach_other_endpoints(webui: WebUI, endpoint: str) -> None:
    capture = Capture.from_payload({"prompt": "a cat"}, endpoint)
    assert "makes no pictures" in (blocking(webui, capture) or "")


RUN = f"{EXTENSION}/run"


@pytest.mark.parametrize("endpoint", [f"{API}/extra-single-image", f"{RUN}/batch"])
def test_the_other_generating_endpoints(webui: WebUI, endpoint: str) -> None:
    assert blocking(webui, Capture.from_payload({"prompt": "a"}, endpoint)) is None


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (NO_ROUTE, "is not installed"),
        (Answer(body={"runs": []}), "needs --api"),
        (Answer(body={}), "this release does not have"),
        (Answer(body={"runs": [f"{RUN}/extras"]}), "this release does not have"),
    ],
)
def test_a_run_that_only_the_extension_makes(
    fake: FakeWebUI, webui: WebUI, status: Answer, said: str
) -> None:
    fake.answers["GET", f"{EXTENSION}/status"] = status
    reason = blocking(webui, Capture.from_payload({"requests": []}, f"{RUN}/batch"))
    assert said in (reason or "")


def test_each_request_of_a_batch_is_looked_at(webui: WebUI) -> None:
    inner = [{"endpoint": IMG2IMG, "payload": {"sampler_name": name}} for name in ("DDIM", "DDJM")]
    reason = blocking(webui, Capture.from_payload({"requests": inner}, f"{RUN}/batch"))
    assert (reason or "").startswith("requests[1].payload.sampler_name: the server has no sampler")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"hr_upscaler": "Lanczoz"}, "hr_upscaler: the server has no upscaler 'Lanczoz'"),
        ({"refiner_checkpoint": "gamma"}, "refiner_checkpoint: the server has no checkpoint"),
        ({"hr_checkpoint_name": "gamma"}, "hr_checkpoint_name: the server has no checkpoint"),
        ({"styles": ["painted", "drawn"]}, "styles[1]: the server has no style"),
        ({"prompt": "<lora:stile:1> cat"}, "prompt: the server has no LoRA (and would silently"),
        ({"hr_prompt": "<hypernet:h:1>"}, "hr_prompt: the server has no hypernetwork"),
    ],
)
def test_what_a_server_would_lack(webui: WebUI, payload: dict[str, Any], said: str) -> None:
    assert (blocking(webui, bare(**payload)) or "").startswith(said)


def test_what_is_named_and_there(webui: WebUI) -> None:
    payload = {"styles": ["painted"], "hr_upscaler": "Latent", "refiner_checkpoint": "alpha"}
    text = "<lora:style:1> <lora:style-v2:0.5> <hypernet:hyper:1> easy"
    capture = bare(**payload, hr_prompt=text, prompt=text, hr_checkpoint_name="None")
    host = Host(embeddings=[Model("easy", "easy")])
    assert blocking(webui, dataclasses.replace(capture, host=host)) is None
    lacking = dataclasses.replace(capture, host=Host(embeddings=[Model("hard", "hard")]))
    assert "read its name as a word" in (blocking(webui, lacking) or "")


PLOT = {"prompt": "a cat", "script_name": "X/Y/Z plot", "script_args": [1, "1,2"]}


@pytest.mark.parametrize(
    ("choices", "blocked"),
    [
        ({"script_args[0]": "Seed"}, None),
        ({"script_args[0]": "Steps"}, "stands for 'Steps' where it was captured, for 'Seed' here"),
        ({"script_args[1]": "whatever"}, None),
        ({"alwayson_scripts.Refiner.args[1][1]": "c"}, None),
        ({"alwayson_scripts.Refiner.args[1][0]": "c"}, "stands for 'c'"),
        ({"alwayson_scripts.Refiner.args[1][7]": "c"}, "for 'nothing' here"),
    ],
)
def test_a_number_that_stands_for_something_else(
    webui: WebUI, choices: dict[str, str], blocked: str | None
) -> None:
    payload = PLOT | {"alwayson_scripts": {"Refiner": {"args": [True, [0, 2]]}}}
    capture = dataclasses.replace(Capture.from_payload(payload), choices=choices)
    reason = blocking(webui, capture)
    assert reason is None if blocked is None else blocked in (reason or "")


def test_a_setting_that_no_request_can_set_is_said_and_does_not_block(
    fake: FakeWebUI, webui: WebUI
) -> None:
    settings = {"fp8_storage": "Enable", "samples_format": "png", "unknown": 1}
    fake.options["fp8_storage"] = "Disable"
    capture = dataclasses.replace(bare(), host=Host(settings=settings))
    (problem,) = check(webui, capture)
    assert (problem.path, problem.severity) == ("host.settings.fp8_storage", "pixels")
    assert blocking(webui, capture) is None


def test_the_gravest_comes_first(fake: FakeWebUI, webui: WebUI) -> None:
    soft = [Caveat("a", "looks other", "cosmetic"), Caveat("b", "may differ", "pixels")]
    capture = dataclasses.replace(bare(styles=["gone"]), warnings=soft)
    fake.options["samples_format"] = "jpg"
    assert [(problem.path, problem.severity) for problem in webui.check(capture)] == [
        ("styles[0]", "blocks"),
        ("b", "pixels"),
        ("samples_format", "pixels"),
        ("a", "cosmetic"),
    ]


def test_a_replay_asks_for_no_list_that_it_does_not_need(
    fake: FakeWebUI, webui: WebUI, captured
) -> None:
    """A checkpoint, a sampler and a script with its arguments; nothing around them."""
    script = {"script_name": "X/Y/Z plot", "script_args": [1]}
    pinned = {"override_settings": {"sd_model_checkpoint": CHECKPOINT["title"]}}
    webui.replay(captured({"sampler_name": "Euler a"} | script | pinned))
    asked = {request.path.rpartition("/")[2] for request in fake.asked}
    lists = {"sd-models", "samplers", "schedulers", "scripts", "script-info"}
    assert asked == {*lists, "options", "txt2img"}
    fake.asked.clear()
    webui.replay(captured())
    assert {request.path.rpartition("/")[2] for request in fake.asked} == {"options", "txt2img"}


def test_the_nearest_is_a_field_of_its_own(webui: WebUI) -> None:
    (problem,) = webui.check(bare(hr_upscaler="Lanczoz"))
    assert problem.nearest == "Lanczos"
    assert str(problem).endswith("; the nearest is 'Lanczos'")
    assert "Lanczos'" not in problem.reason


@pytest.mark.parametrize("name", ["renamed.ckpt [0123456789]", "renamed.ckpt [abcdefabcd]"])
def test_the_nearest_checkpoint_has_the_same_hash(webui: WebUI, name: str) -> None:
    (problem,) = webui.check(override(sd_model_checkpoint=name))
    title = CHECKPOINT["title"] if "0123" in name else "sub/beta.ckpt [abcdefabcd]"
    assert (problem.severity, problem.nearest) == ("blocks", title)
    assert "silently use another" in problem.reason
