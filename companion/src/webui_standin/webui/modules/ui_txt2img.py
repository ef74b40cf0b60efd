"""The txt2img tab. Element ids, labels and order: A1111 v1.10.1, modules/ui.py;
the Distilled CFG and Hires CFG sliders: Forge dfdcbab6 and reForge 3b56b268, the same file.
"""

import gradio as gr

from modules import (
    infotext_utils,
    progress,
    scripts,
    sd_models,
    sd_samplers,
    sd_schedulers,
    shared,
    txt2img,
    ui,
    ui_toprow,
)
from modules.call_queue import wrap_gradio_gpu_call
from modules.infotext_utils import PasteField
from modules.ui_common import create_output_panel, create_refresh_button
from modules.ui_components import (
    FormGroup,
    FormHTML,
    FormRow,
    InputAccordion,
    ResizeHandleRow,
    ToolButton,
)
from webui_standin.flavour import has_forge_traits, is_forge
from webui_standin.gradio_compat import js


def create_interface():
    """Build the tab; its Blocks, and the invisible component that img2img's events use as well."""
    scripts.scripts_current = runner = scripts.scripts_txt2img
    runner.initialize_scripts(is_img2img=False)
    with gr.Blocks(analytics_enabled=False) as interface:
        toprow = ui_toprow.Toprow(is_img2img=False, is_compact=shared.opts.compact_prompt_box)
        dummy = gr.Textbox(visible=False)
        parts = {"dummy": dummy}
        with gr.Tabs(elem_id="txt2img_extra_tabs", elem_classes=["extra-networks"]):
            with gr.Tab("Generation", id="txt2img_generation"), ResizeHandleRow():
                with gr.Column(variant="compact", elem_id="txt2img_settings"):
                    runner.prepare_ui()
                    for category in ui.ordered_ui_categories():
                        _create_part(category, parts, toprow, runner)
                panel = create_output_panel("txt2img", shared.opts.outdir_txt2img_samples, toprow)
        _connect(parts, toprow, panel, runner)
    return interface, dummy


def _create_part(category, parts, toprow, runner):
    builders = {
        "dimensions": create_dimensions,
        "cfg": create_cfg,
        "accordions": _create_accordions,
        "batch": create_batch,
    }
    if category == "prompt":
        toprow.create_inline_toprow_prompts()
    elif category in builders:
        builders[category]("txt2img", parts, runner)
    elif category == "override_settings":
        with FormRow(elem_id="txt2img_override_settings_row") as row:
            parts["override_settings"] = ui.create_override_settings_dropdown("txt2img", row)
    elif category == "scripts":
        with FormGroup(elem_id="txt2img_script_container"):
            parts["script_inputs"] = runner.setup_ui()
    if category != "accordions":
        runner.setup_ui_for_section(category)


def create_dimensions(tab, parts, runner):
    """Width, height, and beside them the batch, if that is set."""
    with FormRow():
        with gr.Column(elem_id=f"{tab}_column_size", scale=4):
            parts["width"] = gr.Slider(
                minimum=64, maximum=2048, step=8, label="Width", value=512, elem_id=f"{tab}_width"
            )
            parts["height"] = gr.Slider(
                minimum=64, maximum=2048, step=8, label="Height", value=512, elem_id=f"{tab}_height"
            )
        with gr.Column(elem_id=f"{tab}_dimensions_row", scale=1, elem_classes="dimensions-tools"):
            switch = ToolButton(value=ui.switch_values_symbol, elem_id=f"{tab}_res_switch_btn")
        if shared.opts.dimensions_and_batch_together:
            with gr.Column(elem_id=f"{tab}_column_batch"):
                _create_batch(tab, parts)
    switch.click(
        fn=None,
        inputs=None,
        outputs=None,
        show_progress=False,
        **js(f"function(){{switchWidthHeight('{tab}')}}"),
    )


def create_batch(tab, parts, runner):
    """Batch count and size in a row of their own."""
    if not shared.opts.dimensions_and_batch_together:
        with FormRow(elem_id=f"{tab}_column_batch"):
            _create_batch(tab, parts)


def _create_batch(tab, parts):
    parts["n_iter"] = gr.Slider(
        minimum=1, maximum=100, step=1, label="Batch count", value=1, elem_id=f"{tab}_batch_count"
    )
    parts["batch_size"] = gr.Slider(
        minimum=1, maximum=8, step=1, label="Batch size", value=1, elem_id=f"{tab}_batch_size"
    )


