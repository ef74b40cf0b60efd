"""Scripts whose page holds something else than the API takes.

The units have the shape of those in the versions that the adapters name; what the API makes of the
encoded args is written here as those versions do it, and must be what the page's unit came to.
"""

from __future__ import annotations

import dataclasses
import enum
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import payload_capture
from payload_capture import adapters
from payload_capture.adapters import Adapter, apply_effect, draws_anew, encode_args, is_off
from payload_capture.payload import ScriptCall, draft
from payload_capture.values import Encoder, Picture
from payload_capture.writer import _Bag

PATH = "alwayson_scripts.x.args"


def encode(title: str, *args: Any) -> tuple[Any, list[str]]:
    encoder = Encoder()
    made = encode_args(title, list(args), encoder, PATH)
    return made, [f"{caveat.path}: {caveat.reason}" for caveat in encoder.caveats]


def decode(picture: Picture) -> Any:
    """The array that a script makes of the base64 in a request."""
    bag = _Bag()
    data = bag.files[bag.png(picture.image, "payload.x")]
    return np.array(Image.open(io.BytesIO(data))).astype("uint8")


def noise(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).integers(6, 256, shape, dtype=np.uint8)


# ---- the registry


@pytest.mark.parametrize("title", ["My Script", "my script", "My Script v2.17.1", "MY SCRIPT 1.0b"])
def test_an_adapter_is_found_by_title_in_any_case_and_version(
    title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "_ADAPTERS", {})
    payload_capture.register_adapter("My Script", off=lambda args: True)
    assert is_off(title, []) is True
    assert is_off("my script two", []) is None


def test_an_adapter_that_raises_is_named_and_the_args_are_sent_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("gone")

    monkeypatch.setattr(adapters, "_ADAPTERS", {"x": Adapter(broken, broken, broken)})
    made, caveats = encode("X", 1, "a")
    assert made == [1, "a"]
    assert caveats == [f"{PATH}: the adapter of 'X' failed to encode (KeyError: 'gone')"]
    assert is_off("X", []) is None
    encoder = Encoder()
    apply_effect("X", [], encoder, {})
    assert "failed to effect (KeyError: 'gone')" in encoder.caveats[0].reason


@pytest.mark.parametrize("title", adapters.titles())
@pytest.mark.parametrize("args", [[], [None] * 3, [object()] * 40, ["x"] * 40])
def test_other_args_than_an_adapter_knows_raise_nothing(title: str, args: list[Any]) -> None:
    made, _ = encode(title, *args)
    assert isinstance(made, list)
    assert is_off(title, args) in (True, False, None)
    apply_effect(title, args, Encoder(), {"init_images": []})


def test_a_draft_uses_them() -> None:
    calls = [ScriptCall("adetailer", True, [True, False, {"ad_model": "None", "is_api": ()}])]
    calls.append(ScriptCall("ultimate sd upscale", False, ["<p>Will upscale</p>", *range(17)]))
    made = draft(SimpleNamespace(override_settings={}), (), {}, calls)
    assert made.payload["alwayson_scripts"]["adetailer"]["args"] == [
        True,
        False,
        {"ad_model": "None"},
    ]
    assert made.payload["script_args"] == ["", *range(17)]


