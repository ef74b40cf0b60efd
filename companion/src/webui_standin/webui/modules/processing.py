"""One generation: the processing objects, their results, and the call that runs them.

Field names, defaults and the order of steps: A1111 v1.10.1, modules/processing.py;
Forge's own fields: dfdcbab6, the same file.
"""

import json
import random
import sys
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from modules import sd_models, sd_samplers, sd_vae, shared
from modules.infotext import create_infotext
from modules.shared import opts, state
from webui_standin.flavour import has_forge_traits, is_forge

opt_C, opt_f = 4, 8


@dataclass(repr=False)
class StableDiffusionProcessing:
    """What both tabs have in common; the fields of the constructor are those of the API."""

    sd_model: object = None
    outpath_samples: str = None
    outpath_grids: str = None
    prompt: str = ""
    prompt_for_display: str = None
    negative_prompt: str = ""
    styles: list[str] = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    seed_resize_from_h: int = -1
    seed_resize_from_w: int = -1
    seed_enable_extras: bool = True
    sampler_name: str = None
    scheduler: str = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    if is_forge():
        distilled_cfg_scale: float = 3.5
    width: int = 512
    height: int = 512
    restore_faces: bool = None
    tiling: bool = None
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    extra_generation_params: dict[str, Any] = None
    overlay_images: list = None
    eta: float = None
    do_not_reload_embeddings: bool = False
    denoising_strength: float = None
    ddim_discretize: str = None
    s_min_uncond: float = None
    s_churn: float = None
    s_tmax: float = None
    s_tmin: float = None
    s_noise: float = None
    override_settings: dict[str, Any] = None
    override_settings_restore_afterwards: bool = True
    sampler_index: int = None
    refiner_checkpoint: str = None
    refiner_switch_at: float = None
    disable_extra_networks: bool = False
    firstpass_image: Image = None
    comments: dict = None

    scripts_value: Any = field(default=None, init=False)
    script_args_value: Any = field(default=None, init=False)
    scripts_setup_complete: bool = field(default=False, init=False)
    sampler: Any = field(default=None, init=False)
    is_using_inpainting_conditioning: bool = field(default=False, init=False)
    paste_to: Any = field(default=None, init=False)
    is_hr_pass: bool = field(default=False, init=False)
    c: Any = field(default=None, init=False)
    uc: Any = field(default=None, init=False)
    rng: Any = field(default=None, init=False)
    step_multiplier: int = field(default=1, init=False)
    color_corrections: Any = field(default=None, init=False)
    all_prompts: Any = field(default=None, init=False)
    all_negative_prompts: Any = field(default=None, init=False)
    all_seeds: Any = field(default=None, init=False)
    all_subseeds: Any = field(default=None, init=False)
    iteration: int = field(default=0, init=False)
    main_prompt: Any = field(default=None, init=False)
    main_negative_prompt: Any = field(default=None, init=False)
    prompts: Any = field(default=None, init=False)
    negative_prompts: Any = field(default=None, init=False)
    seeds: Any = field(default=None, init=False)
    subseeds: Any = field(default=None, init=False)
    extra_network_data: Any = field(default=None, init=False)
    user: Any = field(default=None, init=False)
    sd_model_name: Any = field(default=None, init=False)
    sd_model_hash: Any = field(default=None, init=False)
    sd_vae_name: Any = field(default=None, init=False)
    sd_vae_hash: Any = field(default=None, init=False)
    is_api: bool = field(default=False, init=False)

    token_merging_ratio = 0
    token_merging_ratio_hr = 0
    cached_c = cached_uc = (None, None)

    def __post_init__(self):
        if self.sampler_index is not None:
            print("sampler_index does not do anything; use sampler_name", file=sys.stderr)
        self.comments, self.styles = {}, self.styles or []
        self.extra_generation_params = self.extra_generation_params or {}
        self.override_settings = self.override_settings or {}
        self.script_args = self.script_args or {}
        self.refiner_checkpoint_info = self.sampler_noise_scheduler_override = None
        self.extra_result_images = []
        if not self.seed_enable_extras:
            self.subseed, self.subseed_strength = -1, 0
            self.seed_resize_from_h = self.seed_resize_from_w = 0

    @property
    def sd_model(self):
        """The webui's current model; setting it does nothing."""
        return shared.sd_model

    @sd_model.setter
    def sd_model(self, value):
        pass

    @property
    def scripts(self):
        """The script runner; once it and the arguments are there, scripts are set up."""
        return self.scripts_value

    @scripts.setter
    def scripts(self, value):
        self.scripts_value = value
        self._setup_once()

    @property
    def script_args(self):
        """The flat arguments of all scripts."""
        return self.script_args_value

    @script_args.setter
    def script_args(self, value):
        self.script_args_value = value
        self._setup_once()

    def _setup_once(self):
        if self.scripts_value and self.script_args_value and not self.scripts_setup_complete:
            self.setup_scripts()

    def setup_scripts(self):
        """Call the scripts' `setup`."""
        self.scripts_setup_complete = True
        self.scripts.setup_scrips(self, is_ui=not self.is_api)

    def comment(self, text):
        """Show a text under the result."""
        self.comments[text] = 1

    def fill_fields_from_opts(self):
        """Take what the job doesn't say from the settings; no upper sigma becomes infinity."""
        for name in ("s_min_uncond", "s_churn", "s_tmin", "s_tmax", "s_noise"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(opts, name))
        self.s_tmax = self.s_tmax or float("inf")

    def init(self, all_prompts, all_seeds, all_subseeds):
        """Prepare the job once all prompts and seeds are known."""

    def sample(
        self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts
    ):
        """Draw one batch: a list of arrays, height × width × 3 of uint8."""
        raise NotImplementedError

    def close(self):
        """Let go of what the job held."""
        self.sampler = self.c = self.uc = None

    def get_token_merging_ratio(self, for_hr=False):
        """The ratio of a pass: the job's, or the settings'."""
        plain = self.token_merging_ratio or opts.token_merging_ratio
        return (
            (self.token_merging_ratio_hr or opts.token_merging_ratio_hr or plain)
            if for_hr
            else plain
        )

    def setup_prompts(self):
        """Give each picture its prompts, styles included."""
        count = self.batch_size * self.n_iter
        if isinstance(self.negative_prompt, list):
            count = len(self.negative_prompt)
        positive = self.prompt if isinstance(self.prompt, list) else [self.prompt] * count
        negative = (
            self.negative_prompt
            if isinstance(self.negative_prompt, list)
            else [self.negative_prompt] * len(positive)
        )
        if len(positive) != len(negative):
            raise RuntimeError(
                f"Received a different number of prompts ({len(positive)}) "
                f"and negative prompts ({len(negative)})"
            )
        styles = shared.prompt_styles
        self.all_prompts = [styles.apply_styles_to_prompt(text, self.styles) for text in positive]
        self.all_negative_prompts = [
            styles.apply_negative_styles_to_prompt(text, self.styles) for text in negative
        ]
        self.main_prompt, self.main_negative_prompt = (
            self.all_prompts[0],
            self.all_negative_prompts[0],
        )

    def parse_extra_network_prompts(self):
        """Take `<lora:…>` out of the batch's prompts."""
        from modules import extra_networks

        self.prompts, self.extra_network_data = extra_networks.parse_prompts(self.prompts)

    def setup_conds(self):
        """Count the sampler's model calls; without steps that is a ZeroDivisionError, as it really
        is."""
        config = sd_samplers.find_sampler_config(self.sampler_name)
        total = config.total_steps(self.steps) if config else self.steps
        self.step_multiplier, self.firstpass_steps = total // self.steps, total

    def get_conds(self):
        """There is no text encoder."""
        return self.c, self.uc

    def save_samples(self):
        """Tell whether pictures go to disk."""
        whole = opts.save_incomplete_images or not (state.interrupted or state.skipped)
        return opts.samples_save and not self.do_not_save_samples and whole


