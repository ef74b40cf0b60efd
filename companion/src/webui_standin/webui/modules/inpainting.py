"""img2img and inpainting. Order and rules of masks: A1111 v1.10.1, modules/processing.py."""

import hashlib

import numpy as np
from PIL import Image, ImageOps

from modules import images, masking, recipe, sampling
from modules.shared import opts, state
from webui_standin import drawing

SIGMA = np.array([0.5, 0.5])  # noise level at which a pass blends, here once: half-way


def init(p, all_seeds):
    """Prepare mask and init images: `p.init_latent` becomes a list of arrays to draw over."""
    notes = p.extra_generation_params
    notes["Denoising strength"] = p.denoising_strength
    mask, crop = _prepare_mask(p, notes) if p.image_mask is not None else (None, None)
    latent_mask = p.latent_mask if p.latent_mask is not None else mask
    p.overlay_images = [] if mask is not None else p.overlay_images
    if opts.img2img_color_correction and p.color_corrections is None:
        p.color_corrections = []
    prepared = [_prepare_image(p, picture, mask, latent_mask, crop) for picture in p.init_images]
    p.init_latent = _one_per_picture(p, prepared)
    p.is_using_inpainting_conditioning = p.sd_model.is_inpaint
    if mask is not None:
        p.nmask = _weights(p, latent_mask)
        p.mask = 256 - p.nmask
        _fill_latent(p, notes)


def _prepare_mask(p, notes):
    """The mask of the drawn area, and the box that is cut out for it."""
    from modules.processing import create_binary_mask

    mask = create_binary_mask(p.image_mask, round=p.mask_round)
    if p.inpainting_mask_invert:
        mask = ImageOps.invert(mask)
        notes["Mask mode"] = "Inpaint not masked"
    pixels = drawing.blur(np.asarray(mask), p.mask_blur_x, 1)
    mask = Image.fromarray(drawing.blur(pixels, p.mask_blur_y, 0))
    if p.mask_blur_x > 0 or p.mask_blur_y > 0:
        notes["Mask blur"] = p.mask_blur
    if p.inpaint_full_res:
        return _cut_out(p, mask, notes)
    mask = images.resize_image(p.resize_mode, mask, p.width, p.height)
    p.mask_for_overlay = mask.point(lambda level: min(level * 2, 255))
    return mask, None


def _cut_out(p, mask, notes):
    p.mask_for_overlay = mask
    box = masking.get_crop_region_v2(mask, p.inpaint_full_res_padding)
    if box is None:
        p.comment(
            'Unable to perform "Inpaint Only mask" because mask is blank, switch to img2img mode.'
        )
        p.mask_for_overlay, p.inpaint_full_res = None, False
        return None, None
    box = masking.expand_crop_region(box, p.width, p.height, mask.width, mask.height)
    p.paste_to = (box[0], box[1], box[2] - box[0], box[3] - box[1])
    notes["Inpaint area"] = "Only masked"
    notes["Masked area padding"] = p.inpaint_full_res_padding
    return images.resize_image(2, mask.crop(box), p.width, p.height), box


def _prepare_image(p, picture, mask, latent_mask, crop):
    from modules.processing import setup_color_correction

    if opts.save_init_img:
        p.init_img_hash = hashlib.md5(picture.tobytes()).hexdigest()
        where = {"path": opts.outdir_init_images, "basename": None, "save_to_dirs": False}
        images.save_image(
            picture, forced_filename=p.init_img_hash, existing_info=picture.info, **where
        )
    image = images.flatten(picture, opts.img2img_background_color)
    if crop is None and p.resize_mode != 3:
        image = images.resize_image(p.resize_mode, image, p.width, p.height)
    if mask is not None:
        _keep_original(p, image)
    if crop is not None:
        image = images.resize_image(2, image.crop(crop), p.width, p.height)
    if mask is not None and p.inpainting_fill != 1:
        image = masking.fill(image, latent_mask.resize(image.size))
        if p.inpainting_fill == 0:
            p.extra_generation_params["Masked content"] = "fill"
    if p.color_corrections is not None and len(p.color_corrections) < len(p.init_images):
        p.color_corrections.append(setup_color_correction(image))
    pixels = np.asarray(image)
    # Mode 3 enlarges in latent space: another filter than the other modes.
    return drawing.resize(pixels, p.width, p.height, "bilinear") if p.resize_mode == 3 else pixels


