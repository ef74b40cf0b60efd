"""Every input that decides pixels in the real webui decides them here, and nothing else does."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from standin_client import Client, decode, encode, pixels

import webui_standin

SOURCE = Path(webui_standin.__file__).parent
TXT2IMG: dict[str, Any] = {
    "prompt": "hills and a (river:1.2)",
    "negative_prompt": "fog",
    "seed": 11,
    "subseed": 5,
    "steps": 4,
    "width": 64,
    "height": 64,
    "cfg_scale": 7,
    "sampler_name": "Euler a",
    "scheduler": "Karras",
}
HIRES: dict[str, Any] = {
    **TXT2IMG,
    "enable_hr": True,
    "hr_scale": 1.5,
    "hr_upscaler": "Latent",
    "hr_second_pass_steps": 2,
    "denoising_strength": 0.6,
    "hr_additional_modules": [],
}
DISTILLED = {"distilled_cfg_scale", "hr_distilled_cfg", "hr_additional_modules"}
FOREIGN = {
    "a1111": {*DISTILLED, "hr_cfg"},
    "reforge": DISTILLED,
    "forge": {"sd_hypernetwork"},
}
"""What a flavour doesn't know: it ignores such fields and refuses such settings."""

FIELDS = [
    {"prompt": "hills"},
    {"negative_prompt": "rain"},
    {"seed": 12},
    {"subseed_strength": 0.3},
    {"subseed_strength": 0.3, "subseed": 6},
    {"subseed_strength": 0.31},
    {"seed_resize_from_w": 32, "seed_resize_from_h": 32},
    {"seed_resize_from_w": 32, "seed_resize_from_h": 48},
    {"steps": 5},
    {"width": 72},
    {"height": 72},
    {"cfg_scale": 7.5},
    {"distilled_cfg_scale": 4.0},
    {"sampler_name": "DPM++ 2S a"},
    {"scheduler": "Exponential"},
    {"scheduler": "Automatic"},
    {"styles": ["warm"]},
    {"tiling": True},
    {"restore_faces": True},
    {"eta": 0.5},
    {"s_min_uncond": 1.0},
    {"refiner_checkpoint": "standin-refiner", "refiner_switch_at": 0.5},
    {"refiner_checkpoint": "standin-refiner", "refiner_switch_at": 0.6},
    {"refiner_checkpoint": "standin-tundra", "refiner_switch_at": 0.5},
    {"prompt": "hills and a (river:1.2)<lora:standin-dawn:1>"},
    {"prompt": "hills and a (river:1.2)<lora:standin-dawn:0.5>"},
    {"prompt": "hills and a (river:1.2)<lora:standin-mist:1>"},
    {"prompt": "hills and a (river:1.2) in Standin-Autumn"},
    {"negative_prompt": "fog, standin-autumn"},
    {"prompt": "hills and a (river:1.2)<lora:standin-mist:1:0.5>"},
    {"prompt": "hills and a (river:1.2)<lora:standin-mist:te=0.5:unet=1>"},
    {"prompt": "hills and a (river:1.2)<lora:standin-mist:1:1:8>"},
]
HIRES_FIELDS = [
    {"hr_scale": 1.75},
    {"hr_upscaler": "Lanczos"},
    {"hr_upscaler": "Latent (nearest-exact)"},
    {"hr_second_pass_steps": 3},
    {"denoising_strength": 0.7},
    {"hr_resize_x": 96, "hr_resize_y": 80},
    {"hr_checkpoint_name": "standin-tundra"},
    {"hr_sampler_name": "DPM++ 2M"},
    {"hr_scheduler": "Beta"},
    {"hr_prompt": "lakes"},
    {"hr_negative_prompt": "snow"},
    {"hr_cfg": 3.0},
    {"hr_distilled_cfg": 2.0},
    {"hr_additional_modules": ["Use same choices"]},
    {"seed": 12},
    {"refiner_checkpoint": "standin-refiner", "refiner_switch_at": 0.5},
]
SAMPLER_FIELDS = [
    ("Euler", {"s_churn": 2.0}),
    ("Euler", {"s_tmin": 0.2}),
    ("Euler", {"s_tmax": 5.0}),
    ("Heun", {"s_noise": 1.05}),
    ("DDIM", {"eta": 0.4}),
    ("DPM++ SDE", {"eta": 0.4}),
]
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("Euler a", {"sd_model_checkpoint": "standin-tundra.safetensors"}),
    ("Euler a", {"sd_vae": "standin-soft.safetensors"}),
    ("Euler a", {"CLIP_stop_at_last_layers": 2}),
    ("Euler a", {"eta_noise_seed_delta": 31337}),
    ("Euler a", {"eta_ancestral": 0.7}),
    ("Euler a", {"randn_source": "CPU"}),
    ("Euler a", {"emphasis": "No norm"}),
    ("Euler a", {"tiling": True}),
    ("Euler a", {"token_merging_ratio": 0.3}),
    ("Euler a", {"s_min_uncond": 1.5}),
    ("Euler a", {"s_min_uncond_all": True}),
    ("Euler a", {"pad_cond_uncond": True}),
    ("Euler a", {"upcast_attn": True}),
    ("Euler a", {"fp8_storage": "Enable"}),
    ("Euler a", {"sgm_noise_multiplier": True}),
    ("Euler a", {"sd_noise_schedule": "Zero Terminal SNR"}),
    ("Euler a", {"skip_early_cond": 0.3}),
    ("Euler a", {"sigma_min": 0.1}),
    ("Euler a", {"sigma_max": 10.0}),
    ("Euler a", {"rho": 5.0}),
    ("Euler a", {"always_discard_next_to_last_sigma": True}),
    ("Euler a", {"use_old_emphasis_implementation": True}),
    ("Euler a", {"use_old_karras_scheduler_sigmas": True}),
    ("Euler a", {"use_downcasted_alpha_bar": True}),
    ("Euler a", {"sd_vae_decode_method": "TAESD"}),
    ("Euler a", {"cross_attention_optimization": "None"}),
    ("Euler a", {"face_restoration": True}),
    ("Euler a", {"sd_unet": "None"}),
    ("Euler a", {"cache_fp16_weight": True}),
    ("Euler a", {"pad_cond_uncond_v0": True}),
    ("Euler a", {"enable_quantization": True}),
    ("Euler a", {"sd_hypernetwork": "standin-contrast"}),
    ("Euler a", {"sd_lora": "standin-mist"}),
    ("Euler a", {"sdxl_crop_top": 8}),
    ("Euler a", {"sdxl_crop_left": 8}),
    ("Euler", {"s_churn": 2.0}),
    ("Euler", {"s_noise": 1.05}),
    ("DDIM", {"eta_ddim": 0.5}),
    ("UniPC", {"uni_pc_order": 2}),
    ("UniPC", {"uni_pc_variant": "bh2"}),
    ("DPM++ SDE", {"no_dpmpp_sde_batch_determinism": True}),
]
WITHOUT_EFFECT = [
    {"subseed": 99},
    {"send_images": True, "save_images": True},
    {"do_not_save_samples": True},
    {"do_not_save_grid": True},
    {"force_task_id": "task(a)"},
    {"styles": ["no such style"]},
    {"prompt": "hills and a (river:1.2)<lora:missing:1>"},
    {"refiner_checkpoint": "standin-refiner", "refiner_switch_at": 1.0},
    {"refiner_checkpoint": "standin-meadow", "refiner_switch_at": 0.5},
    {"s_churn": 3.0},
    {"hr_prompt": "only with hires. fix"},
    {"hr_scale": 3.0},
    {"override_settings": {"show_progress_every_n_steps": 3}},
    {"override_settings": {"sd_model_checkpoint": "no such checkpoint"}},
    {"override_settings": {"uni_pc_order": 2}},
    {"override_settings": {"eta_ddim": 0.7}},
    {"cfg_scale": 7.0},
    {"no_such_field": 1},
]


