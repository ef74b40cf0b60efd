"""The loop over the batches of a job. Order of hooks and steps: A1111 v1.10.1,
process_images_inner."""

import os

import numpy as np
from PIL import Image

from modules import extra_networks, images, paths, scripts, sd_hijack, sd_models, sd_vae, shared
from modules.infotext import create_infotext
from modules.shared import cmd_opts, opts, state
from modules.textual_inversion import textual_inversion


class FloatPixels(np.ndarray):
    """An array with the few methods of a tensor that hooks use on pictures."""

    def cpu(self):
        """The array itself."""
        return self

    detach = float = contiguous = cpu

    def to(self, *_args, **_kwargs):
        """The array itself."""
        return self

    def numpy(self):
        """A plain array."""
        return np.asarray(self)

    def clone(self):
        """A copy."""
        return self.copy()


def run_batches(p):
    """Run a job whose overrides are applied; return a Processed."""
    from modules import processing

    assert p.prompt is not None
    assert p.prompt != []
    _prepare(p)
    infotexts, pictures = [], []
    p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
    if state.job_count == -1:
        state.job_count = p.n_iter
    for number in range(p.n_iter):
        state.skipped = False
        if (
            state.interrupted
            or state.stopping_generation
            or not _run_batch(p, number, infotexts, pictures)
        ):
            break
    if not infotexts:
        infotexts.append(processing.Processed(p, []).infotext(p, 0))
    p.color_corrections = None
    first = _add_grid(p, infotexts, pictures)
    if not p.disable_extra_networks and p.extra_network_data:
        extra_networks.deactivate(p, p.extra_network_data)
    kept = {
        "index_of_first_image": first,
        "infotexts": infotexts,
        "extra_images_list": p.extra_result_images,
    }
    seeds = {"seed": p.all_seeds[0], "subseed": p.all_subseeds[0]}
    result = processing.Processed(p, pictures, info=infotexts[0], **seeds, **kept)
    if p.scripts is not None:
        p.scripts.postprocess(p, result)
    return result


def _prepare(p):
    from modules.processing import get_fixed_seed

    seed, subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)
    p.restore_faces = opts.face_restoration if p.restore_faces is None else p.restore_faces
    p.tiling = opts.tiling if p.tiling is None else p.tiling
    if p.refiner_checkpoint not in (None, "", "None", "none"):
        p.refiner_checkpoint_info = sd_models.get_closet_checkpoint_match(p.refiner_checkpoint)
        if p.refiner_checkpoint_info is None:
            raise Exception(f"Could not find checkpoint with name {p.refiner_checkpoint}")
    p.sd_model_name = shared.sd_model.sd_checkpoint_info.name_for_extra
    p.sd_model_hash = shared.sd_model.sd_model_hash
    p.sd_vae_name, p.sd_vae_hash = sd_vae.get_loaded_vae_name(), sd_vae.get_loaded_vae_hash()
    sd_hijack.model_hijack.clear_comments()
    if not p.do_not_reload_embeddings:
        sd_hijack.model_hijack.embedding_db.load_textual_inversion_embeddings()
    p.fill_fields_from_opts()
    p.setup_prompts()
    count, step = len(p.all_prompts), 1 if p.subseed_strength == 0 else 0
    p.all_seeds = (
        seed if isinstance(seed, list) else [int(seed) + step * index for index in range(count)]
    )
    p.all_subseeds = (
        subseed if isinstance(subseed, list) else [int(subseed) + index for index in range(count)]
    )
    if p.scripts is not None:
        p.scripts.process(p)