def create_cfg(tab, parts, runner):
    """Guidance."""
    with gr.Row():
        if is_forge():
            parts["distilled_cfg_scale"] = gr.Slider(
                minimum=0.0,
                maximum=30.0,
                step=0.1,
                label="Distilled CFG Scale",
                value=3.5,
                elem_id=f"{tab}_distilled_cfg_scale",
            )
        step = 0.1 if is_forge() else 0.5
        parts["cfg_scale"] = gr.Slider(
            minimum=1.0,
            maximum=30.0,
            step=step,
            label="CFG Scale",
            value=7.0,
            elem_id=f"{tab}_cfg_scale",
        )
        if tab == "img2img":
            parts["image_cfg_scale"] = gr.Slider(
                minimum=0,
                maximum=3.0,
                step=0.05,
                label="Image CFG Scale",
                value=1.5,
                elem_id="img2img_image_cfg_scale",
                visible=False,
            )


def _create_accordions(tab, parts, runner):
    with gr.Row(elem_id="txt2img_accordions", elem_classes="accordions"):
        with InputAccordion(False, label="Hires. fix", elem_id="txt2img_hr") as enable_hr:
            parts["enable_hr"] = enable_hr
            with enable_hr.extra():
                FormHTML(value="", elem_id="txtimg_hr_finalres", label="Upscaled resolution")
            _create_hires(parts)
        runner.setup_ui_for_section("accordions")


def _create_hires(parts):
    upscalers = [*shared.latent_upscale_modes, *[data.name for data in shared.sd_upscalers]]
    with FormRow(elem_id="txt2img_hires_fix_row1", variant="compact"):
        parts["hr_upscaler"] = gr.Dropdown(
            label="Upscaler",
            elem_id="txt2img_hr_upscaler",
            choices=upscalers,
            value=shared.latent_upscale_default_mode,
        )
        parts["hr_second_pass_steps"] = gr.Slider(
            minimum=0,
            maximum=150,
            step=1,
            label="Hires steps",
            value=0,
            elem_id="txt2img_hires_steps",
        )
        parts["denoising_strength"] = gr.Slider(
            minimum=0.0,
            maximum=1.0,
            step=0.01,
            label="Denoising strength",
            value=0.7,
            elem_id="txt2img_denoising_strength",
        )
    with FormRow(elem_id="txt2img_hires_fix_row2", variant="compact"):
        parts["hr_scale"] = gr.Slider(
            minimum=1.0,
            maximum=4.0,
            step=0.05,
            label="Upscale by",
            value=2.0,
            elem_id="txt2img_hr_scale",
        )
        parts["hr_resize_x"] = gr.Slider(
            minimum=0,
            maximum=2048,
            step=8,
            label="Resize width to",
            value=0,
            elem_id="txt2img_hr_resize_x",
        )
        parts["hr_resize_y"] = gr.Slider(
            minimum=0,
            maximum=2048,
            step=8,
            label="Resize height to",
            value=0,
            elem_id="txt2img_hr_resize_y",
        )
    if has_forge_traits():
        with FormRow(elem_id="txt2img_hires_fix_row_cfg", variant="compact"):
            _create_hires_cfg(parts)
    with FormRow(
        elem_id="txt2img_hires_fix_row3",
        variant="compact",
        visible=shared.opts.hires_fix_show_sampler,
    ) as row:
        parts["hr_sampler_row"] = row
        _create_hires_sampler(parts)
    with FormRow(
        elem_id="txt2img_hires_fix_row4",
        variant="compact",
        visible=shared.opts.hires_fix_show_prompts,
    ) as row:
        parts["hr_prompts_row"] = row
        for name, elem_id, label in (
            ("hr_prompt", "hires_prompt", "Hires prompt"),
            ("hr_negative_prompt", "hires_neg_prompt", "Hires negative prompt"),
        ):
            with gr.Column():
                parts[name] = gr.Textbox(
                    label=label,
                    elem_id=elem_id,
                    show_label=False,
                    lines=3,
                    placeholder=label,
                    elem_classes=["prompt"],
                )


def _create_hires_cfg(parts):
    """Forge begins with 7, reForge with 0, which means the CFG scale of the first pass."""
    if is_forge():
        parts["hr_distilled_cfg"] = gr.Slider(
            minimum=0.0,
            maximum=30.0,
            step=0.1,
            label="Hires Distilled CFG Scale",
            value=3.5,
            elem_id="txt2img_hr_distilled_cfg",
        )
    lowest, value = (1.0, 7.0) if is_forge() else (0.0, 0.0)
    parts["hr_cfg"] = gr.Slider(
        minimum=lowest,
        maximum=30.0,
        step=0.1,
        label="Hires CFG Scale",
        value=value,
        elem_id="txt2img_hr_cfg",
    )


