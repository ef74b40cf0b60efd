"""Why pictures differ: the likeliest cause first, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import infotext
from .capture import IMG2IMG, UPSCALE, Capture
from .differences import Difference, brief, differences
from .fields import IGNORED
from .problem import Problem
from .surroundings import extensions, fixed
from .verify import Comparison, Verification, worst

HostFacts = Callable[[], Mapping[str, Any]]

# In the order in which one of them explains the others.
_TELLING = (
    "Model hash",
    "Model",
    "VAE hash",
    "VAE",
    "Seed",
    "Size",
    "Sampler",
    "Schedule type",
    "Steps",
    "CFG scale",
    "Clip skip",
    "ENSD",
    "RNG",
    "Denoising strength",
    infotext.PROMPT,
    infotext.NEGATIVE,
)
_SILENT = ("Version", "User", "Created Date")
_HOST = ("webui", "version", "torch", "device", "gradio", "python")
_SHOWN = 3
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_TOLD_BY = {
    "scheduler": "Schedule type",
    "hr_scheduler": "Hires schedule type",
    "refiner_checkpoint": "Refiner",
    "hr_checkpoint_name": "Hires checkpoint",
    "override_settings.sd_model_checkpoint": "Model",
}
"""Fields of a payload that a server may leave out, by the infotext's field that shows it."""


def explain(
    capture: Capture,
    found: Verification,
    host: HostFacts,
    options: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
) -> str:
    """Why `found` is not identical, with the measure of how far off the worst picture is.

    Args:
        host: asks for what the server is.
        options: its settings, as they were before the generation.
        parameters: the request as its answer says that it took it.
    """
    taken = list(differences(capture.payload, parameters or {}))
    off = _off(capture, found.images)
    causes = (
        _missing(capture, found),
        _lossy(found),
        _left_out(taken, off),
        _sizes(found.images),
        _fields(off),
        _left_out(taken, None),
        _taken_otherwise(taken),
        _settings(capture, options),
        _hosts(capture, host),
        _unseeded(capture),
        "nothing that is known differs: look at the weights, the device, or a script",
    )
    cause = next(text for text in _each(causes) if text)
    return cause + _measure(found.images)


def _each(causes: tuple[str | Iterator[str], ...]) -> Iterator[str]:
    """The causes one by one, so that a later one that costs a request is rarely looked at."""
    for cause in causes:
        yield cause if isinstance(cause, str) else next(cause, "")


def _missing(capture: Capture, found: Verification) -> Iterator[str]:
    absent = [image.result for image in found.images if image.answered is None]
    if not absent:
        return
    count = f"{len(absent)} of {len(found.images)} expected pictures did not come"
    if capture.payload.get("send_images") is False:
        yield f"{count}: the payload says `send_images: false`"
    elif found.extra:
        seeds = ", ".join(str(one.seed) for one in found.extra[:4])
        wanted = ", ".join(str(result.seed) for result in absent[:4])
        yield f"{count}: expected the seed {wanted}, the server made {seeds}"
    else:
        yield f"{count}, and nothing in their place"


def _lossy(found: Verification) -> Iterator[str]:
    for image in found.images:
        if image.answered and image.verdict != "identical" and image.answered.picture.lossy:
            kind = image.answered.picture.image.format
            yield f"the server answers lossy {kind}: set its option samples_format to png"


def _left_out(taken: list[Difference], off: Mapping[str, Any] | None) -> Iterator[str]:
    """What the server did not take: fields of a newer version.

    Where `off` is given, only if that explains an infotext's field that differs; many a field that
    no server knows changes nothing.
    """
    lost = [
        one
        for one in taken
        if one.kind == "removed"
        and one.sent not in _EMPTY
        and not one.withheld
        and one.path not in IGNORED
    ]
    if off is None or any(_TOLD_BY.get(one.path) in off for one in lost):
        said = [f"{one.path} {brief(one.sent)}" for one in lost]
        if said:
            yield f"the server left out what it does not know: {_some(said)}"


