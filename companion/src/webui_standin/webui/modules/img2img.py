"""What the img2img tab's button does. Order of arguments: A1111 v1.10.1, modules/img2img.py."""

import os
from contextlib import closing

import gradio as gr
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

import modules.scripts
from modules import images, processing, shared
from modules.infotext_utils import create_override_settings_dict, parse_generation_parameters
from modules.processing import Processed, StableDiffusionProcessingImg2Img, process_images
from modules.sd_models import get_closet_checkpoint_match
from modules.shared import opts, state
from modules.txt2img import naming, on_generation_thread, outputs
from webui_standin import gradio_compat
from webui_standin.flavour import has_forge_traits, is_forge, is_reforge

# The page's inputs after the task id, in order. Forge's canvases have more parts; here they have
# one. reForge 3b56b268 has no upload in the batch tab.
FIELDS = [
    "mode",
    "prompt",
    "negative_prompt",
    "styles",
    "init_img",
    "sketch",
    "init_img_with_mask",
    "inpaint_color_sketch",
    "inpaint_color_sketch_orig",
    "init_img_inpaint",
    "init_mask_inpaint",
    "mask_blur",
    "mask_alpha",
    "inpainting_fill",
    "n_iter",
    "batch_size",
    "cfg_scale",
    "image_cfg_scale",
    "denoising_strength",
    "selected_scale_tab",
    "height",
    "width",
    "scale_by",
    "resize_mode",
    "inpaint_full_res",
    "inpaint_full_res_padding",
    "inpainting_mask_invert",
    "batch_input_dir",
    "batch_output_dir",
    "batch_inpaint_mask_dir",
    "override_settings_texts",
    "batch_use_png_info",
    "batch_png_info_props",
    "batch_png_info_dir",
    "batch_source_type",
    "batch_upload",
]
if is_reforge():
    del FIELDS[FIELDS.index("batch_source_type") :]
if is_forge():
    FIELDS.insert(FIELDS.index("cfg_scale") + 1, "distilled_cfg_scale")
# Those that the processing object takes as they are.
_PASSED = [
    "prompt",
    "negative_prompt",
    "styles",
    "batch_size",
    "n_iter",
    "cfg_scale",
    "width",
    "height",
    "mask_blur",
    "inpainting_fill",
    "resize_mode",
    "denoising_strength",
    "image_cfg_scale",
    "inpaint_full_res",
    "inpaint_full_res_padding",
    "inpainting_mask_invert",
] + (["distilled_cfg_scale"] if is_forge() else [])
BATCH = 5


def _choose(values):
    """Picture and mask of the sub-tab that is open."""
    mode = values["mode"]
    if mode == 1:
        return gradio_compat.drawn_colours(values["sketch"], None)[0], None
    if mode == 2:
        picture, mask = gradio_compat.drawn_mask(values["init_img_with_mask"])
        return picture, mask and processing.create_binary_mask(mask)
    if mode == 3:
        return _colour_sketch(values)
    if mode == 4:
        return values["init_img_inpaint"], values["init_mask_inpaint"]
    return (values["init_img"], None) if mode == 0 else (None, None)


def _colour_sketch(values):
    drawn, before, mask = gradio_compat.drawn_colours(
        values["inpaint_color_sketch"], values["inpaint_color_sketch_orig"]
    )
    if mask is None:
        changed = np.any(np.array(drawn) != np.array(before), axis=-1)
        mask = Image.fromarray(changed.astype(np.uint8) * 255)
    mask = ImageEnhance.Brightness(mask).enhance(1 - (values["mask_alpha"] or 0) / 100)
    blur = ImageFilter.GaussianBlur(values["mask_blur"])
    drawn, before = drawn.convert("RGB"), before.convert("RGB")
    return Image.composite(drawn.filter(blur), before, mask.filter(blur)), mask


def _create_processing(request, values, script_args):
    picture, mask = (images.fix_image(item) for item in _choose(values))
    if values["selected_scale_tab"] == 1 and values["mode"] != BATCH:
        assert picture, "Can't scale by because no image is selected"
        values["width"], values["height"] = (
            int(side * values["scale_by"]) for side in picture.size
        )
    assert 0.0 <= values["denoising_strength"] <= 1.0, "can only work with strength in [0.0, 1.0]"
    for name in (
        "width",
        "height",
        "n_iter",
        "batch_size",
        "mask_blur",
        "inpaint_full_res_padding",
    ):
        values[name] = int(values[name])
    p = StableDiffusionProcessingImg2Img(
        sd_model=shared.sd_model,
        outpath_samples=opts.outdir_samples or opts.outdir_img2img_samples,
        outpath_grids=opts.outdir_grids or opts.outdir_img2img_grids,
        init_images=[picture],
        mask=mask,
        override_settings=create_override_settings_dict(values["override_settings_texts"]),
        **{name: values[name] for name in _PASSED},
    )
    p.scripts = modules.scripts.scripts_img2img
    p.script_args = script_args
    p.user = request.username
    return p