def test_the_documents_example(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.setattr(adapters, "_ADAPTERS", {})
    started: list[Any] = []
    callbacks = SimpleNamespace(on_app_started=started.append)
    monkeypatch.setitem(sys.modules, "modules", SimpleNamespace(script_callbacks=callbacks))
    exec(compile(code, "docs/adapters.md", "exec"), {})
    started[0](None, None)
    made, caveats = encode("Face Wizard", True, SimpleNamespace(face=noise(4, 3, 3), blur=2), "/v")
    assert isinstance(made[1]["face"], Picture)
    assert (made[0], made[1]["blur"], made[2]) == (True, 2, None)
    assert caveats == [f"{PATH}[2]: the video stays on this server; sent as null"]
    assert (is_off("face wizard", [False, None]), is_off("face wizard", [True])) == (True, False)


# ---- ControlNet


class InputMode(enum.Enum):
    SIMPLE = "simple"
    BATCH = "batch"
    MERGE = "merge"


class ControlMode(enum.Enum):
    BALANCED = "Balanced"


@dataclasses.dataclass
class Mikubill:
    """The fields of `ControlNetUnit` in Mikubill/sd-webui-controlnet v1.1.455 that matter here."""

    is_ui: bool = True
    input_mode: InputMode = InputMode.SIMPLE
    batch_images: Any = None
    output_dir: str = ""
    loopback: bool = False
    enabled: bool = True
    module: str = "canny"
    model: str = "control_v11p_sd15_canny [d14c016b]"
    weight: float = 1.0
    image: Any = None
    control_mode: ControlMode = ControlMode.BALANCED
    effective_region_mask: Any = None
    mask: Any = None
    batch_modifiers: list[Any] = dataclasses.field(default_factory=list)


def test_controlnet_units_are_sent_without_what_is_the_pages_only() -> None:
    image, mask, region = noise(8, 6, 3), noise(8, 6, 4), noise(8, 6, 3)
    unit = Mikubill(image={"image": image, "mask": mask}, effective_region_mask=region)
    (made,), caveats = encode("ControlNet", unit)
    assert np.array_equal(decode(made["image"].pop("image")), image)
    assert np.array_equal(decode(made["image"].pop("mask")), mask)
    assert np.array_equal(decode(made.pop("effective_region_mask")), region)
    assert made == {
        "enabled": True,
        "module": "canny",
        "model": "control_v11p_sd15_canny [d14c016b]",
        "weight": 1.0,
        "image": {},
        "control_mode": "Balanced",
    }
    assert not caveats


def test_controlnet_units_of_the_older_plain_class() -> None:
    """Before e33c0461 (May 2024) the unit is a class that declares nothing."""
    unit = SimpleNamespace(enabled=True, module="canny", image=noise(4, 4, 3), is_ui=True)
    (made,), _ = encode("ControlNet", unit)
    assert made.keys() == {"enabled", "module", "image"}


def test_several_pictures_in_a_controlnet_unit_keep_the_mode_that_splits_them() -> None:
    images = [{"image": noise(4, 4, 3)}, {"image": noise(4, 5, 3)}]
    (made,), _ = encode("ControlNet", Mikubill(input_mode=InputMode.MERGE, image=images))
    assert made["input_mode"] == "merge"
    assert [one["image"].image.size for one in made["image"]] == [(4, 4), (5, 4)]


def test_a_folder_of_controlnet_is_told() -> None:
    unit = Mikubill(input_mode=InputMode.BATCH, batch_images="/in")
    (made,), caveats = encode("ControlNet", unit)
    assert (made["input_mode"], made["batch_images"]) == ("batch", "/in")
    assert caveats == [f"{PATH}[0].batch_images: a folder of the server, and what lies in it then"]


@pytest.mark.parametrize("unit", [None, Mikubill(enabled=False, image="bad"), {"enabled": False}])
def test_a_unit_that_is_off_is_sent_bare(unit: Any) -> None:
    assert encode("ControlNet", unit, None) == ([{"enabled": False}] * 2, [])
    assert is_off("ControlNet", [unit]) is True
    assert is_off("ControlNet", [unit, {"enabled": True}]) is False


def test_an_api_requests_unit_is_sent_as_it_came() -> None:
    unit = {"enabled": True, "image": "aGk=", "lowvram": True}
    assert encode("controlnet", unit, {"module": "canny"}) == ([unit, {"module": "canny"}], [])


@dataclasses.dataclass
class Forge:
    """The fields of Forge's `ControlNetUnit` (dfdcbab6) that matter here."""

    input_mode: InputMode = InputMode.SIMPLE
    use_preview_as_input: bool = False
    batch_image_dir: str = ""
    batch_mask_dir: str = ""
    batch_input_gallery: Any = None
    batch_mask_gallery: Any = None
    generated_image: Any = None
    mask_image: Any = None
    mask_image_fg: Any = None
    enabled: bool = True
    module: str = "canny"
    image: Any = None
    image_fg: Any = None


@dataclasses.dataclass
class ReForge:
    """The same of reForge (3b56b268), whose pictures are gradio 3's {"image", "mask"}."""

    input_mode: InputMode = InputMode.SIMPLE
    use_preview_as_input: bool = False
    batch_input_gallery: Any = None
    multi_inputs_gallery: Any = None
    generated_image: Any = None
    mask_image: Any = None
    enabled: bool = True
    module: str = "canny"
    control_mode: str = "Balanced"
    image: Any = None


def rgb(array: Any) -> Any:
    """An array as both hosts' `HWC3` reads it: three channels, alpha over white."""
    image = Image.fromarray(array)
    if image.mode == "RGBA":
        return np.array(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image))[
            :, :, :3
        ]
    return np.array(image.convert("RGB"))


