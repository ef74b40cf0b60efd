"""A tab's form: a capture in its fields, so that Generate makes its pictures again, and what
Generate would send.

What the page cannot take is told by name, and afterwards what it gives back is compared with what
was wanted: its own scripts may change a field when another changes.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from payload_capture import controls
from payload_capture.capture import Capture
from payload_capture.controls import KEEP, Unfit
from payload_capture.questions import Question, reason
from payload_capture.wanted import Fetch, Input, Unset, Wants, Webui, wants

if TYPE_CHECKING:
    from PIL.Image import Image

    from payload_capture.auth import Caller
    from payload_capture.service import Service
    from payload_capture.units import Unit

TARGETS = ("txt2img", "img2img", "extras")
"""The tabs that have a Generate button, by the beginning of its id."""

CHOOSER = "script"
"""The input that selects a script."""


def inputs(webui: Webui, target: str, components: Sequence[Any]) -> list[Input]:
    """What the inputs of a Generate button decide, in their order.

    The first of them is the task, which has no name; in the Extras of v1.6 there is none.

    Raises:
        ValueError: the inputs are not those that the webui's function takes.
    """
    custom, names = webui.custom_inputs(target), webui.input_names(target)
    first = len(components) - custom
    named = ["", *names] if len(names) < first else names
    if len(named) != first:
        raise ValueError(f"{target} has {first} inputs before the scripts', not {len(names)}")
    found = [Input(c, n) for c, n in zip(components[:first], named, strict=True)]
    found += [Input(component) for component in components[first:]]
    if target != "extras":
        found[first] = Input(components[first], CHOOSER)
    for script in webui.page_scripts(target):
        for place, position in enumerate(range(script.start, script.end)):
            name = script.names[place] if place < len(script.names) else ""
            found[first + position] = Input(components[first + position], name, script, place)
    return found


class Form:
    """The inputs of one Generate button. `settable` are those that an event can set.

    Args:
        more: inputs of the ✨ button beside them, by what the webui's function calls them.
        units: those inputs that are made of other fields of the page, which are filled in instead.
    """

    def __init__(
        self,
        webui: Webui,
        target: str,
        components: Sequence[Any],
        more: Mapping[str, Any] | None = None,
        units: Sequence[Unit] = (),
    ) -> None:
        self._webui = webui
        self.target = target
        self._generates = components
        self._units: list[tuple[Input, Unit]] = []
        self.inputs: list[Input] = []
        for one in inputs(webui, target, components):
            unit = next((unit for unit in units if unit.state is one.component), None)
            if unit is None:
                self.inputs.append(one)
            else:
                self._units.append((one, unit))
        for one, unit in self._units:
            self._add(one, unit)
        self.inputs += [Input(component, name) for name, component in (more or {}).items()]
        self.settable = [one for one in self.inputs if _is_settable(one)]

    def _add(self, one: Input, unit: Unit) -> None:
        """The fields of a unit; those that are inputs of Generate as well are known as such."""
        known = {id(other.component) for other in self.inputs}
        self.inputs += [
            replace(one, component=component, name=name, part=part)
            for component, name, part in unit.fields
            if id(component) not in known
        ]

    def fill(self, capture: Capture, fetch: Fetch) -> Filled:
        """What to return for each settable input. Raises FormatError, AssetError."""
        wanted = self._wants(capture, fetch)
        made = Filled(wanted.panels, wanted.button, list(wanted.unset))
        for one in self.inputs:
            if (value := self._shown(one, wanted, made.unset)) is not KEEP:
                made.values[id(one)] = value
        return made

    def check(self, capture: Capture, fetch: Fetch, given: Sequence[Any]) -> list[Unset]:
        """What is not set, by the values that the page gave for all inputs."""
        wanted = self._wants(capture, fetch)
        unset = list(wanted.unset)
        for one, value in zip(self.inputs, given, strict=True):
            before = len(unset)
            if self._shown(one, wanted, unset) is KEEP or len(unset) > before:
                continue
            asked = self._asked(one, wanted)
            if asked is not KEEP and asked is not None and not controls.same(asked, value):
                words = {"value": _told(value), "wanted": _told(asked)}
                unset.append(Unset(one.label(), "differs", words))
        return unset

    @property
    def states(self) -> list[Any]:
        """The inputs that are made of fields of the page."""
        return [unit.state for _, unit in self._units]

    def made(self, given: Sequence[Any], unset: list[Unset]) -> list[Any]:
        """The objects of `states`, of the values that the page gave for all inputs. Says into
        `unset` which its script refuses to make, which stays as it is."""
        shown = self._by_component(given)
        return [self._made(one, unit, shown, unset) for one, unit in self._units]

    def sent(self, given: Sequence[Any]) -> list[Any]:
        """What the Generate button would send, its inputs in their order, of the values that the
        page gave for all inputs. Raises what a script raises that refuses its own fields."""
        shown = self._by_component(given)
        made = {id(unit.state): unit.made(shown) for _, unit in self._units}
        rest = iter(given)  # the page's own come first, as they stand in the button's inputs
        return [made[id(one)] if id(one) in made else next(rest) for one in self._generates]

    def _by_component(self, given: Sequence[Any]) -> dict[int, Any]:
        return {id(one.component): v for one, v in zip(self.inputs, given, strict=True)}

    def _made(self, one: Input, unit: Unit, shown: dict[int, Any], unset: list[Unset]) -> Any:
        try:
            return unit.made(shown)
        except Exception as error:
            words = {"value": f"{type(error).__name__}: {error}"}
            unset.append(Unset(one.label(), "refused", words))
            return KEEP

    def _wants(self, capture: Capture, fetch: Fetch) -> Wants:
        wanted = wants(self._webui, capture, fetch)
        if wanted.button == "upscale" and all(one.name != "gallery" for one in self.inputs):
            wanted.unset.append(Unset("", "first_picture", {}))
            wanted.button = "generate"
        for one, unit in self._units:
            wanted.unset += _left_over(one, unit, wanted.of(one))
        return wanted

    def _shown(self, one: Input, wanted: Wants, unset: list[Unset]) -> Any:
        """The value to show, KEEP for none; says into `unset` what cannot be."""
        if one.component is None:
            return KEEP
        asked = self._asked(one, wanted)
        if asked is KEEP or asked is None:
            return _silent(one, cleared=asked is None)
        try:
            if not _is_settable(one):
                raise Unfit("by_hand")
            return controls.shown(one.component, asked, keep)
        except Unfit as unfit:
            if one.part and unfit.code == "range":
                return asked  # the range follows another field; what the page makes of it is told
            if not _is_idle(one, asked):
                words = {name: _told(word) for name, word in unfit.words.items()}
                unset.append(Unset(one.label(), unfit.code, words))
            return KEEP

    def _asked(self, one: Input, wanted: Wants) -> Any:
        if one.name != CHOOSER or one.script:
            return wanted.of(one)
        if wanted.selected is None:
            return 0
        offered = [str(name).lower() for name in controls.choices(one.component)]
        title = wanted.selected[0]
        return offered.index(title) if title in offered else title


def _silent(one: Input, cleared: bool) -> Any:
    """What to show where the capture has no value: nothing, what was there at first, or KEEP."""
    plain = one.script is None or one.script.role in ("builtin", "operation")
    if not _is_settable(one) or not (cleared or (one.script and one.script.role == "always")):
        return KEEP
    if cleared and not plain and controls.is_clearable(one.component):
        return None
    usual = controls.unsaid(one.component)
    return KEEP if usual is None and not controls.is_bare(one.component) else usual


def _left_over(one: Input, unit: Unit, given: Any) -> list[Unset]:
    """What of a unit no field shows."""
    if isinstance(given, Mapping) and given.get("enabled") is False:
        return []
    if isinstance(given, Mapping):
        return [
            Unset(f"{one.label()}: {name}", "no_field", {"value": _told(value)})
            for name, value in unit.left_over(given).items()
        ]
    return [] if given is KEEP or given is None else [Unset(one.label(), "by_hand", {})]


@dataclass
class Filled:
    """What a capture fills into a form: the panels to open, the button to press then, what cannot
    be set, and the values by the identity of their inputs."""

    panels: list[str]
    button: str
    unset: list[Unset]
    values: dict[int, Any] = field(default_factory=dict)


def _is_settable(one: Input) -> bool:
    known = one.component is not None and controls.kind(one.component)
    # A script's state is an object of its own; the page's are numbers of tabs.
    return bool(known and (one.name or (one.script and known != "state")))


@functools.lru_cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where pictures lie that the page is given; it goes when the process ends."""
    return tempfile.TemporaryDirectory(prefix="payload-capture-")