@naming(FIELDS)
def _img2img(id_task, request, *args):
    values, script_args = dict(zip(FIELDS, args, strict=False)), args[len(FIELDS) :]
    with closing(_create_processing(request, values, script_args)) as p:
        if values["mode"] == BATCH:
            processed = process_batch(p, values, script_args) or Processed(p, [], p.seed, "")
        else:
            processed = modules.scripts.scripts_img2img.run(p, *script_args)
            processed = process_images(p) if processed is None else processed
    return outputs(processed)


if has_forge_traits():
    img2img_function = _img2img


@naming(FIELDS)
def img2img(id_task: str, request: gr.Request, *args):
    """The Generate button."""
    return on_generation_thread(_img2img, id_task, request, *args)


def process_batch(p, values, script_args):
    """The batch tab: one job, the same object, `run` once for each file."""
    processing.fix_seed(p)
    files, masks = _batch_files(values)
    state.job_count = len(files) * p.n_iter
    before = {
        name: getattr(p, name)
        for name in ("prompt", "negative_prompt", "seed", "cfg_scale", "sampler_name", "steps")
    }
    results = None
    for number, path in enumerate(files):
        state.job = f"{number + 1} out of {len(files)}"
        state.skipped = False
        if state.interrupted or state.stopping_generation:
            break
        _prepare_file(p, path, masks, values, before)
        processed = modules.scripts.scripts_img2img.run(p, *script_args)
        if processed is None:
            p.override_settings.pop("save_images_replace_action", None)
            processed = process_images(p)
        results = _add_results(results, processed)
    return results


def _batch_files(values):
    if values.get("batch_source_type") == "upload":
        assert isinstance(values["batch_upload"], list)
        assert values["batch_upload"]
        return [gradio_compat.uploaded_path(item) for item in values["batch_upload"]], []
    assert not shared.cmd_opts.hide_ui_dir_config, (
        "Launched with --hide-ui-dir-config, batch img2img disabled"
    )
    masks = values["batch_inpaint_mask_dir"]
    endings = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
    return list(shared.walk_files(values["batch_input_dir"], endings)), shared.listfiles(
        masks
    ) if masks else []


def _prepare_file(p, path, masks, values, before):
    picture = ImageOps.exif_transpose(images.read(path))
    stem = os.path.splitext(os.path.basename(path))[0]
    if values["selected_scale_tab"] == 1:
        p.width, p.height = (int(side * values["scale_by"]) for side in picture.size)
    p.init_images = [picture] * p.batch_size
    named = [mask for mask in masks if os.path.splitext(os.path.basename(mask))[0] == stem]
    if masks:
        p.image_mask = images.read((named or masks)[0])
    if values["batch_use_png_info"]:
        _use_png_info(p, picture, path, values, before)
    if values.get("batch_source_type") != "upload" and values["batch_output_dir"].strip():
        p.outpath_samples = values["batch_output_dir"].strip()
        pattern = f"{stem}-[generation_number]" if p.n_iter > 1 or p.batch_size > 1 else stem
        p.override_settings.update(
            save_to_dirs=False,
            save_images_replace_action="Add number suffix",
            samples_filename_pattern=pattern,
        )


def _use_png_info(p, picture, path, values, before):
    folder = values["batch_png_info_dir"]
    source = images.read(os.path.join(folder, os.path.basename(path))) if folder else picture
    text = images.read_info_from_image(source)[0] or ""
    found = {
        label: value
        for label, value in parse_generation_parameters(text).items()
        if label in (values["batch_png_info_props"] or [])
    }
    p.prompt = before["prompt"] + (f" {found['Prompt']}" if "Prompt" in found else "")
    p.negative_prompt = before["negative_prompt"] + (
        f" {found['Negative prompt']}" if "Negative prompt" in found else ""
    )
    p.seed, p.steps = (
        int(found.get("Seed", before["seed"])),
        int(found.get("Steps", before["steps"])),
    )
    p.cfg_scale = float(found.get("CFG scale", before["cfg_scale"]))
    p.sampler_name = found.get("Sampler", before["sampler_name"])
    model = get_closet_checkpoint_match(found.get("Model hash"))
    if model is not None:
        p.override_settings["sd_model_checkpoint"] = model.name


def _add_results(results, processed):
    if results is None:
        return processed
    results.images.extend(processed.images)
    results.infotexts.extend(processed.infotexts)
    limit = int(opts.img2img_batch_show_results_limit)
    if 0 <= limit < len(results.images):
        del results.images[limit:], results.infotexts[limit:]
    return results
