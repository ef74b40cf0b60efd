"""The webui that this runs in. The only module that imports the webui's `modules`.

Differences between hosts are told by what a host offers, never by its name. Every fact about a
host names its source; "A1111" is AUTOMATIC1111 v1.10.1 unless another version is named.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import inspect
import os
import platform
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from modules import (
    call_queue,
    extensions,
    localization,
    paths_internal,
    postprocessing,
    processing,
    restart,
    script_callbacks,
    scripts,
    scripts_postprocessing,
    shared,
)
from modules import options as webui_options

from payload_capture import adapters, auth, hooks, payload, settings
from payload_capture.auth import Site
from payload_capture.capture import (
    EXTRAS_BATCH,
    EXTRAS_SINGLE,
    IMG2IMG,
    TXT2IMG,
    Extension,
    Host,
    Model,
    Source,
)
from payload_capture.jobs import UNMARKED
from payload_capture.payload import Draft, ScriptCall
from payload_capture.portable import Defaults
from payload_capture.privacy import Names
from payload_capture.runs import API_OFF, RunError
from payload_capture.values import Encoder
from payload_capture.wanted import PageScript

_WORDS = re.compile(r"[\s,:()\[\]|]+")
_LORA = re.compile(r"<(?:lora|lyco):([^:>]+)")


def watch(listener: hooks.Listener) -> Callable[[], None]:
    """Let `listener` follow every generation from now on. Returns what undoes it.

    Script callbacks alone cannot tell a job: for a script's inner pictures they see copies of the
    processing object, for a failed job no end, and their order among extensions is not ours. So
    six methods of the webui are wrapped: `ScriptRunner.run`, which sees the complete outer object
    of a page's job first; `before_process`, the first to see an API job without a script;
    `process`, where seeds are known; `postprocess_batch`, where a skip still shows; `postprocess`;
    and `StableDiffusionProcessing.close`, which page and API both call at a job's end, failed or
    not (A1111 v1.6.0 on, ``modules/txt2img.py``, ``modules/api/api.py``).
    """
    tell = functools.partial(hooks.tell, listener)
    runner, processed = scripts.ScriptRunner, processing.StableDiffusionProcessing

    def run(original: Any, self: Any, p: Any, *args: Any) -> Any:
        if (drafts := getattr(_dry, "drafts", None)) is not None:
            drafts.append(describe(p))
            return processing.Processed(p, [], 0, "")
        _begin_with_picture(p)
        tell("run_started", p)
        try:
            result = original(self, p, *args)
        except BaseException as error:
            tell("run_ended", p, None, error)
            raise
        tell("run_ended", p, result, None)
        return result

    def before_process(original: Any, self: Any, p: Any) -> Any:
        _begin_with_picture(p)
        tell("processing_started", p)
        result = original(self, p)
        _make_restorable(p)
        return result

    def process(original: Any, self: Any, p: Any) -> Any:
        result = original(self, p)
        tell("seeds_known", p)
        if repeatable():
            seed_encoding(p)
        return result

    def postprocess_batch(original: Any, self: Any, p: Any, images: Any, **named: Any) -> Any:
        tell("batch_ended", p)
        return original(self, p, images, **named)

    def postprocess(original: Any, self: Any, p: Any, processed: Any) -> Any:
        result = original(self, p, processed)
        tell("processing_ended", p, processed)
        return result

    def close(original: Any, self: Any) -> Any:
        # contextlib.closing calls this while an exception of the job is being handled.
        error = sys.exc_info()[1]
        result = original(self)
        tell("closed", self, error)
        return result

    wrapped = [
        *((runner, wrapper) for wrapper in (run, before_process, process)),
        *((runner, wrapper) for wrapper in (postprocess_batch, postprocess)),
        (processed, close),
        *_extras_wrappers(tell),
        *_marking_wrappers(),
    ]
    return hooks.wrap_all(wrapped)


def _marking_wrappers() -> list[tuple[Any, Callable[..., Any]]]:
    """Wrappers of what hides the infotext in the pixels of a picture that is saved, in place.

    Forge does, in the alpha channel by default (dfdcbab6, ``modules/stealth_infotext.py``, option
    ``stealth_pnginfo_option``), reForge too; what the API makes is not saved and so not marked.
    The bits are gzip's, which notes the time, and Loopback goes on with the marked picture. So
    where jobs are to be repeatable only the file is marked.
    """
    if importlib.util.find_spec("modules.stealth_infotext") is None:
        return []
    from modules import images, stealth_infotext

    def add_stealth_pnginfo(original: Any, params: Any) -> Any:
        try:
            if repeatable():
                params.image = params.image.copy()
            elif not hasattr(params.image, UNMARKED):
                setattr(params.image, UNMARKED, params.image.copy())
        except Exception as error:
            print(f"[payload-capture] before a picture is marked: {error!r}", file=sys.stderr)
        return original(params)

    def save_image(original: Any, image: Any, *args: Any, **named: Any) -> Any:
        saved = original(image, *args, **named)
        try:
            if repeatable():
                image.already_saved_as = saved[0]  # the page shows this file
        except Exception as error:
            print(f"[payload-capture] after a picture was saved: {error!r}", file=sys.stderr)
        return saved

    return [(stealth_infotext, add_stealth_pnginfo), (images, save_image)]


def before_stop(save: Callable[[], object]) -> None:
    """Call `save` before the webui ends or restarts its process by ``os._exit``: the buttons of
    Extensions, and ``/sdapi/v1/server-kill`` (A1111 v1.6.0 on, ``modules/restart.py``).
    """

    def stop_program(original: Any) -> Any:
        try:
            save()
        finally:
            original()

    def handle_exit(original: Any, self: Any, *args: Any) -> Any:
        _stopped.set()
        return original(self, *args)

    import uvicorn

    hooks.wrap_all([(restart, stop_program), (uvicorn.Server, handle_exit)])


_stopped = threading.Event()
"""Whether uvicorn was told to end: without a page it runs on the main thread and hears signals."""


class ExtrasJob:
    """Stands for one action of Extras, which has no processing object."""

    def __init__(self) -> None:
        # The page's job has begun before this is made; an API request's begins after.
        self.source: Source = "ui" if _page_runs() else "api"


def _extras_wrappers(tell: Callable[..., None]) -> list[tuple[Any, Callable[..., Any]]]:
    """Wrappers of the two functions that Extras goes through on page and API (v1.6.0 on)."""
    current: list[ExtrasJob] = []

    def run_postprocessing(original: Any, *args: Any, **named: Any) -> Any:
        current[:] = [job := ExtrasJob()]
        try:
            result = original(*args, **named)
        except BaseException as error:
            tell("closed", job, error)
            raise
        finally:
            current.clear()
        tell("closed", job, None)
        return result

    def run(original: Any, self: Any, pp: Any, args: Any) -> Any:
        job = current[0] if current else None
        if job is not None:
            tell("picture_started", job, pp.image, args)
        result = original(self, pp, args)
        if job is not None:
            more = getattr(pp, "extra_images", ())  # v1.8 on
            tell("picture_ended", job, [getattr(made, "image", made) for made in (pp, *more)])
        return result

    return [
        (postprocessing, run_postprocessing),
        (scripts_postprocessing.ScriptPostprocessingRunner, run),
    ]


def _make_restorable(p: Any) -> None:
    """Give the options that a job overrides a value to go back to.

    The webui restores only those that it has in memory. The others, which nobody ever saved, stay
    as the job set them, for everybody (A1111 v1.8.0 on, Forge, reForge); on v1.6.0 the job fails.
    Forge restores through callbacks, which may wait for the very queue that the job holds
    (dfdcbab6, ``modules/sysinfo.py``, ``set_config``), so those that have one stay out there. The
    checkpoint has no default to go back to; the webui sets it when it loads the first.
    """
    calls_back = hasattr(sys.modules.get("modules.sysinfo"), "set_config")
    for name in getattr(p, "override_settings", None) or ():
        known = shared.opts.data_labels.get(name)
        if known is None or name == "sd_model_checkpoint" or (calls_back and known.onchange):
            continue
        shared.opts.data.setdefault(name, shared.opts.get_default(name))


# ---- reading a job


def job_token() -> object:
    """What changes from job to job: the webui notes when it began each (A1111, State.begin)."""
    return shared.state.time_start


def source(p: Any) -> Source:
    """Where the job comes from."""
    if isinstance(p, ExtrasJob):
        return p.source
    if getattr(p, "is_api", False):
        return "api"
    return "ui" if _page_runs() else "script"


def _page_runs() -> bool:
    """Whether the page's job runs: it names them ``task(...)`` (A1111, ``call_queue.py``).

    So do API requests, which are told before; `State.job` is renamed by the batch tab.
    """
    return str(task() or "").startswith("task(")


def task() -> str | None:
    """The job's task id, as `/internal/progress` knows it."""
    from modules import progress

    current: str | None = progress.current_task
    return current