def keep(picture: Image) -> str:
    """Put a picture into a file as it is, and return its path."""
    writable = picture if picture.mode in _OF_PNG else picture.convert("RGB")
    data = io.BytesIO()
    writable.save(data, "PNG", compress_level=1)
    path = Path(_folder().name, f"{hashlib.sha256(data.getvalue()).hexdigest()}.png")
    path.write_bytes(data.getvalue())
    return str(path)


_OF_PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


def _is_idle(one: Input, value: Any) -> bool:
    """Whether a value that cannot be set need not be: none, empty, a unit that is off, or what the
    component has shown from the beginning, as a note in a script."""
    if isinstance(value, Mapping):
        return value.get("enabled") is False
    nothing = value is None or value is False or (isinstance(value, (str, list)) and not value)
    return nothing or value == controls.default(one.component)


def _told(value: Any) -> str:
    if hasattr(value, "size") and hasattr(value, "tobytes"):
        return "a picture"
    return controls.told(value)


# ---- what the page's script asks


class Answer(NamedTuple):
    """What an event returns: what is `told` to the script, and the values to show in a form's
    settable inputs and to keep in its states."""

    told: Mapping[str, Any]
    values: Sequence[Any] = ()
    states: Sequence[Any] = ()


Given = Sequence[Any]
"""The values that the page gave for all inputs of a form."""


