"""Where the parts of the stand-in lie on disk."""

import sys
from pathlib import Path

from webui_standin.flavour import has_forge_traits, is_forge

PACKAGE = Path(__file__).resolve().parent
# Laid out like a checkout of the webui, so that its own loading rules apply to it unchanged.
WEBUI = PACKAGE / "webui"


def roots() -> list[Path]:
    """The folders of this flavour that hold `modules`, `launch`, `modules_forge`, `backend`."""
    traits = [WEBUI / "forge"] if has_forge_traits() else []
    return [WEBUI, *traits, *([WEBUI / "forge_engine"] if is_forge() else [])]


def make_importable() -> None:
    """Put what the webui's own files import on sys.path."""
    for folder in reversed(roots()):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
