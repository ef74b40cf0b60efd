"""The flat script arguments of an API job. Rules: A1111 v1.10.1, modules/api/api.py."""

import gradio as gr
from fastapi.exceptions import HTTPException

from modules import infotext_utils


def script_name_to_index(name, scripts):
    """The place of a title, whatever its case.

    HTTPException 422 if there is none, and for every title while a script has none.
    """
    titles = [str(script.title() or "").lower() for script in scripts]
    if not isinstance(name, str) or name.lower() not in titles or "" in titles:
        raise HTTPException(status_code=422, detail=f"Script '{name}' not found")
    return titles.index(name.lower())


def find(name, scripts):
    """The script of a title, or None without a name."""
    return scripts[script_name_to_index(name, scripts)] if name else None


def defaults(runner):
    """Arguments as the controls begin; `ui` is called twice for each script, as it really is."""
    args = [None] * max([1, *(script.args_to for script in runner.scripts if script.args_to)])
    args[0] = 0
    with gr.Blocks(analytics_enabled=False):
        for script in runner.scripts:
            if script.ui(script.is_img2img):
                args[script.args_from : script.args_to] = [
                    control.value for control in script.ui(script.is_img2img)
                ]
    return args


def build(request, default_args, selected, runner, from_infotext):
    """Defaults, then the infotext's values, then those of the request."""
    args = list(default_args)
    for index, value in from_infotext.items():
        args[index] = value
    if selected is not None:
        args[selected.args_from : selected.args_to] = request.script_args
        args[0] = runner.selectable_scripts.index(selected) + 1
    for name, given in (request.alwayson_scripts or {}).items():
        _fill(args, name, given, runner)
    return args


def _fill(args, name, given, runner):
    script = find(name, runner.scripts)
    if script is None:
        raise HTTPException(status_code=422, detail=f"always on script {name} not found")
    if not script.alwayson:
        raise HTTPException(
            status_code=422,
            detail="Cannot have a selectable script in the always on scripts params",
        )
    if "args" in given:
        values = given["args"][: script.args_to - script.args_from]
        args[script.args_from : script.args_from + len(values)] = values


def apply_infotext(request, tabname, runner):
    """Fill fields that the request leaves out from its infotext; return script arguments by
    place."""
    if not request.infotext:
        return {}
    given = getattr(request, "model_fields_set", None) or getattr(request, "__fields_set__", set())
    params = infotext_utils.parse_generation_parameters(request.infotext)
    fields = infotext_utils.paste_fields[tabname]["fields"]
    for field in fields:
        value = _value(field, params) if field.api and field.api not in given else None
        if value is not None and hasattr(request, field.api):
            setattr(request, field.api, _cast(value, getattr(request, field.api)))
    request.override_settings = request.override_settings or {}
    for _label, name, value in infotext_utils.get_override_settings(params):
        request.override_settings.setdefault(name, value)
    return _script_values(fields, params, runner)


def _script_values(fields, params, runner):
    places = {
        id(component): index
        for index, component in enumerate(runner.inputs)
        if component is not None
    }
    found = {}
    for field in fields:
        place = places.get(id(field.component))
        value = _value(field, params) if place is not None else None
        if value is not None:
            found[place] = _cast(value, getattr(field.component, "value", None))
    return found


def _value(field, params):
    value = field.function(params) if field.function else params.get(field.label)
    return value.get("value") if isinstance(value, dict) else value


def _cast(value, like):
    if like is None or isinstance(value, type(like)):
        return value
    return value == "True" if isinstance(like, bool) else type(like)(value)
