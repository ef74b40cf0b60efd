"""A webui's processing object as the payload of a standard API request.

Pure: takes what `host` read and returns data; raises nothing, since every value goes through
`values.Encoder`. The processing object must be the job's outer one, before any script ran on it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from payload_capture import adapters
from payload_capture.capture import (
    BATCH,
    EXTRAS,
    EXTRAS_BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    UPSCALE,
    Caveat,
    FormatError,
    Severity,
)
from payload_capture.settings import When
from payload_capture.values import Encoder

# Accepted by the API's models, but theirs to fill or of no meaning in a second run.
_NOT_SENT = frozenset(
    (
        *("alwayson_scripts", "script_args", "script_name", "sampler_index"),
        *("override_settings", "override_settings_restore_afterwards"),
        *("send_images", "save_images", "do_not_save_samples", "do_not_save_grid"),
        *(
            "force_task_id",
            "infotext",
            "include_init_images",
            "extra_generation_params",
            "comments",
        ),
        *("init_images", "mask", "latent_mask", "firstpass_image", "sd_model"),
    )
)
_PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")
_HIRES = ("hr_", "firstphase_")


class ScriptCall(NamedTuple):
    """One script of the webui with the arguments it was given.

    `choices` names what an argument that is a place in a list stands for, by the argument's own
    place; `labels` are what the page shows beside each. `hindrance` says why the API cannot call
    it, "" where it can.
    """

    title: str
    alwayson: bool
    args: list[Any]
    choices: Mapping[int, Any] = {}
    labels: Sequence[str] = ()
    hindrance: str = ""

    @property
    def path(self) -> str:
        """Where the arguments stand in a payload."""
        return f"alwayson_scripts.{self.title}.args" if self.alwayson else "script_args"


_BECOMING = {
    "prompt": "all_prompts",
    "negative_prompt": "all_negative_prompts",
    "hr_prompt": "all_hr_prompts",
    "hr_negative_prompt": "all_hr_negative_prompts",
}
"""The prompts' fields → what the processing object holds of them once scripts have seen them."""


def became(p: Any, payload: Mapping[str, Any]) -> dict[str, list[str]]:
    """What prompts became where that is not what `payload` says; one text where all are alike."""
    found = {}
    for name, resolved in _BECOMING.items():
        texts = _get(p, resolved)
        if name not in payload or not isinstance(texts, list) or not texts:
            continue
        texts = [str(text) for text in texts]
        if set(texts) - {payload[name] or payload.get(name.removeprefix("hr_"))}:
            found[name] = texts if len(set(texts)) > 1 else texts[:1]
    return found


@dataclass
class Draft:
    """A capture's request while its job runs; pictures are `values.Picture` objects."""

    endpoint: str
    payload: dict[str, Any] = field(default_factory=dict)
    template: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    caveats: list[Caveat] = field(default_factory=list)
    resolved: dict[str, Any] = field(default_factory=dict)
    anew: dict[str, str] = field(default_factory=dict)
    """The always-on scripts that make other prompts each time, and why."""

    def prompts(self) -> list[str]:
        """Every text that may name models: prompts of both passes, of all requests."""
        inner = self.payload.get("requests") if self.endpoint == BATCH else None
        payloads = [one["payload"] for one in inner] if inner else [self.payload]
        texts = (payload.get(name) for payload in payloads for name in _PROMPTS)
        return [text for text in dict.fromkeys(texts) if isinstance(text, str)]

    def settle(self, resolved: Mapping[str, list[str]], pictures: int) -> None:
        """Take what the prompts became, picture by picture; none where a script made them.

        Where a script would make others the next time, the prompt of a lone picture is sent as it
        became and the script off. A request has one prompt: for more pictures none can be sent.
        """
        self.resolved = dict(resolved)
        several = not pictures or any(len(texts) > 1 for texts in resolved.values())
        for title, reason in self.anew.items():
            args = self.payload["alwayson_scripts"][title]["args"]
            if pictures == 1:
                for name, (text,) in resolved.items():
                    self.resolve(name, text)
                self.resolve("styles", [])  # they are in the text
                args[0] = False
            elif several:
                self.caveats.append(Caveat(f"alwayson_scripts.{title}.args", reason, "blocks"))

    def resolve(self, name: str, value: Any) -> None:
        """Put what the job drew (a seed, a prompt) in place of what the user typed."""
        typed = self.payload.get(name)
        if typed != value:
            self.template[name] = typed
            self.payload[name] = value


