"""Components that extensions import. Names: A1111 v1.10.1, modules/ui_components.py."""

import functools

import gradio as gr

from webui_standin import gradio_compat


class FormComponent:
    """Fits into a gradio form without a frame of its own."""

    webui_do_not_create_gradio_pyi_thank_you = True

    def get_expected_parent(self):
        """The form."""
        return gr.components.Form


gr.Dropdown.get_expected_parent = FormComponent.get_expected_parent


class ToolButton(gr.Button, FormComponent):
    """A small button that shows one symbol."""

    # gradio 4 sends the page what a constructor's signature names, and drops nameless arguments.
    @functools.wraps(gr.Button.__init__)
    def __init__(self, value="", *, elem_classes=None, **kwargs):
        super().__init__(value, elem_classes=["tool", *(elem_classes or [])], **kwargs)

    get_expected_parent = FormComponent.get_expected_parent

    def get_block_name(self):
        """The component that draws it."""
        return "button"


def _formed(base, block_name):
    """A subclass of a component that fits into forms."""

    class Formed(base, FormComponent):
        get_expected_parent = FormComponent.get_expected_parent

        def get_block_name(self):
            return block_name

    Formed.__doc__ = f"gr.{base.__name__} that fits into forms."
    # gradio 4's page tells classes by this name: two of one name would share a component.
    Formed.__name__ = Formed.__qualname__ = f"Form{base.__name__}"
    return Formed


FormRow = _formed(gr.Row, "row")
FormColumn = _formed(gr.Column, "column")
FormGroup = _formed(gr.Group, "group")
FormHTML = _formed(gr.HTML, "html")
FormColorPicker = _formed(gr.ColorPicker, "colorpicker")


class ResizeHandleRow(gr.Row):
    """A row; the webui lets the user move its middle."""

    @functools.wraps(gr.Row.__init__)
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.elem_classes = [*(self.elem_classes or []), "resize-handle-row"]

    def get_block_name(self):
        """The component that draws it."""
        return "row"


def DropdownMulti(**kwargs):
    """A dropdown for several values."""
    return gr.Dropdown(multiselect=True, **kwargs)


def DropdownEditable(**kwargs):
    """A dropdown that takes other values too."""
    return gr.Dropdown(allow_custom_value=True, **kwargs)


class _InputAccordion(gr.Checkbox):
    """A hidden checkbox tied to an accordion by the page's JavaScript."""

    webui_do_not_create_gradio_pyi_thank_you = True
    global_index = 0

    def __enter__(self):
        self.accordion.__enter__()
        return self

    def __exit__(self, *args):
        self.accordion.__exit__(*args)

    def extra(self):
        """A place in the accordion's title."""
        return gr.Column(
            elem_id=f"{self.accordion_id}-extra", elem_classes="input-accordion-extra", min_width=0
        )

    def get_block_name(self):
        """The component that draws it."""
        return "checkbox"


def InputAccordion(value=False, **kwargs):
    """An accordion that is an input: True while it is open."""
    elem_id = kwargs.pop("elem_id", None)
    if elem_id is None:
        elem_id = f"input-accordion-{_InputAccordion.global_index}"
        _InputAccordion.global_index += 1
    label = kwargs.pop("label", "Accordion")
    checkbox = _InputAccordion(
        value=value, label=label, elem_id=f"{elem_id}-checkbox", visible=False, **kwargs
    )
    checkbox.accordion_id = elem_id
    code = f"function(checked){{ inputAccordionChecked('{elem_id}', checked); }}"
    checkbox.change(fn=None, inputs=[checkbox], outputs=[], **gradio_compat.js(code))
    checkbox.accordion = gr.Accordion(
        label=label, elem_id=elem_id, open=value, elem_classes=["input-accordion"]
    )
    return checkbox