def name(value: Any) -> str:
    if isinstance(value, dict):
        return "-".join(f"{key}={str(item)[:24]}" for key, item in value.items())
    return str(value)


@pytest.fixture(autouse=True)
def known_settings(client: Client) -> None:
    """All settings saved, as one press of Apply does: overrides are then taken back."""
    if client.get("/probe/facts")["loads"] and "known" not in vars(client.host):
        client.options(
            **{
                key: item
                for key, item in client.get("/sdapi/v1/options").items()
                if item is not None
            }
        )
        vars(client.host)["known"] = True


@pytest.fixture
def plain(client: Client) -> str:
    return client.hashes(TXT2IMG)[0]


def is_known(flavour: str, fields: dict[str, Any]) -> bool:
    return not FOREIGN[flavour] & fields.keys()


def test_same_payload_same_bits(client: Client, plain: str) -> None:
    assert {client.hashes(TXT2IMG)[0] for _ in range(3)} == {plain}
    first = client.hashes(HIRES)
    assert first == client.hashes(HIRES)


@pytest.mark.parametrize("change", FIELDS, ids=name)
def test_field_changes_the_picture(
    client: Client, plain: str, flavour: str, change: dict[str, Any]
) -> None:
    changed = client.hashes({**TXT2IMG, **change})
    assert (changed != [plain]) is is_known(flavour, change)
    assert changed == client.hashes({**TXT2IMG, **change})


