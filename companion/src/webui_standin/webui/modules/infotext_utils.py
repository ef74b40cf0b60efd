"""Reading infotexts back. Names and defaults: A1111 v1.10.1, modules/infotext_utils.py."""

import base64
import io
import json
import re
import sys

import gradio as gr
from PIL import Image

from modules import images, prompt_parser, sd_models, shared, ui_tempdir
from modules.infotext import quote
from webui_standin import gradio_compat

sys.modules["modules.generation_parameters_copypaste"] = sys.modules[__name__]

re_param = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
re_imagesize = re.compile(r"^(\d+)x(\d+)$")
paste_fields = {}
registered_param_bindings = []
infotext_to_setting_name_mapping = []
_DEFAULTS = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Refiner switch by sampling steps": False,
}


class ParamBinding:
    """A button that sends a picture or an infotext to a tab."""

    def __init__(
        self,
        paste_button,
        tabname,
        source_text_component=None,
        source_image_component=None,
        source_tabname=None,
        override_settings_component=None,
        paste_field_names=None,
    ):
        self.paste_button, self.tabname, self.source_tabname = paste_button, tabname, source_tabname
        self.source_text_component = source_text_component
        self.source_image_component = source_image_component
        self.override_settings_component = override_settings_component
        self.paste_field_names = paste_field_names or []


class PasteField(tuple):
    """A component and the infotext label, or function, that fills it."""

    def __new__(cls, component, target, *, api=None):
        return super().__new__(cls, (component, target))

    def __init__(self, component, target, *, api=None):
        self.component, self.api = component, api
        self.label = target if isinstance(target, str) else None
        self.function = target if callable(target) else None


def reset():
    """Forget all fields and buttons: the page is about to be built again."""
    paste_fields.clear()
    registered_param_bindings.clear()


def unquote(text):
    """Undo `quote`."""
    try:
        return json.loads(text) if len(text) > 1 and text[0] == text[-1] == '"' else text
    except ValueError:
        return text


def image_from_url_text(filedata):
    """The picture of a gallery item, or of a data URL."""
    filedata = filedata[0] if isinstance(filedata, list) and filedata else filedata
    if not filedata:
        return None
    if isinstance(filedata, str) and (filedata.startswith("data:") or len(filedata) > 2000):
        return images.read(io.BytesIO(base64.b64decode(filedata.split(",")[-1])))
    path = gradio_compat.gallery_path(filedata)
    assert ui_tempdir.check_tmp_file(shared.demo, path), (
        "trying to open image file outside of allowed directories"
    )
    return images.read(path)


def add_paste_fields(tabname, init_img, fields, override_settings_component=None):
    """Say which components of a tab an infotext fills."""
    fields = [
        field if isinstance(field, PasteField) else PasteField(*field) for field in fields or []
    ]
    paste_fields[tabname] = {
        "init_img": init_img,
        "fields": fields or None,
        "override_settings_component": override_settings_component,
    }


def create_buttons(tabs_list):
    """One `Send to` button for each tab."""
    return {tab: gr.Button(f"Send to {tab}", elem_id=f"{tab}_tab") for tab in tabs_list}


def bind_buttons(buttons, send_image, send_generate_info):
    """Connect such buttons."""
    from_tab = send_generate_info if isinstance(send_generate_info, str) else None
    text = None if from_tab else send_generate_info
    for tabname, button in buttons.items():
        register_paste_params_button(ParamBinding(button, tabname, text, send_image, from_tab))


def register_paste_params_button(binding):
    """Remember a button until the whole page exists."""
    registered_param_bindings.append(binding)


def connect_paste_params_buttons():
    """Connect all remembered buttons."""
    for binding in registered_param_bindings:
        target = paste_fields.get(binding.tabname) or {"init_img": None, "fields": None}
        if binding.source_image_component is not None and target["init_img"] is not None:
            gallery = isinstance(binding.source_image_component, gr.Gallery)
            binding.paste_button.click(
                fn=_sender(image_from_url_text if gallery else None, binding.tabname),
                inputs=[binding.source_image_component],
                outputs=[target["init_img"]],
                show_progress=False,
                **(gradio_compat.js("extract_image_from_gallery") if gallery else {}),
            )
        if binding.source_text_component is not None and target["fields"]:
            connect_paste(
                binding.paste_button,
                target["fields"],
                binding.source_text_component,
                target["override_settings_component"],
                binding.tabname,
            )
        binding.paste_button.click(
            fn=None,
            inputs=None,
            outputs=None,
            show_progress=False,
            **gradio_compat.js(f"switch_to_{binding.tabname}"),
        )


