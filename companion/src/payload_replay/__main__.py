"""``python -m payload_replay`` and ``payload-replay``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .exits import ExitStatus

_NEEDED = ("typer", "rich", "click")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code."""
    try:
        from . import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        print(
            f"The command line needs {error.name}. In a checkout of this project, install "
            "it with:  pip install './companion[cli]'",
            file=sys.stderr,
        )
        return ExitStatus.REFUSED
    return cli.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