class Processed:
    """The result of a job: pictures, and what made them."""

    def __init__(
        self,
        p,
        images_list,
        seed=-1,
        info="",
        subseed=None,
        all_prompts=None,
        all_negative_prompts=None,
        all_seeds=None,
        all_subseeds=None,
        index_of_first_image=0,
        infotexts=None,
        comments="",
        extra_images_list=(),
    ):
        self.images, self.info = images_list, info
        if has_forge_traits():
            self.extra_images = list(extra_images_list)
        self.comments = "".join(f"{comment}\n" for comment in p.comments)
        for name in _COPIED:
            setattr(self, name, getattr(p, name, None))
        self.prompt, self.negative_prompt = _first(p.prompt), _first(p.negative_prompt)
        self.seed = -1 if seed is None else int(_first(seed))
        self.subseed = -1 if subseed is None else int(_first(subseed))
        self.face_restoration_model = opts.face_restoration_model if p.restore_faces else None
        self.index_of_first_image, self.job_timestamp = index_of_first_image, state.job_timestamp
        self.clip_skip, self.version = opts.CLIP_stop_at_last_layers, program_version()
        self.all_prompts = all_prompts or p.all_prompts or [self.prompt]
        self.all_negative_prompts = (
            all_negative_prompts or p.all_negative_prompts or [self.negative_prompt]
        )
        self.all_seeds = all_seeds or p.all_seeds or [self.seed]
        self.all_subseeds = all_subseeds or p.all_subseeds or [self.subseed]
        self.infotexts = infotexts or [info] * len(images_list)

    def js(self):
        """What the page and the API call `info`, as JSON; values that aren't JSON become null."""
        shown = {name: getattr(self, name) for name in _SHOWN}
        shown["prompt"], shown["negative_prompt"] = (
            self.all_prompts[0],
            self.all_negative_prompts[0],
        )
        return json.dumps(shown, default=lambda value: None)

    def infotext(self, p, index):
        """The infotext of one picture."""
        place = {
            "position_in_batch": index % self.batch_size,
            "iteration": index // self.batch_size,
        }
        return create_infotext(
            p, self.all_prompts, self.all_seeds, self.all_subseeds, comments=[], **place
        )

    def get_token_merging_ratio(self, for_hr=False):
        """The ratio of a pass."""
        return self.token_merging_ratio_hr if for_hr else self.token_merging_ratio


