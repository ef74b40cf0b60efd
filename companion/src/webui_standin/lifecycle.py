"""Start, Reload UI and end of the webui. Order: A1111 v1.10.1, webui.py; Forge's threads:
dfdcbab6."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from typing import Any

from webui_standin import layout, swallowed
from webui_standin.flavour import has_forge_traits, is_forge

_starts = 0


def run(argv: list[str] | None = None) -> int:
    """Run until stopped; `argv` are webui flags, those of this process by default."""
    sys.argv = ["webui.py", *(sys.argv[1:] if argv is None else argv)]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("MPLBACKEND", "Agg")
    layout.make_importable()
    _end_with_parent()
    import launch

    launch.prepare_environment()
    # Before gradio is imported: a mistake on the command line shows at once.
    from modules import shared_cmd_options  # noqa: F401 - reads the command line

    os.environ.setdefault("GRADIO_TEMP_DIR", os.path.join(launch.args.data_dir, "tmp", "gradio"))
    from modules import initialize, shared

    # Before extensions are loaded, as `initialize.initialize` does in A1111.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    initialize.initialize()
    work = _api_only if shared.cmd_opts.nowebui else _webui
    return _on_threads(work)


def _on_threads(work: Any) -> int:
    """In Forge and reForge the page's jobs need the main thread, so the server leaves it."""
    if not has_forge_traits():
        work()
        return 0
    from modules_forge import main_thread  # type: ignore[import-not-found,unused-ignore]

    def serve() -> None:
        # gradio 4 creates its locks on the launching thread, and without a loop leaves them out.
        asyncio.set_event_loop(asyncio.new_event_loop())
        work()
        os._exit(0)

    threading.Thread(target=serve, daemon=True).start()
    main_thread.loop()
    return 0


def _end_with_parent() -> None:
    """End when the pipe from the process that started this one is closed."""
    if os.environ.pop("WEBUI_STANDIN_TIED", None):

        def watch() -> None:
            while os.read(0, 1024):
                pass
            os._exit(0)

        threading.Thread(target=watch, daemon=True).start()


def _own_routes(app: Any) -> None:
    from modules import shared

    swallowed.routes(app, shared.state)
    app.add_api_route("/standin/ready", lambda: {"starts": _starts}, methods=["GET"])


def _started(demo: Any, app: Any) -> None:
    """Tell the extensions, then answer as ready."""
    global _starts
    from modules import script_callbacks, timer

    script_callbacks.app_started_callback(demo, app)
    timer.startup_record = timer.startup_timer.dump()
    print(f"Startup time: {timer.startup_timer.summary()}.", flush=True)
    _starts += 1


def _add_api(app: Any) -> None:
    from modules.api.api import Api, lora_routes
    from modules.call_queue import queue_lock

    Api(app, queue_lock)
    lora_routes(app)


def _api_only() -> None:
    import uvicorn
    from fastapi import FastAPI
    from modules import script_callbacks
    from modules.shared import cmd_opts

    app = FastAPI()
    _middleware(app)
    _add_api(app)
    _own_routes(app)
    script_callbacks.before_ui_callback()
    _started(None, app)
    port, prefix = cmd_opts.port or 7861, f"/{cmd_opts.subpath}" if cmd_opts.subpath else ""
    uvicorn.run(
        app, host=_server_name() or "127.0.0.1", port=port, root_path=prefix, log_level="warning"
    )


def _webui() -> None:
    from modules import script_callbacks, shared, timer

    while True:
        script_callbacks.before_ui_callback()
        _launch()
        if _wait() == "stop":
            shared.demo.close()
            return
        print("Restarting UI...", flush=True)
        shared.demo.close()
        time.sleep(0.5)
        timer.startup_timer.reset()
        script_callbacks.app_reload_callback()
        script_callbacks.script_unloaded_callback()
        from modules import initialize

        initialize.initialize_rest(reload_script_modules=True)


def _launch() -> None:
    """Build the page, open its port, add the routes and tell the extensions."""
    from modules import progress, shared, ui, ui_gradio_extensions

    from webui_standin import gradio_compat

    options = shared.cmd_opts
    shared.demo = ui.create_ui()
    if not options.no_gradio_queue:
        gradio_compat.queue(shared.demo)
    app, url, _ = shared.demo.launch(
        share=False,
        server_name=_server_name(),
        server_port=options.port or None,
        auth=_gradio_auth() or None,
        inbrowser=options.autolaunch,
        prevent_thread_lock=True,
        quiet=True,
        allowed_paths=ui_gradio_extensions.allowed_paths(),
        app_kwargs={"docs_url": "/docs", "redoc_url": "/redoc"},
        root_path=f"/{options.subpath}" if options.subpath else "",
        **gradio_compat.pool_threads(),
    )
    # Forge adds its own too late to have an effect, and gradio's stays (dfdcbab6, webui.py).
    if not is_forge():
        gradio_compat.without_cors(app)
        _middleware(app)
    progress.setup_progress_api(app)
    ui.setup_ui_api(app)
    _own_routes(app)
    if options.api:
        _add_api(app)
    print(f"Running on {url}", flush=True)
    _started(shared.demo, app)


def _wait() -> str:
    from modules import shared

    while True:
        command = shared.state.wait_for_server_command(timeout=5)
        if command in ("stop", "restart"):
            return str(command)


def _server_name() -> str | None:
    from modules.shared import cmd_opts

    return cmd_opts.server_name or ("0.0.0.0" if cmd_opts.listen else None)


def _gradio_auth() -> list[tuple[str, str]]:
    """The page's users, from the command line and from a file."""
    from modules.shared import cmd_opts

    texts = [cmd_opts.gradio_auth or ""]
    if cmd_opts.gradio_auth_path:
        with open(cmd_opts.gradio_auth_path, encoding="utf8") as file:
            texts += file.read().splitlines()
    pairs = [
        pair.strip().split(":", 1) for text in texts for pair in text.split(",") if pair.strip()
    ]
    return [(user, password) for user, password in pairs]


def _middleware(app: Any) -> None:
    """Compression and the CORS policy of the command line instead of gradio's open one."""
    from modules.shared import cmd_opts
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    policy: dict[str, Any] = {
        "allow_methods": ["*"],
        "allow_headers": ["*"],
        "allow_credentials": True,
    }
    if cmd_opts.cors_allow_origins:
        policy["allow_origins"] = cmd_opts.cors_allow_origins.split(",")
    if cmd_opts.cors_allow_origins_regex:
        policy["allow_origin_regex"] = cmd_opts.cors_allow_origins_regex
    # Not add_middleware: it raises once a request has come in, and somebody may already be asking.
    app.user_middleware[:0] = [
        Middleware(CORSMiddleware, **policy),
        Middleware(GZipMiddleware, minimum_size=1000),
    ]
    app.middleware_stack = None