def interrupted() -> bool:
    """Whether somebody broke the running job off, or made it stop after the current picture."""
    state = shared.state
    return bool(state.interrupted or getattr(state, "stopping_generation", False))


def skipped() -> bool:
    """Whether somebody skipped the batch that was just sampled (A1111, State.skip)."""
    return bool(shared.state.skipped)


def writes_infotext() -> bool:
    """Whether returned pictures carry their infotext."""
    return bool(shared.opts.enable_pnginfo)


def repeatable() -> bool:
    """Whether the user wants img2img to be repeatable bit for bit."""
    return bool(option(settings.REPEATABLE, False))


def seed_encoding(p: Any) -> None:
    """Make the encoding of pictures depend on the job's seed instead of on the job before it.

    The VAE's encoding of an init image is a sample that is drawn from torch's global generator,
    which nothing seeds before (A1111, ``images_tensor_to_samples``; it follows `process` in
    ``process_images_inner``). hires. fix was measured not to depend on it.
    """
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(payload.whole(p.all_seeds) & (2**63 - 1))


def describe(p: Any) -> Draft:
    """The job as a request, from the outer object at its start."""
    calls = list(script_calls(p))
    scripted = any(not call.alwayson for call in calls)
    options = settings.decisive(_Options(), payload.applies(p, scripted))
    options |= _exact_checkpoint(options)
    return payload.draft(p, accepted_fields(payload.endpoint(p)), options, calls)


