"""The tab and the accordions. The only module that imports gradio.

Python draws nothing: it puts an empty place on the page and beside it an event, which the page's
script sends to ask (`questions`); it draws what it is answered. All differences between gradio 3.41
and 4.40 that Python meets are here: the keyword that takes JavaScript, and what components may be
hidden how. Texts that only travel are invisible textboxes, whose values gradio keeps; what the
script must click has to be on the page, so it is hidden by style. There are as few of both as can
be: each costs the page's load a millisecond or two.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from payload_capture import host, questions, sending, units
from payload_capture.auth import Caller
from payload_capture.controls import KEEP, Offered, Sketched, is_sketch

if TYPE_CHECKING:
    from payload_capture.service import Service

_JS = "_js" if gr.__version__.startswith("3.") else "js"
_EVENT: dict[str, Any] = {"queue": False, "show_progress": False, "api_name": False}
"""Unqueued, so that they are answered while the webui generates."""

# The script takes part by a DOM event, so that it needs no global name.
_TELL = """(text) => {
    const detail = {place: "%s", text};
    document.dispatchEvent(new CustomEvent("payload_capture:%s", {detail}));
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


# The capture that is sent to a tab; its form's values follow where the page is to be checked.
_SEND = """(...given) => {
    const detail = {place: "tab", question: ""};
    document.dispatchEvent(new CustomEvent("payload_capture:send", {detail}));
    given[0] = detail.question;
    return given.slice(0, %d);
}"""


# A sketch of gradio 3.41 holds its picture and what a brush drew on it. It makes both of an upload,
# but not of a picture from Python, which ControlNet fails to read (reForge 3b56b268 and Mikubill's
# v1.1.455: ``svg_preprocess``). So the pictures come as text, each with the layer that was drawn on
# it or null: "" for none, null to leave one alone.
_LAYERED = """async (text, pictures, ...before) => {
    const sketches = await Promise.all(JSON.parse(pictures).map(async (drawn, place) => {
        if (!drawn) return drawn === "" ? null : before[place];
        const [image, mask] = drawn;
        if (mask) return {image, mask};
        const shown = new Image();
        shown.src = image;
        await shown.decode();
        const layer = document.createElement("canvas");
        [layer.width, layer.height] = [shown.naturalWidth, shown.naturalHeight];
        return {image, mask: layer.toDataURL()};
    }));
    (%s)(text);
    return sketches;
}"""


def wire(service: Service) -> None:
    """Show the tab. What it fills in is in other tabs, which the webui draws before."""
    pages: dict[str, Any] = {}

    def created(component: Any, **_: Any) -> None:
        elem_id = str(getattr(component, "elem_id", None))
        if (target := elem_id.removesuffix("_generate")) != elem_id and target in sending.TARGETS:
            pages[target] = gr.context.Context.root_block

    host.on_after_component(created)
    host.on_ui_tabs(lambda: [(_tab(service, pages), "Payloads", "payload_capture")])


class Accordion:
    """The place in a page's tab where a job's payload appears.

    Drawn once for the page and again when the API starts, where nobody will see it.
    """

    def __init__(self, service: Service, tab: str) -> None:
        self._service = service
        self._tab = tab
        elem_id = f"payload_capture_{tab}_accordion"
        with gr.Accordion("API payload", open=False, elem_id=elem_id) as self._drawn:
            # The channel's own text stays empty on the page, so that it carries answers as well.
            self._told = {"again": _place(service, tab), "preview": _letter()}
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
        again, told = self._asker("again")
        for listen in (generation_info.change, again.click):
            event = listen(
                self._of_generation,
                [generation_info, html_log],
                [told],
                **_EVENT,
            )
            event.then(None, [told], [], **{_JS: _TELL % (self._tab, "job")})

    def _of_generation(self, text: str, html: str, request: gr.Request) -> str:
        return questions.of_generation(self._service, text or "", html or "", _caller(request))

    def _offer_preview(self) -> None:
        """Show what Generate would send, once its event is there to take the inputs from."""
        inputs = _inputs_of(self._page, self._tab)
        if inputs is None:
            return
        self._previewed = True
        asked, told = self._asker("preview")
        inputs = [told if one is None else one for one in inputs]

        def preview(request: gr.Request, *args: Any) -> str:
            return questions.of_preview(self._service, self._tab, request, args, _caller(request))

        script = {_JS: _PREVIEW % (self._tab, len(inputs))}
        event = asked.click(preview, inputs, [told], **_EVENT, **script)
        event.then(None, [told], [], **{_JS: _TELL % (self._tab, "job")})

    def _asker(self, name: str) -> tuple[Any, Any]:
        """A button for the script within the accordion, and the text that is answered."""
        parent = self._drawn.parent  # which drawing on in it would change
        with self._drawn:
            button = _pressed(f"payload_capture_{self._tab}_{name}")
        self._drawn.parent = parent
        return button, self._told[name]


def _tab(service: Service, pages: dict[str, Any]) -> Any:
    with gr.Blocks(analytics_enabled=False) as drawn:
        letter = _place(service, "tab")
        _bell(service)
        for target, page in pages.items():
            try:
                form = _form(target, page)
            except ValueError as error:  # another extension changed the page
                print(f"[payload-capture] no “Send to”: {error}", file=sys.stderr)
                continue
            if form is not None:
                _offer_sending(service, form, letter)
    return drawn


def _form(target: str, page: Any) -> sending.Form | None:
    components = _inputs_of(page, target)
    if components is None:
        return None
    made = units.found(_events(page, f"{target}_generate"), _events(page), page.blocks.values())
    gallery = _gallery_of(page) if target == "txt2img" else {}
    return sending.Form(host, target, components, gallery, made)


def _gallery_of(page: Any) -> dict[str, Any]:
    """What the ✨ button takes beside Generate's inputs; nothing where there is none (A1111 v1.8.0
    on, ``txt2img_upscale``: the gallery, which of its pictures, what is known of them)."""
    inputs = _inputs_of(page, "txt2img", "upscale")
    return {"gallery": inputs[1], "generation_info": inputs[3]} if inputs else {}


def _offer_sending(service: Service, form: sending.Form, letter: Any) -> None:
    """Two buttons for the script: one fills the form, the other tells what of it is not set. The
    question and the answer are the letter's, one at a time."""
    send, check = (_pressed(f"payload_capture_{n}_{form.target}") for n in ("send", "check"))

    outputs = [one.component for one in form.settable]
    sketches = {n: one for n, one in enumerate(outputs) if is_sketch(one)}
    drawn = [_letter()] if sketches else []

    def sent(text: str, request: gr.Request) -> list[Any]:
        values, answer = sending.sent(service, form, text, _caller(request))
        layers = [_layer(one, values[n]) for n, one in sketches.items()]
        shown = (KEEP if n in sketches else value for n, value in enumerate(values))
        return [*map(_update, shown), answer, *(json.dumps(layers) for _ in drawn)]

    def checked(text: str, request: gr.Request, *given: Any) -> Any:
        states, answer = sending.checked(service, form, text, given, _caller(request))
        return [*map(_update, states), answer] if states else answer

    tell = {_JS: _TELL % ("tab", "sent")}
    event = send.click(sent, [letter], [*outputs, letter, *drawn], **_EVENT, **{_JS: _SEND % 1})
    if sketches:
        shown = [*sketches.values()]
        event.then(None, [letter, *drawn, *shown], shown, **{_JS: _LAYERED % tell[_JS]})
    else:
        event.then(None, [letter], [], **tell)
    given = [letter if one.component is None else one.component for one in form.inputs]
    script = {_JS: _SEND % (1 + len(given))}
    event = check.click(checked, [letter, *given], [*form.states, letter], **_EVENT, **script)
    event.then(None, [letter], [], **tell)


def _layer(sketch: Any, value: Any) -> Any:
    """A picture and its layer as the script takes them."""
    if value is KEEP:
        return None
    drawn = value if isinstance(value, Sketched) else Sketched(value, None)
    return [one and sketch.postprocess(one) for one in drawn] if value else ""


def _update(value: Any) -> Any:
    if value is KEEP:
        return gr.update()
    if isinstance(value, Offered):
        return gr.update(value=value.values, choices=value.values)
    return value


def _bell(service: Service) -> None:
    """A channel of its own for the question that waits until something happened."""

    async def rung(text: str, request: gr.Request) -> str:
        return await questions.ring(service, text, _caller(request))

    _channel("bell", rung)


def _inputs_of(page: Any, tab: str, button: str = "generate") -> list[Any] | None:
    """The inputs of the event that Generate, or the ✨ button, has from the webui; None while it
    has none. They are more than those of the scripts: the events that ControlNet hangs on the same
    button have few (Forge dfdcbab6, reForge 3b56b268, ``lib_controlnet/controlnet_ui``).

    One that is not on this page is None: img2img's first two are a dummy of the txt2img page, whose
    values the button's script fills in (A1111 v1.10.1, ``modules/ui.py``).
    """
    least = host.custom_inputs(tab)
    found = (event.inputs for event in _events(page, f"{tab}_{button}"))
    inputs = next((inputs for inputs in found if len(inputs) > least), None)
    return None if inputs is None else [page.blocks.get(one._id) for one in inputs]


def _events(page: Any, button: str = "") -> Iterator[units.Event]:
    """The events of a page, or those of one of its buttons."""
    if isinstance(page.fns, dict):  # gradio 4.40
        found = [(event, event.targets) for event in page.fns.values()]
    else:
        found = [
            (event, [(one, known["trigger"]) for one in known["targets"]])
            for event, known in zip(page.fns, page.dependencies, strict=True)
        ]
    for event, targets in found:
        if not button or any(_clicks(page, target, button) for target in targets):
            yield units.Event(event.fn, event.inputs, event.outputs)


def _clicks(page: Any, target: tuple[int, str], button: str) -> bool:
    number, kind = target
    return kind == "click" and getattr(page.blocks.get(number), "elem_id", None) == button


def _place(service: Service, name: str) -> Any:
    """An empty element for the script to draw in, and its channel, whose text is returned."""
    gr.HTML(f'<div class="payload-capture" data-place="{name}" data-scripts="{_scripts()}"></div>')

    def asked(text: str, request: gr.Request) -> str:
        return questions.answer(service, text, _caller(request))

    return _channel(name, asked)


def _scripts() -> str:
    """The scripts that draw, as ``javascript/payload_capture.js`` fetches them."""
    files = sorted((Path(__file__).parents[2] / "javascript" / "parts").glob("*.js"))
    return " ".join(f"{file.name}?{file.stat().st_mtime}" for file in files)


def _channel(name: str, answers: Callable[..., Any]) -> Any:
    """An event that never happens on the page: its script sends it, and finds it by this name."""
    letter = _letter(f"payload_capture_{name}_channel")
    letter.submit(answers, [letter], [letter], **_EVENT)
    return letter


def _pressed(elem_id: str) -> Any:
    button = gr.Button("", elem_id=elem_id, elem_classes="payload-capture-hidden")
    button.do_not_save_to_config = True  # the webui keeps the defaults of what it shows
    return button


def _letter(elem_id: str | None = None) -> Any:
    # One line: a textarea would measure its text whenever it changes.
    letter = gr.Textbox(visible=False, lines=1, max_lines=1, elem_id=elem_id)
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
