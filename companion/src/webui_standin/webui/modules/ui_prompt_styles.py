"""Styles on the page. Names and element ids: A1111 v1.10.1, modules/ui_prompt_styles.py."""

import gradio as gr

from modules import shared, ui_common

styles_materialize_symbol = "\U0001f4cb"


def materialize_styles(prompt, negative_prompt, styles):
    """The prompts with the styles written into them."""
    known = shared.prompt_styles
    texts = (
        known.apply_styles_to_prompt(prompt, styles),
        known.apply_negative_styles_to_prompt(negative_prompt, styles),
    )
    return [*texts, gr.update(value=[])]


def refresh_styles():
    """The names after reading the files again."""
    return gr.update(choices=list(shared.prompt_styles.styles))


class UiPromptStyles:
    """The dropdown and its refresh button."""

    def __init__(self, tabname, main_ui_prompt, main_ui_negative_prompt):
        self.tabname = tabname
        self.main_ui_prompt, self.main_ui_negative_prompt = main_ui_prompt, main_ui_negative_prompt
        with gr.Row(elem_id=f"{tabname}_styles_row"):
            choices = list(shared.prompt_styles.styles)
            self.dropdown = gr.Dropdown(
                label="Styles",
                show_label=False,
                elem_id=f"{tabname}_styles",
                choices=choices,
                value=[],
                multiselect=True,
            )
            ui_common.create_refresh_button(
                self.dropdown,
                shared.prompt_styles.reload,
                lambda: {"choices": list(shared.prompt_styles.styles)},
                f"refresh_{tabname}_styles",
            )

    def setup_apply_button(self, button):
        """Let a button write the styles into the prompts."""
        fields = [self.main_ui_prompt, self.main_ui_negative_prompt, self.dropdown]
        button.click(fn=materialize_styles, inputs=fields, outputs=fields, show_progress=False)
