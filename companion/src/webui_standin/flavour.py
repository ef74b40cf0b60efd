"""Which webui is imitated: the stack by the gradio that is installed, the flavour among those that
run on this stack by the environment variable `WEBUI_STANDIN_FLAVOUR`, the first by default.

The stacks, from the requirements_versions.txt of A1111 v1.10.1, Forge dfdcbab6 and reForge
3b56b268: a1111 is gradio 3.41.2, fastapi 0.94.0, pydantic 1.10, and reForge's as well; forge is
gradio 4.40.0, fastapi 0.104.1, pydantic 2.8.2.
"""

import os
from importlib.metadata import version

STACKS = {"a1111": ("a1111", "reforge"), "forge": ("forge",)}
"""The flavours that run on each stack, the default one first."""
FLAVOURS = tuple(flavour for flavours in STACKS.values() for flavour in flavours)
VARIABLE = "WEBUI_STANDIN_FLAVOUR"
# What git describes; Forge and reForge put modules_forge/forge_version.py in front.
VERSIONS = {
    "a1111": "v1.10.1",
    "reforge": "f1.0.0v2-v1.10.1RC-latest-2510-g3b56b268",
    "forge": "f2.0.1v1.10.1-previous-669-gdfdcbab6",
}
COMMITS = {
    "a1111": "82a973c04367123ae98bd9abdf80d9eda9b910e2",
    "reforge": "3b56b268ad9158ee8b30900973b6ccda4ec22241",
    "forge": "dfdcbab685e57677014f05a3309b48cc87383167",
}


class UnknownFlavour(ValueError):
    """No such flavour, or none that runs on the installed gradio; the message lists those."""


def stack_of(flavour: str) -> str:
    """The stack that a flavour runs on. Raises UnknownFlavour."""
    for stack, flavours in STACKS.items():
        if flavour in flavours:
            return stack
    raise UnknownFlavour(f"unknown flavour {flavour!r}: choose one of {', '.join(FLAVOURS)}")


def current_stack() -> str:
    """`a1111` or `forge`, by the installed gradio; raise PackageNotFoundError without gradio."""
    return "forge" if int(version("gradio").split(".")[0]) >= 4 else "a1111"


def flavours_here() -> tuple[str, ...]:
    """The flavours that the installed gradio runs; raise PackageNotFoundError without gradio."""
    return STACKS[current_stack()]


def current_flavour() -> str:
    """The flavour of this process. Raises UnknownFlavour for one of another stack."""
    here = flavours_here()
    chosen = os.environ.get(VARIABLE) or here[0]
    if stack_of(chosen) != current_stack():
        raise UnknownFlavour(
            f"{VARIABLE}={chosen}: the installed gradio {version('gradio')} runs {', '.join(here)}"
        )
    return chosen


def is_forge() -> bool:
    """Tell whether Forge is imitated."""
    return current_flavour() == "forge"


def is_reforge() -> bool:
    """Tell whether reForge is imitated."""
    return current_flavour() == "reforge"


def has_forge_traits() -> bool:
    """What reForge took over from Forge: the page's jobs on the main thread, `hr_cfg`, extra
    pictures beside the others, extension roots that stay in sys.path."""
    return current_flavour() in ("forge", "reforge")


def webui_version() -> str:
    """The version that infotexts and the page name."""
    return VERSIONS[current_flavour()]


def webui_commit() -> str:
    """The commit that is imitated, 40 hexadecimal digits."""
    return COMMITS[current_flavour()]
