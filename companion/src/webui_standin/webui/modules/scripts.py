"""Scripts of extensions: the base class, their loading and their calls.

Contract (names, signatures, order): A1111 v1.10.1, modules/scripts.py. Forge dfdcbab6 has the same.
"""

import inspect
import os
import re
import sys
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import gradio as gr

from modules import errors, extensions, paths, script_callbacks, script_loading, shared, timer, util
from webui_standin.flavour import has_forge_traits, is_forge

AlwaysVisible = object()
topological_sort = util.topological_sort


class MaskBlendArgs:
    """For `on_mask_blend`."""

    def __init__(
        self, current_latent, nmask, init_latent, mask, blended_latent, denoiser=None, sigma=None
    ):
        self.current_latent, self.nmask, self.init_latent = current_latent, nmask, init_latent
        self.mask, self.blended_latent, self.denoiser, self.sigma = (
            mask,
            blended_latent,
            denoiser,
            sigma,
        )
        self.is_final_blend = denoiser is None


class PostSampleArgs:
    """For `post_sample`."""

    def __init__(self, samples):
        self.samples = samples


class PostprocessImageArgs:
    """For `postprocess_image`; Forge passes an index as well."""

    if is_forge():

        def __init__(self, image, index=0):
            self.image, self.index = image, index

    else:

        def __init__(self, image):
            self.image = image


class PostProcessMaskOverlayArgs:
    """For `postprocess_maskoverlay`."""

    def __init__(self, index, mask_for_overlay, overlay_image):
        self.index, self.mask_for_overlay, self.overlay_image = (
            index,
            mask_for_overlay,
            overlay_image,
        )


class PostprocessBatchListArgs:
    """For `postprocess_batch_list`."""

    def __init__(self, images):
        self.images = images


@dataclass
class OnComponent:
    """For callbacks on one component."""

    component: Any


class Script:
    """What extensions subclass; every method is a hook that may stay as it is."""

    name = section = filename = args_from = args_to = tabname = group = None
    infotext_fields = paste_field_names = api_info = controls = None
    on_before_component_elem_id = on_after_component_elem_id = None
    alwayson = is_txt2img = is_img2img = setup_for_ui_only = False
    create_group = True

    def title(self):
        """The script's title, by which the API knows it."""
        raise NotImplementedError

    def ui(self, is_img2img):
        """Create the controls and return them in a list."""

    def show(self, is_img2img):
        """False, True (selectable), or AlwaysVisible."""
        return True

    def run(self, p, *args):
        """Do the whole job of a selectable script and return a Processed."""

    def setup(self, p, *args):
        """The processing object has its script arguments."""

    def before_process(self, p, *args):
        """The very start of processing."""

    def process(self, p, *args):
        """Prompts and seeds are known; overrides are applied."""

    def before_process_batch(self, p, *args, **kwargs):
        """A batch begins; its prompts may still be changed."""

    def after_extra_networks_activate(self, p, *args, **kwargs):
        """The batch's LoRAs are active."""

    def process_before_every_sampling(self, p, *args, **kwargs):
        """A pass begins; with hires. fix there are two."""

    def process_batch(self, p, *args, **kwargs):
        """The batch's LoRAs have left its prompts."""

    def postprocess_batch(self, p, *args, **kwargs):
        """The batch's pictures as one array."""

    def postprocess_batch_list(self, p, pp, *args, **kwargs):
        """The same as a list that may be changed."""

    def on_mask_blend(self, p, mba, *args):
        """Old and new parts are put together."""

    def post_sample(self, p, ps, *args):
        """The batch is drawn."""

    def postprocess_image(self, p, pp, *args):
        """One picture."""

    def postprocess_maskoverlay(self, p, ppmo, *args):
        """One picture's mask."""

    def postprocess_image_after_composite(self, p, pp, *args):
        """One picture with the original around the mask."""

    def postprocess(self, p, processed, *args):
        """The very end of processing."""

    def before_component(self, component, **kwargs):
        """A component of the page is about to be created."""

    def after_component(self, component, **kwargs):
        """A component of the page was created."""

    def on_before_component(self, callback, *, elem_id):
        """Call back before the component of this id is created."""
        self.on_before_component_elem_id = [
            *(self.on_before_component_elem_id or []),
            (elem_id, callback),
        ]

    def on_after_component(self, callback, *, elem_id):
        """Call back after the component of this id was created."""
        self.on_after_component_elem_id = [
            *(self.on_after_component_elem_id or []),
            (elem_id, callback),
        ]

    def describe(self):
        """Not used."""
        return ""

    def elem_id(self, item_id):
        """`script_<tab>_<title>_<item>`, without the tab if the script is on one only."""
        title = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        return f"script_{self._tab_prefix()}{title}_{item_id}"

    def _tab_prefix(self):
        tab = "img2img_" if self.is_img2img else "txt2img_"
        return tab if self.show(True) == self.show(False) else ""

    def before_hr(self, p, *args):
        """The second pass of hires. fix begins."""


