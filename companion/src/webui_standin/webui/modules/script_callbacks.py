"""Callbacks of extensions. Names and their order of calls from A1111 v1.10.1,
modules/script_callbacks.py.

Every registration is accepted. Never fired here, since nothing is sampled or trained: extra_noise,
cfg_denoiser, cfg_denoised, cfg_after_cfg, ui_train_tabs, list_optimizers, list_unets.
"""

import dataclasses
import inspect
import os
from typing import Any

from modules import errors, util

NEVER_FIRED = {
    "extra_noise",
    "cfg_denoiser",
    "cfg_denoised",
    "cfg_after_cfg",
    "ui_train_tabs",
    "list_optimizers",
    "list_unets",
}


class _Parameters:
    """A record whose constructor takes its fields in order or by name."""

    fields: tuple = ()

    def __init__(self, *args, **kwargs):
        for name, value in {**dict(zip(self.fields, args, strict=False)), **kwargs}.items():
            setattr(self, name, value)


class ImageSaveParams(_Parameters):
    """Picture, processing object, file name, and PNG texts."""

    fields = ("image", "p", "filename", "pnginfo")


class ExtraNoiseParams(_Parameters):
    """Noise and latents."""

    fields = ("noise", "x", "xi")


class CFGDenoiserParams(_Parameters):
    """One step before the model."""

    fields = (
        "x",
        "image_cond",
        "sigma",
        "sampling_step",
        "total_sampling_steps",
        "text_cond",
        "text_uncond",
        "denoiser",
    )


class CFGDenoisedParams(_Parameters):
    """One step after the model."""

    fields = ("x", "sampling_step", "total_sampling_steps", "inner_model")


class AfterCFGCallbackParams(_Parameters):
    """One step after guidance."""

    fields = ("x", "sampling_step", "total_sampling_steps")


class UiTrainTabParams(_Parameters):
    """Components of the preview."""

    fields = ("txt2img_preview_params",)


class ImageGridLoopParams(_Parameters):
    """Pictures and shape of a grid."""

    fields = ("imgs", "cols", "rows")


@dataclasses.dataclass
class BeforeTokenCounterParams:
    """What the token counter counts."""

    prompt: str
    steps: int
    styles: list
    is_positive: bool = True


@dataclasses.dataclass
class ScriptCallback:
    """One registered function."""

    script: str
    callback: Any
    name: str = "unnamed"


_CATEGORIES = [
    "app_started",
    "model_loaded",
    "ui_tabs",
    "ui_train_tabs",
    "ui_settings",
    "before_image_saved",
    "image_saved",
    "extra_noise",
    "cfg_denoiser",
    "cfg_denoised",
    "cfg_after_cfg",
    "before_component",
    "after_component",
    "image_grid",
    "infotext_pasted",
    "script_unloaded",
    "before_ui",
    "on_reload",
    "list_optimizers",
    "list_unets",
    "before_token_counter",
]
callback_map = {f"callbacks_{name}": [] for name in _CATEGORIES}


def add_callback(callbacks, fun, *, name=None, category="unknown", filename=None):
    """Add a function to a list, named after the extension and file that it comes from."""
    from modules import extensions

    if filename is None:
        filename = next(
            (frame.filename for frame in inspect.stack() if frame.filename != __file__),
            "unknown file",
        )
    extension = extensions.find_extension(filename)
    parts = [
        extension.canonical_name if extension else "base",
        os.path.basename(filename),
        category,
    ]
    unique = base = "/".join(parts + ([name] if name else []))
    taken = {item.name for item in callbacks}
    for number in range(1, 1000):
        if unique not in taken:
            break
        unique = f"{base}-{number}"
    callbacks.append(ScriptCallback(filename, fun, unique))


def sort_callbacks(category, unordered_callbacks, *, enable_user_sort=True):
    """Order by the extensions' metadata, then by the user's setting."""
    from modules import extensions, shared

    by_name = {item.name: item for item in unordered_callbacks}
    after = {name: [] for name in by_name}
    for extension in extensions.extensions:
        for order in extension.metadata.list_callback_order_instructions():
            if order.name in by_name:
                after[order.name] += [name for name in order.after if name in by_name]
                for name in order.before:
                    after.get(name, []).append(order.name)
    names = util.topological_sort(after)
    if enable_user_sort:
        first = [
            name
            for name in getattr(shared.opts, f"prioritized_callbacks_{category}", [])
            if name in by_name
        ]
        names = first + [name for name in names if name not in first]
    return [by_name[name] for name in names]


