"""Operations of the Extras tab. Names from A1111 v1.10.1, modules/scripts_postprocessing.py."""

import dataclasses
import os

from modules import errors


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
        """What is added to the file name."""
        return ("-" + "-".join(self.nametags)) if self.nametags else ""


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
        for data in scripts_data:
            script = wrap_call(data.script_class, data.path, "__init__")
            if script is not None:
                script.filename = data.path
                self.scripts.append(script)
        self.scripts.sort(key=lambda script: (script.order, script.name or ""))

    def scripts_in_preferred_order(self):
        """The operations."""
        from modules import scripts

        if self.scripts is None:
            self.initialize_scripts(scripts.postprocessing_scripts_data)
        return self.scripts

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
        for script, values in named:
            script.process(pp, **values)

    def create_args_for_run(self, scripts_args):
        """The flat list of arguments from a dict by operation and name."""
        import gradio as gr

        if not self.ui_created:
            with gr.Blocks(analytics_enabled=False):
                self.setup_ui()
        args = [None] * max(
            (script.args_to for script in self.scripts_in_preferred_order()), default=0
        )
        for script in self.scripts:
            given = scripts_args.get(script.name, {})
            for index, (name, control) in enumerate(script.controls.items()):
                args[script.args_from + index] = given.get(name, getattr(control, "value", None))
        return args

    def image_changed(self):
        """Tell all operations."""
        for script in self.scripts_in_preferred_order():
            script.image_changed()
