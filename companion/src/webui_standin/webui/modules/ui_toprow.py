"""Prompts, Generate and styles. Names and element ids: A1111 v1.10.1, modules/ui_toprow.py."""

import gradio as gr

from modules import shared, ui_prompt_styles
from modules.ui_components import ToolButton
from webui_standin.gradio_compat import js

paste_symbol, clear_prompt_symbol = "\u2199\ufe0f", "\U0001f5d1\ufe0f"
restore_progress_symbol = "\U0001f300"


class Toprow:
    """The row above a generation tab."""

    def __init__(self, is_img2img, is_compact=False, id_part=None):
        self.id_part = id_part or ("img2img" if is_img2img else "txt2img")
        self.is_img2img, self.is_compact = is_img2img, is_compact
        self.prompt = self.negative_prompt = self.ui_styles = self.paste = None
        if is_compact:
            self.create_submit_box()
        else:
            with gr.Row(elem_id=f"{self.id_part}_toprow", variant="compact"):
                self.create_prompts()
                with gr.Column(scale=1, elem_id=f"{self.id_part}_actions_column"):
                    self.create_submit_box()
                    self.create_tools_row()
                    self.create_styles_ui()

    def create_inline_toprow_prompts(self):
        """The prompts inside the tab, if that is set."""
        if self.is_compact:
            self.create_prompts()
            with gr.Row():
                self.create_tools_row()
                self.create_styles_ui()

    def create_inline_toprow_image(self):
        """The buttons above the gallery, if that is set."""
        if self.is_compact:
            self.submit_box.render()

    def create_prompts(self):
        """Prompt and negative prompt."""
        with gr.Column(elem_id=f"{self.id_part}_prompt_container", scale=6):
            with gr.Row(elem_id=f"{self.id_part}_prompt_row", elem_classes=["prompt-row"]):
                self.prompt = self._textbox("Prompt", "prompt")
            with gr.Row(elem_id=f"{self.id_part}_neg_prompt_row", elem_classes=["prompt-row"]):
                self.negative_prompt = self._textbox("Negative prompt", "neg_prompt")

    def _textbox(self, label, name):
        own = {"elem_id": f"{self.id_part}_{name}", "elem_classes": ["prompt"], "show_label": False}
        return gr.Textbox(label=label, lines=3, placeholder=label, **own)

    def create_submit_box(self):
        """Generate, Interrupt and Skip."""
        part = self.id_part
        with gr.Row(
            elem_id=f"{part}_generate_box",
            elem_classes=["generate-box"],
            render=not self.is_compact,
        ) as box:
            self.submit_box = box
            self.interrupt = gr.Button(
                "Interrupt", elem_id=f"{part}_interrupt", elem_classes="generate-box-interrupt"
            )
            self.skip = gr.Button("Skip", elem_id=f"{part}_skip", elem_classes="generate-box-skip")
            self.interrupting = gr.Button(
                "Interrupting...",
                elem_id=f"{part}_interrupting",
                elem_classes="generate-box-interrupting",
            )
            self.submit = gr.Button("Generate", elem_id=f"{part}_generate", variant="primary")
        self.skip.click(fn=shared.state.skip, inputs=[], outputs=[])
        code = f"function(){{ showSubmitInterruptingPlaceholder('{part}'); }}"
        self.interrupt.click(fn=_interrupt, inputs=[], outputs=[], **js(code))
        self.interrupting.click(fn=_interrupt, inputs=[], outputs=[])

    def create_tools_row(self):
        """Paste, clear, styles, restore."""
        part = self.id_part
        with gr.Row(elem_id=f"{part}_tools"):
            self.paste = ToolButton(value=paste_symbol, elem_id="paste")
            self.clear_prompt_button = ToolButton(
                value=clear_prompt_symbol, elem_id=f"{part}_clear_prompt"
            )
            self.apply_styles = ToolButton(
                value=ui_prompt_styles.styles_materialize_symbol, elem_id=f"{part}_style_apply"
            )
            self.restore_progress_button = ToolButton(
                value=restore_progress_symbol, elem_id=f"{part}_restore_progress", visible=False
            )
            self.token_counter = gr.HTML(
                value="<span>0/75</span>",
                elem_id=f"{part}_token_counter",
                elem_classes=["token-counter"],
                visible=False,
            )
            self.token_button = gr.Button(visible=False, elem_id=f"{part}_token_button")
            self.negative_token_counter = gr.HTML(
                value="<span>0/75</span>",
                elem_id=f"{part}_negative_token_counter",
                elem_classes=["token-counter"],
                visible=False,
            )
            self.negative_token_button = gr.Button(
                visible=False, elem_id=f"{part}_negative_token_button"
            )
        prompts = [self.prompt, self.negative_prompt]
        self.clear_prompt_button.click(
            fn=lambda *texts: texts, inputs=prompts, outputs=prompts, **js("confirm_clear_prompt")
        )

    def create_styles_ui(self):
        """The dropdown of styles."""
        self.ui_styles = ui_prompt_styles.UiPromptStyles(
            self.id_part, self.prompt, self.negative_prompt
        )
        self.ui_styles.setup_apply_button(self.apply_styles)


def _interrupt():
    state = shared.state
    if (
        not state.stopping_generation
        and state.job_count > 1
        and shared.opts.interrupt_after_current
    ):
        state.stop_generating()
    else:
        state.interrupt()
