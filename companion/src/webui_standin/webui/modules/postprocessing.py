"""Extras. Names and order of arguments: A1111 v1.10.1, modules/postprocessing.py."""

import os

from PIL import Image

from modules import images, infotext, scripts, scripts_postprocessing, shared, ui_common
from modules.shared import opts
from webui_standin import gradio_compat


def run_postprocessing(
    extras_mode,
    image,
    image_folder,
    input_dir,
    output_dir,
    show_extras_results,
    *args,
    save_output=True,
):
    """Apply the operations to one picture (mode 0), uploaded ones (1), or a folder (2)."""
    shared.state.begin(job="extras")
    folder = (
        output_dir
        if extras_mode == 2 and output_dir
        else opts.outdir_samples or opts.outdir_extras_samples
    )
    shown, text = [], ""
    pictures = list(_pictures(extras_mode, image, image_folder, input_dir))
    shared.state.job_count = len(pictures)
    for picture, name in pictures:
        shared.state.nextjob()
        shared.state.textinfo, shared.state.skipped = name, False
        if shared.state.interrupted or shared.state.stopping_generation:
            break
        done, text = _process(picture, name, folder, args, save_output)
        shown += done if extras_mode != 2 or show_extras_results else []
    shared.state.end()
    return shown, ui_common.plaintext_to_html(text), ""


def _pictures(extras_mode, image, image_folder, input_dir):
    if extras_mode == 0:
        assert image, "image not selected"
        yield image, None
    elif extras_mode == 1:
        for item in image_folder:
            opened = isinstance(item, Image.Image)
            path = "" if opened else gradio_compat.uploaded_path(item)
            yield images.fix_image(item) if opened else images.read(path), path
    else:
        assert not shared.cmd_opts.hide_ui_dir_config, (
            "--hide-ui-dir-config option must be disabled"
        )
        assert input_dir, "input directory not selected"
        for path in shared.listfiles(input_dir):
            yield images.read(path), path


def _process(picture, name, folder, args, save_output):
    picture = picture if picture.mode in ("RGBA", "RGB") else picture.convert("RGB")
    parameters, texts = images.read_info_from_image(picture)
    texts.update({"parameters": parameters} if parameters else {})
    first = scripts_postprocessing.PostprocessedImage(picture)
    scripts.scripts_postproc.run(first, args)
    if shared.state.skipped:
        return [], ""
    done, text, used = [], "", {}
    for item in [first, *first.extra_images]:
        text = infotext.join(item.info)
        if opts.enable_pnginfo:
            item.image.info = {**texts, "postprocessing": text}
        shared.state.assign_current_image(item.image)
        suffix = item.get_suffix(used)
        if save_output:
            _save(item, folder, name, suffix, text, texts)
        done.append(item.image)
    return done, text


def _save(item, folder, name, suffix, text, texts):
    named = opts.use_original_name_batch and name is not None
    stem = os.path.splitext(os.path.basename(name))[0] if named else ""
    own = {
        "forced_filename": stem + suffix if named else None,
        "suffix": suffix,
        "pnginfo_section_name": "extras",
        "existing_info": texts,
        "extension": opts.samples_format,
        "info": text,
    }
    saved, _ = images.save_image(
        item.image, folder, stem, short_filename=True, no_prompt=True, **own
    )
    if item.caption:
        _write_caption(os.path.splitext(saved)[0] + ".txt", item.caption)


def _write_caption(path, caption):
    """Write a caption beside a picture; the settings say what becomes of one that is there."""
    before = ""
    if os.path.exists(path):
        with open(path, encoding="utf8") as file:
            before = file.read().strip()
    texts = {
        "Keep": [before or caption],
        "Prepend": [before, caption],
        "Append": [caption, before],
    }.get(opts.postprocessing_existing_caption_action, [caption])
    with open(path, "w", encoding="utf8") as file:
        file.write(" ".join(filter(None, texts)).strip())


def run_postprocessing_webui(id_task, *args, **kwargs):
    """The same for the page."""
    return run_postprocessing(*args, **kwargs)


def run_extras(
    extras_mode,
    resize_mode,
    image,
    image_folder,
    input_dir,
    output_dir,
    show_extras_results,
    gfpgan_visibility,
    codeformer_visibility,
    codeformer_weight,
    upscaling_resize,
    upscaling_resize_w,
    upscaling_resize_h,
    upscaling_crop,
    extras_upscaler_1,
    extras_upscaler_2,
    extras_upscaler_2_visibility,
    upscale_first,
    save_output=True,
    max_side_length=0,
):
    """The same for the API, which knows upscaling and face restoration only."""
    values = {
        "Upscale": {
            "upscale_enabled": True,
            "upscale_mode": resize_mode,
            "upscale_by": upscaling_resize,
            "max_side_length": max_side_length,
            "upscale_to_width": upscaling_resize_w,
            "upscale_to_height": upscaling_resize_h,
            "upscale_crop": upscaling_crop,
            "upscaler_1_name": extras_upscaler_1,
            "upscaler_2_name": extras_upscaler_2,
            "upscaler_2_visibility": extras_upscaler_2_visibility,
        },
        "GFPGAN": {"enable": True, "gfpgan_visibility": gfpgan_visibility},
        "CodeFormer": {
            "enable": True,
            "codeformer_visibility": codeformer_visibility,
            "codeformer_weight": codeformer_weight,
        },
    }
    args = scripts.scripts_postproc.create_args_for_run(values)
    return run_postprocessing(
        extras_mode,
        image,
        image_folder,
        input_dir,
        output_dir,
        show_extras_results,
        *args,
        save_output=save_output,
    )