@pytest.mark.parametrize("change", HIRES_FIELDS, ids=name)
def test_hires_field_changes_the_picture(
    client: Client, flavour: str, change: dict[str, Any]
) -> None:
    changed = client.hashes({**HIRES, **change})
    assert (changed != client.hashes(HIRES)) is is_known(flavour, change)


@pytest.mark.parametrize(("sampler", "change"), SAMPLER_FIELDS, ids=name)
def test_sampler_field_changes_the_picture(
    client: Client, sampler: str, change: dict[str, Any]
) -> None:
    base = {**TXT2IMG, "sampler_name": sampler}
    assert client.hashes({**base, **change}) != client.hashes(base)


@pytest.mark.parametrize(("sampler", "change"), SETTINGS, ids=name)
def test_setting_changes_the_picture(
    client: Client, flavour: str, sampler: str, change: dict[str, Any]
) -> None:
    base = {**TXT2IMG, "sampler_name": sampler}
    before = client.hashes(base)
    changed = {**base, "override_settings": change}
    if is_known(flavour, change):
        assert client.hashes(changed) != before
    else:
        assert client.post("txt2img", changed).json()["error"] == "KeyError"
    assert client.hashes(base) == before, "the override outlived its job"


def test_every_setting_of_the_table_is_proven() -> None:
    """The renderer's list of settings and the proof above don't drift apart."""
    tree = ast.parse((SOURCE / "webui/modules/recipe.py").read_text(encoding="utf-8"))
    lists: dict[str, Any] = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    proven = {key for _sampler, change in SETTINGS for key in change}
    assert set(lists["ALWAYS"]) - proven == set()


@pytest.mark.parametrize("change", WITHOUT_EFFECT, ids=name)
def test_what_decides_no_pixels(client: Client, plain: str, change: dict[str, Any]) -> None:
    image = client.pictures({**TXT2IMG, **change})[-1]
    assert pixels(image.convert("RGB")) == plain  # Forge marks the alpha of what it saves


def test_automatic_is_the_samplers_own_schedule(client: Client) -> None:
    base = {**TXT2IMG, "sampler_name": "DPM++ 2M"}
    assert client.hashes({**base, "scheduler": "Automatic"}) == client.hashes(
        {**base, "scheduler": "Karras"}
    )


def test_hypernetworks(client: Client, plain: str, flavour: str) -> None:
    names = [item["name"] for item in client.get("/sdapi/v1/hypernetworks")]
    assert names == ["standin-contrast"]
    tags = ["<hypernet:standin-contrast:1>", "<hypernet:standin-contrast:0.5>", "<hypernet:no:1>"]
    full, half, missing = (
        client.hashes({**TXT2IMG, "prompt": TXT2IMG["prompt"] + tag})[0] for tag in tags
    )
    assert missing == plain
    assert len({plain, full, half}) == (1 if flavour == "forge" else 3), "Forge ignores the tag"


