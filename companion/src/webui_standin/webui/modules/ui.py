"""The whole page. Order of tabs, element ids: A1111 v1.10.1, modules/ui.py."""

import html
import os

import gradio as gr

from modules import (
    extensions,
    infotext_utils,
    script_callbacks,
    scripts,
    shared,
    timer,
    ui_postprocessing,
    ui_settings,
    ui_tempdir,
)
from modules.ui_common import (
    create_output_panel,
    create_refresh_button,
    plaintext_to_html,
)
from modules.ui_components import ResizeHandleRow
from modules.ui_gradio_extensions import reload_javascript
from modules.ui_settings import create_setting_component
from modules.ui_toprow import (
    clear_prompt_symbol,
    paste_symbol,
    restore_progress_symbol,
)
from webui_standin import gradio_compat
from webui_standin.flavour import webui_version

random_symbol, reuse_symbol, switch_values_symbol = "\U0001f3b2\ufe0f", "\u267b\ufe0f", "\u21c5"
refresh_symbol = "\U0001f504"
txt2img_paste_fields = img2img_paste_fields = None
# Routes of the real page that nothing here asks for; each answers 501 with its name.
NOT_BUILT = [
    "/internal/sysinfo-download",
    "/sd_extra_networks/thumb",
    "/sd_extra_networks/cover-images",
    "/sd_extra_networks/metadata",
    "/sd_extra_networks/get-single-card",
]


def gr_show(visible=True):
    """An update of visibility."""
    return gr.update(visible=visible)


def as_files(pictures):
    """The files of pictures, for a gallery."""
    return [item if isinstance(item, str) else ui_tempdir.file_of(item) for item in pictures or []]


def resize_from_to_html(width, height, scale_by):
    """The line under the Scale slider."""
    target = int(width * scale_by), int(height * scale_by)
    return (
        f"resize: from {width}x{height} to {target[0]}x{target[1]}"
        if all(target)
        else "no image selected"
    )


def ordered_ui_categories():
    """Parts of a generation tab in the order that the user set."""
    from modules import shared_items

    names = list(shared_items.ui_reorder_categories())
    wanted = {name.strip(): place * 2 + 1 for place, name in enumerate(shared.opts.ui_reorder_list)}
    return sorted(names, key=lambda name: wanted.get(name, names.index(name) * 2))


def create_override_settings_dropdown(tabname, row):
    """Settings that a pasted infotext overrides for one job."""
    dropdown = gr.Dropdown(
        [],
        value=[],
        label="Override settings",
        visible=False,
        elem_id=f"{tabname}_override_settings",
        multiselect=True,
    )
    dropdown.change(
        fn=lambda texts: gr.update(visible=bool(texts)), inputs=[dropdown], outputs=[dropdown]
    )
    return dropdown


def create_ui():
    """Build the page and return its Blocks."""
    from modules import ui_img2img, ui_txt2img

    reload_javascript()
    infotext_utils.reset()
    settings = ui_settings.UiSettings()
    settings.register_settings()
    txt2img, dummy = ui_txt2img.create_interface()
    interfaces = [
        (txt2img, "txt2img", "txt2img"),
        (ui_img2img.create_interface(dummy), "img2img", "img2img"),
    ]
    scripts.scripts_current = None
    with gr.Blocks(analytics_enabled=False) as extras:
        ui_postprocessing.create_ui()
    interfaces += [(extras, "Extras", "extras"), (_create_pnginfo(), "PNG Info", "pnginfo")]
    settings.create_ui(None, dummy)
    interfaces += script_callbacks.ui_tabs_callback()
    interfaces += [
        (settings.interface, "Settings", "settings"),
        (_create_extensions(), "Extensions", "extensions"),
    ]
    shared.tab_names = [title for _blocks, title, _id in interfaces]
    return _assemble(interfaces, settings)


