"""What a server lists, typed, whatever a server lists."""

from __future__ import annotations

import base64
import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fake_webui import png
from payload_replay import Progress, UnexpectedAnswer, records
from payload_replay.records import Embeddings, Model, PngInfo, Sampler, Scheduler, Script

pytestmark = pytest.mark.once

KINDS = [
    kind
    for kind in vars(records).values()
    if isinstance(kind, type) and issubclass(kind, records.Record) and kind is not records.Record
]
FLAT = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = FLAT | st.lists(FLAT, max_size=3) | st.dictionaries(st.text(max_size=3), FLAT, max_size=3)
MODEL = {"title": "a.ckpt [01]", "model_name": "a", "hash": "01", "new": {"of": "tomorrow"}}


def test_attributes_are_typed_and_brackets_give_what_came() -> None:
    model = Model.read(MODEL, "models")
    assert (model.title, model.hash, model.sha256) == ("a.ckpt [01]", "01", None)
    assert model["new"] == {"of": "tomorrow"}
    assert model == MODEL
    assert dict(model) == MODEL
    assert "new" not in repr(model)


def test_it_cannot_be_changed() -> None:
    model = Model.read(MODEL, "models")
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.title = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        model["title"] = "b"  # type: ignore[index]


def test_a_field_of_another_type_counts_as_absent() -> None:
    sampler = Sampler.read({"name": "Euler", "aliases": None, "options": [1]}, "samplers")
    assert (sampler.aliases, sampler.options) == ((), {})
    assert sampler["options"] == [1]
    scheduler = Scheduler.read({"name": "x", "default_rho": True, "label": 7}, "schedulers")
    assert (scheduler.default_rho, scheduler.label) == (None, None)


@pytest.mark.parametrize("given", [{}, {"title": None}, {"title": 3, "model_name": "a"}])
def test_what_has_no_name_is_refused_by_its_place(given: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"/models\[1\] has no title"):
        records.records(Model, [MODEL, given], "/models")


def test_what_is_no_object_is_no_item() -> None:
    assert records.records(Model, [MODEL, None, "text", []], "/models") == [MODEL]
    with pytest.raises(UnexpectedAnswer, match="memory is a list, not an object"):
        records.Memory.read([], "memory")


def test_embeddings_of_either_shape() -> None:
    """SD.Next lists their names (modules/api/models.py, ResEmbeddings)."""
    webui = {"loaded": {"easy": {"vectors": 8, "shape": 768}}, "skipped": {}}
    assert Embeddings.read(webui, "e").loaded["easy"].vectors == 8
    next_ = Embeddings.read({"loaded": ["easy"], "skipped": ["xl", 3]}, "e")
    assert (list(next_.loaded), list(next_.skipped)) == (["easy"], ["xl"])
    assert next_.loaded["easy"].vectors is None


def test_script_arguments() -> None:
    given = {"name": "x", "is_alwayson": True, "args": [{"label": "on", "choices": ["a"]}, "odd"]}
    (argument,) = Script.read(given, "script-info").args
    assert (argument.label, argument.choices, argument.value) == ("on", ("a",), None)
    assert Script.read({"name": "x", "args": None}, "script-info").args == []


def test_png_info_keeps_the_files_other_items_apart() -> None:
    info = PngInfo.read({"info": "a cat", "items": {"dpi": 72}, "parameters": {"Seed": "7"}}, "p")
    assert (info.info, info.others, info.parameters) == ("a cat", {"dpi": 72}, {"Seed": "7"})


def progress(**fields: Any) -> Progress:
    return Progress.read(fields, "progress")


def test_progress_of_the_api() -> None:
    state = {"job": "task(x)", "job_no": 1, "job_count": 2, "sampling_step": 3}
    state |= {"sampling_steps": 20, "interrupted": False, "skipped": False}
    found = progress(progress=0.5, eta_relative=12, state=state, textinfo="half")
    assert (found.fraction, found.eta, found.textinfo) == (0.5, 12.0, "half")
    assert (found.job, found.step, found.steps) == ("task(x)", 3, 20)
    assert (found.job_no, found.job_count, found.interrupted) == (1, 2, False)
    assert (found.queued, found.preview) == (False, None)


def test_progress_of_one_task() -> None:
    found = progress(active=False, queued=True, completed=False, progress=None, eta=None)
    assert (found.queued, found.fraction, found.eta, found.step) == (True, 0.0, None, None)


@pytest.mark.parametrize("name", ["current_image", "live_preview"])
def test_a_preview(name: str) -> None:
    text = base64.b64encode(png(Image.new("RGB", (3, 2)))).decode()
    for shown in (text, f"data:image/png;base64,{text}"):
        preview = progress(**{name: shown}).preview
        assert preview is not None
        assert preview.size == (3, 2)


@pytest.mark.parametrize("given", ["", "AAAA", "?", 7, None])
def test_a_preview_that_is_none(given: Any) -> None:
    assert progress(current_image=given).preview is None


@pytest.mark.parametrize("given", [math.nan, math.inf, "1", None, True])
def test_an_eta_that_is_no_number(given: Any) -> None:
    assert progress(eta_relative=given).eta is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(st.data())
def test_any_object_is_read_or_refused(kind: type[records.Record], data: st.DataObject) -> None:
    names = [name for name in dir(kind) if not name.startswith("_")]
    drawn = data.draw(st.dictionaries(st.sampled_from(names) | st.text(max_size=4), JSON))
    try:
        record = kind.read(drawn, "x")
    except UnexpectedAnswer:
        return
    for name in names:
        getattr(record, name)
    repr(record)
    assert dict(record) == drawn or str(drawn).count("nan")