def endpoint(p: Any) -> str:
    """The standard endpoint that makes the same kind of picture."""
    return IMG2IMG if hasattr(p, "init_images") else TXT2IMG


def applies(p: Any, scripted: bool) -> list[When]:
    """Which kinds of job this is, as options go; a script may run jobs of any kind."""
    found: list[When] = ["always"]
    if endpoint(p) == TXT2IMG:
        found.append("txt2img")
    if scripted or endpoint(p) == IMG2IMG:
        found.append("img2img")
    if scripted or getattr(p, "enable_hr", False):
        found.append("hires")
    if scripted or getattr(p, "restore_faces", None) is not False:
        found.append("faces")
    return found


def draft(
    p: Any,
    accepted: Iterable[str],
    options: Mapping[str, Any],
    scripts: Iterable[ScriptCall],
) -> Draft:
    """Describe the job that is about to start.

    Args:
        p: the webui's outer processing object.
        accepted: the fields that the host's API accepts for this endpoint.
        options: the options that decide pixels, as the host has them now.
        scripts: the always-on scripts with arguments, and the selected one if any.
    """
    encoder = Encoder(uploads=not _get(p, "is_api"))
    made = Draft(endpoint(p), caveats=encoder.caveats)
    calls = [call for call in scripts if not _unreachable(call, encoder)]
    selected = next((call for call in calls if not call.alwayson), None)
    made.payload = _fields(p, accepted, encoder, hires=bool(selected or _get(p, "enable_hr")))
    if made.endpoint == IMG2IMG:
        made.payload |= _pictures(p, encoder)
    plotted = {_AXES.get(name) for _, name in _chosen(selected)} if selected else set()
    pinned = {name: value for name, value in options.items() if name not in plotted}
    overrides = {**pinned, **(_get(p, "override_settings") or {})}
    made.payload["override_settings"] = encoder.encode(overrides, "override_settings")
    made.payload["override_settings_restore_afterwards"] = True
    made.payload["alwayson_scripts"] = {
        call.title: {"args": _args(call, encoder)} for call in calls if call.alwayson
    }
    if selected is not None:
        made.payload["script_name"] = selected.title
        made.payload["script_args"] = _args(selected, encoder)
    for call in calls:
        adapters.apply_effect(call.title, call.args, encoder, made.payload)
    if selected is not None and (reason := _drawn_anew(selected, whole(_get(p, "seed")))):
        encoder.caveats.append(Caveat("script_args", reason, "blocks"))
    texts = "\n".join(made.prompts())
    made.anew = {
        call.title: reason
        for call in calls
        if call.alwayson and (reason := adapters.draws_anew(call.title, call.args, texts))
    }
    made.choices = {place: name for call in calls for place, name in _chosen(call)}
    made.labels = {call.title: list(call.labels) for call in calls if any(call.labels)}
    if (first := _get(p, "firstpass_image")) is not None:
        made.endpoint = UPSCALE
        made.payload["firstpass_image"] = encoder.encode(first, "firstpass_image")
    return made


def _args(call: ScriptCall, encoder: Encoder) -> Any:
    return adapters.encode_args(call.title, call.args, encoder, call.path)


def _unreachable(call: ScriptCall, encoder: Encoder) -> bool:
    """Whether the API cannot call a script, which is said."""
    if call.hindrance:
        severity: Severity = "pixels" if call.alwayson else "blocks"
        encoder.caveats.append(Caveat(call.path, call.hindrance, severity))
    return bool(call.hindrance)


_ONE_SEED = ("Iterate seed every line", "Use same random seed for all lines")
_AXES = {
    "Clip skip": "CLIP_stop_at_last_layers",
    "VAE": "sd_vae",
    "UniPC Order": "uni_pc_order",
}
"""Axes of X/Y/Z plot that set an option for each cell, which a pinned one would undo there.

Source: ``scripts/xyz_grid.py`` of A1111 v1.6.0 to v1.9.4; v1.10.1 overrides it for the cell.
"""
_RANDOM = re.compile(r"(?<![\d.])-1(?![\d.])")


