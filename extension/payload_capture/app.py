"""The composition root: builds the parts, wires them to the webui, shuts them down.

The webui runs script files again on "Reload UI", with its callbacks cleared and a new app, but
does not load packages anew; so one `Service` lives as long as the process and `start` wires it
again each time.
"""

from __future__ import annotations

import atexit
import sys
from typing import TYPE_CHECKING, Any

from payload_capture import host, middleware, routes, settings, shutdown
from payload_capture.auth import Gate
from payload_capture.capture import IMG2IMG, TXT2IMG
from payload_capture.interface import registry
from payload_capture.service import Service

if TYPE_CHECKING:
    from fastapi import FastAPI

_service: Service | None = None


def start() -> type:
    """Wire everything to the webui; called whenever it runs script files.

    Returns:
        the Script class that the entry file must hold for the webui to register it.
    """
    global _service
    if _service is None:
        _service = Service(host.data_folder())
        atexit.register(_service.close)
        shutdown.before_signals(_service.save)
    else:
        _service.reopen()
    service = _service
    host.watch(service.recorder)
    host.before_stop(service.save)
    host.leave_translations()
    registry.service = service
    host.add_options(("payload_capture", "Payload capture"), settings.OWN)
    host.on_script_unloaded(registry.forget)
    host.on_app_started(lambda page, app: _serve(page, app, service))
    return _pages(service)


def _pages(service: Service) -> type:
    from payload_capture import tab  # gradio is loaded by now, except with --nowebui

    tab.wire(service)
    return host.accordion_script(lambda name: tab.Accordion(service, name))


def _serve(page: Any, app: FastAPI, service: Service) -> None:
    sessions = getattr(app, "tokens", {})  # gradio's own dict, empty until somebody logs in
    users = host.api_credentials(), host.gradio_credentials()
    site = host.site()
    gate = Gate(*users, sessions, site, service.policy, page=page is not None)
    service.gate = gate
    if warning := gate.warning():
        print(f"[payload-capture] {warning}", file=sys.stderr)
    host.find_api(app)
    service.app = app
    routes.mount(app, service, gate)
    middleware.complete(app, site)
    for endpoint in (TXT2IMG, IMG2IMG):
        host.accepted_fields(endpoint)  # read now, not during the first generation