def _create_hires_sampler(parts):
    def checkpoints():
        return {"choices": ["Use same checkpoint", *sd_models.checkpoint_tiles(use_short=True)]}

    parts["hr_checkpoint_name"] = gr.Dropdown(
        label="Checkpoint", elem_id="hr_checkpoint", value="Use same checkpoint", **checkpoints()
    )
    create_refresh_button(
        parts["hr_checkpoint_name"], sd_models.list_models, checkpoints, "hr_checkpoint_refresh"
    )
    if is_forge():
        from modules import sd_vae

        choices = ["Use same choices", *sd_vae.vae_dict]
        parts["hr_additional_modules"] = gr.Dropdown(
            label="Hires VAE / Text Encoder",
            elem_id="hr_vae_te",
            choices=choices,
            value=["Use same choices"],
            multiselect=True,
        )
    samplers = ["Use same sampler", *sd_samplers.visible_sampler_names()]
    parts["hr_sampler_name"] = gr.Dropdown(
        label="Hires sampling method",
        elem_id="hr_sampler",
        choices=samplers,
        value="Use same sampler",
    )
    schedules = ["Use same scheduler", *[item.label for item in sd_schedulers.schedulers]]
    parts["hr_scheduler"] = gr.Dropdown(
        label="Hires schedule type",
        elem_id="hr_scheduler",
        choices=schedules,
        value="Use same scheduler",
    )


def _filed(function):
    """The same function with the gallery's pictures as files."""
    from functools import wraps

    @wraps(function)
    def call(*args):
        results = list(function(*args))
        return (ui.as_files(results[0]), *results[1:])

    return call


def _connect(parts, toprow, panel, runner):
    parts.update(
        prompt=toprow.prompt,
        negative_prompt=toprow.negative_prompt,
        styles=toprow.ui_styles.dropdown,
    )
    inputs = [
        parts["dummy"],
        *[parts[name] for name in txt2img.FIELDS],
        parts["override_settings"],
        *parts["script_inputs"],
    ]
    outputs = [panel.gallery, panel.generation_info, panel.infotext, panel.html_log]
    empty = [None, "", ""]
    generate = {
        "fn": wrap_gradio_gpu_call(_filed(txt2img.txt2img), extra_outputs=empty),
        "inputs": inputs,
        "outputs": outputs,
        "show_progress": False,
        **js("submit"),
    }
    toprow.prompt.submit(**generate)
    toprow.submit.click(**generate)
    panel.button_upscale.click(
        fn=wrap_gradio_gpu_call(_filed(txt2img.txt2img_upscale), extra_outputs=empty),
        inputs=[inputs[0], panel.gallery, parts["dummy"], panel.generation_info, *inputs[1:]],
        outputs=outputs,
        show_progress=False,
        **js("submit_txt2img_upscale"),
    )
    restore = {
        "fn": progress.restore_progress,
        "inputs": [parts["dummy"]],
        "outputs": outputs,
        "show_progress": False,
    }
    toprow.restore_progress_button.click(**restore, **js("restoreProgressTxt2img"))
    _add_paste_fields(parts, toprow, runner)


def _add_paste_fields(parts, toprow, runner):
    def hires_in(params):
        return "Denoising strength" in params and bool(
            {"Hires upscale", "Hires upscaler"} & set(params) or params.get("Hires resize-1")
        )

    labels = {
        "prompt": "Prompt",
        "negative_prompt": "Negative prompt",
        "cfg_scale": "CFG scale",
        "width": "Size-1",
        "height": "Size-2",
        "batch_size": "Batch size",
        "styles": lambda params: params.get("Styles array"),
        "denoising_strength": "Denoising strength",
        "enable_hr": hires_in,
        "hr_scale": "Hires upscale",
        "hr_upscaler": "Hires upscaler",
        "hr_second_pass_steps": "Hires steps",
        "hr_resize_x": "Hires resize-1",
        "hr_resize_y": "Hires resize-2",
        "hr_checkpoint_name": "Hires checkpoint",
        "hr_sampler_name": sd_samplers.get_hr_sampler_from_infotext,
        "hr_scheduler": sd_samplers.get_hr_scheduler_from_infotext,
        "hr_prompt": "Hires prompt",
        "hr_negative_prompt": "Hires negative prompt",
    }
    if has_forge_traits():
        labels.update(hr_cfg="Hires CFG Scale")
    if is_forge():
        labels.update(
            distilled_cfg_scale="Distilled CFG Scale",
            hr_distilled_cfg="Hires Distilled CFG Scale",
        )
    fields = [PasteField(parts[name], target, api=name) for name, target in labels.items()]
    ui.txt2img_paste_fields = fields + runner.infotext_fields
    infotext_utils.add_paste_fields(
        "txt2img", None, ui.txt2img_paste_fields, parts["override_settings"]
    )
    binding = infotext_utils.ParamBinding(
        toprow.paste, "txt2img", source_text_component=toprow.prompt
    )
    infotext_utils.register_paste_params_button(binding)
