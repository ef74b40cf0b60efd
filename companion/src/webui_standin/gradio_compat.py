"""All differences between gradio 3.41 and gradio 4.40, and all patches of either."""

from __future__ import annotations

import base64
import functools
import inspect
import io
import json
import re
import warnings
from typing import Any

import gradio as gr
import gradio.routes
from PIL import Image

MAJOR = int(gr.__version__.split(".")[0])
IS_3 = MAJOR == 3
BaseComponent: Any = gr.components.IOComponent if IS_3 else gr.components.Component
BaseContext: Any = gr.blocks.BlockContext
Update = type(gr.update())

# The webui hides these as well, unless its settings say otherwise.
warnings.filterwarnings("ignore", category=UserWarning)

if not IS_3:
    import gradio.component_meta

    # It writes .pyi files beside every module that subclasses a component.
    gradio.component_meta.create_or_modify_pyi = lambda *args: None


def js(code: str) -> dict[str, str]:
    """The keyword argument that attaches page JavaScript to an event."""
    return {"_js" if IS_3 else "js": code}


def image(**kwargs: Any) -> Any:
    """A picture input that only takes uploads."""
    kwargs.update({"source": "upload"} if IS_3 else {"sources": ["upload"]})
    return gr.Image(interactive=True, type="pil", **kwargs)


def sketchpad(elem_id: str, colour: bool = False, **kwargs: Any) -> Any:
    """A picture input on which the user draws: a mask, or colours.

    gradio 4's own editor needs WebGL, so here as in Forge it is a canvas of our own: HTML of
    this id, and a hidden text that the page's sketchpad.js fills and that is the input.
    """
    if IS_3:
        tool, mode = ("color-sketch", "RGB") if colour else ("sketch", "RGBA")
        return image(elem_id=elem_id, tool=tool, image_mode=mode, height=480, **kwargs)
    kind = "colour" if colour else "mask"
    gr.HTML(
        f'<div class="standin-sketchpad" data-kind="{kind}" data-target="{elem_id}_drawing"></div>',
        elem_id=elem_id,
    )
    return gr.Textbox(visible=False, elem_id=f"{elem_id}_drawing")


def drawn_mask(value: Any) -> tuple[Any, Any]:
    """Picture and mask (white is drawn) of a sketchpad's value."""
    if not value:
        return None, None
    if IS_3:
        return value["image"], value["mask"]
    picture, strokes = _drawing(value)
    return picture, _where_drawn(strokes)


def drawn_colours(value: Any, original: Any) -> tuple[Any, Any, Any]:
    """Picture as drawn on, picture before, and mask; gradio 3 has no mask and needs `original`."""
    if not value:
        return None, None, None
    if IS_3:
        return value, original if original is not None else value, None
    picture, strokes = _drawing(value)
    drawn = picture.convert("RGBA")
    drawn.alpha_composite(strokes)
    return drawn.convert("RGB"), picture.convert("RGB"), _where_drawn(strokes)


def drawing_of(picture: Any) -> Any:
    """The value of a sketchpad that shows a picture without strokes."""
    if IS_3 or picture is None:
        return picture
    with io.BytesIO() as buffer:
        picture.save(buffer, format="PNG")
        text = base64.b64encode(buffer.getvalue()).decode()
    return json.dumps({"background": f"data:image/png;base64,{text}", "foreground": None})


def _drawing(value: str) -> tuple[Any, Any]:
    parts = json.loads(value)
    picture = _opened(parts["background"])
    foreground = parts.get("foreground")
    strokes = _opened(foreground) if foreground else Image.new("RGBA", picture.size)
    return picture, strokes.convert("RGBA")


def _opened(url: str) -> Any:
    picture = Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1])))
    picture.load()
    return picture


def _where_drawn(strokes: Any) -> Any:
    return strokes.getchannel("A").point(lambda level: 255 if level > 127 else 0)


def gallery(**kwargs: Any) -> Any:
    """A gallery whose value comes back as files."""
    if not IS_3:
        kwargs.update(type="filepath", format="png")
    return gr.Gallery(**kwargs)


def gallery_path(item: Any) -> str:
    """The file of one picture of a gallery's value."""
    item = item[0] if isinstance(item, (list, tuple)) else item
    path = item["name"] if isinstance(item, dict) else item
    return str(path).rsplit("?", 1)[0]


def uploaded_path(item: Any) -> str:
    """The path of one uploaded file."""
    return str(getattr(item, "name", item))