def describe_extras(picture: Any, args: Any) -> Draft:
    """One picture of Extras as a request; `args` are those of all operations, in one row."""
    operations = {
        str(script.name): dict(
            zip(script.controls, args[script.args_from : script.args_to], strict=False)
        )
        for script in scripts.scripts_postproc.scripts_in_preferred_order()
    }
    pinned = settings.decisive(_Options(), ["extras"])
    changed = {n: value for n, value in pinned.items() if value != shared.opts.get_default(n)}
    return payload.extras(picture, operations, changed)


class _Options(dict[str, Any]):
    """The webui's options by name, read one by one: reading all of them takes milliseconds."""

    def __iter__(self) -> Iterator[str]:
        return iter(shared.opts.data_labels)

    def __contains__(self, name: object) -> bool:
        return name in shared.opts.data_labels

    def get(self, name: str, default: Any = None) -> Any:
        known = name in shared.opts.data_labels
        return shared.opts.data.get(name, shared.opts.get_default(name)) if known else default

    def __getitem__(self, name: str) -> Any:
        return self.get(name)


def script_calls(p: Any) -> Iterable[ScriptCall]:
    """The scripts that have arguments, and the selected one; ours has none.

    Seed, Sampler and Refiner are scripts of the page only (`ScriptBuiltinUI`): the API takes
    their values from fields of their own.
    """
    runner, args = getattr(p, "scripts", None), list(getattr(p, "script_args", None) or ())
    if runner is None or not args:
        return
    builtin = getattr(scripts, "ScriptBuiltinUI", ())
    for script in runner.alwayson_scripts:
        if not isinstance(script, builtin) and script.args_to > script.args_from:
            yield _call(runner, script, args, runner.scripts)
    if isinstance(args[0], int) and args[0] > 0:
        script = runner.selectable_scripts[args[0] - 1]
        yield _call(runner, script, args, runner.selectable_scripts)


def _call(runner: Any, script: Any, args: list[Any], found_among: list[Any]) -> ScriptCall:
    here = slice(script.args_from, script.args_to)
    return ScriptCall(
        _title(script),
        script in runner.alwayson_scripts,
        args[here],
        _choices(components := list((getattr(runner, "inputs", None) or ())[here])),
        [str(getattr(component, "label", None) or "") for component in components],
        _hindrance(script, found_among),
    )


def _hindrance(script: Any, found_among: list[Any]) -> str:
    """Why the API, which looks for a script's title in a list, cannot call it.

    It takes the first of a title in lower case, and answers 422 to every title while one of the
    list has none (A1111, `script_name_to_index`).
    """
    title = _title(script)
    titles = [_title(other) for other in found_among]
    if "" in titles:
        name = Path(str(found_among[titles.index("")].filename or "")).name
        return f"the script {name} has no title, and while it is there the API finds no script"
    if found_among[titles.index(title)] is not script:
        return f"another script has the title {title!r} too, and the API finds only that one"
    return ""


def _choices(components: Iterable[Any]) -> dict[int, Any]:
    """The choices of the components that give a place instead of a value (gradio: type="index")."""
    return {
        place: component.choices
        for place, component in enumerate(components)
        if getattr(component, "type", None) == "index" and getattr(component, "choices", None)
    }


def _title(script: Any) -> str:
    """As the API finds it, "" for a script that has none or cannot say it."""
    try:
        return str(script.title() or "").lower()
    except Exception:  # whose fault it is, its caveat says
        return ""


@functools.lru_cache
def accepted_fields(endpoint: str) -> tuple[str, ...]:
    """The names of the fields that this host's API accepts at `endpoint`."""
    return tuple(_model_fields(_request_model(endpoint)))


