"""The tab and the accordions. The only module that imports gradio.

Python draws nothing: it puts an empty place on the page and beside it an event, which the page's
script sends to ask (`questions`); it draws what it is answered. What takes or fills a page's fields
(`sending`) is an event of gradio's own, of a button that the script presses: gradio alone knows
what the fields hold. All differences between gradio 3.41 and 4.40 that Python meets are here.
There are as few components as can be: each costs the page's load.
"""

from __future__ import annotations

import contextlib
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

# The script takes part by DOM events, so that it needs no global name.
_TELL = """(text) => {
    const detail = {place: "%s", text};
    document.dispatchEvent(new CustomEvent("payload_capture:%s", {detail}));
    return %s;
}"""

# What is asked of a form: the first of its inputs is the question. The others are the page's, but
# img2img's mode, which the Generate button's own script fills in (A1111 v1.6.0 to v1.10.1, Forge
# and reForge: ``submit_img2img``).
_ASK = """(...given) => {
    const detail = {place: "%s", question: ""};
    document.dispatchEvent(new CustomEvent("payload_capture:ask", {detail}));
    given[0] = detail.question;
    if (detail.place === "img2img") {
        const buttons = [...document.querySelectorAll("#mode_img2img > .tab-nav > button")];
        given[2] = Math.max(0, buttons.findIndex((one) => one.classList.contains("selected")));
    }
    return given.slice(0, %d);
}"""

# A sketch of gradio 3.41 holds its picture and what a brush drew on it. It makes both of an upload,
# but not of a picture from Python, which ControlNet fails to read (reForge 3b56b268 and Mikubill's
# v1.1.455: ``svg_preprocess``). So the pictures come as text, each with the layer that was drawn on
# it or null: "" for none, null to leave one alone.
_LAYERED = """async (text) => {
    let layers = [];
    try {
        ({layers} = JSON.parse(text));
    } catch (error) {
        // the event failed, as is told below
    }
    const sketches = await Promise.all(layers.map(async (drawn) => {
        if (!drawn) return drawn === "" ? null : {__type__: "update"};
        const [image, mask] = drawn;
        if (mask) return {image, mask};
        const shown = new Image();
        shown.src = image;
        await shown.decode();
        const layer = document.createElement("canvas");
        [layer.width, layer.height] = [shown.naturalWidth, shown.naturalHeight];
        return {image, mask: layer.toDataURL()};
    }));
    return [...(%s)(text), ...sketches];
}"""


def wire(service: Service) -> None:
    """Show the tab, and let it take and fill the fields of others, which the webui draws before."""
    pages: dict[str, Any] = {}

    def created(component: Any, **_: Any) -> None:
        elem_id = str(getattr(component, "elem_id", None))
        if (target := elem_id.removesuffix("_generate")) != elem_id and target in sending.TARGETS:
            pages[target] = gr.context.Context.root_block

    def drawn() -> list[Any]:
        for target, page in pages.items():
            _offer(service, target, page)
        return [(_tab(service), "Payloads", "payload_capture")]

    host.on_after_component(created)
    host.on_ui_tabs(drawn)


class Accordion:
    """The place in a page's tab where a job's payload appears.

    Drawn once for the page and again when the API starts, where nobody will see it.
    """

    def __init__(self, service: Service, tab: str) -> None:
        self._tab = tab
        self._page = gr.context.Context.root_block
        elem_id = f"payload_capture_{tab}_accordion"
        with gr.Accordion("API payload", open=False, elem_id=elem_id):
            _place(service, tab)

    def created(self, component: Any) -> None:
        """Let the script know what the page knows of a job's result, whenever that changes.

        It does not when two jobs in a second have the same, nor when the first job fails; the
        script sees the page change then.
        """
        if self._page is not gr.context.Context.root_block:
            return
        if getattr(component, "elem_id", None) == f"generation_info_{self._tab}":
            component.change(None, [component], [], **{_JS: _TELL % (self._tab, "generated", "[]")})


def _tab(service: Service) -> Any:
    with gr.Blocks(analytics_enabled=False) as drawn:
        place = _place(service, "tab")

        # For the question that waits until something happened.
        async def rung(text: str, request: gr.Request) -> str:
            return await questions.ring(service, text, _caller(request))

        _answer("bell", place, rung)
    return drawn


def _offer(service: Service, target: str, page: Any) -> None:
    """A button for the script, on a page that is drawn already: it takes the form's fields along
    and fills them. Its text, which nobody sees, is the question and then the answer, one at a time.
    """
    try:
        form = _form(target, page)
    except ValueError as error:  # another extension changed the page
        print(
            f"[payload-capture] no “Send to” and no “What would be sent” in {target}: {error}",
            file=sys.stderr,
        )
        return
    if form is None:
        return
    outputs = [one.component for one in form.settable]
    sketches = {n: one for n, one in enumerate(outputs) if is_sketch(one)}

    def asked(text: str, request: gr.Request, *given: Any) -> list[Any]:
        made = sending.answer(service, form, text, given, request, _caller(request))
        layers = [_layer(one, made.values[n]) for n, one in sketches.items()]
        shown = (KEEP if n in sketches else value for n, value in enumerate(made.values))
        told = json.dumps({**made.told, "layers": layers})
        return [told, *map(_update, [*shown, *made.states])]

    with _drawing_on(page):
        button = gr.Button("", elem_id=f"payload_capture_{target}_form", visible=False)
        button.do_not_save_to_config = True  # the webui keeps the defaults of what it shows
        given = [button if one.component is None else one.component for one in form.inputs]
        event = button.click(
            asked,
            [button, *given],
            [button, *outputs, *form.states],
            **_EVENT,
            **{_JS: _ASK % (target, 1 + len(given))},
        )
        tell = _TELL % (target, "answered", '[""]')
        tell = _LAYERED % tell if sketches else tell
        event.then(None, [button], [button, *sketches.values()], **{_JS: tell})


@contextlib.contextmanager
def _drawing_on(page: Any) -> Iterator[None]:
    """What is drawn and wired now belongs to a page that is drawn already."""
    context = gr.context.Context
    before = context.root_block, context.block
    context.root_block = context.block = page
    try:
        yield
    finally:
        context.root_block, context.block = before


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
    """An empty element for the script to draw in, and the event by which it asks."""
    place = gr.HTML(
        f'<div class="payload-capture" data-place="{name}" data-parts="{_parts()}"></div>',
        elem_id=f"payload_capture_{name}",
    )

    def asked(text: str, request: gr.Request) -> str:
        return questions.answer(service, text, _caller(request))

    _answer(name, place, asked)
    return place


def _parts() -> str:
    """The scripts that draw and their style, as ``javascript/payload_capture.js`` fetches them."""
    folder = Path(__file__).parents[2] / "javascript" / "parts"
    files = sorted([*folder.glob("*.js"), *folder.glob("*.css")])
    return " ".join(f"{file.name}?{file.stat().st_mtime}" for file in files)


def _answer(name: str, place: Any, answers: Callable[..., Any]) -> None:
    """An event that never happens on the page: its script sends it, by its name.

    gradio has no public way to one without a component of its own that it could happen to.
    """
    page = gr.context.Context.root_block
    given: Any = (answers, [place], [place])
    named = {**_EVENT, "api_name": f"payload_capture_{name}"}
    if _JS == "js":
        nothing = gr.events.EventListenerMethod(None, "asked")
        page.default_config.set_event_trigger([nothing], *given, **named, show_api=False)
    else:
        page.set_event_trigger("asked", *given, no_target=True, **named)


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