def _run_batch(p, number, infotexts, pictures):
    """One batch; False when a script has emptied it."""
    p.iteration = number
    sd_models.reload_model_weights()
    _slice(p, number)
    seeds = {"prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
    p.rng = None
    if p.scripts is not None:
        p.scripts.before_process_batch(p, batch_number=number, **seeds)
    if not p.prompts:
        return False
    p.parse_extra_network_prompts()
    if not p.disable_extra_networks:
        extra_networks.activate(p, p.extra_network_data)
    if p.scripts is not None:
        p.scripts.process_batch(p, batch_number=number, **{**seeds, "prompts": p.prompts})
    p.setup_conds()
    textual_inversion.note(p, sd_hijack.model_hijack.embedding_db)
    if number == 0 and not cmd_opts.no_prompt_history:
        _write_params(p)
    if p.n_iter > 1:
        state.job = f"Batch {number + 1} out of {p.n_iter}"
    _note_refiner(p)
    samples = _sample(p)
    state.nextjob()
    for index, sample in enumerate(_postprocess_batch(p, number, samples)):
        p.batch_index = index
        _finish_picture(p, index, sample, infotexts, pictures)
    return True


def _slice(p, number):
    batch = slice(number * p.batch_size, (number + 1) * p.batch_size)
    p.prompts, p.negative_prompts = p.all_prompts[batch], p.all_negative_prompts[batch]
    p.seeds, p.subseeds = p.all_seeds[batch], p.all_subseeds[batch]


def _write_params(p):
    from modules.processing import Processed

    with open(os.path.join(paths.data_path, "params.txt"), "w", encoding="utf8") as file:
        file.write(Processed(p, []).infotext(p, 0))


def _note_refiner(p):
    from modules import recipe

    passes = [False, True] if getattr(p, "enable_hr", False) else [False]
    if any(recipe.refiner(p, second) for second in passes):
        p.extra_generation_params["Refiner"] = p.refiner_checkpoint_info.short_title
        p.extra_generation_params["Refiner switch at"] = p.refiner_switch_at
        if len(passes) > 1 and opts.hires_fix_refiner_pass != "second pass":
            p.extra_generation_params["Hires refiner"] = opts.hires_fix_refiner_pass


def _sample(p):
    arguments = {"seeds": p.seeds, "subseeds": p.subseeds, "subseed_strength": p.subseed_strength}
    samples = p.sample(
        conditioning=p.c, unconditional_conditioning=p.uc, prompts=p.prompts, **arguments
    )
    if p.scripts is not None:
        passed = scripts.PostSampleArgs(samples)
        p.scripts.post_sample(p, passed)
        samples = passed.samples
    return samples


def _postprocess_batch(p, number, samples):
    """Let hooks see the batch as fractions of 1, channel first, as the webui's tensors are."""
    if p.scripts is None:
        return list(samples)
    stacked = np.stack(samples).astype(np.float32).transpose(0, 3, 1, 2) / 255
    tensors = stacked.view(FloatPixels)
    p.scripts.postprocess_batch(p, tensors, batch_number=number)
    batch = slice(number * p.batch_size, (number + 1) * p.batch_size)
    p.prompts, p.negative_prompts = p.all_prompts[batch], p.all_negative_prompts[batch]
    passed = scripts.PostprocessBatchListArgs(list(tensors))
    p.scripts.postprocess_batch_list(p, passed, batch_number=number)
    return [_to_pixels(picture) for picture in passed.images]


def _to_pixels(picture):
    values = np.rint(np.asarray(picture, np.float32).transpose(1, 2, 0) * 255)
    return np.clip(values, 0, 255).astype(np.uint8)


def _finish_picture(p, index, sample, infotexts, pictures):
    def infotext(main=False):
        own = {"use_main_prompt": main, "index": index, "all_negative_prompts": p.negative_prompts}
        return create_infotext(p, p.prompts, p.seeds, p.subseeds, **own)

    save = p.save_samples()
    image = Image.fromarray(_restore_faces(sample) if p.restore_faces else sample)
    image = _hook_image(p, "postprocess_image", image, index)
    mask, overlay = _overlay_of(p, index)
    if p.color_corrections and index < len(p.color_corrections):
        from modules.processing import apply_color_correction

        if save and opts.save_images_before_color_correction:
            plain, _ = apply_overlay(image, p.paste_to, overlay)
            _save(p, plain, index, infotext(), "-before-color-correction")
        image = apply_color_correction(p.color_corrections[index], image)
    image, original = apply_overlay(image, p.paste_to, overlay)
    image = _hook_image(p, "postprocess_image_after_composite", image, index)
    text = infotext()
    if save:
        _save(p, image, index, text)
    infotexts.append(text)
    if opts.enable_pnginfo:
        image.info["parameters"] = text
    pictures.append(image)
    if mask is not None:
        pictures.extend(_mask_pictures(p, index, image, mask, original, text, save))


def _restore_faces(sample):
    """Stands for the face restorer: its model and weight tint the picture."""
    from webui_standin import drawing

    colour = (240, 200, 170) if opts.face_restoration_model == "CodeFormer" else (200, 230, 180)
    return drawing.tint(sample, colour, 20 + round(opts.code_former_weight * 20))


def _hook_image(p, name, image, index):
    if p.scripts is None:
        return image
    passed = scripts.PostprocessImageArgs(image)
    if hasattr(passed, "index"):
        passed.index = p.iteration * p.batch_size + index
    getattr(p.scripts, name)(p, passed)
    return passed.image


def _overlay_of(p, index):
    mask, overlay = getattr(p, "mask_for_overlay", None), None
    if opts.overlay_inpaint and p.overlay_images and index < len(p.overlay_images):
        overlay = p.overlay_images[index]
    if p.scripts is not None:
        passed = scripts.PostProcessMaskOverlayArgs(index, mask, overlay)
        p.scripts.postprocess_maskoverlay(p, passed)
        mask, overlay = passed.mask_for_overlay, passed.overlay_image
    return mask, overlay


def apply_overlay(image, paste_loc, overlay):
    """Lay the original around the mask over a picture; also return the picture before that."""
    if overlay is None:
        return image, image.copy()
    if paste_loc is not None:
        x, y, width, height = paste_loc
        page = Image.new("RGBA", overlay.size)
        page.paste(images.resize_image(1, image, width, height), (x, y))
        image = page
    before = image.copy()
    image = image.convert("RGBA")
    image.alpha_composite(overlay)
    return image.convert("RGB"), before


def _save(p, image, index, text, suffix=""):
    folder, prompt = p.outpath_samples, p.prompts[index]
    images.save_image(
        image,
        folder,
        "",
        p.seeds[index],
        prompt,
        opts.samples_format,
        info=text,
        p=p,
        suffix=suffix,
    )


def _mask_pictures(p, index, image, mask, original, text, save):
    found = []
    if opts.return_mask or opts.save_mask:
        shown = mask.convert("RGB")
        if save and opts.save_mask:
            _save(p, shown, index, text, "-mask")
        found += [shown] if opts.return_mask else []
    if opts.return_mask_composite or opts.save_mask_composite:
        fitted = images.resize_image(2, mask, image.width, image.height).convert("L")
        shown = Image.composite(original.convert("RGBA"), Image.new("RGBA", image.size), fitted)
        if save and opts.save_mask_composite:
            _save(p, shown, index, text, "-mask-composite")
        found += [shown] if opts.return_mask_composite else []
    return found


def _add_grid(p, infotexts, pictures):
    """Put a grid in front of several pictures; return the index of the first picture."""
    wanted = (opts.return_grid or opts.grid_save) and not p.do_not_save_grid
    if not wanted or not pictures or (len(pictures) < 2 and opts.grid_only_if_multiple):
        return 0
    grid = images.image_grid(pictures, p.batch_size)
    text = create_infotext(
        p,
        p.prompts,
        p.seeds,
        p.subseeds,
        use_main_prompt=True,
        all_negative_prompts=p.negative_prompts,
    )
    if opts.return_grid:
        infotexts.insert(0, text)
        if opts.enable_pnginfo:
            grid.info["parameters"] = text
        pictures.insert(0, grid)
    if opts.grid_save:
        names = {
            "short_filename": not opts.grid_extended_filename,
            "grid": True,
            "p": p,
            "info": text,
        }
        images.save_image(
            grid,
            p.outpath_grids,
            "grid",
            p.all_seeds[0],
            p.all_prompts[0],
            opts.grid_format,
            **names,
        )
    return 1 if opts.return_grid else 0
