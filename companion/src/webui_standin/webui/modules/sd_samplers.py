"""The samplers that exist. Names, aliases and options from A1111 v1.10.1,
modules/sd_samplers_kdiffusion.py, sd_samplers_timesteps.py, sd_samplers_lcm.py.
"""

import functools

from modules import sd_samplers_common, sd_schedulers, shared

_KARRAS, _EXPONENTIAL = {"scheduler": "karras"}, {"scheduler": "exponential"}
_SECOND, _BROWNIAN, _ENSD = {"second_order": True}, {"brownian_noise": True}, {"uses_ensd": True}
_DISCARD = {"discard_next_to_last_sigma": True}

_TABLE = [
    ("DPM++ 2M", ["k_dpmpp_2m"], {**_KARRAS}),
    ("DPM++ SDE", ["k_dpmpp_sde"], {**_KARRAS, **_SECOND, **_BROWNIAN}),
    ("DPM++ 2M SDE", ["k_dpmpp_2m_sde"], {**_EXPONENTIAL, **_BROWNIAN}),
    (
        "DPM++ 2M SDE Heun",
        ["k_dpmpp_2m_sde_heun"],
        {**_EXPONENTIAL, **_BROWNIAN, "solver_type": "heun"},
    ),
    ("DPM++ 2S a", ["k_dpmpp_2s_a"], {**_KARRAS, **_ENSD, **_SECOND}),
    ("DPM++ 3M SDE", ["k_dpmpp_3m_sde"], {**_EXPONENTIAL, **_DISCARD, **_BROWNIAN}),
    ("Euler a", ["k_euler_a", "k_euler_ancestral"], {**_ENSD}),
    ("Euler", ["k_euler"], {}),
    ("LMS", ["k_lms"], {}),
    ("Heun", ["k_heun"], {**_SECOND}),
    ("DPM2", ["k_dpm_2"], {**_KARRAS, **_DISCARD, **_SECOND}),
    ("DPM2 a", ["k_dpm_2_a"], {**_KARRAS, **_DISCARD, **_ENSD, **_SECOND}),
    ("DPM fast", ["k_dpm_fast"], {**_ENSD}),
    ("DPM adaptive", ["k_dpm_ad"], {**_ENSD}),
    ("Restart", ["restart"], {**_KARRAS, **_SECOND}),
    ("DDIM", ["ddim"], {}),
    ("DDIM CFG++", ["ddim_cfgpp"], {}),
    ("PLMS", ["plms"], {}),
    ("UniPC", ["unipc"], {}),
    ("LCM", ["k_lcm"], {}),
]

# Which of the sigma settings each sampler reads: A1111 v1.10.1, sampler_extra_params.
_SIGMAS = ["s_churn", "s_tmin", "s_tmax", "s_noise"]
SIGMA_PARAMETERS = {
    **dict.fromkeys(["Euler", "Heun", "DPM2"], _SIGMAS),
    **{name: ["s_noise"] for name in ("DPM fast", "DPM2 a", "DPM++ 2S a", "DPM++ SDE")},
    **{name: ["s_noise"] for name in ("DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 3M SDE")},
}

all_samplers = [
    sd_samplers_common.SamplerData(
        name,
        None,
        aliases,
        {key: str(value) if key == "scheduler" else value for key, value in options.items()},
    )
    for name, aliases, options in _TABLE
]
all_samplers_map = {sampler.name: sampler for sampler in all_samplers}
samplers = samplers_for_img2img = all_samplers
samplers_map = {}
samplers_hidden = set()


def find_sampler_config(name):
    """The sampler of exactly this name; the first one for None."""
    return all_samplers[0] if name is None else all_samplers_map.get(name)


def create_sampler(name, model):
    """What `p.sampler` becomes; raise AssertionError for an unknown name."""
    config = find_sampler_config(name)
    assert config is not None, f"bad sampler name: {name}"
    return sd_samplers_common.Sampler(config)


def set_samplers():
    """Read the hidden samplers from the settings."""
    global samplers_hidden
    samplers_hidden = set(shared.opts.hide_samplers)
    for sampler in all_samplers:
        samplers_map.update(
            dict.fromkeys([name.lower() for name in (sampler.name, *sampler.aliases)], sampler.name)
        )


def visible_samplers():
    """Samplers that the page offers."""
    return [sampler for sampler in samplers if sampler.name not in samplers_hidden]


def visible_sampler_names():
    """Their names."""
    return [sampler.name for sampler in visible_samplers()]


@functools.lru_cache(maxsize=512)
def get_sampler_and_scheduler(sampler_name, scheduler_name, *, convert_automatic=True):
    """Names of the sampler and the schedule that are used for what was asked.

    A schedule at the end of a sampler's name counts; an unknown sampler becomes the first one.
    """
    schedule = sd_schedulers.schedulers_map.get(scheduler_name, sd_schedulers.schedulers[0])
    name = sampler_name or samplers[0].name
    for item in sd_schedulers.schedulers:
        for ending in (item.label, item.name, *(item.aliases or [])):
            if name.endswith(f" {ending}"):
                schedule, name = item, name[: -len(ending) - 1]
                break
    sampler = all_samplers_map.get(name, samplers[0])
    if convert_automatic and sampler.options.get("scheduler") == schedule.name:
        schedule = sd_schedulers.schedulers[0]
    return sampler.name, schedule.label


def get_sampler_from_infotext(params):
    """The sampler that an infotext names."""
    return get_sampler_and_scheduler(params.get("Sampler"), params.get("Schedule type"))[0]


def get_scheduler_from_infotext(params):
    """The schedule that an infotext names."""
    return get_sampler_and_scheduler(params.get("Sampler"), params.get("Schedule type"))[1]


def get_hr_sampler_and_scheduler(params):
    """Sampler and schedule of the second pass, or `Use same …`."""
    sampler, schedule = params.get("Sampler"), params.get("Schedule type")
    wanted = (
        params.get("Hires sampler", "Use same sampler"),
        params.get("Hires schedule type", "Use same scheduler"),
    )
    found = get_sampler_and_scheduler(
        sampler if wanted[0] == "Use same sampler" else wanted[0],
        schedule if wanted[1] == "Use same scheduler" else wanted[1],
    )
    return (
        "Use same sampler" if found[0] == sampler else found[0],
        "Use same scheduler" if found[1] == schedule else found[1],
    )


def get_hr_sampler_from_infotext(params):
    """The sampler of the second pass."""
    return get_hr_sampler_and_scheduler(params)[0]


def get_hr_scheduler_from_infotext(params):
    """The schedule of the second pass."""
    return get_hr_sampler_and_scheduler(params)[1]


def fix_p_invalid_sampler_and_scheduler(p):
    """Replace names that don't exist by those that are used."""
    p.sampler_name, p.scheduler = get_sampler_and_scheduler(
        p.sampler_name, p.scheduler, convert_automatic=False
    )


set_samplers()
