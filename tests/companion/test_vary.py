"""A varied capture: what is changed, what stays, and every path that leads nowhere."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fake_webui import API, FakeWebUI, png
from json_values import json_values
from payload_replay import Capture, FormatError
from payload_replay.__main__ import main
from payload_replay.capture import (
    BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    Asset,
    Caveat,
    Host,
    Job,
    Model,
    Origin,
    escaped,
    reference,
)
from payload_replay.commands.vary import Contacts, planned
from payload_replay.errors import BadSource
from payload_replay.vary import parsed

pytestmark = pytest.mark.once

UNIT = {"image": None, "weight": 1.0, "model": "canny"}
PAYLOAD: dict[str, Any] = {
    "prompt": "a cat",
    "seed": 7,
    "steps": 20,
    "styles": [],
    "alwayson_scripts": {"controlnet": {"args": [UNIT, True]}, "a.b": {"args": [1]}},
}


def make(payload: dict[str, Any], endpoint: str = TXT2IMG, **more: Any) -> Capture:
    return dataclasses.replace(Capture(1, "cat-1", endpoint, escaped(payload)), **more)


def test_with(captured) -> None:
    capture = captured(template={"seed": -1, "prompt": "__animal__"}, job=Job(state="failed"))
    made = capture.with_(steps=30, **{"override_settings.CLIP_stop_at_last_layers": 2})
    changed = {"steps": 30, "override_settings": {"CLIP_stop_at_last_layers": 2}}
    assert made.payload == capture.payload | changed
    assert (made.results, made.job, made.assets) == ([], Job(), {})
    assert made.template == capture.template
    assert made.origin == Origin("cat-1", ["steps", "override_settings.CLIP_stop_at_last_layers"])
    assert made.id.startswith("cat-1-")
    assert made.id != capture.id
    assert capture.payload["steps"] == 2, "the capture itself stays as it was"
    assert Capture.from_json(made.to_json()) == made


def test_the_webui_has_no_use_for_it() -> None:
    assert Capture.with_.__module__ == "payload_replay.vary"


def test_importing_the_package_still_costs_little() -> None:
    code = (
        "import sys, payload_replay; print(sorted({'PIL', 'requests', 'csv'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.strip() == b"[]"


def test_nothing_changed_is_the_same_capture(captured) -> None:
    capture = captured()
    assert capture.with_() is capture


def test_what_a_change_makes_untrue_is_left_out() -> None:
    capture = make(
        PAYLOAD,
        template={"prompt": "__animal__", "seed": -1},
        resolved={"prompt": ["a cat"]},
        host=Host("A1111", checkpoint=Model("a"), embeddings=[Model("e")], loras=[Model("l")]),
        warnings=[Caveat("alwayson_scripts.controlnet.args[0]", "x"), Caveat("steps_", "y")],
        choices={"script_args[0]": "Seed", "script_args[10]": "Steps"},
    )
    made = capture.with_(prompt="a dog", steps=3)
    assert made.template == {"seed": -1}
    assert (made.resolved, made.host.embeddings, made.host.loras) == ({}, [], [])
    assert made.host.checkpoint == Model("a")
    assert (made.warnings, made.choices) == (capture.warnings, capture.choices)
    made = capture.with_(**{"alwayson_scripts.controlnet.args[0].weight": 0.5})
    assert made.host == capture.host
    made = capture.with_(**{"alwayson_scripts.controlnet.args": []})
    assert made.warnings == [Caveat("steps_", "y")]
    made = capture.with_(**{"override_settings.sd_model_checkpoint": "b"})
    assert made.host.checkpoint is None


def test_varied_again_it_names_the_first(captured) -> None:
    made = captured().with_(steps=30).with_(seed=8, steps=31)
    assert made.origin == Origin("cat-1", ["steps", "seed"])
    assert made.id.count("-") == 2


def test_an_id_is_long_enough_for_any_other_and_follows_from_the_payload() -> None:
    capture = make(PAYLOAD, id="x" * 80)
    ids = {capture.with_(steps=n).id for n in range(20)}
    assert len(ids) == 20
    assert Capture.from_json(capture.with_(steps=1).to_json()).id == capture.with_(steps=1).id


def test_pictures_that_are_not_sent_any_more_go() -> None:
    name = 64 * "a"
    asset = Asset("image/png", 1, 1, 1)
    payload = {"init_images": [reference(name)], "prompt": ""}
    capture = Capture(1, "i", IMG2IMG, payload, assets={name: asset, 64 * "b": asset})
    assert capture.with_(prompt="a").assets == {name: asset}
    assert capture.with_(**{"init_images[0]": "text"}).assets == {}
    with pytest.raises(FormatError, match="is a picture, with nothing inside"):
        capture.with_(**{"init_images[0].x": 1})


def test_a_picture_by_its_path(tmp_path: Path) -> None:
    data = png(Image.new("RGB", (4, 4)))
    (tmp_path / "a.png").write_bytes(data)
    made = make({"init_images": [], "prompt": ""}, IMG2IMG).with_(
        init_images=[tmp_path / "a.png"], mask=tmp_path / "a.png"
    )
    text = base64.b64encode(data).decode()
    assert (made.payload["init_images"], made.payload["mask"]) == ([text], text)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("alwayson_scripts.ControlNet.args[0].weight", ["controlnet", "args", 0, "weight"]),
        ("alwayson_scripts.controlnet.args[1]", ["controlnet", "args", 1]),
        ('alwayson_scripts["A.B"].args[0]', ["a.b", "args", 0]),
    ],
)
def test_inside_of_scripts(path: str, place: list[Any]) -> None:
    found: Any = make(PAYLOAD).with_(**{path: 0.25}).payload["alwayson_scripts"]
    for step in place:
        found = found[step]
    assert found == 0.25
    assert UNIT["weight"] == 1.0


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("stepps", "stepps: .*has no such field; the nearest is steps"),
        ("cfg", "the nearest is"),
        ("mask", "/sdapi/v1/txt2img has no such field"),
        ("override_setings.sd_vae", "the nearest is override_settings"),
        (
            "alwayson_scripts.controlnet.args[0].wieght",
            r"the nearest is alwayson_scripts.controlnet.args\[0\].weight",
        ),
        ("alwayson_scripts.controlnett.args[0]", "the nearest is alwayson_scripts.controlnet"),
        ("alwayson_scripts.tiled", "there are alwayson_scripts.controlnet"),
        ("alwayson_scripts.controlnet.args[2]", r"args\[2\]: the list has 2 entries, from \[0\]"),
        ("alwayson_scripts.controlnet[0]", "alwayson_scripts.controlnet is a mapping"),
        ("alwayson_scripts.controlnet.args.x", r"controlnet.args is a list"),
        ("steps.x", "steps is a single value"),
        ("prompt[0]", "prompt is a single value"),
        ("alwayson_scripts.CONTROLNET.ARGS[0]", "there is no such place"),
        ("a..b", "no path from its character"),
    ],
)
def test_a_path_that_leads_nowhere(path: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        make(PAYLOAD).with_(**{path: 1})


def test_what_may_be_new() -> None:
    made = make({"override_settings": None}).with_(**{"override_settings.sd_vae": "y"})
    assert made.payload == {"override_settings": {"sd_vae": "y"}}
    assert make({}, EXTRAS_SINGLE).with_(upscaler_1="x").payload == {"upscaler_1": "x"}
    with pytest.raises(FormatError, match="no such"):
        make({}).with_(**{"alwayson_scripts.controlnet.args[0]": 1})
    with pytest.raises(FormatError, match="no such"):
        make({}).with_(**{"override_settings.a.b": 1})


def test_in_a_batch() -> None:
    request = {"endpoint": IMG2IMG, "payload": {"steps": 2, "init_images": []}}
    capture = make({"requests": [request]}, BATCH)
    made = capture.with_(**{"requests[0].payload.denoising_strength": 0.5})
    assert made.payload["requests"][0]["payload"]["denoising_strength"] == 0.5
    with pytest.raises(FormatError, match=r"nearest is requests\[0\].payload.steps"):
        capture.with_(**{"requests[0].payload.stepps": 1})
    with pytest.raises(FormatError, match=r"list has 1 entries"):
        capture.with_(**{"requests[1].payload.steps": 1})
    with pytest.raises(FormatError, match="has no such field"):
        capture.with_(steps=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}, [b""], {"a": {2}}])
def test_what_json_has_not(value: object) -> None:
    with pytest.raises(FormatError, match=r"^(steps|steps\.a|steps\[0\]): .*that JSON has"):
        make(PAYLOAD).with_(steps=value)


def test_what_nests_too_deeply() -> None:
    value: Any = 1
    for _ in range(2000):
        value = [value]
    with pytest.raises(FormatError, match="styles: nests more than 100 levels"):
        make(PAYLOAD).with_(styles=value)
    with pytest.raises(FormatError, match="styles: nests more than 100 levels"):
        parsed("styles=" + "[" * 500 + "]" * 500)


def test_a_mapping_of_a_scripts_own_is_no_reference() -> None:
    value = {"$asset": 64 * "a", "$x": 1}
    made = make(PAYLOAD).with_(**{"alwayson_scripts.controlnet.args[0]": value})
    assert made.request()["alwayson_scripts"]["controlnet"]["args"][0] == value
    again = made.with_(**{"alwayson_scripts.controlnet.args[0].$x": 2})
    assert again.request()["alwayson_scripts"]["controlnet"]["args"][0] == value | {"$x": 2}


@given(
    st.dictionaries(
        st.sampled_from(["steps", "prompt", "styles", "override_settings.x"]),
        json_values(floats=st.nothing(), leaves=8),
    )
)
def test_what_is_set_is_what_is_sent(changes: dict[str, Any]) -> None:
    sent = make(PAYLOAD).with_(**changes).request()
    for path, value in changes.items():
        name, _, inner = path.partition(".")
        assert (sent[name][inner] if inner else sent[name]) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("steps=30", 30),
        ("cfg_scale=7.5", 7.5),
        ("tiling=true", True),
        ("eta=null", None),
        ("prompt=30", "30"),
        ("prompt=true", "true"),
        ('prompt="a cat"', "a cat"),
        ("prompt=a cat, sitting", "a cat, sitting"),
        ('styles=["a"]', ["a"]),
        ("sampler_name=Euler a", "Euler a"),
        ("steps=NaN", "NaN"),
        ("steps=" + "[" * 100_000, "[" * 100_000),
        ("requests[0].payload.prompt=30", "30"),
    ],
)
def test_a_typed_value(text: str, value: object) -> None:
    found = parsed(text)[1]
    assert found == value
    assert type(found) is type(value)


# The command


@pytest.fixture(autouse=True)
def server(fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)


def test_set_on_replay_and_export(
    fake: FakeWebUI, captured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captured()
    sets = ["--set", "steps=5", "--set", "prompt=12"]
    assert main(["replay", "latest", *sets, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["id"][:6]) == ("unverified", "cat-1-")
    assert main(["export", "latest", *sets, "-f", "payload"]) == 0
    sent = json.loads(capsys.readouterr().out)
    assert sent == fake.bodies("POST", f"{API}/txt2img")[0]
    assert (sent["steps"], sent["prompt"]) == (5, "12")


@pytest.mark.parametrize("option", ["--set", "--sweep"])
def test_a_mistake_is_told_before_anything_is_sent(
    fake: FakeWebUI, captured, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    captured()
    assert main(["replay", "latest", option, "stepps=3"]) == 2
    assert "the nearest is steps" in "".join(capsys.readouterr())
    assert main(["replay", "latest", option, "steps"]) == 2
    assert f"{option} steps: expected PATH=VALUE" in "".join(capsys.readouterr())
    assert fake.bodies("POST", f"{API}/txt2img") == []


def test_a_picture_that_the_user_names(
    fake: FakeWebUI, captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = png(Image.new("RGB", (4, 4)))
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "p.json").write_text('{"init_images": [""], "prompt": "file:x"}')
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "in/p.json", "--set", "init_images[0]=file:a.png"]) == 0
    (body,) = fake.bodies("POST", f"{API}/img2img")
    assert body == {"init_images": [base64.b64encode(data).decode()], "prompt": "file:x"}


def test_sweep_with_a_sheet(fake: FakeWebUI, captured, tmp_path: Path) -> None:
    captured()
    sheet = tmp_path / "sheet.png"
    sweeps = ["--sweep", "steps=1,2", "--sweep", "cfg_scale=5:9:2"]
    assert main(["replay", "latest", *sweeps, "--sheet", str(sheet)]) == 0
    bodies = fake.bodies("POST", f"{API}/txt2img")
    assert [(b["steps"], b["cfg_scale"]) for b in bodies] == [
        (steps, scale) for steps in (1, 2) for scale in (5, 7, 9)
    ]
    with Image.open(sheet) as image:
        assert image.width > 2 * 96
    assert main(["replay", "latest", *sweeps, "--sheet", str(sheet)]) == 2
    assert len(fake.bodies("POST", f"{API}/txt2img")) == 6


def test_rows(fake: FakeWebUI, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"prompt": "a {animal}", "steps": "{steps}"}')
    (tmp_path / "r.csv").write_text("animal,steps\ncat,2\n7,3\n")
    source, rows = str(tmp_path / "p.json"), str(tmp_path / "r.csv")
    assert main(["replay", source, "--endpoint", "txt2img", "--rows", rows]) == 0
    assert fake.bodies("POST", f"{API}/txt2img") == [
        {"prompt": "a cat", "steps": 2},
        {"prompt": "a 7", "steps": 3},
    ]


@pytest.mark.parametrize("name", ["x.tif", "x", "gone/x.png"])
def test_a_sheet_that_could_not_be_written_is_told_before(tmp_path: Path, name: str) -> None:
    plan = planned(["latest"], None, None, ["steps=1,2"], None, False)
    with pytest.raises(BadSource, match=r"a \.png or \.jpg in a folder that exists"):
        Contacts(tmp_path / name, plan)


def test_a_sweep_of_pictures_is_labelled_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(Image.new("RGB", (4, 4))))
    name = f"init_images[0]=file:{tmp_path / 'a.png'}"
    made = planned(["x"], None, None, [name], None, False)
    assert made.axes == [[name]]
    assert made.jobs[0].name == f"x {name}"


def test_a_resumed_sweep_shows_what_was_made_before(fake: FakeWebUI, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"prompt": "a", "seed": 1, "width": 200, "height": 200}')
    common = ["replay", str(tmp_path / "p.json"), "--sweep", "steps=1,2", "--endpoint", "txt2img"]
    common += ["--journal", str(tmp_path / "j"), "--out", str(tmp_path / "out")]
    sheets = [tmp_path / "a.png", tmp_path / "b.png"]
    for sheet in sheets:
        assert main([*common, "--sheet", str(sheet)]) == 0
    assert len(fake.bodies("POST", f"{API}/txt2img")) == 2
    assert sheets[0].read_bytes() == sheets[1].read_bytes()


def test_a_sheet_of_one_job(captured, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="--sheet shows"):
        Contacts(tmp_path / "x.png", planned(["latest"], None, None, None, None, False))
