"""The img2img tab. Element ids, labels and order: A1111 v1.10.1, modules/ui.py."""

import gradio as gr

from modules import img2img, infotext_utils, progress, scripts, shared, ui, ui_toprow
from modules.call_queue import wrap_gradio_gpu_call
from modules.infotext_utils import PasteField
from modules.ui_common import create_output_panel
from modules.ui_components import FormGroup, FormHTML, FormRow, ResizeHandleRow, ToolButton
from modules.ui_txt2img import _create_batch, _filed, create_batch, create_cfg
from webui_standin import gradio_compat
from webui_standin.flavour import is_reforge
from webui_standin.gradio_compat import js

_SUB_TABS = [
    ("img2img", "img2img", "img2img_img2img_tab"),
    ("Sketch", "img2img_sketch", "img2img_img2img_sketch_tab"),
    ("Inpaint", "inpaint", "img2img_inpaint_tab"),
    ("Inpaint sketch", "inpaint_sketch", "img2img_inpaint_sketch_tab"),
    ("Inpaint upload", "inpaint_upload", "img2img_inpaint_upload_tab"),
    ("Batch", "batch", "img2img_batch_tab"),
]


def create_interface(dummy):
    """Build the tab and return its Blocks; `dummy` is an input of its events that lies in txt2img,
    as in A1111 v1.10.1, reForge and Forge (modules/ui.py)."""
    scripts.scripts_current = runner = scripts.scripts_img2img
    runner.initialize_scripts(is_img2img=True)
    with gr.Blocks(analytics_enabled=False) as interface:
        toprow = ui_toprow.Toprow(is_img2img=True, is_compact=shared.opts.compact_prompt_box)
        parts = {
            "dummy": dummy,
            "mode": gr.Number(visible=False, value=0, precision=0),
        }
        with gr.Tabs(elem_id="img2img_extra_tabs", elem_classes=["extra-networks"]):
            with gr.Tab("Generation", id="img2img_generation"), ResizeHandleRow():
                with gr.Column(variant="compact", elem_id="img2img_settings"):
                    runner.prepare_ui()
                    for category in ui.ordered_ui_categories():
                        _create_part(category, parts, toprow, runner)
                panel = create_output_panel("img2img", shared.opts.outdir_img2img_samples, toprow)
        _connect(parts, toprow, panel, runner)
    return interface


def _create_part(category, parts, toprow, runner):
    builders = {
        "image": _create_images,
        "inpaint": _create_inpaint,
        "dimensions": _create_dimensions,
        "cfg": create_cfg,
        "batch": create_batch,
    }
    if category == "prompt":
        toprow.create_inline_toprow_prompts()
    elif category in builders:
        builders[category]("img2img", parts, runner)
    elif category == "denoising":
        parts["denoising_strength"] = gr.Slider(
            minimum=0.0,
            maximum=1.0,
            step=0.01,
            label="Denoising strength",
            value=0.75,
            elem_id="img2img_denoising_strength",
        )
    elif category == "accordions":
        with gr.Row(elem_id="img2img_accordions", elem_classes="accordions"):
            runner.setup_ui_for_section(category)
    elif category == "override_settings":
        with FormRow(elem_id="img2img_override_settings_row") as row:
            parts["override_settings_texts"] = ui.create_override_settings_dropdown("img2img", row)
    elif category == "scripts":
        with FormGroup(elem_id="img2img_script_container"):
            parts["script_inputs"] = runner.setup_ui()
    if category != "accordions":
        runner.setup_ui_for_section(category)


def _create_images(tab, parts, runner):
    parts["tabs"] = []
    with gr.Tabs(elem_id="mode_img2img"):
        for (title, name, elem_id), build in zip(_SUB_TABS, _BUILDERS, strict=False):
            with gr.TabItem(title, id=name, elem_id=elem_id) as item:
                build(parts)
            parts["tabs"].append(item)
    modes = ["Just resize", "Crop and resize", "Resize and fill", "Just resize (latent upscale)"]
    with FormRow():
        parts["resize_mode"] = gr.Radio(
            label="Resize mode", elem_id="resize_mode", choices=modes, type="index", value=modes[0]
        )


def _build_plain(parts):
    parts["init_img"] = gradio_compat.image(
        label="Image for img2img",
        elem_id="img2img_image",
        show_label=False,
        image_mode="RGBA",
        height=480,
    )


def _build_sketch(parts):
    parts["sketch"] = gradio_compat.sketchpad("img2img_sketch", colour=True, show_label=False)


def _build_inpaint(parts):
    parts["init_img_with_mask"] = gradio_compat.sketchpad("img2maskimg", show_label=False)


