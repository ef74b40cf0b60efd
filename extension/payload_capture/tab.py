"""The tab and the accordions. The only module that imports gradio.

Python draws nothing: it puts an empty place on the page and a channel beside it, through which
the page's script asks (`questions`) and draws. All differences between gradio 3.41 and 4.40 that
the extension meets are here: the keyword that takes JavaScript, and what components may be hidden
how. Texts that only travel are invisible textboxes, whose values gradio keeps; what the script
must click has to be on the page, so it is hidden by style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from payload_capture import host, questions

if TYPE_CHECKING:
    from payload_capture.app import Service

_JS = "_js" if gr.__version__.startswith("3.") else "js"
_EVENT: dict[str, Any] = {"queue": False, "show_progress": False, "api_name": False}
"""Unqueued, so that they are answered while the webui generates."""

# The script takes part by DOM events, so that it needs no global name. gradio takes the values
# that a function returns for the event's inputs.
_ASK = """(...given) => {
    const detail = {place: "%s", question: ""};
    document.dispatchEvent(new CustomEvent("payload_capture:ask", {detail}));
    return [detail.question];
}"""
_TELL = """(text) => {
    const detail = {place: "%s", text};
    document.dispatchEvent(new CustomEvent("payload_capture:%s", {detail}));
    return [];
}"""

_waiting: dict[str, _Accordion] = {}
"""Per tab the accordion drawn last, until the page's result components exist."""


def wire(service: Service) -> None:
    """Show the tab, and let each accordion follow its tab's results."""

    def connect(component: Any, **_: Any) -> None:
        name = getattr(component, "elem_id", None)
        if isinstance(name, str) and name.startswith(("html_log_", "generation_info_")):
            _connect(service, component, *name.rsplit("_", 1))

    host.on_ui_tabs(lambda: [(_tab(service), "Payloads", "payload_capture")])
    host.on_after_component(connect)


def accordion(service: Service, tab: str) -> None:
    """Draw the place where a job's payload will appear; called once for the page and again when
    the API starts, where nobody will see it."""
    with gr.Accordion("API payload", open=False, elem_id=f"payload_capture_{tab}_accordion"):
        _waiting[tab] = _Accordion(service, tab)


def _tab(service: Service) -> Any:
    with gr.Blocks(analytics_enabled=False) as page:
        _place(service, "tab")
    return page


class _Accordion:
    """One drawn accordion and the components of the same page that tell its job's result."""

    def __init__(self, service: Service, tab: str) -> None:
        self.page = gr.context.Context.root_block
        self.tab = tab
        self.result: dict[str, Any] = {}
        _place(service, tab)


def _connect(service: Service, component: Any, kind: str, tab: str) -> None:
    drawn = _waiting.get(tab)
    if drawn is None or drawn.page is not gr.context.Context.root_block:
        return
    drawn.result[kind] = component
    if len(drawn.result) == 2:
        del _waiting[tab]
        _follow(service, tab, drawn.result["generation_info"], drawn.result["html_log"])


def _follow(service: Service, tab: str, info: Any, log: Any) -> None:
    """Tell the script the capture of the job whose result just came.

    gradio says that `info` changed, but not when two jobs in a second have the same text, and
    not when the first job fails; the script sees the page change then and presses the button.
    (An HTML component's own change event fires without end in gradio 4.40.)
    """
    with _hidden():
        again, told = _pressed(f"payload_capture_{tab}_again"), _letter()
    for listen in (info.change, again.click):
        event = listen(
            lambda text, html: questions.of_generation(service, text or "", html or ""),
            [info, log],
            [told],
            **_EVENT,
        )
        event.then(None, [told], [], **{_JS: _TELL % (tab, "job")})


def _place(service: Service, name: str) -> None:
    """An empty element for the script to draw in, and its channel."""
    gr.HTML(f'<div class="payload-capture" data-place="{name}"></div>')
    with _hidden():
        question, answer = _letter(), _letter()
        ask = _pressed(f"payload_capture_{name}_ask")
    event = ask.click(
        lambda text: questions.answer(service, text),
        [question],
        [answer],
        **_EVENT,
        **{_JS: _ASK % name},
    )
    event.then(None, [answer], [], **{_JS: _TELL % (name, "answer")})


def _hidden() -> Any:
    return gr.Column(elem_classes="payload-capture-hidden")


def _pressed(elem_id: str) -> Any:
    button = gr.Button("", elem_id=elem_id)
    button.do_not_save_to_config = True  # the webui keeps the defaults of what it shows
    return button


def _letter() -> Any:
    # One line: a textarea would measure its text whenever it changes.
    letter = gr.Textbox(visible=False, lines=1, max_lines=1)
    letter.do_not_save_to_config = True
    return letter