class ScriptBuiltinUI(Script):
    """A part of the page; its `setup` isn't called for API jobs."""

    setup_for_ui_only = True

    def elem_id(self, item_id):
        """`<tab>_<item>`."""
        return f"{self._tab_prefix()}{item_id}"

    def show(self, is_img2img):
        """Always."""
        return AlwaysVisible


ScriptFile = namedtuple("ScriptFile", ["basedir", "filename", "path"])
ScriptClassData = namedtuple("ScriptClassData", ["script_class", "path", "basedir", "module"])
scripts_data = []
postprocessing_scripts_data = []
current_basedir = paths.script_path


def basedir():
    """While a script file is run: the folder of its extension."""
    return current_basedir


def list_scripts(scriptdirname, extension, *, include_extensions=True):
    """Script files of the webui and of active extensions, in the order their metadata asks for."""
    files, after = {}, {}
    folder = os.path.join(paths.script_path, scriptdirname)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.lower().endswith(extension):
            files[name], after[name] = (
                ScriptFile(paths.script_path, name, os.path.join(folder, name)),
                [],
            )
    of_extension = {}
    for item in extensions.active() if include_extensions else []:
        _add_files(item, scriptdirname, extension, files, after, of_extension)
    _apply_befores(include_extensions, scriptdirname, files, after, of_extension)
    return [files[name] for name in util.topological_sort(after)]


def _add_files(item, folder, ending, files, after, of_extension):
    prefix = "builtin/" if item.is_builtin else ""
    for file in item.list_files(folder, ending):
        name = f"{prefix}{item.canonical_name}/{file.filename}"
        files[name] = file
        after[name] = item.metadata.get_script_requirements(
            "After", f"{folder}/{file.filename}", folder
        )
        of_extension.setdefault(item.canonical_name, []).append(name)


def _apply_befores(include_extensions, folder, files, after, of_extension):
    """Turn `Before` into the others' `After`, and extension names into their files."""

    def expand(names):
        return [file for name in names for file in of_extension.get(name, [name])]

    for item in extensions.active() if include_extensions else []:
        for name in of_extension.get(item.canonical_name, []):
            section = f"{folder}/{files[name].filename}"
            for other in expand(item.metadata.get_script_requirements("Before", section, folder)):
                after.get(other, []).append(name)
            for needed in item.metadata.get_script_requirements("Requires", section, folder):
                if needed not in files and needed not in of_extension:
                    errors.report(
                        f'Script "{name}" requires "{needed}" to be loaded, but it is not.'
                    )
    for name in after:
        after[name] = expand(after[name])


def list_files_with_name(filename):
    """This file of the webui and of each active extension, where it exists."""
    folders = [paths.script_path] + [item.path for item in extensions.active()]
    found = [os.path.join(folder, filename) for folder in folders]
    return [path for path in found if os.path.isfile(path)]


