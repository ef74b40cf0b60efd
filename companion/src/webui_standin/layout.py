"""Where the parts of the stand-in lie on disk."""

import sys
from pathlib import Path

from webui_standin.flavour import has_forge_traits

PACKAGE = Path(__file__).resolve().parent
# Laid out like a checkout of the webui, so that its own loading rules apply to it unchanged.
WEBUI = PACKAGE / "webui"
FORGE_ONLY = WEBUI / "forge"


def make_importable() -> None:
    """Put `modules`, `launch` and, where the flavour has it, `modules_forge` on sys.path."""
    folders = [WEBUI, FORGE_ONLY] if has_forge_traits() else [WEBUI]
    for folder in reversed(folders):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