_COPIED = [
    "subseed_strength",
    "width",
    "height",
    "sampler_name",
    "cfg_scale",
    "image_cfg_scale",
    "steps",
    "batch_size",
    "restore_faces",
    "sd_model_name",
    "sd_model_hash",
    "sd_vae_name",
    "sd_vae_hash",
    "seed_resize_from_w",
    "seed_resize_from_h",
    "denoising_strength",
    "extra_generation_params",
    "styles",
    "token_merging_ratio",
    "token_merging_ratio_hr",
    "eta",
    "ddim_discretize",
    "s_churn",
    "s_tmin",
    "s_tmax",
    "s_noise",
    "s_min_uncond",
    "sampler_noise_scheduler_override",
    "is_using_inpainting_conditioning",
]
_SHOWN = [
    "prompt",
    "all_prompts",
    "negative_prompt",
    "all_negative_prompts",
    "seed",
    "all_seeds",
    "subseed",
    "all_subseeds",
    "subseed_strength",
    "width",
    "height",
    "sampler_name",
    "cfg_scale",
    "steps",
    "batch_size",
    "restore_faces",
    "face_restoration_model",
    "sd_model_name",
    "sd_model_hash",
    "sd_vae_name",
    "sd_vae_hash",
    "seed_resize_from_w",
    "seed_resize_from_h",
    "denoising_strength",
    "extra_generation_params",
    "index_of_first_image",
    "infotexts",
    "styles",
    "job_timestamp",
    "clip_skip",
    "is_using_inpainting_conditioning",
    "version",
]


