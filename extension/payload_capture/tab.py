"""The tab and the accordions. The only module that imports gradio.

Python draws nothing: it puts an empty place on the page and beside it an event, which the page's
script sends to ask (`questions`); it draws what it is answered. All differences between gradio 3.41
and 4.40 that Python meets are here: the keyword that takes JavaScript, and what components may be
hidden how. Texts that only travel are invisible textboxes, whose values gradio keeps; what the
script must click or find has to be on the page, so it is hidden by style.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from payload_capture import host, questions
from payload_capture.auth import Caller

if TYPE_CHECKING:
    from payload_capture.app import Service

_JS = "_js" if gr.__version__.startswith("3.") else "js"
_EVENT: dict[str, Any] = {"queue": False, "show_progress": False, "api_name": False}
"""Unqueued, so that they are answered while the webui generates."""

# The script takes part by a DOM event, so that it needs no global name.
_TELL = """(text) => {
    const detail = {place: "%s", text};
    document.dispatchEvent(new CustomEvent("payload_capture:job", {detail}));
    return [];
}"""

# What the Generate button's own script fills in: img2img wants to know which mode is shown
# (A1111 v1.6.0 to v1.10.1, Forge and reForge: ``submit_img2img``).
_PREVIEW = """(...given) => {
    given[0] = "";
    if ("%s" === "img2img") {
        const buttons = [...document.querySelectorAll("#mode_img2img > .tab-nav > button")];
        given[1] = Math.max(0, buttons.findIndex((one) => one.classList.contains("selected")));
    }
    return given.slice(0, %d);
}"""


def wire(service: Service) -> None:
    """Show the tab."""
    host.on_ui_tabs(lambda: [(_tab(service), "Payloads", "payload_capture")])


class Accordion:
    """The place in a page's tab where a job's payload appears.

    Drawn once for the page and again when the API starts, where nobody will see it.
    """

    def __init__(self, service: Service, tab: str) -> None:
        self._service = service
        self._tab = tab
        with gr.Accordion("API payload", open=False, elem_id=f"payload_capture_{tab}_accordion"):
            self._hidden = _place(service, tab)
        self._page = gr.context.Context.root_block
        self._results: dict[str, Any] = {}
        self._previewed = False

    def created(self, component: Any) -> None:
        """Take note of a component that the webui drew: follow the tab's results and its button
        once they are there."""
        if self._page is not gr.context.Context.root_block:
            return
        if len(self._results) == 2:
            if not self._previewed:
                self._offer_preview()
            return
        kind, _, tab = str(getattr(component, "elem_id", None)).rpartition("_")
        if tab == self._tab and kind in ("html_log", "generation_info"):
            self._results[kind] = component
            if len(self._results) == 2:
                self._follow(**self._results)

    def _follow(self, generation_info: Any, html_log: Any) -> None:
        """Tell the script the capture of the job whose result just came.

        gradio says that the text changed, but not when two jobs in a second have the same, and not
        when the first job fails; the script sees the page change then and presses the button. (An
        HTML component's own change event fires without end in gradio 4.40.)
        """
        with _hidden():
            again, told = _pressed(f"payload_capture_{self._tab}_again"), _letter()
        for listen in (generation_info.change, again.click):
            event = listen(
                self._of_generation,
                [generation_info, html_log],
                [told],
                **_EVENT,
            )
            event.then(None, [told], [], **{_JS: _TELL % self._tab})

    def _of_generation(self, text: str, html: str, request: gr.Request) -> str:
        return questions.of_generation(self._service, text or "", html or "", _caller(request))

    def _offer_preview(self) -> None:
        """Show what Generate would send, once its event is there to take the inputs from."""
        inputs = _inputs_of(self._page, f"{self._tab}_generate")
        if inputs is None:
            return
        self._previewed = True
        parent = self._hidden.parent
        with self._hidden:
            asked, told = _pressed(f"payload_capture_{self._tab}_preview"), _letter()
        self._hidden.parent = parent
        inputs = [told if one is None else one for one in inputs]

        def preview(request: gr.Request, *args: Any) -> str:
            return questions.of_preview(self._service, self._tab, request, args, _caller(request))

        script = {_JS: _PREVIEW % (self._tab, len(inputs))}
        event = asked.click(preview, inputs, [told], **_EVENT, **script)
        event.then(None, [told], [], **{_JS: _TELL % self._tab})


def _tab(service: Service) -> Any:
    with gr.Blocks(analytics_enabled=False) as page:
        _place(service, "tab")
        _bell(service)
    return page


def _bell(service: Service) -> None:
    """A channel of its own for the question that waits until something happened."""

    async def rung(text: str, request: gr.Request) -> str:
        return await questions.ring(service, text, _caller(request))

    with _hidden():
        _channel("bell", rung)


def _inputs_of(page: Any, elem_id: str) -> list[Any] | None:
    """The inputs of a button's event, None while it has none.

    One that is not on this page is None: img2img's first two are a dummy of the txt2img page, whose
    values the button's script fills in (A1111 v1.10.1, ``modules/ui.py``).
    """
    if hasattr(page, "fns") and isinstance(page.fns, dict):  # gradio 4.40
        found = ((event.targets, event.inputs) for event in page.fns.values())
    else:
        found = ((event["targets"], event["inputs"]) for event in page.dependencies)
    for targets, inputs in found:
        for target in targets:
            number, kind = target if isinstance(target, (tuple, list)) else (target, "click")
            button = page.blocks.get(number)
            if kind == "click" and getattr(button, "elem_id", None) == elem_id and len(inputs) > 10:
                return [page.blocks.get(one) if isinstance(one, int) else one for one in inputs]
    return None


def _place(service: Service, name: str) -> Any:
    """An empty element for the script to draw in, and its channel in a hidden column."""
    gr.HTML(f'<div class="payload-capture" data-place="{name}"></div>')

    def asked(text: str, request: gr.Request) -> str:
        return questions.answer(service, text, _caller(request))

    with _hidden() as hidden:
        _channel(name, asked)
    return hidden


def _channel(name: str, answers: Callable[..., Any]) -> None:
    """An event that the page's script sends itself: it finds it by the button's name."""
    question, answer = _letter(), _letter()
    ask = _pressed(f"payload_capture_{name}_ask")
    ask.click(answers, [question], [answer], **_EVENT)


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


def _caller(request: gr.Request) -> Caller:
    """Who asks, as the browser says it.

    Gradio 3.41 takes the headers from the body where that has some: its queue writes them there,
    through which nothing of ours comes, but so could a page of another site.
    """
    given = request.request
    if given is None:
        return Caller("POST", {"origin": "null"})
    address = given.client.host if given.client else ""
    return Caller("POST", given.headers, address, request.username)