def seen_by_forge(made: dict[str, Any], sketch: bool) -> tuple[Any, Any]:
    """The picture and mask that an API unit comes to, or None where img2img's would serve."""
    if "image" not in made:
        return None, None
    image = decode(made["image"])
    mask = decode(made["mask_image"]) if "mask_image" in made else None
    assert made.keys() & {"image_fg", "mask_image_fg", "generated_image"} == set()
    if sketch and mask is not None and (image < 5).all() and (mask > 5).any():
        image = mask  # reForge attaches the mask to the picture, and reads it as a drawing
    assert sketch or not (image < 5).all(), "Forge reads the drawing that there is not"
    return rgb(image), None if mask is None else rgb(mask)


def layer(*marks: tuple[int, int]) -> Any:
    """A drawing layer of the canvas: transparent but where it was drawn on."""
    made = np.zeros((8, 6, 4), np.uint8)
    for row, column in marks:
        made[row, column] = (255, 255, 255, 255)
    return made


PICTURE, OTHER, BLACK = noise(8, 6, 3), noise(8, 7, 3), np.zeros((8, 6, 3), np.uint8)
DRAWN, EMPTY = layer((1, 2), (3, 3)), layer()
MASK = np.repeat(DRAWN[:, :, 3:], 3, axis=2)

FORGE = {
    "picture": (Forge(image=PICTURE, image_fg=EMPTY), PICTURE, None),
    "none": (Forge(mask_image=MASK), None, None),
    "drawing on a picture": (Forge(image=PICTURE, image_fg=DRAWN), PICTURE, MASK),
    "drawing on a black canvas": (Forge(image=BLACK, image_fg=DRAWN), MASK, MASK),
    "black": (Forge(image=BLACK, image_fg=EMPTY), BLACK, None),
    "preview": (
        Forge(image=PICTURE, generated_image=OTHER, use_preview_as_input=True),
        OTHER,
        None,
    ),
    "preview that is not used": (Forge(image=PICTURE, generated_image=OTHER), PICTURE, None),
    "mask": (Forge(image=PICTURE, mask_image=MASK, mask_image_fg=EMPTY), PICTURE, MASK),
    "drawn mask": (Forge(image=PICTURE, mask_image=BLACK, mask_image_fg=DRAWN), PICTURE, MASK),
    "empty mask": (Forge(image=PICTURE, mask_image=BLACK, mask_image_fg=EMPTY), PICTURE, None),
}


@pytest.mark.parametrize("case", FORGE)
def test_forges_layers_come_to_what_its_page_shows(case: str) -> None:
    unit, picture, mask = FORGE[case]
    (made,), caveats = encode("ControlNet", unit)
    image, hidden = seen_by_forge(made, sketch=False)
    assert same(image, picture)
    assert same(hidden, mask)
    assert made["module"] == ("None" if unit.use_preview_as_input else "canny")
    assert not caveats