def load_scripts():
    """Forget all callbacks and run all script files again."""
    global scripts_txt2img, scripts_img2img, scripts_postproc, current_basedir
    from modules import scripts_postprocessing

    scripts_data.clear()
    postprocessing_scripts_data.clear()
    script_callbacks.clear_callbacks()
    builtin = list_scripts("modules/processing_scripts", ".py", include_extensions=False)
    files = list_scripts("scripts", ".py") + builtin
    if has_forge_traits():
        sys.path[:0] = [
            root for root in dict.fromkeys(file.basedir for file in files) if root not in sys.path
        ]
    for file in files:
        current_basedir = file.basedir
        _load_script(file)
        current_basedir = paths.script_path
        timer.startup_timer.record(file.filename)
    scripts_txt2img, scripts_img2img = ScriptRunner(), ScriptRunner()
    scripts_postproc = scripts_postprocessing.ScriptPostprocessingRunner()


def _load_script(file):
    before = sys.path
    try:
        if not has_forge_traits() and file.basedir != paths.script_path:
            sys.path = [file.basedir, *sys.path]
        _register(script_loading.load_module(file.path), file)
    except Exception:
        errors.report(f"Error loading script: {file.filename}", exc_info=True)
    finally:
        sys.path = before


def _register(module, file):
    """Register every script class in the file's namespace, imported ones included."""
    from modules.scripts_postprocessing import ScriptPostprocessing

    for value in list(vars(module).values()):
        for base, found in (
            (Script, scripts_data),
            (ScriptPostprocessing, postprocessing_scripts_data),
        ):
            if inspect.isclass(value) and issubclass(value, base):
                found.append(ScriptClassData(value, file.path, file.basedir, module))


def wrap_call(func, filename, funcname, *args, default=None, **kwargs):
    """Call; report what is raised and return `default` then."""
    try:
        return func(*args, **kwargs)
    except Exception:
        errors.report(f"Error calling: {filename}/{funcname}", exc_info=True)
        return default


