"""Run a script file by its path, outside sys.modules. Contract: A1111 v1.10.1,
modules/script_loading.py."""

import importlib.util
import os

from modules import errors

loaded_scripts = {}


def load_module(path):
    """Execute the file and return its module object; whatever the file raises goes through."""
    spec = importlib.util.spec_from_file_location(os.path.basename(path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded_scripts[path] = module
    return module


def preload_extensions(extensions_dir, parser, extension_list=None):
    """Let each extension's `preload.py` add its flags to the parser."""
    if not os.path.isdir(extensions_dir):
        return
    for name in sorted(
        extension_list if extension_list is not None else os.listdir(extensions_dir)
    ):
        path = os.path.join(extensions_dir, name, "preload.py")
        if os.path.isfile(path):
            _preload(path, parser)


def _preload(path, parser):
    try:
        module = load_module(path)
        if hasattr(module, "preload"):
            module.preload(parser)
    except Exception:
        errors.report(f"Error running preload() for {path}", exc_info=True)
