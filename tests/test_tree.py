"""The rules of the tree: who may import whom, and which files may be where."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from environment import ROOT

pytestmark = pytest.mark.once

EXTENSION = ROOT / "extension" / "payload_capture"
COMPANION = ROOT / "companion" / "src"
CLIENT = COMPANION / "payload_replay"
STANDIN = COMPANION / "webui_standin"
SHARED = [CLIENT / "capture.py", CLIENT / "portable.py"]
"""What the companion and the extension both load."""
BOOTSTRAP = [
    ROOT / "companion" / "__main__.py",
    ROOT / "companion" / "environment.py",
    ROOT / "tests" / "__main__.py",
    ROOT / "tests" / "runner.py",
    ROOT / "requirements" / "lock.py",
]
LAUNCHED = {"launch"}
"""What the webui's install hook may import besides the standard library."""
IGNORED = re.compile(r"\..*|__pycache__|build|dist|.*\.egg-info|demo-report")
HEAVY = {"PIL", "alembic", "fastapi", "gradio", "numpy", "pandas", "pydantic", "sqlalchemy"}


def sources(*folders: Path) -> list[Path]:
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(file: Path) -> Iterator[str]:
    """The absolute dotted names that a file imports, at its top or anywhere inside."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            yield from texts(node.args[:1])


def called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def packages(file: Path) -> set[str]:
    return {imported.split(".")[0] for imported in imports(file)}


def importers(package: str, files: list[Path]) -> set[str]:
    return {name(file) for file in files if package in packages(file)}


def tracked() -> Iterator[Path]:
    """The files of the checkout, without asking git: it may be an unpacked archive."""
    for folder, inner, files in os.walk(ROOT):
        inner[:] = [each for each in inner if each == ".ci" or not IGNORED.match(each)]
        yield from (Path(folder, file) for file in files)


# Who imports whom


def test_only_host_imports_the_webui() -> None:
    allowed = {name(EXTENSION / "host.py")}
    assert importers("modules", sources(EXTENSION)) <= allowed
    assert importers("launch", sources(EXTENSION)) == set()


def test_only_tab_imports_gradio() -> None:
    files = sources(EXTENSION, ROOT / "scripts", CLIENT)
    assert importers("gradio", files) <= {name(EXTENSION / "tab.py")}


def test_client_imports_neither_the_webui_nor_the_extension() -> None:
    for package in ("modules", "gradio", "payload_capture"):
        assert importers(package, sources(CLIENT)) == set()


def test_standin_never_imports_the_extension() -> None:
    assert importers("payload_capture", sources(STANDIN)) == set()


def test_extension_never_imports_the_companion() -> None:
    """It loads capture.py by path, under a name of its own."""
    for package in ("payload_replay", "webui_standin"):
        assert importers(package, sources(EXTENSION, ROOT / "scripts")) == set()


@pytest.mark.parametrize("file", SHARED, ids=name)
def test_what_both_load_is_standard_library_only(file: Path) -> None:
    assert packages(file) <= sys.stdlib_module_names


@pytest.mark.parametrize("file", SHARED, ids=name)
def test_what_both_load_stands_alone(file: Path) -> None:
    """Loaded by path it has no package: a relative import would break it inside the webui."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    relative = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == []


@pytest.mark.parametrize("file", BOOTSTRAP, ids=name)
def test_bootstrap_is_standard_library_only(file: Path) -> None:
    """These run before anything is installed."""
    assert packages(file) <= sys.stdlib_module_names | {"environment", "runner"}


def test_install_hook_is_standard_library_only() -> None:
    assert packages(ROOT / "install.py") <= sys.stdlib_module_names | LAUNCHED


# Where files may be


def test_scripts_hold_one_short_entry() -> None:
    (entry,) = sources(ROOT / "scripts")
    assert len(entry.read_text(encoding="utf-8").splitlines()) < 40


def test_javascript_has_one_namespace() -> None:
    """Names at the top of a script are every other extension's too."""
    opening = '((pc) => {\n    "use strict";\n'
    closing = "})((window.payloadCapture = window.payloadCapture || {}));\n"
    files = sorted(file for file in (ROOT / "javascript").rglob("*") if file.is_file())
    styles = [file for file in files if file.suffix != ".js"]
    assert [file.name for file in styles] == ["style.css"]
    for file in (file for file in files if file not in styles):
        text = file.read_text(encoding="utf-8")
        comment, _, rest = text.partition("((pc) =>")
        assert all(line.startswith("//") for line in comment.splitlines()), file
        assert f"((pc) =>{rest}".startswith(opening), file
        assert text.endswith(closing), file
        assert text.count("window.payloadCapture") == 2, file
        assert len(text.splitlines()) <= 400, file


@pytest.mark.parametrize("folder", ["extension", "scripts", "tests", "companion"])
def test_shared_folder_names_are_not_packages(folder: str) -> None:
    """The first extension that imports a package name owns it in the whole webui."""
    assert not (ROOT / folder / "__init__.py").exists()


def test_root_holds_no_module_but_the_install_hook() -> None:
    assert [file.name for file in ROOT.glob("*.py")] == ["install.py"]


def test_install_hook_is_short() -> None:
    assert len((ROOT / "install.py").read_text(encoding="utf-8").splitlines()) < 40


def test_client_is_typed() -> None:
    assert (CLIENT / "py.typed").exists()


# What importing costs


def test_importing_the_extension_loads_nothing_heavy() -> None:
    code = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        "import payload_capture\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command,
        cwd=ROOT / "extension",
        env={**os.environ, "PYTHONPATH": str(ROOT / "extension")},
        check=True,
        stdout=subprocess.PIPE,
    )
    loaded = {module.split(".")[0] for module in json.loads(done.stdout)}
    assert "payload_capture" in loaded
    assert loaded & HEAVY == set()


# What the files may say


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the business of the machine's own pip settings."""
    hosts = [b"pypi" + b".org", b"python" + b"hosted.org", b"test" + b".pypi"]
    naming = {name(file) for file in tracked() if any(host in file.read_bytes() for host in hosts)}
    assert naming == set()


def test_no_lock_file_names_an_index() -> None:
    options = {
        line
        for file in (ROOT / "requirements").glob("*.*")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("-") or "index" + "-url" in line
    }
    assert options == set()


def test_every_source_has_a_test() -> None:
    """`store.py` has `test_store.py`, wherever in tests/ that lies; the exceptions say why."""
    tests = {file.name for file in sources(ROOT / "tests")}
    bare = {
        name(file)
        for file in sources(EXTENSION, CLIENT)
        if f"test_{file.stem}.py" not in tests and "migrations" not in file.parts
    }
    assert bare - UNTESTED.keys() == set()
    assert UNTESTED.keys() - bare == set(), "these have a test now, or are gone"


UNTESTED = {
    "extension/payload_capture/host.py": "needs a host: test_app, test_routes and hosts/ run it",
    "extension/payload_capture/tables.py": "test_store holds it against the migrations",
    "extension/payload_capture/shared/__init__.py": "nothing but a path; test_shared walks it",
    "extension/payload_capture/__init__.py": "nothing but the names that the entry binds",
    "companion/src/payload_replay/__init__.py": "nothing but the public names",
    "companion/src/payload_replay/commands/__init__.py": "only says what the package is",
    "companion/src/payload_replay/__main__.py": "calls the command line, which test_cli runs",
}