REFORGE = {
    "picture": (ReForge(image={"image": PICTURE, "mask": BLACK}), PICTURE, None),
    "drawing": (ReForge(image={"image": PICTURE, "mask": MASK}), PICTURE, MASK),
    "drawing on a black canvas": (ReForge(image={"image": BLACK, "mask": MASK}), MASK, MASK),
    "black with a mask": (
        ReForge(image={"image": BLACK, "mask": BLACK}, mask_image={"image": MASK, "mask": BLACK}),
        BLACK,
        MASK,
    ),
    "none": (ReForge(), None, None),
}


@pytest.mark.parametrize("case", REFORGE)
def test_reforges_sketches_come_to_what_its_page_shows(case: str) -> None:
    unit, picture, mask = REFORGE[case]
    (made,), _ = encode("ControlNet", unit)
    image, hidden = seen_by_forge(made, sketch=True)
    assert same(image, picture)
    assert same(hidden, mask)


def same(one: Any, other: Any) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


def test_several_pictures_in_forges_unit_are_told() -> None:
    unit = Forge(input_mode=InputMode.MERGE, batch_input_gallery=[("/tmp/gradio/x.png", None)])
    (made,), caveats = encode("ControlNet", unit)
    assert "batch_input_gallery" not in made
    assert caveats == [
        f"{PATH}[0].input_mode: input mode merge: the API takes one picture for each unit"
    ]


def test_what_reforges_api_takes_for_balanced_is_told() -> None:
    encoder = Encoder()
    for mode in ("Balanced", "Prefer Prompt"):
        encode_args("ControlNet", [ReForge(control_mode=mode)], encoder, PATH)
    (caveat,) = encoder.caveats
    assert (caveat.path, caveat.severity) == (f"{PATH}[0].control_mode", "pixels")


# ---- the others


def test_adetailer_takes_its_own_keys_only() -> None:
    tab = {"ad_model": "face_yolov8n.pt", "ad_checkpoint": None, "is_api": (), "extra": 1}
    made, caveats = encode("ADetailer", True, False, tab)
    assert made == [True, False, {"ad_model": "face_yolov8n.pt", "ad_checkpoint": None}]
    assert caveats == [f"{PATH}[2].extra: ADetailer refuses keys it does not know; left out"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([False, False, {"ad_model": "x"}], True),
        ([True, False, {"ad_model": "None"}, {"ad_model": "x", "ad_tab_enable": False}], True),
        ([True, False, {"ad_model": "None"}, {"ad_model": "x"}], False),
        ([{"ad_model": "x"}], False),
    ],
)
def test_adetailer_is_off(args: list[Any], expected: bool) -> None:
    assert is_off("adetailer", args) is expected


@pytest.mark.parametrize(
    "mask",
    [
        PICTURE,
        {"image": PICTURE, "mask": BLACK},
        {"background": None, "layers": [BLACK], "composite": PICTURE},
        {"background": None, "layers": [PICTURE], "composite": BLACK},
    ],
    ids=["array", "gradio 3", "gradio 4", "gradio 4, empty"],
)
def test_regional_prompters_mask_is_a_picture(mask: Any) -> None:
    args = [True, False, "Mask", *["x"] * 9, [False], "0", "0", "0.4", mask, "0", "0", False]
    made, caveats = encode("Regional Prompter", *args)
    assert np.array_equal(decode(made[16]), PICTURE)
    assert (len(made), made[:16], made[17:]) == (20, args[:16], args[17:])
    assert not caveats