def _build_inpaint_sketch(parts):
    pad = gradio_compat.sketchpad("inpaint_sketch", colour=True, show_label=False)
    # gradio 4 puts a null of its own before a State when JavaScript has made the values.
    original = gr.State(None) if gradio_compat.IS_3 else gr.Textbox(visible=False)
    parts["inpaint_color_sketch"], parts["inpaint_color_sketch_orig"] = pad, original
    if gradio_compat.IS_3:
        pad.change(_original_of, [pad, original], original)


def _original_of(drawn, known):
    """The picture before it was drawn on: the known one as long as parts of it are left."""
    import numpy as np

    if drawn is None:
        return None
    if known is None or known.size != drawn.size:
        return drawn
    return known if np.any(np.all(np.array(drawn) == np.array(known), axis=-1)) else drawn


def _build_upload(parts):
    parts["init_img_inpaint"] = gradio_compat.image(
        label="Image for img2img", show_label=False, elem_id="img_inpaint_base"
    )
    parts["init_mask_inpaint"] = gradio_compat.image(
        label="Mask", image_mode="RGBA", elem_id="img_inpaint_mask"
    )


def _build_batch(parts):
    if is_reforge():
        _batch_folders(parts)
    else:
        _batch_sources(parts)
    _batch_png_info(parts)


def _batch_sources(parts):
    with gr.Tabs(elem_id="img2img_batch_source"):
        parts["batch_source_type"] = gr.Textbox(visible=False, value="upload")
        with gr.TabItem("Upload", id="batch_upload", elem_id="img2img_batch_upload_tab") as upload:
            parts["batch_upload"] = gr.Files(
                label="Files", interactive=True, elem_id="img2img_batch_upload"
            )
        with gr.TabItem(
            "From directory", id="batch_from_dir", elem_id="img2img_batch_from_dir_tab"
        ) as folder:
            _batch_folders(parts)
    upload.select(fn=lambda: "upload", inputs=[], outputs=[parts["batch_source_type"]])
    folder.select(fn=lambda: "from dir", inputs=[], outputs=[parts["batch_source_type"]])


def _batch_folders(parts):
    for name, label in (
        ("batch_input_dir", "Input directory"),
        ("batch_output_dir", "Output directory"),
        ("batch_inpaint_mask_dir", "Inpaint batch mask directory"),
    ):
        parts[name] = gr.Textbox(label=label, elem_id=f"img2img_{name}", **shared.hide_dirs)


def _batch_png_info(parts):
    with gr.Accordion("PNG info", open=False):
        parts["batch_use_png_info"] = gr.Checkbox(
            label="Append png info to prompts", elem_id="img2img_batch_use_png_info"
        )
        parts["batch_png_info_dir"] = gr.Textbox(
            label="PNG info directory", elem_id="img2img_batch_png_info_dir", **shared.hide_dirs
        )
        choices = [
            "Prompt",
            "Negative prompt",
            "Seed",
            "CFG scale",
            "Sampler",
            "Steps",
            "Model hash",
        ]
        parts["batch_png_info_props"] = gr.CheckboxGroup(
            choices, label="Parameters to take from png info"
        )


_BUILDERS = [
    _build_plain,
    _build_sketch,
    _build_inpaint,
    _build_inpaint_sketch,
    _build_upload,
    _build_batch,
]


def _create_dimensions(tab, parts, runner):
    with FormRow():
        with gr.Column(elem_id="img2img_column_size", scale=4):
            parts["selected_scale_tab"] = gr.Number(value=0, visible=False, precision=0)
            with gr.Tabs(elem_id="img2img_tabs_resize"):
                with gr.Tab(label="Resize to", id="to", elem_id="img2img_tab_resize_to") as to:
                    parts["width"] = gr.Slider(
                        minimum=64,
                        maximum=2048,
                        step=8,
                        label="Width",
                        value=512,
                        elem_id="img2img_width",
                    )
                    parts["height"] = gr.Slider(
                        minimum=64,
                        maximum=2048,
                        step=8,
                        label="Height",
                        value=512,
                        elem_id="img2img_height",
                    )
                    switch = ToolButton(
                        value=ui.switch_values_symbol, elem_id="img2img_res_switch_btn"
                    )
                with gr.Tab(label="Resize by", id="by", elem_id="img2img_tab_resize_by") as by:
                    parts["scale_by"] = gr.Slider(
                        minimum=0.05,
                        maximum=4.0,
                        step=0.05,
                        label="Scale",
                        value=1.0,
                        elem_id="img2img_scale",
                    )
                    FormHTML(
                        ui.resize_from_to_html(0, 0, 0.0),
                        elem_id="img2img_scale_resolution_preview",
                    )
        if shared.opts.dimensions_and_batch_together:
            with gr.Column(elem_id="img2img_column_batch"):
                _create_batch("img2img", parts)
    switch.click(
        fn=None,
        inputs=None,
        outputs=None,
        show_progress=False,
        **js("function(){switchWidthHeight('img2img')}"),
    )
    to.select(fn=lambda: 0, inputs=[], outputs=[parts["selected_scale_tab"]])
    by.select(fn=lambda: 1, inputs=[], outputs=[parts["selected_scale_tab"]])


