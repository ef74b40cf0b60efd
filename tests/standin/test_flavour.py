"""Flavours: told by the installed gradio and an option; what reForge mixes of the other two."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standin_client import Client, encode

from webui_standin import FLAVOURS, Process, UnknownFlavour, current_flavour, flavours_here
from webui_standin.flavour import STACKS, VARIABLE, current_stack, stack_of

SMALL: dict[str, Any] = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 3}
HIRES: dict[str, Any] = {
    **SMALL,
    "enable_hr": True,
    "denoising_strength": 0.6,
    "hr_upscaler": "Latent",
    "cfg_scale": 4,
}


def test_stack_is_told_by_gradio(flavour: str) -> None:
    assert flavour in STACKS[current_stack()] == flavours_here()
    assert set(FLAVOURS) == {"a1111", "reforge", "forge"}


def test_option_chooses_among_the_stacks_flavours(monkeypatch: pytest.MonkeyPatch) -> None:
    for flavour in flavours_here():
        monkeypatch.setenv(VARIABLE, flavour)
        assert current_flavour() == flavour
    monkeypatch.setenv(VARIABLE, "")
    assert current_flavour() == flavours_here()[0]
    (foreign, *_) = set(FLAVOURS) - set(flavours_here())
    monkeypatch.setenv(VARIABLE, foreign)
    with pytest.raises(UnknownFlavour, match=f"{VARIABLE}={foreign}: the installed gradio"):
        current_flavour()


def test_unknown_flavour_names_the_known_ones() -> None:
    with pytest.raises(UnknownFlavour, match="choose one of a1111, reforge, forge"):
        stack_of("sdnext")
    with pytest.raises(UnknownFlavour, match="sdnext"):
        Process(flavour="sdnext")


ONLY = pytest.mark.only("a1111")
"""reForge runs on the stack of A1111."""


@pytest.fixture(scope="module")
def reforge(
    probe: Path, picture: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    data = tmp_path_factory.mktemp("reforge")
    with Process(extensions=[probe], data_dir=data, flavour="reforge") as host:
        yield Client(host)
        assert host.errors() == []


@ONLY
def test_reforge_says_so(reforge: Client) -> None:
    info = json.loads(reforge.result("txt2img", SMALL)["info"])
    assert info["version"].startswith("f1.0.0v2-v1.10.1RC-")
    assert reforge.get("/probe/facts")["root_on_path"] is True


@ONLY
def test_reforge_hires_cfg(reforge: Client) -> None:
    """The API's default is 1, and 0 is the CFG scale of the first pass."""
    default, one, zero, same = (
        reforge.hashes({**HIRES, **change})
        for change in ({}, {"hr_cfg": 1.0}, {"hr_cfg": 0}, {"hr_cfg": 4})
    )
    assert default == one != zero == same
    info = reforge.result("txt2img", {**HIRES, "hr_cfg": 0})["info"]
    assert "Hires CFG Scale: 4.0" in info


@ONLY
def test_reforge_keeps_the_vae_of_an_override(reforge: Client) -> None:
    """The option is back, the weights are not, until another checkpoint is loaded."""
    reforge.options(sd_vae="Automatic", CLIP_stop_at_last_layers=1)
    before = reforge.hashes(SMALL)
    with_vae = {**SMALL, "override_settings": {"sd_vae": "standin-soft.safetensors"}}
    drawn = reforge.hashes(with_vae)
    assert reforge.get("/sdapi/v1/options")["sd_vae"] == "Automatic"
    assert reforge.hashes(SMALL) == drawn != before
    for name in ("standin-tundra", "standin-meadow"):
        reforge.options(sd_model_checkpoint=name)
    assert reforge.hashes(SMALL) == before


@ONLY
def test_reforge_shows_vae_and_clip_skip_above_the_tabs(reforge: Client) -> None:
    config = json.dumps(reforge.get("/config"))
    for name in ("sd_model_checkpoint", "sd_vae", "CLIP_stop_at_last_layers"):
        assert config.count(f'"setting_{name}"') == 1
    assert reforge.get("/sdapi/v1/options")["quicksettings_list"][1:] == [
        "sd_vae",
        "CLIP_stop_at_last_layers",
    ]


@ONLY
def test_reforge_has_no_upload_in_the_batch_tab(reforge: Client) -> None:
    config = json.dumps(reforge.get("/config"))
    assert '"img2img_batch_input_dir"' in config
    assert "img2img_batch_upload" not in config
    assert '"txt2img_hr_cfg"' in config
    assert "distilled" not in config


@ONLY
def test_reforge_takes_an_img2img_job(reforge: Client, picture: Any) -> None:
    assert reforge.pictures({**SMALL, "init_images": [encode(picture)]})[0].size == (64, 64)


AXES: list[Any] = [1, "3, 4", [], 0, "", [], 0, "", []]


def plotted(client: Client, *flags: Any) -> list[Any]:
    args = [*AXES, *flags]
    return client.pictures({**SMALL, "script_name": "x/y/z plot", "script_args": args})


@ONLY
def test_reforge_plot_has_three_more_arguments(reforge: Client) -> None:
    rest = [False, False, False, False, False, 0, True]
    with_grid = plotted(reforge, False, False, False, 0, True, *rest)
    labelled = plotted(reforge, False, True, False, 0, True, *rest)
    single = plotted(reforge, False, False, True, 0, False, *rest)
    assert [len(with_grid), len(labelled), len(single)] == [3, 3, 2]
    assert [item.tobytes() for item in single] == [item.tobytes() for item in with_grid[1:]]
    assert labelled[1].tobytes() != with_grid[1].tobytes()


@ONLY
@pytest.mark.parametrize("place", ["items per grid", "Dynamic clip skip", "Euler A2 extrapolation"])
def test_reforge_plot_refuses_what_is_not_built(reforge: Client, place: str) -> None:
    info = reforge.get("/sdapi/v1/script-info")
    script = next(item for item in info if item["name"] == "x/y/z plot")
    choices = script["args"][0]["choices"]
    assert choices[choices.index("Schedule rho") + 1] == "Skip Early CFG"
    args = [*AXES, False, False, False, 2, True, False, False, False, False, False, 0, True]
    if place in choices:
        args = [choices.index(place), "1, 2", *args[2:12], 0, *args[13:]]
    answer = reforge.post("txt2img", {**SMALL, "script_name": "x/y/z plot", "script_args": args})
    assert answer.status_code == 501
    assert place.lower() in answer.text.lower()