def defaults(endpoint: str) -> Defaults:
    """What this host fills in at an endpoint where a payload is silent."""
    tab = "img2img" if endpoint == IMG2IMG else "txt2img"
    row = getattr(api(), f"default_script_arg_{tab}", None) or []
    runner = getattr(scripts, f"scripts_{tab}")
    args, labels = {}, {}
    for script in runner.alwayson_scripts if row else ():
        title, here = _title(script), slice(script.args_from, script.args_to)
        args[title] = adapters.encode_args(title, list(row[here]), Encoder(uploads=False), "")
        labels[title] = [str(getattr(one, "label", "") or "") for one in runner.inputs[here]]
    fields = field_defaults(endpoint)
    return Defaults(fields, args, labels, _Options(), adapters.is_off)


def field_defaults(endpoint: str) -> dict[str, Any]:
    """What the API takes for the fields of an endpoint that a request does not name."""
    fields = _model_fields(_request_model(endpoint))
    return {name: field.default for name, field in fields.items() if not _is_required(field)}


def _model_fields(model: Any) -> Mapping[str, Any]:
    """pydantic 2's, or pydantic 1's."""
    fields: Mapping[str, Any] = getattr(model, "model_fields", None) or model.__fields__
    return fields


def _is_required(field: Any) -> bool:
    required = getattr(field, "is_required", None)  # pydantic 2; in pydantic 1 it is `required`
    return bool(required() if callable(required) else field.required)


def _request_model(endpoint: str) -> Any:
    from modules.api import models

    return getattr(models, _MODELS.get(endpoint, _MODELS[TXT2IMG]))


_MODELS = {
    TXT2IMG: "StableDiffusionTxt2ImgProcessingAPI",
    IMG2IMG: "StableDiffusionImg2ImgProcessingAPI",
    EXTRAS_SINGLE: "ExtrasSingleImageRequest",
    EXTRAS_BATCH: "ExtrasBatchImagesRequest",
}


# ---- weights


def checkpoint(p: Any) -> str:
    """The title of the checkpoint that the job starts with."""
    chosen = (getattr(p, "override_settings", None) or {}).get("sd_model_checkpoint")
    info = _checkpoint_info(chosen) or _set_checkpoint(shared.opts.sd_model_checkpoint)
    return str(info.title) if info is not None else ""


def _exact_checkpoint(options: dict[str, Any]) -> dict[str, Any]:
    info = _set_checkpoint(options.get("sd_model_checkpoint"))
    return {"sd_model_checkpoint": info.title} if info is not None else {}


def _set_checkpoint(name: str | None) -> Any:
    """The checkpoint of the settings, or the first one where they name none, as a webui may on
    which nobody has chosen one yet (reForge 3b56b268, ``sd_models.select_checkpoint``)."""
    from modules import sd_models

    known = sd_models.checkpoints_list.values()
    return _checkpoint_info(name) if name else next(iter(known), None)


def _checkpoint_info(name: str | None) -> Any:
    from modules import sd_models

    if not name:
        return None
    exact = sd_models.checkpoint_aliases.get(name)
    return exact or sd_models.get_closet_checkpoint_match(name)


def facts(model: str, prompts: Iterable[str]) -> Host:
    """The host as it is now, for a job that used the checkpoint `model` and these prompts."""
    return Host(
        webui=_name(),
        version=_version(),
        python=platform.python_version(),
        torch=_package("torch"),
        gradio=_package("gradio"),
        device=_device(),
        checkpoint=_checkpoint(model),
        vae=_vae(),
        loras=_loras(prompts),
        embeddings=_embeddings(prompts),
        extensions=_extensions(),
        settings=settings.fixed(_Options()),
    )


def _checkpoint(title: str) -> Model | None:
    info = _checkpoint_info(title)
    if info is None:
        return None
    return Model(info.title, info.model_name, info.shorthash or info.hash, info.sha256)


def _vae() -> Model | None:
    name = shared.opts.data.get("sd_vae")
    return Model(str(name), str(name)) if name not in (None, "", "None", "Automatic") else None


def _loras(prompts: Iterable[str]) -> list[Model]:
    # The built-in Lora extension's module is called `networks` (A1111, extensions-builtin/Lora).
    known = getattr(sys.modules.get("networks"), "available_networks", {})
    names = dict.fromkeys(name for prompt in prompts for name in _LORA.findall(prompt))
    return [
        Model(name, name, getattr(known.get(name), "shorthash", None) or None) for name in names
    ]


