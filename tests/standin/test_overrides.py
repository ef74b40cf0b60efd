"""Settings for one job: applied, taken back, and the cases in which they aren't."""

from __future__ import annotations

from typing import Any

import pytest
from standin_client import Client

SMALL: dict[str, Any] = {"prompt": "hills", "steps": 2, "width": 64, "height": 64, "seed": 3}


def overridden(**values: Any) -> dict[str, Any]:
    return {**SMALL, "override_settings": values}


def test_absent_options_answer_their_defaults(fresh: Client) -> None:
    assert fresh.get("/sdapi/v1/options")["CLIP_stop_at_last_layers"] == 1
    assert not (fresh.host.data_dir / "config.json").exists()


def test_an_absent_option_leaks(fresh: Client) -> None:
    fresh.result("txt2img", overridden(CLIP_stop_at_last_layers=2))
    assert fresh.get("/sdapi/v1/options")["CLIP_stop_at_last_layers"] == 2
    fresh.options(CLIP_stop_at_last_layers=1)


def test_a_known_option_is_restored(fresh: Client) -> None:
    fresh.options(eta_noise_seed_delta=1)
    fresh.result("txt2img", overridden(eta_noise_seed_delta=31337))
    assert fresh.get("/sdapi/v1/options")["eta_noise_seed_delta"] == 1
    assert (fresh.host.data_dir / "config.json").exists()


def test_a_checkpoint_is_known_once_it_is_loaded(fresh: Client) -> None:
    before = fresh.get("/sdapi/v1/options")["sd_model_checkpoint"]
    result = fresh.result("txt2img", overridden(sd_model_checkpoint="standin-tundra"))
    assert "Model: standin-tundra" in result["info"]
    assert fresh.get("/sdapi/v1/options")["sd_model_checkpoint"] == before
    assert "Model: standin-meadow" in fresh.result("txt2img", SMALL)["info"]


def test_restoring_can_be_refused(fresh: Client) -> None:
    payload = {**overridden(eta_noise_seed_delta=5), "override_settings_restore_afterwards": False}
    fresh.result("txt2img", payload)
    assert fresh.get("/sdapi/v1/options")["eta_noise_seed_delta"] == 5
    fresh.options(eta_noise_seed_delta=0)


def test_an_unknown_checkpoint_is_dropped_in_silence(fresh: Client) -> None:
    result = fresh.result("txt2img", overridden(sd_model_checkpoint="nothing like it"))
    assert "Model: standin-meadow" in result["info"]


def test_an_unknown_option_is_a_500(fresh: Client) -> None:
    answer = fresh.post("txt2img", overridden(no_such_option=1))
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "KeyError",
        "detail": "",
        "body": "",
        "errors": "'no_such_option'",
    }


def test_an_option_closed_to_the_api_is_ignored(fresh: Client) -> None:
    fresh.result("txt2img", overridden(api_useragent="somebody"))
    fresh.options(api_useragent="somebody")
    assert fresh.get("/sdapi/v1/options")["api_useragent"] == ""


def test_vae_override(fresh: Client, flavour: str) -> None:
    """A1111 names the VAE in the infotext; Forge has modules, by file name or path."""
    name, said = "sd_vae", "VAE: standin-soft.safetensors"
    values: Any = "standin-soft.safetensors"
    if flavour == "forge":
        name, said = "forge_additional_modules", "Module 1: standin-soft"
        values = ["standin-soft.safetensors", "unknown.safetensors"]
    fresh.options(**{name: fresh.get("/sdapi/v1/options")[name]})
    assert said in fresh.result("txt2img", overridden(**{name: values}))["info"]
    if flavour == "a1111":
        assert said not in fresh.result("txt2img", SMALL)["info"]


@pytest.mark.only("forge")
def test_forge_takes_modules_by_name_and_by_path(fresh: Client) -> None:
    path = fresh.get("/sdapi/v1/sd-modules")[1]["filename"]
    by_path = fresh.hashes(overridden(forge_additional_modules=[path]))
    assert by_path == fresh.hashes(overridden(forge_additional_modules=[path.rsplit("/", 1)[1]]))
    fresh.options(forge_additional_modules=[])
    assert by_path != fresh.hashes(SMALL)


def test_setting_an_unknown_checkpoint_fails(fresh: Client) -> None:
    answer = fresh.post("options", {"sd_model_checkpoint": "nothing"})
    assert answer.status_code == 500
    assert answer.json()["errors"] == "model 'nothing' not found"


def test_options_survive_a_restart(fresh: Client) -> None:
    fresh.options(CLIP_stop_at_last_layers=3, send_seed=False)
    fresh.host.restart()
    options = fresh.get("/sdapi/v1/options")
    assert (options["CLIP_stop_at_last_layers"], options["send_seed"]) == (3, False)
