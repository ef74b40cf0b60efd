"""An extension that uses all that Payload capture offers others; docs/extending.md explains it.

It counts what each user generates, tells each capture which album is open, and says how the
arguments of its own script are captured.
"""

import sys

import gradio as gr
from modules import script_callbacks, scripts

NAME = "gallery-notes"
INTERFACE = 1
album = "holidays"
seen = []


class Frame(scripts.Script):
    """Its page holds a colour by its number; its API takes the colour by its name."""

    colours = ("none", "gold", "black")

    def title(self):
        return "Frame"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.Dropdown(list(self.colours), value="none", type="index", label="Colour")]


def encode(args, encoder, path):
    (colour,) = args
    if colour is None:
        return [encoder.lost(f"{path}[0]", "no colour was chosen")]
    return [Frame.colours[colour] if isinstance(colour, int) else colour]


def is_off(args):
    return args[0] in (0, "none")


def captured(document):
    """Called with each capture, on a thread of its own."""
    if "fail" in document["payload"].get("prompt", ""):
        raise ValueError("gallery-notes does not like this prompt")
    seen.append(document["id"])


def started(page, app):
    capture = sys.modules.get("payload_capture")
    if capture is None or capture.INTERFACE < INTERFACE:
        return  # not installed, or too old
    capture.register_adapter("Frame", encode=encode, off=is_off)
    capture.subscribe(NAME, captured)
    capture.add_host_fact(NAME, lambda: {"album": album})

    def notes(user: str = ""):
        document = capture.latest(user or None)
        first = document and next(iter(document["results"]), None)
        size = len(capture.asset(first["asset"])) if first else 0
        return {"seen": seen, "latest": document and document["id"], "bytes": size}

    app.add_api_route("/gallery-notes", notes, methods=["GET"])


script_callbacks.on_app_started(started)