def _drawn_anew(call: ScriptCall, seed: int) -> str:
    """Why a script draws seeds that no request can hold, or "".

    X/Y/Z plot draws those of an axis of -1, and with "Keep -1 for seeds" those of every cell;
    Prompts from file that of every line (A1111 v1.6.0 to v1.10.1, ``scripts/xyz_grid.py``,
    ``prompts_from_file.py``).
    """
    for place, name in _chosen(call):
        values = call.args[int(place.rpartition("[")[2][:-1]) + 1 :][:1]
        if name in ("Seed", "Var. seed") and _RANDOM.search(str(values)):
            return f"the axis {name} asks for random seeds (-1), drawn anew each time"
    given = dict(zip(call.labels, call.args, strict=False))
    if given.get("Keep -1 for seeds") is True and seed == -1:
        return "“Keep -1 for seeds” draws a seed for each cell, anew each time"
    lines = [line for line in str(given.get("List of prompt inputs") or "").splitlines() if line]
    if len(lines) > 1 and seed == -1 and not any(given.get(name) for name in _ONE_SEED):
        return "with the seed -1 each line of prompts draws one, anew each time"
    return ""


def _chosen(call: ScriptCall) -> Iterator[tuple[str, str]]:
    """Each (path, name) of the arguments that are places in lists of choices."""
    for place, choices in call.choices.items():
        value: Any = call.args[place] if place < len(call.args) else None
        several = isinstance(value, (list, tuple))
        for number, index in enumerate(list(value) if several else [value]):
            if type(index) is int and 0 <= index < len(choices):
                name = choices[index]
                path = f"{call.path}[{place}]" + (f"[{number}]" if several else "")
                yield path, str(name[0] if isinstance(name, (list, tuple)) else name)


def _fields(p: Any, accepted: Iterable[str], encoder: Encoder, hires: bool) -> dict[str, Any]:
    names = [name for name in accepted if name not in _NOT_SENT]
    if not hires:
        names = [name for name in names if not name.startswith(_HIRES)]
    made = {}
    for name in names:
        value = _get(p, name)
        if name == "s_tmax" and value == float("inf"):
            value = 0.0  # what the API takes for "no limit" (A1111 v1.10.1, modules/processing.py)
        if name in ("seed", "subseed"):
            value = whole(value)
        if value is not None:
            made[name] = encoder.encode(value, name)
    return made


def _pictures(p: Any, encoder: Encoder) -> dict[str, Any]:
    # Until the job initialises, the mask is in image_mask or, on older hosts, in mask.
    masks = (_get(p, "image_mask"), _get(p, "mask"))
    mask = next((m for m in masks if m is not None), None)
    given = list(_get(p, "init_images") or [])
    if not any(image is not None for image in given):
        encoder.caveats.append(Caveat("init_images", "no picture was chosen", "blocks"))
    made = {"init_images": encoder.encode(given, "init_images")}
    if mask is not None:
        made["mask"] = encoder.encode(mask, "mask")
    return made


def whole(value: Any) -> int:
    """A seed as the API takes it; -1 ("random") for what is none, as the webui reads it."""
    first = value[0] if isinstance(value, list) and value else value
    try:
        return int(first)
    except (TypeError, ValueError):
        return -1


# ---- jobs of several runs


def compose(drafts: list[Draft]) -> Draft:
    """One request for all runs of a job, their payloads being JSON."""
    if not drafts:
        return Draft(TXT2IMG)
    caveats = [caveat for draft in drafts for caveat in draft.caveats]
    if drafts[0].endpoint == EXTRAS:
        pictures = [picture for draft in drafts for picture in draft.payload.get("images", ())]
        payload = {**drafts[0].payload, "images": pictures}
        return dataclasses.replace(_standard(payload), caveats=caveats)
    if len(drafts) == 1:
        return drafts[0]
    requests = [{"endpoint": draft.endpoint, "payload": draft.payload} for draft in drafts]
    named = [
        dataclasses.replace(caveat, path=f"requests[{index}].payload.{caveat.path}")
        for index, draft in enumerate(drafts)
        for caveat in draft.caveats
    ]
    template = {"requests": [draft.template for draft in drafts]}
    typed = template if any(draft.template for draft in drafts) else {}
    choices = {
        f"requests[{index}].payload.{place}": name
        for index, draft in enumerate(drafts)
        for place, name in draft.choices.items()
    }
    labels = {title: names for draft in drafts for title, names in draft.labels.items()}
    became = {"requests": [draft.resolved for draft in drafts]}
    resolved = became if any(draft.resolved for draft in drafts) else {}
    return Draft(BATCH, {"requests": requests}, typed, choices, labels, named, resolved)