def test_network_of_the_settings_is_added_to_every_prompt(client: Client) -> None:
    tag = "<lora:standin-mist:1.0>"
    added = {**TXT2IMG, "override_settings": {"sd_lora": "standin-mist"}}
    typed = {**TXT2IMG, "prompt": TXT2IMG["prompt"] + tag}
    assert client.hashes(added) == client.hashes(typed)
    assert tag in client.result("txt2img", added)["info"]
    both = {**added, "prompt": TXT2IMG["prompt"] + "<lora:standin-mist:0.5>"}
    assert client.hashes(both) == client.hashes({**both, "override_settings": {}})


def test_weights_of_a_lora(client: Client) -> None:
    prompts = ["<lora:standin-mist>", "<lora:standin-mist:1>", "<lora:standin-mist:te=1:unet=1.0>"]
    assert len({client.hashes({**TXT2IMG, "prompt": text})[0] for text in prompts}) == 1


def test_embeddings(client: Client) -> None:
    known = client.get("/sdapi/v1/embeddings")
    assert known["skipped"] == {}
    assert known["loaded"]["standin-autumn"]["shape"] == 768
    named = {**TXT2IMG, "prompt": "standin-autumn, hills", "negative_prompt": "no standin-autumn"}
    assert 'TI hashes: \\"standin-autumn: ' in client.result("txt2img", named)["info"]
    near = client.result("txt2img", {**TXT2IMG, "prompt": "standin-autumnal"})
    assert "TI hashes" not in near["info"]


def test_new_embedding_counts_at_once(client: Client) -> None:
    named = {**TXT2IMG, "prompt": "glow on hills"}
    before = client.hashes(named)
    file = client.host.data_dir / "embeddings" / "glow.pt"
    file.write_bytes(b"a word")
    try:
        assert client.hashes(named) != before
    finally:
        file.unlink()
        client.post("refresh-embeddings", None)


def test_batch_is_single_pictures(client: Client) -> None:
    alone = [client.hashes({**TXT2IMG, "seed": seed})[0] for seed in (11, 12, 13, 14)]
    assert client.hashes({**TXT2IMG, "batch_size": 2, "n_iter": 2}) == alone
    varied = {**TXT2IMG, "subseed_strength": 0.2}
    alone = [client.hashes({**varied, "subseed": seed})[0] for seed in (5, 6)]
    assert client.hashes({**varied, "batch_size": 2}) == alone


IMG2IMG: dict[str, Any] = {**TXT2IMG, "denoising_strength": 0.5}
IMG2IMG_FIELDS = [
    {"denoising_strength": 0.55},
    {"resize_mode": 1, "width": 96},
    {"resize_mode": 2, "width": 96},
    {"resize_mode": 3, "width": 96},
    {"initial_noise_multiplier": 1.1},
    {"prompt": "hills"},
    {"seed": 12},
    {"override_settings": {"img2img_color_correction": True}},
    {"override_settings": {"img2img_extra_noise": 0.1}},
    {"override_settings": {"img2img_fix_steps": True}},
    {"override_settings": {"sd_vae_encode_method": "TAESD"}},
    {"override_settings": {"token_merging_ratio_img2img": 0.4}},
    {"width": 96, "override_settings": {"upscaler_for_img2img": "ESRGAN_4x"}},
    {"tiling": True},
    {"styles": ["warm"]},
    {"restore_faces": True},
]
MASK_FIELDS = [
    {"mask_blur": 8},
    {"mask_blur": None, "mask_blur_x": 2},
    {"mask_blur": None, "mask_blur_y": 2},
    {"inpainting_fill": 0},
    {"inpainting_fill": 2},
    {"inpainting_fill": 3},
    {"inpainting_mask_invert": 1},
    {"inpaint_full_res": True, "inpaint_full_res_padding": 8},
    {"inpaint_full_res": True, "inpaint_full_res_padding": 12},
    {"mask_round": False},
    {"override_settings": {"overlay_inpaint": False}},
]


def img2img(picture: Image.Image, mask: Image.Image | None = None, **more: Any) -> dict[str, Any]:
    payload = {**IMG2IMG, "init_images": [encode(picture)]}
    if mask is not None:
        payload.update(mask=encode(mask), mask_blur=4, inpainting_fill=1, inpaint_full_res=False)
    return {**payload, **more}