def answer(
    service: Service, form: Form, text: str, given: Given, request: Any, caller: Caller
) -> Answer:
    """Answer a question about a form, ``{"id": n, "do": name, ...}``. Raises nothing, as gradio
    would show no reason.

    Args:
        request: gradio's, which knows the user.
    """
    identity: Any = None
    try:
        question = json.loads(text)
        identity = question["id"]
        service.admit_page(caller, reads=True)
        made = _ANSWERS[question["do"]](service, form, question, given, request)
    except Exception as error:
        made = Answer({"error": reason(error)})
    return Answer(
        {"id": identity, **made.told},
        made.values or [KEEP] * len(form.settable),
        made.states or [KEEP] * len(form.states),
    )


def fill(service: Service, form: Form, question: Question, *_: Any) -> Answer:
    """Send a capture to the form; tells the panels to open and what could not be set."""
    filled = form.fill(service.get(question["capture"]), service.bytes_of)
    values = [filled.values.get(id(one), KEEP) for one in form.settable]
    unset = _listed(filled.unset)
    return Answer({"panels": filled.panels, "button": filled.button, "unset": unset}, values)


def check(service: Service, form: Form, question: Question, given: Given, *_: Any) -> Answer:
    """Tell what of a capture is not set on the page now, and keep what its fields make."""
    unset = form.check(service.get(question["capture"]), service.bytes_of, given)
    states = form.made(given, unset)
    return Answer({"unset": _listed(unset)}, states=states)


def preview(service: Service, form: Form, question: Question, given: Given, request: Any) -> Answer:
    """Tell which capture shows what Generate would send, or why it would fail."""
    try:
        _task, *rest = form.sent(given)
        return Answer({"capture": service.preview(form.target, request, ["", *rest])})
    except Exception as error:
        return Answer({"fails": reason(error)})


_ANSWERS: dict[str, Callable[..., Answer]] = {f.__name__: f for f in (fill, check, preview)}


def _listed(unset: Sequence[Unset]) -> list[dict[str, Any]]:
    return [one._asdict() for one in unset]
