"""The webui's install hook: the extension's two dependencies, where the webui lacks them."""

from __future__ import annotations

import importlib.metadata

NEEDED = {"SQLAlchemy": (2, 3), "alembic": (1, 2)}
"""Package -> its first usable major version, and the first that is not."""


def missing() -> list[str]:
    return [
        f"{name}>={least},<{below}"
        for name, (least, below) in NEEDED.items()
        if not least <= installed_major(name) < below
    ]


def installed_major(name: str) -> int:
    try:
        return int(importlib.metadata.version(name).split(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return 0


def install(requirements: list[str]) -> None:
    import launch  # only now: it reads the webui's whole command line

    quoted = " ".join(f'"{requirement}"' for requirement in requirements)
    launch.run_pip(f"install {quoted}", f"{', '.join(requirements)} for payload capture")


needed = missing()
if needed:
    install(needed)