def _embeddings(prompts: Iterable[str]) -> list[Model]:
    """The textual inversions that the prompts name, each a word of its own."""
    words = {word for prompt in prompts for word in _WORDS.split(prompt)}
    return [
        Model(name, name, getattr(embedding, "shorthash", None) or None)
        for name, embedding in _known_embeddings().items()
        if name in words
    ]


def _known_embeddings() -> Mapping[str, Any]:
    # A1111 and reForge have one for generation, Forge one for its page (dfdcbab6).
    hijack = getattr(sys.modules.get("modules.sd_hijack"), "model_hijack", None)
    page = sys.modules.get("modules.ui_extra_networks_textual_inversion")
    databases = (getattr(owner, "embedding_db", None) for owner in (hijack, page))
    known = (getattr(database, "word_embeddings", None) for database in databases)
    return next((names for names in known if names), {})


@functools.lru_cache
def _name() -> str:
    if importlib.util.find_spec("modules_forge") is None:
        return "AUTOMATIC1111"
    return "Forge" if importlib.util.find_spec("backend") is not None else "reForge"


@functools.lru_cache
def _version() -> str:
    from modules import launch_utils

    return str(launch_utils.git_tag())


@functools.lru_cache
def _package(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _device() -> str:
    return str(getattr(shared, "device", None) or "")


def _extensions() -> list[Extension]:
    found = [e for e in extensions.extensions if e.enabled and not e.is_builtin]
    return [Extension(e.name, str(e.version or "")) for e in found]


# ---- what would be sent

_dry = threading.local()


def preview(tab: str, request: Any, args: Sequence[Any]) -> list[Draft]:
    """What pressing Generate would send, without a picture made: one draft for each run.

    Calls what the button calls, but neither in the queue nor, on Forge, on its main thread. The
    first thing that would need the model is `ScriptRunner.run` (A1111 v1.6.0 on); there the
    object is described, and an empty result given back.

    Args:
        tab: ``txt2img`` or ``img2img``.
        request: gradio's, which knows the user.
        args: the values of the button's inputs.

    Raises:
        Exception: what the button would raise, such as that no picture was chosen.
    """
    module = importlib.import_module(f"modules.{tab}")
    function = getattr(module, f"{tab}_function", None) or getattr(module, tab)
    given = list(args)
    names = list(inspect.signature(function).parameters)
    given.insert(names.index("request"), request)
    if "mode" in names:  # which mode of img2img is shown; a text where it came through a text box
        given[names.index("mode")] = int(given[names.index("mode")])
    state = shared.state
    kept = {name: getattr(state, name) for name in ("job", "job_count", "skipped")}
    drafts: list[Draft] = []
    _dry.drafts = drafts
    try:
        function(*given)
    finally:
        _dry.drafts = None
        for name, value in kept.items():  # the batch tab sets them before its first run
            setattr(state, name, value)
    if not drafts:
        raise RuntimeError("the webui found nothing to generate")
    return drafts


# ---- the inputs of the page's Generate buttons


def input_names(target: str) -> list[str]:
    """What the function behind a Generate button calls its arguments, in the order of the inputs.

    Args:
        target: ``txt2img``, ``img2img`` or ``extras``.
    """
    if target == "extras":
        function: Any = postprocessing.run_postprocessing
    else:
        module = importlib.import_module(f"modules.{target}")
        known = (f"{target}_create_processing", f"{target}_function", target)  # v1.7 on; Forge
        function = next(getattr(module, name) for name in known if hasattr(module, name))
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    given = (p.name for p in inspect.signature(function).parameters.values() if p.kind is plain)
    return [name for name in given if name not in ("id_task", "request")]


def custom_inputs(target: str) -> int:
    """How many of the last inputs of a Generate button are those of scripts."""
    if target != "extras":
        return len(getattr(scripts, f"scripts_{target}").inputs)
    return max((script.end for script in page_scripts(target)), default=0)


def page_scripts(target: str) -> list[PageScript]:
    """The scripts that have inputs, with the places of these."""
    if target == "extras":
        return [
            PageScript(str(s.name), "operation", s.args_from, s.args_to, list(s.controls))
            for s in scripts.scripts_postproc.scripts_in_preferred_order()
        ]
    runner = getattr(scripts, f"scripts_{target}")
    return [
        _page_script(script, script in runner.alwayson_scripts)
        for script in runner.scripts
        if script.args_from is not None and script.args_to > script.args_from
    ]


def _page_script(script: Any, alwayson: bool) -> PageScript:
    here = script.args_from, script.args_to
    if (builtin := getattr(scripts, "ScriptBuiltinUI", None)) and isinstance(script, builtin):
        names = list(inspect.signature(script.setup).parameters)[1:]  # without the job itself
        return PageScript(_title(script), "builtin", *here, names)
    return PageScript(_title(script), "always" if alwayson else "selected", *here)


def override_texts(options: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """How "Override settings" says these options as far as they are not set already, and the names
    of those that it cannot say.

    Its texts are "Label: value", read by the webui's own function: what that makes of them is
    looked at, since it knows no nested values and casts the others.
    """
    texts, left = [], []
    for name, value in options.items():
        if _is_set(name, value):
            continue
        said = (f"{label}: {value}" for label in _override_labels(name))
        text = next((text for text in said if _overridden([text]).get(name) == value), None)
        if text is None:
            left.append(name)
        else:
            texts.append(text)
    return texts, left


def _is_set(name: str, value: Any) -> bool:
    current = _Options().get(name)
    if name == "sd_model_checkpoint":
        return _set_checkpoint(current) is _checkpoint_info(value)
    return bool(current == value)


def _override_labels(name: str) -> Iterator[str]:
    known = shared.opts.data_labels.get(name)
    if label := getattr(known, "infotext", None):
        yield str(label)
    for label, setting in _infotexts().infotext_to_setting_name_mapping:
        if setting == name:
            yield str(label)


def _overridden(texts: list[str]) -> dict[str, Any]:
    return dict(_infotexts().create_override_settings_dict(texts))


def _infotexts() -> Any:
    here = "infotext_utils"
    found = importlib.util.find_spec(f"modules.{here}")
    return importlib.import_module(
        f"modules.{here if found else 'generation_parameters_copypaste'}"
    )


def option_label(name: str) -> str:
    """A setting's name on the settings page, with the one that programs use."""
    known = shared.opts.data_labels.get(name)
    return f"{known.label} ({name})" if known is not None and known.label else name


def flatten(picture: Any, colour: str) -> Any:
    """A picture without transparency, on a ground, as the webui lays it on one."""
    from modules import images

    return images.flatten(picture, colour)


# ---- making pictures


def api() -> Any:
    """The webui's own `Api` object, or None where it was started without ``--api``."""
    return _api[0] if _api else None


_api: list[Any] = []


def find_api(app: Any) -> None:
    """Look for the `Api` object behind the app's standard routes (A1111, ``Api.__init__``)."""
    _api.clear()
    for route in app.routes:
        if getattr(route, "path", "") == TXT2IMG:
            owner = getattr(route.endpoint, "__self__", None)
            _api.extend([owner] if hasattr(owner, "text2imgapi") else [])


def generate(endpoint: str, given: Mapping[str, Any], first: Any = None) -> dict[str, Any]:
    """Call the function behind a standard endpoint, which takes its place in the queue.

    Args:
        endpoint: txt2img or img2img.
        given: the payload.
        first: the picture that hires. fix begins with, for the ✨ button (v1.8 on).

    Raises:
        RunError: no ``--api``, a field that the webui refuses, or a generation that failed.
    """
    from fastapi import HTTPException

    model = _request_model(endpoint)
    call = getattr(_needed_api(), "text2imgapi" if endpoint == TXT2IMG else "img2imgapi")
    try:
        request = model(**given)
    except ValueError as error:  # pydantic's own is one, in both generations
        raise RunError(422, "invalid_request", *_first_complaint(error)) from error
    if first is not None and not hasattr(_Txt2Img, "firstpass_image"):
        raise RunError(409, "not_supported", "this webui has no ✨ button (it came with v1.8)")
    _pending.first = first
    try:
        answer = call(request)
    except HTTPException as error:
        raise RunError(error.status_code, "refused", str(error.detail)) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise RunError(500, "generation_failed", reason) from error
    finally:
        _pending.first = None
    return {"images": answer.images, "parameters": _shown(given), "info": answer.info}


_Txt2Img = processing.StableDiffusionProcessingTxt2Img
_pending = threading.local()


def _begin_with_picture(p: Any) -> None:
    """Do to `p` what the ✨ button does beside its fields (A1111, ``txt2img_upscale``)."""
    first, _pending.first = getattr(_pending, "first", None), None
    if first is not None:
        p.firstpass_image = first
        p.txt2img_upscale = True


def _needed_api() -> Any:
    if (found := api()) is None:
        raise RunError(409, "api_off", API_OFF)
    return found


def _first_complaint(error: Any) -> tuple[str, str | None]:
    complaints = error.errors() if hasattr(error, "errors") else []
    if not complaints:
        return str(error), None
    return complaints[0]["msg"], ".".join(map(str, complaints[0]["loc"])) or None


def _shown(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in ("init_images", "mask")}


def operations() -> dict[str, list[str]]:
    """The operations of Extras with the names of their arguments."""
    runner = scripts.scripts_postproc
    runner.create_args_for_run({})  # makes their controls where the page has not
    return {str(s.name): list(s.controls or {}) for s in runner.scripts_in_preferred_order()}


def frozen() -> list[str]:
    """The settings in the sections of ``--freeze-settings-in-sections``, which nobody can change.

    Source: A1111 v1.8.0 to v1.10.1, ``modules/options.py``.
    """
    named = str(getattr(shared.cmd_opts, "freeze_settings_in_sections", None) or "")
    sections = {section.strip() for section in named.split(",")} - {""}
    labels = shared.opts.data_labels.items() if sections else ()
    return [name for name, info in labels if info.section and info.section[0] in sections]


def unlisted() -> list[str]:
    """The settings that ``/sdapi/v1/options`` does not list, and that a request can set all the
    same: on Forge those that extensions add after the answer's model was made (dfdcbab6,
    ``modules/api/models.py``).
    """
    from modules.api import models

    listed = _model_fields(models.OptionsModel)
    return [name for name in shared.opts.data_labels if name not in listed]


def known_options() -> set[str]:
    """The names of all settings."""
    return set(shared.opts.data_labels)


def extras(
    images: list[Any], given: dict[str, dict[str, Any]], options: dict[str, Any]
) -> tuple[list[str], str]:
    """Run Extras; its pictures as base64, as the API writes them, and its text as HTML."""
    from modules.api.api import encode_pil_to_base64

    _needed_api()
    single = len(images) == 1
    with call_queue.queue_lock, _set_for_a_while(options):
        args = scripts.scripts_postproc.create_args_for_run(_with_defaults(given))
        where = (0, images[0], "") if single else (1, None, images)
        try:
            shown, text, _ = postprocessing.run_postprocessing(
                *where, "", "", True, *args, save_output=False
            )
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise RunError(500, "generation_failed", reason) from error
    encoded = (encode_pil_to_base64(image) for image in shown)
    return [e.decode() if isinstance(e, bytes) else e for e in encoded], str(text)


def _with_defaults(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """All operations with all arguments: up to v1.8 some fail on those that nobody named."""
    operations()
    return {
        str(script.name): {
            **{name: control.value for name, control in (script.controls or {}).items()},
            **given.get(script.name, {}),
        }
        for script in scripts.scripts_postproc.scripts_in_preferred_order()
    }


@contextlib.contextmanager
def _set_for_a_while(options: Mapping[str, Any]) -> Iterator[None]:
    """Other settings inside the block, and afterwards those of before, the unset ones unset."""
    data, missing = shared.opts.data, object()
    before = {name: data.get(name, missing) for name in options}
    try:
        data.update(options)
        yield
    finally:
        for name, value in before.items():
            if value is missing:
                data.pop(name, None)
            else:
                data[name] = value


# ---- the process


def closing() -> bool:
    """Whether the server was told to end, which waits for open connections to end first.

    The page's on Reload UI and at the end (gradio 3.41.2, ``Server.close``: it sets the flag and
    joins the server's thread, without end where a connection stays), that of ``--nowebui`` at the
    first signal (uvicorn 0.52, ``Server.shutdown``).
    """
    server = getattr(shared.demo, "server", None)
    return _stopped.is_set() or bool(getattr(server, "should_exit", False))


def data_folder() -> Path:
    """Where the extension keeps its data: beside the webui's own, not in `extensions`."""
    return Path(paths_internal.data_path) / "payload-capture"


def api_credentials() -> dict[str, str]:
    """User → password of ``--api-auth``. A password may contain colons."""
    return _pairs((getattr(shared.cmd_opts, "api_auth", None) or "").split(","))


def gradio_credentials() -> dict[str, str]:
    """User → password of ``--gradio-auth`` and ``--gradio-auth-path``.

    One line of the file may hold several pairs (A1111, initialize_util.get_gradio_auth_creds).
    """
    given = (getattr(shared.cmd_opts, "gradio_auth", None) or "").split(",")
    if path := getattr(shared.cmd_opts, "gradio_auth_path", None):
        text = Path(path).read_text(encoding="utf-8")
        given += [pair for line in text.splitlines() for pair in line.split(",")]
    return _pairs(given)


def _pairs(given: Iterable[str]) -> dict[str, str]:
    split = (pair.strip().partition(":") for pair in given)
    return {user: password for user, colon, password in split if colon}


def site() -> Site:
    """How this webui is reached (A1111, ``initialize_util.gradio_server_name`` and ``webui.py``).

    gradio, which opens the port, also heeds GRADIO_SERVER_NAME. Each kind of tunnel brings a
    visitor under names of its own.
    """
    listens = _flag("server_name") or ("0.0.0.0" if _flag("listen") else "")
    listens = listens or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    tunnels = [names for flag, names in _TUNNELS.items() if _flag(flag)]
    own = (name.strip().lower() for name in str(option(settings.HOST_NAMES, "")).split(","))
    return Site(
        beyond=not auth.is_loopback(listens),
        tunnelled=bool(tunnels),
        names=(listens.lower(), *filter(None, own), *(name for names in tunnels for name in names)),
        origins=tuple(filter(None, _flag("cors_allow_origins").split(","))),
        origin_pattern=_flag("cors_allow_origins_regex"),
    )


_TUNNELS = {
    "share": (".gradio.live",),
    "ngrok": (".ngrok.io", ".ngrok.app", ".ngrok.dev", ".ngrok-free.app", ".ngrok-free.dev"),
}
"""Flags that let strangers in through a tunnel → the names under which they come."""


def _flag(name: str) -> str:
    """A flag of the command line as text, "" where it was not given."""
    return str(getattr(shared.cmd_opts, name, None) or "")


def private_names() -> Names:
    """What tells about this machine and its users: folders, users, the machine's name."""
    folders = (paths_internal.data_path, paths_internal.script_path, paths_internal.models_path)
    users = (*api_credentials(), *gradio_credentials())
    return Names.of_machine((*folders, tempfile.gettempdir()), users)


def option(name: str, default: Any) -> Any:
    """One of the extension's own options."""
    return shared.opts.data.get(name, default)


def add_options(section: tuple[str, str], added: Mapping[str, settings.Setting]) -> None:
    """Add options to the settings page.

    At once and not in ``on_ui_settings``, which no host calls with ``--nowebui``. What shows them
    comes from the webui's own gradio (``modules/options.py``, v1.6.0 on).
    """
    gr = webui_options.gr
    for name, setting in added.items():
        default: Any = setting.default
        several = isinstance(default, tuple)
        shown: dict[str, Any] = {"restrict_api": True} if setting.by_owner else {}
        if setting.choices:
            component = gr.CheckboxGroup if several else gr.Radio
            shown |= {"component": component, "component_args": {"choices": list(setting.choices)}}
        elif isinstance(default, str):
            shown |= {"component": gr.Textbox, "component_args": {"max_lines": 1}}
        default = list(default) if several else default
        info = shared.OptionInfo(default, setting.label, section=section, **shown)
        shared.opts.add_option(name, info.info(setting.explanation))


def leave_translations() -> None:
    """Leave a language to another's file where the host takes one file of a name, the last.

    So does A1111 v1.6.0 (``modules/localization.py``); the others merge them. Our files translate
    what this extension shows, another's the whole page.
    """
    ours = Path(__file__).resolve().parents[2]
    own = Path(shared.cmd_opts.localizations_dir).glob("*.json")
    brought = (Path(item.path) for item in scripts.list_scripts("localizations", ".json"))
    for path in (*own, *brought):
        taken = localization.localizations.get(path.stem)
        others = ours not in path.resolve().parents
        if others and isinstance(taken, str) and ours in Path(taken).resolve().parents:
            localization.localizations[path.stem] = str(path)


def _registering(register: Callable[[Any], None]) -> Callable[[Any], None]:
    """One of the webui's functions that take a callback, called where the stack is short.

    It looks up who calls with `inspect.stack` (A1111 v1.6.0 to v1.10.1, Forge, reForge:
    modules/script_callbacks.py), which seeks the module of each frame beneath.
    """

    def registered(callback: Callable[..., Any]) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: register(callback)).result()

    return registered


on_script_unloaded = _registering(script_callbacks.on_script_unloaded)
on_app_started = _registering(script_callbacks.on_app_started)
on_ui_tabs = _registering(script_callbacks.on_ui_tabs)
on_after_component = _registering(script_callbacks.on_after_component)


def accordion_script(draw: Callable[[str], Any]) -> type:
    """A Script class that draws an accordion below each tab's scripts and takes no arguments.

    The webui registers every Script class in a script file's namespace, so this is the only one
    that the entry file binds.

    Args:
        draw: called with the tab's name; what it returns is told each component that the tab
            gets later, by its method `created`.
    """

    class PayloadCapture(scripts.Script):  # type: ignore[misc]
        drawn: Any = None

        def title(self) -> str:
            return "API payload"

        def show(self, is_img2img: bool) -> object:
            return scripts.AlwaysVisible

        def ui(self, is_img2img: bool) -> list[Any]:
            self.drawn = draw("img2img" if is_img2img else "txt2img")
            return []

        def after_component(self, component: Any, **_: Any) -> None:
            if self.drawn is not None:
                self.drawn.created(component)

    return PayloadCapture
