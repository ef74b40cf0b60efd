"""Devices without torch: everything is the CPU."""

import contextlib

cpu = "cpu"
device = device_interrogate = device_gfpgan = device_esrgan = device_codeformer = cpu
dtype = dtype_vae = dtype_unet = "float32"
fp8 = False
unet_needs_upcast = False


def torch_gc():
    """Nothing to collect."""


def get_optimal_device_name():
    """The only device."""
    return cpu


def get_optimal_device():
    """The only device."""
    return cpu


def get_device_for(task):
    """The only device."""
    return cpu


def has_mps():
    """There is no Apple GPU."""
    return False


def autocast(disable=False):
    """Nothing to cast."""
    return contextlib.nullcontext()


def without_autocast(disable=False):
    """Nothing to cast."""
    return contextlib.nullcontext()
