"""Translations: the stand-in has none."""

localizations = {}


def list_localizations(dirname):
    """Nothing to list."""


def localization_js(current_localization_name):
    """The page's global `localization`."""
    return "window.localization = {}"
