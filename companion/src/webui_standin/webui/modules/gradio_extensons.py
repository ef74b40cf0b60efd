"""Tells scripts and callbacks about every component. Name (so spelt): A1111 v1.10.1."""

from modules import script_callbacks, scripts
from webui_standin import gradio_compat


def _before(component, **kwargs):
    if scripts.scripts_current is not None:
        scripts.scripts_current.before_component(component, **kwargs)
    script_callbacks.before_component_callback(component, **kwargs)


def _after(component, **kwargs):
    script_callbacks.after_component_callback(component, **kwargs)
    if scripts.scripts_current is not None:
        scripts.scripts_current.after_component(component, **kwargs)


gradio_compat.patch_components(_before, _after)
