"""Which of the webui's options decide pixels, and the extension's own options.

An option that decides pixels is in no payload by itself: the same payload gives another picture
on a server that is set otherwise. What a request can set is pinned in ``override_settings``
(`PIXEL_OPTIONS`); the rest are facts of the host, in which both have to agree (`FIXED`).

Source of both tables: the options that the generation code of A1111 v1.6.0, v1.8.0, v1.9.4,
v1.10.1, Forge dfdcbab6 and reForge 3b56b268 reads. ``tests/hosts/test_settings.py`` flips each on
a running host and looks at the pixels; ``docs/settings.md`` says what was seen where. An option
that a host does not have is left out by itself.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from payload_capture.auth import POLICIES

ENABLED = "payload_capture_enabled"
FROM = "payload_capture_from"
SOURCES: dict[str, str] = {"ui": "page", "api": "API", "script": "extensions"}
"""Where a job comes from → the choice of `FROM` by which it is captured."""
REPEATABLE = "payload_capture_repeatable"
DATABASE, ASSETS = "payload_capture_database", "payload_capture_assets"
KEEP_DAYS, KEEP_COUNT = "payload_capture_keep_days", "payload_capture_keep_count"
KEEP_GIGABYTES, TRASH_DAYS = "payload_capture_keep_gigabytes", "payload_capture_trash_days"
PICTURES = "payload_capture_pictures"
ANONYMOUS = "payload_capture_anonymous"
BLURRED = "payload_capture_blurred"
STRANGERS = "payload_capture_strangers"
HOST_NAMES = "payload_capture_host_names"


class Setting(NamedTuple):
    """One of the extension's own options, as the settings page shows it.

    Args:
        default: a tuple where any of the choices can be chosen together.
        choices: the values it can have, where they are few.
        by_owner: whether the API must not change it.
    """

    default: bool | int | str | tuple[str, ...]
    label: str
    explanation: str
    choices: tuple[str, ...] = ()
    by_owner: bool = False


OWN: dict[str, Setting] = {
    ENABLED: Setting(
        True,
        "Capture generations",
        "Each generation is kept as the API request that makes the same picture again, and shown "
        "in the Payloads tab.",
    ),
    FROM: Setting(
        tuple(SOURCES.values()),
        "Capture what comes from",
        "page: jobs that start with a press of Generate in txt2img, img2img or Extras. API: jobs "
        "that other programs ask this webui for. extensions: jobs that nobody started with "
        "Generate and no program asked for.",
        tuple(SOURCES.values()),
    ),
    PICTURES: Setting(
        "all",
        "Keep pictures",
        "all: every picture is kept, results too. needed: only pictures that a request sends are "
        "kept, such as init images; results leave a hash, so that a replay can still be proven. "
        "none: only hashes are kept, so what begins with a picture cannot be replayed.",
        ("all", "needed", "none"),
    ),
    ANONYMOUS: Setting(
        False,
        "Leave out names of users and folders",
        "Captures are kept without who made them and without this computer's folders. Where a "
        "script reads a file, its path has to be put in again before a replay; the capture says "
        "where. Downloads and exports leave these names out in any case.",
    ),
    BLURRED: Setting(
        False,
        "Blur thumbnails",
        "The small pictures of the Payloads tab show colours and no more, for when others look on.",
    ),
    STRANGERS: Setting(
        "read-only",
        "What strangers may do with captures",
        "This counts where other machines can reach the webui and it asks for no password. open: "
        "they may read, change and delete captures. read-only: they may read them. refused: they "
        "may do nothing. A less strict choice takes effect when the webui is started anew.",
        POLICIES,
        by_owner=True,
    ),
    HOST_NAMES: Setting(
        "",
        "Further names of this server",
        "Put the names here, with commas between, by which browsers reach a webui that is on the "
        "internet without a password, such as sd.example.com. Takes effect after Reload UI.",
        by_owner=True,
    ),
    REPEATABLE: Setting(
        False,
        "Make img2img repeatable bit for bit",
        "By itself the webui encodes an init image with noise that depends on what was generated "
        "before, so the same img2img differs a little each time. With this on, the noise comes "
        "from the job's own seed, and Forge hides infotext only in the saved file, not in the "
        "picture that Loopback goes on with.",
    ),
    DATABASE: Setting(
        "",
        "Database of captures",
        "Leave this empty for a file in the webui's folder. Several webuis can share one database "
        "by its URL, such as postgresql+psycopg://user:password@server/captures. Takes effect "
        "after Reload UI.",
        by_owner=True,
    ),
    ASSETS: Setting(
        "",
        "Folder or object store of pictures",
        "Leave this empty for a folder beside the file of captures. Else put a folder's path here, "
        "or a URL such as s3://bucket/captures. Takes effect after Reload UI.",
        by_owner=True,
    ),
    KEEP_DAYS: Setting(
        0,
        "Keep captures for this many days",
        "Older captures are removed for good. 0 keeps them for ever; starred ones always stay.",
        by_owner=True,
    ),
    KEEP_COUNT: Setting(
        0,
        "Keep this many captures",
        "When there are more, the oldest are removed for good. 0 keeps all; starred ones always "
        "stay.",
        by_owner=True,
    ),
    KEEP_GIGABYTES: Setting(
        0,
        "Keep this many gigabytes of pictures",
        "When there are more, the oldest captures are removed for good. 0 keeps all; starred ones "
        "always stay.",
        by_owner=True,
    ),
    TRASH_DAYS: Setting(
        30,
        "Empty the trash after this many days",
        "What was deleted can be restored until then. 0 keeps it until somebody deletes it for "
        "good.",
        by_owner=True,
    ),
}
"""The extension's options, in the order of the settings page."""

