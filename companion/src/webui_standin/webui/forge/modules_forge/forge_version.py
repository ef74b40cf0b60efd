"""The version of Forge or reForge that is imitated."""

from webui_standin.flavour import is_reforge

version = "1.0.0v2-v1.10.1RC" if is_reforge() else "2.0.1v1.10.1"
