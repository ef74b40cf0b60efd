"""The pins: what the extension installs beside a webui moves nothing that the webui has."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import environment

LOCKS = ("a1111", "forge", "project", "test")


def read(name: str, repository: Path) -> list[Requirement]:
    """The requirements of a lock file or .in file that hold for this Python."""
    lines = environment.pins(repository / "requirements" / name)
    requirements = [Requirement(line) for line in lines]
    return [one for one in requirements if one.marker is None or one.marker.evaluate()]


def names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(one.name) for one in requirements}


@pytest.fixture
def webui_python(tmp_path: Path, flavour: str, repository: Path) -> Path:
    """An environment that has, to pip's eyes, exactly what the webui has before the extension.

    pip judges by the metadata, so that is all that is copied: gradio itself would be 200 MB.
    """
    python = Path(sys.executable)
    home = tmp_path / "webui"
    subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    for name in names(read(f"{flavour}.txt", repository)):
        source = metadata_folder(name)
        shutil.copytree(source, packages / source.name)
    return environment.python_of(home)


def metadata_folder(name: str) -> Path:
    distribution = importlib.metadata.distribution(name)
    folder = getattr(distribution, "_path")  # noqa: B009, the only way to it, and not in the stubs
    assert isinstance(folder, Path)
    return folder


def pip(python: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pip", "--python", str(python), *arguments]
    done = subprocess.run(
        [*command, "--disable-pip-version-check"],
        env=environment.clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"pip failed; does this machine reach its index?\n{done.stderr}"
    return done.stdout


def installed(python: Path) -> dict[str, str]:
    listed = json.loads(pip(python, "list", "--format", "json"))
    return {canonicalize_name(one["name"]): one["version"] for one in listed}


@pytest.mark.timeout(300)
def test_install_hook_moves_nothing_that_the_webui_has(
    webui_python: Path, repository: Path
) -> None:
    """The very command that the webui's `run_pip` makes of install.py's list."""
    before = installed(webui_python)
    assert {"gradio", "fastapi", "pydantic", "numpy", "pillow"} <= before.keys()
    assert not {"sqlalchemy", "alembic"} & before.keys()
    pip(webui_python, "install", "--prefer-binary", "--no-compile", *asked_for(repository))
    after = installed(webui_python)
    assert {name: after.get(name) for name in before} == before
    assert {"sqlalchemy", "alembic"} <= after.keys()


@pytest.mark.timeout(300)
def test_client_moves_nothing_that_the_webui_has(webui_python: Path, repository: Path) -> None:
    """Who installs the client, with its command line, into the webui's own environment."""
    report = json.loads(
        pip(
            webui_python,
            *("install", "--dry-run", "--quiet", "--report", "-"),
            *sorted(client_requirements(repository)),
        )
    )
    new = {canonicalize_name(one["metadata"]["name"]) for one in report["install"]}
    assert new & installed(webui_python).keys() == set()


def asked_for(repository: Path) -> list[str]:
    """install.py's list, as it is on a webui that has neither."""
    text = (repository / "install.py").read_text(encoding="utf-8")
    found = re.findall(r'"(\w+)": \((\d), (\d)\)', text)
    return [f"{name}>={least},<{below}" for name, least, below in found]


def client_requirements(repository: Path) -> set[str]:
    text = (repository / "companion" / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|cli) = \[(.*)\]$", text, flags=re.MULTILINE)
    assert len(lists) == 2
    return {one for each in lists for one in re.findall(r'"([^"]+)"', each)}


def test_the_extra_of_the_stand_in_takes_what_the_locks_hold(
    flavour: str, repository: Path
) -> None:
    text = (repository / "companion" / "pyproject.toml").read_text(encoding="utf-8")
    (block,) = re.findall(r"^standin = \[\n(.*?)^\]$", text, flags=re.MULTILINE | re.DOTALL)
    asked = [
        Requirement(one) for _, one in re.findall(r"""^    (["'])(.+)\1,$""", block, re.MULTILINE)
    ]
    assert {"gradio", "huggingface-hub"} <= names(asked)
    pins = [one for name in (flavour, "project") for one in read(f"{name}.txt", repository)]
    pinned = {canonicalize_name(one.name): one for one in pins}
    for one in asked:
        if one.marker is None or one.marker.evaluate():
            (pin,) = pinned[canonicalize_name(one.name)].specifier
            assert one.specifier.contains(pin.version), one


def test_install_hook_asks_for_what_the_locks_hold(repository: Path) -> None:
    asked = [Requirement(one) for one in asked_for(repository)]
    pinned = {canonicalize_name(one.name): one for one in read("project.txt", repository)}
    assert names(asked) == {"sqlalchemy", "alembic"}
    for one in asked:
        (pin,) = pinned[canonicalize_name(one.name)].specifier
        assert one.specifier.contains(pin.version)


def test_this_environment_is_the_locked_one(flavour: str, repository: Path) -> None:
    for name in (flavour, "project", "test"):
        for one in read(f"{name}.txt", repository):
            assert one.specifier.contains(importlib.metadata.version(one.name)), one.name


@pytest.mark.once
@pytest.mark.parametrize("flavour", ["a1111", "forge"])
def test_lock_files_agree(flavour: str, repository: Path) -> None:
    """They are installed together without a resolver, so no package may have two versions."""
    chosen: dict[str, str] = {}
    for name in (flavour, "project", "test"):
        for one in read(f"{name}.txt", repository):
            version = str(one.specifier)
            assert version.startswith("=="), f"{one} is no pin"
            assert chosen.setdefault(canonicalize_name(one.name), version) == version


@pytest.mark.once
@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_holds_what_its_source_asks_for(name: str, repository: Path) -> None:
    """A package added to the .in file and not locked would be missing on every fresh machine."""
    # What both flavours hold is left out of the project's and the tests' own files.
    files = [*LOCKS, name]
    pins = [one for file in files for one in read(f"{file}.txt", repository)]
    locked = {canonicalize_name(one.name): one for one in pins}
    for asked in read(f"{name}.in", repository):
        (pin,) = locked[canonicalize_name(asked.name)].specifier
        assert asked.specifier.contains(pin.version), asked


def test_every_dependency_of_a_pin_is_pinned(repository: Path, flavour: str) -> None:
    """`--no-deps` would leave out in silence what the lock files forgot."""
    pinned = {
        name
        for lock in (flavour, "project", "test")
        for name in names(read(f"{lock}.txt", repository))
    }
    missing = {
        f"{name} needs {need.name}"
        for name in pinned
        for need in needs_of(name)
        if canonicalize_name(need.name) not in pinned
    }
    assert missing == set()


def needs_of(name: str) -> Iterator[Requirement]:
    for text in importlib.metadata.requires(name) or []:
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            yield need