class ScriptRunner:
    """The scripts of one tab, their controls and the calls of their hooks."""

    def __init__(self):
        self.scripts, self.selectable_scripts, self.alwayson_scripts = [], [], []
        self.titles, self.title_map = [], {}
        self.infotext_fields, self.paste_field_names, self.inputs = [], [], [None]
        self.callback_map, self.callback_names = {}, list(_ALWAYSON_HOOKS)
        self.on_before_component_elem_id, self.on_after_component_elem_id = {}, {}

    def initialize_scripts(self, is_img2img):
        """Create one object of each class that wants to be on this tab."""
        from modules import scripts_auto_postprocessing

        for group in (self.scripts, self.alwayson_scripts, self.selectable_scripts):
            group.clear()
        automatic = scripts_auto_postprocessing.create_auto_preprocessing_script_data()
        for data in automatic + scripts_data:
            try:
                script = data.script_class()
            except Exception:
                errors.report(f"Error # failed to initialize Script {data.module}: ", exc_info=True)
                continue
            self._place(script, data.path, is_img2img)
        self.apply_on_before_component_callbacks()

    def _place(self, script, path, is_img2img):
        script.filename, script.is_img2img, script.is_txt2img = path, is_img2img, not is_img2img
        script.tabname = "img2img" if is_img2img else "txt2img"
        visible = script.show(is_img2img)
        if visible is AlwaysVisible:
            script.alwayson = True
            self.alwayson_scripts.append(script)
        elif visible:
            self.selectable_scripts.append(script)
        if visible:
            self.scripts.append(script)

    def apply_on_before_component_callbacks(self):
        """Collect the callbacks that scripts asked for."""
        for script in self.scripts:
            for name in ("on_before_component_elem_id", "on_after_component_elem_id"):
                for elem_id, callback in getattr(script, name) or []:
                    getattr(self, name).setdefault(elem_id, []).append((callback, script))
                setattr(script, name, [])

    def create_script_ui(self, script):
        """Create a script's controls and give them their places in the arguments."""
        script.args_from = script.args_to = len(self.inputs)
        try:
            self.create_script_ui_inner(script)
        except Exception:
            errors.report(f"Error creating UI for {script.name}: ", exc_info=True)

    def create_script_ui_inner(self, script):
        """The same, without catching."""
        script.controls = wrap_call(script.ui, script.filename, "ui", script.is_img2img)
        if script.controls is None:
            return
        title = wrap_call(script.title, script.filename, "title", default=script.filename)
        script.name = title.lower()
        for control in script.controls:
            control.custom_script_source = os.path.basename(script.filename)
        script.api_info = _api_info(script)
        self.infotext_fields += script.infotext_fields or []
        self.paste_field_names += script.paste_field_names or []
        self.inputs += script.controls
        script.args_to = len(self.inputs)

    def setup_ui_for_section(self, section, scriptlist=None):
        """Create the controls of the scripts that belong to a section of the page."""
        for script in self.alwayson_scripts if scriptlist is None else scriptlist:
            if script.alwayson and script.section != section:
                continue
            if not script.create_group:
                self.create_script_ui(script)
                continue
            with gr.Group(visible=script.alwayson) as group:
                self.create_script_ui(script)
            script.group = group

    def prepare_ui(self):
        """Begin a page: place 0 is the dropdown's."""
        self.inputs = [None]

    def setup_ui(self):
        """Create the dropdown and all remaining controls; return the flat list of inputs."""
        titles = [
            wrap_call(script.title, script.filename, "title") or script.filename
            for script in self.scripts
        ]
        self.title_map = {
            title.lower(): script for title, script in zip(titles, self.scripts, strict=False)
        }
        self.titles = [
            wrap_call(script.title, script.filename, "title") or f"{script.filename} [error]"
            for script in self.selectable_scripts
        ]
        self.setup_ui_for_section(None)
        choices = ["None", *self.titles]
        dropdown = gr.Dropdown(
            label="Script", elem_id="script_list", choices=choices, value="None", type="index"
        )
        self.inputs[0] = dropdown
        self.setup_ui_for_section(None, self.selectable_scripts)
        dropdown.change(
            fn=self._shown,
            inputs=[dropdown],
            outputs=[script.group for script in self.selectable_scripts],
        )
        self.infotext_fields.append(
            (dropdown, lambda params: gr.update(value=params.get("Script", "None")))
        )
        self.apply_on_before_component_callbacks()
        return self.inputs

    def _shown(self, index):
        return [
            gr.update(visible=place + 1 == (index or 0))
            for place in range(len(self.selectable_scripts))
        ]

    def run(self, p, *args):
        """Let the selected script do the job; None if none is selected."""
        index = args[0]
        if not index:
            return None
        script = self.selectable_scripts[index - 1]
        processed = script.run(p, *args[script.args_from : script.args_to])
        shared.total_tqdm.clear()
        return processed

    def list_scripts_for_method(self, method_name):
        """The scripts whose hook is called."""
        return (
            self.scripts
            if method_name in ("before_component", "after_component")
            else self.alwayson_scripts
        )

    def create_ordered_callbacks_list(self, method_name, *, enable_user_sort=True):
        """The scripts that define a hook, as callbacks in order."""
        callbacks, category = [], f"script_{method_name}"
        for script in self.list_scripts_for_method(method_name):
            if getattr(type(script), method_name, None) is not getattr(Script, method_name, None):
                script_callbacks.add_callback(
                    callbacks,
                    script,
                    category=category,
                    name=type(script).__name__,
                    filename=script.filename,
                )
        return script_callbacks.sort_callbacks(
            category, callbacks, enable_user_sort=enable_user_sort
        )

    def ordered_callbacks(self, method_name, *, enable_user_sort=True):
        """The same, remembered until the number of scripts changes."""
        count = len(self.list_scripts_for_method(method_name))
        known = self.callback_map.get(method_name)
        if known is None or known[0] != count:
            known = (
                count,
                self.create_ordered_callbacks_list(method_name, enable_user_sort=enable_user_sort),
            )
            self.callback_map[method_name] = known
        return known[1]

    def ordered_scripts(self, method_name):
        """The scripts that define a hook, in order."""
        return [item.callback for item in self.ordered_callbacks(method_name)]

    def call_hook(self, method_name, p, *passed, **kwargs):
        """Call a hook of all scripts with their own arguments; report what they raise."""
        for script in self.ordered_scripts(method_name):
            try:
                args = p.script_args[script.args_from : script.args_to]
                getattr(script, method_name)(p, *passed, *args, **kwargs)
            except Exception:
                errors.report(f"Error running {method_name}: {script.filename}", exc_info=True)

    def setup_scrips(self, p, *, is_ui=True):
        """Call `setup`; that of the page's own parts only for jobs of the page."""
        for script in self.ordered_scripts("setup"):
            if not is_ui and script.setup_for_ui_only:
                continue
            try:
                script.setup(p, *p.script_args[script.args_from : script.args_to])
            except Exception:
                errors.report(f"Error running setup: {script.filename}", exc_info=True)

    def postprocess_batch(self, p, images, **kwargs):
        """Call `postprocess_batch`."""
        self.call_hook("postprocess_batch", p, images=images, **kwargs)

    def before_component(self, component, **kwargs):
        """Tell the scripts that a component is about to be created."""
        self._tell(
            "before_component",
            self.on_before_component_elem_id.get(kwargs.get("elem_id"), []),
            component,
            kwargs,
        )

    def after_component(self, component, **kwargs):
        """Tell the scripts that a component was created."""
        self._tell(
            "after_component",
            self.on_after_component_elem_id.get(component.elem_id, []),
            component,
            kwargs,
        )

    def _tell(self, method_name, callbacks, component, kwargs):
        calls = [
            (script, callback, (OnComponent(component),), {}) for callback, script in callbacks
        ]
        calls += [
            (s, getattr(s, method_name), (component,), kwargs)
            for s in self.ordered_scripts(method_name)
        ]
        for script, function, args, named in calls:
            try:
                function(*args, **named)
            except Exception:
                errors.report(f"Error running {method_name}: {script.filename}", exc_info=True)

    def script(self, title):
        """The script of a title."""
        return self.title_map.get(title.lower())

    def set_named_arg(self, args, script_name, arg_elem_id, value, fuzzy=False):
        """The arguments with one replaced, found by script title and element id."""
        script = self.script(script_name)
        if script is None:
            raise RuntimeError(f"script {script_name} not found")
        for index, control in enumerate(script.controls or []):
            found = control.elem_id or ""
            if found == arg_elem_id or (fuzzy and arg_elem_id in found):
                changed = list(args)
                changed[script.args_from + index] = value
                return tuple(changed) if isinstance(args, tuple) else changed
        raise RuntimeError(f"arg_elem_id {arg_elem_id} not found in script {script_name}")


