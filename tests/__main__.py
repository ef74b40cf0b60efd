"""`python3 tests`: every check of the project, in both flavours."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "companion"))

import runner

if __name__ == "__main__":
    sys.exit(runner.main(sys.argv[1:]))