def _sender(read, tabname):
    """A function that makes the value of a tab's picture input from what a button sends."""

    def send(sent):
        picture = read(sent) if read else sent
        return gradio_compat.drawing_of(picture) if tabname == "inpaint" else picture

    return send


def connect_paste(button, paste_field_list, input_comp, override_settings_component, tabname):
    """Let a button read an infotext, the last one if the text is empty, into the components."""
    fields = [field for field in paste_field_list if field.component is not None]

    def paste(text):
        params = parse_generation_parameters(text or _last_infotext())
        results = [_pasted(field, params) for field in fields]
        if override_settings_component is not None:
            texts = [f"{label}: {value}" for label, _name, value in get_override_settings(params)]
            results.append(gr.update(value=texts, choices=texts, visible=bool(texts)))
        return results

    outputs = [field.component for field in fields]
    outputs += [override_settings_component] if override_settings_component is not None else []
    button.click(fn=paste, inputs=[input_comp], outputs=outputs, show_progress=False)


def _last_infotext():
    import os

    from modules.paths import data_path

    path = os.path.join(data_path, "params.txt")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf8") as file:
        return file.read()


def _pasted(field, params):
    value = field.function(params) if field.function else params.get(field.label)
    if value is None:
        return gr.update()
    if isinstance(value, gradio_compat.Update):
        return value
    kind = type(getattr(field.component, "value", None))
    try:
        if kind is bool and value == "False":
            return gr.update(value=False)
        return gr.update(value=value if kind is type(None) else kind(value))
    except (TypeError, ValueError):
        return gr.update()


def parse_generation_parameters(x, skip_fields=None):
    """The values of an infotext by label; sizes become `…-1` and `…-2`, what is missing its
    default."""
    *lines, last = x.strip().split("\n")
    if len(re_param.findall(last)) < 3:
        lines, last = [*lines, last], ""
    params = _read_line(last)
    prompt, negative = _read_prompts(lines)
    prompt, negative = _take_out_styles(prompt, negative, params)
    params["Prompt"], params["Negative prompt"] = prompt, negative
    attention = prompt_parser.parse_prompt_attention(prompt) + prompt_parser.parse_prompt_attention(
        negative
    )
    if any(weight != 1.0 for _text, weight in attention):
        params.setdefault("Emphasis", "Original")
    for label, value in _DEFAULTS.items():
        params.setdefault(label, value)
    for label in shared.opts.infotext_skip_pasting if skip_fields is None else skip_fields:
        params.pop(label, None)
    return params


def _read_line(line):
    params = {}
    for label, value in re_param.findall(line):
        value = unquote(value)
        size = re_imagesize.match(value)
        params.update(
            {f"{label}-1": size.group(1), f"{label}-2": size.group(2)} if size else {label: value}
        )
    return params


def _read_prompts(lines):
    parts, place = ([], []), 0
    for line in lines:
        line = line.strip()
        if line.startswith("Negative prompt:"):
            place, line = 1, line[16:].strip()
        parts[place].append(line)
    return "\n".join(parts[0]), "\n".join(parts[1])


def _take_out_styles(prompt, negative, params):
    mode = shared.opts.infotext_styles
    if mode == "Ignore":
        return prompt, negative
    found, prompt, negative = shared.prompt_styles.extract_styles_from_prompt(prompt, negative)
    if mode == "Apply" or (mode == "Apply if any" and found):
        params["Styles array"] = found
    return prompt, negative


def create_override_settings_dict(text_pairs):
    """Settings from texts such as `Clip skip: 2`."""
    given = dict(pair.split(":", 1) for pair in text_pairs)
    known = [
        (info.infotext, name) for name, info in shared.opts.data_labels.items() if info.infotext
    ]
    return {
        name: shared.opts.cast_value(name, given[label].strip())
        for label, name in known + infotext_to_setting_name_mapping
        if label in given
    }


def get_override_settings(params, *, skip_fields=None):
    """[label, setting, value] of what an infotext says and the settings say otherwise."""
    found = []
    for name, info in shared.opts.data_labels.items():
        label = info.infotext
        if not label or label not in params or label in (skip_fields or []):
            continue
        if label == "Model hash" and shared.opts.disable_weights_auto_swap:
            continue
        value = shared.opts.cast_value(name, params[label])
        if (
            name == "sd_model_checkpoint"
            and sd_models.get_closet_checkpoint_match(params[label])
            is sd_models.select_checkpoint()
        ):
            continue
        if value is not None and value != getattr(shared.opts, name):
            found.append((label, name, value))
    return found


def send_image_and_dimensions(x):
    """A picture and its size."""
    picture = x if isinstance(x, Image.Image) else image_from_url_text(x)
    size = (
        picture.size
        if shared.opts.send_size and picture is not None
        else (gr.update(), gr.update())
    )
    return picture, *size
