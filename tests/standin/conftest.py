"""One host for the whole folder, with a small extension that notes every call it gets."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from webui_standin import Process
from webui_standin.flavour import VARIABLE, current_flavour

# With pytest's import mode the folder isn't on the path by itself.
sys.path.insert(0, str(Path(__file__).parent))

from standin_client import Client

PROBE = '''
    """Notes which hooks are called, on what, and in which thread."""

    import inspect
    import threading

    import fastapi
    import gradio as gr
    from modules import postprocessing, script_callbacks, scripts, shared
    from modules.api import pictures

    import probe_state

    HOOKS = """
        setup before_process process before_process_batch after_extra_networks_activate
        process_before_every_sampling process_batch postprocess_batch postprocess_batch_list
        post_sample on_mask_blend postprocess_image postprocess_maskoverlay
        postprocess_image_after_composite postprocess before_hr
    """.split()
    CALLS = []
    LOADS = probe_state.count()


    def note(name, p, args=()):
        seeds = getattr(p, "all_seeds", None)
        CALLS.append({
            "hook": name, "p": id(p), "seed": p.seed, "sampler": p.sampler_name, "steps": p.steps,
            "seeds": list(seeds) if seeds else None, "prompt": p.prompt, "s_tmax": str(p.s_tmax),
            "overrides": dict(p.override_settings),
            "args": [str(item) for item in args[-2:]], "job": shared.state.job,
            "main_thread": threading.current_thread() is threading.main_thread(),
            "masks": [type(getattr(p, name, None)).__name__ for name in ("image_mask", "mask")],
        })


    def hook(name):
        def call(self, p, *args, **kwargs):
            note(name, p, args)
            if args and args[-1] == f"fail in {name}":
                raise ValueError(f"asked to fail in {name}")
        return call


    class ProbeScript(scripts.Script):
        def title(self):
            return "Probe"

        def show(self, is_img2img):
            return scripts.AlwaysVisible

        def ui(self, is_img2img):
            with gr.Accordion("Probe", open=False):
                flag = gr.Checkbox(label="Probe flag", value=True, elem_id=self.elem_id("flag"))
                text = gr.Textbox(label="Probe text", elem_id=self.elem_id("text"))
            self.on_after_component(lambda x: probe_state.SEEN.append(x.component.elem_id),
                                    elem_id=f"generation_info_{self.tabname}")
            return [flag, text]


    for name in HOOKS:
        setattr(ProbeScript, name, hook(name))


    class WatchedRunner:
        """`run` as the extension under development wraps it."""


    def started(demo, app):
        def calls():
            return list(CALLS)

        def clear():
            CALLS.clear()

        def facts():
            methods = [m for m in vars(scripts.Script).values() if inspect.isfunction(m)]
            return {
                "demo": demo is not None,
                "loads": LOADS,
                "basedir": BASEDIR,
                "in_sys_modules": __name__ in __import__("sys").modules,
                "root_on_path": BASEDIR in __import__("sys").path,
                "seen": probe_state.SEEN,
                "methods": [m.__name__ for m in methods if not m.__name__.startswith("_")],
                "saved": probe_state.SAVED,
                "events": probe_state.EVENTS,
            }

        def extras(body: dict = fastapi.Body()):
            """Any operations of Extras, in-process: the API knows three of them."""
            picture = pictures.decode_base64_to_image(body["image"])
            args = scripts.scripts_postproc.create_args_for_run(body["operations"])
            save = {"save_output": body.get("save", False)}
            shown, text, _ = postprocessing.run_postprocessing(
                body.get("mode", 0), picture, [picture], body.get("input", ""),
                body.get("output", ""), True, *args, **save)
            return {"images": [pictures.encode_pil_to_base64(item) for item in shown], "text": text}

        app.add_api_route("/probe/extras", extras, methods=["POST"])
        app.add_api_route("/probe/calls", calls, methods=["GET"])
        app.add_api_route("/probe/calls", clear, methods=["DELETE"])
        app.add_api_route("/probe/facts", facts, methods=["GET"])
        app.add_api_route("/probe/fail", lambda: 1 / 0, methods=["GET"])


    def tabs():
        with gr.Blocks(analytics_enabled=False) as blocks:
            gr.Textbox("a tab of an extension", label="Probe tab", elem_id="probe_tab_text")
        return [(blocks, "Probe", "probe")]


    def settings():
        info = shared.OptionInfo("hello", "Probe option", section=("probe", "Probe"))
        shared.opts.add_option("probe_option", info)


    BASEDIR = scripts.basedir()
    script_callbacks.on_app_started(started)
    script_callbacks.on_ui_tabs(tabs)
    script_callbacks.on_ui_settings(settings)
    script_callbacks.on_before_ui(lambda: probe_state.EVENTS.append("before_ui"))
    script_callbacks.on_before_reload(lambda: probe_state.EVENTS.append("before_reload"))
    script_callbacks.on_script_unloaded(lambda: probe_state.EVENTS.append("unloaded"))
    script_callbacks.on_model_loaded(lambda model: probe_state.EVENTS.append("model"))
    script_callbacks.on_image_saved(lambda params: probe_state.SAVED.append(params.filename))
'''
STATE = '''
    """A package of the extension: imported once, and kept when the scripts are run again."""

    EVENTS, SAVED, SEEN, _loads = [], [], [], []


    def count():
        _loads.append(1)
        return len(_loads)
'''
SCRIPT = """
    onUiLoaded(() => { window.probeLoaded = true; });
    onOptionsAvailable(() => { window.probeOption = opts.probe_option; });
    onUiTabChange(() => { window.probeTab = get_uiCurrentTab().innerText.trim(); });