def queue(demo: Any) -> None:
    """Let events run side by side; the webui's own lock keeps generations apart."""
    if IS_3:
        demo.queue(64)
    else:
        demo.queue(default_concurrency_limit=64)


def pool_threads() -> dict[str, int]:
    """Launch arguments that only one gradio knows."""
    return {"show_tips": False} if IS_3 else {}


def patch_components(before: Any, after: Any) -> None:
    """Call `before(component, **kwargs)` and `after(...)` around each component's creation.

    They see the keyword arguments that reach gradio's base class, as in A1111 v1.10.1,
    modules/gradio_extensons.py.
    """
    if not IS_3:
        _accept_older_arguments()
    for base in (BaseComponent, BaseContext):
        base.__init__ = _observed(base.__init__, before, after)
    gr.blocks.Block.get_config = _with_tooltip(gr.blocks.Block.get_config)


def _observed(original: Any, before: Any, after: Any) -> Any:
    @functools.wraps(original)
    def create(self: Any, *args: Any, **kwargs: Any) -> None:
        self.webui_tooltip = kwargs.pop("tooltip", getattr(self, "webui_tooltip", None))
        before(self, **kwargs)
        original(self, *args, **kwargs)
        classes = self.elem_classes or []
        classes = [classes] if isinstance(classes, str) else list(classes)
        self.elem_classes = [f"gradio-{self.get_block_name()}", *classes]
        if getattr(self, "multiselect", False):
            self.elem_classes.append("multiselect")
        after(self, **kwargs)

    return create


def _with_tooltip(original: Any) -> Any:
    def get_config(self: Any, *args: Any, **kwargs: Any) -> Any:
        config = original(self, *args, **kwargs)
        if getattr(self, "webui_tooltip", None):
            config["webui_tooltip"] = self.webui_tooltip
        return config

    return get_config


def _accept_older_arguments() -> None:
    """Let code written for gradio 3 create gradio 4 components, as Forge does.

    Source of what Forge accepts: dfdcbab6, modules/gradio_extensions.py.
    """
    for name in {*gr.components.__all__, *gr.layouts.__all__}:
        kind: Any = getattr(gr, name, None)
        creates = inspect.isclass(kind)
        if creates and hasattr(kind, "EVENTS"):
            kind.__init__ = _tolerant(kind.__init__)
            kind.update = staticmethod(gr.update)
            for event in kind.EVENTS:
                setattr(kind, str(event), _translating_js(getattr(kind, str(event))))
    gr.Box = gr.Group


def _tolerant(original: Any) -> Any:
    known = inspect.signature(original).parameters

    @functools.wraps(original)
    def create(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "source" in kwargs:
            kwargs["sources"] = [kwargs.pop("source")]
        self.webui_tooltip = kwargs.get("tooltip", getattr(self, "webui_tooltip", None))
        return original(self, *args, **{key: kwargs[key] for key in kwargs if key in known})

    return create


def _translating_js(original: Any) -> Any:
    @functools.wraps(original)
    def trigger(*args: Any, **kwargs: Any) -> Any:
        if "_js" in kwargs:
            kwargs["js"] = kwargs.pop("_js")
        return original(*args, **kwargs)

    vars(trigger).update(vars(original))
    return trigger


_FOREIGN = re.compile(
    rb"<script[^>]*\bsrc=\"https?://[^>]*>\s*</script>|<link[^>]*\bhref=\"https?://[^>]*>",
    re.DOTALL,
)


def serve_page(head: str, body: str) -> None:
    """Add HTML to the page's head and body, and drop what it would fetch from other servers."""
    templates = gradio.routes.templates
    original = getattr(templates, "standin_original", templates.TemplateResponse)

    def respond(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        page = _FOREIGN.sub(b"", answer.body)
        page = page.replace(b"</head>", head.encode() + b"</head>", 1)
        answer.body = page.replace(b"</body>", body.encode() + b"</body>", 1)
        answer.init_headers()
        return answer

    templates.standin_original = original
    templates.TemplateResponse = respond


def theme() -> Any:
    """gradio's default look with the fonts of the machine: nothing to fetch."""
    fonts = ["system-ui", "sans-serif"], ["ui-monospace", "monospace"]
    return gr.themes.Default(font=fonts[0], font_mono=fonts[1])


def without_cors(app: Any) -> None:
    """Drop gradio's open CORS policy, as the webui does."""
    app.user_middleware = [item for item in app.user_middleware if "CORS" not in item.cls.__name__]