@pytest.mark.parametrize(("fill", "told"), [(2, True), (1, False), (None, False)])
def test_a_region_that_draws_its_own_seed_is_told(fill: int | None, told: bool) -> None:
    """Of the seeds only an inpainting with latent noise makes use."""
    region = [True, 0.1, 0.1, 0.5, 0.5, "a", "b", "Background", 0.2]
    args = [True, "MultiDiffusion", *range(16), True, False, False, *region, -1, *region, 7]
    encoder, title = Encoder(), "tiled diffusion"
    apply_effect(title, args, encoder, {"inpainting_fill": fill})
    reasons = [f"{caveat.path}: {caveat.reason}" for caveat in encoder.caveats]
    path = f"alwayson_scripts.{title}.args[30]"
    assert reasons == [f"{path}: region 1 draws its own seed each time: fix it"] * told


@pytest.mark.parametrize(("on", "jitter"), [(True, True), (True, False), (False, True)])
def test_demofusions_jitter_is_refused(on: bool, jitter: bool) -> None:
    args = [on, "DemoFusion", *range(11), jitter, *range(8)]
    encoder = Encoder()
    assert encode_args("DemoFusion", args, encoder, PATH) == args
    told = [("blocks", f"{PATH}[13]")] * (on and jitter)
    assert [(caveat.severity, caveat.path) for caveat in encoder.caveats] == told


@pytest.mark.parametrize(
    ("title", "index"),
    [
        ("Tiled Diffusion", 0),
        ("DemoFusion", 0),
        ("Tiled VAE", 0),
        ("Dynamic Prompts v2.17.1", 0),
        ("Regional Prompter", 0),
        ("Forge Couple", 0),
        ("ReActor", 1),
    ],
)
def test_a_switch_tells_whether_it_is_off(title: str, index: int) -> None:
    for on in (True, False):
        args = [None] * index + [on] + [None] * 30
        assert is_off(title, args) is not on
    assert is_off(title, ["?"] * 31) is None


@pytest.mark.parametrize(
    ("place", "prompts", "reason"),
    [
        (4, "a cat", "“I'm feeling lucky” makes other prompts each time"),
        (5, "a cat", "“Attention grabber” makes other prompts each time"),
        (11, "{a|b}", "“Unlink seed from prompt” makes other prompts each time"),
        (13, "{{ choice(1, 2) }}", "“Enable Jinja2 templates” makes other prompts each time"),
        (13, "{% for n in (1, 2) %}{% prompt %}{{ n }}{% endprompt %}{% endfor %}", ""),
        (3, "a cat", ""),
    ],
)
def test_dynamic_prompts_that_no_seed_decides_are_told(
    place: int, prompts: str, reason: str
) -> None:
    args = [True, *[False] * 17]
    args[place] = True
    assert draws_anew("Dynamic Prompts v2.17.1", args, prompts) == reason
    assert draws_anew("Dynamic Prompts v2.17.1", [False, *args[1:]], prompts) == ""
    assert draws_anew("Dynamic Prompts v2.17.1", [True], prompts) == ""


def test_ultimate_upscales_text_is_left_out_and_its_index_told() -> None:
    made, (caveat,) = encode("Ultimate SD upscale", "<p>Will upscale</p>", *range(1, 18))
    assert made == ["", *range(1, 18)]
    assert "number 8 of this server's list" in caveat


class AnimateDiffProcess:
    def __init__(self, **given: Any) -> None:
        self.model, self.enable, self.format = "mm.safetensors", True, ["GIF"]
        self.video_source: Any = None
        self.last_frame: Any = None
        self.request_id, self.is_i2i_batch, self.video_default = "", False, False
        self.prompt_scheduler: Any = object()
        vars(self).update(given)


def test_animatediffs_object_becomes_the_dict_that_makes_it() -> None:
    (made,), caveats = encode(
        "AnimateDiff", AnimateDiffProcess(last_frame=Image.new("RGB", (2, 2)))
    )
    assert isinstance(made.pop("last_frame"), Picture)
    assert made == {
        "model": "mm.safetensors",
        "enable": True,
        "format": ["GIF"],
        "video_source": None,
    }
    assert not caveats
    assert is_off("AnimateDiff", [AnimateDiffProcess(enable=False)]) is True
    assert is_off("AnimateDiff", [made]) is False