"""
STYLES = 'name,prompt,negative_prompt\nwarm,"{prompt}, warm light",cold\nplain,soft,\n'


@pytest.fixture(scope="session")
def flavour(flavour: str) -> str:
    """The environment variable may choose another flavour of the installed stack."""
    return os.environ.get(VARIABLE) or flavour


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the noting extension."""
    folder = tmp_path_factory.mktemp("extensions") / "probe"
    for name, text in {
        "scripts/probe.py": PROBE,
        "probe_state.py": STATE,
        "javascript/probe.js": SCRIPT,
        "style.css": "#probe_tab_text { outline: 1px solid rgb(1, 2, 3); }",
        "preload.py": "def preload(parser):\n"
        "    parser.add_argument('--probe-flag', default='none')",
        "install.py": "import launch\nprint('probe install', launch.is_installed('gradio'))",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def shared_host(probe: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    data = tmp_path_factory.mktemp("data")
    (data / "styles.csv").write_text(STYLES, encoding="utf-8")
    if current_flavour() == "forge":  # by default the page's pictures have marks, the API's none
        (data / "config.json").write_text('{"stealth_pnginfo_option": "None"}', encoding="utf-8")
    flags = ["--probe-flag", "given"]
    with Process(extensions=[probe], data_dir=data, flags=flags) as host:
        yield host


@pytest.fixture
def host(shared_host: Process) -> Iterator[Process]:
    """The shared host; a test in which something is swallowed fails."""
    shared_host.clear_errors()
    yield shared_host
    errors = shared_host.errors()
    shared_host.clear_errors()
    assert errors == [], "\n".join(error["traceback"] or error["message"] for error in errors)


@pytest.fixture
def client(host: Process) -> Client:
    client = Client(host)
    client.calls()
    return client


@pytest.fixture(scope="module")
def fresh() -> Iterator[Client]:
    """A host whose config.json doesn't exist yet."""
    with Process() as host:
        yield Client(host)
        assert host.errors() == []


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """An init image: a gradient, 64×64."""
    image = Image.linear_gradient("L").resize((64, 64))
    return Image.merge("RGB", (image, image.rotate(90), image.rotate(180)))


@pytest.fixture(scope="session")
def mask() -> Image.Image:
    """A mask: a white square in the middle."""
    image = Image.new("L", (64, 64), 0)
    image.paste(255, (20, 20, 44, 44))
    return image
