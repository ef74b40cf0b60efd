"""The table of options that decide pixels."""

from __future__ import annotations

from payload_capture.settings import PIXEL_OPTIONS, decisive


def test_takes_what_applies_and_leaves_what_is_unset() -> None:
    options = {"sd_vae": "a", "eta_ddim": 0.0, "upscaler_for_img2img": None, "overlay_inpaint": 1}
    assert decisive(options, ["always"]) == {"sd_vae": "a", "eta_ddim": 0.0}
    assert decisive(options, ["always", "img2img"])["overlay_inpaint"] == 1
    assert "upscaler_for_img2img" not in decisive(options, ["img2img"])


def test_no_option_stands_twice_in_a_group() -> None:
    for names in PIXEL_OPTIONS.values():
        assert len(set(names)) == len(names)