@pytest.mark.parametrize("change", IMG2IMG_FIELDS, ids=name)
def test_img2img_field_changes_the_picture(
    client: Client, picture: Image.Image, change: dict[str, Any]
) -> None:
    size = {"width": change["width"]} if "width" in change else {}
    plain = client.hashes(img2img(picture, **size))
    changed = client.hashes(img2img(picture, **change))
    assert changed != plain
    assert changed == client.hashes(img2img(picture, **change))


def test_noise_multiplier_of_the_settings(client: Client, picture: Image.Image) -> None:
    """The job reads it before its overrides are applied: only a field or the setting counts."""
    plain = client.hashes(img2img(picture))
    override: dict[str, Any] = {"override_settings": {"initial_noise_multiplier": 1.1}}
    assert client.hashes(img2img(picture, **override)) == plain
    client.options(initial_noise_multiplier=1.1)
    try:
        by_setting = client.hashes(img2img(picture))
    finally:
        client.options(initial_noise_multiplier=1.0)
    assert by_setting == client.hashes(img2img(picture, initial_noise_multiplier=1.1)) != plain


def test_several_init_images_make_a_batch(client: Client, picture: Image.Image) -> None:
    other = picture.rotate(90)
    both = {**img2img(picture), "init_images": [encode(picture), encode(other)], "batch_size": 2}
    drawn = client.hashes(both)
    assert drawn[0] == client.hashes(img2img(picture))[0]
    assert drawn[1] == client.hashes(img2img(other, seed=12))[0]
    too_many = {**both, "batch_size": 1}
    assert client.post("img2img", too_many).status_code == 500
    client.host.clear_errors()


def test_mask_by_transparency(client: Client, picture: Image.Image, mask: Image.Image) -> None:
    """An RGBA mask with transparent parts: what is opaque is masked."""
    glass = Image.new("RGBA", mask.size, "red")
    glass.putalpha(mask)
    assert client.hashes(img2img(picture, glass)) == client.hashes(img2img(picture, mask))


def test_empty_mask_is_plain_img2img(client: Client, picture: Image.Image) -> None:
    empty = Image.new("L", picture.size)
    whole = img2img(picture, empty, inpaint_full_res=True, inpaint_full_res_padding=8)
    assert client.hashes(whole) == client.hashes(img2img(picture))


def test_init_image_changes_the_picture(client: Client, picture: Image.Image) -> None:
    other = picture.copy()
    other.putpixel((5, 5), (1, 2, 3))
    assert client.hashes(img2img(other)) != client.hashes(img2img(picture))


def test_transparent_parts_take_the_background_colour(client: Client, picture: Image.Image) -> None:
    glass = picture.convert("RGBA")
    glass.putalpha(120)
    red: dict[str, Any] = {"override_settings": {"img2img_background_color": "#ff0000"}}
    assert client.hashes(img2img(glass, **red)) != client.hashes(img2img(glass))


@pytest.mark.parametrize("change", MASK_FIELDS, ids=name)
def test_mask_field_changes_the_picture(
    client: Client, picture: Image.Image, mask: Image.Image, change: dict[str, Any]
) -> None:
    assert client.hashes(img2img(picture, mask, **change)) != client.hashes(img2img(picture, mask))


def test_mask_changes_the_picture(client: Client, picture: Image.Image, mask: Image.Image) -> None:
    other = mask.copy()
    other.paste(255, (0, 0, 12, 12))
    hashes = {client.hashes(img2img(picture, item))[0] for item in (None, mask, other)}
    assert len(hashes) == 3


def test_denoising_blends_from_the_init_image(client: Client, picture: Image.Image) -> None:
    assert client.hashes(img2img(picture, denoising_strength=0)) == [pixels(picture)]
    drawn = client.pictures(img2img(picture, denoising_strength=0.1))[0]
    far = client.pictures(img2img(picture, denoising_strength=0.9))[0]
    assert distance(drawn, picture) < distance(far, picture)


