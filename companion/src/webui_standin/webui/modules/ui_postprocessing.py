"""The Extras tab. Element ids: A1111 v1.10.1, modules/ui_postprocessing.py."""

import gradio as gr

from modules import (
    call_queue,
    infotext_utils,
    postprocessing,
    scripts,
    shared,
    ui_common,
    ui_toprow,
)
from modules.ui_components import ResizeHandleRow
from webui_standin import gradio_compat


def create_ui():
    """Build the tab inside the current Blocks."""
    dummy = gr.Textbox(visible=False)
    mode = gr.Number(value=0, visible=False, precision=0)
    with ResizeHandleRow(variant="compact"):
        with gr.Column(variant="compact"):
            sources, tabs = _create_sources()
            script_inputs = scripts.scripts_postproc.setup_ui()
        with gr.Column():
            toprow = ui_toprow.Toprow(is_compact=True, is_img2img=False, id_part="extras")
            toprow.create_inline_toprow_image()
            panel = ui_common.create_output_panel("extras", shared.opts.outdir_extras_samples)
    for number, tab in enumerate(tabs):
        tab.select(fn=lambda number=number: number, inputs=[], outputs=[mode])
    toprow.submit.click(
        fn=call_queue.wrap_gradio_gpu_call(_run, extra_outputs=[None, ""]),
        inputs=[dummy, mode, *sources, *script_inputs],
        outputs=[panel.gallery, panel.generation_info, panel.html_log],
        show_progress=False,
        **gradio_compat.js("submit_extras"),
    )
    infotext_utils.add_paste_fields("extras", sources[0], None)


def _create_sources():
    with gr.Tabs(elem_id="mode_extras"):
        with gr.TabItem("Single Image", id="single_image", elem_id="extras_single_tab") as single:
            image = gradio_compat.image(label="Source", elem_id="extras_image", image_mode="RGBA")
        with gr.TabItem(
            "Batch Process", id="batch_process", elem_id="extras_batch_process_tab"
        ) as several:
            files = gr.Files(label="Batch Process", interactive=True, elem_id="extras_image_batch")
        with gr.TabItem(
            "Batch from Directory", id="batch_from_directory", elem_id="extras_batch_directory_tab"
        ) as folder:
            source = gr.Textbox(
                label="Input directory", elem_id="extras_batch_input_dir", **shared.hide_dirs
            )
            target = gr.Textbox(
                label="Output directory", elem_id="extras_batch_output_dir", **shared.hide_dirs
            )
            show = gr.Checkbox(
                label="Show result images", value=True, elem_id="extras_show_extras_results"
            )
    return [image, files, source, target, show], [single, several, folder]


def _run(id_task, *args):
    from modules.ui import as_files

    shown, text, log = postprocessing.run_postprocessing_webui(id_task, *args)
    return as_files(shown), text, log
