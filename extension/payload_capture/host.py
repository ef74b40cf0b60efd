"""The webui that this runs in. The only module that imports the webui's `modules`.

Differences between hosts are told by what a host offers, never by its name. Every fact about a
host names its source; "A1111" is AUTOMATIC1111 v1.10.1 unless another version is named.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import platform
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from modules import extensions, paths_internal, processing, script_callbacks, scripts, shared

from payload_capture import payload, settings
from payload_capture.capture import TXT2IMG, Extension, Host, Model, Source
from payload_capture.payload import Draft, ScriptCall

_MARK = "_payload_capture_original"
_LORA = re.compile(r"<(?:lora|lyco):([^:>]+)")


class Listener(Protocol):
    """Who follows generations: `jobs.Recorder`."""

    def run_started(self, p: Any) -> None: ...
    def run_ended(self, p: Any, processed: Any, error: BaseException | None) -> None: ...
    def processing_started(self, p: Any) -> None: ...
    def seeds_known(self, p: Any) -> None: ...
    def processing_ended(self, p: Any, processed: Any) -> None: ...
    def closed(self, p: Any, error: BaseException | None) -> None: ...
    def failed(self, p: Any, where: str, error: BaseException) -> None: ...


def watch(listener: Listener) -> Callable[[], None]:
    """Let `listener` follow every generation from now on. Returns what undoes it.

    Script callbacks alone cannot tell a job: for a script's inner pictures they see copies of the
    processing object, for a failed job no end, and their order among extensions is not ours. So
    five methods of the webui are wrapped: `ScriptRunner.run`, which sees the complete outer object
    of a page's job first; `before_process`, the first to see an API job without a script;
    `process`, where seeds are known; `postprocess`; and `StableDiffusionProcessing.close`, which
    page and API both call at a job's end, failed or not (A1111 v1.6.0 on, ``modules/txt2img.py``,
    ``modules/api/api.py``).
    """
    tell = functools.partial(_tell, listener)
    runner, processed = scripts.ScriptRunner, processing.StableDiffusionProcessing

    def run(original: Any, self: Any, p: Any, *args: Any) -> Any:
        tell("run_started", p)
        try:
            result = original(self, p, *args)
        except BaseException as error:
            tell("run_ended", p, None, error)
            raise
        tell("run_ended", p, result, None)
        return result

    def before_process(original: Any, self: Any, p: Any) -> Any:
        tell("processing_started", p)
        return original(self, p)

    def process(original: Any, self: Any, p: Any) -> Any:
        result = original(self, p)
        tell("seeds_known", p)
        if repeatable():
            seed_encoding(p)
        return result

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

    wrapped = [(runner, f) for f in (run, before_process, process, postprocess)]
    for owner, wrapper in [*wrapped, (processed, close)]:
        _wrap(owner, wrapper)

    def undo() -> None:
        for owner, wrapper in [*wrapped, (processed, close)]:
            _unwrap(owner, wrapper.__name__)

    return undo


def _tell(listener: Listener, event: str, p: Any, *more: Any) -> None:
    """Call the listener; what it raises becomes its own `failed`, never the webui's exception."""
    try:
        getattr(listener, event)(p, *more)
    except Exception as error:
        try:
            listener.failed(p, event, error)
        except Exception as second:
            print(f"[payload-capture] {event}: {error!r}, then {second!r}", file=sys.stderr)


def _wrap(owner: type, wrapper: Callable[..., Any]) -> None:
    name = wrapper.__name__
    _unwrap(owner, name)
    original = getattr(owner, name)

    @functools.wraps(original)
    def method(self: Any, *args: Any) -> Any:
        return wrapper(original, self, *args)

    setattr(method, _MARK, original)
    setattr(owner, name, method)


def _unwrap(owner: type, name: str) -> None:
    original = getattr(getattr(owner, name), _MARK, None)
    if original is not None:
        setattr(owner, name, original)


# ---- reading a job


def job_token() -> object:
    """What changes from job to job: the webui notes when it began each (A1111, State.begin)."""
    return shared.state.time_start


def source(p: Any) -> Source:
    """Where the job comes from: the page names its jobs ``task(...)`` (A1111, call_queue.py)."""
    if getattr(p, "is_api", False):
        return "api"
    return "ui" if str(shared.state.job or "").startswith("task(") else "script"