def _keep_original(p, image):
    """Remember the part of the picture that isn't masked, to lay it over the result."""
    if p.mask_for_overlay.size != image.size:
        p.mask_for_overlay = images.resize_image(p.resize_mode, p.mask_for_overlay, *image.size)
    original = image.convert("RGBA")
    original.putalpha(ImageOps.invert(p.mask_for_overlay.convert("L")))
    p.overlay_images.append(original)


def _one_per_picture(p, prepared):
    if len(prepared) == 1:
        for name in ("overlay_images", "color_corrections"):
            if getattr(p, name):
                setattr(p, name, getattr(p, name) * p.batch_size)
        return prepared * p.batch_size
    if len(prepared) > p.batch_size:
        raise RuntimeError(
            f"bad number of images passed: {len(prepared)}; expecting {p.batch_size} or less"
        )
    p.batch_size = len(prepared)
    return prepared


def _weights(p, latent_mask):
    """Weight of the new picture at each pixel, from 0 to 256."""
    levels = np.asarray(latent_mask.convert("L").resize((p.width, p.height)), np.int32)
    levels = (levels + 64) // 128 * 128 if p.mask_round else levels
    return np.clip(levels * 256 // 255, 0, 256)[:, :, None]


def _fill_latent(p, notes):
    if p.inpainting_fill == 2:
        notes["Masked content"] = "latent noise"
        pairs = zip(p.init_latent, p.all_seeds, strict=False)
        p.init_latent = [
            drawing.blend(latent, _noise(latent, seed), p.nmask) for latent, seed in pairs
        ]
    elif p.inpainting_fill == 3:
        notes["Masked content"] = "latent nothing"
        p.init_latent = [
            drawing.blend(latent, np.zeros_like(latent), p.nmask) for latent in p.init_latent
        ]


def _noise(latent, seed):
    octets = hashlib.shake_256(str(seed).encode()).digest(latent.size)
    return np.frombuffer(octets, np.uint8).reshape(latent.shape)


def _details(p):
    found = {
        "denoising_strength": p.denoising_strength,
        "noise_multiplier": p.initial_noise_multiplier,
        "image_cfg_scale": p.image_cfg_scale if p.sd_model.cond_stage_key == "edit" else None,
        "extra_noise": opts.img2img_extra_noise,
        "fix_steps": opts.img2img_fix_steps,
        "encoder": opts.sd_vae_encode_method,
        "resize_mode": p.resize_mode,
    }
    if p.mask is not None:
        found["fill"] = p.inpainting_fill
        found["mask"] = hashlib.sha256(p.nmask.astype("<i4").tobytes()).hexdigest()
        weight = getattr(p, "inpainting_mask_weight", opts.inpainting_mask_weight)
        found["mask_weight"] = weight if p.is_using_inpainting_conditioning else None
    return found


def sample(p, **extra):
    """Draw over the init images as far as the denoising strength says, inside the mask; `extra`
    are further inputs of the drawing.
    """
    if p.initial_noise_multiplier != 1.0:
        p.extra_generation_params["Noise multiplier"] = p.initial_noise_multiplier
    if opts.img2img_extra_noise > 0:
        p.extra_generation_params["Extra noise"] = opts.img2img_extra_noise
    steps = sampling.start_pass(p, p.steps)
    pictures = [_draw_over(p, index, steps, extra) for index in range(len(p.seeds))]
    sampling.finish_pass(pictures)
    return pictures


def _draw_over(p, index, steps, extra):
    below = p.init_latent[index % len(p.init_latent)]
    extra = {**_details(p), **extra}
    extra["init"] = hashlib.sha256(below.tobytes()).hexdigest()
    drawn = drawing.draw(
        recipe.inputs(p, index, steps=steps, **extra), below.shape[1], below.shape[0]
    )
    drawn = drawing.blend(below, drawn, round(p.denoising_strength * 256))
    if p.mask is None or state.interrupted:
        return drawn
    # While sampling, and once more at the end: scripts tell the two by the denoiser.
    drawn = _blend_masked(p, below, drawn, denoiser=p.sampler, sigma=SIGMA)
    return _blend_masked(p, below, drawn)


def _blend_masked(p, below, drawn, **while_sampling):
    """Keep what isn't masked, unless a script blends in its own way."""
    from modules import scripts

    blended = drawing.blend(below, drawn, p.nmask)
    if p.scripts is None:
        return blended
    arguments = scripts.MaskBlendArgs(drawn, p.nmask, below, p.mask, blended, **while_sampling)
    p.scripts.on_mask_blend(p, arguments)
    return arguments.blended_latent
