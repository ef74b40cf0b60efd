"""The tables of options that decide pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import pytest

from payload_capture.capture import Source
from payload_capture.settings import (
    FIXED,
    FROM,
    OWN,
    PIXEL_OPTIONS,
    REPEATABLE,
    SOURCES,
    When,
    decisive,
    fixed,
)

KINDS = get_args(When)


def names(known: Iterable[str], *when: When) -> set[str]:
    return set(decisive(dict.fromkeys(known, 1), when))


def test_takes_what_applies_and_leaves_what_is_unset() -> None:
    options = {"sd_vae": "a", "eta_ddim": 0.0, "upscaler_for_img2img": None, "overlay_inpaint": 1}
    assert decisive(options, ["always"]) == {"sd_vae": "a", "eta_ddim": 0.0}
    assert decisive(options, ["always", "img2img"])["overlay_inpaint"] == 1
    assert "upscaler_for_img2img" not in decisive(options, ["img2img"])


def test_leaves_out_what_the_host_does_not_have() -> None:
    assert decisive({"samples_save": True}, KINDS) == {}


@pytest.mark.parametrize(
    ("when", "name"),
    [
        ("hires", "hires_fix_refiner_pass"),
        ("img2img", "img2img_color_correction"),
        ("faces", "code_former_weight"),
        ("extras", "postprocessing_operation_order"),
        ("hires", "ESRGAN_tile"),
        ("img2img", "ESRGAN_tile"),
        ("extras", "ESRGAN_tile"),
    ],
)
def test_an_option_counts_only_in_its_kinds_of_job(when: When, name: str) -> None:
    assert names([name], when) == {name}
    assert names([name], "always") == set()


def test_families_are_taken_by_pattern() -> None:
    known = ["dpmpp_2m_sde_og_solver_type", "dpm_fast_s_noise", "reforge_karras_rho", "DAT_tile"]
    assert names(known, *KINDS) == set(known)


def test_headings_among_the_options_are_none() -> None:
    """reForge's settings page has headings that are options by name (OptionHTML)."""
    headings = ["dpm_fast_options", "dpm_2M_SDE_DY_group", "ode_custom_group", "kohaku_group"]
    assert names([*headings, "hypertile_explanation", "euler_a2_group"], *KINDS) == set()


def test_the_vae_is_a_module_where_there_are_modules() -> None:
    assert names(["sd_vae"], "always") == {"sd_vae"}
    assert names(["sd_vae", "forge_additional_modules"], "always") == {"forge_additional_modules"}


@pytest.mark.parametrize(
    ("when", "ratio", "pinned"),
    [
        (["always", "img2img"], 0.5, False),
        (["always", "img2img"], 0, True),
        (["always", "txt2img"], 0.5, True),
        (["always", "txt2img", "img2img", "hires"], 0.5, True),
    ],
)
def test_token_merging_of_img2img_is_not_beaten(
    when: list[When], ratio: float, pinned: bool
) -> None:
    options: dict[str, Any] = {"token_merging_ratio": 0.2, "token_merging_ratio_img2img": ratio}
    assert ("token_merging_ratio" in decisive(options, when)) is pinned


def test_fixed_are_the_hosts_facts() -> None:
    options = {"fp8_storage": "Disable", "sd_vae": "a", "grid_background_color": None}
    assert fixed(options) == {"fp8_storage": "Disable", "grid_background_color": None}
    assert set(fixed(OWN)) == {REPEATABLE}


def test_no_name_stands_twice() -> None:
    for table in (PIXEL_OPTIONS, FIXED):
        written = Counter(name for option in table for name in option.names.split())
        assert [name for name, count in written.items() if count > 1] == []


def test_each_option_has_a_reason() -> None:
    assert all(option.reason and set(option.when) <= set(KINDS) for option in PIXEL_OPTIONS)
    assert all(option.reason for option in FIXED)


def test_each_setting_explains_itself_and_stands_in_the_guide(repository: Path) -> None:
    guide = (repository / "docs" / "security.md").read_text(encoding="utf-8")
    for name, setting in OWN.items():
        assert setting.label[0].isupper()
        assert setting.explanation.endswith(".")
        first = setting.explanation.split(":")[0] if setting.choices else ""
        assert setting.explanation[0].isupper() or first in setting.choices
        assert f"| {setting.label} | `{name}`" in guide
        if setting.choices:
            default = setting.default
            chosen = default if isinstance(default, tuple) else (default,)
            assert {*chosen} <= {*setting.choices}
            assert all(f"`{choice}`" in guide for choice in setting.choices)
            assert all(f"{choice}:" in setting.explanation for choice in setting.choices)


def test_each_source_of_jobs_can_be_chosen() -> None:
    assert set(SOURCES) == set(get_args(Source))
    assert OWN[FROM].choices == tuple(SOURCES.values())
