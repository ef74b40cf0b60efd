"""The webui's own modules; Forge's and reForge's lie in a folder of the same name on sys.path."""

import pkgutil

__path__ = pkgutil.extend_path(__path__, __name__)