When = Literal["always", "txt2img", "img2img", "hires", "faces", "extras"]
"""Kinds of job. `txt2img` and `img2img` tell them apart where no script runs."""


class Option(NamedTuple):
    """One option that decides pixels, or a family of them.

    Args:
        names: one name or several, or shell patterns for them, with spaces between.
        reason: what it changes.
        when: the kinds of job in which it counts.
        unless: an option whose presence says that the host takes this from there.
        needs: what a host needs to show it, where the tests' hosts do not have it.
    """

    names: str
    reason: str
    when: tuple[When, ...] = ("always",)
    unless: str = ""
    needs: str = ""

    def of(self, known: Mapping[str, object]) -> Iterator[str]:
        """Those of the known options that it names."""
        for name in self.names.split():
            if set(name) & set("*["):
                yield from filter(re.compile(fnmatch.translate(name)).match, known)
            elif name in known:
                yield name


_DENOISED: tuple[When, ...] = ("img2img", "hires")
_ENLARGED: tuple[When, ...] = ("img2img", "hires", "extras")
_MODULES = "forge_additional_modules"
_WEIGHTS = "the model's weights"
_SHOWN = "a job that shows it: one was tried"
_TRIED = "to be tried"

PIXEL_OPTIONS: tuple[Option, ...] = (
    # weights
    Option("sd_model_checkpoint", "the weights"),
    Option("sd_vae", "the VAE", unless=_MODULES),
    Option(
        "sd_vae_overrides_per_model_preferences",
        "that VAE or the checkpoint's own",
        unless=_MODULES,
        needs="a VAE beside the checkpoint",
    ),
    Option(_MODULES, "VAE and text encoders beside the checkpoint"),
    Option("sd_unet", "a converted UNet instead of the checkpoint's", needs="such a UNet"),
    Option("auto_vae_precision*", "decodes NaN again, more exactly", needs="half precision"),
    Option("upcast_attn", "attention in float32", needs="half precision"),
    Option("sd_vae_decode_method", "what decodes: the VAE or an approximation"),
    Option("sd_vae_encode_method", "what encodes", _DENOISED, needs="TAESD's weights"),
    # text to conditioning
    Option("CLIP_stop_at_last_layers", "clip skip"),
    Option("dynamic_clip_skip_*", "clip skip by step"),
    Option("sdxl_clip_l_skip", "clip skip of the first text encoder", needs="SDXL"),
    Option("sdxl_crop_top sdxl_crop_left", "the crop that the model is told", needs="SDXL"),
    Option("sdxl_refiner_*_aesthetic_score", "the score it is told", needs="SDXL's refiner"),
    Option("sd3_enable_t5", "whether the third text encoder reads the prompt", needs="SD3"),
    Option("emphasis enable_emphasis", "how (words:1.2) weigh"),
    Option("use_old_emphasis_implementation", "how (words:1.2) weigh and where a text is cut"),
    Option("comma_padding_backtrack", "where a long prompt is cut"),
    Option("enable_prompt_comments", "whether # begins a comment"),
    Option("use_old_scheduling", "when [from:to:when] switches"),
    Option("pad_cond_uncond pad_cond_uncond_v0", "pads the shorter of the two prompts"),
    Option("batch_cond_uncond", "one batch for both prompts rounds otherwise than two"),
    Option("extra_networks_default_multiplier", "the weight of <lora:name>"),
    Option("lora_functional", "adds a LoRA to results instead of weights"),
    Option("sd_lora sd_hypernetwork", "a network in every prompt"),
    # noise
    Option("randn_source forge_try_reproduce", "which generator draws the noise"),
    Option("eta_noise_seed_delta", "the seed of ancestral noise"),
    Option("no_dpmpp_sde_batch_determinism", "the noise of SDE samplers in a batch"),
    # sampling
    Option("eta_ddim eta_ancestral", "how much noise a step adds"),
    Option("s_churn s_tmin s_tmax s_noise", "how much noise Euler, Heun and others add, and when"),
    Option("s_min_uncond s_min_uncond_all skip_early_cond", "steps without negative prompt"),
    Option("sigma_min sigma_max rho", "the schedule's ends and steepness"),
    Option("k_sched_type", "the schedule, before requests had a field for it"),
    Option("beta_dist_alpha beta_dist_beta", "the shape of the schedule Beta"),
    Option("use_old_karras_scheduler_sigmas", "the ends of the schedule Karras"),
    Option("always_discard_next_to_last_sigma", "the schedule without its last but one step"),
    Option("sd_noise_schedule use_downcasted_alpha_bar", "the model's own noise schedule"),
    Option("sgm_noise_multiplier", "the first noise, as in Stability's code"),
    Option("enable_quantization", "sigmas rounded to the trained steps"),
    Option("uni_pc_*", "UniPC's variant, steps and order"),
    Option("refiner_switch_by_sample_steps", "when the refiner takes over"),
    Option("epsilon_scaling_*", "scales the guided prediction"),
    # what samplers and schedules have of their own
    Option("euler_*_s_* euler_*_eta heun*_s_*", "a sampler's noise"),
    Option("euler_a2_extrapolation", "a sampler's noise", needs="sd_sampling ldm patched"),
    Option("dpm*_s_* dpm*_eta dpm*_r", "a sampler's noise and steps"),
    Option("dpm*_solver dpm*_solver_type", "a sampler's solver"),
    Option(
        "ipndm*_max_order deis_max_order", "a sampler's order", needs="a job that does not fail"
    ),
    Option("deis_mode", "a sampler's order", needs="a job that does not fail"),
    Option("kohaku_lonyu_*", "a sampler's noise", needs=_SHOWN),
    Option("ode_*_rtol ode_*_atol", "an ODE solver's tolerances", needs=_TRIED),
    Option("ode_*_max_steps ode_custom_solver", "an ODE solver and its steps", needs=_TRIED),
    Option("custom_sampler_* custom_cfg_*", "what the sampler Custom is", needs=_TRIED),
    Option("*karras*_rho *polyexponential_rho *exponential_shrink_factor", "a schedule's shape"),
    Option("*_sf_factor *_dynsf_factor *cosexpblend_exp_decay", "a schedule's shape"),
    Option("phi_power laplace_mu laplace_beta ays_custom_sigmas", "a schedule's shape"),
    Option("reforge_phi_power reforge_laplace_* reforge_ays_custom_sigmas", "a schedule's shape"),
    Option("reforge_normal_sgm reforge_beta_dist_*", "a schedule's shape", needs=_SHOWN),
    # attention
    Option("token_merging_ratio", "merges tokens"),
    Option("token_merging_ratio_img2img", "merges tokens in img2img", ("img2img",)),
    Option("token_merging_ratio_hr", "merges tokens in hires. fix", ("hires",)),
    Option("hypertile_enable_* hypertile_max_* hypertile_swap_*", "attention in tiles"),
    Option("tiling", "edges that meet"),
    # img2img
    Option("img2img_background_color", "what shows through transparent parts", ("img2img",)),
    Option("img2img_color_correction", "puts the init image's colours back", ("img2img",)),
    Option("img2img_fix_steps", "all steps instead of those left by the strength", ("img2img",)),
    Option("inpainting_mask_weight", "what an inpainting model sees below a mask", _DENOISED),
    Option("overlay_inpaint", "whether what is not masked is pasted back", ("img2img",)),
    Option("img2img_extra_noise", "noise put on before denoising", _DENOISED),
    Option("return_mask return_mask_composite", "returns the mask too", ("img2img",)),
    # hires. fix
    Option("hires_fix_refiner_pass", "which pass is refined", ("hires",)),
    Option(
        "hires_fix_use_firstpass_conds", "its prompt read by the first pass's LoRAs", ("hires",)
    ),
    Option("use_old_hires_fix_width_height", "which size the fields mean", ("hires",)),
    # upscalers
    Option("upscaler_for_img2img", "how an init image is enlarged", ("img2img",)),
    Option("[A-Z]*_tile [A-Z]*_tile_overlap", "upscales in tiles", _ENLARGED, needs=_WEIGHTS),
    Option("prefer_fp16_upscalers", "upscales in half precision", _ENLARGED, needs=_WEIGHTS),
    Option("SWIN_torch_compile ldsr_steps", "kernels and steps", _ENLARGED, needs=_WEIGHTS),
    # faces
    Option("face_restoration", "whether faces are restored", ("faces",), needs=_WEIGHTS),
    Option("face_restoration_model", "what restores them", ("faces",), needs=_WEIGHTS),
    Option("code_former_weight", "how much it changes them", ("faces",), needs=_WEIGHTS),
    # Extras
    Option(
        "postprocessing_operation_order",
        "which operation comes first",
        ("extras",),
        needs="two operations whose order shows",
    ),
    Option(
        "postprocessing_disable_in_extras",
        "which operations there are",
        ("extras",),
        needs="an operation switched off",
    ),
)
"""The options that decide pixels and that a request can set."""

