"""Operations of the Extras tab. Names from A1111 v1.10.1, modules/scripts_postprocessing.py."""

import dataclasses
import itertools
import os

from modules import errors
from modules.shared import opts, state
from webui_standin.flavour import is_forge

# Forge dfdcbab6 has no extensions-builtin/postprocessing-for-training.
_ABSENT_IN_FORGE = {
    "Split oversized images",
    "Auto-sized crop",
    "Create flipped copies",
    "Caption",
}
# For the two other tabs only.
_ONLY_IN_MAIN_UI = {"Simple Upscale"}


@dataclasses.dataclass
class PostprocessedImageSharedInfo:
    """Size that the operations before aim at."""

    target_width: int = None
    target_height: int = None


class PostprocessedImage:
    """A picture on its way through the operations."""

    def __init__(self, image):
        self.image, self.info, self.shared = image, {}, PostprocessedImageSharedInfo()
        self.extra_images, self.nametags = [], []
        self.disable_processing, self.caption = False, None

    def get_suffix(self, used_suffixes=None):
        """What is added to the file name: the name tags, and a number if those are taken."""
        used = {} if used_suffixes is None else used_suffixes
        tags = "".join(f"-{tag}" for tag in ["-".join(self.nametags)] if tag)
        numbered = (f"{tags}-{number}" for number in range(1, 100))
        suffix = next(
            (item for item in itertools.chain([tags], numbered) if item not in used), tags
        )
        used[suffix] = 1
        return suffix

    def create_copy(self, new_image, *, nametags=None, disable_processing=False):
        """Another picture that comes from this one, with all that is known of it."""
        copy = PostprocessedImage(new_image)
        copy.shared, copy.info = self.shared, dict(self.info)
        copy.nametags = [*self.nametags, *(nametags or [])]
        copy.disable_processing = disable_processing
        return copy


class ScriptPostprocessing:
    """One operation; extensions subclass it."""

    filename = None
    controls = None
    args_from = args_to = None
    order = 1000
    name = None
    group = None

    def ui(self):
        """Create the controls; return them as a dict by argument name."""

    def process_firstpass(self, pp, **args):
        """Called for all operations before the first `process`."""

    def process(self, pp, **args):
        """Change `pp.image`."""

    def image_changed(self):
        """Another picture was chosen."""


def _apply(script, picture, values):
    """Let one operation change a picture; return the pictures that it adds."""
    if not picture.disable_processing:
        script.process(picture, **values)
    added = [
        item if isinstance(item, PostprocessedImage) else picture.create_copy(item)
        for item in picture.extra_images
    ]
    picture.extra_images.clear()
    return added


def wrap_call(func, filename, funcname, *args, default=None, **kwargs):
    """Call; report what is raised and return `default` then."""
    try:
        return func(*args, **kwargs)
    except Exception:
        errors.report(f"Error calling {os.path.basename(filename or '')}/{funcname}", exc_info=True)
        return default


class ScriptPostprocessingRunner:
    """All operations in their order."""

    def __init__(self):
        self.scripts, self.ui_created = None, False

    def initialize_scripts(self, scripts_data):
        """Create one object of each class."""
        self.scripts = []
        absent = _ONLY_IN_MAIN_UI | (_ABSENT_IN_FORGE if is_forge() else set())
        for data in scripts_data:
            script = wrap_call(data.script_class, data.path, "__init__")
            if script is not None and script.name not in absent:
                script.filename = data.path
                self.scripts.append(script)

    def known_scripts(self):
        """All operations, in no order."""
        from modules import scripts

        if self.scripts is None:
            self.initialize_scripts(scripts.postprocessing_scripts_data)
        return self.scripts

    def scripts_in_preferred_order(self):
        """The operations that Extras shows: those that the settings order, then by their own."""
        first = {name: place for place, name in enumerate(opts.postprocessing_operation_order)}
        hidden = set(opts.postprocessing_disable_in_extras)
        shown = [script for script in self.known_scripts() if script.name not in hidden]
        last = len(self.known_scripts())
        return sorted(
            shown,
            key=lambda script: (first.get(script.name, last), script.order, script.name or ""),
        )

    def setup_ui(self):
        """Create all controls; return them in one list."""
        import gradio as gr

        inputs = []
        for script in self.scripts_in_preferred_order():
            with gr.Row() as group:
                script.args_from = len(inputs)
                script.controls = wrap_call(script.ui, script.filename, "ui", default={}) or {}
                inputs += script.controls.values()
                script.args_to = len(inputs)
                script.group = group
        self.ui_created = True
        return inputs

    def run(self, pp, args):
        """Apply all operations."""
        named = []
        for script in self.scripts_in_preferred_order():
            values = args[script.args_from : script.args_to]
            named.append((script, dict(zip(script.controls, values, strict=False))))
        for script, values in named:
            script.process_firstpass(pp, **values)
        pictures = [pp]
        for script, values in named:
            if state.skipped:
                break
            state.job = script.name
            for picture in list(pictures):
                pictures += _apply(script, picture, values)
        pp.extra_images = pictures[1:]

    def create_args_for_run(self, scripts_args):
        """The flat list of arguments from a dict by operation and name; what it lacks is None."""
        import gradio as gr

        if not self.ui_created:
            with gr.Blocks(analytics_enabled=False):
                self.setup_ui()
        shown = self.scripts_in_preferred_order()
        args = [None] * max((script.args_to for script in shown), default=0)
        for script in shown:
            given = scripts_args.get(script.name, {})
            for index, name in enumerate(script.controls):
                args[script.args_from + index] = given.get(name)
        return args

    def image_changed(self):
        """Tell all operations."""
        for script in self.scripts_in_preferred_order():
            script.image_changed()
