"""What the txt2img tab's buttons do. Order of arguments: A1111 v1.10.1, modules/txt2img.py;
Forge's own arguments and its thread: dfdcbab6, reForge's: 3b56b268, the same file.
"""

import inspect
import json
from contextlib import closing

import gradio as gr
from PIL import Image

import modules.scripts
from modules import infotext_utils, processing, shared
from modules.infotext_utils import create_override_settings_dict, parse_generation_parameters
from modules.shared import opts
from modules.ui_common import plaintext_to_html
from webui_standin import gradio_compat
from webui_standin.flavour import current_flavour, has_forge_traits, is_forge

# The page's inputs after the task id, in order; "" is a field that only sets `override_settings`.
_PLAIN = """
    prompt negative_prompt styles n_iter batch_size cfg_scale height width enable_hr
    denoising_strength hr_scale hr_upscaler hr_second_pass_steps hr_resize_x hr_resize_y
    hr_checkpoint_name hr_sampler_name hr_scheduler hr_prompt hr_negative_prompt
"""
_FORGE = """
    prompt negative_prompt styles n_iter batch_size cfg_scale distilled_cfg_scale height width
    enable_hr denoising_strength hr_scale hr_upscaler hr_second_pass_steps hr_resize_x hr_resize_y
    hr_checkpoint_name hr_additional_modules hr_sampler_name hr_scheduler hr_prompt
    hr_negative_prompt hr_cfg hr_distilled_cfg
"""
FIELDS = {"a1111": _PLAIN, "reforge": _PLAIN + "hr_cfg", "forge": _FORGE}[current_flavour()].split()
# The setting that keeps the small picture beside the one that the ✨ button makes.
_INSERTING = {"forge": "hires_button_gallery_insert", "reforge": "hires_button_gallery_inset"}
_SAME = {
    "hr_checkpoint_name": "Use same checkpoint",
    "hr_sampler_name": "Use same sampler",
    "hr_scheduler": "Use same scheduler",
}


def naming(fields):
    """A decorator: extensions read from the signature what the arguments of a button are called."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ["id_task", "request", *(_LONG_NAMES.get(name, name) for name in fields)]
    parameters = [inspect.Parameter(name, kind) for name in names]
    rest = inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)

    def sign(function):
        function.__signature__ = inspect.Signature([*parameters, rest])
        return function

    return sign


_BATCH = """
    batch_input_dir batch_output_dir batch_inpaint_mask_dir batch_use_png_info
    batch_png_info_props batch_png_info_dir batch_source_type batch_upload
"""
_LONG_NAMES = {"styles": "prompt_styles", **{name: f"img2img_{name}" for name in _BATCH.split()}}


@naming([*FIELDS, "override_settings_texts"])
def txt2img_create_processing(id_task, request, *args, force_enable_hr=False):
    """The processing object of a click: fields, override settings, then the scripts' arguments."""
    values = dict(zip(FIELDS, args, strict=False))
    for name, same in _SAME.items():
        values[name] = None if values[name] == same else values[name]
    for name in (
        "width",
        "height",
        "n_iter",
        "batch_size",
        "hr_second_pass_steps",
        "hr_resize_x",
        "hr_resize_y",
    ):
        values[name] = int(values[name])
    values["enable_hr"] = values["enable_hr"] or force_enable_hr
    p = processing.StableDiffusionProcessingTxt2Img(
        sd_model=shared.sd_model,
        outpath_samples=opts.outdir_samples or opts.outdir_txt2img_samples,
        outpath_grids=opts.outdir_grids or opts.outdir_txt2img_grids,
        override_settings=create_override_settings_dict(args[len(FIELDS)]),
        **values,
    )
    p.scripts = modules.scripts.scripts_txt2img
    p.script_args = args[len(FIELDS) + 1 :]
    p.user = request.username
    return p


def _process(p):
    with closing(p):
        processed = modules.scripts.scripts_txt2img.run(p, *p.script_args)
        return processing.process_images(p) if processed is None else processed


def outputs(processed):
    """Gallery, info, infotext and comments for the page."""
    shown = (
        [] if opts.do_not_show_images else processed.images + getattr(processed, "extra_images", [])
    )
    comments = plaintext_to_html(processed.comments, classname="comments")
    return shown, processed.js(), plaintext_to_html(processed.info), comments


def _txt2img(id_task, request, *args):
    return outputs(_process(txt2img_create_processing(id_task, request, *args)))


def _upscale(id_task, request, gallery, gallery_index, generation_info, *args):
    assert gallery, "No image to upscale"
    gallery_index, info = int(gallery_index), json.loads(generation_info)
    assert 0 <= gallery_index < len(gallery), f"Bad image index: {gallery_index}"
    if is_forge() and len(gallery) > 1 and not _is_sample(gallery_index, info):
        shown = [_kept(item) for item in gallery]
        return shown, generation_info, "Unable to upscale grid or control images.", ""
    p = txt2img_create_processing(id_task, request, *args, force_enable_hr=True)
    _prepare_upscale(p, gallery[gallery_index], info["infotexts"][gallery_index])
    processed = _process(p)
    comments = plaintext_to_html(processed.comments, classname="comments")
    inserted = getattr(opts, _INSERTING.get(current_flavour(), ""), False)
    place = slice(gallery_index + 1 if inserted else gallery_index, gallery_index + 1)
    pictures = [_kept(item) for item in gallery]
    pictures[place], info["infotexts"][place] = processed.images, processed.infotexts
    return pictures, json.dumps(info), plaintext_to_html(processed.info), comments


def _is_sample(index, info):
    return info.get("index_of_first_image", 0) <= index < len(info["infotexts"])


def _prepare_upscale(p, item, text):
    """Turn a job into one whose first pass is there already; its seeds are texts, as read."""
    p.batch_size = p.n_iter = 1
    p.txt2img_upscale = True
    p.firstpass_image = infotext_utils.image_from_url_text(item)
    parameters = parse_generation_parameters(text, [])
    p.seed, p.subseed = parameters.get("Seed", -1), parameters.get("Variation seed", -1)
    if is_forge():
        p.extra_generation_params["Original Size"] = f"{p.width}x{p.height}"
        p.width, p.height = p.firstpass_image.size
    p.override_settings["save_images_before_highres_fix"] = False


def _kept(item):
    picture = Image.new("RGB", (1, 1))
    picture.already_saved_as = gradio_compat.gallery_path(item)
    return picture


if has_forge_traits():
    # What the main thread runs, by its name there.
    txt2img_function = _txt2img


def txt2img(id_task: str, request: gr.Request, *args):
    """The Generate button."""
    return on_generation_thread(_txt2img, id_task, request, *args)


def txt2img_upscale(
    id_task: str, request: gr.Request, gallery, gallery_index, generation_info, *args
):
    """The ✨ button: hires. fix for the selected picture."""
    return on_generation_thread(
        _upscale, id_task, request, gallery, gallery_index, generation_info, *args
    )


def on_generation_thread(function, *args):
    """Call here, or in Forge and reForge on the process's main thread."""
    if not has_forge_traits():
        return function(*args)
    from modules_forge import main_thread

    return main_thread.run_and_wait_result(function, *args)