def ordered_callbacks(category, unordered_callbacks=None, *, enable_user_sort=True):
    """The functions of a category in the order of their calls."""
    found = (
        callback_map[f"callbacks_{category}"]
        if unordered_callbacks is None
        else unordered_callbacks
    )
    return sort_callbacks(category, found, enable_user_sort=enable_user_sort) if found else []


def enumerate_callbacks():
    """Pairs of category and functions."""
    for category, callbacks in callback_map.items():
        yield category.removeprefix("callbacks_"), callbacks


def clear_callbacks():
    """Forget all registrations."""
    for callbacks in callback_map.values():
        callbacks.clear()


def remove_current_script_callbacks():
    """Forget those of the file that calls."""
    filename = next(
        (frame.filename for frame in inspect.stack() if frame.filename != __file__), None
    )
    for callbacks in callback_map.values():
        callbacks[:] = [item for item in callbacks if item.script != filename]


def remove_callbacks_for_function(callback_func):
    """Forget one function everywhere."""
    for callbacks in callback_map.values():
        callbacks[:] = [item for item in callbacks if item.callback != callback_func]


def _fire(category, *args, **kwargs):
    """Call all functions of a category; what they raise is reported, not raised."""
    results = []
    for item in ordered_callbacks(category):
        try:
            results.append(item.callback(*args, **kwargs))
        except Exception:
            errors.report(f"Error executing callback {category} for {item.script}", exc_info=True)
    return results


def app_started_callback(demo, app):
    """The server is up; `demo` is None with --nowebui."""
    _fire("app_started", demo, app)


def app_reload_callback():
    """Reload UI begins."""
    _fire("on_reload")


def model_loaded_callback(sd_model):
    """A checkpoint was loaded."""
    _fire("model_loaded", sd_model)


def ui_tabs_callback():
    """Tabs of extensions: (blocks, title, id)."""
    return [tab for tabs in _fire("ui_tabs") for tab in tabs or []]


def ui_settings_callback():
    """Extensions register their settings."""
    _fire("ui_settings")


def before_image_saved_callback(params):
    """A picture is about to be written."""
    _fire("before_image_saved", params)


def image_saved_callback(params):
    """A picture was written."""
    _fire("image_saved", params)


def before_component_callback(component, **kwargs):
    """A component is about to be created."""
    _fire("before_component", component, **kwargs)


def after_component_callback(component, **kwargs):
    """A component was created."""
    _fire("after_component", component, **kwargs)


def image_grid_callback(params):
    """A grid is about to be put together."""
    _fire("image_grid", params)


def infotext_pasted_callback(infotext, params):
    """An infotext was parsed."""
    _fire("infotext_pasted", infotext, params)


def script_unloaded_callback():
    """Script files are about to be run again; last registered, first called."""
    for item in reversed(ordered_callbacks("script_unloaded")):
        try:
            item.callback()
        except Exception:
            errors.report(
                f"Error executing callback script_unloaded for {item.script}", exc_info=True
            )


def before_ui_callback():
    """The page is about to be built."""
    for item in reversed(ordered_callbacks("before_ui")):
        try:
            item.callback()
        except Exception:
            errors.report(f"Error executing callback before_ui for {item.script}", exc_info=True)


def before_token_counter_callback(params):
    """Tokens are about to be counted."""
    _fire("before_token_counter", params)


def _registration(category):
    def register(callback, *, name=None):
        add_callback(callback_map[f"callbacks_{category}"], callback, name=name, category=category)

    never = " Accepted, but never fired here." if category in NEVER_FIRED else ""
    register.__doc__ = f"Register a function for {category}.{never}"
    return register


on_app_started = _registration("app_started")
on_before_reload = _registration("on_reload")
on_model_loaded = _registration("model_loaded")
on_ui_tabs = _registration("ui_tabs")
on_ui_train_tabs = _registration("ui_train_tabs")
on_ui_settings = _registration("ui_settings")
on_before_image_saved = _registration("before_image_saved")
on_image_saved = _registration("image_saved")
on_extra_noise = _registration("extra_noise")
on_cfg_denoiser = _registration("cfg_denoiser")
on_cfg_denoised = _registration("cfg_denoised")
on_cfg_after_cfg = _registration("cfg_after_cfg")
on_before_component = _registration("before_component")
on_after_component = _registration("after_component")
on_image_grid = _registration("image_grid")
on_infotext_pasted = _registration("infotext_pasted")
on_script_unloaded = _registration("script_unloaded")
on_before_ui = _registration("before_ui")
on_list_optimizers = _registration("list_optimizers")
on_list_unets = _registration("list_unets")
on_before_token_counter = _registration("before_token_counter")
