"""All kinds of generation, in the order of the table that they make."""

import kinds_txt2img  # noqa: F401, I001
import kinds_img2img  # noqa: F401
import kinds_scripts  # noqa: F401
import kinds_extras  # noqa: F401
import kinds_settings  # noqa: F401
import kinds_forge  # noqa: F401
import kinds_extensions  # noqa: F401
import kinds_api  # noqa: F401
import kinds_stops  # noqa: F401
import kinds_unseeded  # noqa: F401
from kinds import KINDS, Kind

__all__ = ["KINDS", "Kind"]