def task() -> str | None:
    """The job's task id, as `/internal/progress` knows it."""
    from modules import progress

    current: str | None = progress.current_task
    return current


def interrupted() -> bool:
    """Whether somebody broke the running job off, or made it stop after the current picture."""
    state = shared.state
    return bool(state.interrupted or getattr(state, "stopping_generation", False))


def writes_infotext() -> bool:
    """Whether returned pictures carry their infotext."""
    return bool(shared.opts.enable_pnginfo)


def repeatable() -> bool:
    """Whether the user wants img2img to be repeatable bit for bit."""
    return bool(option(settings.REPEATABLE, False))


def seed_encoding(p: Any) -> None:
    """Make the encoding of init images depend on the job's seed instead of on the job before it.

    The VAE's encoding of an init image is a sample that is drawn from torch's global generator,
    which nothing seeds before (A1111, ``images_tensor_to_samples``; it follows `process` in
    ``process_images_inner``).
    """
    torch: Any = sys.modules.get("torch")
    if torch is not None and hasattr(p, "init_images"):
        torch.manual_seed(payload.whole(p.all_seeds) & (2**63 - 1))


def describe(p: Any) -> Draft:
    """The job as a request, from the outer object at its start."""
    calls = list(script_calls(p))
    scripted = any(not call.alwayson for call in calls)
    options = settings.decisive(_Options(), payload.applies(p, scripted))
    options |= _exact_checkpoint(options)
    return payload.draft(p, accepted_fields(payload.endpoint(p)), options, calls)


class _Options(dict[str, Any]):
    """The webui's options by name, read one by one: reading all of them takes milliseconds."""

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
            yield ScriptCall(_title(script), True, args[script.args_from : script.args_to])
    if isinstance(args[0], int) and args[0] > 0:
        script = runner.selectable_scripts[args[0] - 1]
        yield ScriptCall(_title(script), False, args[script.args_from : script.args_to])


def _title(script: Any) -> str:
    # The API finds scripts by title in lower case (A1111, Api.get_script).
    return str(script.title()).lower()


@functools.lru_cache
def accepted_fields(endpoint: str) -> tuple[str, ...]:
    """The names of the fields that this host's API accepts at `endpoint`."""
    from modules.api import models

    kind = "Txt2Img" if endpoint == TXT2IMG else "Img2Img"
    model = getattr(models, f"StableDiffusion{kind}ProcessingAPI")
    return tuple(getattr(model, "model_fields", None) or model.__fields__)


# ---- weights


def checkpoint(p: Any) -> str:
    """The title of the checkpoint that the job starts with."""
    chosen = (getattr(p, "override_settings", None) or {}).get("sd_model_checkpoint")
    info = _checkpoint_info(chosen) or _checkpoint_info(shared.opts.sd_model_checkpoint)
    return str(info.title) if info is not None else ""


def _exact_checkpoint(options: dict[str, Any]) -> dict[str, Any]:
    info = _checkpoint_info(options.get("sd_model_checkpoint"))
    return {"sd_model_checkpoint": info.title} if info is not None else {}


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
        extensions=_extensions(),
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


# ---- the process


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


def option(name: str, default: Any) -> Any:
    """One of the extension's own options."""
    return shared.opts.data.get(name, default)


def add_options(section: tuple[str, str], options: dict[str, tuple[Any, str, str]]) -> None:
    """Show options on the settings page: name → (default, label, explanation)."""

    def show() -> None:
        for name, (default, label, explanation) in options.items():
            info = shared.OptionInfo(default, label, section=section).info(explanation)
            shared.opts.add_option(name, info)

    script_callbacks.on_ui_settings(show)


on_app_started = script_callbacks.on_app_started
on_ui_tabs = script_callbacks.on_ui_tabs
on_after_component = script_callbacks.on_after_component
on_script_unloaded = script_callbacks.on_script_unloaded


def accordion_script(render: Callable[[str], None]) -> type:
    """A Script class that draws `render(tab)` below each tab's scripts and takes no arguments.

    The webui registers every Script class in a script file's namespace, so this is the only one
    that the entry file binds.
    """

    class PayloadCapture(scripts.Script):  # type: ignore[misc]
        def title(self) -> str:
            return "API payload"

        def show(self, is_img2img: bool) -> object:
            return scripts.AlwaysVisible

        def ui(self, is_img2img: bool) -> list[Any]:
            render("img2img" if is_img2img else "txt2img")
            return []

    return PayloadCapture