# Hooks of always-on scripts that get the processing object, what the caller passes, and their
# arguments.
_ALWAYSON_HOOKS = [
    "before_process",
    "process",
    "before_process_batch",
    "after_extra_networks_activate",
    "process_batch",
    "postprocess",
    "postprocess_batch",
    "postprocess_batch_list",
    "post_sample",
    "on_mask_blend",
    "postprocess_image",
    "postprocess_maskoverlay",
    "postprocess_image_after_composite",
    "before_component",
    "after_component",
]


def _hook(method_name):
    def call(self, p=None, *passed, **kwargs):
        self.call_hook(method_name, p, *passed, **kwargs)

    call.__name__, call.__doc__ = method_name, f"Call `{method_name}` of the always-on scripts."
    return call


for _name in [*_ALWAYSON_HOOKS, "process_before_every_sampling", "before_hr"]:
    if _name not in vars(ScriptRunner):
        setattr(ScriptRunner, _name, _hook(_name))


def _api_info(script):
    from modules.api import models

    return models.script_info(script)


scripts_txt2img = None
scripts_img2img = None
scripts_postproc = None
scripts_current = None


def reload_script_body_only():
    """Run the script files again, keeping the page."""
    cache = {}
    for runner in (scripts_txt2img, scripts_img2img):
        for script in runner.scripts:
            if script.filename not in cache:
                cache[script.filename] = script_loading.load_module(script.filename)


reload_scripts = load_scripts


def add_classes_to_gradio_component(comp):
    """The page's classes are added where components are created."""
