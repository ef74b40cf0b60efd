"""What a server fills in where a payload is silent, as its own lists tell it.

The fields' defaults stand in the webui's ``/openapi.json``, those of script arguments with their
labels in ``/sdapi/v1/script-info``, settings in ``/sdapi/v1/options``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .capture import UPSCALE
from .errors import ReplayError
from .job import fields
from .portable import Defaults

if TYPE_CHECKING:
    from .client import WebUI
    from .records import Script

T = TypeVar("T")


def of_server(webui: WebUI) -> Callable[[str], Defaults]:
    """A function from an endpoint to its defaults; each list is asked for once.

    What a server does not tell counts as unknown, and then the payload goes on saying it.
    """
    options = webui.options()
    schema: Any = _told(lambda: webui.schema, {})
    scripts: list[Script] = _told(webui.script_info, [])

    @functools.cache
    def defaults(endpoint: str) -> Defaults:
        tab = endpoint.rpartition("/")[2]
        if endpoint == UPSCALE:
            endpoint, tab = "/sdapi/v1/txt2img", "txt2img"
        mine = [one for one in scripts if one.is_alwayson and _in_place(one)]
        mine = [one for one in mine if bool(one.is_img2img) is (tab == "img2img")]
        args = {one.name: [a.value for a in one.args] for one in mine}
        labels = {one.name: [a.label or "" for a in one.args] for one in mine}
        return Defaults(_fields(schema, endpoint), args, labels, options)

    return defaults


def _in_place(script: Script) -> bool:
    """Whether each argument could be read: behind one that is none the others would move up."""
    given = script.get("args")
    return isinstance(given, list) and len(given) == len(script.args)


def _told(ask: Callable[[], T], otherwise: T) -> T:
    try:
        return ask()
    except ReplayError:
        return otherwise


def _fields(schema: Any, endpoint: str) -> dict[str, Any]:
    told = fields(schema, endpoint).items()
    return {
        name: said["default"] for name, said in told if isinstance(said, dict) and "default" in said
    }