def test_unmasked_part_stays_the_original(
    client: Client, picture: Image.Image, mask: Image.Image
) -> None:
    for full_res in (False, True):
        drawn = client.pictures(
            img2img(picture, mask, inpaint_full_res=full_res, denoising_strength=1)
        )[0]
        assert drawn.crop((0, 0, 5, 64)).tobytes() == picture.crop((0, 0, 5, 64)).tobytes()
        assert drawn.getpixel((32, 32)) != picture.getpixel((32, 32))


def distance(one: Image.Image, other: Image.Image) -> int:
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return sum(abs(first - second) for first, second in pairs)


TINT = [True, 0.4, "dusk", "Blend", ""]
TINT_CHANGES = [
    [True, 0.5, "dusk", "Blend", ""],
    [True, 0.4, "dawn", "Blend", ""],
    [True, 0.4, "dusk", "Border", ""],
    [True, 0.4, "dusk", "Stripes", ""],
]


def tinted(args: list[Any]) -> dict[str, Any]:
    return {**TXT2IMG, "alwayson_scripts": {"tint": {"args": args}}}


@pytest.mark.parametrize("args", TINT_CHANGES, ids=str)
def test_script_argument_changes_the_picture(client: Client, plain: str, args: list[Any]) -> None:
    assert len({plain, client.hashes(tinted(TINT))[0], client.hashes(tinted(args))[0]}) == 3


def test_script_picture_changes_the_picture(client: Client, picture: Image.Image) -> None:
    with_picture = client.hashes(tinted([*TINT[:4], encode(picture)]))
    assert with_picture != client.hashes(tinted(TINT))


def test_disabled_script_changes_nothing(client: Client, plain: str) -> None:
    assert client.hashes(tinted([False, *TINT[1:]])) == [plain]


SOFT: list[Any] = [True, 1, 0.5, 4, 0.2, 0.5, 2]
SOFT_CHANGES: list[list[Any]] = [
    [False, 1, 0.5, 4, 0.2, 0.5, 2],
    [True, 2, 0.5, 4, 0.2, 0.5, 2],
    [True, 1, 0.9, 4, 0.2, 0.5, 2],
    [True, 1, 0.5, 9, 0.2, 0.5, 2],
    [True, 1, 0.5, 4, 0.4, 0.5, 2],
    [True, 1, 0.5, 4, 0.2, 0.9, 2],
    [True, 1, 0.5, 4, 0.2, 0.5, 3],
]


def softly(picture: Image.Image, mask: Image.Image, args: list[Any], **more: Any) -> dict[str, Any]:
    scripts = {"alwayson_scripts": {"soft inpainting": {"args": args}}}
    return {**img2img(picture, mask, mask_blur=8), **scripts, **more}


@pytest.mark.parametrize("full_res", [False, True])
@pytest.mark.parametrize("args", SOFT_CHANGES, ids=str)
def test_soft_inpainting_argument_changes_the_picture(
    client: Client, picture: Image.Image, mask: Image.Image, args: list[Any], full_res: bool
) -> None:
    plain, changed = (
        client.hashes(softly(picture, mask, given, inpaint_full_res=full_res))
        for given in (SOFT, args)
    )
    assert changed != plain


def test_soft_inpainting_is_noted(client: Client, picture: Image.Image, mask: Image.Image) -> None:
    info = client.result("img2img", softly(picture, mask, SOFT))["info"]
    assert "Soft inpainting enabled: True, Soft inpainting schedule bias: 1" in info
    assert "Soft inpainting difference contrast: 2" in info
    without = client.hashes({**img2img(picture), "alwayson_scripts": {}})
    scripts = {"alwayson_scripts": {"soft inpainting": {"args": SOFT}}}
    assert client.hashes({**img2img(picture), **scripts}) == without, "only with a mask"


def test_infotext_is_in_the_picture(client: Client) -> None:
    text = decode(client.result("txt2img", TXT2IMG)["images"][0]).info["parameters"]
    assert text.startswith(
        "hills and a (river:1.2)\nNegative prompt: fog\nSteps: 4, Sampler: Euler a,"
    )
    assert "Schedule type: Karras, CFG scale: 7.0, Seed: 11, Size: 64x64, Model hash: " in text
