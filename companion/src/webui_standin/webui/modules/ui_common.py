"""Parts of several tabs. Names and element ids: A1111 v1.10.1, modules/ui_common.py."""

import html
import json
import os
import zipfile
from dataclasses import dataclass
from typing import Any

import gradio as gr

from modules import call_queue, images, infotext_utils, shared
from modules.ui_components import ToolButton
from webui_standin import gradio_compat
from webui_standin.gradio_compat import js

folder_symbol, refresh_symbol = "\U0001f4c2", "\U0001f504"


def plaintext_to_html(text, classname=None):
    """A text as an HTML paragraph, escaped."""
    content = "<br>\n".join(html.escape(line) for line in text.split("\n"))
    return f"<p class='{classname}'>{content}</p>" if classname else f"<p>{content}</p>"


def update_generation_info(generation_info, html_info, img_index):
    """The infotext of the selected picture."""
    try:
        texts = json.loads(generation_info)["infotexts"]
        return plaintext_to_html(texts[img_index]) if 0 <= img_index < len(
            texts
        ) else html_info, gr.update()
    except (ValueError, KeyError, TypeError):
        return html_info, gr.update()


def save_files(js_data, gallery, do_make_zip, index):
    """The Save buttons: pictures into their own folder, one or all, or a zip file of them."""
    data, start = json.loads(js_data), 0
    if index > -1 and shared.opts.save_selected_only and index >= data["index_of_first_image"]:
        gallery, start = [gallery[index]], index
    names = [_save_one(data, item, start + place) for place, item in enumerate(gallery)]
    if do_make_zip:
        names.insert(0, _zip(names))
    return gr.update(value=names, visible=True), plaintext_to_html(
        f"Saved: {os.path.basename(names[0])}"
    )


def _save_one(data, item, index):
    picture = infotext_utils.image_from_url_text(item)
    text = data["infotexts"][index]
    params = infotext_utils.parse_generation_parameters(text, [])
    own = {
        "info": text,
        "grid": index < data["index_of_first_image"],
        "save_to_dirs": shared.opts.use_save_to_dirs_for_ui,
    }
    kind = shared.opts.samples_format
    return images.save_image(
        picture, shared.opts.outdir_save, "", params.get("Seed"), params["Prompt"], kind, **own
    )[0]


def _zip(names):
    path = os.path.splitext(names[0])[0] + ".zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.write(name, os.path.basename(name))
    return path


@dataclass
class OutputPanel:
    """The components that results go to."""

    gallery: Any = None
    generation_info: Any = None
    infotext: Any = None
    html_log: Any = None
    button_upscale: Any = None


def create_output_panel(tabname, outdir, toprow=None):
    """Gallery, buttons and texts of a tab."""
    panel = OutputPanel()
    with gr.Column(elem_id=f"{tabname}_results"):
        if toprow:
            toprow.create_inline_toprow_image()
        with gr.Column(variant="panel", elem_id=f"{tabname}_results_panel"):
            _create_gallery(panel, tabname)
            buttons, save = _create_buttons(panel, tabname)
            if tabname == "extras":
                panel.generation_info = gr.HTML(elem_id=f"html_info_x_{tabname}")
                panel.infotext = gr.HTML(elem_id=f"html_info_{tabname}", elem_classes="infotext")
                panel.html_log = gr.HTML(elem_id=f"html_log_{tabname}")
            else:
                _create_texts(panel, tabname, save)
            for name, button in buttons.items():
                binding = infotext_utils.ParamBinding(
                    button, name, source_image_component=panel.gallery
                )
                infotext_utils.register_paste_params_button(binding)
    return panel


def _create_gallery(panel, tabname):
    height = {"height": shared.opts.gallery_height} if shared.opts.gallery_height else {}
    with gr.Group(elem_id=f"{tabname}_gallery_container"):
        panel.gallery = gradio_compat.gallery(
            label="Output",
            show_label=False,
            elem_id=f"{tabname}_gallery",
            columns=4,
            preview=True,
            **height,
        )


def _create_buttons(panel, tabname):
    save = ()
    with gr.Row(elem_id=f"image_buttons_{tabname}", elem_classes="image-buttons"):
        if tabname != "extras":
            save = (
                ToolButton("💾", elem_id=f"save_{tabname}"),
                ToolButton("🗃️", elem_id=f"save_zip_{tabname}"),
            )
        buttons = {
            "img2img": ToolButton("🖼️", elem_id=f"{tabname}_send_to_img2img"),
            "inpaint": ToolButton("🎨️", elem_id=f"{tabname}_send_to_inpaint"),
            "extras": ToolButton("📐", elem_id=f"{tabname}_send_to_extras"),
        }
        if tabname == "txt2img":
            panel.button_upscale = ToolButton("✨", elem_id=f"{tabname}_upscale")
        ToolButton(folder_symbol, elem_id=f"{tabname}_open_folder", visible=False)
    return buttons, save


def _create_texts(panel, tabname, save):
    with gr.Group():
        files = gr.File(
            None,
            file_count="multiple",
            interactive=False,
            show_label=False,
            visible=False,
            elem_id=f"download_files_{tabname}",
        )
        panel.infotext = gr.HTML(elem_id=f"html_info_{tabname}", elem_classes="infotext")
        panel.html_log = gr.HTML(elem_id=f"html_log_{tabname}", elem_classes="html-log")
        panel.generation_info = gr.Textbox(visible=False, elem_id=f"generation_info_{tabname}")
        button = gr.Button(visible=False, elem_id=f"{tabname}_generation_info_button")
    button.click(
        fn=update_generation_info,
        inputs=[panel.generation_info, panel.infotext, panel.infotext],
        outputs=[panel.infotext, panel.infotext],
        show_progress=False,
        **js("function(x, y, z){ return [x, y, selected_gallery_index()] }"),
    )
    for saving, flag in zip(save, ("false", "true"), strict=False):
        saving.click(
            fn=call_queue.wrap_gradio_call_no_job(save_files),
            inputs=[panel.generation_info, panel.gallery, panel.infotext, panel.infotext],
            outputs=[files, panel.html_log],
            show_progress=False,
            **js(f"(x, y, z, w) => [x, y, {flag}, selected_gallery_index()]"),
        )


def create_refresh_button(refresh_component, refresh_method, refreshed_args, elem_id):
    """A button that reads a list again and puts it into one or several components."""
    targets = refresh_component if isinstance(refresh_component, list) else [refresh_component]

    def refresh():
        refresh_method()
        arguments = refreshed_args() if callable(refreshed_args) else refreshed_args
        updates = [gr.update(**(arguments or {})) for _ in targets]
        return updates if len(updates) > 1 else updates[0]

    button = ToolButton(value=refresh_symbol, elem_id=elem_id)
    button.click(fn=refresh, inputs=[], outputs=targets)
    return button


def setup_dialog(button_show, dialog, *, button_close=None):
    """Show a group when a button is pressed."""
    dialog.visible = False
    button_show.click(fn=lambda: gr.update(visible=True), inputs=[], outputs=[dialog])
    if button_close:
        button_close.click(fn=lambda: gr.update(visible=False), inputs=[], outputs=[dialog])
