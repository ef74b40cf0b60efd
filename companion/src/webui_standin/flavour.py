"""Which webui is imitated: decided by the gradio that is installed, never by an option.

The stacks, from the requirements_versions.txt of A1111 v1.10.1 and of Forge dfdcbab6:
a1111 is gradio 3.41.2, fastapi 0.94.0, pydantic 1.10; forge is gradio 4.40.0,
fastapi 0.104.1, pydantic 2.8.2.
"""

from importlib.metadata import version

FLAVOURS = ("a1111", "forge")
# What git describes in A1111 v1.10.1, and modules_forge/forge_version.py in front of it in Forge.
VERSIONS = {"a1111": "v1.10.1", "forge": "f2.0.1v1.10.1-previous-669-gdfdcbab6"}
COMMITS = {
    "a1111": "82a973c04367123ae98bd9abdf80d9eda9b910e2",
    "forge": "dfdcbab685e57677014f05a3309b48cc87383167",
}


def current_flavour() -> str:
    """Return `a1111` or `forge`; raise PackageNotFoundError without gradio."""
    return "forge" if int(version("gradio").split(".")[0]) >= 4 else "a1111"


def is_forge() -> bool:
    """Tell whether the installed stack is Forge's."""
    return current_flavour() == "forge"


def webui_version() -> str:
    """The version that infotexts and the page name."""
    return VERSIONS[current_flavour()]


def webui_commit() -> str:
    """The commit that is imitated, 40 hexadecimal digits."""
    return COMMITS[current_flavour()]
