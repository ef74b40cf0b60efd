"""What the extension loads of the companion's sources, in a process that has no companion."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from payload_capture import capture, portable, shared

pytestmark = pytest.mark.once

EXTENSION = Path(shared.__file__).resolve().parents[2]

PACKAGE = "payload_capture.shared"
LOADED = """
import importlib, json, sys

class NoCompanion:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("payload_replay", "requests", "typer", "rich"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, NoCompanion())
import payload_capture
importlib.import_module("payload_capture.shared.NAME")
print(json.dumps(sorted(sys.modules)))
"""


def used() -> set[str]:
    """The modules of `shared` that the extension imports anywhere."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in EXTENSION.rglob("*.py"))
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found = {alias.name for node in nodes if node.module == PACKAGE for alias in node.names}
    below = (node.module or "" for node in nodes)
    return found | {name[len(PACKAGE) + 1 :] for name in below if name.startswith(PACKAGE + ".")}


def loaded(name: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.replace("NAME", name)],
        env={**os.environ, "PYTHONPATH": str(EXTENSION)},
        check=True,
        stdout=subprocess.PIPE,
    )
    return set(json.loads(done.stdout))


OF_REQUESTS = {"client"}
"""What needs `requests`, which each webui brings: the client, and nothing that it does not ask."""


@pytest.mark.parametrize("name", sorted(used() - OF_REQUESTS))
def test_loads_without_the_companion_installed(name: str) -> None:
    modules = loaded(name)
    assert f"payload_capture.shared.{name}" in modules
    assert not any(module.partition(".")[0] == "payload_replay" for module in modules)


@pytest.mark.parametrize("name", ["export", "posting", "bundle"])
def test_what_exports_needs_the_standard_library_alone(name: str) -> None:
    tops = {module.partition(".")[0].lstrip("_") for module in loaded(name)}
    assert tops & {"PIL", "requests", "numpy"} == set()


def test_each_has_its_types() -> None:
    stubs = {file.stem for file in (EXTENSION / "payload_capture" / "shared").glob("*.pyi")}
    assert stubs == used()


def test_the_format_is_one_module() -> None:
    """A capture that an importer made is one that the store takes."""
    from payload_capture.shared import importers

    found = importers.read(b'{"prompt": "a cat", "steps": 2}')
    assert type(found.captures[0]) is capture.Capture
    assert sys.modules["payload_capture.shared.portable"] is portable
