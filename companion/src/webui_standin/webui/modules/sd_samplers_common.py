"""Samplers as data. Names from A1111 v1.10.1, modules/sd_samplers_common.py."""

from collections import namedtuple

from modules import shared

_SamplerData = namedtuple("SamplerData", ["name", "constructor", "aliases", "options"])


class SamplerData(_SamplerData):
    """One sampler; `options` tell its default schedule and whether ENSD matters."""

    def total_steps(self, steps):
        """Model calls for this number of steps."""
        return steps * 2 if self.options.get("second_order") else steps


class InterruptedException(BaseException):
    """Raised by samplers when the job is interrupted."""


class Sampler:
    """What `p.sampler` is while a batch is drawn."""

    def __init__(self, config):
        self.config, self.conditioning_key = config, "crossattn"


def is_sampler_using_eta_noise_seed_delta(p):
    """Tell whether ENSD changes pictures of this job: ancestral samplers with eta above 0."""
    from modules import sd_samplers

    config = sd_samplers.find_sampler_config(p.sampler_name)
    if config is None or not config.options.get("uses_ensd"):
        return False
    return (shared.opts.eta_ancestral if p.eta is None else p.eta) != 0