def _create_inpaint(tab, parts, runner):
    with FormGroup(elem_id="inpaint_controls", visible=False) as controls:
        with FormRow():
            parts["mask_blur"] = gr.Slider(
                label="Mask blur",
                minimum=0,
                maximum=64,
                step=1,
                value=4,
                elem_id="img2img_mask_blur",
            )
            parts["mask_alpha"] = gr.Slider(
                label="Mask transparency", visible=False, elem_id="img2img_mask_alpha", value=0
            )
        with FormRow():
            parts["inpainting_mask_invert"] = _radio(
                "Mask mode", ["Inpaint masked", "Inpaint not masked"], 0, "img2img_mask_mode"
            )
        with FormRow():
            fills = ["fill", "original", "latent noise", "latent nothing"]
            parts["inpainting_fill"] = _radio("Masked content", fills, 1, "img2img_inpainting_fill")
        with FormRow():
            parts["inpaint_full_res"] = _radio(
                "Inpaint area", ["Whole picture", "Only masked"], 0, "img2img_inpaint_full_res"
            )
            parts["inpaint_full_res_padding"] = gr.Slider(
                label="Only masked padding, pixels",
                minimum=0,
                maximum=256,
                step=4,
                value=32,
                elem_id="img2img_inpaint_full_res_padding",
            )
    for number, item in enumerate(parts["tabs"]):
        item.select(
            fn=lambda number=number: _shown(number),
            inputs=[],
            outputs=[controls, parts["mask_alpha"]],
        )


def _radio(label, choices, chosen, elem_id):
    return gr.Radio(
        label=label, choices=choices, value=choices[chosen], type="index", elem_id=elem_id
    )


def _shown(number):
    return gr.update(visible=number in (2, 3, 4)), gr.update(visible=number == 3)


def _connect(parts, toprow, panel, runner):
    parts.update(
        prompt=toprow.prompt,
        negative_prompt=toprow.negative_prompt,
        styles=toprow.ui_styles.dropdown,
    )
    inputs = [parts["dummy"], *[parts[name] for name in img2img.FIELDS], *parts["script_inputs"]]
    outputs = [panel.gallery, panel.generation_info, panel.infotext, panel.html_log]
    generate = {
        "fn": wrap_gradio_gpu_call(_filed(img2img.img2img), extra_outputs=[None, "", ""]),
        "inputs": inputs,
        "outputs": outputs,
        "show_progress": False,
        **js("submit_img2img"),
    }
    toprow.prompt.submit(**generate)
    toprow.submit.click(**generate)
    restore = {
        "fn": progress.restore_progress,
        "inputs": [parts["dummy"]],
        "outputs": outputs,
        "show_progress": False,
    }
    toprow.restore_progress_button.click(**restore, **js("restoreProgressImg2img"))
    _add_paste_fields(parts, toprow, runner)


def _add_paste_fields(parts, toprow, runner):
    labels = {
        "prompt": "Prompt",
        "negative_prompt": "Negative prompt",
        "cfg_scale": "CFG scale",
        "image_cfg_scale": "Image CFG scale",
        "width": "Size-1",
        "height": "Size-2",
        "batch_size": "Batch size",
        "styles": lambda params: params.get("Styles array"),
        "denoising_strength": "Denoising strength",
        "mask_blur": "Mask blur",
        "inpainting_mask_invert": "Mask mode",
        "inpainting_fill": "Masked content",
        "inpaint_full_res": "Inpaint area",
        "inpaint_full_res_padding": "Masked area padding",
    }
    fields = [PasteField(parts[name], target, api=name) for name, target in labels.items()]
    ui.img2img_paste_fields = fields + runner.infotext_fields
    for tab, image in (("img2img", parts["init_img"]), ("inpaint", parts["init_img_with_mask"])):
        infotext_utils.add_paste_fields(
            tab, image, ui.img2img_paste_fields, parts["override_settings_texts"]
        )
    binding = infotext_utils.ParamBinding(
        toprow.paste, "img2img", source_text_component=toprow.prompt
    )
    infotext_utils.register_paste_params_button(binding)