def _assemble(interfaces, settings):
    order = {title: place for place, title in enumerate(shared.opts.ui_tab_order)}
    with gr.Blocks(
        theme=gradio_compat.theme(), analytics_enabled=False, title="Stable Diffusion (stand-in)"
    ) as demo:
        settings.add_quicksettings()
        infotext_utils.connect_paste_params_buttons()
        with gr.Tabs(elem_id="tabs"):
            for blocks, title, elem_id in sorted(
                interfaces, key=lambda item: order.get(item[1], 9999)
            ):
                if title not in shared.opts.hidden_tabs:
                    with gr.TabItem(title, id=elem_id, elem_id=f"tab_{elem_id}"):
                        blocks.render()
        gr.HTML(_footer(), elem_id="footer")
        settings.add_functionality(demo)
    return demo


def _footer():
    api = ' • <a href="docs">API</a>' if shared.cmd_opts.api else ""
    return (
        "<div class='standin-note'>A stand-in for trying and testing: it draws landscapes, "
        f"it is not a diffusion model • {html.escape(webui_version())} • "
        f"gradio {gr.__version__}{api} • "
        '<button id="settings_restart" class="lg secondary" onclick="document.getElementById('
        "'settings_restart_gradio').click()\">Reload UI</button> • "
        '<a id="sd_checkpoint_hash">N/A</a></div>'
    )


def _create_pnginfo():
    from modules.call_queue import wrap_gradio_call_no_job
    from modules.extras import run_pnginfo

    with gr.Blocks(analytics_enabled=False) as interface, ResizeHandleRow():
        with gr.Column(variant="panel"):
            image = gradio_compat.image(elem_id="pnginfo_image", label="Source")
        with gr.Column(variant="panel"):
            above, text, below = (
                gr.HTML(),
                gr.Textbox(visible=False, elem_id="pnginfo_generation_info"),
                gr.HTML(),
            )
            with gr.Row():
                buttons = infotext_utils.create_buttons(["txt2img", "img2img", "inpaint", "extras"])
        infotext_utils.bind_buttons(buttons, image, text)
        image.change(
            fn=wrap_gradio_call_no_job(run_pnginfo), inputs=[image], outputs=[above, text, below]
        )
    return interface


def _create_extensions():
    rows = [
        f"<tr><td>{html.escape(item.name)}</td><td>{html.escape(item.path)}</td><td>{item.enabled}</td></tr>"
        for item in extensions.extensions
    ]
    with gr.Blocks(analytics_enabled=False) as interface:
        gr.HTML(
            f"<table id='extensions'><tr><th>Extension</th><th>Folder</th><th>Enabled</th></tr>"
            f"{''.join(rows)}</table>"
        )
    return interface


def setup_ui_api(app):
    """Add the page's own routes."""

    def quicksettings_hint():
        return [
            {"name": name, "label": info.label} for name, info in shared.opts.data_labels.items()
        ]

    app.add_api_route("/internal/quicksettings-hint", quicksettings_hint, methods=["GET"])
    app.add_api_route("/internal/ping", lambda: {}, methods=["GET"])
    app.add_api_route("/internal/profile-startup", lambda: timer.startup_record, methods=["GET"])
    app.add_api_route("/internal/sysinfo", sysinfo, methods=["GET"])
    for path in NOT_BUILT:
        app.add_api_route(path, _not_built(path), methods=["GET"])


def _not_built(path):
    from fastapi.exceptions import HTTPException

    def endpoint():
        raise HTTPException(status_code=501, detail=f"{path} is not built in the stand-in")

    return endpoint


def sysinfo():
    """What the webui knows about itself."""
    import platform
    import sys

    return {
        "Platform": platform.platform(),
        "Python": sys.version.split()[0],
        "Version": webui_version(),
        "Data path": shared.data_path,
        "Extensions": [
            {"name": item.name, "path": item.path, "version": item.version}
            for item in extensions.active()
        ],
        "Config": shared.opts.data,
        "Folder": os.getcwd(),
    }