def extras(picture: Any, scripts: Mapping[str, Mapping[str, Any]], options: Any) -> Draft:
    """One picture of Extras with its operations' arguments by name.

    `options` are those that decide pixels and are set otherwise than by default.
    """
    encoder = Encoder()
    made = Draft(EXTRAS, caveats=encoder.caveats)
    made.payload = {
        "images": encoder.encode([picture], "images"),
        "scripts": encoder.encode(scripts, "scripts"),
        "override_settings": encoder.encode(options, "override_settings"),
    }
    return made


_FACES = ("GFPGAN", "CodeFormer")


def _standard(payload: dict[str, Any]) -> Draft:
    """The request to the standard Extras endpoints where they can say it, else to our own.

    They know Upscale, GFPGAN and CodeFormer, and no settings (A1111 v1.10.1,
    ``modules/postprocessing.py``, ``run_extras``).
    """
    scripts, pictures = payload.get("scripts", {}), payload.get("images", [])
    others = (args for name, args in scripts.items() if name not in ("Upscale", *_FACES))
    if not pictures or payload.get("override_settings") or any(map(switched_on, others)):
        return Draft(EXTRAS, payload)
    if (said := _upscaling(scripts.get("Upscale", {}))) is None:
        return Draft(EXTRAS, payload)
    for name in _FACES:
        args = scripts.get(name, {})
        field = f"{name.lower()}_visibility"
        said[field] = args.get(field, 0) if switched_on(args) else 0
    said["codeformer_weight"] = scripts.get("CodeFormer", {}).get("codeformer_weight", 0)
    if len(pictures) == 1:
        return Draft(EXTRAS_SINGLE, {**said, "image": pictures[0]})
    named = [{"data": picture, "name": f"{n}.png"} for n, picture in enumerate(pictures)]
    return Draft(EXTRAS_BATCH, {**said, "imageList": named})


def operations(endpoint: str, payload: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The pictures of a request to Extras, and each operation's arguments by its name.

    Raises:
        FormatError: it has no picture.
    """
    listed = [item.get("data") for item in payload.get("imageList") or []]
    images = listed or payload.get("images") or [payload.get("image")]
    if None in images:
        raise FormatError("payload.image", "the request holds no picture")
    if endpoint == EXTRAS:
        return images, dict(payload.get("scripts") or {})
    made: dict[str, dict[str, Any]] = {"Upscale": {"upscale_enabled": True}}
    made["Upscale"] |= {n: payload[f] for n, f in _UPSCALING.items() if payload.get(f) is not None}
    for name in _FACES:
        strength = payload.get(f"{name.lower()}_visibility") or 0
        made[name] = {"enable": strength > 0, f"{name.lower()}_visibility": strength}
    made["CodeFormer"]["codeformer_weight"] = payload.get("codeformer_weight") or 0
    return images, made


_UPSCALING = {
    "upscale_mode": "resize_mode",
    "upscale_by": "upscaling_resize",
    "upscale_to_width": "upscaling_resize_w",
    "upscale_to_height": "upscaling_resize_h",
    "upscale_crop": "upscaling_crop",
    "upscaler_1_name": "upscaler_1",
    "upscaler_2_name": "upscaler_2",
    "upscaler_2_visibility": "extras_upscaler_2_visibility",
}
"""The arguments of the operation Upscale → the fields of the standard endpoints."""


def _upscaling(args: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields that say the same, None where none can."""
    if not args.get("upscale_enabled", True):
        return {"upscaling_resize": 1, "upscaler_1": "None", "upscaler_2": "None"}
    unsaid = set(args) - {*_UPSCALING, "upscale_enabled", "max_side_length"}
    if unsaid or args.get("max_side_length"):
        return None
    said = {field: args[name] for name, field in _UPSCALING.items() if args.get(name) is not None}
    return said if set(said) >= {"upscaler_1", "resize_mode"} else None


def switched_on(args: Mapping[str, Any]) -> bool:
    """Whether an operation of Extras does anything: its first argument is its switch."""
    return bool(next(iter(args.values()), False))


def _get(p: Any, name: str) -> Any:
    return getattr(p, name, None)