def _first(value):
    return value[0] if isinstance(value, list) else value


def get_fixed_seed(seed):
    """A random seed for -1, empty and unreadable ones."""
    if isinstance(seed, str):
        try:
            seed = int(seed)
        except ValueError:
            seed = -1
    return random.randrange(4294967294) if seed is None or seed == -1 else seed


def fix_seed(p):
    """Replace random seeds by numbers."""
    p.seed, p.subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)


def program_version():
    """The version that infotexts name."""
    import launch

    return launch.git_tag()


def process_images(p):
    """Run a job with its override settings; only options that were known before are restored."""
    if p.scripts is not None:
        p.scripts.before_process(p)
    before = {name: opts.data[name] for name in p.override_settings if name in opts.data}
    try:
        _apply_overrides(p)
        sd_samplers.fix_p_invalid_sampler_and_scheduler(p)
        return process_images_inner(p)
    finally:
        if p.override_settings_restore_afterwards:
            for name, value in before.items():
                setattr(opts, name, value)
                if name == "sd_vae":
                    sd_vae.reload_vae_weights()


def _apply_overrides(p):
    """Set what the job overrides; an unknown checkpoint is dropped, an unknown option a
    KeyError."""
    if p.override_settings.get("sd_model_checkpoint") not in sd_models.checkpoint_aliases:
        p.override_settings.pop("sd_model_checkpoint", None)
        sd_models.reload_model_weights()
    for name, value in p.override_settings.items():
        _override(name, value)
        if name == "sd_model_checkpoint":
            sd_models.reload_model_weights()
        if name == "sd_vae":
            sd_vae.reload_vae_weights()


def _override(name, value):
    if is_forge():
        from modules_forge import main_entry

        main_entry.set_option(name, value)
    else:
        opts.set(name, value, is_api=True, run_callbacks=False)


def process_images_inner(p):
    """Run a job under the settings as they are."""
    from modules.batches import run_batches

    return run_batches(p)


def create_binary_mask(image, round=True):
    """The mask of an uploaded picture: its transparency if it has any, else its brightness."""
    if image.mode != "RGBA" or image.getextrema()[-1] == (255, 255):
        return image.convert("L")
    alpha = image.getchannel("A")
    return alpha.point(lambda level: 255 if level > 128 else 0) if round else alpha


def setup_color_correction(image):
    """The mean colour of a picture, towards which results are moved."""
    import numpy as np

    return np.asarray(image.convert("RGB")).reshape(-1, 3).mean(axis=0).astype(np.int32)