def test_an_uploaded_video_keeps_its_path_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "x.mp4").write_bytes(b"video")
    (made,), caveats = encode("AnimateDiff", AnimateDiffProcess(video_source=f"{tmp_path}/x.mp4"))
    assert made["video_source"] == f"{tmp_path}/x.mp4"
    assert caveats == [
        f"{PATH}[0].video_source: the path of an uploaded video, "
        "which the server deletes some day: copy it"
    ]


def test_reactors_picture_is_sent_and_its_files_are_told() -> None:
    args = [Image.fromarray(PICTURE), True, *["x"] * 23, [object(), object()], *["y"] * 5]
    made, caveats = encode("ReActor", *args)
    assert np.array_equal(decode(made[0]), PICTURE)
    assert made[1:] == [True, *["x"] * 23, None, *["y"] * 5]
    assert caveats == [
        f"{PATH}[25]: 2 uploaded pictures: ReActor's API takes one, or a folder of the server; "
        "sent as null"
    ]


def segments(tmp_path: Path, **given: Any) -> list[Any]:
    """Segment Anything's 24 arguments, with a mask chosen in its gallery."""
    entries = []
    for number in range(6):
        Image.new("L", (6, 8), number).save(tmp_path / f"{number}.png")
        entries.append({"name": str(tmp_path / f"{number}.png"), "data": None, "is_file": True})
    single = [True, False, 0, Image.fromarray(PICTURE), entries, 1, False, None]
    args = [*single, None, False, 0, None, False, False, 0, *[None] * 5, False, 0, None, None]
    for index, value in given.items():
        args[int(index.removeprefix("arg"))] = value
    return args


@pytest.mark.parametrize("inverted", [False, True])
def test_segment_anythings_mask_becomes_the_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inverted: bool
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    p = SimpleNamespace(init_images=[Image.new("RGB", (6, 8))], override_settings={})
    call = ScriptCall("segment anything", True, segments(tmp_path, arg1=inverted))
    made = draft(p, (), {}, [call]).payload
    assert np.array_equal(decode(made["init_images"][0]), PICTURE)
    expected = Image.new("L", (6, 8), 4)
    assert np.array_equal(
        decode(made["mask"]), np.array(ImageOps.invert(expected) if inverted else expected)
    )
    (sent,) = (made["alwayson_scripts"][call.title]["args"],)
    assert is_off("segment anything", sent) is True
    assert not any(isinstance(arg, Picture) for arg in sent)


def test_segment_anythings_picture_for_controlnet_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    encoder = Encoder()
    payload: dict[str, Any] = {}
    apply_effect("segment anything", segments(tmp_path), encoder, payload)
    assert payload == {}
    assert "into a ControlNet unit: do so by hand" in encoder.caveats[0].reason
    assert is_off("segment anything", segments(tmp_path, arg0=False)) is True


def test_forge_couples_masks_are_told() -> None:
    regions = [[0.0, 0.5, 0.0, 1.0, 1.0], [0.5, 1.0, 0.0, 1.0, 1.0]]
    args = [True, False, "Advanced", "", "Horizontal", "None", 0.5, regions, "{ }", False, True]
    assert encode("Forge Couple", *args) == (args, [])
    assert "the masks are kept by the script" in encode("Forge Couple", True, False, "Mask")[1][0]


def test_lora_block_weights_nones_are_sent_and_count_as_on() -> None:
    args = ["NONE:0,0,0\nALL:1,1,1", None, 0, *[None] * 15]
    assert encode("LoRA Block Weight", *args) == (args, [])
    assert is_off("LoRA Block Weight", args) is False
    assert is_off("LoRA Block Weight", [args[0], False, 0]) is True
    assert is_off("LoRA Block Weight", [args[0], False, 1]) is False
