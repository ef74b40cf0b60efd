"""Translations of the page. Names and order of merging: A1111 v1.10.1, modules/localization.py."""

import json
import os

from modules import errors, scripts

localizations = {}
"""A name, such as "ja_JP" → the files that are merged for it, later ones over earlier ones."""


def list_localizations(dirname):
    """Find the user's own files in a folder, then those that extensions bring."""
    localizations.clear()
    own = os.listdir(dirname) if os.path.isdir(dirname) else []
    found = [(name, os.path.join(dirname, name)) for name in own]
    found += [(item.filename, item.path) for item in scripts.list_scripts("localizations", ".json")]
    for filename, path in found:
        name, ending = os.path.splitext(filename)
        if ending.lower() == ".json":
            localizations.setdefault(name, []).append(path)


def localization_js(current_localization_name):
    """The page's global `localization`."""
    merged = {}
    for path in localizations.get(current_localization_name, []):
        try:
            with open(path, encoding="utf-8") as file:
                merged.update(json.load(file))
        except Exception:
            errors.report(f"Error loading localization from {path}", exc_info=True)
    return f"window.localization = {json.dumps(merged)}"
