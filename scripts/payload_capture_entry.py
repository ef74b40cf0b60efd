"""The webui loads this file; everything else lies in the package `payload_capture`.

The webui runs it by path, again on "Reload UI", and registers every Script class that it finds in
the namespace below. The package is loaded by path as well: Forge leaves every extension's folder
in `sys.path`, where the first package of a name would serve them all.
"""

import importlib.util
import sys
from pathlib import Path

_NAME = "payload_capture"
_INIT = Path(__file__).resolve().parents[1] / "extension" / _NAME / "__init__.py"


def _load() -> None:
    folder = [str(_INIT.parent)]
    spec = importlib.util.spec_from_file_location(_NAME, _INIT, submodule_search_locations=folder)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[_NAME])


if _NAME not in sys.modules:
    _load()
elif Path(sys.modules[_NAME].__file__ or "").resolve() != _INIT:
    raise ImportError(f"{_NAME} is installed twice: {sys.modules[_NAME].__file__} and {_INIT}")
PayloadCapture = importlib.import_module(f"{_NAME}.app").start()
