"""The webui's install hook: the extension's two dependencies, where the webui lacks them."""

from __future__ import annotations

import os
import sys

NEEDED = {"sqlalchemy": (2, 3), "alembic": (1, 2)}
"""Package -> its first usable major version, and the first that is not."""


def installed_major(name: str) -> int:
    """The major version by the folder that pip leaves beside a package; 0 where there is none.

    importlib.metadata knows it too, but a webui's start waits for this file, and importing that
    takes longer than all of it.
    """
    for folder in filter(os.path.isdir, sys.path):
        for entry in os.listdir(folder):
            package, _, rest = entry.lower().partition("-")
            if package == name and rest.endswith((".dist-info", ".egg-info")):
                return int(rest.partition(".")[0])
    return 0


needed = [
    f"{name}>={least},<{below}"
    for name, (least, below) in NEEDED.items()
    if not least <= installed_major(name) < below
]
if needed:
    import launch  # only now: it reads the webui's whole command line

    quoted = " ".join(f'"{requirement}"' for requirement in needed)
    launch.run_pip(f"install {quoted}", f"{', '.join(needed)} for payload capture")