FIXED: tuple[Option, ...] = (
    # taken when a model is loaded
    Option("cross_attention_optimization", "the attention kernel"),
    Option("fp8_storage", "weights in 8 bits"),
    Option("cache_fp16_weight", "what LoRAs are added to where weights have 8 bits"),
    Option("sd3_enable_t5", "whether SD3's third text encoder is loaded at all"),
    Option("forge_unet_storage_dtype", "weights in low bits"),
    Option("sd_text_encoder", "another text encoder"),
    Option("reflective_padding_vae_sd", "the VAE's padding"),
    Option("use_old_clip_g_load_and_ztsnr_application", "how SDXL's text encoder is loaded"),
    Option("cond_stage_model_device_compatibility_check", "where the text encoder runs"),
    # taken at start
    Option("sd_sampling", "which sampler code there is"),
    Option("postprocessing_enable_in_main_ui", "operations of Extras on each picture"),
    # read by scripts before or after the generations in which overrides hold
    Option("return_grid n_rows grid_prevent_empty_spots", "a grid's cells"),
    Option("grid_*_color font", "a grid's ground and legend"),
    Option("img2img_background_color", "what SD upscale puts below transparent parts"),
    Option("img2img_color_correction", "whether loopback puts the first colours back"),
    Option("interrogate_clip_* interrogate_deepbooru_*", "what loopback adds to the prompt"),
    Option("interrogate_return_ranks deepbooru_*", "what loopback adds to the prompt"),
    # read when the answer is encoded, after overrides have ended
    Option("samples_format jpeg_quality webp_lossless", "what the answer loses as jpg or webp"),
    # unknown to servers without this extension, which answer 500
    Option(REPEATABLE, "the noise of encoding"),
)
"""Options that decide pixels and that ``override_settings`` cannot set, or not in every use.

Those that are taken when a model is loaded have a callback, which an override does not run
(A1111 v1.10.1, ``modules/processing.py``: ``run_callbacks=False``).
"""


def decisive(options: Mapping[str, Any], when: Iterable[When]) -> dict[str, Any]:
    """The options that decide the pixels of a job to which all of `when` applies.

    `options` are all that the host has, by name; None stands for "not set" and is left out, since
    the API answers 500 to some options that are null.
    """
    groups = frozenset(when)
    found = {name: options[name] for name in _names(tuple(options), groups)}
    # In img2img a pinned token_merging_ratio beats the one for img2img, which by itself it does not
    # (A1111 v1.10.1, StableDiffusionProcessingImg2Img.get_token_merging_ratio).
    if "txt2img" not in groups and found.get("token_merging_ratio_img2img"):
        del found["token_merging_ratio"]
    return {name: value for name, value in found.items() if value is not None}


def fixed(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that decide pixels and that no request can set, as the host has them."""
    known = dict.fromkeys(options)
    return {name: options[name] for option in FIXED for name in option.of(known)}


@functools.lru_cache
def _names(known: tuple[str, ...], groups: frozenset[When]) -> tuple[str, ...]:
    names = dict.fromkeys(known)
    counting = (
        option
        for option in PIXEL_OPTIONS
        if not groups.isdisjoint(option.when) and option.unless not in names
    )
    return tuple(name for option in counting for name in option.of(names))
