"""From a processing object and the settings to the inputs of the renderer.

One table says which settings decide pixels, and when. The conditions are those of A1111 v1.10.1:
a sampler reads only its own sigmas (modules/sd_samplers_kdiffusion.py), ENSD counts for ancestral
samplers (modules/sd_samplers_common.py), a variation seed only with a strength.
"""

from modules import extra_networks, sd_hijack, sd_samplers, sd_schedulers, sd_vae, shared
from modules.sd_samplers_common import is_sampler_using_eta_noise_seed_delta
from modules.shared import opts
from webui_standin.drawing import Inputs
from webui_standin.flavour import has_forge_traits, is_forge

ALWAYS = [
    "CLIP_stop_at_last_layers",
    "upcast_attn",
    "cross_attention_optimization",
    "sd_unet",
    "fp8_storage",
    "cache_fp16_weight",
    "s_min_uncond_all",
    "pad_cond_uncond",
    "pad_cond_uncond_v0",
    "sgm_noise_multiplier",
    "sd_noise_schedule",
    "skip_early_cond",
    "always_discard_next_to_last_sigma",
    "sigma_min",
    "sigma_max",
    "rho",
    "enable_quantization",
    "use_old_emphasis_implementation",
    "use_old_karras_scheduler_sigmas",
    "use_downcasted_alpha_bar",
    "sd_vae_decode_method",
    "sdxl_crop_top",
    "sdxl_crop_left",
]
FORGE_ALWAYS = ["forge_additional_modules", "forge_unet_storage_dtype", "forge_try_reproduce"]


def _option_values(names):
    return {name: getattr(opts, name) for name in names}


def has_attention(text):
    """Tell whether a prompt weighs some of its words."""
    return any(sign in text for sign in "([")


def conditional_options(p, texts):
    """Settings that count only in some jobs."""
    joined = " ".join(texts)
    name, found = p.sampler_name or "", {}
    if has_attention(joined):
        found.update(_option_values(["emphasis"]))
    if "[" in joined:
        found.update(_option_values(["use_old_scheduling"]))
    if any(len(text.split()) > 75 for text in texts):
        found.update(_option_values(["comma_padding_backtrack"]))
    if name.startswith("UniPC"):
        found.update(
            _option_values(
                ["uni_pc_variant", "uni_pc_skip_type", "uni_pc_order", "uni_pc_lower_order_final"]
            )
        )
    if "SDE" in name:
        found.update(_option_values(["no_dpmpp_sde_batch_determinism"]))
    if schedule(p.sampler_name, p.scheduler) == "beta":
        found.update(_option_values(["beta_dist_alpha", "beta_dist_beta"]))
    return found


def schedule(sampler_name, scheduler):
    """The schedule in use: `Automatic` is the sampler's own; some samplers have none (None)."""
    if sampler_name.startswith(("DDIM", "PLMS", "UniPC")):
        return None
    chosen = sd_schedulers.schedulers_map.get(scheduler)
    if chosen is not None and chosen.name != "automatic":
        return chosen.name
    return sd_samplers.find_sampler_config(sampler_name).options.get("scheduler", "default")


def eta(p, sampler_name):
    """The noise multiplier in use, None where the sampler has none."""
    if sampler_name.startswith("DDIM"):
        return opts.eta_ddim if p.eta is None else p.eta
    ancestral = (
        sampler_name.endswith(" a") or "SDE" in sampler_name or sampler_name.startswith("DPM ")
    )
    return (opts.eta_ancestral if p.eta is None else p.eta) if ancestral else None


def subject(p, prompt, negative, network_data):
    """What the picture shows: prompts and models."""
    vae, tags = sd_vae.get_drawn_vae_hash(), {} if p.disable_extra_networks else network_data
    embeddings = sd_hijack.model_hijack.embedding_db
    return {
        "prompt": prompt,
        "negative": negative,
        "checkpoint": shared.sd_model.sd_checkpoint_info.sha256,
        "vae": vae,
        "loras": extra_networks.loaded_loras(tags),
        "hypernetworks": extra_networks.loaded_hypernetworks(tags),
        "embeddings": [
            [item.name, item.hash]
            for text in (prompt, negative)
            for item in embeddings.used_in(text)
        ],
    }