def _taken_otherwise(taken: list[Difference]) -> Iterator[str]:
    said = [
        f"{one.path} as {brief(one.said)} instead of {brief(one.sent)}"
        for one in taken
        if one.kind == "changed" and one.path not in IGNORED
    ]
    if said:
        yield f"the server took {_some(said)}"


def _some(said: list[str], between: str = ", ") -> str:
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return between.join(said[:_SHOWN]) + more


def _sizes(images: list[Comparison]) -> Iterator[str]:
    for image in images:
        if image.answered is None:
            continue
        width, height = image.answered.picture.image.size
        if (width, height) != (image.result.width, image.result.height):
            expected = f"{image.result.width}x{image.result.height}"
            yield f"the picture is {width}x{height} instead of {expected}"


def _off(capture: Capture, images: list[Comparison]) -> dict[str, list[str]]:
    """The fields of the infotexts that differ: expected and actual.

    What the payload sends and the answer is silent of was used all the same: A1111 v1.6.0 says
    "Mask blur" of the page's jobs only.
    """
    off: dict[str, list[str]] = {}
    for image in images:
        if image.answered is None or image.verdict == "identical":
            continue
        if not (image.result.infotext and image.answered.infotext):
            continue
        for name, *values in infotext.differences(image.result.infotext, image.answered.infotext):
            if values[1] or not infotext.same(_sent(capture, name), values[0]):
                off.setdefault(name, values)
    return {name: values for name, values in off.items() if name not in _SILENT}


def _fields(off: Mapping[str, list[str]]) -> Iterator[str]:
    """The fields that differ, the most telling one first."""
    names = sorted(off, key=_telling)
    if names:
        said = [f"{n} {_value(off[n][1])} instead of {_value(off[n][0])}" for n in names]
        yield f"the server used {_some(said)}"


def _settings(capture: Capture, options: Mapping[str, Any]) -> Iterator[str]:
    said = [str(problem) for problem in fixed(capture, options)]
    if said:
        yield _some(said, "; ")


def _hosts(capture: Capture, host: HostFacts) -> Iterator[str]:
    there = host()
    said = [
        f"{name} {there[name]} instead of {was}"
        for name in _HOST
        if (was := getattr(capture.host, name)) and there.get(name) and there[name] != was
    ]
    said += [str(problem) for problem in _extensions(capture, there)]
    if said:
        yield f"the server is another host: {', '.join(said)}"


def _extensions(capture: Capture, there: Mapping[str, Any]) -> Iterator[Problem]:
    listed = there.get("extensions")
    if isinstance(listed, list):
        named = {str(one.get("name")): one for one in listed if isinstance(one, dict)}
        yield from (one for one in extensions(named, capture) if one.severity == "pixels")


def _unseeded(capture: Capture) -> Iterator[str]:
    """Source: measured on A1111 v1.10.1; hires. fix of a first pass of its own is not touched."""
    if not any(endpoint in (IMG2IMG, UPSCALE) for _, endpoint, _ in capture.requests()):
        return
    if capture.job.repeatable:
        yield (
            "it was captured with “Make img2img repeatable bit for bit” on: switch that on in this "
            "server's settings too"
        )
    yield (
        "the webui samples the VAE encoding of a picture from a generator that nothing seeds, so "
        "the result depends on the job before it (the extension's setting “Make img2img repeatable "
        "bit for bit” seeds it for what is captured from then on)"
    )


def _measure(images: list[Comparison]) -> str:
    image = worst(images)
    if image is None or image.answered is None:
        return ""
    if not image.measure:
        return " (no stored picture to measure with)"
    return f" ({image.measure}, at most {image.largest} of 255 off)"


def _telling(name: str) -> tuple[int, str]:
    return (_TELLING.index(name) if name in _TELLING else len(_TELLING)), name


def _sent(capture: Capture, name: str) -> str:
    """The value of the payload's field that an infotext calls `name`; "" for none."""
    return str(capture.payload.get(name.lower().replace(" ", "_"), ""))


def _value(text: str) -> str:
    short = text if len(text) <= 40 else text[:39] + "…"
    return repr(short) if short else "nothing"
