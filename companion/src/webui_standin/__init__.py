"""A stable-diffusion-webui without GPU or torch: same page, same API, same contract for extensions.

It is a stand-in, not a diffusion model. Its pictures are landscapes drawn from every input
that would decide the pixels of the real program.

    with webui_standin.Process(extensions=["path/to/extension"], flags=["--api"]) as host:
        requests.post(host.url + "/sdapi/v1/txt2img", json={"prompt": "hills"})
        assert host.errors() == []
"""

import os

from webui_standin.flavour import FLAVOURS, VARIABLE, UnknownFlavour, current_flavour, flavours_here
from webui_standin.process import Process, StartupError

__all__ = [
    "FLAVOURS",
    "Process",
    "StartupError",
    "UnknownFlavour",
    "current_flavour",
    "flavours_here",
    "main",
]


def main(argv: list[str] | None = None, flavour: str | None = None) -> int:
    """Run the stand-in in this process until it is stopped; `argv` are webui flags."""
    if flavour is not None:
        os.environ[VARIABLE] = flavour
    from webui_standin.lifecycle import run

    return run(argv)
