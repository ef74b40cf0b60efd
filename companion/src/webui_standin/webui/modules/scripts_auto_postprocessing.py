"""Operations of the Extras tab in the two other tabs, as the settings wish.

Names, and what they take and note: A1111 v1.10.1, modules/scripts_auto_postprocessing.py.
"""

from modules import scripts, scripts_postprocessing, shared


class ScriptPostprocessingForMainUI(scripts.Script):
    """An always-on script that applies one operation to each picture."""

    def __init__(self, script_postproc):
        self.script, self.postprocessing_controls = script_postproc, None

    def title(self):
        return self.script.name

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        self.postprocessing_controls = self.script.ui()
        return list(self.postprocessing_controls.values())

    def postprocess_image(self, p, script_pp, *args):
        pp = scripts_postprocessing.PostprocessedImage(script_pp.image)
        self.script.process(pp, **dict(zip(self.postprocessing_controls, args, strict=False)))
        p.extra_generation_params.update(pp.info)
        script_pp.image = pp.image


def create_auto_preprocessing_script_data():
    """Data of a script for each operation that the settings name."""
    found = {data.script_class.name: data for data in scripts.postprocessing_scripts_data}
    named = [found[name] for name in shared.opts.postprocessing_enable_in_main_ui if name in found]
    return [data._replace(script_class=_constructor(data.script_class)) for data in named]


def _constructor(operation):
    return lambda: ScriptPostprocessingForMainUI(operation())
