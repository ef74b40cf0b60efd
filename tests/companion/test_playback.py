"""The webui's own answer, made of a capture."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from json_values import json_values
from payload_replay import Capture, WebUI
from payload_replay.capture import BATCH, EXTRAS, EXTRAS_BATCH, EXTRAS_SINGLE, IMG2IMG, Job
from payload_replay.export import as_json
from payload_replay.fields import FIELDS
from payload_replay.hostlists import told
from payload_replay.images import decode
from payload_replay.playback import answer, answered, info, parameters
from webui_standin import Process

pytestmark = pytest.mark.once


@pytest.fixture
def held(fake, captured):
    """A capture with its pictures inside."""

    def make(*given, **fields) -> Capture:
        return Capture.from_json(as_json(captured(*given, **fields), fake.assets.__getitem__))

    return make


def test_the_pictures_and_their_account(held) -> None:
    capture = held({"batch_size": 2, "cfg_scale": 5})
    told = answer(capture, {"prompt": "a cat"})
    assert set(told) == {"images", "parameters", "info"}
    assert [one.sha256 for one in decode(told["images"])] == [r.sha256 for r in capture.results]
    account = json.loads(told["info"])
    assert account["all_seeds"] == [7, 8]
    assert account["all_prompts"] == ["a cat", "a cat"]
    assert account["infotexts"] == [one.infotext for one in capture.results]
    assert (account["seed"], account["index_of_first_image"], account["cfg_scale"]) == (7, 0, 5)


def test_send_images_false(held) -> None:
    assert answer(held(), {"send_images": False})["images"] == []


def test_resolved_prompts(held) -> None:
    capture = held({"batch_size": 2}, resolved={"prompt": ["a red cat", "a blue cat"]})
    assert info(capture, capture.results)["all_prompts"] == ["a red cat", "a blue cat"]


def test_parameters_are_the_request_with_the_defaults() -> None:
    told = parameters(IMG2IMG, {"prompt": "a", "init_images": ["x"], "mask": "y"})
    assert (told["prompt"], told["steps"]) == ("a", 50)
    assert (told["init_images"], told["mask"]) == (None, None)
    told = parameters(IMG2IMG, {"init_images": ["x"], "include_init_images": True})
    assert told["init_images"] == ["x"]
    assert parameters(EXTRAS, {"images": ["x"], "scripts": {}}) == {"scripts": {}}


def test_a_grid_of_the_page_is_not_the_apis(held) -> None:
    capture = held({"batch_size": 2})
    grid = dataclasses.replace(capture.results[0], role="grid", seed=None)
    results = [grid, *capture.results]
    page = dataclasses.replace(capture, results=results, job=Job(source="ui"))
    assert [one.role for one in answered(page)] == ["sample", "sample"]
    script = dataclasses.replace(page, payload=page.payload | {"script_name": "x/y/z plot"})
    assert [one.role for one in answered(script)] == ["grid", "sample", "sample"]
    assert info(script, answered(script))["index_of_first_image"] == 1


@pytest.mark.parametrize(
    ("endpoint", "keys"),
    [
        (EXTRAS_SINGLE, {"html_info", "image"}),
        (EXTRAS_BATCH, {"html_info", "images"}),
        (EXTRAS, {"images", "parameters", "info"}),
        (BATCH, {"images", "parameters", "info"}),
    ],
)
def test_the_shape_of_each_endpoint(held, endpoint: str, keys: set[str]) -> None:
    assert set(answer(held(endpoint=endpoint), {})) == keys


values = json_values(st.text(max_size=5), floats=st.floats(), most=3, leaves=6)


@given(st.dictionaries(st.sampled_from([*FIELDS[IMG2IMG], "requests"]), values))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_payload_of_a_document_is_answered_from_and_listed(held, payload) -> None:
    capture = dataclasses.replace(held(), payload=payload)
    json.loads(answer(capture, {})["info"])
    json.dumps(told([capture, dataclasses.replace(capture, endpoint=BATCH)]))


def test_the_answer_is_the_webuis_own(standin: Process) -> None:
    """Key for key, and value for value but for what only a running webui knows."""
    payload = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 5, "n_iter": 2}
    client = WebUI(standin.url, timeout=60)
    real = client.txt2img(payload)
    capture = client.captures.latest()
    held = Capture.from_json(as_json(capture, client.captures.asset))
    told = answer(held, payload)
    assert [one.sha256 for one in decode(told["images"])] == [
        one.sha256 for one in decode(real["images"])
    ]
    assert told["parameters"] == real["parameters"]
    own, theirs = json.loads(told["info"]), json.loads(real["info"])
    assert list(own) == list(theirs)
    different = {name for name in own if own[name] != theirs[name]}
    assert different <= {"job_timestamp"}, {name: (own[name], theirs[name]) for name in different}
