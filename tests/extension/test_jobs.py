"""Jobs, in the orders of calls that A1111 v1.10.1 was seen to make."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from payload_capture.jobs import Finished, Recorder, Run, outputs_of
from payload_capture.payload import Draft


class FakeWebui:
    """The seam: what `host` tells of the webui."""

    def __init__(self) -> None:
        self.token = 0
        self.broken_off = False
        self.skips = False
        self.describing_raises = False

    def job_token(self) -> object:
        return self.token

    def describe(self, p: Any) -> Draft:
        if self.describing_raises:
            raise RuntimeError("describe")
        return Draft("/sdapi/v1/txt2img", {"prompt": p.prompt, "seed": p.seed, "subseed": -1})

    def describe_extras(self, picture: Any, args: Any) -> Draft:
        return Draft("/payload-capture/v1/run/extras", {"images": [picture], "scripts": args})

    def source(self, p: Any) -> Any:
        return p.source

    def task(self) -> str:
        return f"task({self.token})"

    def interrupted(self) -> bool:
        return self.broken_off

    def skipped(self) -> bool:
        return self.skips

    def writes_infotext(self) -> bool:
        return True

    def checkpoint(self, p: Any) -> str:
        return "alpha.safetensors [12ab]"

    def repeatable(self) -> bool:
        return False


class Processed:
    def __init__(self, images: list[Image.Image], first: int = 0, texts: list[str] | None = None):
        self.images = images
        self.extra_images: list[Any] = []
        self.index_of_first_image = first
        self.infotexts = texts if texts is not None else [i.info["parameters"] for i in images]

    def js(self) -> str:
        return f'{{"infotexts": {self.infotexts}}}'


def picture(seed: int | None = 1) -> Image.Image:
    image = Image.new("RGB", (2, 2))
    if seed is not None:
        image.info["parameters"] = f"a cat\nSteps: 2, Seed: {seed}, Variation seed: {seed + 1}"
    return image


def processing(source: str = "ui", prompt: Any = "a cat", seed: Any = -1) -> SimpleNamespace:
    return SimpleNamespace(source=source, prompt=prompt, seed=seed, subseed=-1, user="ann")


class Stage:
    def __init__(self) -> None:
        self.webui = FakeWebui()
        self.done: list[Finished] = []
        self.early: list[Run] = []
        self.recorder = Recorder(self.webui, self.take)

    def take(self, item: Run | Finished) -> None:
        if isinstance(item, Run):
            self.early.append(item)
        else:
            self.done.append(item)

    def inner(self, p: Any, seeds: list[int]) -> Processed:
        """What `process_images` calls, on whatever object it is given."""
        self.recorder.processing_started(p)
        p.all_seeds, p.all_subseeds = seeds, [s + 100 for s in seeds]
        self.recorder.seeds_known(p)
        processed = Processed([picture(s) for s in seeds])
        self.recorder.processing_ended(p, processed)
        return processed

    def page_job(self, p: Any, seeds: list[int]) -> None:
        self.webui.token += 1
        self.recorder.run_started(p)
        self.recorder.run_ended(p, None, None)
        self.inner(p, seeds)
        self.recorder.closed(p, None)

    def api_job(self, p: Any, seeds: list[int]) -> None:
        self.webui.token += 1
        self.inner(p, seeds)
        self.recorder.closed(p, None)

    @property
    def last(self) -> Finished:
        (finished,) = self.done
        return finished

    @property
    def run(self) -> Run:
        """The only run of the only job."""
        (run,) = self.last.runs
        assert not self.early
        return run


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_plain_job_of_the_page(stage: Stage) -> None:
    stage.page_job(processing(), [41, 42])
    assert stage.run.draft.payload["seed"] == 41
    assert stage.run.draft.template == {"seed": -1, "subseed": -1}
    assert [(o.role, o.seed, o.subseed) for o in stage.run.outputs] == [
        ("sample", 41, 42),
        ("sample", 42, 43),
    ]
    job = stage.last.job
    assert (job.source, job.state, job.user, job.task) == ("ui", "ok", "ann", "task(1)")


def test_what_the_prompts_became_is_kept_beside_what_was_typed(stage: Stage) -> None:
    p = processing(prompt="a __colour__ cat")
    p.all_prompts = ["a red cat", "a blue cat"]
    stage.page_job(p, [1, 2])
    assert stage.run.draft.payload["prompt"] == "a __colour__ cat"
    assert stage.run.draft.resolved == {"prompt": ["a red cat", "a blue cat"]}


def test_prompts_of_a_scripts_inner_runs_are_not_the_jobs(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    p.all_prompts = ["a cell"]
    stage.recorder.run_ended(p, stage.inner(p, [1]), None)
    stage.recorder.closed(p, None)
    assert stage.run.draft.resolved == {}


def test_a_plain_job_of_the_api(stage: Stage) -> None:
    stage.api_job(processing("api"), [7])
    assert (stage.last.job.source, stage.run.draft.payload["seed"]) == ("api", 7)


def test_a_plot_on_copies_is_one_job_with_the_outer_seed(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    p.seed = 99  # X/Y/Z plot fixes the seed of the outer object, then varies it on copies
    cells = []
    for number in (5, 6):
        cell = copy.copy(p)
        cell.prompt = "changed"
        cells += stage.inner(cell, [number]).images
    grid = Image.new("RGB", (4, 2))
    result = Processed([grid, *cells], 1, ["grid"] + [c.info["parameters"] for c in cells])
    stage.recorder.run_ended(p, result, None)
    stage.recorder.closed(p, None)
    assert stage.run.draft.payload["seed"] == 99
    assert stage.run.draft.payload["prompt"] == "a cat"
    assert [(o.role, o.seed) for o in stage.run.outputs] == [
        ("grid", None),
        ("sample", 5),
        ("sample", 6),
    ]


def test_a_prompt_matrix_on_the_same_object_is_one_job(stage: Stage) -> None:
    p = processing(prompt="a|b")
    stage.webui.token += 1
    stage.recorder.run_started(p)
    p.prompt, p.seed = ["a", "a b"], [3, 3]
    stage.recorder.run_ended(p, stage.inner(p, [3, 3]), None)
    stage.recorder.closed(p, None)
    assert stage.run.draft.payload | {"subseed": 0} == {"prompt": "a|b", "seed": 3, "subseed": 0}


def test_a_loop_that_moves_the_seed_keeps_the_first(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    for seed in (10, 11):
        p.seed = seed
        last = stage.inner(p, [seed])
    stage.recorder.run_ended(p, last, None)
    stage.recorder.closed(p, None)
    assert stage.run.draft.payload["seed"] == 10


def test_pictures_that_another_extension_makes_inside_belong_to_the_job(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    stage.recorder.run_ended(p, None, None)
    stage.recorder.processing_started(p)
    p.all_seeds = [1]
    stage.recorder.seeds_known(p)
    stage.inner(processing("script", "a face", 5), [5])
    stage.recorder.processing_ended(p, Processed([picture(1)]))
    stage.recorder.closed(p, None)
    assert stage.run.draft.payload["prompt"] == "a cat"


def test_the_batch_tab_is_one_job_of_a_run_for_each_file(stage: Stage) -> None:
    p = processing(prompt="first")
    stage.webui.token += 1
    shown = None
    for seed, prompt in ((1, "first"), (2, "second"), (3, "third")):
        p.prompt = prompt
        stage.recorder.run_started(p)
        stage.recorder.run_ended(p, None, None)
        processed = stage.inner(p, [seed])
        if shown is None:
            shown = processed
        else:  # what the batch tab does to the first result
            shown.images.extend(processed.images)
            shown.infotexts.extend(processed.infotexts)
    stage.recorder.closed(p, None)
    runs = [*stage.early, *stage.last.runs]
    assert [(run.draft.payload["prompt"], run.draft.payload["seed"]) for run in runs] == [
        ("first", 1),
        ("second", 2),
        ("third", 3),
    ]
    assert [[output.seed for output in run.outputs] for run in runs] == [[1], [2], [3]]
    assert {run.job for run in runs} == {stage.last.serial}
    assert "Seed: 3" in stage.last.generation_info  # as the page shows it


def test_a_script_in_the_batch_tab_is_a_run_for_each_file(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    for seed in (1, 2):
        stage.recorder.run_started(p)
        stage.recorder.run_ended(p, stage.inner(p, [seed, seed]), None)
    stage.recorder.closed(p, None)
    assert [len(run.outputs) for run in (*stage.early, *stage.last.runs)] == [2, 2]


def test_a_script_that_begins_anew_is_one_job(stage: Stage) -> None:
    """Ultimate SD upscale in the batch tab, with an extension that makes pictures of its own."""
    p = processing()
    for seeds in ([41], [42]):
        stage.recorder.run_started(p)
        stage.webui.token += 1
        stage.inner(p, seeds)
        stage.inner(copy.copy(p), [7])
        stage.recorder.run_ended(p, Processed([picture(seeds[0])]), None)
    stage.recorder.closed(p, None)
    runs = [*stage.early, *stage.last.runs]
    assert [[o.seed for o in run.outputs] for run in runs] == [[41], [42]]
    assert stage.last.job.state == "ok"


def test_an_upload_that_fails_after_the_first_keeps_the_first(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    stage.recorder.run_ended(p, None, None)
    stage.inner(p, [1])
    stage.recorder.run_started(p)
    stage.recorder.closed(p, OSError("no such file"))
    assert [len(run.outputs) for run in (*stage.early, *stage.last.runs)] == [1, 0]
    assert (stage.last.job.state, stage.last.job.error) == ("failed", "OSError: no such file")


def test_extras_is_one_job_of_a_run_for_each_picture(stage: Stage) -> None:
    key = SimpleNamespace(source="ui")
    made = [picture(None), picture(None), picture(None)]
    for number, images in enumerate((made[:1], made[1:])):
        stage.recorder.picture_started(key, f"picture {number}", {"Upscale": {}})
        stage.recorder.picture_ended(key, images)
        for image in images:  # written when all operations are through
            image.info["postprocessing"] = f"Postprocess upscale by: {number}"
    stage.recorder.closed(key, None)
    runs = [*stage.early, *stage.last.runs]
    assert [run.draft.payload["images"] for run in runs] == [["picture 0"], ["picture 1"]]
    texts = [[output.infotext for output in run.outputs] for run in runs]
    assert texts == [["Postprocess upscale by: 0"], ["Postprocess upscale by: 1"] * 2]
    assert (stage.last.job.state, stage.last.model) == ("ok", "")


def test_extras_that_fails_is_a_row_with_the_reason(stage: Stage) -> None:
    key = SimpleNamespace(source="ui")
    stage.recorder.picture_started(key, "picture", {})
    stage.recorder.closed(key, AssertionError("could not find upscaler"))
    assert stage.last.job.error == "AssertionError: could not find upscaler"
    assert stage.run.draft.payload["images"] == ["picture"]


def test_extras_without_a_picture_is_no_job(stage: Stage) -> None:
    stage.recorder.closed(SimpleNamespace(source="ui"), AssertionError("image not selected"))
    assert stage.done == []


def test_a_job_of_another_programs_own_needs_no_closing(stage: Stage) -> None:
    stage.inner(processing("script"), [3])
    assert (stage.last.job.source, stage.last.job.state) == ("script", "ok")


def test_a_failed_job_is_a_row_with_the_reason(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    stage.recorder.run_ended(p, None, None)
    stage.recorder.processing_started(p)
    stage.recorder.closed(p, RuntimeError("out of memory"))
    job = stage.last.job
    assert (job.state, job.error) == ("failed", "RuntimeError: out of memory")


def test_a_script_that_raises_is_a_row_with_the_reason(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    stage.recorder.run_ended(p, None, ValueError("bad axis"))
    stage.recorder.closed(p, ValueError("bad axis"))
    assert stage.last.job.error == "ValueError: bad axis"


def test_a_job_that_was_never_closed_does_not_swallow_the_next(stage: Stage) -> None:
    stage.webui.token += 1
    stage.recorder.run_started(processing(prompt="lost"))
    stage.page_job(processing(), [2])
    assert [f.job.state for f in stage.done] == ["failed", "ok"]
    assert [f.runs[0].draft.payload["prompt"] for f in stage.done] == ["lost", "a cat"]


def test_a_job_with_a_skipped_batch_says_so(stage: Stage) -> None:
    p = processing()
    stage.webui.token += 1
    stage.recorder.run_started(p)
    stage.recorder.run_ended(p, None, None)
    stage.webui.skips = True
    stage.recorder.batch_ended(p)
    stage.webui.skips = False  # the webui forgets it when the next batch begins
    stage.recorder.batch_ended(p)
    stage.inner(p, [1, 2])
    stage.recorder.closed(p, None)
    assert stage.last.job.state == "interrupted"


def test_an_interrupted_job_says_so(stage: Stage) -> None:
    stage.webui.broken_off = True
    stage.page_job(processing(), [1])
    assert stage.last.job.state == "interrupted"


def test_a_failure_of_ours_is_a_row_with_its_reason(stage: Stage) -> None:
    p = processing()
    stage.webui.describing_raises = True
    with pytest.raises(RuntimeError) as raised:
        stage.recorder.run_started(p)
    stage.recorder.failed(p, "run_started", raised.value)
    stage.recorder.run_ended(p, None, None)
    stage.inner(p, [1])
    stage.recorder.closed(p, None)
    assert stage.last.failure == "run_started: RuntimeError: describe"
    assert len(stage.run.outputs) == 1


def test_nothing_is_captured_while_it_is_switched_off() -> None:
    stage = Stage()
    asked: list[str] = []

    def enabled(source: str) -> bool:
        asked.append(source)
        return False

    stage.recorder = Recorder(stage.webui, stage.take, enabled)
    stage.page_job(processing(), [1])
    stage.recorder.picture_started(SimpleNamespace(source="ui"), "picture", {})
    assert stage.done == []
    assert asked
    assert set(asked) == {"ui"}


def test_maps_are_told_from_samples_wherever_they_stand() -> None:
    images = [Image.new("RGB", (4, 4)), picture(1), picture(None), picture(2), picture(None)]
    texts = ["grid", "x, Seed: 1", "x, Seed: 2"]
    roles = [o.role for o in outputs_of(Processed(images, 1, texts), True)]
    assert roles == ["grid", "sample", "map", "sample", "map"]


def test_a_map_may_be_an_array() -> None:
    processed = Processed([picture(1)])
    processed.extra_images = [np.full((3, 2, 3), 7, dtype=np.uint8), "a text"]
    sample, found = outputs_of(processed, True)
    assert (sample.role, found.role) == ("sample", "map")
    assert (found.image.size, found.image.getpixel((0, 0))) == ((2, 3), (7, 7, 7))


def test_combined_pictures_without_infotext_of_their_own_are_samples() -> None:
    made = outputs_of(Processed([picture(None)], 0, ["b\nSteps: 1, Seed: 4"]), True)
    assert [(o.role, o.seed) for o in made] == [("sample", 4)]
