"""Drawing one batch of a plain pass, step by step."""

import time

from PIL import Image

from modules import recipe, sd_schedulers
from modules.shared import cmd_opts, opts, state
from webui_standin import drawing

# What leaves a neutral value shows in the infotext: attribute, neutral value, label.
_SIGMA_NOTES = [
    ("s_churn", 0.0, "Sigma churn"),
    ("s_tmin", 0.0, "Sigma tmin"),
    ("s_tmax", float("inf"), "Sigma tmax"),
    ("s_noise", 1.0, "Sigma noise"),
]
_OPTION_NOTES = [
    ("always_discard_next_to_last_sigma", False, "Discard penultimate sigma"),
    ("sgm_noise_multiplier", False, "SGM noise multiplier"),
    ("use_downcasted_alpha_bar", False, "Downcast alphas_cumprod"),
    ("sd_noise_schedule", "Default", "Noise Schedule"),
    ("skip_early_cond", 0.0, "Skip Early CFG"),
    ("sd_vae_decode_method", "Full", "VAE Decoder"),
]
_SCHEDULE_NOTES = [
    ("sigma_min", "Schedule min sigma"),
    ("sigma_max", "Schedule max sigma"),
    ("rho", "Schedule rho"),
]


def start_pass(p, steps, second_pass=False):
    """Let scripts act, note in the infotext how is drawn, and take the steps; return their
    number."""
    sampler_name = (p.hr_sampler_name if second_pass else None) or p.sampler_name
    if p.scripts is not None:
        p.scripts.process_before_every_sampling(p=p, x=None, noise=None, c=p.c, uc=p.uc)
    note(p, sampler_name, second_pass)
    return take_steps(steps)


def take_steps(steps):
    """Count the steps, each as long as --seconds-per-step says; fewer when the job is stopped."""
    state.sampling_steps, state.sampling_step = steps, 0
    while state.sampling_step < steps and not (state.interrupted or state.skipped):
        if cmd_opts.seconds_per_step:
            time.sleep(cmd_opts.seconds_per_step)
        state.sampling_step += 1
    return state.sampling_step


def note(p, sampler_name, second_pass):
    """What the infotext says about a pass. Labels and conditions: A1111 v1.10.1,
    modules/sd_samplers_kdiffusion.py, sd_samplers_common.py and sd_samplers_cfg_denoiser.py.
    """
    notes = p.extra_generation_params
    for name, neutral, label in _OPTION_NOTES:
        if getattr(opts, name) != neutral:
            notes[label] = getattr(opts, name)
    _note_schedule(p, notes, sampler_name, second_pass)
    sigmas = recipe.sigmas(p, sampler_name)
    for name, neutral, label in _SIGMA_NOTES:
        if name in sigmas and getattr(opts, name) not in (neutral, 0):
            notes[label] = sigmas[name]
    ratio, neutral = recipe.eta(p, sampler_name), 0.0 if sampler_name.startswith("DDIM") else 1.0
    if ratio not in (None, neutral):
        notes["Eta DDIM" if neutral == 0.0 else "Eta"] = ratio
    if p.s_min_uncond:
        notes["NGMS"] = p.s_min_uncond
    texts = [*p.prompts, *p.negative_prompts]
    if opts.emphasis != "Original" and recipe.has_attention(" ".join(texts)):
        notes["Emphasis"] = opts.emphasis


def _note_schedule(p, notes, sampler_name, second_pass):
    chosen = recipe.schedule(sampler_name, p.hr_scheduler if second_pass else p.scheduler)
    if chosen in (None, "default"):
        return
    label = sd_schedulers.schedulers_map[chosen].label
    if not second_pass:
        notes["Schedule type"] = label
    elif label != notes.get("Schedule type"):
        notes["Hires schedule type"] = label
    for name, said in _SCHEDULE_NOTES:
        if getattr(opts, name):
            notes[said] = getattr(opts, name)
    if chosen == "beta":
        notes["Beta schedule alpha"] = opts.beta_dist_alpha
        notes["Beta schedule beta"] = opts.beta_dist_beta


def finish_pass(pictures):
    """Show the first picture as preview."""
    if pictures and opts.live_previews_enable:
        state.assign_current_image(Image.fromarray(pictures[0]))


def first_pass(p):
    """The batch's pictures from nothing but noise."""
    steps = start_pass(p, p.steps)
    inputs = [recipe.inputs(p, index, steps=steps) for index in range(len(p.seeds))]
    pictures = [drawing.draw(item, p.width, p.height) for item in inputs]
    finish_pass(pictures)
    return pictures
