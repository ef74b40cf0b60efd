"""The names that extensions import from `modules.paths`."""

from modules.paths_internal import (
    cwd,
    data_path,
    extensions_builtin_dir,
    extensions_dir,
    models_path,
    script_path,
)

paths = {}


class Prioritize:
    """Put one of `paths` in front of sys.path for the length of a `with` block."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        import sys

        self.before = list(sys.path)
        if self.name in paths:
            sys.path.insert(0, paths[self.name])

    def __exit__(self, *_):
        import sys

        sys.path[:] = self.before
