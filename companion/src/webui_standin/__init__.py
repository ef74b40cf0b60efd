"""A stable-diffusion-webui without GPU or torch: same page, same API, same contract for extensions.

It is a stand-in, not a diffusion model. Its pictures are landscapes drawn from every input
that would decide the pixels of the real program.

    with webui_standin.Process(extensions=["path/to/extension"], flags=["--api"]) as host:
        requests.post(host.url + "/sdapi/v1/txt2img", json={"prompt": "hills"})
        assert host.errors() == []
"""

from webui_standin.flavour import FLAVOURS, current_flavour
from webui_standin.process import Process, StartupError

__all__ = ["FLAVOURS", "Process", "StartupError", "current_flavour", "main"]


def main(argv: list[str] | None = None) -> int:
    """Run the stand-in in this process until it is stopped; `argv` are webui flags."""
    from webui_standin.lifecycle import run

    return run(argv)
