"""Model configurations: the stand-in has none."""

import os


def find_checkpoint_config_near_filename(info):
    """The YAML file beside a checkpoint, or None."""
    path = os.path.splitext(info.filename)[0] + ".yaml"
    return path if info is not None and os.path.exists(path) else None