def noise(p, index, ensd):
    """Its randomness: seeds, and how they become noise."""
    varied = p.subseed_strength != 0
    resized = p.seed_resize_from_w > 0 and p.seed_resize_from_h > 0
    return {
        "seed": p.seeds[index],
        "subseed": p.subseeds[index] if varied else None,
        "subseed_strength": p.subseed_strength,
        "resized_from": [p.seed_resize_from_w, p.seed_resize_from_h] if resized else None,
        "source": opts.randn_source,
        "ensd": opts.eta_noise_seed_delta if ensd else 0,
    }


def sigmas(p, sampler_name):
    """The sigma parameters that this sampler reads; a setting that isn't neutral beats the job's.

    Source: A1111 v1.10.1, modules/sd_samplers_common.py, Sampler.initialize.
    """
    neutral = {"s_churn": 0.0, "s_tmin": 0.0, "s_tmax": float("inf"), "s_noise": 1.0}
    found = {}
    for name in sd_samplers.SIGMA_PARAMETERS.get(sampler_name, []):
        setting = getattr(opts, name) or (neutral[name] if name == "s_tmax" else 0.0)
        found[name] = setting if setting != neutral[name] else getattr(p, name)
    return found


def sampling(p, sampler_name, scheduler, steps, cfg_scale):
    """How it is drawn: sampler, schedule, steps, guidance."""
    return {
        "sampler": sampler_name,
        "scheduler": schedule(sampler_name, scheduler),
        "steps": steps,
        "cfg_scale": cfg_scale,
        "eta": eta(p, sampler_name),
        "s_min_uncond": p.s_min_uncond,
        **sigmas(p, sampler_name),
        **({"distilled_cfg_scale": p.distilled_cfg_scale} if is_forge() else {}),
    }


def refiner(p, second_pass):
    """The checkpoint that takes over, and when; None where none does.

    With hires. fix only the pass that the settings name is refined.
    """
    info, switch = p.refiner_checkpoint_info, p.refiner_switch_at
    if info is None or info.filename == shared.sd_model.sd_checkpoint_info.filename:
        return None
    if switch is not None and switch >= 1:
        return None
    wanted = opts.hires_fix_refiner_pass
    if getattr(p, "enable_hr", False) and wanted == (
        "first pass" if second_pass else "second pass"
    ):
        return None
    return [info.sha256, switch, opts.refiner_switch_by_sample_steps]


def inputs(p, index, *, steps, second_pass=False, **extra):
    """The inputs of one picture of the batch; `steps` were taken, `extra` goes into the details."""
    sampler_name = (p.hr_sampler_name if second_pass else None) or p.sampler_name
    scheduler = p.hr_scheduler if second_pass and p.hr_scheduler else p.scheduler
    prompts = (
        (p.hr_prompts, p.hr_negative_prompts) if second_pass else (p.prompts, p.negative_prompts)
    )
    networks = p.hr_extra_network_data if second_pass else p.extra_network_data
    texts = [prompts[0][index], prompts[1][index]]
    detail = {
        "second_pass": second_pass,
        "tiling": bool(p.tiling),
        "token_merging": p.get_token_merging_ratio(for_hr=second_pass),
        "refiner": refiner(p, second_pass),
        **sampling(p, sampler_name, scheduler, steps, _cfg(p, second_pass)),
        **_option_values(ALWAYS + (FORGE_ALWAYS if is_forge() else [])),
        **conditional_options(p, texts),
        **extra,
    }
    ensd = is_sampler_using_eta_noise_seed_delta(p)
    return Inputs(subject(p, *texts, networks), noise(p, index, ensd), detail)


def _cfg(p, second_pass):
    if not (second_pass and has_forge_traits()):
        return p.cfg_scale
    return [p.hr_cfg, p.hr_distilled_cfg, p.hr_additional_modules] if is_forge() else p.hr_cfg