def apply_color_correction(correction, original_image):
    """Move a picture's mean colour to the given one."""
    import numpy as np

    pixels = np.asarray(original_image.convert("RGB")).astype(np.int32)
    moved = pixels + (correction - pixels.reshape(-1, 3).mean(axis=0).astype(np.int32))
    return Image.fromarray(np.clip(moved, 0, 255).astype(np.uint8))


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    """A job of the txt2img tab."""

    enable_hr: bool = False
    denoising_strength: float = 0.75
    firstphase_width: int = 0
    firstphase_height: int = 0
    hr_scale: float = 2.0
    hr_upscaler: str = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str = None
    if is_forge():
        hr_additional_modules: list = field(default=None)
    hr_sampler_name: str = None
    hr_scheduler: str = None
    hr_prompt: str = ""
    hr_negative_prompt: str = ""
    if has_forge_traits():
        hr_cfg: float = 1.0
    if is_forge():
        hr_distilled_cfg: float = 3.5
    force_task_id: str = None

    hr_checkpoint_info: Any = field(default=None, init=False)
    hr_upscale_to_x: int = field(default=0, init=False)
    hr_upscale_to_y: int = field(default=0, init=False)
    truncate_x: int = field(default=0, init=False)
    truncate_y: int = field(default=0, init=False)
    applied_old_hires_behavior_to: Any = field(default=None, init=False)
    latent_scale_mode: Any = field(default=None, init=False)
    hr_c: Any = field(default=None, init=False)
    hr_uc: Any = field(default=None, init=False)
    all_hr_prompts: Any = field(default=None, init=False)
    all_hr_negative_prompts: Any = field(default=None, init=False)
    hr_prompts: Any = field(default=None, init=False)
    hr_negative_prompts: Any = field(default=None, init=False)
    hr_extra_network_data: Any = field(default=None, init=False)

    def __post_init__(self):
        super().__post_init__()
        if self.firstphase_width or self.firstphase_height:
            self.hr_upscale_to_x, self.hr_upscale_to_y = self.width, self.height
            self.width, self.height = self.firstphase_width, self.firstphase_height

    def setup_prompts(self):
        super().setup_prompts()
        if self.enable_hr:
            from modules import hires

            hires.setup_prompts(self)

    def parse_extra_network_prompts(self):
        super().parse_extra_network_prompts()
        if self.enable_hr:
            from modules import hires

            hires.parse_prompts(self)

    def calculate_target_resolution(self):
        """Work out the size of the second pass."""
        from modules import hires

        hires.calculate_target_resolution(self)

    def init(self, all_prompts, all_seeds, all_subseeds):
        if self.enable_hr:
            from modules import hires

            hires.init(self)

    def sample(
        self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts
    ):
        from modules import hires, sampling

        self.sampler = sd_samplers.create_sampler(self.sampler_name, self.sd_model)
        if self.firstpass_image is not None and self.enable_hr:
            channels = len(self.firstpass_image.getbands())
            if channels != 3:  # what Forge's VAE says of a picture with its mark
                raise RuntimeError(
                    f"expected input to have 3 channels, but got {channels} channels"
                )
            return hires.second_pass(self, [self.firstpass_image] * len(seeds))
        drawn = sampling.first_pass(self)
        return hires.second_pass(self, drawn) if self.enable_hr else drawn

    def close(self):
        super().close()
        self.hr_c = self.hr_uc = None


@dataclass(repr=False)
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    """A job of the img2img tab."""

    init_images: list = None
    resize_mode: int = 0
    denoising_strength: float = 0.75
    image_cfg_scale: float = None
    mask: Any = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: int = None
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float = None
    latent_mask: Image = None
    force_task_id: str = None

    image_mask: Any = field(default=None, init=False)
    nmask: Any = field(default=None, init=False)
    image_conditioning: Any = field(default=None, init=False)
    init_img_hash: str | None = field(default=None, init=False)
    mask_for_overlay: Any = field(default=None, init=False)
    init_latent: Any = field(default=None, init=False)

    def __post_init__(self):
        super().__post_init__()
        self.image_mask, self.mask = self.mask, None
        if self.initial_noise_multiplier is None:
            self.initial_noise_multiplier = opts.initial_noise_multiplier

    @property
    def mask_blur(self):
        """The blur of both directions, None if they differ; only a whole number sets them."""
        return self.mask_blur_x if self.mask_blur_x == self.mask_blur_y else None

    @mask_blur.setter
    def mask_blur(self, value):
        if isinstance(value, int):
            self.mask_blur_x = self.mask_blur_y = value

    def init(self, all_prompts, all_seeds, all_subseeds):
        from modules import inpainting

        self.sampler = sd_samplers.create_sampler(self.sampler_name, self.sd_model)
        inpainting.init(self, all_seeds)

    def sample(
        self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts
    ):
        from modules import inpainting

        return inpainting.sample(self)

    def get_token_merging_ratio(self, for_hr=False):
        return (
            self.token_merging_ratio or opts.token_merging_ratio_img2img or opts.token_merging_ratio
        )
